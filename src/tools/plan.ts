// EnterPlanMode and ExitPlanMode: nothing is changed until the person has agreed to a plan. The gate enforces and asks.
import { z } from "zod";
import { planBlock } from "../core/plan.ts";
import type { PermissionMode, Tool, ToolOutput } from "../core/types.ts";
import enterDescription from "./enterplan.md" with { type: "text" };
import exitDescription from "./exitplan.md" with { type: "text" };
import { defineTool } from "./tool.ts";

export type PlanModes = {
  mode(): PermissionMode;
  setMode(mode: PermissionMode): void;
  /** The one plan mode took the place of. */
  before(): PermissionMode;
};

export function planTools(modes: PlanModes): Tool[] {
  return [enterPlanMode(modes), exitPlanMode(modes)];
}

function enterPlanMode({ mode, setMode }: PlanModes): Tool {
  return defineTool({
    name: "EnterPlanMode",
    description: enterDescription,
    schema: z.object({}),
    access: () => ({ kind: "plan", step: "enter" }),
    title: () => "Make a plan first, and change nothing until it is agreed on",
    run: async (): Promise<ToolOutput> => {
      const already = mode() === "plan" ? " already" : "";
      setMode("plan");
      return { content: `Plan mode is on${already}. Look around, then put your plan to the person with ExitPlanMode.` };
    },
  });
}

const schema = z.object({
  plan: z
    .string()
    .refine((text) => text.trim() !== "", "expected a plan, got blanks")
    .describe("The whole plan, in Markdown"),
});

function exitPlanMode({ mode, setMode, before }: PlanModes): Tool {
  return defineTool({
    name: "ExitPlanMode",
    description: exitDescription,
    schema,
    access: ({ plan }) => ({ kind: "plan", step: "leave", plan, back: before() }),
    title: ({ plan }) => `Plan: ${headline(plan)}`,
    run: async ({ plan }, { isChanged }): Promise<ToolOutput> => {
      // The gate lets it through in plan mode only. If that is over by now, the person chose the mode with their answer.
      if (mode() === "plan") setMode(before());
      const changed = isChanged ? `\nIt was changed before it was accepted; only this counts:\n${planBlock(plan)}` : "";
      return { content: `${ACCEPTED}${changed}`, data: { plan, isAgent: false } };
    },
  });
}

/** A rule may have accepted it: nothing is said of the person. */
const ACCEPTED =
  "The plan is accepted and plan mode is over: carry it out now. If it has several steps and you keep a todo list, put them on it first. " +
  "Where something turns out to be otherwise than planned, say so before you go another way.";

const HEADLINE = 80;

/** Its first line that says something. */
function headline(plan: string): string {
  const lines = plan.split("\n").map((line) => line.replace(/^[\s#>*-]+/, "").trim());
  const line = lines.find((text) => text !== "") ?? "";
  return line.length <= HEADLINE ? line : `${line.slice(0, HEADLINE).toWellFormed()}…`;
}

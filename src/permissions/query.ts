// Asking the engine: a question in plain data becomes a decision about the real disk, and that plain data again.
import { resolve } from "node:path";
import { UsageError } from "../core/errors.ts";
import type { Access, PermissionMode, Tool, ToolUse } from "../core/types.ts";
import type { Judge, NamedRule, Query, Verdict } from "../core/verdict.ts";
import { realPath } from "../utils/paths.ts";
import { decide } from "./decide.ts";
import type { Decision, Situation } from "./decision.ts";
import { parseRule, parseRules, type Behavior, type Rule, type Rules } from "./rules.ts";
import { suggestRules } from "./suggest.ts";
import { DISK, NO_WALL, type World } from "./world.ts";

/** What a call would touch. Throws UsageError for an input the tool does not take. */
export type AccessOf = (tool: string, input: Record<string, unknown>, cwd: string) => Access;

export type Judging = {
  /** The process's, where a question names none. */
  cwd: string;
  home: string;
  access: AccessOf;
  /** Where a question has none of rules, cwd and home. Called once, when it is first needed. */
  today(): Promise<Situation>;
};

const MODES: Readonly<Record<string, PermissionMode>> = {
  default: "default",
  manual: "default",
  acceptEdits: "acceptEdits",
  plan: "plan",
  dontAsk: "dontAsk",
  bypass: "bypassPermissions",
  bypassPermissions: "bypassPermissions",
};
/** They touch nothing by themselves; what they start asks for itself. */
const HARMLESS: readonly string[] = ["Skill", "TodoWrite", "AskUserQuestion"];

export function judgeWith(judging: Judging): Judge {
  const found: { today?: Promise<Situation> } = {};
  return async (query, { fix } = { fix: false }) => {
    const { rules, cwd, home, mode } = query;
    const how = { access: judging.access, fix };
    const own = rules !== undefined || cwd !== undefined || home !== undefined;
    if (own) {
      const { situation, warnings } = situationFor(query, judging);
      return { ...verdictOf(query, situation, how), ...(warnings.length > 0 ? { warnings } : {}) };
    }
    const chosen = mode === undefined ? {} : { mode: modeOf(mode) };
    return verdictOf(query, { ...(await (found.today ??= judging.today())), ...chosen }, how);
  };
}

/** Throws UsageError. */
export function modeOf(text: string): PermissionMode {
  const mode = Object.hasOwn(MODES, text) ? MODES[text] : undefined;
  if (mode) return mode;
  throw new UsageError(`"${text}" is not a permission mode: expected one of ${Object.keys(MODES).join(", ")}`);
}

/** As of settings: an allow rule that cannot be read is left out and named, any other throws UsageError. */
function situationFor(
  { rules, mode, cwd, home }: Query,
  judging: Judging,
): { situation: Situation; warnings: readonly string[] } {
  const root = resolve(judging.cwd, cwd ?? "");
  const at = { cwd: root, home: home === undefined ? judging.home : resolve(judging.cwd, home) };
  const world: World = {
    ...at,
    root,
    roots: [...new Set([root, realPath(root)])],
    readable: [],
    programs: [],
    files: DISK,
    wall: NO_WALL,
  };
  const list = (behavior: Behavior) =>
    (rules?.[behavior] ?? []).map((text, i) => ({ text, source: `rules.${behavior}[${i}]` }));
  const read = parseRules({ allow: list("allow"), deny: list("deny"), ask: list("ask") }, at);
  return { situation: { rules: read.rules, mode: modeOf(mode ?? "default"), world }, warnings: read.warnings };
}

/** What the tools say of their calls; for names they do not have, what is known of the name. */
export function accessBy(tools: readonly Tool[]): AccessOf {
  const byName = new Map(tools.map((tool) => [tool.spec.name, tool]));
  return (name, input, cwd) => {
    // What these touch does not depend on their input, so it need not be whole.
    if (HARMLESS.includes(name)) return { kind: "none" };
    if (name === "Agent" || name === "Task") return { kind: "agent" };
    if (name === "EnterPlanMode") return { kind: "plan", step: "enter" };
    if (name === "ExitPlanMode")
      return { kind: "plan", step: "leave", plan: String(input.plan ?? ""), back: "default" };
    const tool = byName.get(name);
    if (tool) return tool.access(parsed(tool, input), cwd);
    if (name === "WebFetch") return { kind: "net", url: textOf(name, input, "url") };
    if (name === "WebSearch") return { kind: "net", url: "the search service" };
    if (name === "NotebookEdit") return { kind: "write", paths: [resolve(cwd, textOf(name, input, "notebook_path"))] };
    return { kind: "unknown" };
  };
}

function parsed<I>(tool: Tool<I>, input: Record<string, unknown>): I {
  try {
    return tool.parse(input);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function textOf(tool: string, input: Record<string, unknown>, key: string): string {
  const value = Object.hasOwn(input, key) ? input[key] : undefined;
  if (typeof value === "string" && value !== "") return value;
  throw new UsageError(`${tool} needs "${key}", a string`);
}

/** `fix`: also what would change it. Throws as `access` does. */
export function verdictOf(
  { tool, input }: Pick<Query, "tool" | "input">,
  { rules, mode, world }: Situation,
  how: { access: AccessOf; fix: boolean },
): Verdict {
  const call: ToolUse = { type: "tool_use", id: "query", name: tool, input };
  const access = how.access(tool, input, world.cwd);
  const decision = decide(call, access, rules, mode, world);
  const fix = how.fix ? fixFor({ call, access, rules, mode, world }, decision) : undefined;
  const { behavior, step, reason, rule, touches, confine } = decision;
  return {
    decision: behavior,
    step,
    reason,
    ...(rule ? { rule: named(rule) } : {}),
    parts: (decision.parts?.() ?? []).map((part) => ({
      text: part.text,
      decision: part.behavior,
      reason: part.reason,
      ...(part.rule ? { rule: named(part.rule) } : {}),
    })),
    touches,
    mode,
    ...(confine ? { confine, walled: world.wall.active } : {}),
    ...(fix ? { fix } : {}),
  };
}

function named({ text, source }: Rule): NamedRule {
  return { text, source };
}

type Asked = Situation & { call: ToolUse; access: Access };

/** Only what really changes the decision: no allow rule is stronger than a rule that forbids or a protected path. */
function fixFor(asked: Asked, { behavior }: Decision): readonly string[] | undefined {
  if (behavior === "allow") return stopping(asked);
  return (
    suggestRules(asked) ?? (asked.access.kind === "net" ? firstThat("allow", [asked.call.name], asked) : undefined)
  );
}

/** A deny rule that would stop it. */
function stopping(asked: Asked): readonly string[] | undefined {
  const { call, access } = asked;
  if (access.kind !== "shell") return firstThat("deny", [call.name], asked);
  const [, program, sub] = /^\s*([\w.+-]+)(?:[ \t]+([a-z][\w-]*)(?=\s|$))?/.exec(access.command) ?? [];
  if (program === undefined) return undefined;
  const longer = sub === undefined ? [] : [`Bash(${program} ${sub}:*)`];
  return firstThat("deny", [...longer, `Bash(${program}:*)`], asked);
}

/** The first of the texts that alone, as a rule, makes the decision what it says. */
function firstThat(behavior: "allow" | "deny", texts: readonly string[], asked: Asked): string[] | undefined {
  const { call, access, rules, mode, world } = asked;
  const at = { base: world.root, cwd: world.root, home: world.home };
  const text = texts.find((one) => {
    const rule = parseRule(one, behavior, "suggested", at);
    if ("problem" in rule) return false;
    const more: Rules = { ...rules, [behavior]: [...rules[behavior], rule] };
    return decide(call, access, more, mode, world).behavior === behavior;
  });
  return text === undefined ? undefined : [text];
}

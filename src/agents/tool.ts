// Agent: the tool that starts a sub-agent and waits for what it hands back.
import { z } from "zod";
import type { ToolContext, ToolOutput } from "../core/types.ts";
import { defineTool } from "../tools/tool.ts";
import description from "./agent.md" with { type: "text" };
import { AGENTS, GENERAL, type AgentDefinition } from "./definitions.ts";
import type { Outcome } from "./run.ts";

const schema = z.object({
  description: z.string().min(1).describe("Three to five words: what it does"),
  prompt: z.string().trim().min(1).describe("The whole task"),
  subagent_type: z.string().optional().describe(`Which kind; ${GENERAL} if not given`),
  model: z.string().optional().describe("Another model than yours"),
});
type Input = z.output<typeof schema>;

export type Task = { definition: AgentDefinition; prompt: string; model: string | undefined };

/** `start` runs the sub-agent; it rejects only when it could not be started. */
export function agentTool(start: (task: Task, ctx: ToolContext) => Promise<Outcome>, now: () => number) {
  const kinds = AGENTS.map(({ name, description: use }) => `- \`${name}\`: ${use}`).join("\n");
  return defineTool({
    name: "Agent",
    description: description.replace("{{agents}}", () => kinds),
    schema,
    access: () => ({ kind: "agent" }),
    title: ({ description: what, subagent_type: kind }) => `Agent${kind === undefined ? "" : ` ${kind}`}: ${what}`,
    run: async (input, ctx): Promise<ToolOutput> => {
      const definition = definitionOf(input);
      const began = now();
      const outcome = await start({ definition, prompt: input.prompt, model: input.model }, ctx);
      return output(outcome, { input, definition, durationMs: Math.round(now() - began), id: ctx.callId });
    },
  });
}

function definitionOf({ subagent_type: wanted = GENERAL }: Input): AgentDefinition {
  const found = AGENTS.find(({ name }) => name.toLowerCase() === wanted.trim().toLowerCase());
  if (found) return found;
  throw new Error(`There is no sub-agent "${wanted}". There are: ${AGENTS.map(({ name }) => name).join(", ")}.`);
}

type Finished = { input: Input; definition: AgentDefinition; durationMs: number; id: string };

function output(outcome: Outcome, { input, definition, durationMs, id }: Finished): ToolOutput {
  const { text, reason, calls, usage } = outcome;
  const why = reason === "end_turn" ? undefined : unfinished(outcome, definition);
  const said = text === "" ? "It handed back no text." : text;
  const content = why === undefined ? said : `${why}${text === "" ? "" : ` What it said last:\n\n${text}`}`;
  const { input_tokens, output_tokens, cache_creation_input_tokens, cache_read_input_tokens } = usage;
  const totalTokens = input_tokens + output_tokens + cache_creation_input_tokens + cache_read_input_tokens;
  return {
    content,
    ...(reason === "error" || reason === "aborted" ? { isError: true } : {}),
    ...(reason === "aborted" ? { interrupt: true } : {}),
    data: {
      status: "completed",
      agentId: id,
      agentType: definition.name,
      content: [{ type: "text", text: content }],
      prompt: input.prompt,
      totalToolUseCount: calls,
      totalDurationMs: durationMs,
      totalTokens,
      usage: { input_tokens, output_tokens, cache_creation_input_tokens, cache_read_input_tokens },
    },
  };
}

function unfinished({ reason, error }: Outcome, { maxTurns }: AgentDefinition): string {
  switch (reason) {
    case "max_turns":
      return `The sub-agent was stopped after ${maxTurns} requests, before it was done. What it changed stays.`;
    case "budget":
      return "The sub-agent was stopped because the budget is used up. What it changed stays.";
    case "aborted":
      return "The sub-agent was interrupted. What it changed stays.";
    case "refusal":
      return "The sub-agent's model declined the task.";
    default:
      return `The sub-agent failed: ${error ?? "unknown"}. What it changed stays.`;
  }
}

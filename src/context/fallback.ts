// A history put together from a summary and its own end, within a number of tokens; and the plain text of what goes.
import type { Message, Summary, TextBlock, ToolResult, UserMessage } from "../core/types.ts";
import { messagesTokens, resultTokens } from "./budget.ts";
import { cutAt, shortened } from "./cut.ts";
import { requestOf, resultText } from "./facts.ts";
import { describe } from "./prune.ts";
import { cutSummary, summaryText } from "./summary.ts";

export type Keep = (name: string, text: string) => string | undefined;

/** How much of a compacted history may be what, in tokens. */
export type Plan = {
  tail: number;
  /** What is shown again: the plan that was agreed on with it, which is never left out. */
  restore: number;
  agreed: number;
  /** The floor: summary and results are cut so that this many tokens hold all of it. */
  cutTo?: number;
};

/** From mild to hard; each is tried when the one before it breaks an invariant. `room`: tokens for all messages. */
export function plansFor(room: number): readonly Plan[] {
  const agreed = room * 0.1;
  return [
    { tail: Math.min(20_000, room * 0.25), restore: Math.min(25_000, room * 0.2), agreed },
    { tail: room * 0.1, restore: Math.min(8_000, room * 0.1), agreed },
    { tail: room * 0.1, restore: 0, agreed },
    { tail: 1, restore: 0, agreed, cutTo: Math.max(1_000, room * 0.6) },
    { tail: 0, restore: 0, agreed, cutTo: Math.max(1_000, room * 0.4) },
  ];
}

/** What stays word for word under a plan; of the floor's, results are cut to fit. */
export function tailOf(messages: readonly Message[], { tail, cutTo }: Plan, keep: Keep): Message[] {
  const kept = messages.slice(cutAt(messages, tail));
  if (cutTo === undefined || messagesTokens(kept) <= cutTo / 2) return kept;
  const results = kept.flatMap((m) => m.content.filter((block) => block.type === "tool_result"));
  const others = messagesTokens(kept) - results.reduce((sum, { content }) => sum + resultTokens(content), 0);
  const each = Math.floor((cutTo / 2 - others) / Math.max(1, results.length));
  // What is not a result cannot be cut: if it does not fit, the next plan keeps nothing.
  return kept.map((message) => (message.role === "user" ? withShortResults(message, each, keep) : message));
}

function withShortResults(message: UserMessage, tokens: number, keep: Keep): UserMessage {
  const content = message.content.map((block) =>
    block.type === "tool_result" ? shortResult(block, tokens, keep) : block,
  );
  return { ...message, content };
}

function shortResult(result: ToolResult, tokens: number, keep: Keep): ToolResult {
  if (resultTokens(result.content) <= tokens) return result;
  const text = resultText(result);
  const path = keep(result.tool_use_id, text);
  const note = `cut to make room${path ? `; the whole result is in ${path}` : ""}`;
  return { ...result, content: shortened(text, Math.max(80, tokens * 1.5), note) };
}

export type Assembling = {
  id: string;
  summary: Summary;
  tail: readonly Message[];
  restored: readonly TextBlock[];
  transcript: string | undefined;
  plan: Plan;
  keep: Keep;
};

/** The messages that replace the history. */
export function assembled({ id, summary, tail, restored, transcript, plan, keep }: Assembling): Message[] {
  const fitting = plan.cutTo === undefined ? summary : cutSummary(summary, { keep, budget: plan.cutTo / 2 });
  const last = summary.requests.at(-1);
  const hasRequest = last !== undefined && tail.some((message) => requestOf(message) === last);
  const text = summaryText(fitting, { hasTail: tail.length > 0, hasRequest, transcript });
  const content = [{ type: "text" as const, text }, ...restored];
  return [{ role: "user", id, content, synthetic: true, summary: fitting }, ...tail];
}

/** Everything as plain text, for whoever looks for a detail later. */
export function transcriptOf(messages: readonly Message[]): string {
  const parts = messages.flatMap((message) => message.content.map((block) => [message, block] as const));
  const texts = parts.flatMap(([message, block]) => {
    switch (block.type) {
      case "text":
        return [
          `=== ${message.role === "assistant" ? "reply" : message.synthetic ? "program" : "person"}\n${block.text}`,
        ];
      case "tool_use":
        return [`=== call: ${describe(block)}\n${JSON.stringify(block.input, null, 1)}`];
      case "tool_result":
        return [`=== result${block.is_error ? " (error)" : ""}\n${resultText(block)}`];
      default:
        return [];
    }
  });
  return `${texts.join("\n\n")}\n`;
}

// What a compaction of a recorded conversation would do, worked out without a model and without changing anything.
import type { Provider, State, Summary } from "../core/types.ts";
import { messageTokens, messagesTokens } from "./budget.ts";
import { compactor, type CompactorOptions } from "./compact.ts";
import { factsOf, requestOf } from "./facts.ts";
import { measure, tokens } from "./measure.ts";
import { describe, isWorthIt, prunable } from "./prune.ts";

const MAX_SHOWN = 20;
const LINE = 160;

/** Answers nothing: what is done then needs no model. */
const NOBODY: Provider = { async *stream() {} };

export type DryRunOptions = Omit<CompactorOptions, "provider" | "newId">;

/** The text to print; not sanitised. */
export async function dryRun(state: State, options: DryRunOptions, signal: AbortSignal): Promise<string> {
  const { used, threshold, contextWindow, fixed, scale } = measure(state, options);
  const lines = [
    `${state.messages.length} messages, ${state.model}: ${tokens(used)} of ${tokens(contextWindow)}; ` +
      (options.auto.enabled ? `compacted above ${tokens(threshold)}` : "automatic compaction is off"),
    `system text, memory and tools: about ${tokens(fixed * scale)}`,
    "",
    ...pruneLines(state, used, scale),
    "",
    ...(await summaryLines(state, options, signal)),
    "",
    "Nothing was changed, and no model was asked.",
  ];
  return lines.join("\n");
}

/** `scale`: what the API counts for one of our tokens. */
function pruneLines({ messages }: State, used: number, scale: number): string[] {
  const gone = prunable(messages, factsOf(messages).failingIds);
  const freed = gone.reduce((sum, one) => sum + one.tokens * scale, 0);
  if (gone.length === 0) return ["1. Old tool results: none is large enough to be taken out."];
  const verdict = isWorthIt(gone, used / scale) ? "worth it" : "not worth it alone: too little for the cache it breaks";
  return [
    `1. Old tool results that could be taken out: ${gone.length}, ${tokens(freed)} (${verdict})`,
    ...listed(gone.map(({ call, tokens: size }) => `${tokens(size * scale).padStart(16)}  ${describe(call)}`)),
  ];
}

async function summaryLines(state: State, options: DryRunOptions, signal: AbortSignal): Promise<string[]> {
  const { scale } = measure(state, options);
  const made = compactor({ ...options, provider: NOBODY, newId: () => "summary" });
  const events = made.run(state, { reason: "manual", focus: "" }, signal);
  let step = await events.next();
  while (!step.done) step = await events.next();
  const outcome = step.value;
  if (outcome.kind === "stuck") return [`2. Summary: ${outcome.why}`];
  const { messages: after, postTokens = 0, how } = outcome.event;
  const kept = after.slice(1);
  const cut = state.messages.length - kept.length;
  const [first] = after;
  const summary = first?.role === "user" ? first.summary : undefined;
  const restored =
    first?.content.slice(1).flatMap((block) => (block.type === "text" ? [headOf(block.text)] : [])) ?? [];
  return [
    `2. Summarised: messages 1 to ${cut}, ${tokens(messagesTokens(state.messages.slice(0, cut)) * scale)}`,
    kept.length === 0
      ? "   Nothing stays word for word."
      : `   Cut before message ${cut + 1}. Word for word stays: ${cut + 1} to ${state.messages.length}, ${tokens(messagesTokens(kept) * scale)}`,
    ...listed(kept.map((message, at) => `${String(cut + 1 + at).padStart(6)}  ${outline(message, scale)}`)),
    ...(summary ? factLines(summary) : []),
    "",
    restored.length === 0 ? "3. Nothing is shown again." : "3. Shown again, as it is now:",
    ...listed(restored.map((text) => `   ${text}`)),
    "",
    `After it, without the model's own words: about ${tokens(postTokens)}${how === "cut" ? " (cut to what fits)" : ""}.`,
  ];
}

function factLines({ goal, requests, files, failing, todos }: Summary): string[] {
  const section = (name: string, items: readonly string[]) =>
    items.length === 0 ? [`   ${name}: none`] : [`   ${name}:`, ...listed(items.map((item) => `     ${item}`))];
  return [
    "   Kept as facts, whatever the model writes:",
    ...section("goal", goal === "" ? [] : [goal]),
    ...section("requests, the last one word for word", requests),
    ...section(
      "changed files",
      files.map(({ path, why }) => `${path}: ${why}`),
    ),
    ...section("failing commands", failing),
    ...section("open todos", todos),
  ];
}

function listed(lines: readonly string[]): string[] {
  const shown = lines.slice(0, MAX_SHOWN).map((line) => cutLine(line.replace(/\n/g, " ")));
  return lines.length > MAX_SHOWN ? [...shown, `     and ${lines.length - MAX_SHOWN} more`] : shown;
}

function cutLine(line: string): string {
  return line.length > LINE ? `${line.slice(0, LINE).toWellFormed()}…` : line;
}

function outline(message: State["messages"][number], scale: number): string {
  const size = tokens(messageTokens(message) * scale);
  if (message.role === "assistant") {
    const calls = message.content.flatMap((block) => (block.type === "tool_use" ? [describe(block)] : []));
    return `reply, ${size}${calls.length > 0 ? `: ${calls.join(", ")}` : ""}`;
  }
  const request = requestOf(message);
  if (request !== undefined) return `person, ${size}: ${request}`;
  const results = message.content.filter((block) => block.type === "tool_result").length;
  return results > 0 ? `${results} ${results === 1 ? "result" : "results"}, ${size}` : `program, ${size}`;
}

function headOf(text: string): string {
  return /^<(file path="[^"]*"[^>]*|plan|skill name="[^"]*")[^>]*>/.exec(text)?.[1] ?? "text";
}

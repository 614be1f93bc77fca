// Asks the model for the summary: the conversation as it was sent, so that it comes from the cache, and one question.
import { ModelError } from "../core/errors.ts";
import { normalise } from "../core/history.ts";
import { Reply } from "../core/reply.ts";
import { textOf } from "../core/state.ts";
import type { Event, Message, ModelRequest, Provider, UserMessage } from "../core/types.ts";
import question from "../prompt/compact.md" with { type: "text" };
import { messagesTokens, messageTokens } from "./budget.ts";
import { isBoundary, shortened } from "./cut.ts";

export type Asking = {
  provider: Provider;
  /** All of a request but its messages: the same as the conversation's own, tools included, or the cache is missed. */
  base: Omit<ModelRequest, "messages" | "raw" | "restartable">;
  messages: readonly Message[];
  /** Tokens of messages that the model is known to take. */
  limit: number;
  focus: string;
  newId(): string;
};
export type Asked = { text: string; spent?: { model: string; usage: ModelUsage } };
type ModelUsage = (Message & { role: "assistant" })["usage"];

const RESULT_CHARS = 2_000;

/** Yields retries and the change to another model. Of a reply that calls tools only the text counts; "": it failed. */
export async function* askForSummary(asking: Asking, signal: AbortSignal): AsyncGenerator<Event, Asked> {
  const { provider, base, newId } = asking;
  const messages = normalise([...fittingHistory(asking), questionFor(asking)]);
  const reply = new Reply();
  try {
    const request: ModelRequest = { ...base, messages, raw: false, restartable: () => true };
    for await (const event of provider.stream(request, signal)) {
      const { emit } = reply.take(event, newId);
      for (const out of emit) if (out.type === "retry" || out.type === "model") yield out;
    }
  } catch (error) {
    if (signal.aborted || !(error instanceof ModelError)) throw error;
    yield { type: "notice", level: "warning", text: `The summary could not be made by the model: ${error.message}` };
    return { text: "" };
  }
  const message = reply.message();
  if (!message) return { text: "" };
  const spent = { model: message.model, usage: message.usage };
  return { text: message.stopReason === "refusal" ? "" : textOf(message), spent };
}

function questionFor({ focus, newId }: Asking): UserMessage {
  const wish = focus.trim() === "" ? "" : `\n\nThe person asks you to keep above all: ${focus.trim()}`;
  const text = `<reminder>\n${question.trim()}${wish}\n</reminder>`;
  return { role: "user", id: newId(), content: [{ type: "text", text }], synthetic: true };
}

/** All of it where it fits. Else with short results, and then without as much of its beginning as it takes. */
function fittingHistory({ messages, limit, newId }: Asking): readonly Message[] {
  if (messagesTokens(messages) <= limit) return messages;
  const short = messages.map((message) => (message.role === "user" ? withShortResults(message) : message));
  const [first, ...rest] = short;
  const summary = first?.role === "user" && first.summary ? [first] : [];
  let from = rest.length;
  let tokens = messagesTokens(summary);
  for (let at = rest.length - 1; at >= 0; at--) {
    const message = rest[at];
    if (!message) break;
    tokens += messageTokens(message);
    if (tokens > limit) break;
    if (isBoundary(message)) from = at;
  }
  return [missing(newId()), ...summary, ...rest.slice(from)];
}

function missing(id: string): UserMessage {
  const text = "[What came before is left out here: it does not fit.]";
  return { role: "user", id, content: [{ type: "text", text }], synthetic: true };
}

function withShortResults(message: UserMessage): UserMessage {
  const content = message.content.map((block) => {
    if (block.type !== "tool_result") return block;
    const { content: whole } = block;
    const text =
      typeof whole === "string" ? whole : whole.map((b) => (b.type === "text" ? b.text : "[picture]")).join("\n");
    return { ...block, content: shortened(text, RESULT_CHARS, "cut") };
  });
  return { ...message, content };
}

// The history as the API accepts it: roles alternate, every call is answered once in the next message, nothing is empty.
import type { AssistantBlock, AssistantMessage, Message, ToolResult, UserBlock, UserMessage } from "./types.ts";
import { toolUses } from "./state.ts";

export const INTERRUPTED_RESULT =
  "This call was interrupted before its result was recorded. It may or may not have taken effect: look before you repeat it.";

/**
 * Messages ready to send. A message that is already right is returned as the same object, so that what is cached per
 * message (its serialised bytes) stays valid; the same history always gives the same output.
 */
export function normalise(messages: readonly Message[]): Message[] {
  const merged: Message[] = [];
  for (const message of messages) {
    const clean = message.role === "assistant" ? cleanAssistant(message) : cleanUser(message);
    if (clean) append(merged, clean);
  }
  return answerCalls(merged);
}

function append(out: Message[], message: Message): void {
  const last = out.at(-1);
  if (last?.role === "assistant" && message.role === "assistant") {
    out[out.length - 1] = { ...message, id: last.id, content: [...last.content, ...message.content] };
  } else if (last?.role === "user" && message.role === "user") {
    out[out.length - 1] = { ...last, content: [...last.content, ...message.content] };
  } else out.push(message);
}

/** A refused reply is taken out (the API asks for that); an unsigned thought cannot be sent back. */
function cleanAssistant(message: AssistantMessage): AssistantMessage | undefined {
  if (message.stopReason === "refusal") return undefined;
  const content = filtered<AssistantBlock>(message.content, (block) => {
    if (block.type === "text") return block.text.trim() !== "";
    if (block.type === "thinking") return block.signature !== "";
    return true;
  });
  // A reply that only thought would be refused as an empty turn on some models; nothing in it is worth keeping.
  if (!content.some((block) => block.type !== "thinking" && block.type !== "redacted_thinking")) return undefined;
  return content === message.content ? message : { ...message, content };
}

function cleanUser(message: UserMessage): UserMessage | undefined {
  const content = filtered<UserBlock>(message.content, (block) => block.type !== "text" || block.text.trim() !== "");
  if (content.length === 0) return undefined;
  return content === message.content ? message : { ...message, content };
}

function filtered<T>(items: T[], keep: (item: T) => boolean): T[] {
  return items.every(keep) ? items : items.filter(keep);
}

function answerCalls(messages: Message[]): Message[] {
  const out: Message[] = [];
  for (let i = 0; i < messages.length; i++) {
    const message = messages[i];
    if (!message) continue;
    if (message.role === "user") {
      const bare = i === 0 || out.at(-1)?.role === "user" ? withoutResults(message) : message;
      if (bare) append(out, bare);
      continue;
    }
    out.push(message);
    const ids = toolUses(message).map((use) => use.id);
    const next = messages[i + 1];
    const reply = next?.role === "user" ? next : undefined;
    if (ids.length === 0 && !hasResults(reply)) continue;
    const answered = answer(ids, reply);
    if (reply) i++;
    if (answered) out.push(answered);
  }
  return out;
}

function hasResults(message: UserMessage | undefined): boolean {
  return message?.content.some((block) => block.type === "tool_result") ?? false;
}

function withoutResults(message: UserMessage): UserMessage | undefined {
  if (!hasResults(message)) return message;
  const content = message.content.filter((block) => block.type !== "tool_result");
  return content.length > 0 ? { ...message, content } : undefined;
}

/** The user message after a reply: exactly one result per call, in call order, first; then whatever else it said. */
function answer(ids: string[], reply: UserMessage | undefined): UserMessage | undefined {
  const given = reply?.content ?? [];
  if (reply && isAnswered(ids, given)) return reply;
  const results = ids.map(
    (id) => given.find((block) => block.type === "tool_result" && block.tool_use_id === id) ?? missing(id),
  );
  const rest = given.filter((block) => block.type !== "tool_result");
  const content = [...results, ...rest];
  if (content.length === 0) return undefined;
  return { role: "user", id: reply?.id ?? `results-${ids[0] ?? ""}`, content, synthetic: true };
}

function isAnswered(ids: string[], given: UserBlock[]): boolean {
  const inOrder = ids.every((id, i) => {
    const block = given[i];
    return block?.type === "tool_result" && block.tool_use_id === id;
  });
  return inOrder && !given.slice(ids.length).some((block) => block.type === "tool_result");
}

function missing(id: string): ToolResult {
  return { type: "tool_result", tool_use_id: id, content: INTERRUPTED_RESULT, is_error: true };
}

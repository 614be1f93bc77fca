// State is a fold over durable events: live, on resume and in a fork it is the same function.
import type { AssistantMessage, DurableEvent, Event, Message, State, ToolResult, ToolUse, Usage } from "./types.ts";

export const NO_USAGE: Usage = {
  input_tokens: 0,
  output_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
};

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    input_tokens: a.input_tokens + b.input_tokens,
    output_tokens: a.output_tokens + b.output_tokens,
    cache_creation_input_tokens: a.cache_creation_input_tokens + b.cache_creation_input_tokens,
    cache_read_input_tokens: a.cache_read_input_tokens + b.cache_read_input_tokens,
    cache_creation_1h_tokens: (a.cache_creation_1h_tokens ?? 0) + (b.cache_creation_1h_tokens ?? 0),
  };
}

export function reduce(state: State, event: DurableEvent): State {
  switch (event.type) {
    case "message":
      return { ...state, messages: [...state.messages, event.message] };
    case "tool.end":
      return { ...state, messages: withResult(state.messages, event.call, event.result) };
    case "mode":
      return { ...state, mode: event.mode };
    case "model":
      return { ...state, model: event.model };
    case "cwd":
      return { ...state, cwd: event.cwd };
    case "prefix":
      return state;
    case "compacted":
      return { ...state, messages: event.messages, stale: event.messages.length };
    default:
      return event satisfies never;
  }
}

export function isDurable(event: Event): event is DurableEvent {
  switch (event.type) {
    case "message":
    case "tool.end":
    case "mode":
    case "model":
    case "cwd":
    case "prefix":
    case "compacted":
      return true;
    default:
      return false;
  }
}

/** What an event says was used, a sub-agent's included: one request to a model. */
export function paidIn(event: Event): { model: string; usage: Usage } | undefined {
  if (event.type === "child") return paidIn(event.event);
  if (event.type === "compacted") return event.spent;
  return event.type === "message" && event.message.role === "assistant" ? event.message : undefined;
}

export function toolUses(message: AssistantMessage): ToolUse[] {
  return message.content.filter((block) => block.type === "tool_use");
}

/** The text of a message, its blocks joined; "" when it has none. */
export function textOf(message: Message): string {
  const texts = message.content.map((block) => (block.type === "text" ? block.text : ""));
  return texts.filter(Boolean).join("\n\n");
}

/** The results of one reply live in one user message, in the order of its calls, whichever finished first. */
function withResult(messages: readonly Message[], call: ToolUse, result: ToolResult): readonly Message[] {
  const at = messages.findLastIndex((m) => m.role === "assistant" && m.content.some((b) => isCall(b, call.id)));
  const owner = messages[at];
  if (owner?.role !== "assistant") return messages;
  const next = messages[at + 1];
  if (next?.role !== "user" || next.content[0]?.type !== "tool_result") {
    const holder: Message = { role: "user", id: `results-${owner.id}`, content: [result], synthetic: true };
    return messages.toSpliced(at + 1, 0, holder);
  }
  const order = toolUses(owner).map((use) => use.id);
  const results = next.content.filter((block) => block.type === "tool_result");
  if (results.some((r) => r.tool_use_id === result.tool_use_id)) return messages;
  const rest = next.content.filter((block) => block.type !== "tool_result");
  const sorted = [...results, result].sort((a, b) => order.indexOf(a.tool_use_id) - order.indexOf(b.tool_use_id));
  return messages.with(at + 1, { ...next, content: [...sorted, ...rest] });
}

function isCall(block: Message["content"][number], id: string): boolean {
  return block.type === "tool_use" && block.id === id;
}

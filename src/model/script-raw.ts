// Adds the Messages API's own stream events to a scripted reply, for --include-partial-messages.
import type { ProviderEvent } from "../core/types.ts";

/** The same events, each after the wire events it would have come from. */
export async function* withRaw(events: AsyncIterable<ProviderEvent>): AsyncGenerator<ProviderEvent> {
  const state: WireState = { index: 0, open: false };
  for await (const event of events) {
    for (const wire of wireEvents(event, state)) yield { type: "raw", event: wire };
    yield event;
  }
}

/** `index` of the block now streaming; `open` once its start was sent. */
type WireState = { index: number; open: boolean };

function* wireEvents(event: ProviderEvent, state: WireState): Generator<object> {
  const { index } = state;
  const delta = (value: object) => ({ type: "content_block_delta", index, delta: value });
  const start = (block: object) => ({ type: "content_block_start", index, content_block: block });
  if (event.type === "start") {
    const { id, model, usage } = event;
    const empty = { content: [], stop_reason: null, stop_sequence: null };
    yield { type: "message_start", message: { id, type: "message", role: "assistant", model, ...empty, usage } };
  } else if (event.type === "text.delta" || event.type === "thinking.delta") {
    const text = event.type === "text.delta";
    if (!state.open) yield start(text ? { type: "text", text: "" } : { type: "thinking", thinking: "", signature: "" });
    state.open = true;
    yield delta(text ? { type: "text_delta", text: event.text } : { type: "thinking_delta", thinking: event.text });
  } else if (event.type === "block") {
    if (event.block.type === "tool_use") {
      yield start({ ...event.block, input: {} });
      yield delta({ type: "input_json_delta", partial_json: JSON.stringify(event.block.input) });
    }
    yield { type: "content_block_stop", index };
    Object.assign(state, { index: index + 1, open: false });
  } else if (event.type === "end") {
    const { stopReason: stop_reason, usage } = event;
    yield { type: "message_delta", delta: { stop_reason, stop_sequence: null }, usage };
    yield { type: "message_stop" };
  }
}

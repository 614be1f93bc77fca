// The Messages API's reply on the wire: a scripted reply as server-sent events, or as one JSON object.
import type { FakeBlock, MessageReply } from "./fake-model.ts";

export type Wire = MessageReply & {
  deltaSize: number;
  index: number;
  input: { input_tokens: number; cache_creation_input_tokens: number; cache_read_input_tokens: number };
};

/** `before`: how many whole blocks came before this frame; `boundary`: it does not continue a block. */
export type Frame = { text: string; before: number; boundary: boolean };

export function* messageFrames(wire: Wire, model: string): Generator<Frame> {
  const frame = (before: number, boundary: boolean, event: string, data: unknown): Frame => {
    const text = `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    return { text: wire.crlf ? text.replaceAll("\n", "\r\n") : text, before, boundary };
  };
  const usage = { ...wire.input, output_tokens: 1, ...omit(wire.usage, "output_tokens") };
  const message = { ...envelope(wire, model), content: [], stop_reason: null, stop_sequence: null, usage };
  // The start belongs to no block: `afterBlocks: 0` still lets it through.
  yield frame(-1, false, "message_start", { type: "message_start", message });
  yield frame(-1, false, "ping", { type: "ping" });
  for (const [event, data] of wire.extra?.[-1] ?? []) yield frame(-1, false, event, data);
  for (const [index, block] of wire.blocks.entries()) {
    const { start, deltas } = parts(wire, block, index);
    const content_block = start;
    yield frame(index, true, "content_block_start", { type: "content_block_start", index, content_block });
    for (const delta of deltas) {
      yield frame(index, false, "content_block_delta", { type: "content_block_delta", index, delta });
    }
    yield frame(index, false, "content_block_stop", { type: "content_block_stop", index });
    for (const [event, data] of wire.extra?.[index] ?? []) yield frame(index, false, event, data);
  }
  const delta = { stop_reason: stopReason(wire), stop_sequence: null };
  const last = { type: "message_delta", delta, usage: { output_tokens: outputTokens(wire) } };
  yield frame(wire.blocks.length, true, "message_delta", last);
  yield frame(wire.blocks.length, true, "message_stop", { type: "message_stop" });
}

export function messageJson(wire: Wire, model: string): object {
  const content = wire.blocks.map((block, index) => whole(wire, block, index));
  const usage = { ...wire.input, ...omit(wire.usage, "output_tokens"), output_tokens: outputTokens(wire) };
  return { ...envelope(wire, model), content, stop_reason: stopReason(wire), stop_sequence: null, usage };
}

function envelope(wire: Wire, model: string): object {
  return { id: wire.id ?? `msg_${wire.index}`, type: "message", role: "assistant", model: wire.model ?? model };
}

function stopReason(wire: Wire): string {
  return wire.stopReason ?? (wire.blocks.some((block) => block.type === "tool_use") ? "tool_use" : "end_turn");
}

function outputTokens(wire: Wire): number {
  return wire.usage?.output_tokens ?? Math.max(1, Math.ceil(JSON.stringify(wire.blocks).length / 4));
}

function parts(wire: Wire, block: FakeBlock, index: number): { start: object; deltas: object[] } {
  const size = wire.deltaSize;
  switch (block.type) {
    case "text": {
      const deltas = pieces(block.text, size).map((text) => ({ type: "text_delta", text }));
      return { start: { type: "text", text: "" }, deltas };
    }
    case "thinking": {
      const deltas: object[] = pieces(block.thinking, size).map((thinking) => ({ type: "thinking_delta", thinking }));
      deltas.push({ type: "signature_delta", signature: block.signature });
      return { start: { type: "thinking", thinking: "", signature: "" }, deltas };
    }
    case "tool_use": {
      const json = typeof block.input === "string" ? block.input : JSON.stringify(block.input);
      const text = ["", ...pieces(json, size)];
      const deltas = text.map((partial_json) => ({ type: "input_json_delta", partial_json }));
      return { start: { ...(whole(wire, block, index) as object), input: {} }, deltas };
    }
    default:
      return { start: whole(wire, block, index), deltas: [] };
  }
}

function whole(wire: Wire, block: FakeBlock, index: number): object {
  if (block.type === "other") return block.block;
  if (block.type !== "tool_use") return block;
  const { id = `toolu_${wire.index}_${index}`, name, input } = block;
  return { type: "tool_use", id, name, input };
}

/** By code point: JSON on the wire never holds half a character. */
function pieces(text: string, size: number): string[] {
  const points = [...text];
  const out: string[] = [];
  for (let at = 0; at < points.length; at += size) out.push(points.slice(at, at + size).join(""));
  return out;
}

function omit(usage: MessageReply["usage"], key: "output_tokens"): object {
  return Object.fromEntries(Object.entries(usage ?? {}).filter(([name]) => name !== key));
}

/** Gathers frames and writes them together, never more than `room` bytes in all. */
export class Outlet {
  #frames: string[] = [];
  #room: number;
  #write: (bytes: Uint8Array) => Promise<void>;

  constructor(write: (bytes: Uint8Array) => Promise<void>, room = Number.POSITIVE_INFINITY) {
    this.#write = write;
    this.#room = room;
  }
  add(frame: string): void {
    this.#frames.push(frame);
  }
  async flush(): Promise<void> {
    const bytes = Buffer.from(this.#frames.join("")).subarray(0, this.#room);
    this.#frames = [];
    this.#room -= bytes.length;
    await this.#write(bytes);
  }
}

/** Cuts `bytes` at random positions; pieces of 1 to about 60 bytes, the same for the same seed. */
export function splitRandomly(bytes: Uint8Array, seed: number): Uint8Array[] {
  const random = randomFrom(seed);
  const out: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = 1 + Math.floor(random() ** 2 * 60);
    out.push(bytes.subarray(at, at + size));
    at += size;
  }
  return out;
}

/** A seeded generator of numbers in [0, 1) (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

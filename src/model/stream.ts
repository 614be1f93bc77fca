// The Messages API's stream events, one after the other, as provider events: blocks gathered, usage merged.
import { ModelError } from "../core/errors.ts";
import {
  API_STOP_REASONS,
  type AssistantBlock,
  type ProviderEvent,
  type StopReason,
  type Usage,
} from "../core/types.ts";
import { count, fields, isFields, text, type Fields } from "./json.ts";

type Open =
  | { kind: "text"; parts: string[] }
  | { kind: "thinking"; parts: string[]; signature: string }
  | { kind: "tool"; id: string; name: string; given: unknown; parts: string[] }
  | { kind: "other"; raw: { type: string; [field: string]: unknown }; parts: string[] };

const STOP_REASONS: ReadonlySet<string> = new Set(API_STOP_REASONS);

/** One reply being read. Unknown events, deltas and block types are passed over or kept whole, never an error. */
export class ReplyReader {
  readonly #nameOf: (reported: string) => string;
  readonly #errorOf: (event: unknown) => ModelError;
  readonly #open = new Map<number, Open>();
  #usage: Usage = {
    input_tokens: 0,
    output_tokens: 0,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
  };
  #messageId = "";
  #started = false;
  #stopReason: StopReason | undefined;
  #done = false;

  /** `nameOf`: what to call the model that says it answers. `errorOf`: an `error` event as a ModelError. */
  constructor(world: { nameOf: (reported: string) => string; errorOf: (event: unknown) => ModelError }) {
    this.#nameOf = world.nameOf;
    this.#errorOf = world.errorOf;
  }

  /** `end` was given out. */
  get done(): boolean {
    return this.#done;
  }

  /** What this event means for the consumer. Throws ModelError for an `error` event. */
  take(event: unknown): ProviderEvent[] {
    const { type, index, content_block, delta, message, usage } = fields(event);
    const at = count(index) ?? -1;
    if (this.#done) return [];
    switch (type) {
      case "message_start":
        return this.#start(fields(message));
      case "content_block_start":
        return [...this.#begin(), ...this.#blockStart(at, fields(content_block))];
      case "content_block_delta":
        return this.#blockDelta(at, fields(delta));
      case "content_block_stop":
        return this.#blockStop(at);
      case "message_delta":
        this.#merge(fields(usage));
        this.#stopReason = stopReason(fields(delta).stop_reason) ?? this.#stopReason;
        return this.#begin();
      case "message_stop":
        return this.#end();
      case "error":
        throw this.#errorOf(event);
      default:
        return [];
    }
  }

  /** The stream is over. A reply whose stop reason came is whole: some gateways leave out the last event. */
  finish(): ProviderEvent[] {
    if (this.#done) return [];
    if (this.#stopReason !== undefined && this.#open.size === 0) return this.#end();
    throw new ModelError("network", "The connection ended before the reply was complete.");
  }

  #start(message: Fields): ProviderEvent[] {
    this.#merge(fields(message.usage));
    this.#messageId = text(message.id);
    return this.#begin(text(message.model));
  }

  #begin(model = ""): ProviderEvent[] {
    if (this.#started) return [];
    this.#started = true;
    return [{ type: "start", id: this.#messageId, model: this.#nameOf(model), usage: this.#usage }];
  }

  #blockStart(at: number, block: Fields): ProviderEvent[] {
    const open = opened(block, `call_${this.#messageId || "reply"}_${at}`);
    this.#open.set(at, open);
    const first = open.kind === "text" || open.kind === "thinking" ? open.parts.join("") : "";
    if (first === "") return [];
    return [{ type: open.kind === "text" ? "text.delta" : "thinking.delta", text: first }];
  }

  #blockDelta(at: number, delta: Fields): ProviderEvent[] {
    const open = this.#open.get(at);
    if (!open) return [];
    switch (open.kind) {
      case "text":
        return piece(open.parts, delta.type === "text_delta" ? text(delta.text) : "", "text.delta");
      case "thinking":
        if (delta.type === "signature_delta") open.signature += text(delta.signature);
        return piece(open.parts, delta.type === "thinking_delta" ? text(delta.thinking) : "", "thinking.delta");
      case "tool":
        if (delta.type === "input_json_delta") open.parts.push(text(delta.partial_json));
        return [];
      case "other":
        mergeInto(open, delta);
        return [];
      default:
        return open satisfies never;
    }
  }

  #blockStop(at: number): ProviderEvent[] {
    const open = this.#open.get(at);
    this.#open.delete(at);
    return open ? closed(open) : [];
  }

  #end(): ProviderEvent[] {
    const left = [...this.#open.keys()].toSorted((a, b) => a - b).flatMap((at) => this.#blockStop(at));
    this.#done = true;
    const stopReason = this.#stopReason ?? "end_turn";
    return [...this.#begin(), ...left, { type: "end", stopReason, usage: this.#usage }];
  }

  // Counts are cumulative. A gateway that does not know one yet says 0, so 0 never replaces a number.
  #merge(usage: Fields): void {
    const before = this.#usage;
    const cached = count(fields(usage.cache_creation).ephemeral_1h_input_tokens) || before.cache_creation_1h_tokens;
    this.#usage = {
      input_tokens: count(usage.input_tokens) || before.input_tokens,
      output_tokens: count(usage.output_tokens) || before.output_tokens,
      cache_creation_input_tokens: count(usage.cache_creation_input_tokens) || before.cache_creation_input_tokens,
      cache_read_input_tokens: count(usage.cache_read_input_tokens) || before.cache_read_input_tokens,
      ...(cached ? { cache_creation_1h_tokens: cached } : {}),
    };
  }
}

/** A whole message (an answer that was not streamed) as the events it would have been streamed as. */
export function* eventsOf(message: Fields): Generator<unknown> {
  yield { type: "message_start", message };
  const content = Array.isArray(message.content) ? message.content : [];
  for (const [index, content_block] of content.entries()) {
    yield { type: "content_block_start", index, content_block };
    yield { type: "content_block_stop", index };
  }
  yield { type: "message_delta", delta: { stop_reason: message.stop_reason }, usage: message.usage };
  yield { type: "message_stop" };
}

function opened(block: Fields, id: string): Open {
  switch (block.type) {
    case "text":
      return { kind: "text", parts: text(block.text) === "" ? [] : [text(block.text)] };
    case "thinking": {
      const parts = text(block.thinking) === "" ? [] : [text(block.thinking)];
      return { kind: "thinking", parts, signature: text(block.signature) };
    }
    case "tool_use":
      return { kind: "tool", id: text(block.id) || id, name: text(block.name), given: block.input, parts: [] };
    default:
      return { kind: "other", raw: { ...block, type: text(block.type) }, parts: [] };
  }
}

function piece(parts: string[], added: string, type: "text.delta" | "thinking.delta"): ProviderEvent[] {
  if (added === "") return [];
  parts.push(added);
  return [{ type, text: added }];
}

/** A block we do not know grows as its deltas say: JSON into `input`, text onto the field of the same name. */
function mergeInto(open: Extract<Open, { kind: "other" }>, delta: Fields): void {
  for (const [name, value] of Object.entries(delta)) {
    const before = open.raw[name];
    if (name === "type") continue;
    if (name === "partial_json") open.parts.push(text(value));
    else if (name === "citation") continue;
    else if (typeof value === "string" && typeof before === "string") open.raw[name] = before + value;
    else open.raw[name] = value;
  }
}

function closed(open: Open): ProviderEvent[] {
  const whole = open.parts.join("");
  switch (open.kind) {
    case "text":
      return whole === "" ? [] : block({ type: "text", text: whole });
    case "thinking":
      if (whole === "" && open.signature === "") return [];
      return block({ type: "thinking", thinking: whole, signature: open.signature });
    case "tool":
      return toolBlock(open, whole);
    case "other":
      return block(otherBlock(open.raw, whole));
    default:
      return open satisfies never;
  }
}

function block(whole: AssistantBlock): ProviderEvent[] {
  return [{ type: "block", block: whole }];
}

function otherBlock(raw: { type: string; [field: string]: unknown }, json: string): AssistantBlock {
  if (raw.type === "redacted_thinking") return { type: "redacted_thinking", data: text(raw.data) };
  if (json === "") return { type: "opaque", raw };
  const { input, fault } = readInput(json);
  return { type: "opaque", raw: fault === undefined ? { ...raw, input } : raw };
}

function toolBlock(open: Extract<Open, { kind: "tool" }>, json: string): ProviderEvent[] {
  const { id, name } = open;
  const given = isFields(open.given) ? { input: { ...open.given } } : readInput(text(open.given));
  const { input, fault } = json === "" ? { fault: undefined, ...given } : readInput(json);
  const use = { type: "tool_use", id, name, input } as const;
  return [fault === undefined ? { type: "block", block: use } : { type: "block", block: use, fault }];
}

/** The input of a call. Nothing at all means no arguments. */
function readInput(json: string): { input: Record<string, unknown>; fault?: string } {
  if (json.trim() === "") return { input: {} };
  try {
    const value: unknown = JSON.parse(json);
    if (isFields(value)) return { input: { ...value } };
    return { input: {}, fault: "The input of this call was not a JSON object. Call again with one." };
  } catch (error) {
    const why = error instanceof Error ? error.message : "unreadable";
    return {
      input: {},
      fault: `The input of this call was not readable JSON (${why.slice(0, 200)}). If it was long it may have been cut off at the output limit: split the work into smaller calls and call again.`,
    };
  }
}

function isStopReason(value: string): value is StopReason {
  return STOP_REASONS.has(value);
}

/** A reason from the future ends the turn. */
function stopReason(value: unknown): StopReason | undefined {
  if (typeof value !== "string") return undefined;
  return isStopReason(value) ? value : "end_turn";
}

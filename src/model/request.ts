// A ModelRequest as the body of a Messages API call: the same history gives the same bytes, whatever comes after it.
import type {
  AssistantMessage,
  Effort,
  Message,
  ModelRequest,
  ToolResultContent,
  ToolSpec,
  UserBlock,
} from "../core/types.ts";
import { sameModel } from "./catalog.ts";
import type { ModelInfo } from "./models.ts";

const MARK = `,"cache_control":{"type":"ephemeral"}`;
/** The API's limit. */
const MAX_MARKS = 4;
const MIN_BUDGET = 1_024;
/** What is thought with when a model knows only budgets and the request says "adaptive". */
const DEFAULT_BUDGET = 16_000;
/** Larger messages (images) are serialised again each time rather than kept twice in memory. */
const KEEP_BELOW = 256 * 1024;

const INITIAL_BYTES = 64 * 1024;
const encoder = new TextEncoder();

/** Serialised messages and tools, reused by the requests that follow; entries go with their objects. */
export class BodyCache {
  readonly #users = new WeakMap<Message, string>();
  readonly #replies = new WeakMap<Message, { model: string; json: string }>();
  readonly #tools = new WeakMap<ToolSpec, string>();

  /** `message` as JSON, or "" when nothing of it can be sent to `model`. */
  message(message: Message, model: string): string {
    if (message.role === "user") return this.#user(message);
    const kept = this.#replies.get(message);
    if (kept?.model === model) return kept.json;
    const json = assistantJson(message, model);
    if (json.length < KEEP_BELOW) this.#replies.set(message, { model, json });
    return json;
  }

  #user(message: Message & { role: "user" }): string {
    const kept = this.#users.get(message);
    if (kept !== undefined) return kept;
    const json = messageJson("user", message.content.map(userBlock));
    if (json.length < KEEP_BELOW) this.#users.set(message, json);
    return json;
  }

  tool(spec: ToolSpec): string {
    const kept = this.#tools.get(spec);
    if (kept !== undefined) return kept;
    const json = stringify({ name: spec.name, description: spec.description, input_schema: spec.schema });
    this.#tools.set(spec, json);
    return json;
  }
}

/** The body as pieces of JSON text, to be put one after the other. `wireId`: the model's name at the endpoint. */
export function requestPieces(request: ModelRequest, info: ModelInfo, wireId: string, cache: BodyCache): string[] {
  const maxTokens = Math.max(1, Math.min(request.maxTokens, info.maxOutput));
  const pieces = [`{"model":${JSON.stringify(wireId)},"max_tokens":${maxTokens},"stream":true`];
  const thinking = thinkingField(request, info, maxTokens);
  if (thinking) pieces.push(`,"thinking":${JSON.stringify(thinking)}`);
  const effort = effortField(request, info, thinking?.type === "disabled");
  if (effort) pieces.push(`,"output_config":{"effort":"${effort}"}`);
  const tools = request.tools.map((tool) => cache.tool(tool));
  if (tools.length > 0) pieces.push(',"tools":[', ...commas(tools), "]");
  const system = systemJson(request);
  if (system.blocks.length > 0) pieces.push(',"system":[', ...commas(system.blocks), "]");
  const messages = messagesJson(request, MAX_MARKS - system.marks, cache);
  for (const [i, json] of messages.entries()) pieces.push(i === 0 ? ',"messages":[' : ",", json);
  pieces.push(messages.length > 0 ? "]}" : ',"messages":[]}');
  return pieces;
}

function commas(items: string[]): string[] {
  return items.flatMap((item, i) => (i === 0 ? [item] : [",", item]));
}

/**
 * Bytes of one request after another in the same memory: a session sends all of itself every turn, and a new copy each
 * time would be most of its garbage (peak memory after 300 turns of 2 kB results: 133 MB with copies, 94 MB so).
 */
export class BodyBuffer {
  #bytes = new Uint8Array(INITIAL_BYTES);
  #busy = false;

  /** `bytes` are valid until `release`. A second body at the same time gets memory of its own. */
  fill(pieces: readonly string[]): { bytes: Uint8Array; release(): void } {
    if (this.#busy) return { bytes: encoder.encode(pieces.join("")), release: () => undefined };
    this.#busy = true;
    let at = 0;
    for (const piece of pieces) {
      // A character is at most three bytes; room for that is only made when the piece might not fit.
      if (at + piece.length * 3 > this.#bytes.length) this.#grow(at, at + Buffer.byteLength(piece));
      at += encoder.encodeInto(piece, this.#bytes.subarray(at)).written;
    }
    return { bytes: this.#bytes.subarray(0, at), release: () => void (this.#busy = false) };
  }

  #grow(used: number, needed: number): void {
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, used));
    this.#bytes = larger;
  }
}

/** Each mark of the system text holds a boundary; the last ones win, and one is always left for the messages. */
function systemJson(request: ModelRequest): { blocks: string[]; marks: number } {
  const blocks = request.system.filter((block) => block.text.trim() !== "");
  const wanted = blocks.filter((block) => block.cache);
  const marked = new Set(wanted.slice(-(MAX_MARKS - 1)));
  const json = blocks.map((block) => `{"type":"text","text":${stringify(block.text)}${marked.has(block) ? MARK : ""}}`);
  return { blocks: json, marks: marked.size };
}

/** The last user turn is marked for the next request to read, the one before it for this request to find. */
function messagesJson(request: ModelRequest, marks: number, cache: BodyCache): string[] {
  const out: string[] = [];
  const users: number[] = [];
  for (const message of request.messages) {
    const json = cache.message(message, request.model);
    if (json === "") continue;
    if (message.role === "user") users.push(out.length);
    out.push(json);
  }
  for (const index of users.slice(-Math.min(2, marks))) {
    const json = out[index];
    // Every message ends with the end of its last block, its content and itself: }]}
    if (json !== undefined) out[index] = `${json.slice(0, -3)}${MARK}}]}`;
  }
  return out;
}

function userBlock(block: UserBlock): object {
  if (block.type === "opaque") return block.raw;
  if (block.type !== "tool_result") return block;
  const { type, tool_use_id, is_error } = block;
  const content = resultContent(block.content);
  return is_error ? { type, tool_use_id, content, is_error } : { type, tool_use_id, content };
}

/** Blank text blocks are refused inside a result as well. */
function resultContent(content: ToolResultContent): ToolResultContent {
  if (typeof content === "string") return content;
  const kept = content.filter((block) => block.type !== "text" || block.text.trim() !== "");
  return kept.length > 0 ? kept : "";
}

// A thought is only readable by the model that thought it, and only with its signature.
function assistantJson(message: AssistantMessage, model: string): string {
  const own = sameModel(message.model, model);
  const blocks = message.content.flatMap((block): object[] => {
    switch (block.type) {
      case "thinking":
        return own && block.signature !== "" ? [block] : [];
      case "redacted_thinking":
        return own ? [block] : [];
      case "opaque":
        return [block.raw];
      default:
        return [block];
    }
  });
  // Nothing but another model's thoughts: two user turns would meet, so the turn is kept and says what it was.
  return messageJson("assistant", blocks.length > 0 ? blocks : [{ type: "text", text: "(thought, without a reply)" }]);
}

function messageJson(role: "user" | "assistant", content: object[]): string {
  if (content.length === 0) return "";
  return `{"role":"${role}","content":${stringify(content)}}`;
}

/** JSON that is always valid UTF-8: half a surrogate pair (a text cut in the wrong place) becomes U+FFFD. */
function stringify(value: unknown): string {
  const json = JSON.stringify(value);
  if (!json.includes("\\ud")) return json;
  return JSON.stringify(value, (_, field: unknown) => (typeof field === "string" ? field.toWellFormed() : field));
}

type ThinkingField =
  | { type: "adaptive"; display: "summarized" }
  | { type: "enabled"; budget_tokens: number }
  | { type: "between_tools" }
  | { type: "disabled" };

// `display`: newer models otherwise return empty thoughts, and with them all they say between two tool calls.
function thinkingField(request: ModelRequest, info: ModelInfo, maxTokens: number): ThinkingField | undefined {
  const { thinking } = request;
  const adaptive = { type: "adaptive", display: "summarized" } as const;
  switch (info.thinking) {
    case "unknown":
      return undefined;
    case "always":
      return thinking.type === "disabled" ? undefined : adaptive;
    case "between":
      return thinking.type === "disabled" ? { type: "between_tools" } : adaptive;
    case "adaptive":
      return thinking.type === "disabled" ? { type: "disabled" } : adaptive;
    case "either":
      if (thinking.type === "disabled") return { type: "disabled" };
      return thinking.type === "adaptive" ? adaptive : budgetField(thinking.tokens, maxTokens);
    case "budget":
      if (thinking.type === "disabled") return undefined;
      return budgetField(thinking.type === "budget" ? thinking.tokens : DEFAULT_BUDGET, maxTokens);
    default:
      return info.thinking satisfies never;
  }
}

/** At least half of the output is left for the answer when the budget would eat it; no room at all: no thinking. */
function budgetField(tokens: number, maxTokens: number): ThinkingField | undefined {
  const budget = Math.floor(tokens < maxTokens ? tokens : maxTokens / 2);
  return budget >= MIN_BUDGET ? { type: "enabled", budget_tokens: budget } : undefined;
}

const RISING: readonly Effort[] = ["low", "medium", "high", "xhigh", "max"];

/** The highest level the model has that is not above what was asked. With thinking off nothing above high is accepted. */
function effortField(request: ModelRequest, info: ModelInfo, thinkingOff: boolean): Effort | undefined {
  if (!request.effort) return undefined;
  const asked = RISING.indexOf(request.effort);
  const cap = thinkingOff ? Math.min(asked, RISING.indexOf("high")) : asked;
  return info.effort.findLast((level) => RISING.indexOf(level) <= cap);
}

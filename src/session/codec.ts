// Durable events as lines of a session file. Messages have the shape other programs read from such files:
// `type` user or assistant, `uuid`, `parentUuid`, `message`; the rest is `type: "system"` with a subtype.
// What only we know is under `nanocode`.
import type { Prefix } from "../core/prefix.ts";
import type {
  AssistantMessage,
  CallOutcome,
  Compacted,
  DurableEvent,
  Message,
  PermissionMode,
  StopReason,
  Summary,
  ToolResult,
  ToolUse,
  Usage,
} from "../core/types.ts";
import { NO_USAGE } from "../core/state.ts";
import { COMPACTED_HOW } from "../core/types.ts";
import { asFields, isFields, type Fields } from "../utils/jsonl.ts";

export const FORMAT = 1;

const MODES: readonly unknown[] = ["default", "acceptEdits", "plan", "dontAsk", "bypassPermissions"];
const OUTCOMES: readonly unknown[] = ["ok", "error", "denied", "aborted"];

type Block = Message["content"][number];

/** The fields that differ per event; the store adds ids, time and place. `view` and `data` are not kept. */
export function encode(event: DurableEvent): Fields {
  switch (event.type) {
    case "message":
      return encodeMessage(event.message);
    case "tool.end": {
      const { call, result, outcome, durationMs } = event;
      const nanocode = { tool: call.name, outcome, durationMs };
      return { type: "user", nanocode, message: { role: "user", content: [result] } };
    }
    case "mode":
      return { type: "system", subtype: "mode", mode: event.mode };
    case "model":
      return { type: "system", subtype: "model", model: event.model, reason: event.reason };
    case "cwd":
      return { type: "system", subtype: "cwd", to: event.cwd };
    case "prefix":
      return { type: "system", subtype: "prefix", prefix: event.prefix };
    case "compacted": {
      const { type: _, messages, ...facts } = event;
      return { type: "system", subtype: "compacted", ...facts, messages: messages.map(encodeMessage) };
    }
    default:
      return event satisfies never;
  }
}

function encodeMessage(message: Message): Fields {
  const content = message.content.map((block) => (block.type === "opaque" ? block.raw : block));
  if (message.role === "user") {
    const { id, synthetic, summary } = message;
    const nanocode = { id, ...(synthetic ? { synthetic } : {}), ...(summary ? { summary } : {}) };
    return { type: "user", nanocode, message: { role: "user", content } };
  }
  const { id, model, stopReason, usage } = message;
  const reply = { id, type: "message", role: "assistant", model, content };
  return { type: "assistant", message: { ...reply, stop_reason: stopReason, stop_sequence: null, usage } };
}

/** Turns lines back into events, in order: a result finds its call among the replies before it. */
export class Decoder {
  #calls = new Map<string, ToolUse>();

  /** Undefined: a line of a kind or shape this version does not know. */
  decode(line: Fields): DurableEvent | undefined {
    if (line.type === "system") return this.#system(line);
    const end = line.type === "user" ? this.#toolEnd(line) : undefined;
    if (end) return end;
    const message = this.#message(line);
    return message ? { type: "message", message } : undefined;
  }

  #message(line: Fields): Message | undefined {
    const wire = asFields(line.message);
    const content = blocks(wire.content);
    if (!content) return undefined;
    const own = asFields(line.nanocode);
    if (line.type === "user") {
      const id = text(own.id) ?? text(line.uuid) ?? "";
      // blocks() has checked each block's shape; which role may hold which is the API's business.
      const marks = { ...(own.synthetic === true ? { synthetic: true } : {}), ...summaryOf(own.summary) };
      return { role: "user", id, content, ...marks } as Message;
    }
    if (line.type !== "assistant") return undefined;
    for (const block of content) if (block.type === "tool_use") this.#calls.set(block.id, block);
    return {
      role: "assistant",
      id: text(wire.id) ?? text(line.uuid) ?? "",
      content: content as AssistantMessage["content"],
      model: text(wire.model) ?? "",
      stopReason: (text(wire.stop_reason) ?? "end_turn") as StopReason,
      usage: usageOf(asFields(wire.usage)),
    };
  }

  /** A line with one result and nothing else. */
  #toolEnd(line: Fields): DurableEvent | undefined {
    const content = asFields(line.message).content;
    const [result, ...more] = (Array.isArray(content) ? blocks(content) : undefined) ?? [];
    if (result?.type !== "tool_result" || more.length > 0) return undefined;
    const own = asFields(line.nanocode);
    // Its reply was lost: repair.ts drops it.
    const lost: ToolUse = { type: "tool_use", id: result.tool_use_id, name: text(own.tool) ?? "", input: {} };
    const call = this.#calls.get(result.tool_use_id) ?? lost;
    const outcome = OUTCOMES.includes(own.outcome) ? (own.outcome as CallOutcome) : result.is_error ? "error" : "ok";
    return { type: "tool.end", call, result, outcome, durationMs: number(own.durationMs) };
  }

  #system(line: Fields): DurableEvent | undefined {
    switch (line.subtype) {
      case "mode":
        return MODES.includes(line.mode) ? { type: "mode", mode: line.mode as PermissionMode } : undefined;
      case "model": {
        const model = text(line.model);
        return model === undefined ? undefined : { type: "model", model, reason: text(line.reason) ?? "" };
      }
      case "cwd": {
        const cwd = text(line.to);
        return cwd === undefined ? undefined : { type: "cwd", cwd };
      }
      case "prefix": {
        const prefix = prefixOf(asFields(line.prefix));
        return prefix && { type: "prefix", prefix };
      }
      case "compacted": {
        if (!Array.isArray(line.messages)) return undefined;
        const messages = line.messages.map((message) => this.#message(asFields(message)));
        const trigger = line.trigger === "manual" ? "manual" : "auto";
        const kept = messages.filter((message) => message !== undefined);
        return {
          type: "compacted",
          trigger,
          messages: kept,
          preTokens: number(line.preTokens),
          ...compactedFacts(line),
        };
      }
      default:
        return undefined;
    }
  }
}

function compactedFacts(line: Fields): Pick<Compacted, "postTokens" | "how" | "spent"> {
  const how = COMPACTED_HOW.find((name) => name === line.how);
  const spent = asFields(line.spent);
  const model = text(spent.model);
  return {
    ...(typeof line.postTokens === "number" ? { postTokens: number(line.postTokens) } : {}),
    ...(how ? { how } : {}),
    ...(model === undefined ? {} : { spent: { model, usage: usageOf(asFields(spent.usage)) } }),
  };
}

/** Undefined when it is not whole: a guess at what was cached is of no use. */
function prefixOf({ model, thinking, tools, system }: Fields): Prefix | undefined {
  const isPair = (value: unknown) =>
    Array.isArray(value) && value.length === 2 && value.every((one) => typeof one === "string");
  const isPairs = (value: unknown) => Array.isArray(value) && value.every(isPair);
  if (typeof model !== "string" || typeof thinking !== "string" || !isPairs(tools)) return undefined;
  if (!Array.isArray(system) || !system.every(isPairs)) return undefined;
  // Checked just above.
  return { model, thinking, tools, system } as Prefix;
}

/** What a summary lacks is empty; nothing at all when it is none. */
function summaryOf(value: unknown): { summary?: Summary } {
  if (!isFields(value)) return {};
  const texts = (list: unknown) => (Array.isArray(list) ? list.filter((item) => typeof item === "string") : []);
  const files = (Array.isArray(value.files) ? value.files : []).map(asFields);
  return {
    summary: {
      goal: text(value.goal) ?? "",
      requests: texts(value.requests),
      decisions: text(value.decisions) ?? "",
      files: files.map(({ path, why }) => ({ path: text(path) ?? "", why: text(why) ?? "" })),
      failing: texts(value.failing),
      todos: texts(value.todos),
      next: text(value.next) ?? "",
    },
  };
}

/** Undefined when it is no content, or a block of a kind we know does not have its fields. */
function blocks(content: unknown): Block[] | undefined {
  if (typeof content === "string") return [{ type: "text", text: content }];
  if (!Array.isArray(content)) return undefined;
  const read = content.map((value) => (isFields(value) ? blockOf(value) : undefined));
  return read.every((block) => block !== undefined) ? read : undefined;
}

/** The edge: after these checks a value is taken for what its `type` says; kinds we do not know are kept as they are. */
function blockOf(value: Fields): Block | undefined {
  const is = (...names: string[]) => names.every((name) => typeof value[name] === "string");
  switch (value.type) {
    case "text":
      return is("text") ? (value as Block) : undefined;
    case "thinking":
      return is("thinking", "signature") ? (value as Block) : undefined;
    case "redacted_thinking":
      return is("data") ? (value as Block) : undefined;
    case "tool_use":
      return is("id", "name") && isFields(value.input) ? (value as Block) : undefined;
    case "tool_result":
      return is("tool_use_id") ? resultOf(value) : undefined;
    case "image":
      return isImage(asFields(value.source)) ? (value as Block) : { type: "opaque", raw: { ...value, type: "image" } };
    default:
      return typeof value.type === "string" ? { type: "opaque", raw: { ...value, type: value.type } } : undefined;
  }
}

function resultOf(value: Fields): ToolResult | undefined {
  if (value.content === undefined) return { ...value, content: "" } as ToolResult;
  const good = typeof value.content === "string" || (Array.isArray(value.content) && value.content.every(isFields));
  return good ? (value as ToolResult) : undefined;
}

function isImage(source: Fields): boolean {
  if (source.type === "url") return typeof source.url === "string";
  return source.type === "base64" && typeof source.data === "string" && typeof source.media_type === "string";
}

function usageOf(wire: Fields): Usage {
  const usage: Usage = { ...NO_USAGE };
  const names = [...Object.keys(NO_USAGE), "cache_creation_1h_tokens"] as (keyof Usage)[];
  for (const name of names) if (typeof wire[name] === "number") usage[name] = wire[name];
  return usage;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function number(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

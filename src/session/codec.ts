// Durable events as lines of a session file. Messages have the shape other programs read from such files:
// `type` user or assistant, `uuid`, `parentUuid`, `message`; the rest is `type: "system"` with a subtype.
import type { DurableEvent, Message, PermissionMode, ToolResult, ToolUse, Usage } from "../core/types.ts";
import { NO_USAGE } from "../core/state.ts";
import { asFields, isFields, type Fields } from "../utils/jsonl.ts";

export const FORMAT = 1;
const KNOWN_BLOCKS = new Set(["text", "image", "thinking", "redacted_thinking", "tool_use", "tool_result"]);

/** The fields that differ per event; the store adds ids, time and place. */
export function encode(event: DurableEvent): Fields {
  switch (event.type) {
    case "message":
      return encodeMessage(event.message);
    case "tool.end": {
      const { call, result, outcome, durationMs } = event;
      const nanocode = { tool: call.name, outcome, durationMs };
      return { type: "user", message: { role: "user", content: [result] }, nanocode };
    }
    case "mode":
      return { type: "system", subtype: "mode", mode: event.mode };
    case "model":
      return { type: "system", subtype: "model", model: event.model, reason: event.reason };
    case "cwd":
      return { type: "system", subtype: "cwd", to: event.cwd };
    case "compacted": {
      const { trigger, preTokens, messages } = event;
      return { type: "system", subtype: "compacted", trigger, preTokens, messages: messages.map(encodeMessage) };
    }
    default:
      return event satisfies never;
  }
}

function encodeMessage(message: Message): Fields {
  const content = message.content.map((block) => (block.type === "opaque" ? block.raw : block));
  if (message.role === "user") {
    const { id, synthetic } = message;
    return { type: "user", id, ...(synthetic ? { isMeta: true } : {}), message: { role: "user", content } };
  }
  const { id, model, stopReason, usage } = message;
  return {
    type: "assistant",
    message: { id, type: "message", role: "assistant", model, content, stop_reason: stopReason, usage },
  };
}

/** Turns lines back into events, in order: a result finds its call among the replies before it. */
export class Decoder {
  #calls = new Map<string, ToolUse>();

  /** Undefined: a line of a kind this version does not know. */
  decode(line: Fields): DurableEvent | undefined {
    if (line.type === "system") return this.#system(line);
    if (isFields(line.nanocode)) return this.#toolEnd(line, line.nanocode);
    const message = this.#message(line);
    return message ? { type: "message", message } : undefined;
  }

  #message(line: Fields): Message | undefined {
    const wire = asFields(line.message);
    const content = blocks(wire.content);
    if (line.type === "user") {
      const id = String(line.id ?? line.uuid ?? "");
      return { role: "user", id, content, ...(line.isMeta === true ? { synthetic: true } : {}) } as Message;
    }
    if (line.type !== "assistant") return undefined;
    const message = {
      role: "assistant",
      id: String(wire.id ?? ""),
      content,
      model: String(wire.model ?? ""),
      stopReason: String(wire.stop_reason ?? "end_turn"),
      usage: { ...NO_USAGE, ...(asFields(wire.usage) as Partial<Usage>) },
    } as Message;
    for (const block of message.content) if (block.type === "tool_use") this.#calls.set(block.id, block);
    return message;
  }

  #toolEnd(line: Fields, own: Fields): DurableEvent | undefined {
    const result = blocks(asFields(line.message).content)[0] as ToolResult | undefined;
    if (result?.type !== "tool_result") return undefined;
    const unknown: ToolUse = { type: "tool_use", id: result.tool_use_id, name: String(own.tool ?? ""), input: {} };
    const call = this.#calls.get(result.tool_use_id) ?? unknown;
    const outcome =
      own.outcome === "ok" || own.outcome === "denied" || own.outcome === "aborted" ? own.outcome : "error";
    return { type: "tool.end", call, result, outcome, durationMs: Number(own.durationMs ?? 0) };
  }

  #system(line: Fields): DurableEvent | undefined {
    switch (line.subtype) {
      case "mode":
        return { type: "mode", mode: String(line.mode) as PermissionMode };
      case "model":
        return { type: "model", model: String(line.model), reason: String(line.reason ?? "") };
      case "cwd":
        return { type: "cwd", cwd: String(line.to) };
      case "compacted": {
        const lines = Array.isArray(line.messages) ? line.messages.map(asFields) : [];
        const messages = lines.map((m) => this.#message(m)).filter((m) => m !== undefined);
        const trigger = line.trigger === "manual" ? "manual" : "auto";
        return { type: "compacted", trigger, messages, preTokens: Number(line.preTokens ?? 0) };
      }
      default:
        return undefined;
    }
  }
}

/** This is the edge: what the file holds is trusted to have the fields its `type` says; other types are kept as they are. */
function blocks(content: unknown): Message["content"][number][] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  if (!Array.isArray(content)) return [];
  return content.filter(isFields).map((block) => {
    const known = KNOWN_BLOCKS.has(String(block.type));
    return (known ? block : { type: "opaque", raw: block }) as Message["content"][number];
  });
}

// Counting: what the API says was sent, an estimate of what came after it, and how much a model's window leaves.
import type { Message, State, SystemBlock, ToolResultContent, ToolSpec } from "../core/types.ts";

const BYTES_PER_TOKEN = 3.3;
const JSON_CHARS_PER_TOKEN = 2;
/** Whatever its size, a picture costs about as much as the largest the API takes. */
const IMAGE_TOKENS = 1_600;
/** Roles, ids and brackets around a block. */
const BLOCK_TOKENS = 4;

/** Left free below the window and the reply: room for the summary's own request, and for an estimate that was low. */
export const DEFAULT_BUFFER = 13_000;
/** A window that is hardly larger than the reply is still used up to here. */
const LEAST_SHARE = 0.5;

/** Tokens of a text, about. */
export function textTokens(text: string): number {
  return looksLikeJson(text) ? jsonTokens(text) : Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}

function jsonTokens(json: string): number {
  return Math.ceil(json.length / JSON_CHARS_PER_TOKEN);
}

/** Punctuation makes JSON denser in tokens than prose or code. */
function looksLikeJson(text: string): boolean {
  const first = text.trimStart()[0];
  return (first === "{" && text.trimEnd().endsWith("}")) || (first === "[" && /^\s*\[\s*[[{"\d]/.test(text));
}

export function resultTokens(content: ToolResultContent): number {
  if (typeof content === "string") return textTokens(content) + BLOCK_TOKENS;
  const each = content.map((block) => (block.type === "text" ? textTokens(block.text) : IMAGE_TOKENS));
  return each.reduce((sum, tokens) => sum + tokens, BLOCK_TOKENS);
}

export function messageTokens(message: Message): number {
  let sum = BLOCK_TOKENS;
  for (const block of message.content) sum += blockTokens(block);
  return sum;
}

function blockTokens(block: Message["content"][number]): number {
  switch (block.type) {
    case "text":
      return textTokens(block.text);
    case "thinking":
      return textTokens(block.thinking);
    case "redacted_thinking":
      return textTokens(block.data);
    case "tool_use":
      return jsonTokens(JSON.stringify(block.input)) + BLOCK_TOKENS * 2;
    case "tool_result":
      return resultTokens(block.content);
    case "image":
      return IMAGE_TOKENS;
    case "opaque":
      return jsonTokens(JSON.stringify(block.raw));
    default:
      return block satisfies never;
  }
}

export function messagesTokens(messages: readonly Message[]): number {
  return messages.reduce((sum, message) => sum + messageTokens(message), 0);
}

export function systemTokens(system: readonly SystemBlock[]): number {
  return system.reduce((sum, block) => sum + textTokens(block.text), 0);
}

export function toolTokens({ name, description, schema }: ToolSpec): number {
  return textTokens(`${name}${description}`) + jsonTokens(JSON.stringify(schema)) + BLOCK_TOKENS;
}

export type Used = {
  /** Tokens of the next request. */
  total: number;
  /** The part of it the API has counted; 0 before the first reply, and after a compaction. */
  counted: number;
};

/**
 * What the next request will hold: the last reply's own numbers and an estimate of what came after it. `fixed`: the
 * estimate for system text and tools, needed as long as no reply has told.
 */
export function tokensUsed({ messages, stale = 0 }: Pick<State, "messages" | "stale">, fixed: number): Used {
  for (let at = messages.length - 1; at >= stale; at--) {
    const message = messages[at];
    if (message?.role !== "assistant") continue;
    const { input_tokens, cache_creation_input_tokens, cache_read_input_tokens, output_tokens } = message.usage;
    const sent = input_tokens + cache_creation_input_tokens + cache_read_input_tokens;
    if (sent === 0) continue;
    // A broken reply ends before its numbers do.
    const whole = message.stopReason !== "cut" && message.stopReason !== "aborted";
    const counted = sent + (whole ? output_tokens : Math.max(output_tokens, messageTokens(message)));
    return { counted, total: counted + messagesTokens(messages.slice(at + 1)) };
  }
  return { counted: 0, total: fixed + messagesTokens(messages) };
}

/** What the person set about compaction. */
export type AutoCompact = {
  enabled: boolean;
  /** Counted as the window where it is smaller than the model's. */
  window?: number;
  /** Of the window, in percent; only ever lowers the threshold. */
  percent?: number;
  buffer: number;
};

type Named = Readonly<Record<string, unknown>>;

/**
 * From the environment (DISABLE_AUTO_COMPACT, CLAUDE_CODE_AUTO_COMPACT_WINDOW, CLAUDE_AUTOCOMPACT_PCT_OVERRIDE) and the
 * settings (autoCompactEnabled, autoCompactWindow, autoCompactBuffer). What cannot be used is left out and said.
 */
export function readAutoCompact(env: Named, settings: Named, warn: (text: string) => void): AutoCompact {
  const number = (name: string, value: unknown, most = Number.MAX_SAFE_INTEGER): number | undefined => {
    if (value === undefined || value === "") return undefined;
    const read = typeof value === "string" ? Number(value) : value;
    if (typeof read === "number" && Number.isFinite(read) && read > 0 && read <= most) return read;
    warn(`${name} must be a number above 0${most > 100 ? " (tokens)" : " up to 100 (percent)"}; it is ignored.`);
    return undefined;
  };
  const off = /^(1|true|yes|on)$/i.test(String(env.DISABLE_AUTO_COMPACT ?? ""));
  const window =
    number("CLAUDE_CODE_AUTO_COMPACT_WINDOW", env.CLAUDE_CODE_AUTO_COMPACT_WINDOW) ??
    number("autoCompactWindow", settings.autoCompactWindow);
  const percent = number("CLAUDE_AUTOCOMPACT_PCT_OVERRIDE", env.CLAUDE_AUTOCOMPACT_PCT_OVERRIDE, 100);
  const buffer = number("autoCompactBuffer", settings.autoCompactBuffer) ?? DEFAULT_BUFFER;
  return {
    enabled: !off && settings.autoCompactEnabled !== false,
    ...(window === undefined ? {} : { window }),
    ...(percent === undefined ? {} : { percent }),
    buffer,
  };
}

/** `maxOutput`: what a request asks for at most. All in tokens. */
export type Room = { contextWindow: number; maxOutput: number };

/** Above this the history is compacted before the next request. */
export function thresholdOf({ contextWindow, maxOutput }: Room, auto: AutoCompact): number {
  const window = Math.min(contextWindow, auto.window ?? contextWindow);
  const threshold = Math.max(window - maxOutput - auto.buffer, Math.floor(window * LEAST_SHARE));
  return auto.percent === undefined ? threshold : Math.min(threshold, Math.floor((window * auto.percent) / 100));
}

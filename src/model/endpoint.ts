// Where the model is and with which key: the environment's variables as the provider's options.
import { UsageError } from "../core/errors.ts";
import type { AnthropicOptions, Auth } from "./anthropic.ts";
import { isKnownModel } from "./catalog.ts";
import type { ModelInfo } from "./models.ts";
import type { Timeouts } from "./wire.ts";

export type Env = Readonly<Record<string, string | undefined>>;

const ANTHROPIC_URL = "https://api.anthropic.com";
const OPENROUTER_URL = "https://openrouter.ai/api";
const OPENROUTER_HOST = "openrouter.ai";

const NO_KEY = [
  "There is no key for a model. Set one of these variables:",
  "  ANTHROPIC_API_KEY      a key for the Anthropic API",
  "  ANTHROPIC_AUTH_TOKEN   a bearer token for a gateway (with ANTHROPIC_BASE_URL)",
  "  OPENROUTER_API_KEY     a key for OpenRouter",
  "To look around without a key, run: nanocode demo",
].join("\n");

/**
 * A variable that is empty counts as not set. The first of these that is set decides: ANTHROPIC_AUTH_TOKEN (whoever
 * sets it means a gateway, and it goes with ANTHROPIC_BASE_URL), ANTHROPIC_API_KEY, OPENROUTER_API_KEY.
 */
export function endpointFromEnv(env: Env): AnthropicOptions {
  const auth = authFromEnv(env);
  const openRouter = auth.from === "OPENROUTER_API_KEY";
  const from = openRouter ? "OPENROUTER_BASE_URL" : "ANTHROPIC_BASE_URL";
  const baseURL = parseBaseURL(env[from]?.trim() || (openRouter ? OPENROUTER_URL : ANTHROPIC_URL), from);
  const { "anthropic-beta": betas = "", ...headers } = parseHeaders(env.ANTHROPIC_CUSTOM_HEADERS ?? "");
  const isOpenRouter = openRouter || new URL(baseURL).hostname === OPENROUTER_HOST;
  return {
    auth,
    baseURL,
    headers,
    betas: `${env.ANTHROPIC_BETAS ?? ""},${betas}`
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== ""),
    timeouts: parseTimeouts(env),
    wireId: isOpenRouter ? openRouterId : baseURL === ANTHROPIC_URL ? anthropicId : (info) => info.id,
  };
}

/** `claude-opus-4-5-20251101` -> `anthropic/claude-opus-4.5`; what is no Claude model, or has a maker, stays. */
export function openRouterId(info: ModelInfo): string {
  const id = info.id.replace(/\[1m\]$/, "");
  if (id.includes("/") || !id.startsWith("claude-")) return id;
  return `anthropic/${id.replace(/-20\d{6}$/, "").replace(/(?<=-\d+)-(?=\d+$)/, ".")}`;
}

/** Anthropic's own API knows its models by their bare ids only. */
function anthropicId(info: ModelInfo): string {
  if (!info.id.includes("/") || !isKnownModel(info.id)) return info.id;
  return info.id.slice(info.id.lastIndexOf("/") + 1).replace(/(?<=\d)\.(?=\d)/g, "-");
}

function authFromEnv(env: Env): Auth {
  const kinds = [
    ["ANTHROPIC_AUTH_TOKEN", "token"],
    ["ANTHROPIC_API_KEY", "key"],
    ["OPENROUTER_API_KEY", "token"],
  ] as const;
  for (const [from, kind] of kinds) {
    const value = env[from]?.trim();
    if (!value) continue;
    if (!/^[\x21-\x7e]+$/.test(value)) throw new UsageError(`${from} holds a character that no key has; set it again.`);
    return { kind, value, from };
  }
  throw new UsageError(NO_KEY);
}

function parseBaseURL(value: string, from: string): string {
  const url = URL.parse(value);
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new UsageError(`${from} must be an http or https address, such as ${ANTHROPIC_URL}.`);
  }
  url.search = "";
  url.hash = "";
  // People copy the address of one call.
  return url.href.replace(/\/+$/, "").replace(/\/v1(?:\/messages)?$/, "");
}

/** `Name: value` lines, names in lower case. */
function parseHeaders(lines: string): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [index, line] of lines.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon)).trim();
    const value = line.slice(colon + 1).trim();
    if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name) || !/^[\t\x20-\x7e\xa0-\xff]*$/.test(value)) {
      throw new UsageError(`ANTHROPIC_CUSTOM_HEADERS: line ${index + 1} is not of the form "Name: value".`);
    }
    out[name.toLowerCase()] = value;
  }
  return out;
}

function parseTimeouts(env: Env): Partial<Timeouts> {
  const requestMs = milliseconds(env, "API_TIMEOUT_MS");
  const idleMs = milliseconds(env, "CLAUDE_STREAM_IDLE_TIMEOUT_MS");
  return { ...(requestMs ? { requestMs } : {}), ...(idleMs ? { idleMs } : {}) };
}

function milliseconds(env: Env, name: string): number | undefined {
  const value = env[name]?.trim();
  if (!value) return undefined;
  const ms = Number(value);
  if (Number.isSafeInteger(ms) && ms > 0) return ms;
  throw new UsageError(`${name} must be a whole number of milliseconds, not ${JSON.stringify(value.slice(0, 40))}.`);
}

/** CLAUDE_CODE_MAX_RETRIES for retry.ts. */
export function maxRetriesFromEnv(env: Env): number | undefined {
  const value = env.CLAUDE_CODE_MAX_RETRIES?.trim();
  if (!value) return undefined;
  const count = Number(value);
  if (Number.isSafeInteger(count) && count >= 0) return count;
  throw new UsageError(`CLAUDE_CODE_MAX_RETRIES must be a whole number, not ${JSON.stringify(value.slice(0, 40))}.`);
}

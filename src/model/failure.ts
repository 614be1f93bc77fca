// What went wrong with a request, as a ModelError: the kind that decides what happens next, and words for the person.
import { ModelError, type ModelErrorKind } from "../core/errors.ts";
import { fields, parsed, text } from "./json.ts";

/** What an error message needs to know about the request. `secrets` never appear in one. */
export type Context = {
  /** Host and port. */
  host: string;
  model: string;
  /** The variable the key came from. */
  keyFrom: string;
  secrets: readonly string[];
  now: () => number;
};

const MAX_TEXT = 600;
/** Anything shorter is no secret, and would be found in every word. */
const MIN_SECRET = 6;
const TOO_LONG =
  /prompt is too long|input is too long|exceeds? the (?:model's )?(?:maximum )?context|context[_ ]length|too many (?:total )?(?:input )?tokens/i;

const KIND_OF_TYPE: Readonly<Record<string, ModelErrorKind>> = {
  overloaded_error: "overloaded",
  rate_limit_error: "rate_limit",
  authentication_error: "auth",
  permission_error: "auth",
  billing_error: "invalid",
  invalid_request_error: "invalid",
  not_found_error: "invalid",
  request_too_large: "too_long",
  timeout_error: "server",
  api_error: "server",
};

/** An HTTP answer that is not 2xx. `body`: its text, however long it was. */
export function httpFailure(answer: { status: number; headers: Headers; body: string }, context: Context): ModelError {
  const { status, headers } = answer;
  const { type, message } = errorOf(answer.body);
  const said = clean(message, context.secrets);
  const kind = kindOf(status, type, said, headers.get("x-should-retry"));
  const what = `${status} ${type === "" ? "" : `${type}: `}${said || "(no explanation)"}`;
  const more = { status, ...retryAfter(headers, context.now) };
  return new ModelError(kind, advise(what, { kind, status, type, location: headers.get("location") }, context), more);
}

/** An `error` event in the middle of a stream. */
export function streamFailure(event: unknown, context: Context): ModelError {
  const error = fields(fields(event).error);
  const type = text(error.type);
  const said = clean(text(error.message), context.secrets);
  const kind = TOO_LONG.test(said) ? "too_long" : (KIND_OF_TYPE[type] ?? "server");
  const what = `${type || "error"}: ${said || "(no explanation)"}`;
  return new ModelError(kind, advise(what, { kind, status: null, type, location: null }, context));
}

/** The connection failed, before or in the middle of an answer. */
export function networkFailure(error: unknown, context: Context): ModelError {
  const { code, message } = root(error);
  const said = clean(code && !message.includes(code) ? `${code}: ${message}` : message, context.secrets);
  return new ModelError(
    "network",
    `${reasonOf(code, said)} ${context.host}${hintOf(code)} (${said || "no reason given"})`,
  );
}

/** No answer, or silence in the middle of one, for longer than allowed. */
export function stalledFailure(what: "headers" | "chunk", ms: number, context: Context): ModelError {
  const seconds = `${Math.round(ms / 100) / 10} s`;
  const message =
    what === "headers"
      ? `No answer from ${context.host} within ${seconds} (API_TIMEOUT_MS).`
      : `The answer from ${context.host} fell silent for ${seconds}.`;
  return new ModelError("stalled", message);
}

function kindOf(status: number, type: string, said: string, shouldRetry: string | null): ModelErrorKind {
  if ((status === 400 || status === 413) && (TOO_LONG.test(said) || type === "request_too_large")) return "too_long";
  if (status === 413) return "too_long";
  if (status === 401 || status === 403) return "auth";
  const kind = retryableKind(status, type);
  // The server knows that asking again cannot help (a spent budget, for one).
  return kind !== undefined && shouldRetry !== "false" ? kind : "invalid";
}

function retryableKind(status: number, type: string): ModelErrorKind | undefined {
  if (status === 529 || status === 503 || type === "overloaded_error") return "overloaded";
  if (status === 429) return "rate_limit";
  if (status === 408 || status === 409) return "server";
  return status >= 500 && status !== 501 && status !== 505 ? "server" : undefined;
}

type Seen = { kind: ModelErrorKind; status: number | null; type: string; location: string | null };

function advise(what: string, seen: Seen, context: Context): string {
  const advice = adviceFor(seen, context);
  if (advice === "") return what;
  return `${what}${/[.!?…]$/.test(what) ? "" : "."} ${advice}`;
}

function adviceFor(seen: Seen, context: Context): string {
  const { kind, status } = seen;
  if (kind === "auth") return `Check ${context.keyFrom} and that it belongs to ${context.host}.`;
  if (status === 404) {
    if (seen.type !== "not_found_error") return `Is ${context.host} a Messages API? Check the base URL.`;
    return `The model was ${JSON.stringify(context.model)}; choose another with --model.`;
  }
  if (status === null || status < 300 || status >= 400) return "";
  const to = seen.location ? ` to ${clean(seen.location, context.secrets)}` : "";
  return `${context.host} redirects${to}; a key is not sent there unasked, so set the base URL to where it leads.`;
}

/** The API's error object, or the first line with words of whatever else a proxy sent. */
function errorOf(body: string): { type: string; message: string } {
  const error = fields(fields(parsed(body)).error);
  const message = text(error.message) || text(fields(parsed(body)).message) || text(fields(parsed(body)).error);
  if (message !== "" || error.type !== undefined) return { type: text(error.type), message };
  const bare = body
    .slice(0, 20_000)
    .replace(/<(style|script)\b[\s\S]*?<\/\1>/gi, " ")
    .replace(/<[^>]*>/g, "\n");
  return { type: "", message: bare.split("\n").find((line) => line.trim() !== "") ?? "" };
}

/** One line, no control characters, bounded, without the key. */
function clean(said: string, secrets: readonly string[]): string {
  // Escape sequences go as wholes: what is left of one without its first byte would be shown. Keys go last, so that
  // nothing hidden inside one keeps it from being found.
  let out = Bun.stripANSI(said.slice(0, MAX_TEXT * 20).toWellFormed())
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ")
    .replace(/ {2,}/g, " ")
    .trim();
  for (const secret of secrets) if (secret.length >= MIN_SECRET) out = out.replaceAll(secret, "[redacted]");
  const bounded = [...out.slice(0, MAX_TEXT * 2)].slice(0, MAX_TEXT).join("");
  return bounded.length < out.length ? `${bounded}…` : bounded;
}

/** What the server asks us to wait. */
function retryAfter(headers: Headers, now: () => number): { retryAfterMs?: number } {
  const ms = Number(headers.get("retry-after-ms") ?? Number.NaN);
  if (Number.isFinite(ms) && ms >= 0) return { retryAfterMs: ms };
  const after = headers.get("retry-after")?.trim() ?? "";
  if (after === "") return {};
  const seconds = Number(after);
  const wait = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(after) - now();
  return Number.isFinite(wait) ? { retryAfterMs: Math.max(0, wait) } : {};
}

/** The innermost cause: the SDK wraps what fetch threw. */
function root(error: unknown): { code: string; message: string } {
  let at: unknown = error;
  for (let depth = 0; depth < 5 && at instanceof Error && at.cause instanceof Error; depth++) at = at.cause;
  if (!(at instanceof Error)) return { code: "", message: String(at) };
  return { code: "code" in at ? String(at.code ?? "") : "", message: at.message };
}

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|ERR_SSL/;

function reasonOf(code: string, said: string): string {
  if (code === "ECONNREFUSED" || code === "ConnectionRefused") return "Connection refused by";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN" || code === "FailedToOpenSocket") return "Cannot find";
  if (CERTIFICATE.test(code) || /certificate/i.test(said)) return "No trusted TLS connection to";
  if (code === "ECONNRESET" || code === "ConnectionClosed") return "Connection closed by";
  return "No connection to";
}

function hintOf(code: string): string {
  if (code === "ECONNREFUSED" || code === "ConnectionRefused") return ": is it running?";
  if (code === "ENOTFOUND" || code === "FailedToOpenSocket") return ": check the base URL and the network";
  if (CERTIFICATE.test(code)) return ": a private authority is named by NODE_EXTRA_CA_CERTS";
  return "";
}

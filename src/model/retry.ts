// A provider that asks again: what fails for a moment is waited for and repeated, what was acted upon never is.
import { ModelError } from "../core/errors.ts";
import type { ModelRequest, Provider, ProviderEvent } from "../core/types.ts";
import { abortableSleep } from "./sleep.ts";

export type RetryOptions = {
  /** Default 10. */
  maxRetries?: number;
  /** Taken in order, one after every three overloads in a row. */
  fallbackModels?: readonly string[];
  /** Rejects with the signal's reason when it aborts. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** In [0, 1). */
  random?: () => number;
};

const MAX_RETRIES = 10;
const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 32_000;
/** A server that asks for more is not waited for. */
const MAX_RETRY_AFTER_MS = 5 * 60_000;
const OVERLOADS_BEFORE_FALLBACK = 3;

/**
 * `provider`, with retries. Every `retry` event comes before its wait and voids what came since the last `start`. When a
 * tool of the broken reply has started (`restartable()` is false) the stream ends with `cut` instead.
 */
export function retrying(provider: Provider, options: RetryOptions = {}): Provider {
  return { stream: (request, signal) => attempts(provider, { request, signal }, options) };
}

async function* attempts(
  provider: Provider,
  call: { request: ModelRequest; signal: AbortSignal },
  options: RetryOptions,
): AsyncGenerator<ProviderEvent, void> {
  const { request, signal } = call;
  const { maxRetries = MAX_RETRIES, sleep = abortableSleep, random = Math.random } = options;
  const fallbacks = (options.fallbackModels ?? []).filter((model) => model !== request.model);
  let model = request.model;
  let overloads = 0;
  for (let attempt = 1; ; attempt++) {
    const failure = yield* once(provider, { request: { ...request, model }, signal });
    if (!failure) return;
    if (!request.restartable()) return yield { type: "cut", reason: failure.message };
    if (!mayPass(failure)) throw failure;
    if (attempt > maxRetries) throw attempt > 1 ? gaveUp(failure, maxRetries) : failure;
    overloads = failure.kind === "overloaded" ? overloads + 1 : 0;
    const fallback = overloads >= OVERLOADS_BEFORE_FALLBACK ? fallbacks.shift() : undefined;
    const asked = failure.retryAfterMs ?? 0;
    if (!fallback && asked > MAX_RETRY_AFTER_MS) throw tooLongAWait(failure, asked);
    const delayMs = fallback ? backoff(1, random) : asked > 0 ? Math.ceil(asked) : backoff(attempt, random);
    yield { type: "retry", attempt, maxRetries, delayMs, status: failure.status, reason: failure.message };
    if (fallback) {
      yield { type: "model", model: fallback, reason: `${model} is overloaded` };
      model = fallback;
      overloads = 0;
    }
    await sleep(delayMs, signal);
    signal.throwIfAborted();
  }
}

/** One attempt: its events, and the ModelError it failed with. */
async function* once(
  provider: Provider,
  call: { request: ModelRequest; signal: AbortSignal },
): AsyncGenerator<ProviderEvent, ModelError | undefined> {
  try {
    yield* provider.stream(call.request, call.signal);
    return undefined;
  } catch (error) {
    if (call.signal.aborted) throw call.signal.reason;
    if (error instanceof ModelError) return error;
    throw error;
  }
}

function mayPass(failure: ModelError): boolean {
  switch (failure.kind) {
    case "overloaded":
    case "rate_limit":
    case "server":
    case "network":
    case "stalled":
      return true;
    case "auth":
    case "invalid":
    case "too_long":
      return false;
    default:
      return failure.kind satisfies never;
  }
}

/** 0.5 s, doubled each time, at most 32 s; up to a quarter less, so that many clients do not come back together. */
function backoff(attempt: number, random: () => number): number {
  const full = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempt - 1, 16));
  return Math.round(full * (1 - random() / 4));
}

function gaveUp(failure: ModelError, retries: number): ModelError {
  return again(failure, `${failure.message} (gave up after ${retries} ${retries === 1 ? "retry" : "retries"})`);
}

function tooLongAWait(failure: ModelError, ms: number): ModelError {
  const minutes = Math.ceil(ms / 60_000);
  const wait = minutes < 120 ? `${minutes} minutes` : `${Math.round(minutes / 60)} hours`;
  return again(failure, `${failure.message} The server asks to wait ${wait}; try again then, or use another model.`);
}

function again(failure: ModelError, message: string): ModelError {
  const { kind, status, retryAfterMs } = failure;
  return new ModelError(kind, message, retryAfterMs === undefined ? { status } : { status, retryAfterMs });
}

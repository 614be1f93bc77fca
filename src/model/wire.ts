// Under one request: the connection, its two clocks, and the events in its answer. All that comes is bounded.
import { ModelError } from "../core/errors.ts";
import { httpFailure, networkFailure, stalledFailure, type Context } from "./failure.ts";
import { fields, parsed } from "./json.ts";
import { eventsOf } from "./stream.ts";

/** In ms. `requestMs`: until the answer's headers. `idleMs`: silence between two pieces of the answer. */
export type Timeouts = { requestMs: number; idleMs: number };

/** A timer set for longer than this fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;
const MAX_ERROR_BYTES = 64 * 1024;
const ERROR_BODY_MS = 5_000;
/** An answer that is larger than any model's is not one. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
/** After the reply's last event: how long to wait for the connection's end, so that it can be used again. */
const CLOSING_MS = 200;

/** The parts of the SDK that read an answer. */
export type Reading = {
  Stream: { rawEvents(response: Response): AsyncGenerator<{ event: string | null; data: string }, void, unknown> };
};
type ApiError = abstract new (...args: never[]) => Error & {
  status: number | undefined;
  headers: Headers | undefined;
  error: unknown;
};

/**
 * fetch for the SDK: only the headers in `names` are sent (the SDK adds what it finds in the environment, and a
 * description of this machine), a redirect is not followed (it would take the key to another host), and of an error
 * answer only the beginning is read.
 */
export async function guardedFetch(
  input: string | URL | Request,
  init: RequestInit | undefined,
  names: ReadonlySet<string>,
): Promise<Response> {
  const headers = new Headers(init?.headers);
  for (const name of [...headers.keys()]) if (!names.has(name)) headers.delete(name);
  const response = await fetch(input, { ...init, headers, redirect: "manual" });
  if (response.ok) return response;
  const { status } = response;
  return new Response(await beginningOf(response), { status, headers: response.headers });
}

async function beginningOf(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return "";
  const timer = setTimeout(() => void reader.cancel(), ERROR_BODY_MS);
  const decoder = new TextDecoder();
  let out = "";
  try {
    while (out.length < MAX_ERROR_BYTES) {
      const { done, value } = await reader.read();
      if (done) return out;
      out += decoder.decode(value, { stream: true });
    }
    // What follows is not wanted, and a failure to stop it changes nothing.
    reader.cancel().catch(() => undefined);
    return out.slice(0, MAX_ERROR_BYTES);
  } catch {
    // The status is known; an explanation that breaks off is better than none.
    return out;
  } finally {
    clearTimeout(timer);
  }
}

/** The events of an answer, streamed or not. Throws ModelError when it is not an answer of a Messages API. */
export async function* eventsIn(
  response: Response,
  using: { sdk: Reading; watch: Watch; context: Context },
): AsyncGenerator<unknown, void> {
  const { sdk, watch, context } = using;
  const type = response.headers.get("content-type") ?? "";
  const body = new Response(watch.body(response.body));
  if (/\bjson\b/i.test(type)) return yield* wholeMessage(await body.text(), context);
  if (/\bhtml\b/i.test(type)) throw notTheApi("a web page", context);
  for await (const { event, data } of sdk.Stream.rawEvents(body)) {
    if (data === "" || data === "[DONE]") continue;
    const value = parsed(data);
    if (value !== undefined) yield value;
    else if (event === "error") yield { type: "error", error: { type: "api_error", message: data } };
    else throw new ModelError("network", `${context.host} sent an event that is not readable JSON.`);
  }
}

// Some gateways answer in one piece although a stream was asked for.
function* wholeMessage(json: string, context: Context): Generator<unknown> {
  const message = fields(parsed(json));
  if (message.type === "error") yield message;
  else if (message.type === "message") yield* eventsOf(message);
  else throw notTheApi("JSON that is no message", context);
}

function notTheApi(what: string, context: Context): ModelError {
  return new ModelError("invalid", `${context.host} answered with ${what}, not as a Messages API. Check the base URL.`);
}

/** One request's clocks and its way out: aborted by the person, by silence, or by its end. */
export class Watch {
  readonly #abort = new AbortController();
  readonly #outer: AbortSignal;
  readonly #timeouts: Timeouts;
  readonly #context: Context;
  readonly #stop = () => this.#abort.abort(this.#outer.reason);
  #timer: Timer | undefined;
  #failure: ModelError | undefined;
  #closing = false;

  constructor(outer: AbortSignal, timeouts: Timeouts, context: Context) {
    this.#outer = outer;
    this.#timeouts = timeouts;
    this.#context = context;
    outer.addEventListener("abort", this.#stop, { once: true });
    this.#arm(timeouts.requestMs, "headers");
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The headers are here. */
  answered(): void {
    clearTimeout(this.#timer);
  }

  /** The reply is whole; what is left is the end of the connection. */
  closing(): void {
    this.#closing = true;
  }

  /** `source`, timed: silence counts only while someone waits for it, not while the reader is busy. */
  body(source: ReadableStream<Uint8Array> | null): ReadableStream<Uint8Array> {
    const reader = source?.getReader();
    let size = 0;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (out) => {
          this.#arm(this.#closing ? CLOSING_MS : this.#timeouts.idleMs, "chunk");
          const next = await reader?.read().finally(() => clearTimeout(this.#timer));
          if (!next?.value) return out.close();
          size += next.value.byteLength;
          if (size > MAX_ANSWER_BYTES) throw notTheApi(`more than ${MAX_ANSWER_BYTES} bytes`, this.#context);
          out.enqueue(next.value);
        },
        cancel: () => reader?.cancel(),
      },
      // Nothing is read ahead: silence would otherwise be measured while nobody waits.
      { highWaterMark: 0 },
    );
  }

  /** Throws if the request is already over: a stream may just end when it is aborted. */
  check(): void {
    if (this.#outer.aborted) throw this.#outer.reason;
    if (this.#failure && !this.#closing) throw this.#failure;
  }

  /** What to throw for `error`: the person's reason, ours, or what it says itself. */
  reason(error: unknown, sdk: { APIError: ApiError }): unknown {
    if (this.#outer.aborted) return this.#outer.reason;
    if (this.#failure) return this.#failure;
    if (error instanceof ModelError) return error;
    if (!(error instanceof sdk.APIError)) return networkFailure(error, this.#context);
    const { status, headers } = error;
    if (status === undefined || headers === undefined) return networkFailure(error, this.#context);
    // The SDK hands out a body that was JSON as a value, any other behind the status in its message.
    const said = error.message.replace(/^\d+ (?:status code \(no body\)$)?/, "");
    const body = error.error === undefined ? said : JSON.stringify(error.error);
    return httpFailure({ status, headers, body }, this.#context);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener("abort", this.#stop);
    // Closes a connection that was left in the middle of its answer; at its end it changes nothing.
    this.#abort.abort();
  }

  #arm(ms: number, waitingFor: "headers" | "chunk"): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.#failure = stalledFailure(waitingFor, ms, this.#context);
        this.#abort.abort(this.#failure);
      },
      Math.min(ms, MAX_TIMER_MS),
    );
  }
}

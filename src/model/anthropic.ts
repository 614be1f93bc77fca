// The Messages API: one request, one streamed reply. Never retries (retry.ts does) and never reads the environment.
import type { ModelRequest, Provider, ProviderEvent } from "../core/types.ts";
import { isKnownModel, resolveModel, sameModel } from "./catalog.ts";
import { streamFailure, type Context } from "./failure.ts";
import { fields } from "./json.ts";
import type { ModelInfo } from "./models.ts";
import { BodyBuffer, BodyCache, requestPieces } from "./request.ts";
import { ReplyReader } from "./stream.ts";
import { eventsIn, guardedFetch, MAX_TIMER_MS, Watch, type Timeouts } from "./wire.ts";

export type Auth = {
  /** `key` is sent as `x-api-key`, `token` as `Authorization: Bearer`. */
  kind: "key" | "token";
  value: string;
  /** The variable it came from, for error messages. */
  from: string;
};

export type AnthropicOptions = {
  auth: Auth;
  /** Without the `/v1/messages`. */
  baseURL: string;
  /** Sent with every request; win over everything of ours. */
  headers?: Readonly<Record<string, string>>;
  betas?: readonly string[];
  timeouts?: Partial<Timeouts>;
  /** The model's name at this endpoint; default: its id. */
  wireId?: (info: ModelInfo) => string;
  userAgent?: string;
  /** The catalog, with the person's overrides. */
  resolve?: (model: string) => ModelInfo;
  now?: () => number;
};

const TIMEOUTS: Timeouts = { requestMs: 600_000, idleMs: 120_000 };

/** Starts loading the SDK, so that it is there when the first request is made. */
export async function preloadSdk() {
  const [client, streaming] = await Promise.all([
    import("@anthropic-ai/sdk/client"),
    import("@anthropic-ai/sdk/streaming"),
  ]);
  return { Client: client.BaseAnthropic, APIError: client.BaseAnthropic.APIError, Stream: streaming.Stream };
}

type Sdk = Awaited<ReturnType<typeof preloadSdk>>;

export function anthropicProvider(options: AnthropicOptions): Provider {
  const endpoint = new Endpoint(options);
  return { stream: (request, signal) => endpoint.stream(request, signal) };
}

class Endpoint {
  readonly #options: AnthropicOptions;
  readonly #timeouts: Timeouts;
  readonly #resolve: (model: string) => ModelInfo;
  readonly #cache = new BodyCache();
  readonly #buffer = new BodyBuffer();
  #client: InstanceType<Sdk["Client"]> | undefined;

  constructor(options: AnthropicOptions) {
    this.#options = options;
    this.#timeouts = { ...TIMEOUTS, ...options.timeouts };
    this.#resolve = options.resolve ?? resolveModel;
  }

  async *stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ProviderEvent, void> {
    signal.throwIfAborted();
    const info = this.#resolve(request.model);
    const context = this.#context(request.model);
    const watch = new Watch(signal, this.#timeouts, context);
    const reader = new ReplyReader({
      nameOf: (reported) => nameOf(reported, request.model),
      errorOf: (event) => streamFailure(event, context),
    });
    const sdk = await preloadSdk();
    const body = this.#buffer.fill(requestPieces(request, info, this.#wireId(info), this.#cache));
    try {
      const response = await this.#post(sdk, { body: body.bytes, betas: this.#betas(info), signal: watch.signal });
      watch.answered();
      for await (const event of eventsIn(response, { sdk, watch, context })) {
        watch.check();
        if (request.raw && fields(event).type !== "ping") yield { type: "raw", event };
        for (const out of reader.take(event)) yield out;
        if (reader.done) watch.closing();
      }
      watch.check();
      for (const out of reader.finish()) yield out;
    } catch (error) {
      // The reply was whole before the connection broke.
      if (reader.done && !signal.aborted) return;
      throw watch.reason(error, sdk);
    } finally {
      body.release();
      watch.end();
    }
  }

  // The SDK's client, given everything it would otherwise look for in the environment and in files.
  #post(sdk: Sdk, call: { body: Uint8Array; betas: string[]; signal: AbortSignal }): Promise<Response> {
    const { auth, baseURL, headers, userAgent } = this.#options;
    const own: Record<string, string> = {
      "content-type": "application/json",
      "user-agent": userAgent ?? "nanocode",
      ...(auth.kind === "key" ? { "x-api-key": auth.value } : { authorization: `Bearer ${auth.value}` }),
      ...(call.betas.length > 0 ? { "anthropic-beta": call.betas.join(",") } : {}),
      ...lowerCased(headers),
    };
    const names = new Set(["accept", "anthropic-version", "anthropic-beta", ...Object.keys(own)]);
    this.#client ??= new sdk.Client({
      baseURL,
      apiKey: auth.kind === "key" ? auth.value : null,
      authToken: auth.kind === "token" ? auth.value : null,
      webhookKey: null,
      maxRetries: 0,
      timeout: Math.min(this.#timeouts.requestMs + 60_000, MAX_TIMER_MS),
      openTelemetry: false,
      logLevel: "off",
      fetch: (input, init) => guardedFetch(input, init, names),
    });
    const { body, signal } = call;
    return this.#client.post("/v1/messages", { body, signal, stream: true, headers: own }).asResponse();
  }

  #wireId(info: ModelInfo): string {
    return (this.#options.wireId?.(info) ?? info.id).replace(/\[1m\]$/, "");
  }

  #betas(info: ModelInfo): string[] {
    return [...new Set([...(this.#options.betas ?? []), ...(info.betas ?? [])])];
  }

  #context(model: string): Context {
    const { auth, baseURL, headers, now } = this.#options;
    const secrets = [auth.value, ...Object.values(headers ?? {})];
    return { host: new URL(baseURL).host, model, keyFrom: auth.from, secrets, now: now ?? Date.now };
  }
}

/** The catalog's name for who answered, when it is a model we know and another one than was asked. */
function nameOf(reported: string, asked: string): string {
  return isKnownModel(reported) && !sameModel(reported, asked) ? reported : asked;
}

function lowerCased(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

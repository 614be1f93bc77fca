// A model on a loopback port: speaks the Messages API (SSE and JSON) from a script, records and checks every request.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { CacheMeter, RequestChecker, type MessagesBody } from "./fake-model-check.ts";
import { messageFrames, messageJson, Outlet, splitRandomly, type Wire } from "./fake-model-wire.ts";

// ---- Scripts: what the model says, built from these. ----

export type FakeBlock =
  | { type: "text"; text: string }
  | { type: "thinking"; thinking: string; signature: string }
  | { type: "redacted_thinking"; data: string }
  /** `input` as a string is sent as it is, readable JSON or not. */
  | { type: "tool_use"; id?: string; name: string; input: object | string }
  /** Any other block: sent whole in its `content_block_start`. */
  | { type: "other"; block: { type: string; [field: string]: unknown } };

export type FakeUsage = Partial<
  Record<"input_tokens" | "output_tokens" | "cache_creation_input_tokens" | "cache_read_input_tokens", number>
>;

export type MessageReply = {
  kind: "message";
  blocks: FakeBlock[];
  /** Default: `tool_use` when there is a call, else `end_turn`. */
  stopReason?: string;
  /** Overrides what the server would count. */
  usage?: FakeUsage;
  id?: string;
  model?: string;
  headers?: Record<string, string>;
  /** Characters per delta; default 24. */
  deltaSize?: number;
  /** Extra events, `[event name, data]`, sent after the block of that index (-1: before the first). */
  extra?: Record<number, [string, unknown][]>;
  /** The connection is destroyed after so many blocks, or bytes of the stream; when `until` resolves, or soon. */
  cut?: { afterBlocks?: number; afterBytes?: number; until?: Promise<unknown> };
  /** Silence after so many blocks, until `until` resolves (default: for ever). 0: headers and message_start only. */
  stall?: { afterBlocks: number; until?: Promise<unknown> };
  /** The connection stays open after the last event until this resolves. */
  linger?: Promise<unknown>;
  /** Lines end in CRLF. */
  crlf?: boolean;
  /** Wait before each event of the stream. Only where a test or a benchmark is about time. */
  delayMs?: number;
};

export type Reply =
  | MessageReply
  | { kind: "status"; code: number; headers: Record<string, string>; body: unknown }
  /** The connection is closed without an answer. */
  | { kind: "refuse" }
  /** Nothing is ever sent, not even headers. */
  | { kind: "silence" }
  /** These bytes as an event stream, whatever they are. */
  | { kind: "raw"; bytes: Uint8Array | string; headers: Record<string, string> };

export type ScriptEntry = FakeBlock | Reply;
export type Handler = (request: RecordedRequest, index: number) => ScriptEntry | Promise<ScriptEntry>;

export const say = (text: string): FakeBlock => ({ type: "text", text });
export const think = (thinking: string, signature = "sig"): FakeBlock => ({ type: "thinking", thinking, signature });
export const call = (name: string, input: object | string = {}, opts: { id?: string } = {}): FakeBlock => ({
  type: "tool_use",
  name,
  input,
  ...opts,
});
export const other = (block: { type: string; [field: string]: unknown }): FakeBlock => ({ type: "other", block });

/** Several blocks as one reply. A lone block in a script is a reply of that block. */
export function reply(blocks: FakeBlock[], opts: Omit<MessageReply, "kind" | "blocks"> = {}): MessageReply {
  return { kind: "message", blocks, ...opts };
}

/** The reply breaks off: the connection is destroyed. */
export function cut(entry: FakeBlock | MessageReply, where: NonNullable<MessageReply["cut"]>): MessageReply {
  return { ...asMessage(entry), cut: where };
}

/** The reply falls silent; `until` lets it go on. */
export function stall(entry: FakeBlock | MessageReply, afterBlocks: number, until?: Promise<unknown>): MessageReply {
  return { ...asMessage(entry), stall: until ? { afterBlocks, until } : { afterBlocks } };
}

const ERROR_TYPES: Record<number, string> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  500: "api_error",
  529: "overloaded_error",
};

/** An HTTP error. `body`: a string is sent as it is; default: the API's error object with `message`. */
export function status(
  code: number,
  opts: { headers?: Record<string, string>; body?: unknown; message?: string } = {},
): Reply {
  const error = { type: ERROR_TYPES[code] ?? "api_error", message: opts.message ?? `status ${code}` };
  return { kind: "status", code, headers: opts.headers ?? {}, body: opts.body ?? { type: "error", error } };
}

export const refuse = (): Reply => ({ kind: "refuse" });
export const silence = (): Reply => ({ kind: "silence" });
export const raw = (bytes: Uint8Array | string, headers: Record<string, string> = {}): Reply => ({
  kind: "raw",
  bytes,
  headers,
});

function asMessage(entry: FakeBlock | MessageReply): MessageReply {
  return "kind" in entry ? entry : reply([entry]);
}

// ---- The server ----

const CUT_PAUSE_MS = 20;

export type RecordedRequest = {
  index: number;
  /** Path with query. */
  path: string;
  headers: Record<string, string>;
  body: MessagesBody;
  text: string;
  /** `performance.now()` at its arrival. */
  at: number;
  /** The client's port: the same for requests over one connection. */
  from: number;
};

export type FakeModelOptions = {
  /** Split every stream at random byte positions derived from this seed, one write each. */
  splitSeed?: number;
  /** Check every request and answer 400 to a wrong one; default true. */
  check?: boolean;
  deltaSize?: number;
};

export interface FakeModel extends AsyncDisposable {
  /** To use as ANTHROPIC_BASE_URL. */
  readonly url: string;
  readonly port: number;
  readonly requests: readonly RecordedRequest[];
  /** What was wrong with the requests; a test ends with `expect(model.violations).toEqual([])`. */
  readonly violations: readonly string[];
  /** The variables a client needs to find this server. */
  readonly env: { ANTHROPIC_BASE_URL: string; ANTHROPIC_API_KEY: string };
  /** The next request of each conversation may differ from the one before it (compaction, rewind, new tools). */
  announceCompaction(): void;
  /** Resolves when request number `index` has arrived (and was checked). */
  request(index: number): Promise<RecordedRequest>;
  /** Resolves when the answer to request `index` has fallen silent (`stall`, `silence`). */
  stalled(index: number): Promise<void>;
  /** Resolves when the client has gone before the answer to request `index` was complete. */
  hungUp(index: number): Promise<void>;
  /** Appends to an array script while it runs. */
  push(...entries: ScriptEntry[]): void;
  stop(): Promise<void>;
}

/** Starts the server on a free port of 127.0.0.1. `script`: replies used in order, or a function of the request. */
export async function startFakeModel(
  script: readonly ScriptEntry[] | Handler,
  options: FakeModelOptions = {},
): Promise<FakeModel> {
  const fake = new Server(script, options);
  await fake.listen();
  return fake;
}

class Server implements FakeModel {
  readonly requests: RecordedRequest[] = [];
  readonly violations: string[] = [];
  #script: ScriptEntry[] | Handler;
  #options: FakeModelOptions;
  #checker = new RequestChecker();
  #meter = new CacheMeter();
  #moments = new Map<string, PromiseWithResolvers<void>>();
  #replies = 0;
  #server = createServer((request, response) => {
    this.#serve(request, response).catch((error: unknown) => {
      this.violations.push(`the fake model itself failed: ${error}`);
      response.destroy();
    });
  });

  constructor(script: readonly ScriptEntry[] | Handler, options: FakeModelOptions) {
    this.#script = typeof script === "function" ? script : [...script];
    this.#options = options;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the fake model is not listening");
    return address.port;
  }
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }
  get env() {
    return { ANTHROPIC_BASE_URL: this.url, ANTHROPIC_API_KEY: "test-key" };
  }

  announceCompaction(): void {
    this.#checker.forget();
  }
  async request(index: number): Promise<RecordedRequest> {
    await this.#moment(`request ${index}`).promise;
    const request = this.requests[index];
    if (!request) throw new Error(`no request ${index}`);
    return request;
  }
  stalled(index: number): Promise<void> {
    return this.#moment(`stalled ${index}`).promise;
  }
  hungUp(index: number): Promise<void> {
    return this.#moment(`hung up ${index}`).promise;
  }
  push(...entries: ScriptEntry[]): void {
    if (typeof this.#script === "function") throw new Error("push() needs an array script");
    this.#script.push(...entries);
  }
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #moment(name: string): PromiseWithResolvers<void> {
    const moment = this.#moments.get(name) ?? Promise.withResolvers<void>();
    this.#moments.set(name, moment);
    return moment;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "/";
    const text = await bodyOf(request);
    const isMessages = new URL(path, "http://fake").pathname.endsWith("/v1/messages");
    if (request.method !== "POST" || !isMessages) {
      return send(response, { code: 404, headers: {}, body: apiError("not_found_error", `${request.method} ${path}`) });
    }
    const index = this.requests.length;
    const body: MessagesBody = JSON.parse(text);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const from = request.socket.remotePort ?? 0;
    const recorded = { index, path, headers, body, text, at: performance.now(), from };
    const problems = (this.#options.check ?? true) ? this.#checker.check(body) : [];
    this.requests.push(recorded);
    response.on("close", () => {
      if (!response.writableFinished) this.#moment(`hung up ${index}`).resolve();
    });
    this.#moment(`request ${index}`).resolve();
    if (problems.length === 0) return this.#answer(recorded, response);
    this.violations.push(...problems.map((problem) => `request ${index}: ${problem}`));
    send(response, { code: 400, headers: {}, body: apiError("invalid_request_error", problems.join("; ")) });
  }

  async #answer(request: RecordedRequest, response: ServerResponse): Promise<void> {
    const { index, body } = request;
    const entry = await this.#next(request);
    if (!entry) {
      this.violations.push(`request ${index}: the script has no reply left`);
      const error = apiError("invalid_request_error", "the script has no reply left");
      return send(response, { code: 400, headers: {}, body: error });
    }
    const answer = "kind" in entry ? entry : reply([entry]);
    switch (answer.kind) {
      case "refuse":
        response.socket?.destroy();
        return;
      case "silence":
        this.#moment(`stalled ${index}`).resolve();
        return;
      case "status":
        return send(response, answer);
      case "raw":
        response.writeHead(200, { "content-type": "text/event-stream", ...answer.headers });
        await this.#write(response, Buffer.from(answer.bytes));
        response.end();
        return;
      case "message":
        return this.#message(answer, { index, body }, response);
      default:
        return answer satisfies never;
    }
  }

  async #next(request: RecordedRequest): Promise<ScriptEntry | undefined> {
    const number = this.#replies++;
    return typeof this.#script === "function" ? await this.#script(request, number) : this.#script[number];
  }

  async #message(
    answer: MessageReply,
    request: { index: number; body: MessagesBody },
    response: ServerResponse,
  ): Promise<void> {
    const { index, body } = request;
    const wire: Wire = { deltaSize: this.#options.deltaSize ?? 24, ...answer, index, input: this.#meter.count(body) };
    const headers = { "request-id": `req_${index}`, ...answer.headers };
    if (body.stream !== true) return send(response, { code: 200, headers, body: messageJson(wire, body.model) });
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", ...headers });
    const out = new Outlet((bytes) => this.#write(response, bytes), answer.cut?.afterBytes);
    for (const frame of messageFrames(wire, body.model)) {
      if (frame.boundary && frame.before === answer.cut?.afterBlocks) break;
      if (frame.boundary && frame.before === answer.stall?.afterBlocks) {
        await out.flush();
        this.#moment(`stalled ${index}`).resolve();
        await (answer.stall.until ?? new Promise(() => undefined));
      }
      out.add(frame.text);
      if (answer.delayMs === undefined) continue;
      await Bun.sleep(answer.delayMs);
      await out.flush();
    }
    await out.flush();
    await answer.linger;
    if (!answer.cut) return void response.end();
    // Bun's fetch drops what it has not yet read when the connection closes, so it gets a moment to read it.
    await (answer.cut.until ?? Bun.sleep(CUT_PAUSE_MS));
    response.destroy();
  }

  async #write(response: ServerResponse, bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    const seed = this.#options.splitSeed;
    for (const chunk of seed === undefined ? [bytes] : splitRandomly(bytes, seed)) {
      if (response.destroyed) return;
      await new Promise<void>((resolve) => response.write(chunk, () => resolve()));
    }
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

const apiError = (type: string, message: string) => ({ type: "error", error: { type, message } });

function send(
  response: ServerResponse,
  answer: { code: number; headers: Record<string, string>; body: unknown },
): void {
  const text = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body);
  const type = typeof answer.body === "string" ? "text/html" : "application/json";
  response.writeHead(answer.code, { "content-type": type, ...answer.headers });
  response.end(text);
}

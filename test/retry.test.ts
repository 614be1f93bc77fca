// Retries: what is asked again and when, what never is, and what the consumer is told before each wait.
import { expect, test } from "bun:test";
import { ModelError, type ModelErrorKind } from "../src/core/errors.ts";
import type { ModelRequest, Provider, ProviderEvent } from "../src/core/types.ts";
import { retrying, type RetryOptions } from "../src/model/retry.ts";
import { call, cut, reply, say, stall, startFakeModel, status, type ScriptEntry } from "./fake-model.ts";
import { all, failure, joined, providerAt, request } from "./model-support.ts";

type Step = ProviderEvent | Error;

/** Plays one list of steps per attempt; keeps the models asked and the waits. */
function played(attempts: Step[][], options: RetryOptions = {}) {
  const models: string[] = [];
  const waits: number[] = [];
  const inner: Provider = {
    async *stream(asked: ModelRequest) {
      const steps = attempts[models.length];
      models.push(asked.model);
      for (const step of steps ?? [new Error("asked too often")]) {
        if (step instanceof Error) throw step;
        yield step;
      }
    },
  };
  const sleep = async (ms: number): Promise<void> => void waits.push(ms);
  return { provider: retrying(inner, { sleep, random: () => 0, ...options }), models, waits };
}

const text = (content: string): ProviderEvent => ({ type: "text.delta", text: content });
const failed = (kind: ModelErrorKind, more: { status?: number | null; retryAfterMs?: number } = {}): ModelError =>
  new ModelError(kind, `it was ${kind}`, more);
const retry = (attempt: number, delayMs: number, kind: string, more: object = {}): ProviderEvent =>
  ({
    type: "retry",
    attempt,
    maxRetries: 10,
    delayMs,
    status: null,
    reason: `it was ${kind}`,
    ...more,
  }) as ProviderEvent;

test("each retry is announced before its wait; the waits double up to 32 s", async () => {
  const attempts = Array.from({ length: 9 }, () => [failed("server", { status: 500 })]);
  const { provider, waits, models } = played([...attempts, [text("at last")]]);
  const delays = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 32_000, 32_000];
  expect(await all(provider)).toEqual([
    ...delays.map((ms, n) => retry(n + 1, ms, "server", { status: 500 })),
    text("at last"),
  ]);
  expect([waits, models.length]).toEqual([delays, 10]);
});

test("jitter takes away at most a quarter", async () => {
  const { provider, waits } = played([[failed("network")], [failed("network")], []], { random: () => 0.999 });
  await all(provider);
  expect(waits).toEqual([375, 750]);
});

test.each(["overloaded", "rate_limit", "server", "network", "stalled"] as const)("%s is retried", async (kind) => {
  const { provider } = played([[text("half"), failed(kind)], [text("whole")]]);
  expect(await all(provider)).toEqual([text("half"), retry(1, 500, kind), text("whole")]);
});

test.each(["auth", "invalid", "too_long"] as const)("%s is not retried", async (kind) => {
  const { provider, models } = played([[failed(kind, { status: 400 })]]);
  const error = await failure(provider);
  expect([error.kind, error.status, error.message, models.length]).toEqual([kind, 400, `it was ${kind}`, 1]);
});

test("a bug is not a model's failure", async () => {
  const { provider, models } = played([[new TypeError("oops")]]);
  await expect(all(provider)).rejects.toThrow(TypeError);
  expect(models.length).toBe(1);
});

test("retry-after decides the wait; one that is too long is not waited for", async () => {
  const { provider, waits } = played([
    [failed("rate_limit", { retryAfterMs: 7_000 })],
    [failed("rate_limit", { retryAfterMs: 0 })],
    [failed("rate_limit", { status: 429, retryAfterMs: 3_600_000 })],
  ]);
  const error = await failure(provider);
  expect(waits).toEqual([7_000, 1_000]);
  expect([error.kind, error.status, error.message]).toEqual([
    "rate_limit",
    429,
    "it was rate_limit The server asks to wait 60 minutes; try again then, or use another model.",
  ]);
});

test("after the last retry the failure says how often it was tried", async () => {
  const twice = played([[failed("network")], [failed("network")], [failed("network")]], { maxRetries: 2 });
  expect((await failure(twice.provider)).message).toBe("it was network (gave up after 2 retries)");
  const never = played([[failed("network")]], { maxRetries: 0 });
  expect((await failure(never.provider)).message).toBe("it was network");
});

test("once a tool has started the reply is cut, whatever the failure, and never asked again", async () => {
  for (const kind of ["network", "overloaded", "invalid"] as const) {
    const { provider, models, waits } = played([[text("half"), failed(kind)]]);
    const events = await all(provider, { restartable: () => false });
    expect([events, models.length, waits]).toEqual([[text("half"), { type: "cut", reason: `it was ${kind}` }], 1, []]);
  }
});

test("three overloads in a row: the next model, while there is one; the count of attempts goes on", async () => {
  const over = [failed("overloaded", { status: 529 })];
  const { provider, models, waits } = played(
    [over, over, [failed("server")], over, over, over, over, over, over, [text("ok")]],
    { fallbackModels: ["m", "b", "c"] },
  );
  const events = await all(provider, { model: "m" });
  expect(models).toEqual(["m", "m", "m", "m", "m", "m", "b", "b", "b", "c"]);
  expect(events.filter((event) => event.type === "model")).toEqual([
    { type: "model", model: "b", reason: "m is overloaded" },
    { type: "model", model: "c", reason: "b is overloaded" },
  ]);
  expect(events.flatMap((event) => (event.type === "retry" ? [event.attempt] : []))).toEqual([
    1, 2, 3, 4, 5, 6, 7, 8, 9,
  ]);
  expect(waits[5]).toBe(500);
});

test("an abort ends the wait with its own reason", async () => {
  const abort = new AbortController();
  const inner: Provider = {
    // biome-ignore lint: it fails before it yields.
    async *stream() {
      throw failed("network", { retryAfterMs: 60_000 });
    },
  };
  const seen: string[] = [];
  const run = async (): Promise<void> => {
    for await (const event of retrying(inner).stream(request(), abort.signal)) {
      seen.push(event.type);
      setTimeout(() => abort.abort(new Error("enough")), 5);
    }
  };
  const from = performance.now();
  await run().then(
    () => expect.unreachable(),
    (error: unknown) => expect(error).toEqual(new Error("enough")),
  );
  expect([seen, performance.now() - from < 1_000]).toEqual([["retry"], true]);
});

test("a failure that comes with an abort is the abort", async () => {
  const abort = new AbortController();
  const inner: Provider = {
    // biome-ignore lint: it fails before it yields.
    async *stream() {
      abort.abort(new Error("enough"));
      throw failed("network");
    },
  };
  const events: ProviderEvent[] = [];
  const run = async (): Promise<void> => {
    for await (const event of retrying(inner).stream(request(), abort.signal)) events.push(event);
  };
  await expect(run()).rejects.toThrow("enough");
  expect(events).toEqual([]);
});

test("over the wire: overload, a broken stream, a stall and a refusal later the reply is whole, and sent as before", async () => {
  const script: ScriptEntry[] = [
    status(529, { headers: { "retry-after-ms": "1" } }),
    cut(reply([say("half"), call("Read", { a: 1 })]), { afterBlocks: 1 }),
    stall(say("silent"), 0),
    status(429, { headers: { "retry-after-ms": "1" } }),
    say("whole"),
  ];
  await using fake = await startFakeModel(script);
  const waits: number[] = [];
  const sleep = async (ms: number): Promise<void> => void waits.push(ms);
  const provider = retrying(providerAt(fake.url, { timeouts: { idleMs: 50 } }), { sleep, random: () => 0 });
  const events = joined(await all(provider));
  expect(events.map((event) => (event.type === "retry" ? `retry ${event.status}` : event.type))).toEqual([
    "retry 529",
    "start",
    "text.delta",
    "block",
    "retry null",
    "start",
    "retry null",
    "retry 429",
    "start",
    "text.delta",
    "block",
    "end",
  ]);
  expect(waits).toEqual([1, 1_000, 2_000, 1]);
  expect(new Set(fake.requests.map(({ text: body }) => body)).size).toBe(1);
  expect(fake.violations).toEqual([]);
});

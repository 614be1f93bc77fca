// How a request ends: broken off, fallen silent, interrupted, left, or whole; and what becomes of its connection.
import { afterEach, expect, test } from "bun:test";
import { getEventListeners } from "node:events";
import {
  call,
  cut,
  raw,
  refuse,
  reply,
  say,
  silence,
  stall,
  startFakeModel,
  type FakeModel,
  type ScriptEntry,
} from "./fake-model.ts";
import { all, failure, FIXED, MESSAGE, providerAt, request, sse, start, textBlock, usage } from "./model-support.ts";

const running: FakeModel[] = [];
afterEach(async () => {
  for (const fake of running.splice(0)) await fake.stop();
});

async function fakeModel(script: ScriptEntry[]): Promise<FakeModel> {
  const fake = await startFakeModel(script);
  running.push(fake);
  return fake;
}

test("a stream that breaks off, anywhere, is a network failure", async () => {
  const entries = [
    cut(say("hello"), { afterBlocks: 0 }),
    cut(reply([say("a"), say("b")]), { afterBlocks: 1 }),
    cut(reply([say("hello there"), call("Read")]), { afterBytes: 700 }),
    refuse(),
    raw(""),
    raw(sse({ type: "message_start", message: MESSAGE }, ...textBlock(0, "x"))),
    raw(`event: message_start\ndata: {"type":"message_st\n\n`),
  ];
  const fake = await fakeModel(entries);
  const provider = providerAt(fake.url);
  for (const _ of entries) {
    const error = await failure(provider);
    expect({ kind: error.kind, status: error.status }).toEqual({ kind: "network", status: null });
  }
});

test("a reply without content, and one cut after its end, are whole", async () => {
  const fake = await fakeModel([reply([], FIXED), cut(reply([say("x")], FIXED), { afterBytes: 1e9 })]);
  const provider = providerAt(fake.url);
  expect(await all(provider)).toEqual([start(), { type: "end", stopReason: "end_turn", usage: usage(7, 9) }]);
  expect((await all(provider)).at(-1)).toEqual({ type: "end", stopReason: "end_turn", usage: usage(7, 9) });
});

test("silence is a stall: before the headers, before the first event, in the middle", async () => {
  const fake = await fakeModel([silence(), stall(say("x"), 0), stall(reply([say("x"), say("y")]), 1)]);
  const provider = providerAt(fake.url, { timeouts: { requestMs: 60, idleMs: 60 } });
  for (const index of [0, 1, 2]) {
    const error = await failure(provider);
    await fake.hungUp(index);
    expect([error.kind, error.status]).toEqual(["stalled", null]);
  }
});

test("pings and comments are signs of life, and a slow consumer is not silence", async () => {
  const alive = Promise.withResolvers<void>();
  const fake = await fakeModel([
    reply([say("abcdefgh")], { deltaSize: 1, delayMs: 15 }),
    stall(reply([say("x"), say("y")]), 0, alive.promise),
  ]);
  const provider = providerAt(fake.url, { timeouts: { idleMs: 60 } });
  expect((await all(provider)).at(-1)?.type).toBe("end");
  const seen: string[] = [];
  for await (const event of provider.stream(request(), new AbortController().signal)) {
    seen.push(event.type);
    if (event.type === "start") setTimeout(alive.resolve, 90);
    await alive.promise;
  }
  expect(seen).toEqual(["start", "text.delta", "block", "text.delta", "block", "end"]);
});

test("an abort stops at once with its own reason and closes the connection", async () => {
  const fake = await fakeModel([silence(), stall(say("x"), 0), stall(reply([say("x"), say("y")]), 1)]);
  const provider = providerAt(fake.url);
  for (const index of [0, 1, 2]) {
    const abort = new AbortController();
    const reason = new Error("interrupted by the person");
    const run = all(provider, {}, abort.signal).then(
      () => "ended",
      (error: unknown) => error,
    );
    await fake.stalled(index);
    const from = performance.now();
    abort.abort(reason);
    expect(await run).toBe(reason);
    await fake.hungUp(index);
    expect(performance.now() - from).toBeLessThan(100);
  }
  const aborted = AbortSignal.abort(new Error("before"));
  await expect(all(provider, {}, aborted)).rejects.toThrow("before");
  expect(fake.requests.length).toBe(3);
});

test("events that were already here are not given out after an abort", async () => {
  const fake = await fakeModel([reply([say("abc")], { deltaSize: 1 })]);
  const abort = new AbortController();
  const seen: string[] = [];
  const run = async () => {
    for await (const event of providerAt(fake.url).stream(request(), abort.signal)) {
      seen.push(event.type);
      if (event.type === "text.delta") abort.abort(new Error("enough"));
    }
  };
  await expect(run()).rejects.toThrow("enough");
  await run().catch(() => undefined);
  expect(seen.filter((type) => type === "text.delta").length).toBe(1);
});

test("a signal that outlives its requests keeps nothing of them", async () => {
  const fake = await fakeModel([say("a"), refuse(), stall(reply([say("x"), say("y")]), 1)]);
  const provider = providerAt(fake.url);
  const { signal } = new AbortController();
  await all(provider, {}, signal);
  await all(provider, {}, signal).catch(() => undefined);
  for await (const event of provider.stream(request(), signal)) if (event.type === "block") break;
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("a consumer that leaves closes the connection", async () => {
  const fake = await fakeModel([stall(reply([say("x"), say("y")]), 1)]);
  for await (const event of providerAt(fake.url).stream(request(), new AbortController().signal)) {
    if (event.type === "block") break;
  }
  await fake.hungUp(0);
});

test("an answer whose connection stays open after its end does not hold the reply back for long", async () => {
  const never = new Promise(() => undefined);
  const fake = await fakeModel([reply([say("x")], { linger: never })]);
  const from = performance.now();
  expect((await all(providerAt(fake.url))).at(-1)?.type).toBe("end");
  expect(performance.now() - from).toBeLessThan(1_000);
});

test("the connection is used again", async () => {
  const fake = await fakeModel([say("a"), say("b"), say("c")]);
  const provider = providerAt(fake.url);
  for (const _ of [1, 2, 3]) await all(provider);
  expect(new Set(fake.requests.map((one) => one.from)).size).toBe(1);
});

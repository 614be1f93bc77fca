// The provider over the wire: every block, and every way a stream can be cut into pieces.
import { afterEach, expect, test } from "bun:test";
import {
  call,
  other,
  raw,
  reply,
  say,
  startFakeModel,
  think,
  type FakeModel,
  type FakeModelOptions,
  type ScriptEntry,
} from "./fake-model.ts";
import {
  all,
  ask,
  FIXED,
  joined,
  MESSAGE,
  providerAt,
  request,
  sse,
  start,
  stop,
  textBlock,
  usage,
} from "./model-support.ts";

const running: FakeModel[] = [];
afterEach(async () => {
  for (const fake of running.splice(0)) await fake.stop();
});

async function fakeModel(script: ScriptEntry[], options?: FakeModelOptions): Promise<FakeModel> {
  const fake = await startFakeModel(script, options);
  running.push(fake);
  return fake;
}

test("a reply with every kind of block", async () => {
  const blocks = [
    think("let me see", "sig-1"),
    other({ type: "redacted_thinking", data: "opaque-bytes" }),
    say("Grüße, 世界 👩‍👩‍👧"),
    other({ type: "server_tool_result", tool_use_id: "x", content: [{ type: "y" }] }),
    call("Read", { file_path: "/a b.txt", nested: { list: [1, "zwei"] } }, { id: "toolu_a" }),
    call("Now", "", { id: "toolu_b" }),
  ];
  const fake = await fakeModel([reply(blocks, FIXED)]);
  expect(joined(await all(providerAt(fake.url)))).toEqual([
    start(),
    { type: "thinking.delta", text: "let me see" },
    { type: "block", block: { type: "thinking", thinking: "let me see", signature: "sig-1" } },
    { type: "block", block: { type: "redacted_thinking", data: "opaque-bytes" } },
    { type: "text.delta", text: "Grüße, 世界 👩‍👩‍👧" },
    { type: "block", block: { type: "text", text: "Grüße, 世界 👩‍👩‍👧" } },
    {
      type: "block",
      block: { type: "opaque", raw: { type: "server_tool_result", tool_use_id: "x", content: [{ type: "y" }] } },
    },
    {
      type: "block",
      block: {
        type: "tool_use",
        id: "toolu_a",
        name: "Read",
        input: { file_path: "/a b.txt", nested: { list: [1, "zwei"] } },
      },
    },
    { type: "block", block: { type: "tool_use", id: "toolu_b", name: "Now", input: {} } },
    { type: "end", stopReason: "tool_use", usage: usage(7, 9) },
  ]);
  expect(fake.violations).toEqual([]);
});

test("wherever the bytes are cut, the events are the same", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const blocks = [
    think("héé 🧠", "s"),
    say("a\r\nb 🦀 ".repeat(20)),
    call("W", { text: '日本\\n"quoted"' }, { id: "t" }),
  ];
  const entry = reply(blocks, { ...FIXED, deltaSize: 3 });
  const [whole, ...split] = await Promise.all(
    [undefined, ...Array.from({ length: 12 }, (_, n) => seed + n)].map(async (splitSeed, n) => {
      const crlf = n % 2 === 1;
      const fake = await fakeModel([{ ...entry, crlf }], splitSeed === undefined ? {} : { splitSeed });
      return all(providerAt(fake.url));
    }),
  );
  for (const [n, events] of split.entries()) {
    if (!Bun.deepEquals(events, whole)) throw new Error(`seed ${seed + n} gives other events`);
  }
  expect(whole?.length).toBeGreaterThan(50);
});

test("a call's input that is not readable JSON is a fault with an empty input", async () => {
  const fake = await fakeModel([
    reply([call("A", '{"a": 1', { id: "t1" }), call("B", "[1]", { id: "t2" }), call("C", "{}", { id: "t3" })], FIXED),
  ]);
  const blocks = (await all(providerAt(fake.url))).filter((event) => event.type === "block");
  expect(blocks).toEqual([
    {
      type: "block",
      block: { type: "tool_use", id: "t1", name: "A", input: {} },
      fault: expect.stringContaining("not readable JSON"),
    },
    {
      type: "block",
      block: { type: "tool_use", id: "t2", name: "B", input: {} },
      fault: expect.stringContaining("not a JSON object"),
    },
    { type: "block", block: { type: "tool_use", id: "t3", name: "C", input: {} } },
  ]);
});

test("what this version does not know is passed over or kept whole", async () => {
  const bytes = sse(
    { type: "message_start", message: MESSAGE },
    { type: "weather_report", sky: "blue" },
    {
      type: "content_block_start",
      index: 0,
      content_block: { type: "server_tool_use", id: "s", name: "search", input: {} },
    },
    { type: "content_block_delta", index: 0, delta: { type: "input_json_delta", partial_json: '{"q":' } },
    { type: "content_block_delta", index: 0, delta: { type: "input_json_delta", partial_json: '"x"}' } },
    { type: "content_block_stop", index: 0 },
    { type: "content_block_start", index: 1, content_block: { type: "compaction", content: "" } },
    { type: "content_block_delta", index: 1, delta: { type: "compaction_delta", content: "sum" } },
    { type: "content_block_delta", index: 1, delta: { type: "compaction_delta", content: "mary" } },
    { type: "content_block_stop", index: 1 },
    ...textBlock(2, "hi"),
    { type: "content_block_delta", index: 9, delta: { type: "text_delta", text: "lost" } },
    { type: "content_block_delta", index: 2, delta: { type: "sparkle_delta" } },
    ...stop("some_new_reason"),
  );
  const fake = await fakeModel([raw(bytes)]);
  expect(await all(providerAt(fake.url))).toEqual([
    start("m", usage(3, 1)),
    {
      type: "block",
      block: { type: "opaque", raw: { type: "server_tool_use", id: "s", name: "search", input: { q: "x" } } },
    },
    { type: "block", block: { type: "opaque", raw: { type: "compaction", content: "summary" } } },
    { type: "text.delta", text: "hi" },
    { type: "block", block: { type: "text", text: "hi" } },
    { type: "end", stopReason: "end_turn", usage: usage(3, 5) },
  ]);
});

test("usage is cumulative, and a count a gateway does not know yet is not a zero", async () => {
  const creation = { ephemeral_1h_input_tokens: 40, ephemeral_5m_input_tokens: 60 };
  const first = { ...MESSAGE, usage: { input_tokens: 0, output_tokens: 0, cache_read_input_tokens: 30 } };
  const last = { input_tokens: 12, output_tokens: 5, cache_creation_input_tokens: 100, cache_creation: creation };
  const fake = await fakeModel([
    raw(
      sse(
        { type: "message_start", message: first },
        ...textBlock(0, "x"),
        ...stop("end_turn", { ...last, cache_read_input_tokens: 0 }),
      ),
    ),
  ]);
  expect((await all(providerAt(fake.url))).at(-1)).toEqual({
    type: "end",
    stopReason: "end_turn",
    usage: usage(12, 5, {
      cache_creation_input_tokens: 100,
      cache_read_input_tokens: 30,
      cache_creation_1h_tokens: 40,
    }),
  });
});

test("gateways: no event lines, comments, [DONE], no message_stop, a model name of their own", async () => {
  const message = { ...MESSAGE, model: "bedrock/whatever-v9" };
  const events = [{ type: "message_start", message }, ...textBlock(0, "hi"), ...stop("max_tokens").slice(0, 1)];
  const bytes = `: PROCESSING\n\n${events.map((event) => `data:${JSON.stringify(event)}\n\n`).join("")}data: [DONE]\n\n`;
  const fake = await fakeModel([raw(bytes)]);
  expect(await all(providerAt(fake.url))).toEqual([
    start("m", usage(3, 1)),
    { type: "text.delta", text: "hi" },
    { type: "block", block: { type: "text", text: "hi" } },
    { type: "end", stopReason: "max_tokens", usage: usage(3, 5) },
  ]);
});

test("gateways: a whole message where a stream was asked for", async () => {
  const content = [
    { type: "text", text: "hi" },
    { type: "tool_use", id: "t", name: "Read", input: { a: 1 } },
  ];
  const body = JSON.stringify({
    ...MESSAGE,
    content,
    stop_reason: "tool_use",
    usage: { input_tokens: 3, output_tokens: 8 },
  });
  const fake = await fakeModel([raw(body, { "content-type": "application/json" })]);
  expect(await all(providerAt(fake.url))).toEqual([
    start("m", usage(3, 8)),
    { type: "text.delta", text: "hi" },
    { type: "block", block: { type: "text", text: "hi" } },
    { type: "block", block: { type: "tool_use", id: "t", name: "Read", input: { a: 1 } } },
    { type: "end", stopReason: "tool_use", usage: usage(3, 8) },
  ]);
});

test("another model we know that answers is named; a dated name of the one asked is not another", async () => {
  const fake = await fakeModel([
    reply([say("a")], { model: "claude-haiku-4-5-20251001" }),
    reply([say("a")], { model: "claude-opus-4-8" }),
  ]);
  const provider = providerAt(fake.url);
  const first = (await all(provider))[0];
  const second = (await all(provider))[0];
  expect([first, second].map((event) => (event?.type === "start" ? event.model : event))).toEqual([
    "claude-haiku-4-5",
    "claude-opus-4-8",
  ]);
});

test("raw events come before what they mean, pings do not come", async () => {
  const fake = await fakeModel([reply([say("hi")], FIXED)]);
  const events = await all(providerAt(fake.url), { raw: true });
  const kinds = events.map((event) => {
    const name = event.type === "raw" ? event.event : undefined;
    return name === undefined
      ? event.type
      : `raw ${typeof name === "object" && name && "type" in name ? name.type : ""}`;
  });
  expect(kinds).toEqual([
    "raw message_start",
    "start",
    "raw content_block_start",
    "raw content_block_delta",
    "text.delta",
    "raw content_block_stop",
    "block",
    "raw message_delta",
    "raw message_stop",
    "end",
  ]);
});

test("two megabytes in a hundred thousand deltas take time in proportion", async () => {
  const delta = `event: content_block_delta\ndata: ${JSON.stringify({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "twenty characters ok" } })}\n\n`;
  const head = sse({ type: "message_start", message: MESSAGE }, textBlock(0, "")[0] ?? {});
  const tail = sse({ type: "content_block_stop", index: 0 }, ...stop("end_turn"));
  const fake = await fakeModel([raw(head + delta.repeat(100_000) + tail)]);
  let size = 0;
  let whole = "";
  const from = performance.now();
  for await (const event of providerAt(fake.url).stream(
    request({ messages: [ask("much")] }),
    new AbortController().signal,
  )) {
    if (event.type === "text.delta") size += event.text.length;
    if (event.type === "block" && event.block.type === "text") whole = event.block.text;
  }
  expect([size, whole.length]).toEqual([2_000_000, 2_000_000]);
  expect(performance.now() - from).toBeLessThan(4_000);
});

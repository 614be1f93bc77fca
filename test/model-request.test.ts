// What goes over the wire: the body for every kind of model, its cache marks, its headers, and that it only ever grows.
import { expect, test } from "bun:test";
import type { AssistantMessage, Effort, Message, ModelRequest, Thinking, UserMessage } from "../src/core/types.ts";
import type { AnthropicOptions } from "../src/model/anthropic.ts";
import { resolveModel } from "../src/model/catalog.ts";
import { BodyBuffer, BodyCache, requestPieces } from "../src/model/request.ts";
import { call, reply, say, startFakeModel, think, type RecordedRequest } from "./fake-model.ts";
import { all, ask, joined, KEY, providerAt, request } from "./model-support.ts";

/** The request as the server got it. */
async function sent(change: Partial<ModelRequest>, options: Partial<AnthropicOptions> = {}): Promise<RecordedRequest> {
  await using fake = await startFakeModel(() => say("ok"));
  await all(providerAt(fake.url, options), change);
  expect(fake.violations).toEqual([]);
  const [first] = fake.requests;
  if (!first) throw new Error("no request");
  return first;
}

const assistant = (content: AssistantMessage["content"], model = "claude-haiku-4-5"): AssistantMessage => ({
  role: "assistant",
  id: "a",
  content,
  model,
  stopReason: "end_turn",
  usage: { input_tokens: 1, output_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 },
});
const MARK = { type: "ephemeral" };
const tool = (name: string) => ({ name, description: `${name} does`, schema: { type: "object", properties: {} } });

test("the whole body, with everything our own left out", async () => {
  const messages: Message[] = [
    { role: "user", id: "u1", synthetic: true, content: [{ type: "text", text: "look" }] },
    assistant([
      { type: "thinking", thinking: "hm", signature: "sig" },
      { type: "opaque", raw: { type: "server_tool_use", id: "s", name: "q", input: {} } },
      { type: "tool_use", id: "t1", name: "Read", input: { path: "a" } },
    ]),
    {
      role: "user",
      id: "u2",
      content: [
        { type: "tool_result", tool_use_id: "t1", content: [{ type: "text", text: " " }], is_error: false },
        { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } },
      ],
    },
  ];
  const system = [
    { text: "static", cache: true },
    { text: "", cache: true },
    { text: "session", cache: false },
  ];
  const { body } = await sent({ messages, system, tools: [tool("Read"), tool("Edit")], maxTokens: 90_000 });
  expect(body).toEqual({
    model: "claude-haiku-4-5",
    max_tokens: 64_000,
    stream: true,
    tools: [
      { name: "Read", description: "Read does", input_schema: { type: "object", properties: {} } },
      { name: "Edit", description: "Edit does", input_schema: { type: "object", properties: {} } },
    ],
    system: [
      { type: "text", text: "static", cache_control: MARK },
      { type: "text", text: "session" },
    ],
    messages: [
      { role: "user", content: [{ type: "text", text: "look", cache_control: MARK }] },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "hm", signature: "sig" },
          { type: "server_tool_use", id: "s", name: "q", input: {} },
          { type: "tool_use", id: "t1", name: "Read", input: { path: "a" } },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "t1", content: "" },
          { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" }, cache_control: MARK },
        ],
      },
    ],
  });
});

test("never more than four marks, and one is left for the messages", async () => {
  const system = ["a", "b", "c", "d", "e"].map((text) => ({ text, cache: true }));
  const messages = [ask("1"), assistant([{ type: "text", text: "x" }]), ask("2")];
  const { body } = await sent({ system, messages });
  const marked = (blocks: unknown) => JSON.stringify(blocks).split("cache_control").length - 1;
  expect([marked(body.system), body.messages.map(marked)]).toEqual([3, [0, 0, 1]]);
});

test("another model's thoughts, and unsigned ones, stay behind; one model's many names are one model", async () => {
  const thoughts = (model: string) =>
    assistant(
      [
        { type: "thinking", thinking: "hm", signature: "sig" },
        { type: "thinking", thinking: "unsigned", signature: "" },
        { type: "redacted_thinking", data: "d" },
        { type: "text", text: "so" },
      ],
      model,
    );
  const kinds = async (answered: string, asked: string) => {
    const { body } = await sent({ model: asked, messages: [ask("1"), thoughts(answered), ask("2")] });
    const content = body.messages[1]?.content;
    return typeof content === "string" ? content : content?.map((block) => block.type).join(" ");
  };
  const kept = "thinking redacted_thinking text";
  expect(await kinds("claude-haiku-4-5-20251001", "claude-haiku-4-5")).toBe(kept);
  expect(await kinds("anthropic/claude-4.5-haiku", "claude-haiku-4-5")).toBe(kept);
  expect(await kinds("claude-opus-4-5", "claude-haiku-4-5")).toBe("text");
  expect(await kinds("claude-sonnet-4-5[1m]", "claude-sonnet-4-5")).toBe(kept);
});

test("a thought kept for its own model is not kept for the model fallen back to", async () => {
  await using fake = await startFakeModel(() => say("ok"));
  const provider = providerAt(fake.url);
  const thought = assistant([
    { type: "thinking", thinking: "hm", signature: "sig" },
    { type: "text", text: "so" },
  ]);
  for (const model of ["claude-haiku-4-5", "claude-opus-4-5", "claude-haiku-4-5"]) {
    await all(provider, { model, messages: [ask("1"), thought, ask("2")] });
  }
  expect(fake.requests.map(({ text }) => text.includes("thinking"))).toEqual([true, false, true]);
  expect(fake.violations).toEqual([]);
});

test("half a character does not spoil the request", async () => {
  const content = `cut here: ${"🙂".slice(0, 1)} and \\ud83d written out`;
  const { body } = await sent({ messages: [ask(content)] });
  expect(body.messages).toEqual([
    {
      role: "user",
      content: [{ type: "text", text: "cut here: \ufffd and \\ud83d written out", cache_control: MARK }],
    },
  ]);
});

const off: Thinking = { type: "disabled" };
const auto: Thinking = { type: "adaptive" };
const budget = (tokens: number): Thinking => ({ type: "budget", tokens });
const shown = { type: "adaptive", display: "summarized" };
type ThinkingField = { type: string; budget_tokens?: number } | undefined;
const THINKING: [model: string, thinking: Thinking, maxTokens: number, expected: ThinkingField][] = [
  ["claude-opus-5-5", auto, 9_000, shown],
  ["claude-opus-5-5", off, 9_000, undefined],
  ["claude-opus-5-5", budget(4_000), 9_000, shown],
  ["claude-sonnet-5-5", off, 9_000, { type: "between_tools" }],
  ["claude-opus-4-8", off, 9_000, { type: "disabled" }],
  ["claude-opus-4-6", budget(4_000), 9_000, { type: "enabled", budget_tokens: 4_000 }],
  ["claude-opus-4-6", auto, 9_000, shown],
  ["claude-haiku-4-5", auto, 40_000, { type: "enabled", budget_tokens: 16_000 }],
  ["claude-haiku-4-5", budget(31_999), 9_000, { type: "enabled", budget_tokens: 4_500 }],
  ["claude-haiku-4-5", budget(31_999), 2_000, undefined],
  ["claude-haiku-4-5", off, 9_000, undefined],
  ["claude-opus-7", off, 9_000, undefined],
  ["claude-opus-7", auto, 9_000, shown],
  ["local/llama", auto, 9_000, undefined],
];
test.each(THINKING)("thinking: %s, %j, max_tokens %d", async (model, thinking, maxTokens, expected) => {
  expect((await sent({ model, thinking, maxTokens })).body.thinking).toEqual(expected);
});

const EFFORT: [model: string, effort: Effort, thinking: Thinking, expected: Effort | undefined][] = [
  ["claude-opus-5-5", "max", auto, "max"],
  ["claude-opus-4-6", "xhigh", auto, "high"],
  ["claude-opus-4-5", "max", auto, "high"],
  ["claude-haiku-4-5", "high", auto, undefined],
  ["claude-opus-5", "max", off, "high"],
  ["local/llama", "high", auto, undefined],
];
test.each(EFFORT)("effort: %s, %s, %j", async (model, effort, thinking, expected) => {
  const { body } = await sent({ model, effort, thinking });
  expect(body.output_config).toEqual(expected && { effort: expected });
});

test("headers: a key, and nothing about this machine or from the environment", async () => {
  process.env.ANTHROPIC_CUSTOM_HEADERS = "X-From-Env: 1";
  try {
    const { headers, path } = await sent(
      { model: "sonnet" },
      { betas: ["b1", "b1", "b2"], headers: { "X-Team": "é" } },
    );
    const { host, "content-length": _, connection, "accept-encoding": encoding, ...rest } = headers;
    expect([path, Boolean(host && connection && encoding)]).toEqual(["/v1/messages", true]);
    expect(rest).toEqual({
      accept: "application/json",
      "content-type": "application/json",
      "anthropic-version": expect.stringMatching(/^20\d\d-\d\d-\d\d$/),
      "anthropic-beta": "b1,b2",
      "x-api-key": KEY,
      "x-team": expect.any(String),
      "user-agent": "nanocode",
    });
  } finally {
    delete process.env.ANTHROPIC_CUSTOM_HEADERS;
  }
});

test("headers: a token is a bearer; the person's own headers win", async () => {
  const auth = { kind: "token", value: "tok-abcdefgh", from: "ANTHROPIC_AUTH_TOKEN" } as const;
  const first = await sent({}, { auth, headers: { "User-Agent": "mine/1" } });
  const { authorization, "x-api-key": key, "user-agent": agent } = first.headers;
  expect([authorization, key, agent]).toEqual(["Bearer tok-abcdefgh", undefined, "mine/1"]);
  const second = await sent({}, { auth, headers: { AUTHORIZATION: "Basic Zm9v" } });
  expect(second.headers.authorization).toBe("Basic Zm9v");
});

test("the long context of an older model is a beta, and never part of its name", async () => {
  const { body, headers } = await sent({ model: resolveModel("claude-sonnet-4-5[1m]").id });
  expect([body.model, headers["anthropic-beta"]]).toEqual(["claude-sonnet-4-5", "context-1m-2025-08-07"]);
});

test("over a whole conversation every request begins with the one before it", async () => {
  await using fake = await startFakeModel(
    (_, index) => reply([think(`t${index}`), say(`s${index}`), call("Read", { n: index })]),
    {},
  );
  const provider = providerAt(fake.url);
  const messages: Message[] = [ask("start")];
  const reads: number[] = [];
  for (let turn = 0; turn < 8; turn++) {
    const system = [{ text: "long ".repeat(2_000), cache: true }];
    const events = joined(await all(provider, { messages, system, tools: [tool("Read")], model: "claude-opus-4-6" }));
    const blocks = events.flatMap((event) => (event.type === "block" ? [event.block] : []));
    const begun = events[0]?.type === "start" ? events[0] : undefined;
    reads.push(begun?.usage.cache_read_input_tokens ?? -1);
    const result: UserMessage = {
      role: "user",
      id: `u${turn}`,
      content: [{ type: "tool_result", tool_use_id: `toolu_${turn}_2`, content: `file ${turn}\n`.repeat(100) }],
    };
    messages.push(assistant(blocks, "claude-opus-4-6"), result);
  }
  expect(fake.violations).toEqual([]);
  expect(fake.requests.length).toBe(8);
  // Byte for byte, but for the marks.
  const texts = fake.requests.map(({ text }) => text.replaceAll(',"cache_control":{"type":"ephemeral"}', ""));
  for (const [n, text] of texts.entries()) {
    const before = texts[n - 1];
    if (before !== undefined) expect(text.startsWith(before.slice(0, -"]}".length))).toBe(true);
  }
  expect(reads[0]).toBe(0);
  for (const [n, read] of reads.entries())
    if (n > 0) expect(read).toBeGreaterThan(Math.max(2_500, reads[n - 1] ?? 0) - 1);
});

test("a body of 2,000 messages is built within a frame", () => {
  const messages: Message[] = Array.from({ length: 2_000 }, (_, n) =>
    n % 2 === 0 ? ask(`line of code();\n`.repeat(120)) : assistant([{ type: "text", text: "word ".repeat(40) }]),
  );
  const cache = new BodyCache();
  const info = resolveModel("claude-opus-5-5");
  const build = (): number => {
    const from = performance.now();
    const body = requestPieces(request({ messages: [...messages], model: info.id }), info, info.id, cache).join("");
    if (body.length < 2_000_000) throw new Error("too small");
    return performance.now() - from;
  };
  const plainly = (): number => {
    const from = performance.now();
    if (JSON.stringify(messages).length < 2_000_000) throw new Error("too small");
    return performance.now() - from;
  };
  build();
  // A frame, or where the machine is slow or busy: a few times what it takes there just to write the messages down.
  const least = (measure: () => number) => Math.min(...Array.from({ length: 5 }, measure));
  expect(least(build)).toBeLessThan(Math.max(16, 3 * least(plainly)));
});

test("one buffer holds one body after another, whatever their sizes and characters; two at once do not meet", () => {
  const buffer = new BodyBuffer();
  const text = (bytes: Uint8Array) => new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  const large = ["é".repeat(50_000), "€", "x".repeat(70_000), "😀".repeat(30_000)];
  for (const pieces of [["a", "b"], large, ["short ü"], [], ["\u{1F600}"]]) {
    const body = buffer.fill(pieces);
    const other = buffer.fill(["other"]);
    expect([text(body.bytes), text(other.bytes)]).toEqual([pieces.join(""), "other"]);
    other.release();
    expect(text(buffer.fill(["third"]).bytes)).toBe("third");
    expect(text(body.bytes)).toBe(pieces.join(""));
    body.release();
  }
});

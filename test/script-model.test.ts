// The scripted model: the events of a reply, expectations, placeholders, failures, and the messages for a malformed file.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ModelError, UsageError } from "../src/core/errors.ts";
import type { Message, ModelRequest, ProviderEvent, ToolResult, UserBlock } from "../src/core/types.ts";
import { scriptProvider, type ScriptOptions } from "../src/model/script.ts";

const ids = () => {
  const next = { msg: 0, toolu: 0 };
  return (prefix: "msg" | "toolu") => `${prefix}_${++next[prefix]}`;
};
const load = (lines: string | object[], options: ScriptOptions = {}) => {
  const text = typeof lines === "string" ? lines : lines.map((line) => JSON.stringify(line)).join("\n");
  return scriptProvider(text, "demo.jsonl", { newId: ids(), ...options });
};
const request = (messages: Message[], more: Partial<ModelRequest> = {}): ModelRequest => ({
  model: "script:demo.jsonl",
  system: [{ text: "You are careful.", cache: true }],
  messages,
  tools: [{ name: "Read", description: "", schema: {} }],
  maxTokens: 1000,
  thinking: { type: "disabled" },
  raw: false,
  restartable: () => true,
  ...more,
});
const user = (...content: UserBlock[]): Message => ({ role: "user", id: "u", content });
const say = (text: string) => user({ type: "text", text });
const result = (content: ToolResult["content"], more: Partial<ToolResult> = {}): ToolResult => ({
  type: "tool_result",
  tool_use_id: "toolu_1",
  content,
  ...more,
});
const called = (name: string): Message => ({
  role: "assistant",
  id: "a",
  content: [{ type: "tool_use", id: "toolu_1", name, input: {} }],
  model: "m",
  stopReason: "tool_use",
  usage: { input_tokens: 1, output_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 },
});
const live = () => new AbortController().signal;

async function events(provider: ReturnType<typeof load>, req = request([say("hi")]), signal = live()) {
  const found: ProviderEvent[] = [];
  for await (const event of provider.stream(req, signal)) found.push(event);
  return found;
}
async function failure(run: Promise<unknown>): Promise<ModelError> {
  const error = await run.then(
    () => undefined,
    (e: unknown) => e,
  );
  if (error instanceof ModelError) return error;
  throw new Error(`expected a ModelError, got ${error}`);
}
const malformed = (line: string) => {
  try {
    load(line);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error("the line was accepted");
};

describe("a reply", () => {
  test("streams thinking, text in words, then the calls", async () => {
    const provider = load([
      { think: "Hm, 5 €", text: "Ich  lese\nzwei.", calls: [{ tool: "Read", input: { n: 1 } }, { tool: "Grep" }] },
    ]);
    const usage = { cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
    const found = await events(provider);
    const start = found[0];
    const inputTokens = start?.type === "start" ? start.usage.input_tokens : 0;
    expect(inputTokens).toBeGreaterThan(20);
    expect(found).toEqual([
      {
        type: "start",
        id: "msg_1",
        model: "script:demo.jsonl",
        usage: { ...usage, input_tokens: inputTokens, output_tokens: 1 },
      },
      { type: "thinking.delta", text: "Hm, " },
      { type: "thinking.delta", text: "5 " },
      { type: "thinking.delta", text: "€" },
      { type: "block", block: { type: "thinking", thinking: "Hm, 5 €", signature: "" } },
      { type: "text.delta", text: "Ich  " },
      { type: "text.delta", text: "lese\n" },
      { type: "text.delta", text: "zwei." },
      { type: "block", block: { type: "text", text: "Ich  lese\nzwei." } },
      { type: "block", block: { type: "tool_use", id: "toolu_1", name: "Read", input: { n: 1 } } },
      { type: "block", block: { type: "tool_use", id: "toolu_2", name: "Grep", input: {} } },
      {
        type: "end",
        stopReason: "tool_use",
        usage: { ...usage, input_tokens: inputTokens, output_tokens: expect.any(Number) },
      },
    ]);
  });

  test("pieces join to the text exactly, whatever it is made of", async () => {
    for (const text of [" ", "\n\n a", "a", "👩‍👩‍👧 x  ", "\u00a0é\tß\r\n", "wort ".repeat(500)]) {
      for (const chunk of [1, 3, 10_000]) {
        const found = await events(load([{ text, chunk }]));
        expect(found.flatMap((e) => (e.type === "text.delta" ? [e.text] : [])).join("")).toBe(text);
      }
    }
  });

  test("takes stop, usage and id from the line", async () => {
    const usage = { input_tokens: 7, output_tokens: 9, cache_read_input_tokens: 5, cache_creation_input_tokens: 3 };
    const found = await events(load([{ stop: "refusal", usage }]));
    expect(found.slice(1)).toEqual([{ type: "end", stopReason: "refusal", usage }]);
    const [, block] = await events(load([{ calls: [{ tool: "Read", id: "toolu_mine" }] }]));
    expect(block).toEqual({ type: "block", block: { type: "tool_use", id: "toolu_mine", name: "Read", input: {} } });
  });

  test("ids of two runs of one script differ, so a resumed session stays valid", async () => {
    const script = JSON.stringify({ calls: [{ tool: "Read" }] });
    const [a, b] = await Promise.all([1, 2].map(() => events(scriptProvider(script, "s"))));
    const idOf = (found: ProviderEvent[] | undefined) =>
      found?.flatMap((e) => (e.type === "block" && e.block.type === "tool_use" ? [e.block.id] : []))[0];
    expect(idOf(a)).toMatch(/^toolu_[a-z0-9_]+$/);
    expect(idOf(a)).not.toBe(idOf(b));
  });

  test("comes with the wire's own events when they are asked for", async () => {
    const provider = load([{ text: "a b", calls: [{ tool: "Read", input: { x: "é" } }] }]);
    const found = await events(provider, request([say("hi")], { raw: true }));
    const wire = found.flatMap((e) => (e.type === "raw" ? [JSON.parse(JSON.stringify(e.event))] : []));
    expect(wire.slice(1)).toEqual([
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "a " } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "b" } },
      { type: "content_block_stop", index: 0 },
      {
        type: "content_block_start",
        index: 1,
        content_block: { type: "tool_use", id: "toolu_1", name: "Read", input: {} },
      },
      { type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json: '{"x":"é"}' } },
      { type: "content_block_stop", index: 1 },
      {
        type: "message_delta",
        delta: { stop_reason: "tool_use", stop_sequence: null },
        usage: expect.objectContaining({ output_tokens: expect.any(Number) }),
      },
      { type: "message_stop" },
    ]);
    expect(wire[0]).toMatchObject({ type: "message_start", message: { id: "msg_1", role: "assistant", content: [] } });
  });

  test("waits before each piece, and an abort ends the wait at once with its reason", async () => {
    const waits: number[] = [];
    const noted = load([{ text: "a b", delayMs: 40 }], { sleep: async (ms) => void waits.push(ms) });
    await events(noted);
    expect(waits).toEqual([40, 40]);

    const controller = new AbortController();
    const reason = new Error("stopped by the person");
    const slow = load([{ text: "a b", delayMs: 60_000 }]).stream(request([say("hi")]), controller.signal);
    const started = slow[Symbol.asyncIterator]();
    expect((await started.next()).value).toMatchObject({ type: "start" });
    const waiting = started.next();
    controller.abort(reason);
    expect(await waiting.catch((e: unknown) => e)).toBe(reason);
    expect(await events(load([{ text: "a" }]), request([say("x")]), controller.signal).catch((e: unknown) => e)).toBe(
      reason,
    );
  });
});

describe("the run", () => {
  test("a scripted failure is a ModelError, and the next request gets the next line", async () => {
    const fail = { kind: "overloaded", message: "busy", status: 529, retryAfterMs: 20 };
    const provider = load([{ fail }, { text: "now" }]);
    const error = await failure(events(provider));
    expect({ ...error, message: error.message }).toEqual({ ...fail, name: "ModelError" } as never);
    expect((await events(provider)).at(-1)).toMatchObject({ type: "end", stopReason: "end_turn" });
  });

  test("says when it is over", async () => {
    const provider = load([{ text: "only" }]);
    await events(provider);
    const error = await failure(events(provider));
    expect([error.kind, error.message]).toEqual([
      "invalid",
      "demo.jsonl: the script ends after 1 reply, but this is request 2. Add a line for it, or let the reply before make no calls.",
    ]);
  });

  test("captures and variables fill text, inputs and later expectations; a backslash keeps them", async () => {
    const provider = load(
      [
        { capture: { file: "in (\\S+)", all: "\\d+" }, calls: [{ tool: "Read", input: { p: ["{{cwd}}/{{file}}"] } }] },
        { expect: { lastResult: "<{{file}}>" }, text: "{{file}} {{all}} \\{{file}} {{ x }} {{$&}}" },
      ],
      { vars: { cwd: "/tmp/$& x" } },
    );
    const [, block] = await events(provider, request([say("q"), called("Grep"), user(result("12 hits in ä$1.txt"))]));
    expect(block).toMatchObject({ block: { input: { p: ["/tmp/$& x/ä$1.txt"] } } });
    const found = await events(provider, request([say("q"), called("Read"), user(result("<ä$1.txt>"))]));
    expect(found.at(-2)).toEqual({
      type: "block",
      block: { type: "text", text: "ä$1.txt 12 {{file}} {{ x }} {{$&}}" },
    });
  });
});

describe("an expectation", () => {
  const bash = (content: ToolResult["content"], more: Partial<ToolResult> = {}) =>
    request([say("run it"), called("Bash"), user(result(content, more))]);
  const outcome = (expectation: object, req: ModelRequest) =>
    events(load([{ expect: expectation, text: "ok" }]), req).then(
      () => "met",
      (error: unknown) => (error instanceof ModelError && error.kind === "invalid" ? error.message : error),
    );

  test("that is met lets the reply through", async () => {
    const met = [
      { lastResult: "FAIL" },
      {
        lastResult: {
          contains: ["FAIL", "€"],
          matches: "^1 .*$",
          not: { equals: "x", contains: "pass" },
          isError: false,
        },
      },
      { lastResult: { equals: "FAIL\n1 €" } },
      { results: ["FAIL"] },
      { lastUser: { equals: "run it", not: "walk" } },
      { request: { model: "script:", system: { matches: "careful\\.$" }, tools: ["Read"], messages: 3 } },
    ];
    for (const expectation of met)
      expect([expectation, await outcome(expectation, bash("FAIL\n1 €"))]).toEqual([expectation, "met"]);
    expect(await outcome({ lastResult: { isError: true } }, bash("x", { is_error: true }))).toBe("met");
    expect(
      await outcome(
        { lastResult: "two" },
        bash([
          { type: "text", text: "one" },
          { type: "text", text: "two" },
        ]),
      ),
    ).toBe("met");
  });

  test("that is not met names line, field, what was expected and what came", async () => {
    const table: [object, string][] = [
      [
        { lastResult: { contains: "FAIL" } },
        'expect.lastResult.contains: expected the result of Bash to contain "FAIL"; it was "3 passed"',
      ],
      [
        { lastResult: { contains: ["3", "4"] } },
        'expect.lastResult.contains[1]: expected the result of Bash to contain "4"; it was "3 passed"',
      ],
      [
        { lastResult: { matches: "^p" } },
        'expect.lastResult.matches: expected the result of Bash to match /^p/mu; it was "3 passed"',
      ],
      [
        { lastResult: { not: "passed" } },
        'expect.lastResult.not.contains: expected the result of Bash not to contain "passed"; it was "3 passed"',
      ],
      [
        { lastResult: { isError: true } },
        'expect.lastResult.isError: expected the result of Bash to be an error; it was "3 passed"',
      ],
      [{ results: ["3", "x"] }, "expect.results: expected 2, got 1"],
      [
        { lastUser: { equals: "x" } },
        'expect.lastUser.equals: expected the last user text to equal "x"; it was "run it"',
      ],
      [
        { request: { tools: ["Read", "Edit"] } },
        "expect.request.tools[1]: expected the tool Edit to be offered; offered: Read",
      ],
      [{ request: { messages: 1 } }, "expect.request.messages: expected 1, got 3"],
      [
        { request: { model: "opus" } },
        'expect.request.model.contains: expected the model to contain "opus"; it was "script:demo.jsonl"',
      ],
    ];
    for (const [expectation, message] of table) {
      expect(await outcome(expectation, bash("3 passed"))).toBe(`demo.jsonl:1: ${message}`);
    }
    expect(await outcome({ lastResult: "x" }, request([say("hi")]))).toBe(
      "demo.jsonl:1: expect.lastResult.contains: the last message holds no such tool result",
    );
    const captured = events(load([{ capture: { a: "(z)" }, text: "x" }]), bash("abc"));
    expect((await failure(captured)).message).toBe("demo.jsonl:1: capture.a: the last result does not match /(z)/mu");
  });

  test("shows a bounded part of what came, cut between characters", async () => {
    const message = String(await outcome({ lastResult: "x" }, bash("😀".repeat(5000))));
    expect(message.length).toBeLessThan(600);
    expect(message.isWellFormed()).toBe(true);
    expect(message).toEndWith("… (10002 characters in all)");
  });
});

describe("a malformed file", () => {
  test("is refused with file, line, field and what to write instead", () => {
    const table: [string, string][] = [
      ["", 'demo.jsonl has no replies: write one JSON object per line, for example {"text": "Hello."}'],
      [
        "// only this\r\n\r\n",
        'demo.jsonl has no replies: write one JSON object per line, for example {"text": "Hello."}',
      ],
      ["[]", "demo.jsonl:1: the line must be an object, got a list"],
      ["{}", "demo.jsonl:1: the line is an empty reply; give it a text, calls, think, stop or fail"],
      ['\uFEFF// x\r\n\r\n{"text": 1}', "demo.jsonl:3: text must be a string, got number"],
      ['{"txt": "x"}', 'demo.jsonl:1: the line has an unknown field "txt"; did you mean "text"?'],
      ['{"calls": {}}', "demo.jsonl:1: calls must be a list, got an object"],
      ['{"calls": [{"tool": "Read", "input": "x"}]}', "demo.jsonl:1: calls[0].input must be an object, got string"],
      ['{"calls": [{"tool": "A"}, {"tool": ""}]}', "demo.jsonl:1: calls[1].tool must name a tool"],
      ['{"calls": [{"name": "A"}]}', 'demo.jsonl:1: calls[0] has an unknown field "name"; it may have tool, input, id'],
      ['{"calls": [{"tool": "A", "id": "a b"}]}', "demo.jsonl:1: calls[0].id must be 1 to 64 letters, digits, _ and -"],
      ['{"text": "a", "chunk": 0}', "demo.jsonl:1: chunk must be a whole number from 1 to 10000, got 0"],
      ['{"text": "a", "delayMs": 1e9}', "demo.jsonl:1: delayMs must be a whole number from 0 to 60000, got 1000000000"],
      [
        '{"text": "a", "usage": {"input_tokens": -1}}',
        "demo.jsonl:1: usage.input_tokens must be a whole number from 0, got -1",
      ],
      [
        '{"text": "a", "expect": {"lastResult": {"isEror": true}}}',
        'demo.jsonl:1: expect.lastResult has an unknown field "isEror"; did you mean "isError"?',
      ],
      [
        '{"text": "a", "expect": {"lastUser": {"isError": true}}}',
        'demo.jsonl:1: expect.lastUser has an unknown field "isError"; it may have contains, equals, matches, not',
      ],
      [
        '{"text": "a", "expect": {"request": {"tools": [1]}}}',
        "demo.jsonl:1: expect.request.tools[0] must be a string, got number",
      ],
      [
        '{"fail": {"kind": "overload"}}',
        'demo.jsonl:1: fail.kind must be one of overloaded, rate_limit, auth, too_long, invalid, network, stalled, server, got "overload"; did you mean "overloaded"?',
      ],
      [
        '{"text": "see {{wd}}"}',
        "demo.jsonl:1: text uses {{wd}}, which is not captured before (known: none); write \\{{wd}} for the text itself",
      ],
      [
        '{"text": "{{a}}"}\n{"text": "x", "capture": {"a": "b"}}',
        "demo.jsonl:1: text uses {{a}}, which is not captured before (known: none); write \\{{a}} for the text itself",
      ],
      [
        '{"calls": [{"tool": "A", "input": {"p": ["{{x}}"]}}]}',
        "demo.jsonl:1: calls[0].input.p[0] uses {{x}}, which is not captured before (known: none); write \\{{x}} for the text itself",
      ],
      ['{"text": "x", "capture": {"a-b": "c"}}', "demo.jsonl:1: capture.a-b must be named with letters, digits and _"],
    ];
    for (const [text, message] of table) expect(malformed(text)).toBe(message);
    expect(malformed('{"text": "x",\n "chunk": 2}')).toMatch(
      /^demo\.jsonl:1: the line is not valid JSON \(.+\); a reply is one JSON object on one line$/,
    );
    expect(malformed('{"text": "x", "expect": {"lastResult": {"matches": "("}}}')).toStartWith(
      "demo.jsonl:1: expect.lastResult.matches is not a regular expression: ",
    );
  });
});

test("the example of docs/script-format.md runs", async () => {
  const page = readFileSync(join(import.meta.dir, "../docs/script-format.md"), "utf8");
  const example = /```jsonl\n([^]*?)```/.exec(page)?.[1] ?? "";
  const provider = load(example, { vars: { cwd: "/w" } });
  const first = await events(provider, request([say("Where is the marker?")]));
  expect(first.at(-2)).toMatchObject({ block: { name: "Grep", input: { pattern: "MARKER", path: "/w" } } });
  const found = request([say("Where is the marker?"), called("Grep"), user(result("Found 1 file\nnotes/ä.txt"))]);
  expect((await events(provider, found)).at(-2)).toEqual({
    type: "block",
    block: { type: "text", text: "It is in notes/ä.txt." },
  });
});

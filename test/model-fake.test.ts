// The fake model itself: it must refuse what the real one refuses, and what breaks the cached prefix.
import { expect, test } from "bun:test";
import { say, startFakeModel, type FakeModel } from "./fake-model.ts";

const user = (content: unknown) => ({ role: "user", content });
const model = (content: unknown) => ({ role: "assistant", content });
const use = (id: string) => ({ type: "tool_use", id, name: "Read", input: {} });
const result = (tool_use_id: string) => ({ type: "tool_result", tool_use_id, content: "x" });
const marked = (text: string) => ({ type: "text", text, cache_control: { type: "ephemeral" } });

type Answer = { error: { type: string; message: string }; usage: Record<string, number> };

async function post(fake: FakeModel, messages: unknown, more: object = {}) {
  const body = JSON.stringify({ model: "m", max_tokens: 2_000, messages, ...more });
  const response = await fetch(`${fake.url}/v1/messages`, { method: "POST", body });
  const parsed: Answer = JSON.parse(await response.text());
  return { status: response.status, body: parsed };
}

test.each([
  ["an assistant first", [model("x"), user("y")], "the first message is not the user's"],
  ["an assistant last", [user("x"), model("y")], "the last message is not the user's"],
  ["two users", [user("x"), user("y")], "two user messages in a row"],
  ["no messages", [], "messages: empty"],
  ["empty content", [user([])], "empty content"],
  ["blank text", [user([{ type: "text", text: " \n" }])], "something besides whitespace"],
  ["an unanswered call", [user("x"), model([use("a")]), user("y")], "tool_use a is answered 0 times"],
  ["a call answered twice", [user("x"), model([use("a")]), user([result("a"), result("a")])], "answered 2 times"],
  ["an answer to nothing", [user([result("a")])], "tool_result a has no call"],
  ["an answer too late", [user("x"), model([use("a")]), user("y"), model("z"), user([result("a")])], "has no call"],
  ["an id twice", [user("x"), model([use("a"), use("a")]), user([result("a")])], "used twice"],
  [
    "text before results",
    [user("x"), model([use("a")]), user([{ type: "text", text: "t" }, result("a")])],
    "come first",
  ],
  ["fields of ours", [{ ...user("x"), id: "1" }], "extra fields id"],
  ["a list as input", [user("x"), model([{ ...use("a"), input: [] }]), user([result("a")])], "input is not an object"],
  ["five marks", [user(["a", "b", "c", "d", "e"].map(marked))], "5 marks"],
  [
    "unsigned thought",
    [user("x"), model([{ type: "thinking", thinking: "t", signature: "" }]), user("y")],
    "signature",
  ],
])("%s", async (_, messages, problem) => {
  await using fake = await startFakeModel([say("ok")]);
  const answer = await post(fake, messages);
  expect([answer.status, answer.body.error.type]).toEqual([400, "invalid_request_error"]);
  expect(answer.body.error.message).toContain(problem);
  expect(fake.violations.length).toBeGreaterThan(0);
});

test.each([
  ["tools that share a name", { tools: [{ name: "A" }, { name: "A" }] }, "names are not unique"],
  ["a budget above the output", { thinking: { type: "enabled", budget_tokens: 2_000 } }, "budget_tokens"],
  ["no output", { max_tokens: 0 }, "max_tokens"],
])("%s", async (_, more, problem) => {
  await using fake = await startFakeModel([say("ok")]);
  expect((await post(fake, [user("x")], more)).body.error.message).toContain(problem);
});

test("a conversation may only grow, unless a change is announced", async () => {
  await using fake = await startFakeModel(() => say("ok"));
  const turns = [user([marked("first")]), model("a"), user("b")];
  const grown = [user([{ type: "text", text: "first" }]), model("a"), user([{ type: "text", text: "b" }, marked("c")])];
  expect((await post(fake, turns)).status).toBe(200);
  expect((await post(fake, grown)).status).toBe(200);
  const changed = [user("first"), model("A"), user("b")];
  expect((await post(fake, changed)).body.error.message).toContain("messages.1 differs at byte");
  expect((await post(fake, turns, { tools: [{ name: "A" }] })).body.error.message).toContain("tool list differs");
  expect((await post(fake, [user("first")])).body.error.message).toContain("1 messages, the previous request had 3");
  fake.announceCompaction();
  expect((await post(fake, changed)).status).toBe(200);
  expect((await post(fake, [user("another")])).status).toBe(200);
  expect(fake.violations.length).toBe(4);
});

test("the prompt cache is played: a marked prefix is written once and read after", async () => {
  await using fake = await startFakeModel(() => say("ok"));
  const system = [marked("s".repeat(4_000))];
  const first = await post(fake, [user("q")], { system });
  const second = await post(fake, [user("q"), model("a"), user("r")], { system });
  const { cache_creation_input_tokens: written, cache_read_input_tokens: read } = first.body.usage;
  expect([(written ?? 0) > 1_000, read]).toEqual([true, 0]);
  expect(second.body.usage).toMatchObject({ cache_creation_input_tokens: 0, cache_read_input_tokens: Number(written) });
});

test("a script that is used up says so", async () => {
  await using fake = await startFakeModel([]);
  expect((await post(fake, [user("x")])).body.error.message).toBe("the script has no reply left");
  expect(fake.violations).toEqual(["request 0: the script has no reply left"]);
});

// The guard of the prompt cache: every way a prefix can break has its name, and what only grows has none.
import { expect, test } from "bun:test";
import type { CacheBreak } from "../src/core/cache.ts";
import type { Message, ModelRequest, Provider, ProviderEvent, Tool, ToolSpec, UserMessage } from "../src/core/types.ts";
import { CacheGuard, guarded, type Announcement } from "../src/model/guard.ts";
import { randomFrom } from "./fake-model-wire.ts";
import { all, ask, failure, request } from "./model-support.ts";
import * as core from "./support.ts";

const tool = (name: string, description = name): ToolSpec => ({ name, description, schema: { type: "object" } });
const answer = (text: string): Message => ({
  role: "assistant",
  id: text,
  content: [{ type: "text", text }],
  model: "claude-haiku-4-5",
  stopReason: "end_turn",
  usage: { input_tokens: 1, output_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 },
});
const memory = (text: string) =>
  `# Environment\nModel: x\n\n# Instructions\n<memory path="/p/NANOCODE.md" kind="project">\n${text}\n</memory>`;

const BASE = request({
  system: [
    { text: "static", cache: true },
    { text: memory("one"), cache: true },
  ],
  tools: [tool("Read"), tool("mcp__git__log")],
  messages: [ask("a"), answer("b"), ask("c")],
});

/** What is said about `change` after BASE was sent. */
function verdict(change: Partial<ModelRequest>, ...announced: Announcement[]) {
  const guard = new CacheGuard();
  expect(guard.check(BASE)).toEqual({ kind: "first" });
  for (const one of announced) guard.announce(one);
  return guard.check({ ...BASE, ...change });
}
function broken(
  change: Partial<ModelRequest>,
  ...announced: Announcement[]
): Omit<CacheBreak, "text"> & { text: string } {
  const found = verdict(change, ...announced);
  if (found.kind !== "broken") throw new Error(found.kind);
  return { ...found.break, text: found.break.text.replace("The prompt cache begins anew: ", "") };
}

test("what extends the request before is intact: new turns, and blocks added to the last one", () => {
  const [a, b] = BASE.messages;
  if (!a || !b) throw new Error("no messages");
  const grown: UserMessage = {
    ...ask("c"),
    role: "user",
    content: [
      { type: "text", text: "c" },
      { type: "text", text: "d" },
    ],
  };
  expect([
    verdict({}),
    verdict({ messages: [...BASE.messages, answer("d"), ask("e")] }),
    verdict({ messages: [a, b, grown] }),
    // Made anew, with the same content.
    verdict(structuredClone({ messages: BASE.messages, tools: BASE.tools, system: BASE.system })),
    verdict({ maxTokens: 9 }),
    verdict({}, "model", "compaction", "configured"),
  ]).toEqual(Array.from({ length: 6 }, () => ({ kind: "intact" as const })));
});

test("each cause is named, with the segment and what of it", () => {
  const { tools, system, messages } = BASE;
  const [first, second] = system;
  const [a, b, c] = messages;
  if (!first || !second || !a || !b || !c) throw new Error("no base");
  const said = (change: Partial<ModelRequest>) => {
    const { segment, cause, announced, text } = broken(change);
    return [segment, cause, announced, text];
  };
  expect([
    said({ model: "claude-opus-4-5", system: [] }),
    said({ tools: [...tools, tool("Edit")] }),
    said({ tools: tools.slice(1) }),
    said({ tools: [tool("Read", "other"), ...tools.slice(1)] }),
    said({ tools: tools.toReversed() }),
    said({ tools: [...tools, tool("mcp__git__diff")] }),
    said({ system: [first, { text: memory("two"), cache: true }] }),
    said({ system: [first, { text: `${memory("one")}\n\n# More\nx`, cache: true }] }),
    said({ system: [{ text: "other", cache: true }, second] }),
    said({ thinking: { type: "adaptive" } }),
    said({ effort: "low" }),
    said({ messages: [a, answer("B"), c] }),
    said({ messages: [a] }),
    said({ messages: [{ ...a, content: [...a.content, { type: "text", text: "more" }] } as UserMessage, b, c] }),
  ]).toEqual([
    ["model", "model", false, "the model is claude-opus-4-5 instead of claude-haiku-4-5."],
    ["tools", "tools", false, "the tool list changed (added Edit)."],
    ["tools", "tools", false, "the tool list changed (removed Read)."],
    ["tools", "tools", false, "the tool list changed (described otherwise Read)."],
    ["tools", "tools", false, "the tools stand in another order."],
    ["tools", "server", false, "the tools of the server git changed (added mcp__git__diff)."],
    ["system block 2", "memory", false, 'system block 2 changed in the memory file "/p/NANOCODE.md".'],
    ["system block 2", "prompt", false, 'system block 2 changed below "More".'],
    ["system block 1", "prompt", false, "system block 1 changed."],
    ["thinking", "thinking", false, "thinking or effort is set otherwise."],
    ["thinking", "thinking", false, "thinking or effort is set otherwise."],
    ["message 2", "history", false, "message 2 of 3 changed (assistant, text 1)."],
    ["message 2", "history", false, "message 2 of 3 is gone."],
    ["message 1", "history", false, "message 1 of 3 changed (user, new block 2)."],
  ]);
});

test("the same words said by the other side are a change", () => {
  const [a, , c] = BASE.messages;
  if (!a || !c) throw new Error("no messages");
  expect(broken({ messages: [a, ask("b"), c] })).toMatchObject({ segment: "message 2", cause: "history" });
});

test("what was announced is told as that, and explains nothing else", () => {
  const opus = { model: "claude-opus-4-5", system: [], thinking: { type: "adaptive" } } as const;
  expect(broken(opus, "model")).toMatchObject({ segment: "model", announced: true });
  const fewer = { messages: [ask("summary")] };
  expect(broken(fewer, "compaction")).toMatchObject({ segment: "message 1", cause: "compaction", announced: true });
  expect(broken({ tools: [], system: [] }, "configured")).toMatchObject({ segment: "tools", announced: true });
  expect(broken({ ...fewer, tools: [] }, "compaction")).toMatchObject({ segment: "tools", announced: false });
  expect(broken(fewer, "model", "configured")).toMatchObject({ cause: "history", announced: false });
  // It counts for one request only.
  const guard = new CacheGuard();
  guard.check(BASE);
  guard.announce("compaction");
  guard.check(BASE);
  expect(guard.check({ ...BASE, ...fewer })).toMatchObject({ kind: "broken", break: { announced: false } });
});

test("a compaction that was recorded says which kind it was", () => {
  const guard = new CacheGuard();
  guard.check(BASE);
  const messages = [ask("summary")];
  guard.note({ type: "compacted", trigger: "auto", messages, preTokens: 9, how: "pruned" });
  expect(guard.check({ ...BASE, messages })).toMatchObject({
    break: { cause: "compaction", text: "The prompt cache begins anew: old tool results were taken out." },
  });
});

test("property: hashing only what is new says the same as hashing everything again", () => {
  const random = randomFrom(7);
  const guard = new CacheGuard();
  let messages: Message[] = [ask("0")];
  let before = messages;
  for (let turn = 1; turn < 400; turn++) {
    const dice = random();
    if (dice < 0.9) messages = [...messages, answer(`a${turn}`), ask(`u${turn}`)];
    else if (dice < 0.95) messages = messages.with(Math.floor(random() * messages.length), ask(`changed ${turn}`));
    else messages = messages.slice(0, 1 + Math.floor(random() * messages.length));
    const fresh = new CacheGuard();
    fresh.check({ ...BASE, messages: structuredClone(before) });
    const whole = fresh.check({ ...BASE, messages: structuredClone(messages) });
    if (turn > 1) expect(guard.check({ ...BASE, messages })).toEqual(whole);
    else guard.check({ ...BASE, messages });
    before = messages;
  }
});

const usage = { input_tokens: 5, output_tokens: 1, cache_creation_input_tokens: 20, cache_read_input_tokens: 75 };

function counting(): { provider: Provider; sent: ModelRequest[] } {
  const sent: ModelRequest[] = [];
  async function* stream(request: ModelRequest): AsyncGenerator<ProviderEvent> {
    sent.push(request);
    yield { type: "end", stopReason: "end_turn", usage };
  }
  return { provider: { stream }, sent };
}

test("a break is a warning, an announced one a notice, and the request is sent", async () => {
  const { provider, sent } = counting();
  const guard = new CacheGuard();
  const watched = guarded(provider, guard, false);
  const end: ProviderEvent = { type: "end", stopReason: "end_turn", usage };
  expect(await all(watched, BASE)).toEqual([end]);
  const text = "The prompt cache begins anew: the tool list changed (removed Read, mcp__git__log).";
  expect(await all(watched, { ...BASE, tools: [] })).toEqual([{ type: "notice", level: "warning", text }, end]);
  guard.note({ type: "model", model: "m", reason: "chosen" });
  expect((await all(watched, { ...BASE, tools: [], model: "m" })).map((e) => e.type === "notice" && e.level)).toEqual([
    "info",
    false,
  ]);
  expect(sent.length).toBe(3);
  expect(guard.report).toMatchObject({
    requests: 3,
    breaks: 2,
    missed: 1,
    last: { cause: "model", announced: true },
    usage: { input_tokens: 15, cache_creation_input_tokens: 60, cache_read_input_tokens: 225 },
  });
});

test("strict: what nobody announced is an error and is not sent; what was announced is", async () => {
  const { provider, sent } = counting();
  const guard = new CacheGuard();
  const watched = guarded(provider, guard, true);
  await all(watched, BASE);
  const error = await failure(watched, { ...BASE, tools: [] });
  expect(error.message).toStartWith("--cache-strict: The prompt cache begins anew: the tool list changed");
  expect(sent.length).toBe(1);
  guard.announce("compaction");
  await all(watched, { ...BASE, messages: [ask("summary")] });
  expect(sent.length).toBe(2);
});

test("a model that stands in is what the next request is compared with", async () => {
  async function* stream(): AsyncGenerator<ProviderEvent> {
    yield { type: "model", model: "second", reason: "overloaded" };
  }
  const guard = new CacheGuard();
  await all(guarded({ stream }, guard, false), BASE);
  expect(guard.check({ ...BASE, model: "second" })).toEqual({ kind: "intact" });
});

test("strict, in the loop: a tool that comes during the run ends it before the next request", async () => {
  const provider = core.played([core.reply([core.call("t1", "Add")]), core.reply([core.text("never asked")])]);
  const tools = new Map<string, Tool>();
  const extra = core.tool("Extra", { kind: "none" }, () => ({ content: "" }));
  const add = core.tool("Add", { kind: "none" }, () => {
    tools.set("Extra", extra);
    return { content: "added" };
  });
  tools.set("Add", add);
  const run = async (strict: boolean) => {
    tools.delete("Extra");
    const sent = provider.requests.length;
    const { agent } = core.agentWith(guarded(provider, new CacheGuard(), strict), [], { tools });
    const events = await core.collect(agent.prompt(core.user("go"), new AbortController().signal));
    return {
      sent: provider.requests.length - sent,
      last: events.at(-1),
      notices: events.filter((e) => e.type === "notice"),
    };
  };
  const text = "The prompt cache begins anew: the tool list changed (added Extra).";
  expect(await run(true)).toEqual({
    sent: 1,
    last: { type: "done", reason: "error", error: `--cache-strict: ${text} Nothing was sent.`, status: null },
    notices: [],
  });
});

test("not strict, in the loop: it is said and the run goes on", async () => {
  const tools = new Map<string, Tool>();
  const add = core.tool("Add", { kind: "none" }, () => {
    tools.delete("Old");
    return { content: "" };
  });
  for (const one of [add, core.tool("Old", { kind: "none" }, () => ({ content: "" }))]) tools.set(one.spec.name, one);
  const provider = core.played([core.reply([core.call("t1", "Add")]), core.reply([core.text("done")])]);
  const { agent } = core.agentWith(guarded(provider, new CacheGuard(), false), [], { tools });
  const events = await core.collect(agent.prompt(core.user("go"), new AbortController().signal));
  expect(events.filter((event) => event.type === "notice" || event.type === "done")).toEqual([
    { type: "notice", level: "warning", text: "The prompt cache begins anew: the tool list changed (removed Old)." },
    { type: "done", reason: "end_turn" },
  ]);
});

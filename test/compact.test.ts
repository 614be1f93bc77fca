// Compaction: which layer does what, what happens when the model does not help, and that it never goes round in circles.
import { describe, expect, test } from "bun:test";
import { skillBlock } from "../src/context/skills.ts";
import { messagesTokens } from "../src/context/budget.ts";
import { ModelError } from "../src/core/errors.ts";
import { normalise } from "../src/core/history.ts";
import { NO_USAGE } from "../src/core/state.ts";
import type { Compacted, CompactHow, CompactOutcome, Compactor, Event, Message, State } from "../src/core/types.ts";
import { keepIn } from "../src/context/keep.ts";
import {
  answering,
  asksForSummary,
  bash,
  compactorWith,
  did,
  edit,
  GOOD_SUMMARY,
  history,
  prose,
  read,
  said,
  summarising,
  THRESHOLD,
  type Kit,
} from "./compact-kit.ts";
import { agentWith, call, collect, problems, READ, reply, START, text, tool, user, type Step } from "./support.ts";
import { folder } from "./session-kit.ts";

const NEVER = new AbortController().signal;

async function compacted(messages: readonly Message[], how: CompactHow, kit: Kit) {
  const { compactor, kept } = compactorWith(kit);
  const state: State = { ...START, messages };
  const events: Event[] = [];
  const run = compactor.run(state, how, NEVER);
  for (let step = await run.next(); ; step = await run.next()) {
    if (!step.done) {
      events.push(step.value);
      continue;
    }
    return { outcome: step.value, events, kept };
  }
}

function made(outcome: CompactOutcome): Compacted {
  if (outcome.kind === "stuck") throw new Error(outcome.why);
  return outcome.event;
}

const wordsOf = (message: Message | undefined) =>
  message?.content.map((block) => (block.type === "text" ? block.text : "")).join("\n") ?? "";

describe("the first layer", () => {
  test("takes large old results out when that is enough, and says where they are", async () => {
    const big = history(12, 3_000);
    const recent = history(9, 1_500).slice(1).map(renamed);
    const provider = summarising();
    const { outcome, kept } = await compacted([...big, ...recent], { reason: "threshold" }, { provider });
    const event = made(outcome);
    expect(event.how).toBe("pruned");
    expect(provider.requests).toEqual([]);
    expect(event.messages.length).toBe(big.length + recent.length);
    const [result] = event.messages[2]?.content ?? [];
    expect(result).toEqual({
      type: "tool_result",
      tool_use_id: "t0",
      content:
        "[Taken out to make room: the result of Read src/f0.ts, 9900 characters. The whole of it is in /scratch/t0 (Read it there if it is needed again).]",
    });
    expect(kept.get("t0")).toBe(prose(3_000, "word0"));
    // Of the last replies nothing is touched: the very objects stay.
    expect(event.messages.slice(-16)).toEqual(recent.slice(-16));
    expect(event.messages.at(-1)).toBe(recent.at(-1));
  });

  test("leaves the result of a command that still fails, and one that cannot be kept", async () => {
    const failed = did("bad", bash("npm test"), `${prose(2_000, "trace")}\nExit code 1`, true);
    const messages = [user("x"), ...failed, ...history(14, 3_000).slice(1), ...history(9, 100).slice(1).map(renamed)];
    const { outcome } = await compacted(
      messages,
      { reason: "threshold" },
      {
        provider: summarising(),
        keep: (name) => (name === "t3" ? undefined : `/scratch/${name}`),
      },
    );
    const event = made(outcome);
    const whole = event.messages.flatMap((m) =>
      m.content.flatMap((b) => (b.type === "tool_result" && String(b.content).length > 3_000 ? [b.tool_use_id] : [])),
    );
    expect({ how: event.how, whole }).toEqual({ how: "pruned", whole: ["bad", "t3"] });
  });

  test("is passed over when it frees too little", async () => {
    const talk = Array.from({ length: 30 }, (_, n) => [
      user(`${n} ${prose(900)}`, `q${n}`),
      said(`${n} ${prose(900)}`),
    ]).flat();
    const { outcome } = await compacted(
      [...history(3, 1_500), ...talk],
      { reason: "threshold" },
      { provider: summarising() },
    );
    expect(made(outcome).how).toBe("summarised");
  });
});

describe("the summary", () => {
  const long = () => [
    user("first wish: keep the API stable"),
    ...did("e1", edit("/p/src/a.ts"), "ok"),
    ...did("e2", edit("/p/src/a.ts"), "ok"),
    ...did("b1", bash("bun test"), "boom\n\nExit code 1", true),
    ...did("t1", { name: "TodoWrite", input: { todos: [{ content: "write docs", status: "in_progress" }] } }, "ok"),
    ...history(40, 1_300, 'now "fix"\nthe parser').map(renamed),
  ];

  test("is asked for once, with the request's own prefix, and holds what is known whatever the model writes", async () => {
    const provider = summarising();
    const spec = tool("Read", READ, () => ({ content: "" }));
    const system = [{ text: "be good", cache: true }];
    const kit = { provider, tools: new Map([["Read", spec]]), system: () => system };
    const { outcome, events, kept } = await compacted(long(), { reason: "manual", focus: "the tokenizer" }, kit);
    const event = made(outcome);
    const [request] = provider.requests;
    expect(provider.requests.length).toBe(1);
    expect(request?.messages.slice(0, -1)).toEqual(normalise(long()).slice(0, -1));
    expect({ system: request?.system, tools: request?.tools }).toEqual({ system, tools: [spec.spec] });
    expect(wordsOf(request?.messages.at(-1))).toContain("The person asks you to keep above all: the tokenizer");
    const [first, ...tail] = event.messages;
    expect(first?.role === "user" && first.summary).toEqual({
      goal: "Make the parser fast.",
      requests: ["first wish: keep the API stable", 'now "fix"\nthe parser'],
      decisions: "The tokenizer is in src/token.ts:12; a cache was tried and did not help.",
      files: [{ path: "/p/src/a.ts", why: "faster loop" }],
      failing: ["`bun test`: boom\n\nExit code 1"],
      todos: ["[>] write docs", "measure again"],
      next: "Run the benchmark.",
    });
    const words = wordsOf(first);
    for (const part of [
      'now "fix"\nthe parser',
      "- /p/src/a.ts: faster loop",
      "- [>] write docs",
      "boom",
      "/scratch/before-",
    ]) {
      expect(words).toContain(part);
    }
    // The end stays word for word, from a place where it makes sense.
    expect(tail).toEqual(long().slice(-tail.length));
    expect(tail.length).toBeGreaterThan(4);
    expect(problems(event.messages)).toEqual([]);
    expect(event.spent).toEqual({ model: "m", usage: { ...NO_USAGE, input_tokens: 10, output_tokens: 5 } });
    expect(events.map((e) => (e.type === "notice" ? e.text : e.type === "status" && e.status))).toEqual([
      "compacting",
      `Compacting: ${event.preTokens.toLocaleString("en-US")} tokens are used.`,
      `Compacted: ${event.preTokens.toLocaleString("en-US")} tokens to ${event.postTokens?.toLocaleString("en-US")} tokens (summarised).`,
      null,
    ]);
    const transcript = [...kept].find(([name]) => name.startsWith("before-"))?.[1] ?? "";
    expect(transcript).toContain("=== person\nfirst wish: keep the API stable");
    expect(transcript).toContain("=== result (error)\nboom");
  });

  test.each<[string, Step[]]>([
    ["chat instead of a summary", reply([text("Sure, I will go on!")])],
    ["a call", reply([call("x", "Read", {})])],
    ["a refusal", reply([text(GOOD_SUMMARY)], "refusal")],
    ["nothing", []],
    ["an error", [{ type: "throw", error: new ModelError("overloaded", "busy") }]],
  ])("does without the model when it answers with %s", async (_, steps) => {
    const { outcome, events } = await compacted(
      long(),
      { reason: "manual", focus: "" },
      { provider: answering(() => steps) },
    );
    const event = made(outcome);
    expect(event.how).toBe("listed");
    const [first] = event.messages;
    expect(first?.role === "user" && first.summary?.goal).toBe("first wish: keep the API stable");
    expect(wordsOf(first)).toContain("- /p/src/a.ts: changed 2 times");
    expect(events.filter((e) => e.type === "notice" && e.level === "warning").length).toBeGreaterThan(0);
  });

  test("what an earlier summary said is carried over, and a later word about it counts more", async () => {
    const earlier = made(
      (await compacted(long(), { reason: "manual", focus: "" }, { provider: summarising() })).outcome,
    );
    const more = [...earlier.messages, ...history(40, 1_300, "third wish").map(renamedTwice)];
    const words = GOOD_SUMMARY.replace("- measure again", "none");
    const second = made(
      (await compacted(more, { reason: "manual", focus: "" }, { provider: summarising(words) })).outcome,
    );
    const [first] = second.messages;
    expect(first?.role === "user" && first.summary).toMatchObject({
      requests: ["first wish: keep the API stable", 'now "fix" the parser', "third wish"],
      files: [{ path: "/p/src/a.ts", why: "faster loop" }],
      failing: [],
      // The list is as it was written; what the model had found beside it is done.
      todos: ["[>] write docs"],
    });
    const none = answering(() => reply([text("no")]));
    const third = made((await compacted(more, { reason: "manual", focus: "" }, { provider: none })).outcome);
    const [alone] = third.messages;
    expect(alone?.role === "user" && alone.summary).toMatchObject({
      goal: "Make the parser fast.",
      failing: ["`bun test`: boom\n\nExit code 1"],
      todos: ["[>] write docs", "measure again"],
    });
    const passed = [...more, ...did("b2", bash("bun test"), "fine")];
    const fourth = made((await compacted(passed, { reason: "manual", focus: "" }, { provider: none })).outcome);
    const [green] = fourth.messages;
    expect(green?.role === "user" && green.summary?.failing).toEqual([]);
  });

  test("the plan, skills and recent files are put in sight again", async () => {
    const box = folder();
    await Bun.write(`${box.path}/f2.ts`, "two </file> end");
    await Bun.write(`${box.path}/big.ts`, "line of text here\n".repeat(5_000));
    const deploy = `${skillBlock({ name: "deploy", folder: "/s", text: "push it" })}\nFollow it.`;
    const messages = [
      user("x"),
      ...did("p", { name: "ExitPlanMode", input: { plan: "1. measure" } }, "accepted"),
      ...did("a", read("f2.ts"), "two"),
      ...did("b", { name: "Read", input: { file_path: "big.ts", offset: 4_000 } }, "big"),
      ...did("c", read("gone.ts"), "gone"),
      ...did("d", read("secret.ts"), "s"),
      ...did("s", { name: "Skill", input: { skill: "deploy" } }, deploy),
      ...history(40, 1_300).slice(1).map(renamed),
    ];
    await Bun.write(`${box.path}/secret.ts`, "secret");
    const { compactor } = compactorWith({
      provider: summarising(),
      readable: (path) => !path.includes("secret"),
    });
    // The files of the kept tail are not shown a second time; those of the removed part do not exist on disk.
    const run = compactor.run({ ...START, cwd: box.path, messages }, { reason: "manual", focus: "" }, NEVER);
    let step = await run.next();
    while (!step.done) step = await run.next();
    const [first] = made(step.value).messages;
    box.remove();
    const blocks = first?.content.slice(1).map((b) => (b.type === "text" ? b.text.split("\n", 2).join(" ") : "")) ?? [];
    expect(blocks).toEqual(["<plan> 1. measure", '<skill name="deploy" folder="/s"> push it']);
  });
});

describe("when it is tight", () => {
  test("results that fill the window by themselves are cut, whole in a file", async () => {
    const messages = [user("look"), ...did("huge", read("log.txt"), prose(70_000))];
    const { outcome, kept } = await compacted(messages, { reason: "threshold" }, { provider: summarising() });
    const event = made(outcome);
    expect(event.how).toBe("cut");
    expect(problems(event.messages)).toEqual([]);
    expect(messagesTokens(event.messages)).toBeLessThan(THRESHOLD * 0.7);
    expect(kept.get("huge")).toBe(prose(70_000));
    const [result] = event.messages.at(-1)?.content ?? [];
    expect(result?.type === "tool_result" && result.content).toContain("the whole result is in /scratch/huge");
  });

  test("a request larger than the window is cut at last, and thousands of changed files are named in a file", async () => {
    const edits = Array.from({ length: 3_000 }, (_, n) =>
      did(`e${n}`, edit(`/p/src/deep/folder/name/file${n}.ts`), "ok"),
    ).flat();
    const messages = [user(`do it: ${prose(60_000)}`), ...edits];
    const { outcome, kept } = await compacted(messages, { reason: "threshold" }, { provider: summarising() });
    const event = made(outcome);
    expect(event.how).toBe("cut");
    expect(messagesTokens(event.messages)).toBeLessThan(THRESHOLD * 0.7);
    expect(wordsOf(event.messages[0])).toContain("do it: lorem");
    expect(kept.get("last-request")?.length).toBeGreaterThan(100_000);
    expect(kept.get("edited-files")?.split("\n").length).toBe(3_000);
  });

  test("when the system text alone is too much it says so and asks nobody", async () => {
    const provider = summarising();
    const kit = { provider, system: () => [{ text: prose(60_000), cache: true }] };
    const { outcome } = await compacted(history(10, 500), { reason: "threshold" }, kit);
    expect(outcome.kind === "stuck" && outcome.why).toMatch(
      /alone take about 60,000 tokens of the 53,000 tokens.*--model/,
    );
    expect(provider.requests).toEqual([]);
  });

  test("a short conversation is not compacted by hand", async () => {
    const provider = summarising();
    const { outcome } = await compacted([user("hi"), said("hello")], { reason: "manual", focus: "" }, { provider });
    expect(outcome).toEqual({ kind: "stuck", why: "There is nothing to compact yet (11 tokens)." });
    expect(provider.requests).toEqual([]);
  });

  test("a refusal that names the limit is believed", async () => {
    const error = "prompt is too long: 100,000 tokens > 20,000 maximum";
    const kit = { provider: summarising(), contextWindow: () => 400_000 };
    const { outcome } = await compacted(history(100, 1_000), { reason: "too_long", error }, kit);
    const event = made(outcome);
    // A fifth fits, and of that a part stays free.
    expect(event.postTokens).toBeLessThan(event.preTokens * 0.2 * 0.7);
  });
});

describe("in the loop", () => {
  const worker = (each: (request: number) => Step[]) => {
    const counter = { n: 0 };
    return answering((request) => (asksForSummary(request) ? reply([text(GOOD_SUMMARY)]) : each(counter.n++)));
  };
  const reader = (size: number) => tool("Read", READ, () => ({ content: prose(size) }));
  const readsAndEnds = (calls: number) => (n: number) =>
    n < calls ? reply([call(`c${n}`, "Read", { file_path: `f${n}` })]) : reply([text("done")]);

  test("a full window is compacted before the next request, and the work goes on", async () => {
    const provider = worker(readsAndEnds(40));
    const { compactor } = compactorWith({ provider });
    const { agent, recorded } = agentWith(unusual(provider), [reader(3_000)], { compactor });
    const events = await collect(agent.prompt(user("go"), NEVER));
    expect(events.at(-1)).toEqual({ type: "done", reason: "end_turn" });
    const compactions = recorded.filter((e) => e.type === "compacted");
    expect(compactions.length).toBeGreaterThan(1);
    for (const request of provider.requests) expect(problems(request.messages)).toEqual([]);
    for (const request of provider.requests) expect(messagesTokens(request.messages)).toBeLessThan(THRESHOLD + 4_000);
  });

  test("a request the model refuses as too long is compacted and sent again, more than once if need be", async () => {
    const limit = { tokens: 5_000 };
    const provider = answering((request) => {
      if (messagesTokens(request.messages) > limit.tokens) {
        return [{ type: "throw", error: new ModelError("too_long", "prompt is too long", { status: 400 }) }];
      }
      return asksForSummary(request) ? reply([text(GOOD_SUMMARY)]) : reply([text("done")]);
    });
    const { compactor } = compactorWith({ provider });
    const { agent, recorded } = agentWith(provider, [], { compactor });
    for (const message of history(40, 1_000)) agent.apply({ type: "message", message });
    const events = await collect(agent.prompt(user("and now?", "u2"), NEVER));
    expect(events.at(-1)).toEqual({ type: "done", reason: "end_turn" });
    const posts = recorded.flatMap((e) => (e.type === "compacted" ? [e.postTokens ?? 0] : []));
    expect(posts.length).toBeGreaterThan(1);
    expect(posts.toSorted((a, b) => b - a)).toEqual(posts);
  });

  test("a model that refuses everything is given up, with the reason", async () => {
    const provider = answering((request) =>
      asksForSummary(request)
        ? reply([text(GOOD_SUMMARY)])
        : [{ type: "throw", error: new ModelError("too_long", "prompt is too long", { status: 400 }) }],
    );
    const { compactor } = compactorWith({ provider });
    const { agent, recorded } = agentWith(provider, [], { compactor });
    for (const message of history(30, 1_500)) agent.apply({ type: "message", message });
    const events = await collect(agent.prompt(user("and now?", "u2"), NEVER));
    const done = events.at(-1);
    expect(done?.type === "done" && done.reason).toBe("error");
    expect(done?.type === "done" && done.error).toMatch(/too long|does not fit/);
    expect(recorded.filter((e) => e.type === "compacted").length).toBeLessThanOrEqual(3);
  });

  /** Says each time that it made room. */
  const idle = (isDue: () => boolean): Compactor => ({
    isDue,
    async *run(state) {
      const messages = [...state.messages];
      yield { type: "status", status: "compacting" };
      return {
        kind: "compacted",
        event: { type: "compacted", trigger: "auto", messages, preTokens: 2, postTokens: 1 },
      };
    },
  });

  test("compactions that gain nothing end after three, before a request and after a refusal", async () => {
    const quiet = answering(() => reply([text("never asked")]));
    const first = agentWith(quiet, [], { compactor: idle(() => true) });
    const events = await collect(first.agent.prompt(user("go"), NEVER));
    const gained = expect.stringContaining("compacted 3 times in a row without gaining enough room");
    // After each there is one request: it might have helped.
    expect(events.at(-1)).toEqual({ type: "done", reason: "end_turn" });
    const refuses = answering(() => [
      { type: "throw", error: new ModelError("too_long", "too long.", { status: 400 }) },
    ]);
    const second = agentWith(refuses, [], { compactor: idle(() => false) });
    const refused = await collect(second.agent.prompt(user("go"), NEVER));
    expect(refused.at(-1)).toEqual({ type: "done", reason: "error", error: gained, status: 400 });
    expect([refuses.requests.length, second.recorded.filter((e) => e.type === "compacted").length]).toEqual([4, 3]);
    // A window that is full again after every single reply.
    const works = answering(() => reply([call(crypto.randomUUID(), "Read", {})]));
    const third = agentWith(works, [reader(1)], { compactor: idle(() => true) });
    const full = await collect(third.agent.prompt(user("go"), NEVER));
    expect(full.at(-1)).toMatchObject({ type: "done", reason: "error", error: gained });
    expect(works.requests.length).toBe(3);
    // Replies that only say that the window is full.
    const bursts = answering(() => reply([text("x")], "model_context_window_exceeded"));
    const fourth = agentWith(bursts, [], { compactor: idle(() => false) });
    const burst = await collect(fourth.agent.prompt(user("go"), NEVER));
    expect(burst.at(-1)).toMatchObject({ type: "done", reason: "error", error: gained });
    expect(bursts.requests.length).toBe(4);
  });

  test("where nothing can be gained it is said once, and the model has the last word", async () => {
    const counter = { n: 0 };
    const steps = (): Step[] => {
      if (counter.n++ < 3) return reply([call(`c${counter.n}`, "Read", {})]);
      return [{ type: "throw", error: new ModelError("too_long", "prompt is too long.", { status: 400 }) }];
    };
    const provider = answering(steps);
    const { compactor } = compactorWith({
      provider,
      contextWindow: () => 1_000,
      system: () => [{ text: prose(5_000), cache: true }],
    });
    const { agent } = agentWith(unusual(provider), [reader(1)], { compactor, system: () => [] });
    const events = await collect(agent.prompt(user("go"), NEVER));
    const warnings = events.flatMap((e) => (e.type === "notice" && e.level === "warning" ? [e.text] : []));
    expect(warnings).toEqual([expect.stringContaining("alone take about 5,000 tokens of the 500 tokens")]);
    expect(events.at(-1)).toMatchObject({
      type: "done",
      reason: "error",
      error: expect.stringMatching(/^prompt is too long\. .*--model/),
    });
    expect(provider.requests.length).toBe(4);
  });

  test("three compactions far apart are no circle", async () => {
    const counter = { n: 0 };
    const works = answering(() =>
      counter.n < 20 ? reply([call(`c${counter.n++}`, "Read", {})]) : reply([text("done")]),
    );
    const { agent, recorded } = agentWith(works, [reader(1)], { compactor: idle(() => counter.n % 3 === 0) });
    const events = await collect(agent.prompt(user("go"), NEVER));
    expect(events.at(-1)).toEqual({ type: "done", reason: "end_turn" });
    expect(recorded.filter((e) => e.type === "compacted").length).toBeGreaterThan(5);
  });

  test("a reply that ends because the window is full goes on after a compaction", async () => {
    const provider = worker((n) =>
      n === 0 ? reply([text("half of it")], "model_context_window_exceeded") : reply([text("the rest")]),
    );
    const { compactor } = compactorWith({ provider });
    const { agent } = agentWith(provider, [], { compactor });
    for (const message of history(20, 1_000)) agent.apply({ type: "message", message });
    const events = await collect(agent.prompt(user("write", "u2"), NEVER));
    expect(events.at(-1)).toEqual({ type: "done", reason: "end_turn" });
    for (const request of provider.requests) expect(problems(request.messages)).toEqual([]);
    expect(wordsOf(provider.requests.at(-1)?.messages.at(-1))).toContain("cut off at the output limit");
  });

  test("switched off, nothing is compacted on its own", async () => {
    const provider = answering(() => [{ type: "throw", error: new ModelError("too_long", "prompt is too long.") }]);
    const { compactor } = compactorWith({ provider, auto: { enabled: false, buffer: 0 } });
    const { agent, recorded } = agentWith(provider, [], { compactor });
    for (const message of history(60, 1_500)) agent.apply({ type: "message", message });
    const events = await collect(agent.prompt(user("go", "u2"), NEVER));
    expect(events.at(-1)).toMatchObject({
      type: "done",
      reason: "error",
      error: expect.stringContaining("/compact makes room"),
    });
    expect(recorded.some((e) => e.type === "compacted")).toBe(false);
  });

  test("interrupted while the summary is written, it changes nothing and ends as interrupted", async () => {
    const controller = new AbortController();
    const provider = answering((request) => {
      if (asksForSummary(request)) controller.abort(new Error("stop"));
      return reply([text("x")]);
    });
    const { compactor } = compactorWith({ provider });
    const { agent, recorded } = agentWith(provider, [], { compactor });
    for (const message of history(60, 1_500)) agent.apply({ type: "message", message });
    // Talk alone: nothing to prune, so that the model is asked.
    const talk = Array.from({ length: 60 }, (_, n) => said(`${n} ${prose(900)}`));
    for (const message of talk) agent.apply({ type: "message", message });
    const events = await collect(agent.prompt(user("go", "u2"), controller.signal));
    expect(events.at(-1)).toEqual({ type: "done", reason: "aborted" });
    expect(recorded.some((e) => e.type === "compacted")).toBe(false);
  });

  test("the summary's price counts against the budget", async () => {
    const talks = (n: number) => reply([text(prose(1_400)), call(`c${n}`, "Read", { file_path: "f" })]);
    const provider = worker((n) => (n < 40 ? talks(n) : reply([text("done")])));
    const { compactor } = compactorWith({ provider });
    const cost = (_: string, used: { output_tokens: number }) => used.output_tokens;
    // Each reply costs 5: without a summary all forty-one would fit.
    const { agent } = agentWith(unusual(provider), [reader(10)], { compactor, cost, limits: { maxBudgetUsd: 203 } });
    const events = await collect(agent.prompt(user("go"), NEVER));
    expect(events.at(-1)).toEqual({ type: "done", reason: "budget" });
  });

  test("/compact", async () => {
    const provider = worker(() => reply([text("done")]));
    const { compactor } = compactorWith({ provider });
    const { agent, recorded } = agentWith(provider, [], { compactor });
    for (const message of history(30, 1_000)) agent.apply({ type: "message", message });
    const events = await collect(agent.compact("names", NEVER));
    expect(events.map((e) => e.type)).toEqual(["status", "notice", "notice", "status", "compacted"]);
    expect(recorded.at(-1)).toEqual(events.at(-1) as Compacted);
    expect(agent.state.messages).toEqual((events.at(-1) as Compacted).messages);
    await collect(agent.prompt(user("next", "u3"), NEVER));
    expect(problems(provider.requests.at(-1)?.messages ?? [])).toEqual([]);
  });
});

test("a history of 150,000 tokens takes little time of our own", async () => {
  const box = folder();
  const messages = [...history(120, 1_250), ...history(20, 100).slice(1).map(renamed)];
  const tokens = messagesTokens(messages);
  expect(tokens).toBeGreaterThan(150_000);
  const kit = { provider: summarising(), contextWindow: () => 200_000, keep: keepIn(`${box.path}/s`) };
  await compacted(messages, { reason: "manual", focus: "" }, kit);
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    const from = performance.now();
    await compacted(messages, { reason: "manual", focus: "" }, kit);
    times.push(performance.now() - from);
  }
  box.remove();
  const best = Math.min(...times);
  console.log(
    `compaction of ${tokens} tokens: ${best.toFixed(1)} ms (of ${times.map((t) => t.toFixed(1)).join(", ")})`,
  );
  expect(best).toBeLessThan(50);
});

/** Ids of their own, so that two histories can be put together. */
function renamed(message: Message, prefix: unknown = "x"): Message {
  const p = typeof prefix === "string" ? prefix : "x";
  return JSON.parse(JSON.stringify(message).replace(/"(t\d+)"/g, `"${p}$1"`));
}

function renamedTwice(message: Message): Message {
  return renamed(renamed(message, "y"), "y");
}

/** The same provider, whose replies carry no usage: all is estimated. */
function unusual(provider: ReturnType<typeof answering>) {
  return {
    ...provider,
    async *stream(...args: Parameters<typeof provider.stream>) {
      for await (const event of provider.stream(...args)) {
        yield event.type === "end" ? { ...event, usage: { ...event.usage, input_tokens: 0 } } : event;
      }
    },
  };
}

// The loop through its outermost fast door: events out, requests in.
import { expect, test } from "bun:test";
import { ModelError } from "../src/core/errors.ts";
import { INTERRUPTED_RESULT, normalise } from "../src/core/history.ts";
import { reduce } from "../src/core/state.ts";
import type { Message } from "../src/core/types.ts";
import {
  agentWith,
  call,
  chance,
  collect,
  played,
  problems,
  READ,
  reply,
  START,
  text,
  tool,
  usage,
  user,
  WRITE,
} from "./support.ts";
import type { Step } from "./support.ts";

const never = new AbortController().signal;

test("a plain answer, event by event", async () => {
  const provider = played([
    [
      { type: "start", id: "msg1", model: "m", usage: usage(10, 0) },
      { type: "text.delta", text: "He" },
      { type: "text.delta", text: "llo" },
      { type: "block", block: text("Hello") },
      { type: "end", stopReason: "end_turn", usage: usage(10, 2) },
    ],
  ]);
  const { agent, recorded } = agentWith(provider);
  const message = {
    role: "assistant" as const,
    id: "msg1",
    content: [text("Hello")],
    model: "m",
    stopReason: "end_turn" as const,
    usage: usage(10, 2),
  };
  expect(await collect(agent.prompt(user("hi"), never))).toEqual([
    { type: "message", message: user("hi") },
    { type: "turn", turn: 1 },
    { type: "text.delta", text: "He" },
    { type: "text.delta", text: "llo" },
    { type: "block", messageId: "msg1", model: "m", block: text("Hello"), usage: usage(10, 0) },
    { type: "message", message },
    { type: "done", reason: "end_turn" },
  ]);
  expect(recorded).toEqual([
    { type: "message", message: user("hi") },
    { type: "message", message },
  ]);
});

test("reads start while the reply streams, a write waits for its end, results come back in call order", async () => {
  const log: string[] = [];
  const readStarted = Promise.withResolvers<void>();
  const readMayEnd = Promise.withResolvers<void>();
  const read = tool("Read", READ, async () => {
    log.push("read starts");
    readStarted.resolve();
    await readMayEnd.promise;
    log.push("read ends");
    return { content: "r" };
  });
  const write = tool("Write", WRITE, () => {
    log.push("write");
    return { content: "w" };
  });
  const first: Step[] = [
    { type: "start", id: "a", model: "m", usage: usage(1, 0) },
    { type: "block", block: call("w1", "Write") },
    { type: "block", block: call("r0", "Nope") },
    { type: "end", stopReason: "tool_use", usage: usage(1, 1) },
  ];
  const second: Step[] = [
    { type: "start", id: "b", model: "m", usage: usage(1, 0) },
    { type: "block", block: call("r1", "Read") },
    { type: "wait", until: readStarted.promise },
    { type: "block", block: call("w2", "Write") },
    { type: "block", block: call("r2", "Read") },
    { type: "end", stopReason: "tool_use", usage: usage(1, 1) },
  ];
  const provider = played([first, second, reply([text("done")])]);
  const { agent } = agentWith(provider, [read, write]);
  await collect(agent.prompt(user("go"), never), (event) => {
    if (event.type === "message" && event.message.id === "b") {
      log.push("reply b recorded");
      readMayEnd.resolve();
    }
  });
  expect(log).toEqual(["write", "read starts", "reply b recorded", "read ends", "write", "read starts", "read ends"]);
  const ids = provider.requests[2]?.messages.map((m) =>
    m.content.map((b) => ("tool_use_id" in b ? b.tool_use_id : b.type)),
  );
  expect(ids).toEqual([
    ["text"],
    ["tool_use", "tool_use"],
    ["w1", "r0"],
    ["tool_use", "tool_use", "tool_use"],
    ["r1", "w2", "r2"],
  ]);
});

test("an unknown tool, unreadable input and a throwing tool become error results", async () => {
  const provider = played([
    [
      { type: "start", id: "a", model: "m", usage: usage(1, 0) },
      { type: "block", block: call("c1", "Raed") },
      { type: "block", block: call("c2", "Read"), fault: "The input was not JSON." },
      { type: "block", block: call("c3", "Boom") },
      { type: "end", stopReason: "tool_use", usage: usage(1, 1) },
    ],
    reply([text("ok")]),
  ]);
  const boom = tool("Boom", READ, () => {
    throw new Error("it broke");
  });
  const { agent } = agentWith(provider, [tool("Read", READ, () => ({ content: "" })), boom]);
  await collect(agent.prompt(user("go"), never));
  expect(provider.requests[1]?.messages[2]?.content).toEqual([
    {
      type: "tool_result",
      tool_use_id: "c1",
      content: "There is no tool named Raed. Did you mean Read? The tools are: Read, Boom.",
      is_error: true,
    },
    { type: "tool_result", tool_use_id: "c2", content: "The input was not JSON.", is_error: true },
    { type: "tool_result", tool_use_id: "c3", content: "it broke", is_error: true },
  ]);
});

test("a stream that broke after a read began is not asked again; what waited never runs", async () => {
  const log: string[] = [];
  const read = tool("Read", READ, () => ({ content: `r${log.push("read")}` }));
  const write = tool("Write", WRITE, () => ({ content: `w${log.push("write")}` }));
  const provider = played([
    [
      { type: "start", id: "a", model: "m", usage: usage(1, 0) },
      { type: "block", block: call("r1", "Read") },
      { type: "block", block: call("w1", "Write") },
      { type: "text.delta", text: "half" },
      { type: "cut", reason: "connection reset" },
    ],
    reply([text("ok")]),
  ]);
  const { agent } = agentWith(provider, [read, write]);
  const events = await collect(agent.prompt(user("go"), never));
  expect(log).toEqual(["read"]);
  // Of a reply that broke off only complete blocks are kept.
  expect(provider.requests[1]?.messages[1]?.content).toEqual([call("r1", "Read"), call("w1", "Write")]);
  expect(events.at(-1)).toEqual({ type: "done", reason: "end_turn" });
  expect(provider.requests[1]?.messages[2]?.content).toEqual([
    { type: "tool_result", tool_use_id: "r1", content: "r1" },
    {
      type: "tool_result",
      tool_use_id: "w1",
      content: "Not run: the connection broke before your reply was complete. Call it again if it is still needed.",
      is_error: true,
    },
  ]);
});

test("a retry voids what came before it", async () => {
  const provider = played([
    [
      { type: "start", id: "a", model: "m", usage: usage(1, 0) },
      { type: "block", block: text("first try") },
      { type: "block", block: call("w1", "Write") },
      { type: "retry", attempt: 1, maxRetries: 10, delayMs: 1, status: null, reason: "reset" },
      ...reply([text("second try")]),
    ],
  ]);
  const { agent } = agentWith(provider, [tool("Write", WRITE, () => ({ content: "never" }))]);
  const events = await collect(agent.prompt(user("go"), never));
  expect(agent.state.messages.slice(1).map((m) => m.content)).toEqual([[text("second try")]]);
  expect(events.filter((e) => e.type.startsWith("tool."))).toEqual([]);
});

test("an interruption while a retry waits keeps nothing of the voided reply", async () => {
  const controller = new AbortController();
  const provider = played([
    [
      { type: "start", id: "a", model: "m", usage: usage(1, 0) },
      { type: "block", block: text("first try") },
      { type: "retry", attempt: 1, maxRetries: 10, delayMs: 1, status: null, reason: "reset" },
      { type: "wait", until: new Promise<void>(() => {}) },
    ],
  ]);
  const { agent } = agentWith(provider);
  await collect(agent.prompt(user("go"), controller.signal), (event) => {
    if (event.type === "retry") controller.abort();
  });
  expect(agent.state.messages.map((m) => m.content)).toEqual([
    user("go").content,
    [{ type: "text", text: "[Request interrupted by user]" }],
  ]);
});

test("results go back in call order, whichever read ends first", async () => {
  const second = Promise.withResolvers<void>();
  const read = tool("Read", READ, async ({ n }) => {
    if (n === 2) second.resolve();
    else await second.promise.then(() => new Promise((resolve) => setImmediate(resolve)));
    return { content: `r${String(n)}` };
  });
  const provider = played([reply([call("r1", "Read", { n: 1 }), call("r2", "Read", { n: 2 })]), reply([text("ok")])]);
  const { agent } = agentWith(provider, [read]);
  const events = await collect(agent.prompt(user("go"), never));
  expect(events.filter((e) => e.type === "tool.end").map((e) => e.call.id)).toEqual(["r2", "r1"]);
  expect(agent.state.messages[2]).toEqual(provider.requests[1]?.messages[2] as Message);
  expect(provider.requests[1]?.messages[2]?.content).toEqual([
    { type: "tool_result", tool_use_id: "r1", content: "r1" },
    { type: "tool_result", tool_use_id: "r2", content: "r2" },
  ]);
});

test("an interruption in mid-reply keeps the text so far and answers every call", async () => {
  const controller = new AbortController();
  const forever = new Promise<void>(() => {});
  const provider = played([
    [
      { type: "start", id: "a", model: "m", usage: usage(1, 0) },
      { type: "block", block: call("w1", "Write") },
      { type: "text.delta", text: "I was say" },
      { type: "wait", until: forever },
    ],
  ]);
  const { agent } = agentWith(provider, [tool("Write", WRITE, () => ({ content: "never" }))]);
  const events = await collect(agent.prompt(user("go"), controller.signal), (event) => {
    if (event.type === "text.delta") controller.abort();
  });
  expect(events.at(-1)).toEqual({ type: "done", reason: "aborted" });
  expect(agent.state.messages.map((m) => m.content)).toEqual([
    user("go").content,
    [call("w1", "Write"), text("I was say")],
    [{ type: "tool_result", tool_use_id: "w1", content: "Not run: the person interrupted.", is_error: true }],
    [{ type: "text", text: "[Request interrupted by user for tool use]" }],
  ] as Message["content"][]);
  expect(problems(normalise(agent.state.messages))).toEqual([]);
});

test("a tool that ignores the interruption does not hold it up", async () => {
  const controller = new AbortController();
  const provider = played([reply([call("c1", "Stuck")])]);
  const { agent } = agentWith(provider, [tool("Stuck", WRITE, () => new Promise(() => {}))]);
  const began = performance.now();
  const events = await collect(agent.prompt(user("go"), controller.signal), (event) => {
    if (event.type === "tool.start") controller.abort();
  });
  expect(performance.now() - began).toBeLessThan(2000);
  expect(events.find((e) => e.type === "tool.end")).toMatchObject({
    outcome: "aborted",
    result: { content: "Interrupted." },
  });
});

test("stop reasons: cut at max tokens, paused, refused", async () => {
  const provider = played([
    reply([text("part one")], "max_tokens"),
    reply([text("searching")], "pause_turn"),
    reply([text("part two"), call("w", "Write")], "refusal"),
  ]);
  const { agent } = agentWith(provider, [tool("Write", WRITE, () => ({ content: "never" }))]);
  const events = await collect(agent.prompt(user("go"), never));
  expect(events.at(-1)).toEqual({ type: "done", reason: "refusal" });
  expect(provider.requests.map((r) => r.messages.map((m) => m.role))).toEqual([
    ["user"],
    ["user", "assistant", "user"],
    ["user", "assistant", "user", "assistant"],
  ]);
  const next = normalise([...agent.state.messages, user("next", "u2")]);
  expect(problems(next)).toEqual([]);
  expect(JSON.stringify(next)).not.toContain("part two");
});

test("a reply without any content: refused, it is no success", async () => {
  const ends = async (stop: "refusal" | "model_context_window_exceeded" | "end_turn") => {
    const { agent, recorded } = agentWith(played([reply([], stop)]), []);
    const events = await collect(agent.prompt(user("go"), never));
    expect(recorded).toEqual([{ type: "message", message: user("go") }]);
    return events.at(-1);
  };
  expect(await ends("refusal")).toEqual({ type: "done", reason: "refusal" });
  expect(await ends("model_context_window_exceeded")).toMatchObject({ type: "done", reason: "error" });
  expect(await ends("end_turn")).toEqual({ type: "done", reason: "end_turn" });
});

test("limits: turns, budget, too many broken replies", async () => {
  const looping = () => played(Array.from({ length: 30 }, () => reply([call("c", "Read")])));
  const read = tool("Read", READ, () => ({ content: "r" }));
  const turns = looping();
  const events = await collect(agentWith(turns, [read], { limits: { maxTurns: 3 } }).agent.prompt(user("go"), never));
  expect([turns.requests.length, events.at(-1)]).toEqual([3, { type: "done", reason: "max_turns" }]);
  const budget = looping();
  const spent = await collect(
    agentWith(budget, [read], { limits: { maxBudgetUsd: 1 } }).agent.prompt(user("go"), never),
  );
  expect([budget.requests.length, spent.at(-1)]).toEqual([2, { type: "done", reason: "budget" }]);
  const paused = played(Array.from({ length: 30 }, () => reply([text("hm")], "pause_turn")));
  const pauses = Array.from({ length: 8 }, () => reply([text("hm")], "pause_turn"));
  const moving = played([...pauses, reply([call("c", "Read")]), ...pauses, reply([text("done")])]);
  const end = (await collect(agentWith(moving, [read]).agent.prompt(user("go"), never))).at(-1);
  expect(end).toEqual({ type: "done", reason: "end_turn" });
  const last = (await collect(agentWith(paused).agent.prompt(user("go"), never))).at(-1);
  expect(last).toEqual({ type: "done", reason: "error", error: "The model's reply broke off 10 times in a row." });
});

test("a fallback stands in until the run is over; the next prompt asks the chosen model again", async () => {
  const provider = played([
    [{ type: "model", model: "spare", reason: "m is overloaded" }, ...reply([call("c", "Read")])],
    reply([text("one")]),
    reply([text("two")]),
  ]);
  const { agent } = agentWith(provider, [tool("Read", READ, () => ({ content: "r" }))]);
  await collect(agent.prompt(user("go"), never));
  await collect(agent.prompt(user("on", "u2"), never));
  expect(provider.requests.map((r) => r.model)).toEqual(["m", "spare", "m"]);
});

test("a model that fails ends the run with its error and a history that can go on", async () => {
  const provider = played([
    [{ type: "throw", error: new ModelError("auth", "401 bad key", { status: 401 }) }],
    reply([text("now it works")]),
  ]);
  const { agent } = agentWith(provider);
  const events = await collect(agent.prompt(user("one"), never));
  expect(events.at(-1)).toEqual({ type: "done", reason: "error", error: "401 bad key", status: 401 });
  await collect(agent.prompt(user("two", "u2"), never));
  expect(provider.requests[1]?.messages.map((m) => m.content)).toEqual([
    [...user("one").content, ...user("two").content],
  ]);
});

test("what is typed meanwhile is delivered between turns, and after the last one", async () => {
  const queue = [[], [user("also this", "s1")], [user("and that", "s2")], [], []];
  const provider = played([reply([call("c", "Read")]), reply([text("fine")]), reply([text("bye")])]);
  const { agent } = agentWith(provider, [tool("Read", READ, () => ({ content: "r" }))], {
    steering: () => queue.shift() ?? [],
  });
  await collect(agent.prompt(user("go"), never));
  expect(provider.requests.map((r) => r.messages.at(-1)?.content.at(-1))).toEqual([
    { type: "text", text: "go" },
    { type: "text", text: "also this" },
    { type: "text", text: "and that" },
  ]);
});

test("a declined call with interrupt stops the turn and the calls behind it", async () => {
  const provider = played([reply([call("w1", "Write"), call("w2", "Write")])]);
  const { agent } = agentWith(provider, [tool("Write", WRITE, () => ({ content: "never" }))], {
    admit: async () => ({ behavior: "deny", message: "no", interrupt: true }),
  });
  const events = await collect(agent.prompt(user("go"), never));
  expect(events.filter((e) => e.type === "tool.end").map((e) => [e.call.id, e.outcome])).toEqual([
    ["w2", "aborted"],
    ["w1", "denied"],
  ]);
  expect(events.at(-1)).toEqual({ type: "done", reason: "aborted" });
});

test("property: whatever is called and whenever it is interrupted, every call is answered once and the fold is the state", async () => {
  for (let seed = 1; seed <= 150; seed++) {
    const { below, pick, next } = chance(seed);
    const counter = { n: 0 };
    const stops = [undefined, undefined, undefined, "max_tokens", "pause_turn", "refusal"] as const;
    const steps = Array.from({ length: 6 }, (_, i) => {
      if (i === 5) return reply([text("end")]);
      const blocks = Array.from({ length: 1 + below(5) }, () =>
        pick([
          () => text("t"),
          () => call(`c${++counter.n}`, "Read"),
          () => call(`c${++counter.n}`, "Write"),
          () => call(`c${++counter.n}`, "None"),
        ])(),
      );
      const whole = reply(blocks, stops[below(6)]);
      return next() < 0.2
        ? [...whole.slice(0, 1 + below(whole.length)), { type: "cut" as const, reason: "reset" }]
        : whole;
    });
    const tick = () => new Promise<void>((resolve) => setImmediate(resolve));
    const run = async () => {
      for (let i = below(3); i > 0; i--) await tick();
      if (next() < 0.2) throw new Error("failed");
      return { content: pick(["", "x"]) };
    };
    const controller = new AbortController();
    const stopAt = below(60);
    const { agent, recorded } = agentWith(played(steps), [tool("Read", READ, run), tool("Write", WRITE, run)]);
    const seen = { n: 0 };
    await collect(agent.prompt(user("go"), controller.signal), () => {
      if (seen.n++ === stopAt) controller.abort();
    });
    const note = `seed ${seed}`;
    expect([note, problems(normalise([...agent.state.messages, user("on", "u9")]))]).toEqual([note, []]);
    expect(recorded.reduce(reduce, START)).toEqual(agent.state);
    const ends = recorded.filter((e) => e.type === "tool.end").map((e) => e.call.id);
    expect([note, new Set(ends).size]).toEqual([note, ends.length]);
  }
});

test("normalise repairs what a crash left and leaves a good history untouched, object for object", () => {
  const good: Message[] = [
    user("go"),
    {
      role: "assistant",
      id: "a",
      content: [call("c1", "Read")],
      model: "m",
      stopReason: "tool_use",
      usage: usage(1, 1),
    },
    { role: "user", id: "r", content: [{ type: "tool_result", tool_use_id: "c1", content: "x" }] },
  ];
  expect(normalise(good).every((m, i) => m === good[i])).toBe(true);
  const crashed = [good[0], good[1], user("again", "u2")].filter((m) => m !== undefined);
  expect(normalise(crashed)[2]?.content).toEqual([
    { type: "tool_result", tool_use_id: "c1", content: INTERRUPTED_RESULT, is_error: true },
    { type: "text", text: "again" },
  ]);
  const orphan: Message[] = [
    { role: "user", id: "x", content: [{ type: "tool_result", tool_use_id: "zz", content: "?" }] },
    user("hi"),
  ];
  expect(normalise(orphan).map((m) => m.content)).toEqual([user("hi").content]);
});

// Sub-agents below the binary: when they start, what they hand back however they end, and what their cost counts for.
import { describe, expect, test } from "bun:test";
import { AGENTS } from "../src/agents/definitions.ts";
import { runSubAgent, subAgent, type Outcome } from "../src/agents/run.ts";
import { agentTool, type Task } from "../src/agents/tool.ts";
import { NO_USAGE } from "../src/core/state.ts";
import type { Deps, DoneReason, Event } from "../src/core/types.ts";
import { context } from "./search-kit.ts";
import { agentWith, call, collect, depsWith, played, READ, reply, START, text, tool, usage, user } from "./support.ts";

const never = new AbortController().signal;
const AGENT = { kind: "agent" } as const;

describe("the executor", () => {
  test("starts several side by side, but none before the reply is recorded", async () => {
    const log: string[] = [];
    const both = Promise.withResolvers<void>();
    const agent = tool("Agent", AGENT, async ({ name }) => {
      if (log.push(`${String(name)} starts`) === 4) both.resolve();
      await both.promise;
      return { content: String(name) };
    });
    const streaming = Promise.withResolvers<void>();
    const read = tool("Read", READ, () => {
      log.push("read");
      setImmediate(() => {
        log.push("still streaming");
        streaming.resolve();
      });
      return { content: "r" };
    });
    const first = [
      { type: "start" as const, id: "a", model: "m", usage: usage(1, 0) },
      { type: "block" as const, block: call("1", "Agent", { name: "one" }) },
      { type: "block" as const, block: call("2", "Agent", { name: "two" }) },
      { type: "block" as const, block: call("r", "Read") },
      { type: "wait" as const, until: streaming.promise },
      { type: "end" as const, stopReason: "tool_use" as const, usage: usage(1, 1) },
    ];
    const { agent: parent } = agentWith(played([first, reply([text("done")])]), [agent, read]);
    await collect(parent.prompt(user("go"), never));
    expect(log).toEqual(["read", "still streaming", "one starts", "two starts"]);
  });

  test("a no-and-stop inside one ends the run that started it", async () => {
    const agent = tool("Agent", AGENT, () => ({ content: "stopped", isError: true, interrupt: true }));
    const write = tool("Write", { kind: "write", paths: ["/p/a"] }, () => ({ content: "w" }));
    const provider = played([reply([call("1", "Agent"), call("2", "Write")]), reply([text("on")])]);
    const events = await collect(agentWith(provider, [agent, write]).agent.prompt(user("go"), never));
    expect([provider.requests.length, events.at(-1)]).toEqual([1, { type: "done", reason: "aborted" }]);
    const ends = events.flatMap((event) => (event.type === "tool.end" ? [[event.call.id, event.outcome]] : []));
    expect(ends.toSorted()).toEqual([
      ["1", "aborted"],
      ["2", "aborted"],
    ]);
  });

  test("counts what they cost against the budget", async () => {
    const child = (output: number): Event => ({
      type: "message",
      message: { role: "assistant", id: "c", content: [], model: "m", stopReason: "end_turn", usage: usage(1, output) },
    });
    const agent = tool("Agent", AGENT, (_input, ctx) => {
      ctx.child(child(20));
      return { content: "done" };
    });
    const provider = played(Array.from({ length: 5 }, () => reply([call("c", "Agent")])));
    const { agent: parent } = agentWith(provider, [agent], { limits: { maxBudgetUsd: 1.5 } });
    const events = await collect(parent.prompt(user("go"), never));
    expect([provider.requests.length, events.at(-1)]).toEqual([1, { type: "done", reason: "budget" }]);
    expect(events.filter(({ type }) => type === "child")).toEqual([{ type: "child", id: "c", event: child(20) }]);
    // What was spent before counts for the next prompt too.
    expect((await collect(parent.prompt(user("again"), never))).at(-1)).toEqual({ type: "done", reason: "budget" });
  });
});

describe("a run", () => {
  const deps = (provider: Deps["provider"], limits: Deps["limits"] = {}) =>
    depsWith(provider, [tool("Read", READ, () => ({ content: "r" }))], { limits });
  const ran = async (made: Deps, signal = never) => {
    const shown: string[] = [];
    const outcome = await runSubAgent({
      agent: subAgent(made, START),
      prompt: "look",
      newId: () => "u",
      event: ({ type }) => void shown.push(type),
      signal,
    });
    return { outcome, shown };
  };

  test("hands back its last words, its calls and its tokens; deltas are not shown", async () => {
    const provider = played([reply([text("I look."), call("1", "Read"), call("2", "Read")]), reply([text("Found.")])]);
    const { outcome, shown } = await ran(deps(provider));
    expect(outcome).toMatchObject({ text: "Found.", reason: "end_turn", calls: 2 });
    expect(outcome.usage.input_tokens).toBeGreaterThan(0);
    expect(new Set(shown)).toEqual(new Set(["message", "tool.start", "tool.end", "done"]));
    expect(provider.requests[0]?.messages).toMatchObject([{ role: "user", content: [{ text: "look" }] }]);
  });

  test("stopped at a limit, the words before its last calls come back", async () => {
    const looping = played(
      Array.from({ length: 9 }, (_, n) => reply([...(n === 1 ? [text("So far.")] : []), call("c", "Read")])),
    );
    const { outcome } = await ran(deps(looping, { maxTurns: 4 }));
    expect(outcome).toMatchObject({ text: "So far.", reason: "max_turns", calls: 4 });
  });
});

describe("the tool", () => {
  const done = (more: Partial<Outcome>): Outcome => ({
    text: "",
    reason: "end_turn",
    calls: 0,
    usage: NO_USAGE,
    ...more,
  });
  const handed = async (outcome: Outcome, input: object = {}) => {
    const tasks: Task[] = [];
    const made = agentTool(
      async (task) => {
        tasks.push(task);
        return outcome;
      },
      () => 0,
    );
    const parsed = made.parse({ description: "look around", prompt: "Find it.", ...input });
    return { ...(await made.run(parsed, context("/p"))), title: made.title(parsed), task: tasks[0] };
  };

  test("gives the task to the kind that is named, in any letter case", async () => {
    expect(
      await handed(done({ text: "It is in a.ts:3." }), { subagent_type: "explore", model: "haiku" }),
    ).toMatchObject({
      content: "It is in a.ts:3.",
      title: "Agent explore: look around",
      task: { definition: { name: "Explore", tools: ["Read", "Glob", "Grep"] }, prompt: "Find it.", model: "haiku" },
      data: {
        status: "completed",
        agentType: "Explore",
        totalToolUseCount: 0,
        content: [{ text: "It is in a.ts:3." }],
      },
    });
    expect((await handed(done({ text: "x" }))).task?.definition.name).toBe("general-purpose");
    expect(handed(done({}), { subagent_type: "wizard" })).rejects.toThrow("There are: general-purpose, Explore.");
  });

  const ends: [DoneReason, boolean, string][] = [
    ["max_turns", false, "The sub-agent was stopped after 100 requests, before it was done. What it changed stays."],
    ["budget", false, "The sub-agent was stopped because the budget is used up. What it changed stays."],
    ["aborted", true, "The sub-agent was interrupted. What it changed stays."],
    ["refusal", false, "The sub-agent's model declined the task."],
    ["error", true, "The sub-agent failed: 529 overloaded. What it changed stays."],
  ];
  test.each(ends)("stopped by %s, it says so and hands over what there is", async (reason, isError, opening) => {
    const empty = await handed(done({ reason, error: "529 overloaded" }));
    expect([empty.content, empty.isError ?? false]).toEqual([opening, isError]);
    // The person's "no, and stop" inside it ends the whole run.
    expect(empty.interrupt ?? false).toBe(reason === "aborted");
    const partial = await handed(done({ reason, error: "529 overloaded", text: "Half of it." }));
    expect(partial.content).toBe(`${opening} What it said last:\n\nHalf of it.`);
  });

  test("no words are said to be none", async () => {
    expect((await handed(done({}))).content).toBe("It handed back no text.");
  });

  test("its description names every kind", () => {
    const { description } = agentTool(
      async () => done({}),
      () => 0,
    ).spec;
    for (const { name } of AGENTS) expect(description).toContain(`\`${name}\``);
    expect(description).not.toContain("{{");
  });
});

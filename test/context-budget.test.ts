// Counting: the API's numbers for what was sent, an estimate for the rest; thresholds; what /context says.
import { describe, expect, test } from "bun:test";
import { contextText } from "../src/commands/context.ts";
import {
  messageTokens,
  messagesTokens,
  readAutoCompact,
  systemTokens,
  textTokens,
  thresholdOf,
  tokensUsed,
  toolTokens,
} from "../src/context/budget.ts";
import { sharesOf } from "../src/context/shares.ts";
import { NO_USAGE, reduce } from "../src/core/state.ts";
import type { AssistantMessage, Message, Tool } from "../src/core/types.ts";
import { did, prose, read } from "./compact-kit.ts";
import { READ, START, text, tool, user } from "./support.ts";

const NO_REQUESTS = { usage: NO_USAGE, requests: 0, breaks: 0, missed: 0 };

function answered(input: number, output: number, more: Partial<AssistantMessage> = {}): Message {
  const usage = {
    input_tokens: input,
    output_tokens: output,
    cache_creation_input_tokens: 100,
    cache_read_input_tokens: 1_000,
  };
  return { role: "assistant", id: "a", content: [text("hello")], model: "m", stopReason: "end_turn", usage, ...more };
}

describe("counting", () => {
  test("prose by its bytes, JSON by its characters", () => {
    expect([textTokens("a".repeat(330)), textTokens("漢".repeat(110)), textTokens("")]).toEqual([100, 100, 0]);
    expect(textTokens(`{"a":"${"b".repeat(92)}"}`)).toBe(50);
    expect(textTokens(`[1,${"2,".repeat(98)}3]`)).toBe(101);
    expect(textTokens(`[note] ${"x".repeat(323)}`)).toBe(100);
  });

  test("the last reply's own numbers, and an estimate of what came after it", () => {
    const [call, result] = did("t", read("a"), prose(500));
    const messages = [user("hi"), answered(10, 5), answered(20, 7)];
    expect(tokensUsed({ messages }, 999)).toEqual({ counted: 1_127, total: 1_127 });
    const tail = [call, result].filter((m) => m !== undefined);
    const total = 1_127 + messagesTokens(tail);
    expect(tokensUsed({ messages: [...messages, ...tail] }, 999)).toEqual({ counted: 1_127, total });
    expect(total).toBeGreaterThan(1_600);
  });

  test("before the first reply all is estimated, system text and tools included", () => {
    expect(tokensUsed({ messages: [user("hi")] }, 999)).toEqual({ counted: 0, total: 999 + messageTokens(user("hi")) });
  });

  test("a reply that broke off counts at least what it holds", () => {
    const cut = answered(10, 1, { stopReason: "cut", content: [text(prose(300))] });
    expect(tokensUsed({ messages: [user("hi"), cut] }, 0).counted).toBe(1_110 + messageTokens(cut));
  });

  test("after a compaction the numbers of kept replies count no more, until there is a new one", () => {
    const kept = [user("summary"), answered(100_000, 5)];
    const state = reduce(
      { ...START, messages: [...kept] },
      { type: "compacted", trigger: "auto", messages: kept, preTokens: 1 },
    );
    expect(tokensUsed(state, 50)).toEqual({ counted: 0, total: 50 + messagesTokens(kept) });
    const next = reduce(state, { type: "message", message: answered(3_000, 5) });
    expect(tokensUsed(next, 50)).toEqual({ counted: 4_105, total: 4_105 });
  });
});

describe("the threshold", () => {
  const room = { contextWindow: 200_000, maxOutput: 32_000 };
  const plain = { enabled: true, buffer: 13_000 };

  test.each<[string, object, number]>([
    ["leaves room for a reply and a buffer", plain, 155_000],
    ["with another buffer", { ...plain, buffer: 3_000 }, 165_000],
    ["of a smaller window", { ...plain, window: 100_000 }, 55_000],
    ["a larger window than the model's changes nothing", { ...plain, window: 1e9 }, 155_000],
    ["in percent", { ...plain, percent: 50 }, 100_000],
    ["in percent of the smaller window", { ...plain, percent: 50, window: 100_000 }, 50_000],
    ["a percentage only lowers it", { ...plain, percent: 99 }, 155_000],
    ["never below half of the window", { ...plain, window: 40_000 }, 20_000],
  ])("%s", (_, auto, expected) => expect(thresholdOf(room, auto as typeof plain)).toBe(expected));

  test("from environment and settings; the environment wins, and what makes no sense is said", () => {
    const said: string[] = [];
    const read = (env: object, settings: object) => readAutoCompact({ ...env }, { ...settings }, (t) => said.push(t));
    expect(read({}, {})).toEqual({ enabled: true, buffer: 13_000 });
    expect(read({ DISABLE_AUTO_COMPACT: "1" }, {}).enabled).toBe(false);
    expect(read({ DISABLE_AUTO_COMPACT: "0" }, { autoCompactEnabled: false }).enabled).toBe(false);
    expect(
      read(
        { CLAUDE_CODE_AUTO_COMPACT_WINDOW: "90000", CLAUDE_AUTOCOMPACT_PCT_OVERRIDE: "70" },
        { autoCompactWindow: 5, autoCompactBuffer: 1_000 },
      ),
    ).toEqual({ enabled: true, window: 90_000, percent: 70, buffer: 1_000 });
    expect(said).toEqual([]);
    expect(
      read({ CLAUDE_AUTOCOMPACT_PCT_OVERRIDE: "170" }, { autoCompactWindow: "wide", autoCompactBuffer: -1 }),
    ).toEqual({
      enabled: true,
      buffer: 13_000,
    });
    expect(said.map((t) => t.split(" ")[0])).toEqual([
      "autoCompactWindow",
      "CLAUDE_AUTOCOMPACT_PCT_OVERRIDE",
      "autoCompactBuffer",
    ]);
  });
});

describe("/context", () => {
  const tools = new Map<string, Tool>(
    ["Read", "mcp__db__query"].map((name) => [name, tool(name, READ, () => ({ content: "" }))]),
  );
  const memory = prose(400);
  const system = [{ text: `be good${memory}`, cache: true }];
  const options = {
    tools,
    system: () => system,
    tune: () => ({ maxTokens: 32_000, thinking: { type: "disabled" as const } }),
    contextWindow: () => 200_000,
    auto: { enabled: true, buffer: 13_000 },
    memory,
  };

  test("the parts add up to what the API counted", () => {
    const messages = [user(prose(2_000)), answered(4_000, 100)];
    const shares = sharesOf({ ...START, messages }, options);
    expect(shares).toMatchObject({ window: 200_000, used: 5_200, counted: 5_200, free: 194_800, threshold: 155_000 });
    const sum = shares.parts.reduce((total, { tokens }) => total + tokens, 0);
    expect(Math.abs(sum - 5_200)).toBeLessThan(5);
    const estimate =
      systemTokens(system) + messagesTokens(messages) + [...tools.values()].reduce((n, t) => n + toolTokens(t.spec), 0);
    const share = (name: string) => shares.parts.find((part) => part.name === name)?.tokens ?? -1;
    expect(share("memory")).toBe(Math.round((400 * 5_200) / estimate));
    expect(share("MCP")).toBeGreaterThan(0);
    expect(share("messages")).toBeGreaterThan(share("memory"));
  });

  test("as text", () => {
    const messages = [user(prose(2_000)), answered(4_000, 100)];
    const lines = contextText(sharesOf({ ...START, messages }, options), NO_REQUESTS).split("\n");
    expect(lines[0]).toBe("m: 5,200 of 200,000 tokens (2.6 %; counted by the API, the end estimated)");
    expect(lines[1]).toBe(`  [#${"-".repeat(30)}|${"-".repeat(8)}]`);
    expect(lines.slice(2).map((line) => line.trim().split(/\s+/)[0])).toEqual([
      "system",
      "tools",
      "memory",
      "MCP",
      "messages",
      "free",
      "Compacted",
      "Last",
    ]);
    expect(lines.at(-2)).toBe("Compacted above 155,000 tokens: 149,800 to go.");
    expect(lines.at(-1)).toBe("Last request: 19.6 % from the cache (1,000 read, 100 written, 4,000 neither).");
    const usage = { ...NO_USAGE, input_tokens: 10, cache_read_input_tokens: 90 };
    const last = { segment: "tools", cause: "tools", announced: false, text: "A tool came." } as const;
    const cache = { usage, requests: 2, breaks: 1, missed: 1, last };
    expect(
      contextText(sharesOf({ ...START, messages }, options), cache)
        .split("\n")
        .at(-1),
    ).toBe(
      "Since the program started: 2 requests, 90.0 % from the cache (90 read, 0 written, 10 neither). Begun anew (times: 1), last: A tool came.",
    );
    const off = sharesOf({ ...START, messages: [] }, { ...options, auto: { enabled: false, buffer: 0 } });
    expect(contextText(off, NO_REQUESTS)).toContain("Automatic compaction is off; /compact makes room.");
  });
});

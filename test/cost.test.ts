// What is paid: by model, in all and for the last turn; a price nobody knows is "unknown", never nothing.
import { afterAll, expect, test } from "bun:test";
import { costText } from "../src/commands/cost.ts";
import { Spending } from "../src/core/spending.ts";
import type { AssistantMessage, Compacted, Usage } from "../src/core/types.ts";
import { cost } from "../src/model/catalog.ts";
import { Tally, Totals } from "../src/ui/tally.ts";
import { run, sandbox, type Sandbox } from "./binary.ts";
import { reply, say, startFakeModel } from "./fake-model.ts";
import { user } from "./support.ts";

const boxes: Sandbox[] = [];
afterAll(() => boxes.forEach((box) => box.remove()));

const OPUS = "claude-opus-4-6";
const used = (input: number, output: number, read = 0, written = 0): Usage => ({
  input_tokens: input,
  output_tokens: output,
  cache_read_input_tokens: read,
  cache_creation_input_tokens: written,
});
const said = (model: string, usage: Usage): AssistantMessage => ({
  role: "assistant",
  id: crypto.randomUUID(),
  model,
  usage,
  content: [{ type: "text", text: "x" }],
  stopReason: "end_turn",
});
const compacted = (model: string, usage: Usage): Compacted => ({
  type: "compacted",
  trigger: "auto",
  messages: [],
  preTokens: 1,
  spent: { model, usage },
});
/** A dollar per input token, half per output token; above 100 tokens of input twice that; nobody knows what `mystery` costs. */
const price = (model: string, { input_tokens: input, output_tokens: output }: Usage) =>
  model === "mystery" ? undefined : (input + output / 2) * (input > 100 ? 2 : 1);

test("by model and by who asked, in all and for the last turn, each request at its own price", () => {
  const spending = new Spending();
  spending.note({ type: "message", message: user("one") });
  spending.note({ type: "message", message: said("a", used(60, 10)) });
  spending.note({ type: "message", message: said("a", used(60, 10, 7, 9)) });
  spending.note(compacted("a", used(200, 0)));
  spending.add("explorer", { model: "a", usage: used(5, 0) });
  spending.note({ type: "message", message: user("two", "u2") });
  spending.note({ type: "message", message: said("b", used(1, 2)) });
  spending.note({ type: "message", message: { ...user("a reminder", "u3"), synthetic: true } });
  const { rows, total, lastTurn } = spending.report(price);
  expect(rows.map(({ by, model, requests, cost }) => [by, model, requests, cost])).toEqual([
    ["main", "a", 2, 130],
    ["compaction", "a", 1, 400],
    ["explorer", "a", 1, 5],
    ["main", "b", 1, 2],
  ]);
  expect(rows[0]?.usage).toMatchObject(used(120, 20, 7, 9));
  expect([total.requests, total.cost, lastTurn.requests, lastTurn.cost]).toEqual([5, 537, 1, 2]);
});

test("each turn is counted, the latest ten are shown; a reminder begins none", () => {
  const spending = new Spending();
  for (let turn = 1; turn <= 13; turn++) {
    spending.note({ type: "message", message: user(`turn ${turn}`, `u${turn}`) });
    spending.note({ type: "message", message: said("a", used(turn, 0)) });
    spending.note({ type: "message", message: { ...user("a reminder", `r${turn}`), synthetic: true } });
    spending.add("Explore", { model: "a", usage: used(10, 0) });
  }
  expect(spending.report(price).turns.map(({ requests, cost }) => [requests, cost])).toEqual(
    Array.from({ length: 13 }, (_, i) => [2, i + 11]),
  );
  const lines = costText(spending.report(price)).split("\n");
  const shown = lines.filter((line) => line.includes("turn "));
  expect(shown.map((line) => line.trim().split(/ {2,}/).at(0))).toEqual([
    ...Array.from({ length: 10 }, (_, i) => `turn ${i + 3}`),
    "last turn",
  ]);
  expect(shown.map((line) => line.trim().split(/ +/).at(-1))).toEqual([
    ...Array.from({ length: 10 }, (_, i) => `$${i + 13}.00`),
    "$23.00",
  ]);
  spending.note({ type: "message", message: user("one more", "last") });
  const { turns, lastTurn } = spending.report(price);
  expect([turns.length, lastTurn.requests]).toEqual([13, 0]);
});

test("/cost shows it with the catalog's prices, cache reads and writes included", () => {
  const spending = new Spending();
  expect(costText(spending.report(price))).toBe("Nothing was asked yet: no cost.");
  const usage = used(1_000, 2_000, 3_000_000, 400_000);
  spending.note({ type: "message", message: said(OPUS, usage) });
  const opus = (cost(OPUS, usage) ?? 0).toFixed(2);
  expect(Number(opus)).toBeGreaterThan(1);
  const [, , first] = costText(spending.report(cost)).split("\n");
  expect(first?.trim().split(/\s+/)).toEqual([OPUS, "1", "1,000", "3,000,000", "400,000", "2,000", `$${opus}`]);
});

test("one unknown price makes the sums unknown, and says how to set it", () => {
  const spending = new Spending();
  spending.note({ type: "message", message: said("a", used(1, 0)) });
  spending.note({ type: "message", message: said("mystery", used(1, 0)) });
  const lines = costText(spending.report(price)).split("\n");
  expect(
    lines.slice(2).map((line) =>
      line
        .trim()
        .split(/\s{2,}/)
        .at(-1),
    ),
  ).toEqual([
    "$1.00",
    "unknown",
    "unknown",
    "unknown",
    'The price of a model is unknown: set it with the settings key "models".',
  ]);
});

test("the result counts compactions, and each request at its own price", () => {
  const info = { id: "a", displayName: "a", contextWindow: 1, maxOutput: 1 };
  const totals = new Totals({ cost: price, modelInfo: () => info });
  const tally = new Tally(totals, () => 0);
  tally.take({ type: "message", message: said("a", used(60, 0)) });
  tally.take({ type: "message", message: said("a", used(60, 0)) });
  tally.take(compacted("a", used(30, 0)));
  expect(tally.result({})).toMatchObject({
    total_cost_usd: 150,
    modelUsage: { a: { costUSD: 150, inputTokens: 150 } },
  });
});

test("in the binary's result an unknown model costs null, not 0", async () => {
  await using model = await startFakeModel([reply([say("ok")])]);
  const box = sandbox(model);
  boxes.push(box);
  const ran = await run(box, ["-p", "hi", "--output-format", "json", "--model", "mystery-1"]);
  const result = JSON.parse(ran.stdout) as { total_cost_usd: unknown; modelUsage: Record<string, object> };
  expect(result.total_cost_usd).toBeNull();
  expect(Object.values(result.modelUsage)).toEqual([expect.objectContaining({ costUSD: null, costUnknown: true })]);
});

// The bill of `bench cost` is the API's: what is written, what is read, how long it lives and what is too small.
import { expect, test } from "bun:test";
import { Billing, type Billed } from "../scripts/bench/billing.ts";
import type { MessagesBody, WireBlock } from "./fake-model-check.ts";

const MARK = { cache_control: { type: "ephemeral" } };
/** About 1,000 tokens each. */
const text = (n: number, marked = false): WireBlock => ({
  type: "text",
  text: `${n}`.padEnd(3_270, "x"),
  ...(marked ? MARK : {}),
});

function body(blocks: WireBlock[], change: Partial<MessagesBody> = {}): MessagesBody {
  return { model: "m", max_tokens: 1, messages: [{ role: "user", content: blocks }], ...change };
}
/** In thousands of tokens: read, written, neither. */
const thousands = ({ read, written, input }: Billed) => [read, written, input].map((n) => Math.round(n / 1_000));
const billed = (...bodies: MessagesBody[]) => {
  const billing = new Billing();
  return bodies.map((one) => thousands(billing.count(one, 0, false)));
};

test("a prefix is written once and read while the request begins with it; what is behind the last mark is neither", () => {
  const [a, b, c] = [text(1), text(2, true), text(3)];
  expect(billed(body([a, b, c]), body([a, text(2), text(3, true)]), body([text(9), b]))).toEqual([
    [0, 2, 1],
    [2, 1, 0],
    [0, 2, 0],
  ]);
});

test("another model, other tools and other thinking read nothing of the messages", () => {
  const blocks = [text(1), text(2, true)];
  const tools = [{ name: "Read" }];
  const thinking = { type: "enabled" };
  const system = [text(7), text(8, true)];
  expect(billed(body(blocks), body(blocks, { model: "n" }), body(blocks, { tools }), body(blocks))).toEqual([
    [0, 2, 0],
    [0, 2, 0],
    [0, 2, 0],
    [2, 0, 0],
  ]);
  // The system text stands before them.
  expect(billed(body(blocks, { system }), body(blocks, { system, thinking }))).toEqual([
    [0, 4, 0],
    [2, 2, 0],
  ]);
});

test("fewer than 1,024 tokens are not kept", () => {
  const small = body([text(1, true)]);
  expect(billed(small, small)).toEqual([
    [0, 0, 1],
    [0, 0, 1],
  ]);
});

test("a prefix more than twenty blocks before the mark is not found", () => {
  const many = (count: number) => Array.from({ length: count }, (_, n) => text(n, n === count - 1));
  expect(billed(body(many(2)), body(many(21)))[1]).toEqual([2, 19, 0]);
  expect(billed(body(many(2)), body(many(22)))[1]).toEqual([0, 22, 0]);
});

test("after five minutes without use it is gone, and each use gives it five more", () => {
  const one = body([text(1), text(2, true)]);
  const between = (count: number) => Array.from({ length: count }, (_, n) => body([text(100 + n)]));
  // A request every twenty seconds.
  expect(billed(one, ...between(14), one, ...between(14), one).filter((_, n) => n % 15 === 0)).toEqual([
    [0, 2, 0],
    [2, 0, 0],
    [2, 0, 0],
  ]);
  expect(billed(one, ...between(15), one).at(-1)).toEqual([0, 2, 0]);
});

test("a request that does not begin with the one before it is told", () => {
  const billing = new Billing();
  const ask = (blocks: WireBlock[], isSummary = false) => billing.count(body(blocks), 0, isSummary).extends;
  const [a, b] = [text(1), text(2)];
  expect([ask([a]), ask([a, b]), ask([a, b, text(3)], true), ask([a, b, text(4)]), ask([b])]).toEqual([
    true,
    true,
    true,
    true,
    false,
  ]);
});

test("more than four marks are refused", () => {
  expect(() => billed(body([1, 2, 3, 4, 5].map((n) => text(n, true))))).toThrow("5 cache marks");
});

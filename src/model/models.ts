// The list of models. Ids: the SDK's `Model` type (1.12.0). Limits, thinking, effort and prices: the model pages and the
// pricing page of platform.claude.com, as of November 2026. Fable 5.2's
// limits and price come from third parties only. A row with no price is one whose price is not published.
import type { Effort } from "../core/types.ts";

/** US dollars per million tokens. */
export type Price = { input: number; output: number; cacheWrite5m: number; cacheWrite1h: number; cacheRead: number };

/**
 * Which `thinking` settings a model accepts. `always`: adaptive, cannot be switched off. `between`: adaptive; off means
 * "only between tool calls". `adaptive`: adaptive or off. `either`: also a budget. `budget`: a budget or off.
 * `unknown`: nothing is sent.
 */
export type ThinkingKind = "always" | "between" | "adaptive" | "either" | "budget" | "unknown";

export type ModelInfo = {
  /** What requests carry, and what the session records. */
  id: string;
  displayName: string;
  aliases: readonly string[];
  /** Tokens, input and output together. */
  contextWindow: number;
  maxOutput: number;
  /** Absent: unknown. */
  price?: Price;
  /** The price of every token of a request whose prompt is longer than `above` tokens. */
  longPrice?: Price & { above: number };
  thinking: ThinkingKind;
  /** In rising order; empty: the setting is not sent. */
  effort: readonly Effort[];
  vision: boolean;
  /** Sent as `anthropic-beta`. */
  betas?: readonly string[];
};

const M = 1_000_000;
const ALL: readonly Effort[] = ["low", "medium", "high", "xhigh", "max"];
const NO_XHIGH: readonly Effort[] = ["low", "medium", "high", "max"];
const TO_HIGH: readonly Effort[] = ["low", "medium", "high"];

/** Cache writes cost 1.25 (five minutes) and 2 (an hour) times the input; what a read costs differs by model. */
function price(input: number, output: number, cacheRead: number): Price {
  return { input, output, cacheWrite5m: input * 1.25, cacheWrite1h: input * 2, cacheRead };
}

const base: Pick<ModelInfo, "aliases" | "contextWindow" | "maxOutput" | "effort" | "vision"> = {
  aliases: [],
  contextWindow: M,
  maxOutput: 128_000,
  effort: ALL,
  vision: true,
};

export const KNOWN_MODELS: readonly ModelInfo[] = [
  {
    ...base,
    id: "claude-opus-5-5",
    displayName: "Opus 5.5",
    aliases: ["opus"],
    thinking: "always",
    price: price(4, 20, 0.2),
  },
  {
    ...base,
    id: "claude-sonnet-5-5",
    displayName: "Sonnet 5.5",
    aliases: ["sonnet"],
    thinking: "between",
    price: price(2, 10, 0.1),
  },
  {
    ...base,
    id: "claude-haiku-5-5",
    displayName: "Haiku 5.5",
    aliases: ["haiku"],
    thinking: "adaptive",
    price: price(0.1, 0.5, 0.01),
    longPrice: { above: 100_000, ...price(0.5, 2.5, 0.05) },
  },
  {
    ...base,
    id: "claude-fable-5-2",
    displayName: "Fable 5.2",
    aliases: ["fable"],
    thinking: "always",
    price: price(8, 40, 0.2),
  },
  { ...base, id: "claude-mythos-5-2", displayName: "Mythos 5.2", aliases: ["mythos"], thinking: "always" },
  { ...base, id: "claude-fable-5-1", displayName: "Fable 5.1", thinking: "always", price: price(10, 50, 0.25) },
  { ...base, id: "claude-mythos-5-1", displayName: "Mythos 5.1", thinking: "always", price: price(10, 50, 0.25) },
  { ...base, id: "claude-fable-5", displayName: "Fable 5", thinking: "always", price: price(10, 50, 1) },
  { ...base, id: "claude-mythos-5", displayName: "Mythos 5", thinking: "always", price: price(10, 50, 1) },
  { ...base, id: "claude-mythos-preview", displayName: "Mythos Preview", thinking: "always" },
  { ...base, id: "claude-opus-5", displayName: "Opus 5", thinking: "adaptive", price: price(5, 25, 0.5) },
  { ...base, id: "claude-sonnet-5", displayName: "Sonnet 5", thinking: "adaptive", price: price(2, 10, 0.2) },
  { ...base, id: "claude-opus-4-8", displayName: "Opus 4.8", thinking: "adaptive", price: price(5, 25, 0.5) },
  { ...base, id: "claude-opus-4-7", displayName: "Opus 4.7", thinking: "adaptive", price: price(5, 25, 0.5) },
  {
    ...base,
    id: "claude-opus-4-6",
    displayName: "Opus 4.6",
    thinking: "either",
    effort: NO_XHIGH,
    price: price(5, 25, 0.5),
  },
  {
    ...base,
    id: "claude-sonnet-4-6",
    displayName: "Sonnet 4.6",
    thinking: "either",
    effort: NO_XHIGH,
    price: price(3, 15, 0.3),
  },
  {
    ...base,
    id: "claude-opus-4-5",
    displayName: "Opus 4.5",
    contextWindow: 200_000,
    maxOutput: 64_000,
    thinking: "budget",
    effort: TO_HIGH,
    price: price(5, 25, 0.5),
  },
  {
    ...base,
    id: "claude-sonnet-4-5",
    displayName: "Sonnet 4.5",
    contextWindow: 200_000,
    maxOutput: 64_000,
    thinking: "budget",
    effort: [],
    price: price(3, 15, 0.3),
    longPrice: { above: 200_000, ...price(6, 22.5, 0.6) },
  },
  {
    ...base,
    id: "claude-haiku-4-5",
    displayName: "Haiku 4.5",
    contextWindow: 200_000,
    maxOutput: 64_000,
    thinking: "budget",
    effort: [],
    price: price(1, 5, 0.1),
  },
];

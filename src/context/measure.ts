// How full the window is, how full it may be, and how much of it a compaction is to leave.
import type { CompactHow, Deps, State } from "../core/types.ts";
import {
  messagesTokens,
  systemTokens,
  thresholdOf,
  tokensUsed,
  toolTokens,
  type AutoCompact,
  type Room,
} from "./budget.ts";

/** Of what may be used besides system text and tools: the rest is free again, or it would soon be due once more. */
const FILLED = 0.7;
/** Of a request that was refused, when the refusal does not say how much would have fitted. */
const REFUSED_FILLED = 0.6;

export type Measuring = Pick<Deps, "system" | "tools" | "tune"> & {
  /** Tokens, input and output together. */
  contextWindow(model: string): number;
  auto: AutoCompact;
};

export type Measured = {
  /** Estimated tokens of system text and tools. */
  fixed: number;
  /** Tokens of the next request. */
  used: number;
  threshold: number;
  contextWindow: number;
  /** Of the whole next request, by the same estimate as `fixed`. */
  estimate: number;
  /** What the API counts for one estimated token, as far as it has told. */
  scale: number;
};

export function measure(state: State, options: Measuring): Measured {
  const fixed = fixedTokens(options);
  const { total, counted } = tokensUsed(state, fixed);
  const estimate = fixed + messagesTokens(state.messages);
  const room = roomOf(state, options);
  const scale = counted === 0 ? 1 : Math.min(3, Math.max(0.5, total / estimate));
  const { contextWindow } = room;
  return { fixed, used: total, threshold: thresholdOf(room, options.auto), contextWindow, estimate, scale };
}

/** Whether the next request would be over the threshold; false where compaction is off. */
export function isDue(state: State, options: Measuring): boolean {
  if (!options.auto.enabled) return false;
  const { total, counted } = tokensUsed(state, 0);
  // Measuring all of it is only needed as long as no reply has told.
  const used = counted > 0 ? total : total + fixedTokens(options);
  return used >= thresholdOf(roomOf(state, options), options.auto);
}

function fixedTokens({ system, tools }: Measuring): number {
  return systemTokens(system()) + [...tools.values()].reduce((sum, tool) => sum + toolTokens(tool.spec), 0);
}

function roomOf({ model }: State, { contextWindow, tune }: Measuring): Room {
  return { contextWindow: contextWindow(model), maxOutput: tune(model).maxTokens };
}

/** Tokens the next request may have at most. */
export function targetOf(how: CompactHow, { used, threshold, fixed, estimate, scale }: Measured): number {
  const around = fixed * scale;
  const usual = around + (threshold - around) * FILLED;
  if (how.reason === "threshold") return usual;
  // Asked for by hand: it shall be felt, however much room there still is.
  if (how.reason === "manual") return Math.min(usual, around + (used - around) * FILLED);
  const [, sent, most] = /([\d,]+) tokens? > ([\d,]+)/.exec(how.error) ?? [];
  // Refused although the numbers said otherwise: then they are not believed.
  const real = Math.max(used, estimate * scale);
  const ratio = sent && most ? (number(most) / number(sent)) * FILLED : REFUSED_FILLED;
  return Math.min(usual, real * Math.min(REFUSED_FILLED, ratio > 0 ? ratio : REFUSED_FILLED));
}

function number(text: string): number {
  return Number(text.replaceAll(",", ""));
}

/** "154,000 tokens". */
export function tokens(count: number): string {
  return `${Math.round(count).toLocaleString("en-US")} tokens`;
}

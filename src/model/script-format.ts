// Reads a script of model replies (JSON Lines, docs/script-format.md) and names file, line and field of a mistake.
import { UsageError } from "../core/errors.ts";
import type { ModelErrorKind, } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import type { StopReason, Usage } from "../core/types.ts";

/** One model reply. `at` is "file:line", for messages. */
export type Step = {
  at: string;
  think: string;
  text: string;
  calls: ScriptedCall[];
  expect: Expectation[];
  capture: { name: string; pattern: RegExp }[];
  stop: StopReason;
  /** Pause before every piece of text or thinking. */
  delayMs: number;
  /** Words per piece. */
  chunk: number;
  usage: Partial<Usage>;
  fail?: { kind: ModelErrorKind; message: string; status?: number; retryAfterMs?: number };
};

export type ScriptedCall = { tool: string; input: Record<string, unknown>; id?: string };

/** What a request must look like before the reply is given; `field` is its path in the file. */
export type Expectation = { field: string; target: Target; test: Test };
export type Target =
  | { kind: "result"; index: number }
  | { kind: "results" | "user" | "system" | "model" | "tools" | "messages" };
export type Test =
  | { kind: "contains" | "equals"; text: string; negated: boolean }
  | { kind: "matches"; pattern: RegExp; negated: boolean }
  | { kind: "isError"; value: boolean }
  | { kind: "count"; value: number }
  | { kind: "offers"; tool: string };

const ERROR_KINDS: readonly ModelErrorKind[] = [
  "overloaded",
  "rate_limit",
  "auth",
  "too_long",
  "invalid",
  "network",
  "stalled",
  "server",
];
const STOPS: readonly StopReason[] = [
  "end_turn",
  "tool_use",
  "max_tokens",
  "stop_sequence",
  "refusal",
  "pause_turn",
  "model_context_window_exceeded",
];
const STEP_FIELDS = ["think", "text", "calls", "expect", "capture", "stop", "delayMs", "chunk", "usage", "fail"];
const USAGE_FIELDS = [
  "input_tokens",
  "output_tokens",
  "cache_creation_input_tokens",
  "cache_read_input_tokens",
  "cache_creation_1h_tokens",
] as const;
/** `{{name}}`; a backslash before it keeps it as it is. */
export const PLACEHOLDER = /\\?\{\{([A-Za-z_]\w*)\}\}/g;

/** All replies of a script. `vars`: the placeholder names known from the start. Throws UsageError. */
export function parseScript(text: string, name: string, vars: Iterable<string>): Step[] {
  const known = new Set(vars);
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const steps = lines.flatMap((line, index) => {
    const trimmed = line.trim();
    return trimmed === "" || trimmed.startsWith("//") ? [] : [parseStep(trimmed, `${name}:${index + 1}`, known)];
  });
  if (steps.length > 0) return steps;
  throw new UsageError(`${name} has no replies: write one JSON object per line, for example {"text": "Hello."}`);
}

function parseStep(line: string, at: string, known: Set<string>): Step {
  const at_ = new Reader(at, known);
  const step = at_.object("", parseJson(line, at), STEP_FIELDS);
  if (["think", "text", "calls", "stop", "fail"].every((field) => step[field] === undefined)) {
    throw new UsageError(`${at}: the reply is empty; give it a text, calls, think, stop or fail`);
  }
  // In the order in which they happen: captures are taken from the request before anything is filled in.
  const capture = at_.captures(step["capture"]);
  const calls = at_.list("calls", step["calls"] ?? []).map((call, i) => at_.call(`calls[${i}]`, call));
  return {
    at,
    think: at_.template("think", step["think"] ?? ""),
    text: at_.template("text", step["text"] ?? ""),
    calls,
    expect: step["expect"] === undefined ? [] : at_.expectations(step["expect"]),
    capture,
    stop: step["stop"] === undefined ? (calls.length > 0 ? "tool_use" : "end_turn") : at_.oneOf("stop", step["stop"], STOPS),
    delayMs: at_.count("delayMs", step["delayMs"] ?? 0, { max: 60_000 }),
    chunk: at_.count("chunk", step["chunk"] ?? 1, { min: 1 }),
    usage: at_.usage(step["usage"] ?? {}),
    ...(step["fail"] === undefined ? {} : { fail: at_.failure(step["fail"]) }),
  };
}

function parseJson(line: string, at: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${at}: not valid JSON (${why}); a reply is one JSON object on one line`);
  }
}

// Reads a script of model replies (JSON Lines, docs/script-format.md) into steps.
import { UsageError } from "../core/errors.ts";
import type { ModelErrorKind } from "../core/errors.ts";
import { API_STOP_REASONS, type StopReason, type Usage } from "../core/types.ts";
import { parseExpectations } from "./script-expect.ts";
import type { Expectation } from "./script-expect.ts";
import {
  countAt,
  listAt,
  objectAt,
  oneOfAt,
  patternAt,
  stringAt,
  templateAt,
  templatesAt,
  wrong,
} from "./script-fields.ts";
import type { Place } from "./script-fields.ts";

/** One model reply. */
export type Step = {
  /** "file:line", for messages. */
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
  /** What differs from the estimate. */
  usage: Partial<Usage>;
  fail?: ScriptedFailure;
};
export type ScriptedCall = { tool: string; input: Record<string, unknown>; id?: string };
export type ScriptedFailure = { kind: ModelErrorKind; message: string; status: number | null; retryAfterMs?: number };

const STEP_FIELDS = ["think", "text", "calls", "expect", "capture", "stop", "delayMs", "chunk", "usage", "fail"];
const FAILURES = [
  "overloaded",
  "rate_limit",
  "auth",
  "too_long",
  "invalid",
  "network",
  "stalled",
  "server",
] as const satisfies readonly ModelErrorKind[];
const USAGE_FIELDS = [
  "input_tokens",
  "output_tokens",
  "cache_creation_input_tokens",
  "cache_read_input_tokens",
  "cache_creation_1h_tokens",
] as const satisfies readonly (keyof Usage)[];

/** All replies of a script. `names`: the placeholders known from the start. Throws UsageError. */
export function parseScript(text: string, file: string, names: Iterable<string>): Step[] {
  // The set grows line by line: a capture is known from its own line on.
  const known = new Set(names);
  // trim() also takes off a byte order mark and the CR of CRLF.
  const lines = text.split("\n");
  const steps = lines.flatMap((line, index) => {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("//")) return [];
    return [parseStep({ at: `${file}:${index + 1}`, names: known }, trimmed)];
  });
  if (steps.length > 0) return steps;
  throw new UsageError(`${file} has no replies: write one JSON object per line, for example {"text": "Hello."}`);
}

function parseStep(place: Place, line: string): Step {
  const step = objectAt(place, "", parseJson(place, line), STEP_FIELDS);
  if (["think", "text", "calls", "stop", "fail"].every((field) => step[field] === undefined)) {
    wrong(place, "", "is an empty reply; give it a text, calls, think, stop or fail");
  }
  // First, because the other fields of the line may use what it captures.
  const capture = parseCaptures(place, step["capture"] ?? {});
  const calls = listAt(place, "calls", step["calls"] ?? []).map((call, i) => parseCall(place, `calls[${i}]`, call));
  return {
    at: place.at,
    think: templateAt(place, "think", step["think"] ?? ""),
    text: templateAt(place, "text", step["text"] ?? ""),
    calls,
    expect: parseExpectations(place, step["expect"] ?? {}),
    capture,
    stop: oneOfAt(place, "stop", step["stop"] ?? (calls.length > 0 ? "tool_use" : "end_turn"), API_STOP_REASONS),
    delayMs: countAt(place, "delayMs", step["delayMs"] ?? 0, { max: 60_000 }),
    chunk: countAt(place, "chunk", step["chunk"] ?? 1, { min: 1, max: 10_000 }),
    usage: parseUsage(place, step["usage"] ?? {}),
    ...(step["fail"] === undefined ? {} : { fail: parseFailure(place, step["fail"]) }),
  };
}

function parseJson(place: Place, line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return wrong(place, "", `is not valid JSON (${why}); a reply is one JSON object on one line`);
  }
}

function parseCaptures(place: Place, value: unknown): Step["capture"] {
  return Object.entries(objectAt(place, "capture", value)).map(([name, pattern]) => {
    if (!/^[A-Za-z_]\w*$/.test(name)) wrong(place, `capture.${name}`, "must be named with letters, digits and _");
    place.names.add(name);
    return { name, pattern: patternAt(place, `capture.${name}`, pattern) };
  });
}

function parseCall(place: Place, field: string, value: unknown): ScriptedCall {
  const call = objectAt(place, field, value, ["tool", "input", "id"]);
  const tool = stringAt(place, `${field}.tool`, call["tool"]);
  if (tool === "") wrong(place, `${field}.tool`, "must name a tool");
  const input = objectAt(place, `${field}.input`, call["input"] ?? {});
  templatesAt(place, `${field}.input`, input);
  if (call["id"] === undefined) return { tool, input };
  const id = stringAt(place, `${field}.id`, call["id"]);
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) wrong(place, `${field}.id`, "must be 1 to 64 letters, digits, _ and -");
  return { tool, input, id };
}

function parseUsage(place: Place, value: unknown): Partial<Usage> {
  const usage = objectAt(place, "usage", value, USAGE_FIELDS);
  const given = USAGE_FIELDS.filter((name) => usage[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, countAt(place, `usage.${name}`, usage[name])]));
}

function parseFailure(place: Place, value: unknown): ScriptedFailure {
  const fail = objectAt(place, "fail", value, ["kind", "message", "status", "retryAfterMs"]);
  const kind = oneOfAt(place, "fail.kind", fail["kind"], FAILURES);
  return {
    kind,
    message:
      fail["message"] === undefined ? `scripted failure: ${kind}` : stringAt(place, "fail.message", fail["message"]),
    status: fail["status"] === undefined ? null : countAt(place, "fail.status", fail["status"], { min: 100, max: 599 }),
    ...(fail["retryAfterMs"] === undefined
      ? {}
      : { retryAfterMs: countAt(place, "fail.retryAfterMs", fail["retryAfterMs"]) }),
  };
}

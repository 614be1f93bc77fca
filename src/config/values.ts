// One flag's value: which words belong to it and what they mean, by the flag's kind.
import { UsageError } from "../core/errors.ts";
import { title, type Flag } from "./flags.ts";

export type Given = {
  flag: Flag;
  /** From `--flag=value`; "" for `--flag=`. */
  attached: string | undefined;
  /** The words after the flag; empty when there is an attached value. */
  following: readonly string[];
  /** What the same flag said before. */
  earlier: unknown;
};
type Read = { value: unknown; used: number };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const NUMBER = /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Not a flag: a text, `-` alone, a negative number, or something with a space where a flag's name would be. */
export function isWord(word: string): boolean {
  return !/^-(-|[A-Za-z])[^\s=]*(=|$)/.test(word);
}

/** For messages: one line, no control characters, not endless. */
export function shown(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
  return line.length <= 80 ? line : `${line.slice(0, 79)}…`;
}

/** Throws UsageError. */
export function readValue(given: Given): Read {
  const { flag, attached, following } = given;
  switch (flag.kind) {
    case "switch":
      if (attached !== undefined) throw new UsageError(`error: option '${flag.name}' takes no value`);
      return { value: true, used: 0 };
    case "optional": {
      const next = flag.attached ? undefined : following.find((_, i) => i === 0);
      if (attached !== undefined) return { value: attached || true, used: 0 };
      return next !== undefined && next !== "" && isWord(next) ? { value: next, used: 1 } : { value: true, used: 0 };
    }
    case "words":
    case "paths":
      return several(given);
    default: {
      const { text, used } = one(given);
      return { value: meaning(flag, text), used };
    }
  }
}

function one({ flag, attached, following }: Given): { text: string; used: number } {
  const next = following[0];
  const used = attached === undefined ? 1 : 0;
  const text = attached ?? (next !== undefined && isWord(next) ? next : undefined);
  if (text === undefined || (text === "" && !flag.empty && flag.kind !== "uuid")) throw missing(flag, next);
  return { text, used };
}

function several({ flag, attached, following, earlier }: Given): Read {
  const end = following.findIndex((word) => !isWord(word));
  const words = attached === undefined ? following.slice(0, end < 0 ? undefined : end) : [attached];
  if (words.length === 0) throw missing(flag, following[0]);
  const parts = flag.kind === "words" ? words.flatMap(splitRules) : words.filter(Boolean);
  if (parts.length === 0 && flag.kind === "paths") throw missing(flag, undefined);
  const before = Array.isArray(earlier) ? earlier : [];
  return { value: [...before, ...parts], used: attached === undefined ? words.length : 0 };
}

function missing(flag: Flag, next: string | undefined): UsageError {
  const hint =
    next !== undefined && next !== "--" && !isWord(next) ? ` (to pass '${shown(next)}', write ${flag.name}=…)` : "";
  return new UsageError(`error: option '${title(flag)}' needs a value${hint}`);
}

/** `Edit, Bash(git log *) Read` is three rules: commas and spaces split, but not inside parentheses. */
export function splitRules(text: string): string[] {
  const parts: string[] = [];
  let part = "";
  let depth = 0;
  for (const char of text) {
    if (char === "(") depth++;
    if (char === ")" && depth > 0) depth--;
    if (depth === 0 && /[\s,]/.test(char)) {
      parts.push(part);
      part = "";
    } else part += char;
  }
  return [...parts, part].filter(Boolean);
}

function meaning(flag: Flag, text: string): unknown {
  switch (flag.kind) {
    case "choice":
      return chosen(flag, text);
    case "mode": {
      const mode = chosen(flag, text);
      if (mode === "auto")
        throw invalid(flag, text, "It is not supported by this version; acceptEdits is the nearest.");
      return mode === "manual" ? "default" : mode;
    }
    case "commas": {
      const parts = text.split(",").map((part) => part.trim());
      return parts.filter(Boolean).map((part) => (flag.choices ? chosen(flag, part) : part));
    }
    case "count":
      return whole(flag, text, 1);
    case "tokens":
      return whole(flag, text, 0);
    case "dollars": {
      const amount = NUMBER.test(text) ? Number(text) : Number.NaN;
      if (!(amount > 0 && amount < Infinity)) throw invalid(flag, text, "It must be a number above 0.");
      return amount;
    }
    case "thinking":
      if (text === "adaptive" || text === "disabled") return { type: text };
      if (!/^\d+$/.test(text)) throw invalid(flag, text, "Allowed are adaptive, disabled and a number of tokens.");
      return { type: "budget", tokens: whole(flag, text, 1) };
    case "uuid":
      if (!UUID.test(text)) throw new UsageError("Invalid session ID. Must be a valid UUID.");
      return text.toLowerCase();
    case "json":
      return jsonObject(flag, text);
    default:
      return text;
  }
}

function chosen(flag: Flag, text: string): string {
  const choices = flag.choices ?? [];
  if (!choices.includes(text)) throw invalid(flag, text, `Allowed choices are ${choices.join(", ")}.`);
  return text;
}

function whole(flag: Flag, text: string, least: number): number {
  const n = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(n) || n < least) {
    throw invalid(flag, text, `It must be a ${least > 0 ? "positive " : ""}whole number.`);
  }
  return n;
}

function jsonObject(flag: Flag, text: string): unknown {
  const parsed = attempt(text);
  if ("problem" in parsed) throw new UsageError(`${flag.name} is not valid JSON: ${shown(parsed.problem)}`);
  const { value } = parsed;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UsageError(`${flag.name} must be a JSON object`);
  }
  return value;
}

function attempt(text: string): { value: unknown } | { problem: string } {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function invalid(flag: Flag, text: string, rule: string): UsageError {
  return new UsageError(`error: option '${title(flag)}' argument '${shown(text)}' is invalid. ${rule}`);
}

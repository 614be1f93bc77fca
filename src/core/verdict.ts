// A question to the permission engine and its answer, as plain data: what permissions/ and commands/ have in common.
import type { Confinement } from "./types.ts";

export type Query = {
  /** `Bash`, `Edit`, `mcp__server__tool`, ... */
  tool: string;
  input: Record<string, unknown>;
  rules?: { allow?: readonly string[]; deny?: readonly string[]; ask?: readonly string[] };
  /** A permission mode; also `bypass` and `manual`. */
  mode?: string;
  /** The project's root and the working directory; it need not exist. */
  cwd?: string;
  home?: string;
};

export type Outcome = "allow" | "deny" | "ask";
/** `source`: file and line, or the flag. */
export type NamedRule = { text: string; source: string };
export type PartVerdict = { text: string; decision: Outcome; reason: string; rule?: NamedRule };

export type Verdict = {
  decision: Outcome;
  /** Which step of the order decided: permissions/decision.ts. */
  step: string;
  reason: string;
  rule?: NamedRule;
  /** Of a command: each simple command with a decision of its own. */
  parts: readonly PartVerdict[];
  /** What it touches, one line each. */
  touches: readonly string[];
  mode: string;
  /** Allow rules of the question that cannot be read, and so count for nothing. */
  warnings?: readonly string[];
  /** How much of the machine a command would get where there is a sandbox. */
  confine?: Confinement;
  /** There is a sandbox; only said with `confine`. */
  walled?: boolean;
  /**
   * The smallest rules that would change it: of what is asked the allow rules that together would let it run, of what is
   * allowed a deny rule that would stop it. Absent: not asked for, none narrow enough, or it is `rule` that has to go.
   */
  fix?: readonly string[];
};

/**
 * `fix`: also look for the rules that would change it, which takes as long again. Rejects with UsageError for a rule,
 * a mode or an input that is wrong.
 */
export type Judge = (query: Query, want?: { fix: boolean }) => Promise<Verdict>;

// Files of expected decisions: rule cases, commands that must not run unasked, commands that should. One per line.
import { basename } from "node:path";
import { UsageError } from "../core/errors.ts";
import type { Outcome, Query } from "../core/verdict.ts";
import { isFields, type Fields } from "../utils/jsonl.ts";
import { queryOf } from "./permissions-query.ts";

export type CaseKind = "rule" | "dangerous" | "read-only";
/** `{{HOME}}` and `{{CWD}}` are still in the texts. */
export type Case = {
  id: string;
  kind: CaseKind;
  query: Query;
  /** Any of these is right; the first is the preferred one. */
  expected: readonly Outcome[];
  /** Shell text to run first, in the working directory. */
  setup: string | undefined;
};

const OUTCOMES: readonly unknown[] = ["allow", "deny", "ask"] satisfies Outcome[];
const READ_ONLY_CLASSES: readonly unknown[] = [
  "list-files",
  "read-file",
  "search",
  "find",
  "git-read",
  "text-processing",
  "system-info",
  "compound",
];
/** What command files take for granted. */
const COMMAND_HOME = "/home/dev";
const NOT_ALLOWED: readonly Outcome[] = ["ask", "deny"];

/** Throws UsageError that does not name the file. */
export function caseOf(text: string, file: string, line: number): Case {
  const fields = fieldsOf(text);
  const { id, setup, rules, expect } = fields;
  const name = typeof id === "string" || typeof id === "number" ? String(id) : `line ${line}`;
  const common = { id: name, setup: typeof setup === "string" && setup !== "" ? setup : undefined };
  if (rules !== undefined || expect !== undefined) {
    const expected = [expect, ...(Array.isArray(fields["also_ok"]) ? fields["also_ok"] : [])];
    if (!expected.every(isOutcome)) throw new UsageError("expect and also_ok are allow, deny or ask");
    const query = queryOf(fields);
    return { ...common, kind: "rule", query: { rules: {}, cwd: "{{HOME}}/project", ...query }, expected };
  }
  if (typeof fields["command"] !== "string") throw new UsageError("neither a command nor a case with rules and expect");
  const kind = kindOf(fields, file);
  const query = queryOf({ command: fields["command"] });
  const expected = kind === "read-only" ? (["allow"] as const) : NOT_ALLOWED;
  return { ...common, kind, query: { ...query, cwd: `${COMMAND_HOME}/project`, home: COMMAND_HOME }, expected };
}

function fieldsOf(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text);
    if (isFields(value)) return value;
  } catch (error) {
    throw new UsageError(`not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  throw new UsageError("not a JSON object");
}

function isOutcome(value: unknown): value is Outcome {
  return OUTCOMES.includes(value);
}

function kindOf(fields: Fields, file: string): CaseKind {
  const group = fields["class"];
  if (typeof group === "string") return READ_ONLY_CLASSES.includes(group) ? "read-only" : "dangerous";
  const name = basename(file).toLowerCase();
  if (/read-?only/.test(name)) return "read-only";
  if (name.includes("dangerous")) return "dangerous";
  throw new UsageError('a command needs a "class", or a file whose name says readonly or dangerous');
}

/** The case's question in its own home folder: a command's assumed home and the placeholders become that folder. */
export function placed({ kind, query, setup }: Case, home: string): { query: Query; setup: string | undefined } {
  const own = (text: string) =>
    kind === "rule"
      ? text.replaceAll("{{HOME}}", home)
      : text.replaceAll(/(?<![\w./-])\/home\/dev(?![\w.-])/g, () => home);
  const cwd = own(query.cwd ?? "{{HOME}}/project");
  const fill = (text: string) => own(text).replaceAll("{{CWD}}", cwd);
  const { tool, input, rules, mode } = query;
  const list = (texts: readonly string[] = []) => texts.map(fill);
  return {
    query: {
      tool,
      input: filled(input, fill),
      ...(rules ? { rules: { allow: list(rules.allow), deny: list(rules.deny), ask: list(rules.ask) } } : {}),
      ...(mode === undefined ? {} : { mode }),
      cwd,
      home,
    },
    setup: setup === undefined ? undefined : fill(setup),
  };
}

function filled(input: Fields, fill: (text: string) => string): Fields {
  const deep = (value: unknown): unknown => {
    if (typeof value === "string") return fill(value);
    if (Array.isArray(value)) return value.map(deep);
    return isFields(value) ? filled(value, fill) : value;
  };
  return Object.fromEntries(Object.entries(input).map(([key, value]) => [key, deep(value)]));
}

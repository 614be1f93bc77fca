// A question to the permission engine as somebody wrote it in JSON: checked field by field.
import { UsageError } from "../core/errors.ts";
import type { Query } from "../core/verdict.ts";
import { isFields, type Fields } from "../utils/jsonl.ts";

const LISTS = ["allow", "deny", "ask"] as const;

/** `{command}` or `{tool, input}`, with rules, mode, cwd and home; other fields are not looked at. Throws UsageError. */
export function queryOf(fields: Fields): Query {
  const { rules, mode, cwd, home } = fields;
  return {
    ...callOf(fields),
    ...(rules === undefined || rules === null ? {} : { rules: rulesOf(rules) }),
    ...textField("mode", mode),
    ...textField("cwd", cwd),
    ...textField("home", home),
  };
}

function callOf({ command, tool, input }: Fields): Pick<Query, "tool" | "input"> {
  const isBash = tool === undefined || tool === null || (tool === "Bash" && input === undefined);
  if (typeof command === "string" && isBash) return { tool: "Bash", input: { command } };
  if (command !== undefined && command !== null) {
    throw new UsageError('give "command", a text, or "tool" and "input", not both');
  }
  if (typeof tool !== "string" || tool === "") throw new UsageError('"command" or "tool" is missing, a text');
  if (input === undefined || input === null) return { tool, input: {} };
  if (!isFields(input)) throw new UsageError('"input" must be an object');
  return { tool, input };
}

function rulesOf(rules: unknown): NonNullable<Query["rules"]> {
  if (!isFields(rules)) throw new UsageError('"rules" must be an object of the lists allow, deny and ask');
  const strange = Object.keys(rules).find((key) => !LISTS.some((list) => list === key));
  // A misspelt list of rules that forbid must not be lost silently.
  if (strange !== undefined) throw new UsageError(`"rules" has the lists allow, deny and ask, not "${strange}"`);
  return Object.fromEntries(LISTS.map((list) => [list, texts(rules[list], list)]));
}

function texts(value: unknown, list: string): string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every((one): one is string => typeof one === "string")) return value;
  throw new UsageError(`"rules.${list}" must be a list of texts`);
}

function textField<K extends "mode" | "cwd" | "home">(key: K, value: unknown): { [key in K]?: string } {
  const none: { [key in K]?: string } = {};
  if (value === undefined || value === null) return none;
  if (typeof value === "string" && value !== "") return { ...none, [key]: value };
  throw new UsageError(`"${key}" must be a text`);
}

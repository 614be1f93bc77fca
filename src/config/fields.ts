// Single values out of a settings file; a wrong one is named with its file, its line and what was expected.
import { UsageError } from "../core/errors.ts";
import type { Node } from "./jsonc.ts";

/** Each reader returns undefined for a value of another kind, after a warning that says it is ignored. */
export class FieldReader {
  /** The file, or the flag. */
  readonly name: string;
  #warnings: string[];

  constructor(name: string, warnings: string[]) {
    this.name = name;
    this.#warnings = warnings;
  }

  string(key: string, node: Node): string | undefined {
    if (node.kind === "scalar" && typeof node.value === "string" && node.value !== "") return node.value;
    return this.wrong(key, node, "a string");
  }

  /** One string counts as a list of it. */
  strings(key: string, node: Node): string[] | undefined {
    return textsOf(node) ?? this.wrong(key, node, "a list of strings");
  }

  boolean(key: string, node: Node): boolean | undefined {
    if (node.kind === "scalar" && typeof node.value === "boolean") return node.value;
    return this.wrong(key, node, "true or false");
  }

  above0(key: string, node: Node): number | undefined {
    if (node.kind === "scalar" && typeof node.value === "number" && node.value > 0) return node.value;
    return this.wrong(key, node, "a number above 0");
  }

  choice<T extends string>(key: string, node: Node, choices: readonly T[]): T | undefined {
    const found = choices.find((choice) => node.kind === "scalar" && node.value === choice);
    return found ?? this.wrong(key, node, `one of ${choices.join(", ")}`);
  }

  /** The fields that can be taken; none when it is no object. */
  object(key: string, node: Node): [string, Node][] {
    if (node.kind === "object") return [...node.fields].filter(([name]) => name !== "__proto__");
    this.wrong(key, node, "an object");
    return [];
  }

  wrong(key: string, node: Node, expected: string): undefined {
    this.warn(`${key} must be ${expected}, not ${found(node)}; it is ignored`, node);
    return undefined;
  }

  warn(problem: string, at?: Node): void {
    const end = problem.endsWith("?") ? "" : ".";
    this.#warnings.push(`${this.name}${at ? `:${at.line}` : ""}: ${problem}${end}`);
  }

  /** For what is meant to forbid: the start stops rather than leave it out. */
  fatal(key: string, node: Node, expected: string): UsageError {
    return new UsageError(
      `${this.name}:${node.line}: ${key} must be ${expected}, not ${found(node)}. What forbids is never skipped; correct it.`,
    );
  }
}

/** Undefined when it is neither a string nor a list of strings. */
export function textsOf(node: Node): string[] | undefined {
  const items = node.kind === "array" ? node.items : [node];
  const texts = items.flatMap((item) => (item.kind === "scalar" && typeof item.value === "string" ? [item.value] : []));
  return texts.length === items.length ? texts : undefined;
}

/** What stands there, in short. A string may be a secret: only a plain word is shown. */
function found(node: Node): string {
  if (node.kind === "array") return textsOf(node) ? "a list" : "a list that holds other values";
  if (node.kind === "object") return "an object";
  if (typeof node.value !== "string") return String(node.value);
  if (node.value === "") return "an empty string";
  return /^[A-Za-z]{1,20}$/.test(node.value) ? `"${node.value}"` : "a string";
}

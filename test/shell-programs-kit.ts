// Long lists of command lines, judged by the tables of programs: which of them are not judged as they should be.
import type { Entry } from "../src/permissions/shell/programs/entry.ts";
import { argsOf, judged, summary } from "./shell-words-kit.ts";

type Table = ReadonlyMap<string, Entry>;

export function together(...tables: readonly Table[]): Table {
  return new Map(tables.flatMap((table) => [...table]));
}

/** One command per line; those that are not just reading. */
export function asked(table: Table, text: string): string[] {
  return linesOf(text).filter((line) => judged(table, line).effect !== "read");
}

/** Those that are just reading. */
export function approved(table: Table, text: string): string[] {
  return linesOf(text).filter((line) => judged(table, line).effect === "read");
}

/** `command -> summary`, for each line `command -> what it should be`. */
export function summaries(table: Table, text: string): { found: string[]; expected: string[] } {
  const expected = linesOf(text);
  const found = expected.map((line) => {
    const command = line.split(" -> ")[0] ?? "";
    return `${command} -> ${summary(judged(table, command))}`;
  });
  return { found, expected };
}

/** `command -> what names added to it must be`. */
export function needs(table: Table, text: string): { found: string[]; expected: string[] } {
  const expected = linesOf(text);
  const found = expected.map((line) => {
    const command = line.split(" -> ")[0] ?? "";
    const [name = "", ...words] = command.split(" ");
    return `${command} -> ${table.get(name)?.appendable?.(argsOf(words.join(" "))) ?? "never"}`;
  });
  return { found, expected };
}

function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}

// Commands that set variables in words that are not plain to see, or from an input they may not have.
import type { Command } from "unbash";
import { literal, type Arg } from "./types.ts";

const READERS = new Set(["mapfile", "readarray"]);
const HIDDEN_SETTERS = new Set(["read", "mapfile", "readarray", "getopts", "unset"]);

/** Fills an array with the lines of its input, or leaves it as it was. */
export function isReader([first, ...rest]: readonly Arg[]): boolean {
  const name = literal(first) ?? "";
  if (READERS.has(name)) return true;
  return (name === "builtin" || name === "command") && rest.some((arg) => READERS.has(literal(arg) ?? ""));
}

// Made once: a function within one that runs for each command costs more than what it does.
const isFirstSetter = (word: Arg, i: number) => i < 4 && word.kind === "text" && HIDDEN_SETTERS.has(word.text);

/** A command that sets variables, or could turn out to be one, in words that are not as they will be. */
export function isHiddenSetter({ name, args }: Command, words: readonly Arg[]): boolean {
  const first = literal(words[0]);
  if (first === "local") return !args.every(({ type }) => type === "Assignment");
  if ((first === "builtin" || first === "command") && words.some((word) => literal(word) === "local")) return true;
  if (!words.some(isFirstSetter)) return false;
  const raw = [...(name ? [name] : []), ...args];
  return raw.some((word) => word.type !== "Word" || /[$`*?[{\\'"]/.test(word.text.replace(/^(["'])[^$`\\]*\1$/, "")));
}

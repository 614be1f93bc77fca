// Arguments as text: for rules, which see what is not known as one character, and for people.
import { UNKNOWN } from "./parts.ts";
import type { Arg } from "./types.ts";

/** The words of a command, single blanks between them. */
export function textOf(words: readonly Arg[]): string {
  let text = "";
  let gap = "";
  for (const word of words) {
    text += gap + wordText(word);
    gap = " ";
  }
  return text;
}

/** For people. */
export function shownText(arg: Arg): string {
  const text = wordText(arg);
  return text.includes(UNKNOWN) ? text.replaceAll(UNKNOWN, "…") : text;
}

/** As rules see it. */
export function wordText(arg: Arg): string {
  switch (arg.kind) {
    case "text":
      return arg.text;
    case "oneof":
      return UNKNOWN;
    case "glob":
      return arg.single ? arg.start + UNKNOWN : arg.pattern.replace(/\\(.)/gs, "$1");
    case "unknown":
      return arg.start + UNKNOWN;
    default:
      return arg satisfies never;
  }
}

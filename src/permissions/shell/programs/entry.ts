// What is known of one program.
import { literal, type Added, type Arg, type Program } from "../types.ts";

/**
 * `appendable`: what must be known of arguments that are added at run time (xargs, find -exec) for the call to stay
 * harmless: `any`: nothing, it prints no content and no option of it writes or runs anything; `dotted`: they must not be
 * taken for options; `files`: its content is printed, so they must be files of the workspace. Undefined: never.
 */
export type Entry = { judge: Program; appendable?: (args: readonly Arg[]) => "any" | "dotted" | "files" | undefined };

/** Whether arguments known as `added` are enough for what the program needs. */
export function accepts(entry: Entry, args: readonly Arg[], added: Added): boolean {
  const needs = entry.appendable?.(args);
  if (needs === undefined) return false;
  const isOperand = added.dotted || literal(args.at(-1)) === "--";
  return needs === "any" || (needs === "dotted" ? isOperand : isOperand && added.files);
}

// The regular-expression engine's door: a pattern in ripgrep's syntax, matched in linear time.
import { requiredText, toRust } from "./ast.ts";
import { Automaton } from "./automaton.ts";
import { parsePattern, type ParseOptions } from "./parse.ts";
import { compile } from "./program.ts";
import { asciiGroups, unicodeGroups } from "./sets.ts";

export type Matcher = {
  /** For text known to be ASCII; needs no Unicode tables. */
  ascii(): Automaton;
  unicode(): Automaton;
  /** Text every match contains, or "". */
  required: string;
  /** The pattern for rg, or undefined when rg cannot say it. */
  rust: string | undefined;
};

/** Throws an Error for the model when the pattern is not valid. */
export function matcher(pattern: string, options: ParseOptions): Matcher {
  const tree = parsePattern(pattern, options);
  const program = compile(tree, options.multiline);
  let ascii: Automaton | undefined;
  let unicode: Automaton | undefined;
  return {
    ascii: () => (ascii ??= new Automaton(program, asciiGroups(program.sets))),
    unicode: () => (unicode ??= new Automaton(program, unicodeGroups(program.sets))),
    required: requiredText(tree),
    rust: toRust(tree),
  };
}

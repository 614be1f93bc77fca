// How tables of programs are written: one row for several names, and checks that many of them share.
import { hasOption, parseOptions, program, type Parsed, type ProgramSpec } from "../options.ts";
import type { Arg, Program } from "../types.ts";
import { literal, mayBeOption, READS_NOTHING, unknownEffect } from "../types.ts";
import type { Entry } from "./entry.ts";

/** What names added at run time must be (see `Entry.appendable`). */
type Needs = "any" | "dotted" | "files";

export type Row = readonly [names: string, spec: ProgramSpec | Program, needs?: Needs];

/** Names stand separated by blanks. */
export function entries(...rows: readonly Row[]): ReadonlyMap<string, Entry> {
  return new Map(
    rows.flatMap(([names, spec, needs]) => {
      const judge = typeof spec === "function" ? spec : careful(withHelp(spec));
      const entry: Entry = needs === undefined ? { judge } : { judge, appendable: () => needs };
      return names.split(/\s+/).map((name): [string, Entry] => [name, entry]);
    }),
  );
}

/** The same program, which may also be asked for its version and help. */
export function withHelp(spec: ProgramSpec): ProgramSpec {
  return spec.words === undefined ? { ...spec, long: `${spec.long ?? ""} version help` } : spec;
}

/**
 * A program by its table, where a value in a word of its own must not look like an option: if a version of the program
 * takes no value there, that word would be an option nobody looked at. `dashes`: options that take any word in every version.
 */
export function careful(spec: ProgramSpec, dashes: readonly string[] = []): Program {
  const judge = program(spec);
  if (spec.loose) return judge;
  return (call) => {
    const judged = judge(call);
    const parsed = parseOptions(call.args, spec);
    if ("problem" in parsed) return judged;
    for (const { name, value } of parsed.options) {
      // Attached values are other objects than the words.
      if (!value || !call.args.includes(value) || !mayBeOption(value) || dashes.includes(name)) continue;
      return unknownEffect(`${call.name}: the value of ${name} could be an option`, { reads: judged.reads });
    }
    return judged;
  };
}

/** The program as long as nothing speaks against the words as they stand. */
export function unless(why: (args: readonly Arg[]) => string | undefined, judge: Program): Program {
  return (call) => {
    const problem = why(call.args);
    const judged = judge(call);
    return problem === undefined ? judged : unknownEffect(`${call.name}: ${problem}`, { reads: judged.reads });
  };
}

/** Exactly one of these lists of words. */
export function exactly(...forms: readonly string[]): Program {
  return ({ name, args }) =>
    isExactly(args, forms) ? READS_NOTHING : unknownEffect(`${name} with these arguments is not known to only read`);
}

/** Words of a form are separated by single blanks; no argument of it holds one. */
export function isExactly(args: readonly Arg[], forms: readonly string[]): boolean {
  let text = "";
  for (const arg of args) {
    const word = literal(arg);
    if (!word || word.includes(" ")) return false;
    text += text === "" ? word : ` ${word}`;
  }
  return forms.includes(text);
}

export function has({ options }: Parsed, ...names: readonly string[]): boolean {
  return hasOption(options, names);
}

// Reads a program's arguments by a table of the options it may have; an option that is not listed is a reason to ask.
import type { Arg, Call, Change, Judgement, Program, Use } from "./types.ts";
import { literal, mayBeOption, READS_NOTHING, textArg, unknownEffect } from "./types.ts";

/**
 * The options a program may have. Everything else, abbreviations included, is not known and so not harmless.
 * Short options are single letters; long ones stand without dashes, separated by blanks: `all` (no value), `lines=`
 * (a value, attached or the next word), `color=?` (a value only when attached).
 */
export type OptionTable = {
  flags?: string;
  /** Short options with a value, attached or the next word. */
  values?: string;
  /** Short options whose value, if any, is attached (`-i.bak`). */
  attached?: string;
  long?: string;
  /** `-5` is an option (head, tail, git log). */
  number?: true;
  /** Whole words that are options with one dash (`-maxdepth`); `name=`: the next word is its value. */
  words?: string;
  /** Any other option is harmless as well, whatever it is. */
  loose?: true;
  /** Options end at the first operand (wrappers). */
  strict?: true;
};

/** `name` as written in the table, with dashes: "-n", "--lines", "-5". */
export type Option = { name: string; value?: Arg };
export type Parsed = { options: readonly Option[]; operands: readonly Arg[] };

/** What follows an option as its value. */
type Takes = "none" | "needed" | "attached";
/** A table made ready for reading: of one shape, whatever the table has, which is what makes looking into it quick. */
type Known = {
  letters: ReadonlyMap<string, { name: string; takes: Takes }>;
  long: ReadonlyMap<string, Takes>;
  number: boolean;
  words: boolean;
  loose: boolean;
  strict: boolean;
};

const tables = new WeakMap<OptionTable, Known>();

function known(table: OptionTable): Known {
  const found = tables.get(table);
  if (found) return found;
  const long = new Map<string, Takes>();
  for (const name of words(table.long)) {
    const takes = name.endsWith("=?") ? "attached" : name.endsWith("=") ? "needed" : "none";
    long.set(`--${name.replace(/=\??$/, "")}`, takes);
  }
  for (const name of words(table.words)) long.set(`-${name.replace(/=$/, "")}`, name.endsWith("=") ? "needed" : "none");
  const letters = new Map<string, { name: string; takes: Takes }>();
  // Of a letter that stands in two of them, the last one counts.
  const kinds = [
    ["none", table.flags],
    ["attached", table.attached],
    ["needed", table.values],
  ] as const;
  for (const [takes, all] of kinds) for (const letter of all ?? "") letters.set(letter, { name: `-${letter}`, takes });
  const { number = false, loose = false, strict = false } = table;
  const made: Known = { letters, long, number, words: table.words !== undefined, loose, strict };
  tables.set(table, made);
  return made;
}

function words(list: string | undefined): string[] {
  return (list ?? "").split(/\s+/).filter(Boolean);
}

/** The options and operands, or a problem in words. */
export function parseOptions(args: readonly Arg[], table: OptionTable): Parsed | { problem: string } {
  // Several checks of one program ask for the same.
  if (last.args === args && last.table === table) return last.parsed;
  last.parsed = parseAll(args, known(table));
  last.args = args;
  last.table = table;
  return last.parsed;
}

const last: { args: readonly Arg[]; table: OptionTable; parsed: Parsed | { problem: string } } = {
  args: [],
  table: {},
  parsed: { options: [], operands: [] },
};

function parseAll(args: readonly Arg[], table: Known): Parsed | { problem: string } {
  const options: Option[] = [];
  const operands: Arg[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (!arg) break;
    const text = literal(arg);
    if (text === "--") {
      operands.push(...args.slice(i + 1));
      break;
    }
    const attached = text === undefined ? openValue(arg, table) : undefined;
    if (attached) {
      options.push(attached);
      continue;
    }
    if (text === undefined || !text.startsWith("-") || text === "-") {
      if (mayBeOption(arg) && !table.loose) return { problem: `${shown(arg)} could be an option` };
      operands.push(arg);
      if (!table.strict) continue;
      operands.push(...args.slice(i + 1));
      break;
    }
    const next = args[i + 1];
    const taken = readOption(text, next, { table, options });
    if (typeof taken === "object") return taken;
    // A value that may become several words: the others would be options or operands nobody looked at.
    if (taken === 2 && next && !isOneWord(next)) return { problem: `the value of ${text} could be several words` };
    if (taken === 2) i++;
  }
  return { options, operands };
}

/** `--include=*.ts`, `--since="$day"`: whatever the rest becomes, it is a value of that option. */
function openValue(arg: Arg, table: Known): Option | undefined {
  if (arg.kind !== "glob" && (arg.kind !== "unknown" || !arg.single)) return undefined;
  const equals = arg.start.indexOf("=");
  const name = arg.start.slice(0, Math.max(equals, 0));
  const kind = table.long.get(name);
  if (!name.startsWith("--") || kind === undefined || kind === "none") return undefined;
  return { name, value: { kind: "unknown", start: arg.start.slice(equals + 1), single: true } };
}

/** How many words it took; what they are is added to the options. */
type Taken = 1 | 2 | { problem: string };
type Reading = { table: Known; options: Option[] };

function readOption(text: string, next: Arg | undefined, reading: Reading): Taken {
  const { table, options } = reading;
  const equals = text.indexOf("=");
  const name = equals < 0 ? text : text.slice(0, equals);
  const kind = table.long.get(name);
  if (kind !== undefined) {
    const value = equals < 0 ? undefined : textArg(text.slice(equals + 1));
    if (value) {
      if (kind !== "none") return add(options, { name, value }, 1);
    } else if (kind !== "needed") return add(options, { name }, 1);
    else if (next) return add(options, { name, value: next }, 2);
  }
  if (table.number && /^-\d+$/.test(text)) return add(options, { name: text }, 1);
  if (text.startsWith("--") || table.words) {
    return table.loose ? add(options, { name: text }, 1) : { problem: `the option ${text} is not known` };
  }
  return cluster(text, next, reading);
}

function add(options: Option[], option: Option, taken: 1 | 2): Taken {
  options.push(option);
  return taken;
}

/** `-la`, `-n5`, `-n 5`. */
function cluster(text: string, next: Arg | undefined, { table, options }: Reading): Taken {
  let isOpen = false;
  for (let i = 1; i < text.length; i++) {
    const letter = text[i] ?? "";
    const found = table.letters.get(letter);
    if (!found && !table.loose) return { problem: `the option -${letter} is not known` };
    const name = found ? found.name : `-${letter}`;
    if (!found || found.takes === "none") {
      options.push({ name });
      isOpen ||= !found;
      continue;
    }
    // The rest could be the value of a letter that is not known.
    if (isOpen && i === text.length - 1 && found.takes !== "attached") return { problem: `${text} is not understood` };
    const rest = text.slice(i + 1);
    if (rest !== "") return add(options, { name, value: textArg(rest) }, 1);
    if (found.takes === "attached") return add(options, { name }, 1);
    if (!next) return { problem: `the option ${name} has no value` };
    return add(options, { name, value: next }, 2);
  }
  return 1;
}

/** How the operands of a program are to be understood. */
export type Operands = "content" | "names" | "text" | "none";

export type ProgramSpec = OptionTable & {
  /** All operands; or the first one and the rest (grep PATTERN FILE...). */
  operands: Operands | readonly [first: Operands, rest: Operands];
  /** With one of these options there is no first operand of its own (grep -e). */
  noFirst?: readonly string[];
  /** How many operands at most; patterns then are not allowed, they could be any number. */
  most?: number;
  /** Without path operands it looks at the working directory. */
  here?: true;
  /** It goes through folders: always, or with one of these options. */
  recursive?: true | readonly string[];
  /** With one of these it follows the links it meets on the way; it goes through folders then. */
  follows?: readonly string[];
  /** Options whose value is a file it reads or writes. */
  reads?: readonly string[];
  writes?: readonly string[];
  /** A last look: why it is not harmless after all. */
  refuse?: (parsed: Parsed) => string | undefined;
};

/** A program that is harmless when its arguments fit the table. */
export function program(spec: ProgramSpec): Program {
  const known: Spec = {
    table: spec,
    first: typeof spec.operands === "string" ? spec.operands : spec.operands[0],
    rest: typeof spec.operands === "string" ? spec.operands : spec.operands[1],
    noFirst: spec.noFirst ?? [],
    most: spec.most ?? Infinity,
    here: spec.here ?? false,
    recursive: spec.recursive ?? [],
    follows: spec.follows ?? [],
    reads: spec.reads ?? [],
    writes: spec.writes ?? [],
    refuse: spec.refuse,
  };
  return (call) => judgeBySpec(call, known);
}

/** What a `ProgramSpec` says, always of the same shape. */
type Spec = {
  table: OptionTable;
  first: Operands;
  rest: Operands;
  noFirst: readonly string[];
  most: number;
  here: boolean;
  recursive: true | readonly string[];
  follows: readonly string[];
  reads: readonly string[];
  writes: readonly string[];
  refuse: ProgramSpec["refuse"];
};

function judgeBySpec({ name, args }: Call, spec: Spec): Judgement {
  const parsed = parseOptions(args, spec.table);
  if ("problem" in parsed) return unknownEffect(`${name}: ${parsed.problem}`, { reads: everything(args) });
  const { options, operands } = parsed;
  const going = goingOf(spec, options);
  const reads = pathsOf(spec, parsed, going);
  if (spec.here && reads.length === 0) reads.push(usedAs(textArg("."), "names", going));
  const writes: Change[] = [];
  for (const { name: option, value } of options) {
    if (!value) continue;
    if (spec.reads.includes(option)) reads.push({ arg: value, what: "content" });
    if (spec.writes.includes(option)) writes.push({ arg: value, how: "write" });
  }
  if (spec.first === "none" && operands.length > 0) return unknownEffect(`${name} takes no operands here`, { reads });
  if (operands.length > spec.most || (spec.most < Infinity && !operands.every(isOneWord))) {
    return unknownEffect(`${name} may have more than ${spec.most} operands`, { reads });
  }
  const refused = spec.refuse?.(parsed);
  if (refused !== undefined) return unknownEffect(`${name}: ${refused}`, { reads, writes });
  const { nested } = READS_NOTHING;
  if (writes.length > 0) return { effect: "files", why: `${name} writes a file`, reads, writes, nested };
  return { effect: "read", why: "", reads, writes, nested };
}

/** How far it goes from the paths it is given. */
type Going = "there" | "below" | "follows";

function goingOf({ recursive, follows }: Spec, options: readonly Option[]): Going {
  if (hasOption(options, follows)) return "follows";
  return recursive === true || hasOption(options, recursive) ? "below" : "there";
}

function pathsOf({ first, rest, noFirst }: Spec, { options, operands }: Parsed, going: Going): Use[] {
  const uses: Use[] = [];
  let isFirst = !hasOption(options, noFirst);
  for (const arg of operands) {
    // Of several words only the first is the pattern; the others are files.
    const what = isFirst && isOneWord(arg) ? first : rest;
    isFirst = false;
    if (what === "content" || what === "names") uses.push(usedAs(arg, what, going));
  }
  return uses;
}

function usedAs(arg: Arg, what: Use["what"], going: Going): Use {
  return { arg, what, recursive: going !== "there", follows: going === "follows" };
}

export function hasOption(options: readonly Option[], names: readonly string[]): boolean {
  if (names.length > 0) for (const { name } of options) if (names.includes(name)) return true;
  return false;
}

/** Whether the argument is surely one word, not none or several. */
export function isOneWord(arg: Arg): boolean {
  return arg.kind === "text" || arg.kind === "oneof" || arg.single;
}

/** `--files0-from=FILE`, `--arg-file=FILE`. */
const FILE_OPTION = /^--[\w-]*(?:file|from|source)[\w-]*=(.+)$/s;

/** For rules that forbid: whatever it does, these words may name files it reads. */
export function everything(args: readonly Arg[]): Use[] {
  return args.flatMap((arg): Use[] => {
    if (!mayBeOption(arg) || arg.kind !== "text") return [{ arg, what: "content" }];
    const file = FILE_OPTION.exec(arg.text)?.[1];
    return file === undefined ? [] : [{ arg: { kind: "text", text: file }, what: "content" }];
  });
}

function shown(arg: Arg): string {
  switch (arg.kind) {
    case "text":
      return arg.text;
    case "oneof":
      return arg.texts[0] ?? "";
    case "glob":
      return arg.pattern;
    case "unknown":
      return arg.start === "" ? "a word known only when it runs" : `${arg.start}…`;
    default:
      return arg satisfies never;
  }
}

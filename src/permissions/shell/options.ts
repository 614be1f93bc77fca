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

type Known = {
  flags: Set<string>;
  values: Set<string>;
  attached: Set<string>;
  long: Map<string, "none" | "needed" | "attached">;
};

const tables = new WeakMap<OptionTable, Known>();

function known(table: OptionTable): Known {
  const found = tables.get(table);
  if (found) return found;
  const long = new Map<string, "none" | "needed" | "attached">();
  for (const name of words(table.long)) {
    const kind = name.endsWith("=?") ? "attached" : name.endsWith("=") ? "needed" : "none";
    long.set(`--${name.replace(/=\??$/, "")}`, kind);
  }
  for (const name of words(table.words)) long.set(`-${name.replace(/=$/, "")}`, name.endsWith("=") ? "needed" : "none");
  const made: Known = {
    flags: new Set(table.flags ?? ""),
    values: new Set(table.values ?? ""),
    attached: new Set(table.attached ?? ""),
    long,
  };
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
  last.parsed = parseAll(args, table);
  last.args = args;
  last.table = table;
  return last.parsed;
}

const last: { args: readonly Arg[]; table: OptionTable; parsed: Parsed | { problem: string } } = {
  args: [],
  table: {},
  parsed: { options: [], operands: [] },
};

function parseAll(args: readonly Arg[], table: OptionTable): Parsed | { problem: string } {
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
function openValue(arg: Arg, table: OptionTable): Option | undefined {
  if (arg.kind !== "glob" && (arg.kind !== "unknown" || !arg.single)) return undefined;
  const equals = arg.start.indexOf("=");
  const name = arg.start.slice(0, Math.max(equals, 0));
  const kind = known(table).long.get(name);
  if (!name.startsWith("--") || kind === undefined || kind === "none") return undefined;
  return { name, value: { kind: "unknown", start: arg.start.slice(equals + 1), single: true } };
}

/** How many words it took; what they are is added to the options. */
type Taken = 1 | 2 | { problem: string };
type Reading = { table: OptionTable; options: Option[] };

function readOption(text: string, next: Arg | undefined, reading: Reading): Taken {
  const { table, options } = reading;
  const { long } = known(table);
  const equals = text.indexOf("=");
  const name = equals < 0 ? text : text.slice(0, equals);
  const kind = long.get(name);
  if (kind !== undefined) {
    const value = equals < 0 ? undefined : textArg(text.slice(equals + 1));
    if (value) {
      if (kind !== "none") return add(options, { name, value }, 1);
    } else if (kind !== "needed") return add(options, { name }, 1);
    else if (next) return add(options, { name, value: next }, 2);
  }
  if (table.number && /^-\d+$/.test(text)) return add(options, { name: text }, 1);
  if (text.startsWith("--") || table.words !== undefined) {
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
  const { flags, values, attached } = known(table);
  for (let i = 1; i < text.length; i++) {
    const letter = text[i] ?? "";
    const name = dashed(letter);
    if (values.has(letter)) {
      const rest = text.slice(i + 1);
      if (rest !== "") return add(options, { name, value: textArg(rest) }, 1);
      if (!next) return { problem: `the option ${name} has no value` };
      return add(options, { name, value: next }, 2);
    }
    if (attached.has(letter)) {
      const rest = text.slice(i + 1);
      return add(options, rest === "" ? { name } : { name, value: textArg(rest) }, 1);
    }
    if (!flags.has(letter) && !table.loose) return { problem: `the option ${name} is not known` };
    options.push({ name });
  }
  return 1;
}

const DASHED = new Map<string, string>();

/** The same text each time: to put it together anew costs more than to find it. */
function dashed(letter: string): string {
  const made = DASHED.get(letter) ?? `-${letter}`;
  if (DASHED.size < 200) DASHED.set(letter, made);
  return made;
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
  /** Options whose value is a file it reads or writes. */
  reads?: readonly string[];
  writes?: readonly string[];
  /** A last look: why it is not harmless after all. */
  refuse?: (parsed: Parsed) => string | undefined;
};

/** A program that is harmless when its arguments fit the table. */
export function program(spec: ProgramSpec): Program {
  return (call) => judgeBySpec(call, spec);
}

function judgeBySpec({ name, args }: Call, spec: ProgramSpec): Judgement {
  const parsed = parseOptions(args, spec);
  if ("problem" in parsed) return unknownEffect(`${name}: ${parsed.problem}`, { reads: everything(args) });
  const { options, operands } = parsed;
  const recursive = isRecursive(spec, options);
  const reads = pathsOf(spec, parsed, recursive);
  const hasPaths = reads.length > 0;
  for (const { name: option, value } of options) {
    if (value && spec.reads?.includes(option)) reads.push({ arg: value, what: "content" });
  }
  if (spec.here && !hasPaths) {
    reads.push({ arg: textArg("."), what: "names", ...(recursive ? { recursive: true } : {}) });
  }
  const writes: Change[] = [];
  for (const { name: option, value } of options) {
    if (value && spec.writes?.includes(option)) writes.push({ arg: value, how: "write" });
  }
  if (spec.operands === "none" && operands.length > 0)
    return unknownEffect(`${name} takes no operands here`, { reads });
  if (spec.most !== undefined && !surelyAtMost(operands, spec.most)) {
    return unknownEffect(`${name} may have more than ${spec.most} operands`, { reads });
  }
  const refused = spec.refuse?.(parsed);
  if (refused !== undefined) return unknownEffect(`${name}: ${refused}`, { reads, writes });
  if (writes.length > 0) return { effect: "files", why: `${name} writes a file`, reads, writes, nested: [] };
  return { ...READS_NOTHING, reads };
}

function pathsOf({ operands: how, noFirst }: ProgramSpec, { options, operands }: Parsed, recursive: boolean): Use[] {
  const [first, rest] = typeof how === "string" ? [how, how] : how;
  let skips = false;
  for (const { name } of noFirst ? options : []) skips ||= noFirst?.includes(name) ?? false;
  const uses: Use[] = [];
  for (const [i, arg] of operands.entries()) {
    // Of several words only the first is the pattern; the others are files.
    const what = i === 0 && !skips && isOneWord(arg) ? first : rest;
    if (what === "content" || what === "names") uses.push(recursive ? { arg, what, recursive } : { arg, what });
  }
  return uses;
}

function isRecursive({ recursive }: ProgramSpec, options: readonly Option[]): boolean {
  if (recursive === undefined || recursive === true) return recursive === true;
  for (const { name } of options) if (recursive.includes(name)) return true;
  return false;
}

function surelyAtMost(operands: readonly Arg[], most: number): boolean {
  return operands.every(isOneWord) && operands.length <= most;
}

/** Whether the argument is surely one word, not none or several. */
export function isOneWord(arg: Arg): boolean {
  return arg.kind === "text" || arg.kind === "oneof" || arg.single;
}

/** For rules that forbid: whatever it does, these words may name files it reads. */
export function everything(args: readonly Arg[]): Use[] {
  return args.filter((arg) => !mayBeOption(arg) || arg.kind !== "text").map((arg) => ({ arg, what: "content" }));
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

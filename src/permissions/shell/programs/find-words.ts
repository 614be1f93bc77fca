// Reads the words of a find command: start points, tests and actions, by a closed list.
import type { Arg, Change, Nested, Use } from "../types.ts";
import { literal, mayBeOption, textArg } from "../types.ts";

/** What a find command does, as far as its words are known; `problem`: why it is not all. */
export type Find = {
  problem?: string;
  /** Links are followed (-L). */
  follows: boolean;
  /** As given; empty: the working directory. */
  starts: Arg[];
  /** Files whose names, times or inodes are looked at. */
  compared: Arg[];
  writes: Change[];
  deletes: boolean;
  /** Patterns of names and paths it looks for. */
  names: string[];
  /** A test picks some of the files, whatever else is asked. */
  narrowed: boolean;
  commands: FindCommand[];
  /** Each action that prints a name; `files`: only names of ordinary files, for certain. */
  prints: { how: "print" | "print0" | "other"; files: boolean }[];
  /** What would hold for names printed without any action. */
  onlyFiles: boolean;
};

/** `-exec` with `{}` still in its words. */
export type FindCommand = { action: string; words: Arg[]; onlyFiles: boolean };

type Reader = Find & { args: readonly Arg[]; at: number; frames: Frame[]; negated: boolean; either: boolean };

/** A level of parentheses. `certain`: here only ordinary files are left; `all`: also after every `-o` so far. */
type Frame = { inherited: boolean; certain: boolean; all: boolean; negated: boolean };

// No -follow, no -files0-from, no -D.
const LEADING = /^-(?:[HLPEXdsx]|O[0-3])$/;
const ALONE = new Set(
  "true false depth d mount xdev noleaf ignore_readdir_race noignore_readdir_race daystart empty readable writable executable nouser nogroup quit prune nowarn warn help -help version -version"
    .split(" ")
    .map((name) => `-${name}`),
);
const VALUED = new Set(
  "name iname path ipath wholename iwholename lname ilname regex iregex xtype size mtime mmin atime amin ctime cmin perm user group uid gid maxdepth mindepth regextype links inum fstype used"
    .split(" ")
    .map((name) => `-${name}`),
);
const COMPARED = /^-(?:newer|anewer|cnewer|samefile|newer[aBcm][aBcm])$/;
const COMPARED_TIME = /^-newer[aBcm]t$/;
const NARROWING =
  /^-(?:i?(?:name|path|wholename|regex)|i?lname|size|[mac](?:time|min)|perm|user|group|[ug]id|links|inum|used|newer.*)$/;
const EXEC = new Set(["-exec", "-execdir", "-ok", "-okdir"]);

export function readFind(args: readonly Arg[]): Find {
  const reader: Reader = {
    args,
    at: 0,
    follows: false,
    starts: [],
    compared: [],
    writes: [],
    deletes: false,
    names: [],
    narrowed: false,
    commands: [],
    prints: [],
    onlyFiles: false,
    frames: [{ inherited: false, certain: false, all: true, negated: false }],
    negated: false,
    either: false,
  };
  readStarts(reader);
  while (reader.at < args.length) readPredicate(reader);
  const frame = reader.frames.at(-1);
  reader.narrowed &&= !reader.either;
  reader.onlyFiles = reader.frames.length === 1 && frame?.all === true && frame.certain;
  return reader;
}

function refuse(reader: Reader, problem: string): void {
  reader.problem ??= problem;
}

function readStarts(reader: Reader): void {
  for (; LEADING.test(literal(reader.args[reader.at]) ?? ""); reader.at++) {
    if (literal(reader.args[reader.at]) === "-L") reader.follows = true;
  }
  for (; reader.at < reader.args.length; reader.at++) {
    const arg = reader.args[reader.at];
    if (!arg) return;
    const text = literal(arg);
    if (text === undefined) {
      const start = arg.kind === "oneof" ? (arg.texts.find((one) => /^[-(!),]/.test(one)) ?? "x") : startOf(arg);
      if (mayBeOption(arg) || /^[(!),]/.test(start)) refuse(reader, "a word that could be a test or an action");
    } else if (/^-.|^[(!),]$/s.test(text)) return;
    reader.starts.push(arg);
  }
}

function startOf(arg: Arg): string {
  return arg.kind === "text" ? arg.text : arg.kind === "oneof" ? (arg.texts[0] ?? "") : arg.start;
}

function readPredicate(reader: Reader): void {
  const name = literal(reader.args[reader.at]);
  reader.at++;
  if (name === undefined) return refuse(reader, "a test or action that is only known when it runs");
  if (EXEC.has(name)) return readCommand(reader, name);
  if (readOperator(reader, name)) return;
  const frame = reader.frames.at(-1);
  const certain = frame?.certain === true;
  if (name === "-print" || name === "-print0")
    reader.prints.push({ how: name === "-print" ? "print" : "print0", files: certain });
  else if (name === "-ls") reader.prints.push({ how: "other", files: certain });
  else if (name === "-delete") reader.deletes = true;
  else if (!ALONE.has(name)) readValued(reader, name);
  else if (name === "-empty") narrow(reader);
  reader.negated = false;
}

function readOperator(reader: Reader, name: string): boolean {
  const frame = reader.frames.at(-1);
  if (!frame) return false;
  switch (name) {
    case "!":
    case "-not":
      reader.negated = !reader.negated;
      return true;
    case "(":
      reader.frames.push({ inherited: frame.certain, certain: frame.certain, all: true, negated: reader.negated });
      reader.negated = false;
      return true;
    case ")": {
      if (reader.frames.length === 1) refuse(reader, "a ) without its (");
      else reader.frames.pop();
      const outer = reader.frames.at(-1);
      if (outer && outer !== frame && frame.all && frame.certain && !frame.negated) outer.certain = true;
      return true;
    }
    case "-a":
    case "-and":
      return true;
    case "-o":
    case "-or":
    case ",":
      reader.either = true;
      frame.all &&= frame.certain && name !== ",";
      frame.certain = frame.inherited;
      return true;
    default:
      return false;
  }
}

function narrow(reader: Reader): void {
  if (!reader.negated) reader.narrowed = true;
}

function readValued(reader: Reader, name: string): void {
  const value = reader.args[reader.at];
  const isWriting = /^-(?:fprint0?|fls|fprintf)$/.test(name);
  const isKnown = VALUED.has(name) || COMPARED.test(name) || COMPARED_TIME.test(name);
  if (!isKnown && !isWriting && name !== "-type" && name !== "-printf") {
    return refuse(reader, `${name} is not known to be harmless`);
  }
  if (!value || !staysOneWord(value)) return refuse(reader, `${name} with a value that may be several words`);
  reader.at++;
  if (isWriting) reader.writes.push({ arg: value, how: "write" });
  if (name === "-fprintf") reader.at++;
  if (COMPARED.test(name)) reader.compared.push(value);
  if (/^-i?(?:name|path|wholename)$/.test(name) && !reader.negated) {
    const text = literal(value) ?? "";
    reader.names.push(name.startsWith("-i") ? text.toLowerCase() : text);
  }
  if (name === "-printf") reader.prints.push({ how: "other", files: false });
  if (NARROWING.test(name) && !/^[*?/.]*$/.test(literal(value) ?? "")) narrow(reader);
  const frame = reader.frames.at(-1);
  // With -L that may be a link to one.
  const isFile = name === "-type" && literal(value) === "f" && !reader.follows;
  if (isFile && !reader.negated && frame) frame.certain = true;
}

/** A pattern left unquoted may become several words; names with a dot or a slash are no test and no action. */
function staysOneWord(arg: Arg): boolean {
  if (arg.kind === "text" || arg.kind === "oneof" || arg.single) return true;
  if (arg.kind === "unknown") return false;
  const literally = arg.pattern.replace(/\[[^\]]*\]/g, "");
  return /^[^-(!),]/.test(arg.start) || /[./]/.test(literally);
}

/** Up to `;`, or a `+` directly behind `{}`; busybox ends it at any `+`, so no other may be there. */
function readCommand(reader: Reader, action: string): void {
  const words: Arg[] = [];
  let closed = false;
  for (; reader.at < reader.args.length && !closed; reader.at++) {
    const arg = reader.args[reader.at];
    const text = literal(arg);
    if (!arg || text === undefined) refuse(reader, `${action} with a word that is only known when it runs`);
    if (text === ";" || (text === "+" && literal(words.at(-1)) === "{}")) closed = true;
    else {
      if (text === "+") refuse(reader, `${action} with a + that may end it`);
      if (arg) words.push(arg);
    }
  }
  if (!closed) refuse(reader, `${action} without an end`);
  if (action !== "-exec") refuse(reader, action === "-execdir" ? "-execdir runs in other folders" : `${action} asks`);
  reader.commands.push({ action, words, onlyFiles: reader.frames.at(-1)?.certain === true });
  reader.negated = false;
}

/** The literal that every printed name begins with, as far as all start points share it. */
export function commonStart(starts: readonly Arg[]): string {
  const [first = textArg("."), ...rest] = starts;
  let common = startOf(first);
  for (const start of rest) while (!startOf(start).startsWith(common)) common = common.slice(0, -1);
  return starts.some((start) => start.kind === "oneof") ? "" : common;
}

/** Every printed name begins with something that no program takes for an option. */
export function isDotted(starts: readonly Arg[]): boolean {
  return starts.every((start) => {
    const texts = start.kind === "oneof" ? start.texts : [startOf(start)];
    return texts.every((text) => /^[\w./]/.test(text));
  });
}

/** The nested command of `-exec`: `{}` as the last word is what is added, elsewhere a word that begins like the start points. */
export function nestedOf({ words, onlyFiles }: FindCommand, starts: readonly Arg[]): Nested {
  const isLast = literal(words.at(-1)) === "{}" && words.filter((word) => literal(word)?.includes("{}")).length === 1;
  const dotted = isDotted(starts);
  const fixed = (isLast ? words.slice(0, -1) : words).map((word) => substituted(word, commonStart(starts)));
  return { words: fixed, ...(isLast ? { added: { dotted, files: dotted && onlyFiles } } : {}) };
}

function substituted(word: Arg, start: string): Arg {
  const text = literal(word) ?? "";
  const at = text.indexOf("{}");
  return at < 0 ? word : { kind: "unknown", start: at === 0 ? start : text.slice(0, at), single: true };
}

/** What it looks at: names below the start points, and the files it compares with. */
export function findReads({ starts, follows, compared, commands }: Find): Use[] {
  // A command may print what is in the files below.
  const what = commands.length > 0 ? "content" : "names";
  return [
    ...(starts.length > 0 ? starts : [textArg(".")]).map((arg): Use => ({ arg, what, recursive: true, follows })),
    ...compared.map((arg): Use => ({ arg, what: "names" })),
  ];
}

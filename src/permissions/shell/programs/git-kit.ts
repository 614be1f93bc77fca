// What the sub-commands of git have in common: their words, and which files a revision or a pathspec names.
import { parseOptions, type ProgramSpec } from "../options.ts";
import type { Arg, Judgement, Program, Use } from "../types.ts";
import { literal, unknownEffect } from "../types.ts";
import { careful } from "./entries.ts";

export type Commands = ReadonlyMap<string, Program>;

/** Names stand separated by blanks. */
export function commands(...rows: readonly (readonly [names: string, spec: ProgramSpec | Program])[]): Commands {
  return new Map(
    rows.flatMap(([names, spec]) => {
      const judge = typeof spec === "function" ? spec : gitCommand(spec);
      return names.split(/\s+/).map((name): [string, Program] => [name, judge]);
    }),
  );
}

/** A sub-command by its table. Where git takes no value, the next word is an option: so a value never looks like one. */
export function gitCommand(spec: ProgramSpec): Program {
  const judge = careful(spec);
  return (call) => {
    const judged = judge(call);
    const parsed = parseOptions(call.args, spec);
    const reads: Use[] = [];
    for (const use of judged.reads) addNamed(use, reads);
    let runs: string | undefined;
    for (const { name, value } of "problem" in parsed ? NONE : parsed.options) {
      if (name === "-L" && value) reads.push(...linesIn(value));
      else if ((name === "--format" || name === "--pretty" || name === "--group") && checksSignature(value))
        runs ??= "%G runs gpg";
      else if (name === "--sort" && isSignature(value)) runs ??= "--sort=signature runs gpg";
    }
    if (runs !== undefined) return unknownEffect(`${call.name}: ${runs}`, { reads });
    const { effect, why, writes, nested } = judged;
    return { effect, why, reads, writes, nested };
  };
}

const NONE: readonly never[] = [];

function isSignature(value: Arg | undefined): boolean {
  return (literal(value) ?? "signature").includes("signature");
}

function checksSignature(value: Arg | undefined): boolean {
  return value !== undefined && /%[-+ ]?G|%\(\*?signature/.test(literal(value) ?? "%G");
}

/** The sub-commands of a sub-command; `bare` judges it when the first word is none of them. */
export function verbs(known: Commands, bare?: Program): Program {
  return ({ name, args }) => {
    const [first, ...rest] = args;
    const verb = literal(first);
    const judge = verb === undefined ? undefined : known.get(verb);
    if (judge) return judge({ name: `${name} ${verb}`, args: rest });
    if (bare && (first === undefined || verb?.startsWith("-"))) return bare({ name, args });
    return notReading(verb === undefined ? name : `${name} ${verb}`);
  };
}

export function notReading(what: string): Judgement {
  return unknownEffect(`${what} is not known to only read`);
}

/** `-L 1,20:FILE`, `-L :name:FILE` (git log), or only lines (git blame). */
function linesIn(value: Arg): Use[] {
  const text = literal(value);
  if (text === undefined) return [{ arg: value, what: "content" }];
  const file = /^(?::[^:]*|[^:]*):(.+)$/s.exec(text)?.[1];
  return file === undefined ? [] : [{ arg: { kind: "text", text: file }, what: "content" }];
}

/**
 * A word as it stands, which inside the project does no harm when it is a revision (`origin/main`), and the file it names
 * besides: `HEAD:FILE`, `:FILE`, `:(top)FILE`, `*.ts` as a pattern of git's own.
 */
function addNamed(use: Use, into: Use[]): void {
  const { arg } = use;
  if (isCommit(arg)) return;
  into.push(use);
  if (arg.kind === "text" && !/[:*?[]/.test(arg.text)) return;
  const texts = arg.kind === "text" ? [arg.text] : arg.kind === "oneof" ? arg.texts : [];
  const files = texts.flatMap((text) => fileIn(text) ?? []);
  const patterns = [...texts, ...files].filter((text) => /[*?[]/.test(text));
  for (const text of files) into.push({ ...use, arg: { kind: "text", text } });
  for (const pattern of patterns) into.push({ ...use, arg: globOf(pattern) });
}

/** The name of a commit that a substitution prints, alone or in a range. */
function isCommit(arg: Arg): boolean {
  if (arg.kind !== "unknown" || arg.start !== "0" || !(arg.single || arg.digits)) return false;
  return (
    /^(?:[\^~]\d*)*(?:\.{2,3}(?:[\w@][\w./@{}^~-]*)?)?$/.test(arg.end ?? ":") && !/\/\.\.(\/|$)/.test(arg.end ?? "")
  );
}

function fileIn(text: string): string | undefined {
  const at = text.indexOf(":");
  if (at < 0) return undefined;
  // Magic in front of a pathspec, a commit by its message, or a stage of the index.
  const start = /^:(\([^)]*\)|[!^]|\/|[0-3]:)/.exec(text)?.[0] ?? text.slice(0, at + 1);
  return text.length > start.length ? text.slice(start.length) : undefined;
}

function globOf(pattern: string): Arg {
  return { kind: "glob", pattern, start: /^[^*?[\\]*/.exec(pattern)?.[0] ?? "", single: false };
}

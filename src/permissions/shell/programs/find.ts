// find: looks for files by a closed list of tests and actions.
import { everything } from "../options.ts";
import type { Arg, Call, Change, Judgement } from "../types.ts";
import { literal, textArg, unknownEffect } from "../types.ts";
import { findReads, nestedOf, readFind } from "./find-words.ts";
import type { Entry } from "./entry.ts";
import { isRemover, WRITERS } from "./writers.ts";

// Names that are added would be taken for start points, tests or actions: never.
export const FIND: ReadonlyMap<string, Entry> = new Map(["find", "gfind"].map((name) => [name, { judge: judgeFind }]));

function judgeFind({ name, args }: Call): Judgement {
  const find = readFind(args);
  const starts = find.starts.length > 0 ? find.starts : [textArg(".")];
  const removes = find.commands.some(({ words }) => words.some((word) => isRemover(literal(word) ?? "")));
  const changes = find.commands.some(({ words: [word] }) => WRITERS.has(literal(word) ?? ""));
  const how = find.deletes || removes ? "remove" : changes ? "write" : undefined;
  const changed = how === undefined ? [] : [...starts, ...namedBelow(starts, find.names)];
  const writes = [
    ...find.writes,
    ...changed.map((arg): Change => ({ arg, how: how ?? "write", recursive: true, some: find.narrowed })),
  ];
  const nested = find.commands.map((command) => nestedOf(command, find.starts));
  const reads = findReads(find);
  const hidden = find.commands.some(
    ({ words }) => literal(words[0]) === undefined || /\{\}/.test(literal(words[0]) ?? ""),
  );
  const problem = find.problem ?? (hidden ? "which program it runs is only known when it runs" : undefined);
  if (problem !== undefined) {
    return unknownEffect(`${name}: ${problem}`, { reads: [...reads, ...everything(args)], writes, nested });
  }
  if (writes.length === 0) return { effect: "read", why: "", reads, writes, nested };
  const does = find.deletes
    ? "-delete removes files"
    : removes
      ? "-exec removes files"
      : changes
        ? "-exec changes files"
        : "writes a file";
  return { effect: "files", why: `${name} ${does}`, reads, writes, nested };
}

/** Files right there that a test for names picks out, whether or not they begin with a dot. */
function namedBelow(starts: readonly Arg[], patterns: readonly string[]): Arg[] {
  return starts.flatMap((arg) => {
    const start = literal(arg);
    const paths = start === undefined ? [] : patterns.flatMap((pattern) => pathsOf(start, pattern));
    return paths.map((path): Arg => {
      return /[*?[\\]/.test(path) ? { kind: "glob", pattern: path, start: start ?? "", single: false } : textArg(path);
    });
  });
}

function pathsOf(start: string, pattern: string): string[] {
  if (pattern === "" || pattern.includes("/")) return pattern === "" ? [] : [pattern];
  return [`${start}/${pattern}`, ...(/^[*?[]/.test(pattern) ? [`${start}/.${pattern}`] : [])];
}

// find: looks for files by a closed list of tests and actions.
import { everything } from "../options.ts";
import type { Call, Change, Judgement } from "../types.ts";
import { literal, textArg, unknownEffect } from "../types.ts";
import { findReads, nestedOf, readFind } from "./find-words.ts";
import type { Entry } from "./entry.ts";

// Names that are added would be taken for start points, tests or actions: never.
export const FIND: ReadonlyMap<string, Entry> = new Map(["find", "gfind"].map((name) => [name, { judge: judgeFind }]));

const REMOVERS = /^(?:.*\/)?(?:rm|unlink|shred|rmdir|trash)$/;

function judgeFind({ name, args }: Call): Judgement {
  const find = readFind(args);
  const starts = find.starts.length > 0 ? find.starts : [textArg(".")];
  const removed = starts.map((arg): Change => ({ arg, how: "remove", recursive: true, some: find.narrowed }));
  const removes = find.commands.some(({ words }) => words.some((word) => REMOVERS.test(literal(word) ?? "")));
  const writes = [...find.writes, ...(find.deletes || removes ? removed : [])];
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
  const does = find.deletes ? "-delete removes files" : removes ? "-exec removes files" : "writes a file";
  return { effect: "files", why: `${name} ${does}`, reads, writes, nested };
}

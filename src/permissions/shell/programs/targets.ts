// Which paths cp, mv and ln write: their target, or a name of the same kind below it when it is a folder.
import type { Parsed } from "../options.ts";
import type { Arg, Change, Use } from "../types.ts";
import { literal, textArg } from "../types.ts";

export type Touched = { reads: Use[]; writes: Change[]; problem?: string };

/**
 * SOURCE... TARGET, or with -t. A recursive write may change anything that exists below the target, and what it writes is named
 * as below the source: who checks it must look at both.
 */
export function copied(
  { options, operands }: Parsed,
  { recursive, moves }: { recursive: boolean; moves: boolean },
): Touched {
  const folder = options.find(({ name }) => name === "-t" || name === "--target-directory")?.value;
  const exact = options.some(({ name }) => name === "-T" || name === "--no-target-directory");
  const target = folder ?? operands.at(-1);
  const sources = folder ? operands : operands.slice(0, -1);
  const deep = recursive ? { recursive: true } : {};
  const reads = sources.map((arg): Use => ({ arg, what: "content", ...deep }));
  const removed = moves ? sources.map((arg): Change => ({ arg, how: "remove", recursive: true })) : [];
  if (!target || sources.length === 0) return { reads, writes: removed, problem: "there is no target" };
  // With two sources for certain the target is a folder; a pattern may stand for one file only.
  const intoFolder = folder !== undefined || sources.filter(isThere).length > 1;
  const below = exact ? [] : sources.map((one) => inside(target, one));
  const whole = intoFolder && !exact ? [] : [target];
  const only = whole.length > 0 ? { onlyIn: target } : {};
  const writes = [...whole.map(written), ...below.map((arg) => ({ ...written(arg), ...only }))];
  return { reads, writes: [...removed, ...writes.map((change): Change => ({ ...change, ...deep }))] };
}

function written(arg: Arg): Change {
  return { arg, how: "write" };
}

function isThere(arg: Arg): boolean {
  return arg.kind !== "unknown" || arg.single;
}

/** Links to `sources`, as `name` or in it when it is a folder. What a link leads to can be read through it. */
export function linked(sources: readonly Arg[], to: { name?: Arg | undefined; folder?: Arg }): Touched {
  const name = to.folder ?? to.name;
  const reads = sources
    .flatMap((arg) => leadsTo(arg, name))
    .map((arg): Use => ({ arg, what: "content", recursive: true }));
  if (!name || sources.length === 0) return { reads, writes: [], problem: "there is no name for the link" };
  const below = sources.map((source) => inside(name, source));
  return { reads, writes: [...(to.folder ? [] : [name]), ...below].map((arg) => ({ arg, how: "write" })) };
}

/** A relative target of a symbolic link starts from the link's own folder; of a hard link, from here. */
function leadsTo(target: Arg, name: Arg | undefined): Arg[] {
  const [to, from] = [literal(target), literal(name)];
  if (to === undefined || to.startsWith("/")) return [target];
  if (from === undefined) return [target, { kind: "unknown", start: "", single: true }];
  const folder = from.includes("/") ? from.slice(0, from.lastIndexOf("/") + 1) : "";
  return [...new Set([to, `${folder}${to}`, `${from.replace(/\/+$/, "")}/${to}`])].map(textArg);
}

/** FOLDER/NAME for the last part of the source's path; the folder itself where that is `.` or `..`. */
function inside(folder: Arg, source: Arg): Arg {
  if (folder.kind !== "text")
    return { kind: "unknown", start: folder.kind === "oneof" ? "" : folder.start, single: false };
  const path = folder.text.replace(/(?<=.)\/+$/, "");
  const name = literal(source)?.replace(/\/+$/, "").split("/").at(-1);
  if (name === undefined) return { kind: "unknown", start: path === "/" ? path : `${path}/`, single: false };
  return name === "" || name === "." || name === ".." ? folder : textArg(path === "/" ? `/${name}` : `${path}/${name}`);
}

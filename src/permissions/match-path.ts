// Path patterns in gitignore's syntax, anchored as permission rules are.
import { join, resolve } from "node:path";
import { inside } from "../utils/paths.ts";
import { fileSteps, matches, type Steps } from "./wild.ts";

/** Where path patterns start from; all absolute. `base`: for `/x`; `cwd`: for `./x` and `a/x`. */
export type Anchors = { base: string; cwd: string; home: string };

/** A path's components against these; "**" is any number of components. */
type Segment = Steps | "**";

export type PathPattern = {
  /** The folder the segments count from; undefined: any depth anywhere. */
  anchor: string | undefined;
  /** It ended with a slash: a folder, and what is in it. */
  folder: boolean;
  /** Where an allow rule without a slash counts: below the working directory only. */
  cwd: string;
  exactCase: readonly Segment[];
  anyCase: readonly Segment[];
  /** The same as one absolute pattern, `**` for any depth below the working directory: for the sandbox. */
  glob: string;
  /** The beginning that is literal, for "could something below this folder match?". */
  literal: readonly string[];
};

/**
 * `//x` absolute, `~/x` in the home folder, `/x` below `base`, `./x` and `a/x` below `cwd`, a pattern without a slash at any
 * depth. A folder covers everything below it.
 */
export function pathPattern(text: string, { base, cwd, home }: Anchors): PathPattern | { problem: string } {
  if (text.startsWith("!")) return { problem: "a pattern cannot begin with !: write the rule for what it is about" };
  const body = text.replace(/\/+$/, "") || text;
  const { anchor, rest } = anchored(body, { base, cwd, home });
  const names = rest.split("/").filter((name) => name !== "" && name !== ".");
  // `**/x` is the same as `x`.
  const free = anchor === undefined || (anchor === cwd && names[0] === "**" && !body.startsWith("./"));
  const up = names.findLastIndex((name) => name === "..");
  const start = up < 0 ? anchor : resolve(anchor ?? cwd, ...names.slice(0, up + 1));
  const kept = names.slice(up + 1);
  const compile = (ignoreCase: boolean) =>
    kept.map((name): Segment => (name === "**" ? "**" : fileSteps(name, { ignoreCase, exact: !ignoreCase })));
  const wild = kept.findIndex((name) => /[*?[\\]/.test(name));
  return {
    anchor: free ? undefined : start,
    folder: body !== text,
    cwd,
    exactCase: compile(false),
    anyCase: compile(true),
    glob: free ? join(cwd, "**", ...kept) : join(start ?? "/", ...kept),
    literal: wild < 0 ? kept : kept.slice(0, wild),
  };
}

function anchored(text: string, { base, cwd, home }: Anchors): { anchor: string | undefined; rest: string } {
  if (text.startsWith("//")) return { anchor: "/", rest: text.slice(2) };
  if (text === "~" || text.startsWith("~/")) return { anchor: home, rest: text.slice(2) };
  if (text.startsWith("/")) return { anchor: base, rest: text.slice(1) };
  return { anchor: text.includes("/") || text === "." || text === ".." ? cwd : undefined, rest: text };
}

/**
 * For rules that forbid: in any letter case (a file system may not tell them apart), and at any depth anywhere.
 * `isFile`: whether there is something that is no folder, which a rule for a folder is not about.
 */
export function forbids(pattern: PathPattern, path: string, isFile: (path: string) => boolean): boolean {
  const { anchor, anyCase } = pattern;
  const names = namesBelow(anchor?.toLowerCase() ?? "/", path.toLowerCase());
  if (names === undefined) return false;
  const isFree = anchor === undefined;
  if (pattern.folder && covers(anyCase, names, isFree) && isFile(path)) {
    return covers(anyCase, names.slice(0, -1), isFree);
  }
  // `x/**` is about all there is in x: looking through x, or removing it, is that too.
  return [names, [...names, ANYTHING]].some((one) => covers(anyCase, one, isFree));
}

/** No real file has this name. */
const ANYTHING = "\u0001";

/**
 * For rules that allow: the exact case; a pattern without an anchor only below the working directory; one for a folder
 * only what is one.
 */
export function allows(pattern: PathPattern, path: string, isFolder: (path: string) => boolean): boolean {
  const { anchor, cwd, exactCase } = pattern;
  // Without an anchor it counts from the working directory, so that names above it do not match.
  const names = namesBelow(anchor ?? cwd, path);
  if (names === undefined) return false;
  const known = pattern.folder && !isFolder(path) ? names.slice(0, -1) : names;
  return covers(exactCase, known, anchor === undefined);
}

/** Undefined when the path is not in the folder. */
function namesBelow(folder: string, path: string): string[] | undefined {
  if (!inside(folder, path)) return undefined;
  return path.slice(folder.length).split("/").filter(Boolean);
}

/** From the first name on, or `anywhere`. */
function covers(segments: readonly Segment[], names: readonly string[], anywhere: boolean): boolean {
  // Two stars in front mean any depth by themselves.
  const starts = anywhere && segments[0] !== "**" ? names.length : 1;
  for (let at = 0; at < starts; at++) if (below(segments, names, at, 0)) return true;
  return false;
}

/** The segments match the path itself or a folder above it. */
function below(segments: readonly Segment[], names: readonly string[], at: number, step: number): boolean {
  for (let i = step; i < segments.length; i++) {
    const segment = segments[i];
    if (segment === undefined) return true;
    if (segment === "**") {
      // `x/**` is what is in x, not x itself; further stars in a row say nothing more.
      const next = segments.slice(i + 1).findIndex((one) => one !== "**");
      if (next < 0) return at < names.length;
      for (let from = at; from < names.length; from++) if (below(segments, names, from, i + 1 + next)) return true;
      return false;
    }
    const name = names[at++];
    if (name === undefined || !matches(segment, name)) return false;
  }
  return true;
}

/** Whether something below `folder` could match: for programs that go through whole folders. */
export function reachesInto({ anchor, literal }: PathPattern, folder: string): boolean {
  if (anchor === undefined) return true;
  const known = join(anchor, ...literal);
  return inside(folder, known) || inside(known, folder);
}

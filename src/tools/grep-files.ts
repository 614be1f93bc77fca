// Which files a search covers: the walk, the ignore rules, `glob` and `type`.
import { statSync, type Stats } from "node:fs";
import { join, relative, sep } from "node:path";
import { codeOf, fsProblem } from "../files/fserror.ts";
import { displayPath } from "../files/display.ts";
import type { IgnoreHome } from "../files/scope.ts";
import { walk } from "../files/walk.ts";
import { realPath } from "../utils/paths.ts";
import { typeFilter } from "./grep-types.ts";

export type Covered = {
  /** Absolute. */
  root: string;
  isFile: boolean;
  /** Relative to the root, sorted; "" is the root itself. */
  files: string[];
  unreadableFolders: string[];
};

export type Wanted = {
  base: string;
  cwd: string;
  glob?: string | undefined;
  type?: string | undefined;
  hidden?: Hidden | undefined;
};
/** Whether a rule forbids reading the file; absolute path. */
export type Hidden = (path: string) => boolean;

/** For the paths of a walk below `root`, which may itself be reached through a link. */
export function visible(root: string, hidden: Hidden | undefined): (path: string) => boolean {
  if (!hidden) return () => true;
  const roots = [...new Set([root, realPath(root)])];
  return (path) => !roots.some((folder) => hidden(join(folder, path)));
}

/** Throws an Error for the model when there is nothing at `base`. A file named outright is searched whatever ignores it. */
export async function coveredFiles(wanted: Wanted, home: IgnoreHome, signal: AbortSignal): Promise<Covered> {
  const { base, cwd } = wanted;
  const stats = await statBase(base, cwd);
  const ofType = wanted.type?.trim() ? typeFilter(wanted.type) : undefined;
  if (stats.isFile()) return { root: base, isFile: true, files: [""], unreadableFolders: [] };
  if (!stats.isDirectory()) {
    throw new Error(`${displayPath(base, cwd)} is neither a file nor a folder; reading it could block for ever.`);
  }
  const byGlob = globFilter(wanted.glob ?? "", placeOf(base, cwd));
  const shows = visible(base, wanted.hidden);
  const accept = (path: string, name: string) => (!ofType || ofType(name)) && byGlob(path) && shows(path);
  try {
    const walked = await walk({ root: base, ignored: "prune", accept, signal, home });
    const files = walked.files.flatMap(({ path, isLink }) => (isLink ? [] : [path])).sort();
    return { root: base, isFile: false, files, unreadableFolders: walked.unreadable };
  } catch (error) {
    throw fsProblem(error, base, "read");
  }
}

async function statBase(base: string, cwd: string): Promise<Stats> {
  try {
    return statSync(base);
  } catch (error) {
    if (codeOf(error) !== "ENOENT" && codeOf(error) !== "ENOTDIR") throw fsProblem(error, base, "read");
    const { explainMissing } = await import("../files/missing.ts");
    const text = await explainMissing(base, cwd);
    throw new Error(text.replace("There is no file", "There is no file or folder"), { cause: error });
  }
}

/** The base as seen from the working directory ("src/"), or "" when it is that or lies outside. */
function placeOf(base: string, cwd: string): string {
  const path = relative(cwd, base).replaceAll(sep, "/");
  return path === "" || path.startsWith("..") || /^[A-Za-z]:/.test(path) ? "" : `${path}/`;
}

/**
 * Several patterns may be given, divided by blanks or commas; those with `!` leave out. One without a slash is for a
 * name at any depth, be it the file's or a folder's; others count from the base or from the working directory.
 */
export function globFilter(text: string, place: string): (path: string) => boolean {
  const patterns = splitGlobs(text);
  const take = patterns.filter((pattern) => !pattern.startsWith("!")).map((pattern) => globTest(pattern, place));
  const leave = patterns
    .filter((pattern) => pattern.startsWith("!"))
    .map((pattern) => globTest(pattern.slice(1), place));
  return (path) => (take.length === 0 || take.some((test) => test(path))) && !leave.some((test) => test(path));
}

/** At blanks and commas that are not inside braces. */
export function splitGlobs(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = "";
  for (const char of text) {
    if (char === "{") depth++;
    if (char === "}") depth = Math.max(0, depth - 1);
    if (depth === 0 && /[\s,]/.test(char)) {
      parts.push(part);
      part = "";
    } else part += char;
  }
  // An unclosed brace swallows the rest; then commas and blanks divide after all.
  if (depth > 0) return text.split(/[\s,]+/).filter(Boolean);
  return [...parts, part].filter(Boolean);
}

function globTest(pattern: string, place: string): (path: string) => boolean {
  const bare = pattern.replace(/^\.\//, "").replace(/\/+$/, "");
  if (!bare.includes("/")) {
    const glob = new Bun.Glob(bare);
    return (path) => path.split("/").some((part) => glob.match(part));
  }
  const anchored = bare.replace(/^\/+/, "");
  const globs = [new Bun.Glob(anchored), new Bun.Glob(`${anchored}/**`)];
  return (path) => globs.some((glob) => glob.match(path) || (place !== "" && glob.match(place + path)));
}

// Path identity: where a path really leads, and whether it lies inside a folder. (Used by gate, tools and sessions.)
import { readlinkSync, realpathSync } from "node:fs";
import { basename, delimiter, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";

const MAX_LINKS = 40;
const SLASH = 47;

/** Without empty names, `.` and `..`, and no slash at the end. Of an absolute path with forward slashes. */
export function isTidy(path: string): boolean {
  // Most paths have nothing that could be untidy, which is quicker to see than to match.
  return (!path.includes("//") && !path.includes("/.") && !path.endsWith("/")) || !/\/\.{0,2}(?:\/|$)/.test(path);
}

/** Compared per component, never by string prefix: `/a/proj-x` is not inside `/a/proj`. Both absolute. */
export function inside(folder: string, path: string): boolean {
  // Nearly all paths are tidy; `relative` takes ten times as long for the same answer.
  if (sep === "/" && isTidy(path)) {
    // The beginning of a tidy path is tidy as well.
    const isBelow = path.startsWith(folder) && folder.startsWith("/");
    if (isBelow && (path.length === folder.length || path.charCodeAt(folder.length) === SLASH)) return true;
    if (folder.startsWith("/") && isTidy(folder)) return false;
  }
  const rest = relative(folder, path);
  return rest === "" || (rest !== ".." && !rest.startsWith(`..${sep}`) && !isAbsolute(rest));
}

/** The folders that are projects: not the home folder, nor one above it, where the person's own programs are. */
export function projects(folders: readonly string[], home: string): string[] {
  return folders.filter((folder) => !inside(folder, home));
}

/**
 * PATH in two: the folders that are places of none of these, and those that are, absolute. A relative one is a place of
 * wherever the program is.
 */
export function splitPath(path: string | undefined, folders: readonly string[]): { others: string; own: string[] } {
  const entries = (path ?? "").split(delimiter);
  const isOwn = (entry: string) => !isAbsolute(entry) || folders.some((folder) => inside(folder, entry));
  return {
    others: entries.filter((entry) => !isOwn(entry)).join(delimiter),
    own: path === undefined ? [] : entries.filter(isOwn).map((entry) => resolve(folders[0] ?? "", entry)),
  };
}

/** The path with all links of its existing part resolved; what does not exist yet is kept, dangling links are followed. */
export function realPath(path: string, links = 0): string {
  const absolute = resolve(path);
  try {
    return realpathSync.native(absolute);
  } catch {
    // Missing or unreadable: resolve the parent instead, then this last part if it is a dangling link.
  }
  const parent = dirname(absolute);
  if (parent === absolute || links > MAX_LINKS) return absolute;
  const here = join(realPath(parent, links + 1), basename(absolute));
  const target = linkTarget(here);
  return target === undefined ? here : realPath(resolve(dirname(here), target), links + 1);
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // not a link
  }
}

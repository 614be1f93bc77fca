// Path identity: where a path really leads, and whether it lies inside a folder. (Used by gate, tools and sessions.)
import { readlinkSync, realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";

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
  if (sep === "/" && folder.startsWith("/") && isTidy(folder) && isTidy(path)) {
    return path.startsWith(folder) && (path.length === folder.length || path.charCodeAt(folder.length) === SLASH);
  }
  const rest = relative(folder, path);
  return rest === "" || (rest !== ".." && !rest.startsWith(`..${sep}`) && !isAbsolute(rest));
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

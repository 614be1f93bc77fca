// Whether a memory file may be loaded: what a project's file must not reach, what a setting or a deny rule leaves out.
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { inside, realPath } from "../utils/paths.ts";
import { isPersonalMemory, type MemoryPlaces } from "./memory-find.ts";
import { ruleMatcher } from "./memory-rules.ts";

/**
 * Who wrote a file, and so where its links and imports may lead: a project's only into the project, or into the folder it
 * was found for (`folder`) when that is further out; the others' anywhere.
 */
export type Reach = { by: "machine" | "person" } | { by: "project"; folder: string };

export type AllowOptions = {
  root: string;
  places: MemoryPlaces;
  added?: (() => readonly string[]) | undefined;
  excludes?: readonly string[] | undefined;
  hidden?: ((path: string) => boolean) | undefined;
};

export type Allow = {
  /** Left out by the setting; the machine's files cannot be. */
  isExcluded(path: string, real: string, reach: Reach): boolean;
  /** Why a file may not be loaded; undefined when it may. */
  forbidden(file: { path: string; real: string; uid: number }, reach: Reach): string | undefined;
  /** Why a real path may not be reached. */
  outside(real: string, reach: Reach): string | undefined;
};

export function allowFor({ root, places, added, excludes = [], hidden }: AllowOptions): Allow {
  const globs = excludes.map((glob) => ruleMatcher([glob], { bases: ["/"], home: places.home }));
  const outside = (real: string, reach: Reach) => {
    if (reach.by !== "project") return undefined;
    const within = [inside(reach.folder, root) ? reach.folder : root, ...(added?.() ?? [])];
    if (within.some((dir) => inside(realPath(dir), real)) || isPersonalMemory(real, places)) return undefined;
    return `it leads outside the project, to ${real}; --add-dir ${dirname(real)} allows it`;
  };
  return {
    outside,
    isExcluded(path, real, { by }) {
      return by !== "machine" && globs.some((matches) => matches(path) || matches(real));
    },
    forbidden({ path, real, uid }, reach) {
      if (reach.by !== "machine" && (hidden?.(path) || hidden?.(real))) return "a deny rule forbids to read it";
      if (reach.by === "project" && !inside(root, path) && isPlanted(real, uid)) {
        return "it belongs to someone else and lies in a folder anyone may write to";
      }
      return outside(real, reach);
    },
  };
}

/** Above a project lie folders such as /tmp, where anybody can leave instructions. */
function isPlanted(real: string, uid: number): boolean {
  const me = process.getuid?.();
  if (me === undefined || uid === me || uid === 0) return false;
  try {
    return (statSync(dirname(real)).mode & 0o002) !== 0;
  } catch {
    return true; // it has just changed under us
  }
}

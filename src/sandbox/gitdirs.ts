// Git's own folders: a commit must be able to write there, but nothing that makes git run programs may change.
import { readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { realPath } from "../utils/paths.ts";
import { guardPath, look, type Guards } from "./guards.ts";

const LONGEST_FILE = 4096;

/**
 * A `.git` folder: writable, but pinned (a folder that is a mount point cannot be renamed and made anew), and in it
 * read-only: `config` and `hooks`, the configurations of submodules and other working trees, and `commondir`, with
 * which git would take all of these from elsewhere.
 */
export function guardFolder(guards: Guards, folder: string): void {
  guards.mounts.push({ kind: "writable", path: folder });
  guardInside(guards, folder);
}

/**
 * A `.git` file of a working tree made by `git worktree add`: its commits are written into the repository it belongs
 * to, which is opened with the same guards; but only if that repository names this working tree in turn, since the
 * file is the project's and may say anything. Others (submodules opened alone) stay read-only.
 */
export function guardLinkedFolder(guards: Guards, file: string): void {
  const own = ownFolderOf(file);
  if (own === undefined) return;
  const repository = dirname(dirname(own));
  guardFolder(guards, repository);
  guards.mounts.push({ kind: "writable", path: own });
  for (const name of ["commondir", "gitdir", "config.worktree"]) {
    guardPath(guards, join(own, name), { root: own, ifAbsent: "watch" });
  }
}

function guardInside(guards: Guards, root: string): void {
  guardPath(guards, join(root, "hooks"), { root, ifAbsent: "stand-in" });
  for (const name of ["config", "config.worktree", "commondir"]) {
    guardPath(guards, join(root, name), { root, ifAbsent: "watch" });
  }
  // New submodules and working trees may be made as long as there is none whose files could be exchanged.
  for (const path of [join(root, "modules"), join(root, "worktrees")]) {
    if (look(path)) guardPath(guards, path, { root, ifAbsent: "watch" });
  }
}

/** `REPOSITORY/worktrees/NAME` of a linked working tree, when both sides agree. */
function ownFolderOf(file: string): string | undefined {
  const target = /^gitdir: ([^\n]+)\n?$/.exec(read(file))?.[1];
  if (target === undefined) return undefined;
  const own = realPath(resolve(dirname(file), target));
  const repository = dirname(dirname(own));
  if (basename(dirname(own)) !== "worktrees" || !isRepository(repository)) return undefined;
  const back = read(join(own, "gitdir")).replace(/\n$/, "");
  return back !== "" && realPath(resolve(own, back)) === realPath(file) ? own : undefined;
}

function isRepository(folder: string): boolean {
  return ["objects", "refs"].every((name) => look(join(folder, name))?.isDirectory()) && isFile(join(folder, "HEAD"));
}

function isFile(path: string): boolean {
  return look(path)?.isFile() ?? false;
}

function read(path: string): string {
  try {
    const stat = statSync(path);
    return stat.isFile() && stat.size <= LONGEST_FILE ? readFileSync(path, "utf8") : "";
  } catch {
    return ""; // not there: nothing agrees with nothing
  }
}

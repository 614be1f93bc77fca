// Keeping one path as it is while a command runs: by a mount where something is there, otherwise by a stand-in or a look afterwards.
import { lstatSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import { inside, realPath } from "../utils/paths.ts";
import type { Mount } from "./mounts.ts";

/** How a protected path was before the command; afterwards it must be the same. */
export type Watch =
  | { kind: "absent"; path: string }
  | { kind: "link"; path: string; to: string }
  /** No repository yet: one may be made, but nothing in it that makes git run programs. */
  | { kind: "no-repository"; path: string };

export type Guards = {
  mounts: Mount[];
  /** Folders that are not there and get an empty, read-only stand-in while the command runs. */
  standIns: string[];
  watches: Watch[];
  /** It is only there for another command of ours. */
  isStandIn(path: string): boolean;
};

export function noGuards(isStandIn: (path: string) => boolean): Guards {
  return { mounts: [], standIns: [], watches: [], isStandIn };
}

/** One path in the writable folder `root` that must stay as it is. */
export function guardPath(guards: Guards, path: string, { root, ifAbsent }: GuardOptions): void {
  const stat = look(path);
  if (stat === undefined || guards.isStandIn(path)) {
    if (ifAbsent === "stand-in") guards.standIns.push(path);
    else guards.watches.push({ kind: "absent", path });
    return;
  }
  if (!stat.isSymbolicLink()) return void guards.mounts.push({ kind: "readonly", path });
  // A link can be replaced whatever is mounted on its target: it is compared afterwards.
  guards.watches.push({ kind: "link", path, to: readlinkSync(path) });
  const target = realPath(path);
  if (!inside(root, target)) return;
  if (look(target) === undefined) guards.watches.push({ kind: "absent", path: target });
  else guards.mounts.push({ kind: "readonly", path: target });
}

export type GuardOptions = { root: string; ifAbsent: "stand-in" | "watch" };

/** Like lstat, without errors. */
export function look(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // below something that is no folder, or that we may not enter
  }
}

/** Like readdir, without errors. */
export function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // gone, or not ours to look into: then nothing can be put there either
  }
}

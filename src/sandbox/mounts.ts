// What the inside of the wall looks like, as a list of mounts in the order they must be made. Pure.

/** Paths are absolute and resolved: a mount point must not be reached through a link. */
export type Mount =
  | { kind: "writable"; path: string; from?: string }
  | { kind: "readonly"; path: string; from?: string }
  /** `closed`: it cannot even be opened; otherwise it looks empty. */
  | { kind: "masked"; path: string; is: "folder" | "file"; closed: boolean }
  /** An empty folder of the wall's own that nothing can be put into. */
  | { kind: "empty"; path: string }
  /** In memory, gone with the command. */
  | { kind: "temporary"; path: string }
  | { kind: "link"; path: string; to: string };

/** Other programs' files and sockets: not seen inside, where it is a folder of the wall's own. */
export const TEMPORARY = "/tmp";

/**
 * Parents before children: a deeper mount covers part of a higher one. Among the same path the last one given is on top.
 * Masks with nothing below them come last of all, so that no mount made through a link can uncover one.
 */
export function inOrder(mounts: readonly Mount[]): Mount[] {
  const sorted = mounts
    .map((mount, at) => ({ mount, at, depth: depthOf(mount.path) }))
    .toSorted((a, b) => a.depth - b.depth || a.at - b.at)
    .map(({ mount }) => mount);
  const isLeaf = (mount: Mount) => mount.kind === "masked" && !sorted.some((other) => isBelow(mount.path, other.path));
  return [...sorted.filter((mount) => !isLeaf(mount)), ...sorted.filter(isLeaf)];
}

/** Both absolute and normalised. */
export function isBelow(folder: string, path: string): boolean {
  return path.length > folder.length && (folder === "/" || (path.startsWith(folder) && path[folder.length] === "/"));
}

function depthOf(path: string): number {
  return path === "/" ? 0 : path.split("/").length - 1;
}

// The bubblewrap command line for one inside. Pure.
import type { Mount } from "./mounts.ts";

export type Inside = {
  mounts: readonly Mount[];
  /** Its own network, with nothing but a loopback. */
  ownNetwork: boolean;
  /** The whole system is writable (`filesystem.disabled`). */
  openSystem?: boolean;
  /** Root owns /proc/sys, and a setting there (a program for core dumps) is a way out. */
  isRoot: boolean;
  /** An empty file of ours, shown instead of masked files. */
  emptyFile: string;
};

/** Namespaces: processes (nothing outlives the first, none outside is seen), IPC, host name, network. */
const NAMESPACES = ["--unshare-pid", "--unshare-ipc", "--unshare-uts"];
/**
 * No --new-session: the Bash tool already starts bwrap in a session without terminal, and its process group must stay
 * the one we kill.
 */
const RIGHTS = ["--die-with-parent", "--cap-drop", "ALL"];

/** Everything up to the command; append `--chdir DIR -- COMMAND...`. */
export function bwrapArguments({ mounts, ownNetwork, openSystem, isRoot, emptyFile }: Inside): string[] {
  return [
    openSystem ? "--bind" : "--ro-bind",
    "/",
    "/",
    "--dev",
    "/dev",
    "--proc",
    "/proc",
    ...(isRoot ? ["--ro-bind", "/proc/sys", "/proc/sys"] : []),
    ...mounts.flatMap((mount) => mountArguments(mount, emptyFile)),
    ...NAMESPACES,
    ...(ownNetwork ? ["--unshare-net"] : []),
    ...RIGHTS,
  ];
}

/** bubblewrap takes 9,000 at most, with those of its command line. */
const MOST_LATER_ARGUMENTS = 8_900;

/**
 * What bubblewrap reads by `--args`: the options and, after them, the environment. Undefined: it is too much, or there
 * is a NUL in it, which would make two arguments of one.
 */
export function laterArguments(
  options: readonly string[],
  env: Readonly<Record<string, string>>,
): Uint8Array | undefined {
  const all = [...options, ...Object.entries(env).flatMap(([name, value]) => ["--setenv", name, value])];
  if (all.length > MOST_LATER_ARGUMENTS || all.some((argument) => argument.includes("\0"))) return undefined;
  return Buffer.from(all.map((argument) => `${argument}\0`).join(""));
}

function mountArguments(mount: Mount, emptyFile: string): string[] {
  switch (mount.kind) {
    case "writable":
      return ["--bind", mount.from ?? mount.path, mount.path];
    case "readonly":
      // It may have gone since it was looked at.
      return ["--ro-bind-try", mount.from ?? mount.path, mount.path];
    case "masked":
      if (mount.is === "folder") return ["--perms", mount.closed ? "0000" : "0555", "--tmpfs", mount.path];
      // Devices do not work in there: opening it is refused.
      return ["--ro-bind", mount.closed ? "/dev/null" : emptyFile, mount.path];
    case "empty":
      return ["--perms", "0555", "--tmpfs", mount.path];
    case "temporary":
      return ["--tmpfs", mount.path];
    case "link":
      return ["--symlink", mount.to, mount.path];
    default:
      return mount satisfies never;
  }
}

// Git facts without git: where the repository is, the branch and its commit, and whether running git there could run more.
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const MAX_FILE = 64 * 1024;
const MAX_PACKED = 4 * 1024 * 1024;

/** `root`: the working tree. `git`: its own git folder; `common`: the one with refs and config (shared by working trees). */
export type Repository = { root: string; git: string; common: string };
/** `branch` is undefined when HEAD is detached; `commit` is undefined before the first one. */
export type Head = { branch: string | undefined; commit: string | undefined };

/** The repository `cwd` is in, or undefined. Starts nothing. */
export function findRepository(cwd: string): Repository | undefined {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const git = gitFolder(join(folder, ".git"));
    if (git !== undefined && readText(join(git, "HEAD")) !== undefined) {
      const common = readText(join(git, "commondir"))?.trim();
      return { root: folder, git, common: common ? resolve(git, common) : git };
    }
    if (dirname(folder) === folder) return undefined;
  }
}

/** From HEAD, the loose ref and the packed refs; undefined when HEAD says nothing readable. */
export function readHead({ git, common }: Repository): Head | undefined {
  const head = readText(join(git, "HEAD"))?.trim() ?? "";
  if (/^[0-9a-f]{40,64}$/.test(head)) return { branch: undefined, commit: head };
  const ref = /^ref: (refs\/[^\s]+)$/.exec(head)?.[1];
  // A name with `..` would be a path out of the folder.
  if (ref === undefined || ref.split("/").includes("..")) return undefined;
  const loose = readText(join(common, ref))?.trim();
  const commit = loose ?? packed(common, ref);
  return {
    branch: ref.replace(/^refs\/heads\//, ""),
    commit: commit && /^[0-9a-f]{40,64}$/.test(commit) ? commit : undefined,
  };
}

/**
 * Whether git may be started there: `status` and `log` run what a repository's own configuration names (filters, monitors,
 * signature checkers, helpers of remotes), so every section must be one that is known to run nothing.
 */
export function isHarmless({ git, common }: Repository): boolean {
  const texts = [join(common, "config"), join(git, "config.worktree")].map((path) => readText(path, "none"));
  return texts.every((text) => text !== undefined && text.split("\n").every(isHarmlessLine));
}

const SECTIONS =
  /^\[(?:core|remote "[^"\\]*"|branch "[^"\\]*"|user|init|pull|push|rebase|merge|submodule "[^"\\]*"|color|advice)\]$/;
const KEYS = new Set(
  [
    "repositoryformatversion filemode bare logallrefupdates ignorecase precomposeunicode symlinks autocrlf eol safecrlf",
    "url fetch pushurl remote merge rebase pushremote name email default defaultbranch autostash ff active ui tagopt prune",
  ].flatMap((line) => line.split(" ")),
);

/** What is not understood counts as harmful. */
function isHarmlessLine(raw: string): boolean {
  const line = raw.trim();
  if (line === "" || /^[#;]/.test(line)) return true;
  if (line.startsWith("[")) return SECTIONS.test(line);
  const key = /^([a-zA-Z][a-zA-Z0-9-]*)\s*=[^\\]*$/.exec(line)?.[1];
  return key !== undefined && KEYS.has(key.toLowerCase());
}

/** A `.git` folder, or the one a `.git` file names. */
function gitFolder(path: string): string | undefined {
  const kind = statSync(path, { throwIfNoEntry: false });
  if (kind?.isDirectory()) return path;
  const target = kind ? /^gitdir: ([^\n]+)\n?$/.exec(readText(path) ?? "")?.[1] : undefined;
  return target === undefined ? undefined : resolve(dirname(path), target);
}

function packed(common: string, ref: string): string | undefined {
  const lines = readText(join(common, "packed-refs"), undefined, MAX_PACKED)?.split("\n") ?? [];
  return lines.find((line) => line.endsWith(` ${ref}`))?.split(" ")[0];
}

/** Undefined when it is no small regular file; `"none"`: a missing file is an empty one. */
function readText(path: string, missing?: "none", limit: number = MAX_FILE): string | undefined {
  try {
    // Never blocks on a named pipe.
    const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const info = fstatSync(file);
      if (!info.isFile() || info.size > limit) return undefined;
      const bytes = Buffer.alloc(info.size);
      return bytes.toString("utf8", 0, readSync(file, bytes, 0, info.size, 0));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    return missing && isMissing ? "" : undefined;
  }
}

// What a command did to protected paths that could not be mounted: found afterwards, moved out of the project and named.
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  cpSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { basename, join } from "node:path";
import { look, type Watch } from "./guards.ts";

/** Keys that `git init`, `clone` and `remote add` write and that make git run nothing. */
const HARMLESS_KEYS =
  /^(core\.(repositoryformatversion|filemode|bare|logallrefupdates|ignorecase|precomposeunicode|symlinks|autocrlf|eol)|user\.(name|email)|init\.defaultbranch|remote\..*\.(url|fetch)|branch\..*\.(remote|merge)|commit\.gpgsign|advice\..*|extensions\.objectformat)$/i;
const LONGEST_CONFIG = 64 * 1024;

export type Undo = {
  watches: readonly Watch[];
  /** Where what is moved out goes; made when needed. */
  attic: string;
  mode: "undo" | "tell";
};

/** One line for each protected path that is not as it was. */
export function findAftermath({ watches, attic, mode }: Undo): string[] {
  return watches.flatMap(changed).map(({ path, restore }) => {
    if (mode === "tell") return `${path} is protected and appeared while the command ran: look at it before using it.`;
    try {
      const place = moveOut(path, attic);
      restore?.();
      return `${path} is protected and was not kept: what the command made there is now ${place}.`;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return `${path} is protected, was changed by the command and could not be moved out (${why}): look at it.`;
    }
  });
}

type Change = { path: string; restore?: () => void };

function changed(watch: Watch): Change[] {
  const { path } = watch;
  switch (watch.kind) {
    case "absent":
      return look(path) ? [{ path }] : [];
    case "link": {
      const stat = look(path);
      if (stat === undefined) return []; // taken away: nothing acts any more
      if (stat.isSymbolicLink() && readlinkSync(path) === watch.to) return [];
      return [{ path, restore: () => symlinkSync(watch.to, path) }];
    }
    case "no-repository":
      return actingParts(path).map((part) => ({ path: part }));
    default:
      return watch satisfies never;
  }
}

/** What in a repository that was just made can make git run a program. */
function actingParts(repository: string): string[] {
  const stat = look(repository);
  if (stat === undefined) return [];
  // A file or a link: git would read it all from elsewhere.
  if (!stat.isDirectory()) return [repository];
  const hooks = join(repository, "hooks");
  const parts = ["commondir", "config.worktree", "modules"].map((name) => join(repository, name));
  const config = join(repository, "config");
  return [
    ...(isPlainFolder(hooks) ? hooksIn(hooks) : [hooks]),
    ...parts,
    ...(isHarmlessConfig(config) ? [] : [config]),
  ].filter((path) => look(path) !== undefined);
}

function isPlainFolder(path: string): boolean {
  return look(path)?.isDirectory() ?? false;
}

function hooksIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !name.endsWith(".sample"))
    .map((name) => join(folder, name));
}

function isHarmlessConfig(path: string): boolean {
  const stat = look(path);
  if (stat === undefined) return true;
  if (!stat.isFile() || stat.size > LONGEST_CONFIG) return false;
  return keysOf(readFileSync(path, "utf8")).every((key) => HARMLESS_KEYS.test(key));
}

/** `section.sub.key` of every line; what cannot be read plainly comes back as it is, which no list contains. */
function keysOf(text: string): string[] {
  const state = { section: "" };
  return text.split("\n").flatMap((line) => {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#") || trimmed.startsWith(";")) return [];
    const section = /^\[([\w.-]+)(?:\s+"([^"\\]*)")?\]$/.exec(trimmed);
    if (section) {
      state.section = section[2] === undefined ? `${section[1]}` : `${section[1]}.${section[2]}`;
      return [];
    }
    const key = /^([A-Za-z][\w-]*)\s*(?:=[^\\]*)?$/.exec(trimmed)?.[1];
    return [key === undefined ? trimmed : `${state.section}.${key}`];
  });
}

function moveOut(path: string, attic: string): string {
  mkdirSync(attic, { recursive: true, mode: 0o700 });
  const place = join(attic, `${crypto.randomUUID().slice(0, 8)}-${basename(path)}`);
  try {
    renameSync(path, place);
  } catch {
    // Another file system. Links are kept as links: nothing is read through them.
    cpSync(path, place, { recursive: true, dereference: false, verbatimSymlinks: true });
    rmSync(path, { recursive: true, force: true });
  }
  lstatSync(place);
  return place;
}

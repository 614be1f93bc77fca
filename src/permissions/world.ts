// What a decision may look at besides the call: where it runs, what is there, and whether there is a wall.
import { accessSync, constants, lstatSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { inside, realPath } from "../utils/paths.ts";
import type { Surroundings } from "./shell/analyze.ts";
import type { Files } from "./shell/resolve.ts";
import { trackedAround } from "./tracked.ts";

/** All paths absolute; a folder that is reached through a link is listed in both forms. */
export type World = {
  /** The working directory now; commands may have moved it. */
  cwd: string;
  /** Where the session started. */
  root: string;
  home: string;
  /** The project and the added folders. */
  roots: readonly string[];
  /** Folders of PATH that are places of the project: `.venv/bin`, `node_modules/.bin`, relative ones. */
  programs: readonly string[];
  /** Readable besides: the session's own scratch folder with long command output. */
  readable: readonly string[];
  files: Files;
  wall: WallFacts;
  /** Commands run with a plain sh: what only bash understands is something else to it. */
  plainShell?: boolean;
};

/** What the settings say about the sandbox, and whether there is one. */
export type WallFacts = {
  active: boolean;
  /** Commands that stay inside need no question (`sandbox.autoAllowBashIfSandboxed`). */
  autoAllow: boolean;
  /** `dangerouslyDisableSandbox` counts (`sandbox.allowUnsandboxedCommands`). */
  mayLeave: boolean;
  /** Also in bypassPermissions (`sandbox.enabled` was set to true). */
  always: boolean;
  /** Patterns of commands that run outside (`sandbox.excludedCommands`). */
  excluded: readonly string[];
};
export const NO_WALL: WallFacts = { active: false, autoAllow: false, mayLeave: true, always: false, excluded: [] };

/** The real file system. Names that cannot be read are as if they were not there. */
export const DISK: Files = {
  realPath,
  list(folder) {
    try {
      return readdirSync(folder);
    } catch {
      return undefined; // not there, not a folder, or not ours to read
    }
  },
  isFolder(path) {
    try {
      // With the dot it also has to be one that may be entered.
      return statSync(`${path}/.`, { throwIfNoEntry: false })?.isDirectory() ?? false;
    } catch {
      return false; // not ours to look at
    }
  },
  isReadable(path) {
    try {
      accessSync(path, constants.R_OK);
      return statSync(path).isFile();
    } catch {
      return false;
    }
  },
  look(path) {
    try {
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (!stat) return "missing";
      return stat.isSymbolicLink() ? "link" : "other";
    } catch {
      return "other"; // not ours to look at
    }
  },
  folders(folder, mostBytes) {
    try {
      if (statSync(folder).size > mostBytes) return undefined;
      const entries = readdirSync(folder, { withFileTypes: true });
      // Of some file systems it is not told what a name is.
      if (entries.some((entry) => !entry.isFile() && !entry.isDirectory())) return undefined;
      return entries.flatMap((entry) => (entry.isDirectory() ? entry.name : []));
    } catch (error) {
      return /^(ENOENT|ENOTDIR)$/.test((error as NodeJS.ErrnoException).code ?? "") ? [] : undefined;
    }
  },
  tracked: trackedAround,
};

/** Of the shell itself: no program of that name is looked for. */
const BUILTINS = new Set(
  `: . [ [[ alias bg bind break builtin caller cd command compgen continue declare dirs disown echo enable eval exec exit export
  false fg getopts hash help history jobs kill let local logout mapfile popd printf pushd pwd read readarray readonly return
  set shift shopt source suspend test times trap true type typeset ulimit umask unalias unset wait`.split(/\s+/),
);

/** A program of the project would run in the place of the one that is meant. */
export function isOwnProgram(program: string, { programs, files }: World): boolean {
  if (programs.length === 0 || BUILTINS.has(program)) return false;
  return programs.some((folder) => files.look(join(folder, program)) !== "missing");
}

/** What an analysis of a command has to know of the world. */
export function surroundings(world: World): Surroundings {
  const { cwd, home, files } = world;
  return {
    cwd,
    home,
    files,
    isOwn: (program) => isOwnProgram(program, world),
    strange: (program, folder, changed) =>
      program === "git" ? strangeRepository(folder, changed, world) : strangeToolchain(folder, world),
  };
}

/** rustup's programs run the toolchain that such a file names, which may be a folder of the project. */
function strangeToolchain(cwd: string, { files }: World): string | undefined {
  for (let folder = cwd; ; folder = dirname(folder)) {
    for (const name of ["rust-toolchain", "rust-toolchain.toml"]) {
      const path = join(folder, name);
      if (files.look(path) !== "missing") return `${path} names the toolchain that would run`;
    }
    if (dirname(folder) === folder) return undefined;
  }
}

/**
 * git runs what the repository's own settings name. The project's repository is trusted; one that lies inside the project
 * (a submodule, a vendored or unpacked one, a bare one) is somebody else's.
 */
function strangeRepository(cwd: string, changed: boolean, { roots, files }: World): string | undefined {
  const root = roots.filter((folder) => inside(folder, cwd)).sort((a, b) => b.length - a.length)[0];
  if (root === undefined) return `${cwd} is outside the project`;
  for (let folder = cwd; folder !== root && inside(root, folder); folder = dirname(folder)) {
    const names = files.list(folder) ?? [];
    if (names.some((name) => name.toLowerCase() === ".git") || isBare(names)) {
      return `${join(folder)} is a repository of its own inside the project`;
    }
  }
  const names = files.list(root) ?? [];
  if (names.includes(".git")) return undefined;
  if (isBare(names)) return `${root} looks like the inside of a repository, which git would take it for`;
  return changed ? `${root} has no .git: what git takes for a repository there may have been made just now` : undefined;
}

function isBare(names: readonly string[]): boolean {
  if (!names.includes("HEAD")) return false;
  return (names.includes("objects") && names.includes("refs")) || names.includes("commondir");
}

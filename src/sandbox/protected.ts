// The names in a project that make other programs act: what of them is there, what is not, and how each is kept as it is.
import { basename, dirname, join } from "node:path";
import { guardFolder, guardLinkedFolder } from "./gitdirs.ts";
import { guardPath, look, names, type Guards } from "./guards.ts";
import type { Mount } from "./mounts.ts";
import { TreeScan } from "./tree-scan.ts";

export const PROTECTED_FOLDERS = [
  ".nanocode",
  ".claude",
  ".vscode",
  ".idea",
  ".husky",
  ".cargo",
  ".devcontainer",
  ".yarn",
  ".mvn",
] as const;
export const PROTECTED_FILES = [
  ".bashrc",
  ".bash_profile",
  ".bash_login",
  ".bash_aliases",
  ".bash_logout",
  ".profile",
  ".zshrc",
  ".zshenv",
  ".zprofile",
  ".zlogin",
  ".zlogout",
  ".envrc",
  ".gitconfig",
  ".gitmodules",
  ".npmrc",
  ".yarnrc",
  ".yarnrc.yml",
  ".pnpmfile.cjs",
  "bunfig.toml",
  ".bunfig.toml",
  ".mcp.json",
  ".claude.json",
  ".ripgreprc",
  ".pre-commit-config.yaml",
] as const;
const PROTECTED: ReadonlySet<string> = new Set([".git", ...PROTECTED_FOLDERS, ...PROTECTED_FILES]);
const MOST_DEEPER = 16;

/** Programs make these by themselves, unasked: then it could be the person's, which nothing of ours may move. */
const STOOD_IN: ReadonlySet<string> = new Set([".nanocode", ".claude", ".vscode", ".idea"]);

/**
 * For one writable folder. What exists is mounted read-only. What does not exist cannot be mounted over without being
 * there for everybody, so it is looked for afterwards and moved out: an empty `.npmrc` would be read, and committed by
 * `git add -A`. The folders editors and agents keep their settings in get an empty stand-in for the time of the command
 * (git and most tools do not see empty folders), except in an empty project: `git clone URL .` wants it empty.
 */
export function guardRoot(guards: Guards, root: string): void {
  const isBare = names(root).every((name) => name === ".git" || guards.isStandIn(join(root, name)));
  for (const name of PROTECTED_FOLDERS) {
    const ifAbsent = STOOD_IN.has(name) && !isBare ? "stand-in" : "watch";
    guardPath(guards, join(root, name), { root, ifAbsent });
  }
  for (const name of PROTECTED_FILES) guardPath(guards, join(root, name), { root, ifAbsent: "watch" });
  guardRepository(guards, root);
}

/**
 * Deeper in the project: what exists near the top is read-only too. Folders above it can still be renamed, so this
 * keeps honest tools from changing it, not a determined program.
 */
export class DeeperGuards {
  #scan = new TreeScan();

  find(root: string): Mount[] {
    const { found } = this.#scan.run(root, { depth: 2, limit: 64, wanted: (name) => PROTECTED.has(name) });
    return found
      .filter(({ path }) => dirname(path) !== root)
      .flatMap(({ path, isFolder }) => (isFolder && basename(path) === ".git" ? actingIn(path) : [path]))
      .filter((path) => look(path)?.isSymbolicLink() === false)
      .slice(0, MOST_DEEPER)
      .map((path) => ({ kind: "readonly", path }));
  }
}

function actingIn(repository: string): string[] {
  return [join(repository, "hooks"), join(repository, "config")];
}

/** The home folder as a project, or in one: whatever begins with a dot there is settings of some program. */
export function homeGuards(home: string): Mount[] {
  const isActing = (name: string) => (name.startsWith(".") && name !== ".git") || name === "bin";
  return names(home)
    .filter(isActing)
    .map((name) => join(home, name))
    .filter((path) => look(path)?.isSymbolicLink() === false)
    .map((path) => ({ kind: "readonly", path }));
}

function guardRepository(guards: Guards, root: string): void {
  const path = join(root, ".git");
  const stat = look(path);
  if (stat === undefined) return void guards.watches.push({ kind: "no-repository", path });
  if (stat.isDirectory()) return guardFolder(guards, path);
  guardPath(guards, path, { root, ifAbsent: "watch" });
  if (stat.isFile()) guardLinkedFolder(guards, path);
}

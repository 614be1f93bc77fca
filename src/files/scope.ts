// Which ignore files apply where: each folder's own, its parents' up to the repository's root, the person's.
import { readFileSync, statSync, type Dirent } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { judge, parseIgnore, type IgnoreRule } from "./ignore.ts";

/** Where the person's own git settings are. */
export type IgnoreHome = { home: string | undefined; xdgConfig: string | undefined };

/** From the one that outranks the others down, as in rg; git itself knows only the last two. */
const fileNames: readonly string[] = [".rgignore", ".ignore", ".gitignore", ""];
const firstOfGit = 2;
const exclude = 3;

/** The rules of one folder; the chain of parents is every folder with rules around it. */
export type Scope = {
  parent: Scope | undefined;
  /** Per kind of file, in the order above. */
  rules: readonly (readonly IgnoreRule[] | undefined)[];
  /** A path relative to the walk's root becomes relative to this folder: drop `cut` characters, put `prefix` before. */
  cut: number;
  prefix: string;
  /** A repository begins here: git rules from further out do not apply. */
  repository: boolean;
  /** The person's own rules; on the outermost scope. */
  personal?: readonly IgnoreRule[];
};

const maxIgnoreFile = 4 << 20;

/** The scopes around `root`, from the nearest folder's parent up. Outside a repository only the personal rules. */
export function outerScope(root: string, home: IgnoreHome): Scope | undefined {
  const top = repositoryRoot(root);
  const personal = personalRules(home);
  const cut = 0;
  let scope: Scope | undefined;
  // Anchored personal rules count from the repository's root.
  const base = top ?? root;
  if (personal.length > 0) {
    scope = { parent: undefined, rules: [], cut, prefix: prefixOf(base, root), repository: false, personal };
  }
  if (top === undefined || top === root) return scope;
  const folders: string[] = [];
  for (let at = dirname(root); ; at = dirname(at)) {
    folders.push(at);
    if (at === top || at === dirname(at)) break;
  }
  for (const folder of folders.reverse()) {
    const rules = fileNames.map((name) => (name === "" ? undefined : readRules(join(folder, name))));
    const repository = folder === top;
    if (repository) rules[exclude] = readRules(excludeFile(folder));
    if (!repository && rules.every((list) => list === undefined)) continue;
    scope = { parent: scope, rules, cut, prefix: prefixOf(folder, root), repository };
  }
  return scope;
}

/** The scope for what is in a folder. */
export function enterFolder(
  parent: Scope | undefined,
  folder: { absolute: string; path: string; entries: readonly Dirent[] },
): Scope | undefined {
  const rules: (IgnoreRule[] | undefined)[] = [undefined, undefined, undefined, undefined];
  let any = false;
  let repository = false;
  for (const { name } of folder.entries) {
    if (name.charCodeAt(0) !== 46) continue;
    if (name === ".git") {
      repository = true;
      rules[exclude] = readRules(excludeFile(folder.absolute));
    }
    const kind = fileNames.indexOf(name);
    if (kind >= 0) rules[kind] = readRules(join(folder.absolute, name));
    any ||= repository || kind >= 0;
  }
  if (!any) return parent;
  return { parent, rules, cut: folder.path === "" ? 0 : folder.path.length + 1, prefix: "", repository };
}

/** `path`: relative to the walk's root. Each kind of file asks the nearest folder first. */
export function isIgnored(scope: Scope | undefined, path: string, name: string, isFolder: boolean): boolean {
  if (!scope) return false;
  for (let kind = 0; kind < fileNames.length; kind++) {
    for (let at: Scope | undefined = scope; at; at = at.parent) {
      const rules = at.rules[kind];
      const verdict = rules && judge(rules, at.prefix + path.slice(at.cut), name, isFolder);
      if (verdict) return verdict === "ignored";
      if (kind >= firstOfGit && at.repository) break;
    }
  }
  let outermost = scope;
  while (outermost.parent) outermost = outermost.parent;
  if (!outermost.personal) return false;
  return judge(outermost.personal, outermost.prefix + path, name, isFolder) === "ignored";
}

function prefixOf(folder: string, root: string): string {
  const path = relative(folder, root).replaceAll(sep, "/");
  return path === "" ? "" : `${path}/`;
}

function repositoryRoot(root: string): string | undefined {
  for (let at = root; ; at = dirname(at)) {
    if (basename(at) !== ".git" && statSync(join(at, ".git"), { throwIfNoEntry: false })) return at;
    if (at === dirname(at)) return undefined;
  }
}

/** In a worktree or submodule `.git` is a file that names the real folder, which may name the one they share. */
function excludeFile(repository: string): string {
  const dotGit = join(repository, ".git");
  const pointer = /^gitdir: (.+?)\s*$/m.exec(readText(dotGit) ?? "")?.[1];
  const folder = pointer === undefined ? dotGit : resolve(repository, pointer);
  const common = readText(join(folder, "commondir"))?.trim();
  return join(common ? resolve(folder, common) : folder, "info", "exclude");
}

function personalRules({ home, xdgConfig }: IgnoreHome): IgnoreRule[] {
  const config = xdgConfig || (home && join(home, ".config"));
  const files = [home && join(home, ".gitconfig"), config && join(config, "git", "config")];
  for (const file of files) {
    const named = file ? excludesFile(readText(file)) : undefined;
    if (named === undefined) continue;
    const path = named.startsWith("~/") && home ? join(home, named.slice(2)) : named;
    return (isAbsolute(path) ? readRules(path) : undefined) ?? [];
  }
  return (config ? readRules(join(config, "git", "ignore")) : undefined) ?? [];
}

function excludesFile(config: string | undefined): string | undefined {
  let section = "";
  for (const line of config?.split("\n") ?? []) {
    section = /^\s*\[([^\]]*)\]/.exec(line)?.[1]?.trim().toLowerCase() ?? section;
    const value = /^\s*(?:\[[^\]]*\])?\s*excludesfile\s*=\s*"?(.*?)"?\s*$/i.exec(line)?.[1];
    if (section === "core" && value) return value;
  }
  return undefined;
}

function readRules(path: string): IgnoreRule[] | undefined {
  const text = readText(path);
  const rules = text === undefined ? [] : parseIgnore(text);
  return rules.length > 0 ? rules : undefined;
}

/** Undefined for what is no ordinary file, cannot be read or is absurdly large: rules are a convenience. */
function readText(path: string): string | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats?.isFile() && stats.size <= maxIgnoreFile ? readFileSync(path, "utf8") : undefined;
  } catch {
    return undefined; // No permission is the same as no rules.
  }
}

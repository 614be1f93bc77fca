// Paths that are special in every project: those that run code when they change, and those nobody wants removed.
import { dirname, relative, resolve } from "node:path";
import { inside } from "../utils/paths.ts";
import { formsOf, type Place, type Writes } from "./shell/parts.ts";
import type { World } from "./world.ts";

/** Folders and files that run code or set rules when they change. Contract: the permission corpus. */
const PROTECTED = new Set(
  `.git .nanocode .claude .vscode .idea .husky .cargo .devcontainer .yarn .mvn .bashrc .bash_profile .bash_login
  .bash_aliases .bash_logout .profile .zshrc .zshenv .zprofile .zlogin .zlogout .envrc .gitconfig .gitmodules .npmrc
  .yarnrc .yarnrc.yml .pnpmfile.cjs bunfig.toml .bunfig.toml .mcp.json .claude.json .ripgreprc .pre-commit-config.yaml`
    .split(/\s+/)
    .filter(Boolean),
);
const MOST_LOOKED_AT = 1000;
/** No path is inside it. */
const NO_FOLDER = "/\0";

/** In any letter case, and whether or not it exists. */
export function isProtectedName(name: string): boolean {
  return PROTECTED.has(name.toLowerCase());
}

/** Also what PATH finds in the project: a program there runs in the place of the one that is meant. */
export function isProtected(place: Place, { home, roots, programs }: World): boolean {
  return formsOf(place).some((path) => {
    if (guards(home, path) || roots.some((root) => guards(root, path))) return true;
    return programs.some((folder) => inside(folder, path) && !roots.includes(folder));
  });
}

function guards(folder: string, path: string): boolean {
  return inside(folder, path) && relative(folder, path).split(/[\\/]/).some(isProtectedName);
}

/**
 * A protected name somewhere below a folder (with `links`, or a link), as far as a bounded look tells; too large to look at
 * counts as yes.
 */
export function holdsProtected(folder: string, world: World, { links }: { links: boolean }): boolean {
  const waiting = [folder];
  let looked = 0;
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const name of world.files.list(at) ?? []) {
      if (isProtectedName(name) || ++looked > MOST_LOOKED_AT) return true;
      const path = `${at}/${name}`;
      if (world.files.look(path) === "link") {
        if (links) return true;
      } else if (world.files.isFolder(path)) waiting.push(path);
    }
  }
  return false;
}

/** Why the removal is asked about in every mode; undefined for any other. */
export function criticalRemoval(change: Writes, world: World): string | undefined {
  if (change.how !== "remove") return undefined;
  if (change.shape === "rootless" && change.recursive) return `${change.shown} could be anything, / included`;
  const path = criticalOf(change.places, change.some ? { ...world, ...NOWHERE } : world);
  if (path !== undefined) return `it removes ${change.shape === "everything" ? `everything in ${path}` : path}`;
  const perhaps = criticalOf(change.maybe, world);
  return perhaps === undefined ? undefined : `${change.shown} could be ${perhaps}`;
}

/** Whether one of its words is the root, the home or the project, or a folder around one of these, as a whole. */
export function namesCritical(command: string, world: World): boolean {
  const { home, cwd } = world;
  const words = command.replace(/\$\{(\w+)\}/g, "$$$1").split(/[\s"'`;|&()<>={}]+/);
  return words.some((word) => {
    const path = word
      .replace(/^~(?=\/|$)|^\$HOME\b/, () => home)
      .replace(/^\$PWD\b/, () => cwd)
      .replace(/(?<=.)\/\*?$/, "");
    return path.startsWith("/") && isAround(path === "/*" ? "/" : resolve(path), world);
  });
}

/** To pick some files out of the project is ordinary work; out of the home or the whole disk it is not. */
const NOWHERE = { root: NO_FOLDER, cwd: NO_FOLDER, roots: [] };

function criticalOf(places: readonly Place[] | undefined, world: World): string | undefined {
  return places?.flatMap(formsOf).find((path) => isCritical(path, world));
}

function isCritical(path: string, world: World): boolean {
  return path === "/" || dirname(path) === "/" || isAround(path, world);
}

function isAround(path: string, { home, root, cwd, roots }: World): boolean {
  return inside(path, home) || inside(path, root) || inside(path, cwd) || roots.some((folder) => inside(path, folder));
}

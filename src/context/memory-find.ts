// Where memory files are looked for: the machine's, the person's, and each folder's from the file system's root down.
import { dirname, join, relative, sep } from "node:path";
import { inside, realPath } from "../utils/paths.ts";

/** All absolute; as config/paths.ts has them. */
export type MemoryPlaces = { home: string; nanocode: string; claude: string; managed: readonly string[] };

export const MAIN = ["NANOCODE.md", join(".nanocode", "NANOCODE.md"), "CLAUDE.md", join(".claude", "CLAUDE.md")];
/** Only where a folder has none of those. */
export const CONVENTION = "AGENTS.md";
export const LOCAL = ["NANOCODE.local.md", "CLAUDE.local.md"];
export const RULES = [join(".nanocode", "rules"), join(".claude", "rules")];
/** Other people's code: what it tells agents is not meant for work on this project. */
const FOREIGN = new Set(["node_modules", "bower_components", "site-packages", ".git", ".venv"]);

/** From the file system's root down to `folder`. */
export function chain(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [...chain(parent), folder];
}

/** The folders from `root` down to the one a path lies in, `root` included; none for what is outside or foreign. */
export function between(root: string, path: string): string[] {
  if (!inside(root, path) || path === root) return [];
  const parts = relative(root, dirname(path)).split(sep).filter(Boolean);
  if (parts.some((part) => FOREIGN.has(part))) return [];
  return parts.reduce((folders, part) => [...folders, join(folders.at(-1) ?? root, part)], [root]);
}

/** Whether a real path is one of the person's own memory files: not the rest of `~/.claude`, where sessions and keys are. */
export function isPersonalMemory(real: string, { nanocode, claude }: MemoryPlaces): boolean {
  if (!real.toLowerCase().endsWith(".md")) return false;
  return [nanocode, claude]
    .map((dir) => realPath(dir))
    .some((dir) => dirname(real) === dir || inside(join(dir, "rules"), real));
}

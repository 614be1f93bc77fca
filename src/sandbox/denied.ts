// Files that rules or settings say nobody may read: which of them are there now.
import { dirname } from "node:path";
import { inside, realPath } from "../utils/paths.ts";
import { secretAt, type Secret } from "./secrets.ts";
import { TreeScan } from "./tree-scan.ts";

export type Denied = {
  secrets: Secret[];
  /** Patterns for which not every folder could be looked at. */ incomplete: string[];
};

const DEPTH = 12;
const FOLDERS = 2_000;
const MAGIC = /[*?[{\\]/;

/** Patterns are absolute; `*`, `**`, `?`, `[]` and `{}` as in a shell. */
export class DeniedFiles {
  #scans = new Map<string, { scan: TreeScan; glob: Bun.Glob }>();

  /** `roots`: where a pattern that begins higher up is looked for. */
  find(patterns: readonly string[], roots: readonly string[]): Denied {
    const denied: Denied = { secrets: [], incomplete: [] };
    for (const pattern of patterns) {
      if (!MAGIC.test(pattern)) {
        denied.secrets.push(...secretAt(pattern));
        continue;
      }
      const { scan, glob } = this.#scanFor(pattern);
      for (const start of startsOf(pattern, roots)) {
        const wanted = (_: string, path: string) => glob.match(path);
        const { found, complete } = scan.run(start, { depth: DEPTH, limit: FOLDERS, wanted });
        denied.secrets.push(...found.flatMap(({ path }) => secretAt(path)));
        if (!complete && !denied.incomplete.includes(pattern)) denied.incomplete.push(pattern);
      }
    }
    return denied;
  }

  #scanFor(pattern: string) {
    const known = this.#scans.get(pattern);
    if (known) return known;
    // `/p/x/**` means the folder itself too: then it is masked as a whole.
    const made = { scan: new TreeScan(), glob: new Bun.Glob(pattern.replace(/(?<=[^/*])\/\*\*$/, "{,/**}")) };
    this.#scans.set(pattern, made);
    return made;
  }
}

/** The folder all matches lie in; where that is above a project, the project, and the folder without its subfolders' depth. */
function startsOf(pattern: string, roots: readonly string[]): string[] {
  const literal = pattern.slice(0, pattern.search(MAGIC));
  const base = realPath(literal.endsWith("/") ? literal.slice(0, -1) || "/" : dirname(literal));
  const below = roots.filter((root) => inside(base, root));
  // A pattern for the whole machine is looked for in the projects only: the rest is too much to look through each time.
  return below.length > 0 ? below : base === "/" ? [] : [base];
}

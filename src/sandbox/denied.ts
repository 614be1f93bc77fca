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
  #scans = new Map<string, TreeScan>();

  /** `roots`: where a pattern that begins higher up is looked for. */
  find(patterns: readonly string[], roots: readonly string[]): Denied {
    const plain = patterns.filter((pattern) => !MAGIC.test(pattern));
    const denied: Denied = { secrets: plain.flatMap(secretAt), incomplete: [] };
    for (const [start, wanted] of byStart(patterns, roots)) {
      const globs = wanted.map(globOf);
      const options = {
        depth: DEPTH,
        limit: FOLDERS,
        wanted: (_: string, path: string) => globs.some((g) => g.match(path)),
      };
      const { found, complete } = this.#scanFor(start, wanted).run(start, options);
      denied.secrets.push(...found.flatMap(({ path }) => secretAt(path)));
      if (!complete) denied.incomplete.push(...wanted.filter((pattern) => !denied.incomplete.includes(pattern)));
    }
    return denied;
  }

  #scanFor(start: string, patterns: readonly string[]): TreeScan {
    const key = [start, ...patterns].join("\0");
    const scan = this.#scans.get(key) ?? new TreeScan();
    this.#scans.set(key, scan);
    return scan;
  }
}

/** Patterns that begin in the same folder are looked for together. */
function byStart(patterns: readonly string[], roots: readonly string[]): Map<string, string[]> {
  const starts = new Map<string, string[]>();
  for (const pattern of patterns.filter((one) => MAGIC.test(one))) {
    for (const start of startsOf(pattern, roots)) starts.set(start, [...(starts.get(start) ?? []), pattern]);
  }
  return starts;
}

/** `/p/x/**` means the folder itself too: then it is masked as a whole. */
function globOf(pattern: string): Bun.Glob {
  return new Bun.Glob(pattern.replace(/(?<=[^/*])\/\*\*$/, "{,/**}"));
}

/** The folder all matches lie in; where that is above a project, the projects: more is too much to look through each time. */
function startsOf(pattern: string, roots: readonly string[]): string[] {
  const literal = pattern.slice(0, pattern.search(MAGIC));
  const base = realPath(literal.endsWith("/") ? literal.slice(0, -1) || "/" : dirname(literal));
  const below = roots.filter((root) => inside(base, root));
  if (below.length > 0) return below;
  return base === "/" ? [] : [base];
}

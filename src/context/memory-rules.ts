// Rules: Markdown files in `rules/` folders, some of them only for the files their `paths:` name.
import { lstatSync, readdirSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, relative, sep } from "node:path";
import { parseFrontmatter } from "../utils/frontmatter.ts";
import { reason } from "../files/bounded.ts";

export type Rule = {
  /** Without its header. */
  text: string;
  /** Undefined: it always counts. */
  globs: string[] | undefined;
  /** What is wrong with the header, for a person. */
  problem?: string;
};

const MAX_DEPTH = 8;
const MAX_ENTRIES = 500;
const MAX_GLOBS = 100;
const MAX_GLOB = 500;
const MAX_BRACES = 12;

/** A header that cannot be read costs the rule its condition, not its text. */
export function readRule(source: string): Rule {
  const { fields, body, problem } = parseFrontmatter(source);
  if (problem) return { text: body, globs: undefined, problem: `${problem}; it counts for every file` };
  const { paths } = fields;
  if (paths === undefined || paths === null) return { text: body, globs: undefined };
  const texts = typeof paths === "string" ? splitList(paths) : paths;
  if (!Array.isArray(texts) || texts.some((text) => typeof text !== "string")) {
    return { text: body, globs: undefined, problem: "`paths` is no list of patterns; it counts for every file" };
  }
  const all = texts.map((text: string) => text.trim()).filter((text) => text !== "");
  if (all.length === 0) return { text: body, globs: undefined };
  const globs = all.slice(0, MAX_GLOBS).filter(isModest);
  const left = all.length - globs.length;
  if (left === 0) return { text: body, globs };
  return { text: body, globs, problem: `${left} of its ${all.length} \`paths\` are left out: too many or too long` };
}

/** `a, b/{c,d}`: commas within braces do not divide. */
function splitList(text: string): string[] {
  const inner = /^\[(.*)\]$/s.exec(text.trim())?.[1] ?? text;
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i <= inner.length; i++) {
    const char = inner[i];
    if (char === "{") depth++;
    if (char === "}") depth = Math.max(0, depth - 1);
    if (char !== undefined && (char !== "," || depth > 0)) continue;
    parts.push(
      inner
        .slice(from, i)
        .trim()
        .replace(/^(["'])(.*)\1$/, "$2"),
    );
    from = i + 1;
  }
  return parts;
}

function isModest(glob: string): boolean {
  return glob.length <= MAX_GLOB && (glob.match(/\{/g)?.length ?? 0) <= MAX_BRACES;
}

/**
 * Whether a rule is about a file. `bases`: the folders its patterns count from, absolute. A pattern may also be absolute
 * or begin with `~/`, name a folder for all below it, or take files out again with a leading `!`.
 */
export function ruleMatcher(
  globs: readonly string[],
  { bases, home }: { bases: readonly string[]; home: string },
): (path: string) => boolean {
  const wanted = globs.filter((glob) => !glob.startsWith("!")).map((glob) => matcher(glob, bases, home));
  const unwanted = globs.filter((glob) => glob.startsWith("!")).map((glob) => matcher(glob.slice(1), bases, home));
  return (path) => wanted.some((matches) => matches(path)) && !unwanted.some((matches) => matches(path));
}

function matcher(glob: string, bases: readonly string[], home: string): (path: string) => boolean {
  if (glob.startsWith("~/")) return matcher(slashes(join(home, glob.slice(2))), bases, home);
  const pattern = glob.replace(/^(?:\.\/)+/, "").replace(/\/+$/, "");
  const tests = [pattern, `${pattern}/**`].map((text) => new Bun.Glob(text));
  const matches = (path: string) => tests.some((test) => test.match(path));
  // `/src/**` is meant from the project's root as often as from the file system's.
  const anchored = glob.startsWith("/") ? ruleMatcher([glob.slice(1)], { bases, home }) : undefined;
  return (path) => {
    if (isAbsolute(pattern)) return matches(slashes(path)) || (anchored?.(path) ?? false);
    return bases.some((base) => {
      const below = relative(base, path);
      return below !== "" && !below.startsWith("..") && !isAbsolute(below) && matches(slashes(below));
    });
  };
}

function slashes(path: string): string {
  return path.replaceAll(sep, "/");
}

export type Listed = { paths: string[]; problems: { at: string; why: string }[] };

/**
 * The rules below a folder, by name, folder by folder; links are followed where `mayEnter` (which gets the real path)
 * gives no reason against it.
 */
export function listRules(folder: string, mayEnter: (real: string) => string | undefined): Listed {
  const listing = new Listing(mayEnter);
  try {
    // Quicker than an error for what most folders lack.
    if (lstatSync(folder, { throwIfNoEntry: false })) listing.enter(folder, 0);
  } catch (error) {
    listing.problems.push({ at: dirname(folder), why: reason(error) });
  }
  return listing;
}

class Listing implements Listed {
  readonly paths: string[] = [];
  readonly problems: { at: string; why: string }[] = [];
  #mayEnter: (real: string) => string | undefined;
  /** Links may lead in circles. */
  #seen = new Set<string>();
  #entries = 0;

  constructor(mayEnter: (real: string) => string | undefined) {
    this.#mayEnter = mayEnter;
  }

  enter(folder: string, depth: number): void {
    try {
      const real = realpathSync.native(folder);
      if (this.#seen.has(real)) return;
      this.#seen.add(real);
      const why = this.#mayEnter(real);
      if (why !== undefined) return void this.problems.push({ at: folder, why });
      if (depth > MAX_DEPTH) return void this.problems.push({ at: folder, why: "it lies too deep" });
      for (const name of readdirSync(folder).toSorted()) {
        if (++this.#entries > MAX_ENTRIES) return this.#full(folder);
        this.#entry(join(folder, name), name, depth);
      }
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : "";
      if (code === "ENOENT" || (code === "ENOTDIR" && depth > 0)) return;
      this.problems.push({ at: folder, why: code === "ENOTDIR" ? "it is not a folder" : reason(error) });
    }
  }

  #entry(path: string, name: string, depth: number): void {
    if (name.toLowerCase().endsWith(".md")) this.paths.push(path);
    else if (isFolder(path)) this.enter(path, depth + 1);
  }

  #full(folder: string): void {
    if (this.#entries > MAX_ENTRIES + 1) return;
    this.problems.push({
      at: folder,
      why: `its rules folder holds more than ${MAX_ENTRIES} files; the rest is left out`,
    });
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch {
    return false; // a circle of links: nothing is there
  }
}

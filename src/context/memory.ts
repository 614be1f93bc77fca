// The memory of a conversation: which files instruct it from the start, and which more once it touches a file.
import { dirname, join } from "node:path";
import { inside, realPath } from "../utils/paths.ts";
import { allowFor, type Allow, type AllowOptions, type Reach } from "./memory-allow.ts";
import { closedFolder, find, take } from "../files/bounded.ts";
import { between, chain, CONVENTION, LOCAL, MAIN, RULES } from "./memory-find.ts";
import { importTarget, isMeant, scanMemory } from "./memory-imports.ts";
import { listRules, readRule, ruleMatcher } from "./memory-rules.ts";

export type MemoryKind = "managed" | "user" | "project" | "local" | "rule" | "import" | "subfolder";
export type MemoryFile = {
  /** Absolute, as it was reached. */
  path: string;
  kind: MemoryKind;
  /** What the model gets: without block comments, a rule's header and NULs. */
  text: string;
  /** Of the file on the disk. */
  bytes: number;
  /** Only its beginning was taken. */
  cut: boolean;
  /** The file that imports it. */
  from?: string;
};
/** A rule that waits for a file its patterns are about. */
export type WaitingRule = { path: string; globs: readonly string[] };

/**
 * `root`: of the project that `cwd` is in. `added`: folders added to it, whose files are the project's too. `excludes`:
 * globs on absolute paths (setting `claudeMdExcludes`). `hidden`: whether a deny rule forbids to read a path. `sources`
 * (--setting-sources; undefined: all): user, project, local; managed files always count.
 */
export type MemoryOptions = AllowOptions & { cwd: string; sources?: readonly string[] | undefined };

/** In bytes: of one file, of all at the start, of all that one touch may add. */
const MAX_FILE = 256 * 1024;
const MAX_START = 1024 * 1024;
const MAX_TOUCH = 96 * 1024;
const MAX_FILES = 500;
/** Imports below imports. */
const MAX_DEPTH = 4;
const MAX_IMPORTS = 200;

/** Synchronous, bounded, runs nothing and never throws; what could not be loaded is in `problems`. */
export function loadMemory(options: MemoryOptions): Memory {
  return new Memory(options);
}

type Origin = { kind: MemoryKind; reach: Reach; from?: string };
type Reached = { path: string; real: string; id: string };
type Waiting = WaitingRule & { origin: Origin; matches(path: string): boolean };
type Taking = {
  origin: Origin;
  /** The files whose imports led here, outermost first. */
  trail: readonly Reached[];
  /** Set for a rule that may have a header to wait by: the folders its patterns count from. */
  bases?: readonly string[] | undefined;
};

/** What is listed for a person; nothing is sanitised. */
export type MemoryReport = {
  /** What counts from the start, in the order the model gets it. */
  readonly files: readonly MemoryFile[];
  /** What touched files have added since. */
  readonly late: readonly MemoryFile[];
  readonly waiting: readonly WaitingRule[];
  /** `path: why`, each once. */
  readonly problems: readonly string[];
  /** Paths left out by `excludes`. */
  readonly excluded: readonly string[];
  /** To shorten paths with. */
  readonly home: string;
};

export class Memory implements MemoryReport {
  #options: MemoryOptions;
  #allow: Allow;
  #files: MemoryFile[] = [];
  #late: MemoryFile[] = [];
  #target = this.#files;
  #problems = new Set<string>();
  #excluded = new Set<string>();
  #waiting: Waiting[] = [];
  #left = MAX_START;
  /** Ids of files. */
  #seen = new Set<string>();
  /** Paths of folders. */
  #visited = new Set<string>();
  #start: { seen: ReadonlySet<string>; visited: ReadonlySet<string>; waiting: readonly Waiting[] };

  constructor(options: MemoryOptions) {
    this.#options = options;
    this.#allow = allowFor(options);
    const machine: Origin = { kind: "managed", reach: { by: "machine" } };
    const managed = options.places.managed.flatMap((dir) =>
      ["NANOCODE.md", "CLAUDE.md"].map((name) => join(dir, name)),
    );
    for (const path of managed) this.#load(path, machine);
    if (this.#wants("user")) this.#user();
    for (const folder of chain(options.cwd)) this.#folder(folder, "project");
    this.#start = { seen: new Set(this.#seen), visited: new Set(this.#visited), waiting: [...this.#waiting] };
  }

  get files(): readonly MemoryFile[] {
    return this.#files;
  }

  get late(): readonly MemoryFile[] {
    return this.#late;
  }

  get waiting(): readonly WaitingRule[] {
    return this.#waiting;
  }

  get problems(): readonly string[] {
    return [...this.#problems];
  }

  get excluded(): readonly string[] {
    return [...this.#excluded];
  }

  get home(): string {
    return this.#options.places.home;
  }

  /**
   * What instructs about these paths (absolute) and was not loaded yet: memory files of the folders they lie in, rules
   * that match. Each once, until `forget`.
   */
  memoryFor(paths: readonly string[]): MemoryFile[] {
    const before = this.#late.length;
    this.#target = this.#late;
    this.#left = MAX_TOUCH;
    for (const path of new Set(paths.flatMap((given) => [given, realPath(given)]))) {
      const root = this.#rootOf(path);
      for (const folder of root === undefined ? [] : between(root, path)) this.#folder(folder, "subfolder");
      for (const rule of this.#waiting.filter(({ matches }) => matches(path))) {
        this.#waiting = this.#waiting.filter((other) => other !== rule);
        this.#load(rule.path, rule.origin);
      }
      // The rest comes when it is touched again.
      if (this.#left <= 0) break;
    }
    return this.#late.slice(before);
  }

  /** The conversation was compacted: what `memoryFor` gave may be gone from it, and is given again when touched. */
  forget(): void {
    this.#seen = new Set(this.#start.seen);
    this.#visited = new Set(this.#start.visited);
    this.#waiting = [...this.#start.waiting];
    this.#late = [];
  }

  #wants(source: string): boolean {
    return this.#options.sources?.includes(source) ?? true;
  }

  #user(): void {
    const { places, root, cwd } = this.#options;
    const reach: Reach = { by: "person" };
    this.#load(join(places.nanocode, "NANOCODE.md"), { kind: "user", reach });
    this.#load(join(places.claude, "CLAUDE.md"), { kind: "user", reach });
    for (const folder of [places.nanocode, places.claude]) this.#rules(join(folder, "rules"), reach, [root, cwd]);
  }

  #folder(folder: string, kind: "project" | "subfolder"): void {
    if (this.#visited.has(folder)) return;
    this.#visited.add(folder);
    const closed = closedFolder(folder);
    if (closed !== undefined) return this.#problem(folder, closed);
    const reach: Reach = { by: "project", folder };
    const mine = (names: readonly string[]) =>
      names.map((name) => join(folder, name)).filter((path) => !this.#isPersonal(path));
    if (this.#wants("project")) {
      const there = mine(MAIN).map((path) => this.#load(path, { kind, reach }));
      if (!there.includes(true)) this.#load(join(folder, CONVENTION), { kind, reach });
    }
    if (this.#wants("local")) for (const path of mine(LOCAL)) this.#load(path, { kind: "local", reach });
    if (this.#wants("project")) for (const path of mine(RULES)) this.#rules(path, reach, [folder]);
  }

  /** The home folder's `.claude` is the person's, also when the walk comes through there. */
  #isPersonal(path: string): boolean {
    const { nanocode, claude } = this.#options.places;
    return [nanocode, claude].includes(dirname(path));
  }

  #rules(folder: string, reach: Reach, bases: readonly string[]): void {
    const { paths, problems } = listRules(folder, (real) => this.#allow.outside(real, reach));
    for (const { at, why } of problems) this.#problem(at, why);
    for (const path of paths) this.#load(path, { kind: "rule", reach }, bases);
  }

  /** True when the file counts, now, already or later; or is left out on purpose. */
  #load(path: string, origin: Origin, bases?: readonly string[]): boolean {
    const found = this.#reach(path, origin);
    if (!found) return false;
    if (found === "excluded" || this.#seen.has(found.id)) return true;
    return this.#take(found, { origin, trail: [], bases });
  }

  #reach(path: string, { reach, from }: Origin, isProse = false): Reached | "excluded" | undefined {
    const found = find(path);
    const by = from === undefined ? "" : `imported by ${from}: `;
    if (found.kind === "missing") {
      if (from !== undefined && !isProse) this.#problem(path, `${by}there is no such file`);
      return undefined;
    }
    if (found.kind === "refused")
      return found.isFolder && isProse ? undefined : this.#problem(found.at, by + found.why);
    if (this.#allow.isExcluded(path, found.real, reach)) {
      this.#excluded.add(path);
      return "excluded";
    }
    const file = { path, ...found };
    const why = this.#allow.forbidden(file, reach);
    return why === undefined ? file : this.#problem(path, by + why);
  }

  #take(file: Reached, { origin, trail, bases }: Taking): boolean {
    const refuse = (why: string) => {
      this.#problem(file.path, why);
      return false;
    };
    if (this.#left <= 0) return refuse("there is more memory than is taken at once");
    if (this.#target.length >= MAX_FILES) return refuse(`more than ${MAX_FILES} memory files`);
    const taken = take(file.real, Math.min(MAX_FILE, this.#left));
    if ("why" in taken) return refuse(taken.why);
    const rule = origin.kind === "rule" ? readRule(taken.text) : undefined;
    if (rule?.problem) this.#problem(file.path, rule.problem);
    if (bases && rule?.globs) {
      const matches = ruleMatcher(rule.globs, { bases, home: this.#options.places.home });
      this.#waiting.push({ path: file.path, globs: rule.globs, origin, matches });
      return true;
    }
    this.#seen.add(file.id);
    this.#left -= Buffer.byteLength(taken.text);
    const { text, imports } = scanMemory(rule?.text ?? taken.text);
    const { bytes, cut } = taken;
    if (cut) this.#problem(file.path, `only its beginning is loaded: it has ${bytes} bytes`);
    const { kind, from } = origin;
    this.#target.push({
      path: file.path,
      kind,
      text: text.trim(),
      bytes,
      cut,
      ...(from === undefined ? {} : { from }),
    });
    this.#imports(imports, { origin, trail: [...trail, file] }, file.path);
    return true;
  }

  #imports(imports: readonly string[], { origin, trail }: Taking, from: string): void {
    const at = { folder: dirname(from), home: this.#options.places.home };
    if (imports.length > MAX_IMPORTS) this.#problem(from, `only the first ${MAX_IMPORTS} of its imports are looked at`);
    for (const name of imports.slice(0, MAX_IMPORTS)) {
      const target = importTarget(name, at);
      const below: Origin = { kind: "import", reach: origin.reach, from };
      const found = this.#reach(target, below, !isMeant(name));
      if (!found || found === "excluded") continue;
      const circle = trail.findIndex(({ id }) => id === found.id);
      if (circle >= 0) {
        const names = [...trail.slice(circle).map(({ path }) => path), target];
        this.#problem(from, `it imports itself in a circle: ${names.join(" -> ")}`);
      } else if (this.#seen.has(found.id)) continue;
      else if (trail.length > MAX_DEPTH)
        this.#problem(target, `imported by ${from}: more than ${MAX_DEPTH} imports deep`);
      else this.#take(found, { origin: below, trail });
    }
  }

  #problem(path: string, why: string): undefined {
    this.#problems.add(`${path}: ${why}`);
  }

  /** The innermost folder of the project that a path lies in. */
  #rootOf(path: string): string | undefined {
    const { root, added } = this.#options;
    const roots = [root, ...(added?.() ?? [])].toSorted((a, b) => b.length - a.length);
    return roots.find((dir) => inside(dir, path));
  }
}

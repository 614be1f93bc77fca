// From an argument to the paths it can mean: patterns expanded by us, links followed as the kernel does.
import { basename, dirname, isAbsolute, join, resolve, sep } from "node:path";
import { isTidy } from "../../utils/paths.ts";
import { textMatcher } from "../wild.ts";
import type { Place } from "./parts.ts";
import type { Arg } from "./types.ts";

export type Files = {
  /** Where a path leads, links followed; what does not exist is kept. */
  realPath(path: string): string;
  /** Names in a folder; undefined when it cannot be read. */
  list(folder: string): readonly string[] | undefined;
  isFolder(path: string): boolean;
  /** A file that can be opened to read. */
  isReadable(path: string): boolean;
  /** What the last name of a path is. `missing`: nothing is there. */
  look(path: string): "link" | "other" | "missing";
  /** Names of the folders in a folder where no name is a link; undefined: there may be links, or it is larger. */
  folders(folder: string, mostBytes: number): readonly string[] | undefined;
  /** Absolute paths of the files git has stored, of the repository around a folder; undefined: not known. */
  tracked(folder: string): readonly string[] | undefined;
};

/** Whether there is something that is no folder. */
export function isFileIn(files: Files): (path: string) => boolean {
  return (path) => !files.isFolder(path) && files.look(path) !== "missing";
}

/** Folders that are searched for links, for all words of a text together. */
const MOST_SEARCHED = 300;
/** Bytes of a folder itself: some thousand names. */
const LARGE = 128 * 1024;
/** One look at a whole folder takes as long as some at single names: after so many, when it is not larger. */
const LOOKS_AT_NAMES = new Map([
  [4, 4 * 1024],
  [16, LARGE],
]);

/** The same for one decision: what was looked at once is not looked at again. */
export function remembering(files: Files): Files {
  const real = new Map<string, string>();
  const lists = new Map<string, readonly string[] | undefined>();
  const folders = new Map<string, boolean>();
  const trees = new Map<string, readonly string[] | undefined>();
  const looks = new Map<string, { count: number; links: boolean }>();
  /** Where nothing is, nothing below is a link. */
  const missing = new Set<string>();
  const look = (folder: string, path: string): ReturnType<Files["look"]> => {
    if (missing.has(folder)) return "missing";
    const seen = looks.get(folder) ?? { count: 0, links: true };
    looks.set(folder, seen);
    const most = seen.links ? LOOKS_AT_NAMES.get(++seen.count) : undefined;
    if (most !== undefined) seen.links = files.folders(folder, most) === undefined;
    return seen.links ? files.look(path) : "other";
  };
  const realPath = (path: string): string => {
    const known = real.get(path);
    if (known !== undefined) return known;
    const parent = dirname(path);
    if (parent === path) return path;
    const folder = realPath(parent);
    // Only a link leads elsewhere; the way to it is already known.
    const here = folder === parent ? path : join(folder, basename(path));
    const is = look(folder, here);
    if (is === "missing") missing.add(here);
    const found = is === "link" ? files.realPath(here) : here;
    real.set(path, found);
    return found;
  };
  return {
    realPath,
    list(folder) {
      if (missing.has(folder)) return undefined;
      if (!lists.has(folder)) lists.set(folder, files.list(folder));
      return lists.get(folder);
    },
    isFolder(path) {
      const is = folders.get(path) ?? files.isFolder(path);
      folders.set(path, is);
      return is;
    },
    isReadable: (path) => files.isReadable(path),
    look: (path) => files.look(path),
    folders(folder, mostBytes) {
      const isNew = !trees.has(folder);
      if (isNew) trees.set(folder, trees.size < MOST_SEARCHED ? files.folders(folder, mostBytes) : undefined);
      return trees.get(folder);
    },
    tracked: (folder) => files.tracked(folder),
  };
}

/** Whether what is followed below one of the places may lead to anywhere. */
export function mayLead(places: readonly Place[], files: Files): boolean {
  // The pattern itself is a name only where nothing matches it.
  const there = places.length > 1 ? places.filter(({ real }) => files.look(real) !== "missing") : places;
  return there.some(({ real }) => mayHoldLinks(real, files));
}

/** Whether a link is somewhere below; also said of what is too large to look at, or not there yet. `files` remember. */
function mayHoldLinks(folder: string, files: Files): boolean {
  if (files.look(folder) === "missing") return true;
  const waiting = [folder];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const folders = files.folders(at, LARGE);
    if (!folders) return true;
    for (const name of folders) waiting.push(`${at}/${name}`);
  }
  return false;
}

/** From the root on the kernel takes no longer one, so that nobody can tell whether there is a link in it. */
const LONGEST_PATH = 4000;
const MOST_NAMES = 2000;
/** Folders listed for one pattern, and places and names looked at for all words of a text together. */
const MOST_FOLDERS = 300;
const MOST_PLACES = 5000;
const MOST_LISTED = 10_000;

/** The places of one command text. They are counted: a thousand words of a thousand names each would take seconds. */
export class Places {
  readonly #files: Files;
  #left = MOST_PLACES;
  #listed = { left: MOST_LISTED };
  #expanded = new Map<string, readonly string[] | undefined>();
  /** What words meant in the folder that was asked for last: scripts name the same files again and again. */
  #found: { cwd: string; texts: Map<string, readonly Place[]> } = { cwd: "", texts: new Map() };
  /** What was asked last was over a bound; if nothing is known of it, then for that reason. */
  gaveUp = false;

  constructor(files: Files) {
    this.#files = files;
  }

  /** From here on nothing is known any more. */
  get exhausted(): boolean {
    return this.#left < 0;
  }

  /** Every place the argument can mean, from each of the possible working directories; undefined when not known. */
  of(arg: Arg, cwds: readonly string[] | undefined): readonly Place[] | undefined {
    const [only] = cwds ?? [];
    if (arg.kind === "text" && only !== undefined && cwds?.length === 1) return this.#ofText(arg.text, only);
    const texts = this.#left < 0 ? undefined : this.#textsOf(arg, cwds);
    const longest = Math.max(0, ...(cwds ?? []).map((cwd) => cwd.length));
    const isLong = texts?.some((text) => longest + text.length > LONGEST_PATH) ?? false;
    this.gaveUp = isLong || this.#left < 0 || this.#listed.left < 0;
    if (!texts || isLong) return undefined;
    this.#left -= texts.length * (cwds?.length ?? 1);
    this.gaveUp ||= this.#left < 0;
    if (this.#left < 0) return undefined;
    const places: Place[] = [];
    for (const text of texts) {
      if (isAbsolute(text)) places.push(placeOf(text, "/", this.#files));
      else if (!cwds) return undefined;
      else for (const cwd of cwds) places.push(placeOf(text, cwd, this.#files));
    }
    return places;
  }

  /** The same for what nearly all arguments are. */
  #ofText(text: string, cwd: string): readonly Place[] | undefined {
    const isLong = cwd.length + text.length > LONGEST_PATH;
    this.gaveUp = isLong || this.#left <= 0 || this.#listed.left < 0;
    if (this.#left < 0 || isLong) return undefined;
    this.#left--;
    if (this.#left < 0) return undefined;
    if (this.#found.cwd !== cwd) this.#found = { cwd, texts: new Map() };
    const { texts } = this.#found;
    const before = texts.get(text);
    if (before) return before;
    const places = [placeOf(text, cwd, this.#files)];
    texts.set(text, places);
    return places;
  }

  #textsOf(arg: Arg, cwds: readonly string[] | undefined): readonly string[] | undefined {
    switch (arg.kind) {
      case "text":
        return [arg.text];
      case "oneof":
        return arg.texts;
      case "unknown":
        return undefined;
      case "glob": {
        if (arg.pattern.includes("**") && this.#mayReachDeep(arg.pattern, cwds)) return undefined;
        if (arg.or) return this.#ofEach([arg.pattern, ...arg.or], cwds);
        // When nothing matches, the pattern itself is the name.
        const own = unescaped(arg.pattern);
        if (isAbsolute(own)) return this.#names(arg.pattern, "/")?.concat(own);
        if (!cwds) return undefined;
        const [only, ...others] = cwds;
        if (only !== undefined && others.length === 0) {
          const names = this.#names(arg.pattern, only);
          if (!names || names.length === 0) return names && [own];
        }
        const lists = cwds.map((cwd) => this.#names(arg.pattern, cwd));
        return lists.every((list) => list !== undefined) ? [...new Set([own, ...lists.flat()])] : undefined;
      }
      default:
        return arg satisfies never;
    }
  }

  /** `**` goes through folders for some shells: nothing below may be a link then. */
  #mayReachDeep(pattern: string, cwds: readonly string[] | undefined): boolean {
    const parts = pattern.split("/");
    const at = parts.findIndex(isPattern);
    const folder = unescaped(parts.slice(0, at).join("/"));
    if (pattern.includes("***") || !cwds) return true;
    return cwds.some((cwd) => {
      const { real } = placeOf(folder === "" && !pattern.startsWith("/") ? "." : `${folder}/`, cwd, this.#files);
      return this.#files.look(real) !== "missing" && mayHoldLinks(real, this.#files);
    });
  }

  #ofEach(patterns: readonly string[], cwds: readonly string[] | undefined): readonly string[] | undefined {
    const lists = patterns.map((pattern) => this.#textsOf({ kind: "glob", pattern, start: "", single: true }, cwds));
    return lists.every((list) => list !== undefined) ? [...new Set(lists.flat())] : undefined;
  }

  #names(pattern: string, cwd: string): readonly string[] | undefined {
    const key = `${cwd}\0${pattern}`;
    if (!this.#expanded.has(key)) this.#expanded.set(key, expanded(pattern, cwd, this.#files, this.#listed));
    return this.#expanded.get(key);
  }
}

export function placeOf(path: string, cwd: string, files: Files): Place {
  const given = absolute(path, cwd);
  if (!path.includes("..") || !/(^|\/)\.\.(\/|$)/.test(path)) return { given, real: files.realPath(given) };
  // The kernel goes up from where a link leads, not from where it stands.
  let real = isAbsolute(path) ? "/" : files.realPath(cwd);
  for (const name of path.split("/")) {
    if (name === "" || name === ".") continue;
    real = name === ".." ? dirname(real) : files.realPath(join(real, name));
  }
  return { given, real };
}

/** As `resolve`, which takes ten times as long for the same answer when there is nothing to tidy up. */
function absolute(path: string, cwd: string): string {
  if (sep !== "/" || path === "" || path.startsWith("/")) return resolve(cwd, path);
  const whole = `${cwd}/${path}`;
  return isTidy(whole) && whole.isWellFormed() ? whole : resolve(cwd, path);
}

/** Names that match, at least: a class in brackets counts in either case. Undefined: too many to look at. */
function expanded(pattern: string, cwd: string, files: Files, listed: { left: number }): string[] | undefined {
  const parts = pattern.split("/");
  let found = [isAbsolute(pattern) ? "/" : ""];
  let folders = 0;
  for (const [i, part] of parts.entries()) {
    if (part === "") continue;
    if (!isPattern(part)) {
      const name = unescaped(part);
      found = found.map((folder) => joined(folder, name));
      continue;
    }
    // No name is so long.
    if (part.length > 1024) return undefined;
    let matches: ReturnType<typeof textMatcher> | undefined;
    const next: string[] = [];
    for (const folder of found) {
      // Where `..` leads from a folder behind a link.
      const inside = files.list(placeOf(folder === "" ? "." : folder, cwd, files).real) ?? [];
      // Before bash 5.2 `.*` also is the folder itself and the one above.
      const names = part.startsWith(".") ? [...inside, ".", ".."] : inside;
      listed.left -= names.length + 1;
      if (listed.left < 0 || ++folders > MOST_FOLDERS) return undefined;
      for (const name of names) {
        // A name that is not UTF-8 is another one than is seen here.
        if (name.includes("\uFFFD")) return undefined;
        matches ??= textMatcher(part);
        if ((name.startsWith(".") && !part.startsWith(".")) || !matches(name)) continue;
        next.push(joined(folder, name));
      }
    }
    if (next.length > MOST_NAMES) return undefined;
    found = next;
    if (found.length === 0 && i < parts.length) return [];
  }
  return found;
}

function unescaped(pattern: string): string {
  return pattern.includes("\\") ? pattern.replace(/\\(.)/gs, "$1") : pattern;
}

/** A star, question mark or bracket without a backslash of its own in front. */
function isPattern(text: string): boolean {
  return /[*?[]/.test(text.includes("\\") ? text.replace(/\\./gs, "") : text);
}

/** Kept as text: `..` after a link means something else than for the path. */
function joined(folder: string, name: string): string {
  return folder === "" || folder === "/" ? `${folder}${name}` : `${folder}/${name}`;
}

/** `x/*`, `x/.*`, `*`: all there is in a folder, which is returned. */
export function folderOfAll(arg: Arg): string | undefined {
  if (arg.kind !== "glob" || arg.single) return undefined;
  const name = basename(arg.pattern);
  if (!/^(\*+|\.\*|\.\[[^\]]*\]\*|\.\?\*|\?\*)$/.test(name)) return undefined;
  const folder = arg.pattern.slice(0, arg.pattern.length - name.length);
  if (isPattern(folder)) return undefined;
  return folder === "" ? "." : unescaped(folder);
}

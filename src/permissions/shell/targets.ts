// What a program says it reads and writes, as places on the disk.
import { relative, resolve } from "node:path";
import type { State } from "./context.ts";
import type { Reads, Writes } from "./parts.ts";
import { folderOfAll, Places, type Files } from "./resolve.ts";
import { literal, textArg, type Arg, type Change, type Use } from "./types.ts";
import type { Sink } from "./word-scope.ts";
import { shownText } from "./word-text.ts";

/** Those of one text: what is looked at for all of its words together is bounded. */
export class Targets {
  #places: Places;
  #sink: Sink;
  #files: Files;

  constructor(files: Files, sink: Sink) {
    this.#files = files;
    this.#places = new Places(files);
    this.#sink = sink;
  }

  /** From here on nothing is known any more. */
  get exhausted(): boolean {
    return this.#places.exhausted;
  }

  /** `guess`: of a program that is not known. */
  reads({ arg, what, recursive = false, follows = false }: Use, { cwds, changed }: State, guess: boolean): Reads {
    // There may be links now that were not there.
    const places = follows && changed ? undefined : this.#places.of(arg, cwds);
    return { shown: shownText(arg), places, what, recursive, follows, guess, handed: false };
  }

  /** What would only be written into a folder, where there is none. */
  isNone({ onlyIn }: Change, { cwds, changed }: State): boolean {
    const [cwd, ...others] = cwds ?? [];
    const text = literal(onlyIn);
    if (text === undefined || text.endsWith("/") || cwd === undefined || others.length > 0 || changed) return false;
    return !this.#files.isFolder(resolve(cwd, text));
  }

  writes({ arg, how, recursive, some }: Change, { cwds }: State, redirect: boolean): Writes {
    // What is written to is each of the names, and where it leads.
    const folder = how === "remove" ? folderOfAll(arg) : undefined;
    const target = folder === undefined ? arg : textArg(folder);
    const places = this.#places.of(target, cwds);
    // It could be a removal nobody wants in any mode.
    if (!places && how === "remove" && this.#places.gaveUp) this.#sink.lost("which files it removes was not looked at");
    // Wherever it is now: this folder, or one above.
    const isLost = cwds === undefined && /^\.{0,2}(\/\.{0,2})*$/.test(literal(target) ?? "x");
    const unknown = arg.kind === "unknown" ? arg : undefined;
    const texts = unknown ? this.#couldBe(unknown, how === "remove", recursive === true) : [];
    return {
      ...(texts.length > 0 ? { maybe: texts.flatMap((text) => this.#places.of(textArg(text), cwds) ?? []) } : {}),
      ...(unknown?.outer && how === "remove" && recursive ? { outer: true } : {}),
      shown: shownText(arg),
      places,
      how,
      recursive: recursive === true,
      some: some === true,
      redirect,
      shape: isLost ? "rootless" : folder !== undefined ? "everything" : "path",
    };
  }

  #couldBe(arg: Extract<Arg, { kind: "unknown" }>, removes: boolean, recursive: boolean): readonly string[] {
    if (removes) return [...(arg.maybe ?? []), ...this.#whereBlank(arg, recursive)];
    // A name that is known, in a folder that is not.
    return /^[^/]*\/.*[^/]$/s.test(arg.end ?? "") ? [arg.end?.replace(/^[^/]*\/+/, "") ?? ""] : [];
  }

  /** What it removes where the variables in it are not set: `$x/*` is everything there is. */
  #whereBlank({ blank = "" }: Extract<Arg, { kind: "unknown" }>, recursive: boolean): string[] {
    const folder = folderOfAll({ kind: "glob", pattern: blank, start: "", single: false });
    if (folder !== undefined) return [folder];
    if (!recursive || blank === "") return [];
    // Of the folders at the root only those count that are there.
    const isNone = /^\/+[^/]+\/*$/.test(blank) && this.#files.look(blank.replace(/\/+$/, "")) === "missing";
    return isNone ? [] : [blank.replace(/\\(.)/gs, "$1")];
  }

  undashed(args: readonly Arg[], state: State): readonly Arg[] {
    return args.some(isGlob) && !state.changed && !state.moved ? args.map((arg) => this.#undashed(arg, state)) : args;
  }

  /** A pattern like `*.md` is no danger where no name that begins with a dash is there for it. */
  #undashed(arg: Arg, { cwds }: State): Arg {
    const [cwd, ...others] = cwds ?? [];
    if (arg.kind !== "glob" || arg.start !== "" || cwd === undefined || others.length > 0) return arg;
    if ([arg.pattern, ...(arg.or ?? [])].some((one) => one.startsWith("\\") || one.includes(".."))) return arg;
    const places = this.#places.of(arg, [cwd]);
    const isDashed = places?.some(({ given }) => relative(cwd, given).startsWith("-")) ?? true;
    if (isDashed) return arg;
    return {
      ...arg,
      pattern: `./${arg.pattern}`,
      start: "./",
      ...(arg.or ? { or: arg.or.map((one) => `./${one}`) } : {}),
    };
  }
}

// Made once: a function within one that runs for each command costs more than what it does.
const isGlob = ({ kind }: Arg) => kind === "glob";

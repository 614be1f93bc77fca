// What a program says it reads and writes, as places on the disk.
import { relative } from "node:path";
import type { State } from "./context.ts";
import type { Place, Reads, Writes } from "./parts.ts";
import { folderOfAll, Places, type Files } from "./resolve.ts";
import { literal, textArg, type Arg, type Change, type Use } from "./types.ts";
import type { Sink } from "./word-scope.ts";
import { shownText } from "./word-text.ts";

/** Those of one text: what is looked at for all of its words together is bounded. */
export class Targets {
  #places: Places;
  #sink: Sink;

  constructor(files: Files, sink: Sink) {
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

  writes({ arg, how, recursive, some }: Change, { cwds }: State, redirect: boolean): Writes {
    // What is written to is each of the names, and where it leads.
    const folder = how === "remove" ? folderOfAll(arg) : undefined;
    const target = folder === undefined ? arg : textArg(folder);
    const places = this.#places.of(target, cwds);
    // It could be a removal nobody wants in any mode.
    if (!places && how === "remove" && this.#places.gaveUp) this.#sink.lost("which files it removes was not looked at");
    const rootless = arg.kind === "unknown" && arg.start === "" && arg.end?.startsWith("/");
    // Wherever it is now: this folder, or one above.
    const isLost = cwds === undefined && /^\.{0,2}(\/\.{0,2})*$/.test(literal(target) ?? "x");
    const maybe = how === "remove" && arg.kind === "unknown" ? this.#couldBe(arg.maybe, cwds) : undefined;
    return {
      ...(maybe ? { maybe } : {}),
      shown: shownText(arg),
      places,
      how,
      recursive: recursive === true,
      some: some === true,
      redirect,
      shape: isLost || rootless ? "rootless" : folder !== undefined ? "everything" : "path",
    };
  }

  #couldBe(texts: readonly string[] | undefined, cwds: State["cwds"]): Place[] {
    return (texts ?? []).flatMap((text) => this.#places.of(textArg(text), cwds) ?? []);
  }

  undashed(args: readonly Arg[], state: State): readonly Arg[] {
    return args.some(isGlob) && !state.changed && !state.moved ? args.map((arg) => this.#undashed(arg, state)) : args;
  }

  /** A pattern like `*.md` is no danger where no name that begins with a dash is there for it. */
  #undashed(arg: Arg, { cwds }: State): Arg {
    const [cwd, ...others] = cwds ?? [];
    if (arg.kind !== "glob" || arg.start !== "" || cwd === undefined || others.length > 0) return arg;
    if (arg.pattern.startsWith("\\") || arg.pattern.includes("..")) return arg;
    const places = this.#places.of(arg, [cwd]);
    const isDashed = places?.some(({ given }) => relative(cwd, given).startsWith("-")) ?? true;
    return isDashed ? arg : { ...arg, pattern: `./${arg.pattern}`, start: "./" };
  }
}

// Made once: a function within one that runs for each command costs more than what it does.
const isGlob = ({ kind }: Arg) => kind === "glob";

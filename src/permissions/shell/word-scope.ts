// What the words of one command are read with, and what is found in them.
import type { ParsedScript } from "unbash";
import type { Context, Place } from "./context.ts";
import type { Names } from "./names.ts";
import type { Part } from "./parts.ts";
import type { Scope } from "./words.ts";

export type Sink = {
  add(part: Part): void;
  /** One that was added before. */
  again(part: Part): void;
  /** Something was not looked at. */
  lost(why: string): void;
  /** Something in the text as a whole is not harmless. */
  problem(why: string): void;
  script(script: ParsedScript | undefined, context: Context): void;
};

/** `depth`: of what stands in the words. Without a sink nothing is reported. */
type Reporting = { braces: { left: number }; sink: Sink | undefined; depth: number };

/** Where the words of one command stand, and what was found in them. One is made per command: methods of a class cost less than functions of its own. */
export class WordScope implements Scope {
  /** The first thing that is not harmless by itself. */
  found: string | undefined;
  /** There are commands in the words. */
  hasScript = false;
  readonly home: string;
  readonly cwd: string | undefined;
  readonly defined: Names;
  readonly values: Place["values"];
  readonly parameters: Context["parameters"];
  readonly braces: { left: number };
  readonly #place: Place;
  readonly #context: Context;
  readonly #depth: number;
  readonly #sink: Sink | undefined;

  constructor(place: Place, context: Context, { braces, sink, depth }: Reporting) {
    const { cwds, defined } = context.state;
    this.found = undefined;
    this.home = place.home;
    this.cwd = cwds?.length === 1 ? cwds[0] : undefined;
    this.defined = defined;
    this.values = place.values;
    this.parameters = context.parameters;
    this.braces = braces;
    this.#place = place;
    this.#context = context;
    this.#depth = depth;
    this.#sink = sink;
  }

  script(script: ParsedScript | undefined): void {
    if (!this.#sink) return;
    this.hasScript = true;
    // What comes in by a pipe may be read by another command before.
    this.#sink.script(script, { ...this.#context, feed: undefined, depth: this.#depth });
  }

  problem(why: string): void {
    if (this.#sink) this.found ??= why;
  }

  lost(why: string): void {
    this.#sink?.lost(why);
  }

  isHere(name: string): boolean {
    const { placed, cwds } = this.#context.state;
    return placed.get(name) === cwds;
  }

  quiet(): Scope {
    if (!this.#sink) return this;
    return new WordScope(this.#place, this.#context, { braces: this.braces, sink: undefined, depth: this.#depth });
  }
}

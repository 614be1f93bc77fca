// What the words of one command are read with, and what is found in them.
import type { ParsedScript } from "unbash";
import type { Context, Place } from "./context.ts";
import type { Names } from "./names.ts";
import type { Part } from "./parts.ts";
import type { Scope } from "./words.ts";

export type Sink = {
  add(part: Part): void;
  /** Something was not looked at. */
  lost(why: string): void;
  script(script: ParsedScript | undefined, context: Context): void;
};

/** What was found while words were read, to go into their part. */
export type Found = { problem?: string; script?: true };

type Where = { place: Place; braces: { left: number }; sink: Sink; context: Context; depth: number };

/** Where the words of one command stand. One is made per command: methods of a class cost less than functions of its own. */
export class WordScope implements Scope {
  readonly home: string;
  readonly cwd: string | undefined;
  readonly defined: Names;
  readonly values: Place["values"];
  readonly braces: { left: number };
  readonly #where: Where;
  readonly #found: Found | undefined;

  constructor(where: Where, found: Found | undefined) {
    const { place, context, braces } = where;
    const { cwds, defined } = context.state;
    this.home = place.home;
    this.cwd = cwds?.length === 1 ? cwds[0] : undefined;
    this.defined = defined;
    this.values = place.values;
    this.braces = braces;
    this.#where = where;
    this.#found = found;
  }

  script(script: ParsedScript | undefined): void {
    if (!this.#found) return;
    this.#found.script = true;
    const { sink, context, depth } = this.#where;
    sink.script(script, depth === context.depth ? context : { ...context, depth });
  }

  problem(why: string): void {
    if (this.#found) this.#found.problem ??= why;
  }

  lost(why: string): void {
    if (this.#found) this.#where.sink.lost(why);
  }

  quiet(): Scope {
    return this.#found ? new WordScope(this.#where, undefined) : this;
  }
}

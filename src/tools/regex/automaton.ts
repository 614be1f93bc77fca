// Runs a program in time linear in the text, whatever the pattern: a lazily built DFA finds where, threads find the span.
import type { Look } from "./ast.ts";
import type { Program } from "./program.ts";
import type { Groups } from "./sets.ts";

/** What stands beside a position. */
const other = 0;
const newline = 1;
const wordChar = 2;
const edge = 3;
type Beside = 0 | 1 | 2 | 3;

const maxCells = 1 << 20;

type DfaState = { threads: readonly number[]; before: Beside };

/** `bot` and `eot` hold at `first`/`last` only: the ends of `text` need not be the ends of the file. */
export type Haystack = { text: string; first: boolean; last: boolean };

export class Automaton {
  readonly #program: Program;
  readonly #groups: Groups;
  readonly #kinds: readonly Beside[];
  readonly #stride: number;
  readonly #maxStates: number;
  #states: DfaState[] = [];
  #ids = new Map<string, number>();
  /** Per state and group: 0 unknown, else 1 + 2 * next state + (a match ends before this character). */
  #table: Int32Array;
  readonly #mark: Int32Array;
  #stamp = 0;

  constructor(program: Program, groups: Groups) {
    this.#program = program;
    this.#groups = groups;
    this.#stride = groups.count + 1; // The last column is the end of the text.
    this.#maxStates = Math.max(16, Math.floor(maxCells / this.#stride));
    this.#kinds = groups.members.map((member) => (member[0] ? newline : member[1] ? wordChar : other));
    this.#table = new Int32Array(this.#stride * Math.min(64, this.#maxStates));
    this.#mark = new Int32Array(program.code.length);
  }

  /** The first position in `from`..`to` at which some match that starts at `from` or later ends; -1 for none. */
  firstEnd(hay: Haystack, from: number, to = hay.text.length): number {
    return this.#scan(hay, { from, to }, undefined);
  }

  /** The leftmost match within `from`..`to`, the one a backtracking matcher would choose. */
  find(hay: Haystack, from: number, to = hay.text.length): { start: number; end: number } | undefined {
    const quiet = { at: from };
    if (this.#scan(hay, { from, to }, quiet) < 0) return undefined;
    return this.#span(hay, quiet.at, to);
  }

  /** `quiet.at` becomes the last position before the match at which nothing had begun to match. */
  #scan(hay: Haystack, { from, to }: { from: number; to: number }, quiet: { at: number } | undefined): number {
    const { text } = hay;
    const { ascii, other: groupOf } = this.#groups;
    let state = this.#intern([], this.#besideBefore(hay, from));
    for (let i = from; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      let width = 1;
      let group: number;
      if (unit < 128) group = ascii[unit] ?? 0;
      else {
        const code = text.codePointAt(i) ?? 0;
        if (code > 0xffff) width = 2;
        group = groupOf(code);
      }
      const cell = this.#table[state * this.#stride + group] || this.#step(state, group);
      if ((cell - 1) & 1) return i;
      if (i >= to) return -1;
      state = (cell - 1) >> 1;
      i += width - 1;
      if (quiet && this.#states[state]?.threads.length === 0) quiet.at = i + 1;
    }
    if (!hay.last && text.length > 0) return -1;
    const cell = this.#table[state * this.#stride + this.#groups.count] || this.#step(state, this.#groups.count);
    return (cell - 1) & 1 ? text.length : -1;
  }

  #step(id: number, group: number): number {
    const state = this.#states[id];
    if (!state) throw new Error(`no state ${id}`);
    const after = this.#besideGroup(group);
    const closed = this.#close([...state.threads, this.#program.start], state.before, after);
    const matched = closed.some((at) => this.#program.code[at]?.op === "match");
    const next = matched ? [] : this.#consume(closed, group);
    const full = this.#states.length >= this.#maxStates;
    if (full) {
      this.#states = [];
      this.#ids.clear();
      this.#table.fill(0);
    }
    const cell =
      1 +
      2 *
        this.#intern(
          next.toSorted((a, b) => a - b),
          this.#program.looks ? after : other,
        ) +
      (matched ? 1 : 0);
    // After a reset the old state's row is gone; the caller goes on from the new one.
    if (!full) this.#table[id * this.#stride + group] = cell;
    return cell;
  }

  #intern(threads: readonly number[], before: Beside): number {
    const key = `${before}:${threads.join()}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#states.push({ threads, before }) - 1;
    this.#ids.set(key, id);
    if ((id + 1) * this.#stride > this.#table.length) {
      const larger = new Int32Array(Math.min(this.#table.length * 2, this.#stride * (this.#maxStates + 1)));
      larger.set(this.#table);
      this.#table = larger;
    }
    return id;
  }

  /** Follows everything that consumes no character; in order of preference, each instruction once. */
  #close(threads: readonly number[], before: Beside, after: Beside): number[] {
    const { code } = this.#program;
    const out: number[] = [];
    const stamp = ++this.#stamp;
    const stack = threads.toReversed();
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (this.#mark[at] === stamp) continue;
      this.#mark[at] = stamp;
      const instruction = code[at];
      if (instruction?.op === "split") stack.push(instruction.second, instruction.first);
      else if (instruction?.op === "look") {
        if (holds(instruction.look, before, after)) stack.push(instruction.next);
      } else out.push(at);
    }
    return out;
  }

  #consume(closed: readonly number[], group: number): number[] {
    const members = this.#groups.members[group];
    const next = new Set<number>();
    for (const at of closed) {
      const instruction = this.#program.code[at];
      if (instruction?.op === "set" && members?.[instruction.set]) next.add(instruction.next);
    }
    return [...next];
  }

  /** Follows each thread with the position it began at; the first to match, by preference, wins. */
  #span(hay: Haystack, from: number, to: number): { start: number; end: number } | undefined {
    const { text } = hay;
    let threads: { at: number; start: number }[] = [];
    let found: { start: number; end: number } | undefined;
    for (let i = from; i <= to;) {
      const code = text.codePointAt(i);
      const group = code === undefined ? this.#groups.count : this.#groupOf(code);
      if (!found) threads.push({ at: this.#program.start, start: i });
      if (threads.length === 0) break;
      const closed = this.#closeThreads(threads, this.#besideBefore(hay, i), this.#besideAfter(hay, i, group));
      const cut = closed.findIndex(({ at }) => this.#program.code[at]?.op === "match");
      const winner = closed[cut];
      if (winner) found = { start: winner.start, end: i };
      threads = this.#consumeThreads(winner ? closed.slice(0, cut) : closed, group);
      i += code !== undefined && code > 0xffff ? 2 : 1;
    }
    return found;
  }

  #closeThreads(threads: { at: number; start: number }[], before: Beside, after: Beside) {
    const { code } = this.#program;
    const out: { at: number; start: number }[] = [];
    const stamp = ++this.#stamp;
    const stack = threads.toReversed();
    for (let thread = stack.pop(); thread; thread = stack.pop()) {
      const { at, start } = thread;
      if (this.#mark[at] === stamp) continue;
      this.#mark[at] = stamp;
      const instruction = code[at];
      if (instruction?.op === "split") stack.push({ at: instruction.second, start }, { at: instruction.first, start });
      else if (instruction?.op === "look") {
        if (holds(instruction.look, before, after)) stack.push({ at: instruction.next, start });
      } else out.push(thread);
    }
    return out;
  }

  #consumeThreads(closed: { at: number; start: number }[], group: number) {
    const members = this.#groups.members[group];
    const out: { at: number; start: number }[] = [];
    for (const { at, start } of closed) {
      const instruction = this.#program.code[at];
      if (instruction?.op === "set" && members?.[instruction.set]) out.push({ at: instruction.next, start });
    }
    return out;
  }

  #groupOf(code: number): number {
    return code < 128 ? (this.#groups.ascii[code] ?? 0) : this.#groups.other(code);
  }

  #besideGroup(group: number): Beside {
    return this.#kinds[group] ?? edge;
  }

  #besideBefore(hay: Haystack, at: number): Beside {
    if (!this.#program.looks) return other;
    if (at === 0) return hay.first ? edge : newline;
    const low = hay.text.charCodeAt(at - 1);
    const pair = low >= 0xdc00 && low <= 0xdfff && at > 1 ? (hay.text.codePointAt(at - 2) ?? low) : low;
    return this.#besideGroup(this.#groupOf(pair > 0xffff ? pair : low));
  }

  #besideAfter(hay: Haystack, at: number, group: number): Beside {
    return at >= hay.text.length && !hay.last ? newline : this.#besideGroup(group);
  }
}

function holds(look: Look, before: Beside, after: Beside): boolean {
  switch (look) {
    case "bol":
      return before === newline || before === edge;
    case "eol":
      return after === newline || after === edge;
    case "bot":
      return before === edge;
    case "eot":
      return after === edge;
    case "word":
      return (before === wordChar) !== (after === wordChar);
    case "notWord":
      return (before === wordChar) === (after === wordChar);
    case "wordStart":
      return before !== wordChar && after === wordChar;
    case "wordEnd":
      return before === wordChar && after !== wordChar;
    default:
      return look satisfies never;
  }
}

// Which characters a node of the pattern matches, and the few groups of characters a pattern can tell apart.
import { wordClass } from "./classes.ts";

/** A set of characters: its members below 128 at once, all of them as sorted pairs of bounds on demand. */
export type CharSet = { ascii: readonly boolean[]; ranges(): readonly number[] };

/** The group of each character. Group 0: no set holds it, as for half a surrogate pair or a byte that is not UTF-8. */
export type Groups = {
  count: number;
  ascii: Uint8Array;
  /** The group of a character of 128 and above. */
  other(code: number): number;
  /** Per group: which sets hold it. */
  members: readonly (readonly boolean[])[];
};

export function charSet(code: number): CharSet {
  return { ascii: asciiMembers((c) => c === code), ranges: () => [code, code] };
}

/** `source`: a class in JavaScript's v-mode syntax, its characters above 127 written as `\u{...}`. */
export function classSet(source: string, fold: boolean): CharSet {
  const one = new RegExp(`^${source}$`, fold ? "vi" : "v");
  const test = (code: number) => one.test(String.fromCodePoint(code));
  let known: readonly number[] | undefined;
  const ranges = () => (source.includes("\\p") ? scanned(source, fold) : sampled(source, fold, test));
  return { ascii: asciiMembers(test), ranges: () => (known ??= ranges()) };
}

/** A letter and all others equal to it when case does not count: `k`, `K` and the Kelvin sign. */
export function foldedSet(code: number): CharSet {
  return classSet(`[\\u{${code.toString(16)}}]`, true);
}

export function wordSet(): CharSet {
  return classSet(wordClass, false);
}

export function withoutNewline(set: CharSet): CharSet {
  return {
    ascii: set.ascii.map((member, code) => member && code !== 10),
    ranges: () => {
      const out: number[] = [];
      const all = set.ranges();
      for (let i = 0; i < all.length; i += 2) {
        const [low, high] = [all[i] ?? 0, all[i + 1] ?? 0];
        if (low > 10 || high < 10) out.push(low, high);
        else {
          if (low < 10) out.push(low, 9);
          if (high > 10) out.push(11, high);
        }
      }
      return out;
    },
  };
}

function asciiMembers(test: (code: number) => boolean): boolean[] {
  return Array.from({ length: 128 }, (_, code) => test(code));
}

/** Every character, in blocks: one string of all of them would be 4 MB. Surrogates are in no set. */
function* blocks(): Generator<[first: number, text: string]> {
  const size = 4096;
  for (let first = 0; first < 0x110000; first += size) {
    if (first >= 0xd000 && first < 0xe000) {
      if (first === 0xd000) yield [first, span(first, 0xd800)];
      continue;
    }
    yield [first, span(first, first + size)];
  }
}

function span(from: number, to: number): string {
  return String.fromCodePoint(...Array.from({ length: to - from }, (_, index) => from + index));
}

// A thread lives for one search; within it the large Unicode tables are made once.
const tables = new Map<string, readonly number[]>();

/** Asks about every character: for classes that name Unicode properties. */
function scanned(source: string, fold: boolean): readonly number[] {
  const name = `${source} ${fold}`;
  const known = tables.get(name);
  if (known) return known;
  const out: number[] = [];
  const run = new RegExp(`${source}+`, fold ? "vgi" : "vg");
  for (const [first, text] of blocks()) {
    const width = first >= 0x10000 ? 2 : 1;
    for (const match of text.matchAll(run)) {
      const low = first + match.index / width;
      extend(out, low, low + match[0].length / width - 1);
    }
  }
  tables.set(name, out);
  return out;
}

/** Asks only where the answer can change: at the characters the class names and, without case, at all that have one. */
function sampled(source: string, fold: boolean, test: (code: number) => boolean): readonly number[] {
  const points = new Set(Array.from({ length: 129 }, (_, code) => code));
  const add = (low: number, high: number) => points.add(low).add(high + 1);
  for (const [, hex] of source.matchAll(/\\u\{([0-9a-f]+)\}/g))
    add(Number.parseInt(hex ?? "", 16), Number.parseInt(hex ?? "", 16));
  if (fold) {
    const cased = scanned("[\\p{Changes_When_Casemapped}\\p{Changes_When_Casefolded}]", false);
    for (let i = 0; i < cased.length; i += 2) {
      for (let code = cased[i] ?? 0; code <= (cased[i + 1] ?? 0); code++) add(code, code);
    }
  }
  add(0xd800, 0xdfff);
  const starts = [...points].filter((code) => code <= 0x10ffff).sort((a, b) => a - b);
  const out: number[] = [];
  starts.forEach((low, index) => {
    const half = low >= 0xd800 && low <= 0xdfff;
    if (!half && test(low)) extend(out, low, (starts[index + 1] ?? 0x110000) - 1);
  });
  return out;
}

function extend(ranges: number[], low: number, high: number): void {
  if (ranges.at(-1) === low - 1) ranges[ranges.length - 1] = high;
  else ranges.push(low, high);
}

/** Groups for text that is all ASCII: cheap, no Unicode table is built. */
export function asciiGroups(sets: readonly CharSet[]): Groups {
  const table = groupTable([sets.map(() => false)]);
  const ascii = new Uint8Array(128);
  for (let code = 0; code < 128; code++) ascii[code] = table.group(sets.map((set) => set.ascii[code] === true));
  return { count: table.members.length, ascii, other: () => 0, members: table.members };
}

/** Groups for any text. */
export function unicodeGroups(sets: readonly CharSet[]): Groups {
  const base = asciiGroups(sets);
  const table = groupTable(base.members);
  const ranges = sets.map((set) => set.ranges());
  const bounds = new Set<number>([128]);
  for (const list of ranges) {
    for (let i = 0; i < list.length; i += 2)
      bounds.add(Math.max(128, list[i] ?? 0)).add(Math.max(128, (list[i + 1] ?? 0) + 1));
  }
  const starts = Uint32Array.from(bounds).sort();
  const cursors = ranges.map(() => 0);
  const groups = new Uint16Array(starts.length);
  starts.forEach((start, index) => {
    const member = ranges.map((list, set) => {
      let at = cursors[set] ?? 0;
      while (at < list.length && (list[at + 1] ?? 0) < start) at += 2;
      cursors[set] = at;
      return at < list.length && (list[at] ?? 0) <= start;
    });
    groups[index] = table.group(member);
  });
  return { count: table.members.length, ascii: base.ascii, other: lookup(starts, groups), members: table.members };
}

function lookup(starts: Uint32Array, groups: Uint16Array): (code: number) => number {
  // Text repeats its characters: remember the groups of the basic plane, one above the group, 0 for unknown.
  const seen = new Uint16Array(0x10000);
  return (code) => {
    const before = code < 0x10000 ? (seen[code] ?? 0) : 0;
    if (before > 0) return before - 1;
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= code) low = middle;
      else high = middle - 1;
    }
    const group = groups[low] ?? 0;
    if (code < 0x10000) seen[code] = group + 1;
    return group;
  };
}

/** Numbers memberships in the order they come; 0 is membership in nothing. */
function groupTable(start: readonly (readonly boolean[])[]) {
  const members = [...start];
  const ids = new Map(members.map((member, id) => [key(member), id]));
  const group = (member: readonly boolean[]): number => {
    const id = ids.get(key(member));
    if (id !== undefined) return id;
    ids.set(key(member), members.length);
    return members.push(member) - 1;
  };
  return { members, group };
}

function key(member: readonly boolean[]): string {
  return member.map(Number).join("");
}

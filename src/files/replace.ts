// Finding and replacing text in a file's own bytes: whatever lies outside the match is never decoded nor rewritten.
import { hasCr, nextBreak, separator, unitSize } from "./breaks.ts";
import { decode, encode, type Doc } from "./encoding.ts";

/** Bytes `start` to `end` (exclusive) of the document. */
export type Match = { readonly start: number; readonly end: number };
export type Found = {
  /** In order, not overlapping. */
  readonly matches: readonly Match[];
  /** There is a single match, but another could be read beginning inside it. */
  readonly overlapping: boolean;
  /** Line breaks were matched whatever their kind. */
  readonly loose: boolean;
};

/**
 * All places of `old`. A bare LF in `old` stands for whatever break the file has there; explicit CRs are taken
 * literally first, then as breaks.
 */
export function findText(doc: Doc, old: string): Found {
  const needle = encode(old, doc.form.encoding);
  if (!needle || needle.length === 0) return NONE;
  const explicit = old.includes("\r");
  const loose = explicit || (old.includes("\n") && hasCr(doc));
  if (!loose || explicit) {
    const exact = search(doc.bytes, doc.form.bom, needle, unitSize(doc.form));
    if (exact.matches.length > 0 || !loose) return exact;
  }
  return findLoosely(doc, old);
}

/**
 * The document with `replacement` for each place found. Bare LFs in it become the breaks of the text it replaces;
 * CRs are written as given, unless those of `old` were only matched loosely.
 */
export function replaceText(doc: Doc, { matches, loose }: Found, old: string, replacement: string): Buffer {
  const pieces: Buffer[] = [];
  let from = 0;
  const explicit = old.includes("\r");
  const adapt = explicit ? loose : !replacement.includes("\r") && replacement.includes("\n") && hasCr(doc);
  const plain = encode(replacement, doc.form.encoding);
  for (const match of matches) {
    const bytes = adapt ? encode(adapted(doc, match, old, replacement), doc.form.encoding) : plain;
    if (!bytes) throw new Error("The replacement has characters the file's encoding lacks.");
    pieces.push(doc.bytes.subarray(from, match.start), bytes);
    from = match.end;
  }
  pieces.push(doc.bytes.subarray(from));
  return Buffer.concat(pieces);
}

const NONE: Found = { matches: [], overlapping: false, loose: false };

function search(bytes: Buffer, from: number, needle: Buffer, size: 1 | 2): Found {
  const matches: Match[] = [];
  for (let at = aligned(bytes, needle, from, size); at >= 0;) {
    matches.push({ start: at, end: at + needle.length });
    at = aligned(bytes, needle, at + needle.length, size);
  }
  const [first] = matches;
  const again = matches.length === 1 && first ? aligned(bytes, needle, first.start + size, size) : -1;
  return { matches, overlapping: again >= 0, loose: false };
}

/** The next occurrence that starts on a code unit. */
function aligned(bytes: Buffer, needle: Buffer, from: number, size: 1 | 2): number {
  let at = bytes.indexOf(needle, from);
  while (size === 2 && at >= 0 && (at & 1) === 1) at = bytes.indexOf(needle, at + 1);
  return at;
}

function findLoosely(doc: Doc, old: string): Found {
  const plain = normalised(doc);
  const needle = encode(old.replace(/\r\n?/g, "\n"), doc.form.encoding);
  if (!needle) return NONE;
  const found = search(plain.bytes, doc.form.bom, needle, unitSize(doc.form));
  const matches = found.matches.map(({ start, end }) => ({ start: plain.origin(start), end: plain.origin(end) }));
  return { matches, overlapping: found.overlapping, loose: true };
}

/** The bytes with every break as LF, and the way back: where a position in them was in the document. */
function normalised({ bytes, form }: Doc): { bytes: Buffer; origin(at: number): number } {
  const size = unitSize(form);
  const lf = encode("\n", form.encoding) ?? Buffer.of(10);
  const plain = Buffer.allocUnsafe(bytes.length);
  // Positions (in `plain`) of the LFs that were CR LF.
  const pairs: number[] = [];
  let used = 0;
  let from = 0;
  for (let cr = nextBreak(bytes, 0, form, 13); cr >= 0; cr = nextBreak(bytes, from, form, 13)) {
    used += bytes.copy(plain, used, from, cr);
    const paired = bytes.subarray(cr + size, cr + 2 * size).equals(lf);
    if (paired) pairs.push(used);
    used += lf.copy(plain, used);
    from = cr + (paired ? 2 : 1) * size;
  }
  used += bytes.copy(plain, used, from);
  const origin = (at: number) => at + countBelow(pairs, at) * size;
  return { bytes: plain.subarray(0, used), origin };
}

function countBelow(sorted: readonly number[], limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

const BREAK = /\r\n|\n|\r/g;

/**
 * `replacement` with the region's own breaks: lines that `old` and `replacement` share at the start and the end keep
 * the break they had, new lines take that of the line they follow.
 */
function adapted(doc: Doc, match: Match, old: string, replacement: string): string {
  const region = decode(doc.bytes.subarray(match.start, match.end), doc.form.encoding);
  const had = region.match(BREAK) ?? [];
  const oldLines = old.split(/\r\n|\n|\r/);
  const newLines = replacement.split(/\r\n|\n|\r/);
  const breaks = newLines.length - 1;
  let head = 0;
  while (head < Math.min(breaks, had.length) && oldLines[head] === newLines[head]) head++;
  let tail = 0;
  const room = Math.min(breaks, had.length) - head;
  while (tail < room && oldLines.at(-1 - tail) === newLines.at(-1 - tail)) tail++;
  const other = had[Math.min(head, had.length - 1)] ?? neighbouringBreak(doc, match);
  let text = newLines[0] ?? "";
  for (let i = 0; i < breaks; i++) {
    const kept = i < head ? had[i] : breaks - i <= tail ? had[had.length - (breaks - i)] : undefined;
    text += (kept ?? other) + (newLines[i + 1] ?? "");
  }
  return text;
}

/** The break that ends the line the match is in; for the last line, the one before it. */
function neighbouringBreak(doc: Doc, { start, end }: Match): string {
  const { bytes, form } = doc;
  const size = unitSize(form);
  const code = separator(bytes, form);
  const text = (from: number, to: number) => decode(bytes.subarray(Math.max(form.bom, from), to), form.encoding);
  const after = nextBreak(bytes, end, form, code);
  const before = after >= 0 ? after : lastBreak(doc, start, code);
  if (before < 0) return "\n";
  const pair = text(before - size, before + size);
  return pair === "\r\n" ? pair : pair.slice(-1);
}

function lastBreak({ bytes, form }: Doc, end: number, code: 10 | 13): number {
  let last = -1;
  const size = unitSize(form);
  for (let at = nextBreak(bytes, 0, form, code); at >= 0 && at < end; at = nextBreak(bytes, at + size, form, code)) {
    last = at;
  }
  return last;
}

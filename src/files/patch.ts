// What changed between two states of a file, as hunks for the eyes, and the lines around a change for the model.
import type { Hunk } from "../core/types.ts";
import { lineNumberAt, unitSize, widen } from "./breaks.ts";
import { decode, type Doc } from "./encoding.ts";
import { numbered } from "./lines.ts";

const CONTEXT = 3;
// More than anyone reads; and the line of stream-json it becomes a part of must stay below 1 MB.
const LIMIT = 256 * 1024;
/** Bytes of the hunks in that line: of short lines most is quotes and commas. */
const JSON_LIMIT = 400_000;

/** Undefined when the difference is too large to be worth showing; [] when there is none. */
export async function diffHunks(before: Doc, after: Doc): Promise<Hunk[] | undefined> {
  const span = changedSpan(before, after);
  if (!span) return [];
  const { old, fresh } = span;
  if (old.end - old.start > LIMIT || fresh.end - fresh.start > LIMIT) return undefined;
  const oldText = lineText(before, old.start, old.end);
  const newText = lineText(after, fresh.start, fresh.end);
  const { structuredPatch } = await import("diff");
  const options = { context: CONTEXT, timeout: 100 };
  const patch = structuredPatch("", "", oldText, newText, undefined, undefined, options);
  const shift = lineNumberAt(before, old.start) - 1;
  const hunks = (patch?.hunks ?? [wholeBlock(oldText, newText)]).map((hunk) => ({
    oldStart: hunk.oldStart + shift,
    oldLines: hunk.oldLines,
    newStart: hunk.newStart + shift,
    newLines: hunk.newLines,
    // The format's "\ No newline at end of file" is not a line of the file.
    lines: hunk.lines.filter((line) => !line.startsWith("\\")).map((line) => line.replace(/\r$/, "")),
  }));
  return Buffer.byteLength(JSON.stringify(hunks)) > JSON_LIMIT ? undefined : hunks;
}

/** The numbered lines around bytes `start` to `end`, at most `limit` of them; for the model to see what it made. */
export function snippet(doc: Doc, start: number, end: number, limit: number): string {
  const span = widen(doc, start, end, CONTEXT);
  // A line without end is cut twice: here, so that not much is decoded, and below, so that not much is shown.
  const stop = Math.min(span.end, span.start + LIMIT);
  const text = lineText(doc, span.start, stop);
  const lines = text.replace(/\r?\n$/, "").split(/\r?\n/);
  const shown = lines.slice(0, limit).map((line) => (line.length > 300 ? `${line.slice(0, 300)} [...]` : line));
  const more = lines.length > limit ? `\n[... ${lines.length - limit} more lines]` : "";
  return numbered(shown, lineNumberAt(doc, span.start)) + more;
}

type Span = { start: number; end: number };

/** The differing bytes, widened to whole lines with context. Undefined: no difference. */
function changedSpan(before: Doc, after: Doc): { old: Span; fresh: Span } | undefined {
  const a = before.bytes;
  const b = after.bytes;
  if (before.form.encoding !== after.form.encoding || before.form.bom !== after.form.bom) {
    return { old: { start: before.form.bom, end: a.length }, fresh: { start: after.form.bom, end: b.length } };
  }
  const size = unitSize(before.form);
  const head = aligned(commonPrefix(a, b), size);
  if (head === a.length && head === b.length) return undefined;
  const tail = aligned(commonSuffix(a, b, Math.min(a.length, b.length) - head), size);
  const start = Math.max(before.form.bom, head);
  // The same number of bytes before and after, so that both slices begin and end with the same context.
  const old = widen(before, start, a.length - tail, CONTEXT);
  const fresh = widen(after, start, b.length - tail, CONTEXT);
  const context = Math.max(a.length - old.end, 0);
  return { old, fresh: { start: old.start, end: Math.max(fresh.end, b.length - context) } };
}

function aligned(count: number, size: 1 | 2): number {
  return count - (count % size);
}

const BLOCK = 64 * 1024;

function commonPrefix(a: Buffer, b: Buffer): number {
  const most = Math.min(a.length, b.length);
  let at = 0;
  while (at + BLOCK <= most && a.compare(b, at, at + BLOCK, at, at + BLOCK) === 0) at += BLOCK;
  while (at < most && a[at] === b[at]) at++;
  return at;
}

function commonSuffix(a: Buffer, b: Buffer, most: number): number {
  let count = 0;
  while (count < most && a[a.length - 1 - count] === b[b.length - 1 - count]) count++;
  return count;
}

/** Decoded, with lone CRs as the line breaks they are. */
function lineText({ bytes, form }: Doc, start: number, end: number): string {
  return decode(bytes.subarray(start, end), form.encoding).replace(/\r(?!\n)/g, "\n");
}

function wholeBlock(oldText: string, newText: string): Hunk {
  const lines = (text: string) => (text === "" ? [] : text.replace(/\n$/, "").split("\n"));
  const [before, after] = [lines(oldText), lines(newText)];
  return {
    oldStart: before.length ? 1 : 0,
    oldLines: before.length,
    newStart: after.length ? 1 : 0,
    newLines: after.length,
    lines: [...before.map((line) => `-${line}`), ...after.map((line) => `+${line}`)],
  };
}

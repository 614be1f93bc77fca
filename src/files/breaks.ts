// Line breaks found in raw bytes, so that nothing has to be decoded to count lines or cut a piece out.
import type { Doc, TextForm } from "./encoding.ts";

const LF = 10;
const CR = 13;

/** Bytes per code unit. */
export function unitSize(form: TextForm): 1 | 2 {
  return form.encoding === "utf-16le" || form.encoding === "utf-16be" ? 2 : 1;
}

/** Where the next LF (or `code`) unit starts at or after `from`, or -1. `bytes` start on a unit. */
export function nextBreak(bytes: Buffer, from: number, form: TextForm, code: number = LF): number {
  if (unitSize(form) === 1) return bytes.indexOf(code, from);
  const low = form.encoding === "utf-16le" ? 0 : 1;
  for (let at = bytes.indexOf(code, from); at >= 0; at = bytes.indexOf(code, at + 1)) {
    if ((at & 1) === low && bytes[at ^ 1] === 0) return at & ~1;
  }
  return -1;
}

/** Where the last LF unit before `end` starts, or -1. */
export function previousBreak({ bytes, form }: Doc, end: number): number {
  const low = form.encoding === "utf-16be" ? 1 : 0;
  for (let at = end - 1; at >= 0; at--) {
    at = bytes.lastIndexOf(LF, at);
    if (at < 0) return -1;
    if (unitSize(form) === 1) return at;
    if ((at & 1) === low && bytes[at ^ 1] === 0) return at & ~1;
  }
  return -1;
}

export function hasCr({ bytes, form }: Doc): boolean {
  return nextBreak(bytes, 0, form, CR) >= 0;
}

/** The unit that ends lines: CR only in files that have no LF at all (the old Mac way). */
export function separator(bytes: Buffer, form: TextForm): 10 | 13 {
  return nextBreak(bytes, 0, form) < 0 && nextBreak(bytes, 0, form, CR) >= 0 ? CR : LF;
}

/** 1-based number of the line that holds byte `at`, as Read numbers lines. */
export function lineNumberAt({ bytes, form }: Doc, at: number): number {
  const code = separator(bytes, form);
  const size = unitSize(form);
  let line = 1;
  for (let i = nextBreak(bytes, 0, form, code); i >= 0 && i < at; i = nextBreak(bytes, i + size, form, code)) line++;
  return line;
}

/** Bytes of the lines from `context` lines before `start` to `context` lines after `end`. */
export function widen(doc: Doc, start: number, end: number, context: number): { start: number; end: number } {
  const size = unitSize(doc.form);
  let from = start;
  for (let i = 0; i <= context && from > doc.form.bom; i++) {
    const at = previousBreak(doc, i === 0 ? from : from - size);
    from = at < 0 ? doc.form.bom : at + size;
  }
  let to = end;
  for (let i = 0; i <= context && to < doc.bytes.length; i++) {
    const at = nextBreak(doc.bytes, to, doc.form);
    to = at < 0 ? doc.bytes.length : at + size;
  }
  return { start: from, end: to };
}

// Turns hits into the lines that are shown: numbers, context, gaps, paging and the cutting of long lines.
import { maxLineChars, type GrepJob, type GrepReply } from "./grep-job.ts";

/** A line to show, `end` before its break. `column`: where its first match begins. */
export type Hit = { start: number; end: number; column: number };

export type Page = { job: GrepJob; reply: GrepReply; seen: number; chars: number };

export type LineWriter = {
  /** A piece in which nothing can match. */
  skip(bytes: Buffer): void;
  /** Hits of one piece come in order; `end` may be some lines on. */
  write(text: string, hit: Hit): void;
  /** One match by itself. */
  writeMatch(text: string, span: { start: number; end: number }): void;
  /** The piece is done; the next one follows. */
  finish(text: string): void;
};

type Place = { at: number; line: number };
type Writer = {
  page: Page;
  file: number;
  /** The first line of the piece. */
  base: number;
  /** A line at or before the next hit. */
  cursor: Place;
  /** The last line shown, and the place behind it. */
  shown: number;
  next: Place;
  /** Lines of context still owed after the last hit. */
  owed: number;
  /** The last lines of the piece before, for context. */
  tail: { line: number; text: string }[];
};

export function lineWriter(page: Page, file: number): LineWriter {
  const start = { at: 0, line: 1 };
  const writer: Writer = { page, file, base: 1, cursor: start, shown: 0, next: start, owed: 0, tail: [] };
  return {
    skip: (bytes) => {
      for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) writer.base++;
      begin(writer);
    },
    write: (text, hit) => write(writer, text, hit),
    writeMatch: (text, span) => writeMatch(writer, text, span),
    finish: (text) => finish(writer, text),
  };
}

export function lineStart(text: string, at: number): number {
  return at === 0 ? 0 : text.lastIndexOf("\n", at - 1) + 1;
}

export function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

function begin(writer: Writer): void {
  writer.cursor = { at: 0, line: writer.base };
  writer.next = writer.cursor;
}

function write(writer: Writer, text: string, hit: Hit): void {
  const place = advance(writer, text, lineStart(text, hit.start));
  payOwed(writer, text, place.line);
  contextBefore(writer, text, place);
  const last = lineEnd(text, Math.max(hit.start, hit.end - 1));
  for (let { at, line } = place; ; line++) {
    const end = lineEnd(text, at);
    if (line > writer.shown) emit(writer, { line, isMatch: true, text: text.slice(at, end), column: hit.column - at });
    writer.next = { at: end + 1, line: line + 1 };
    if (end >= last) break;
    at = end + 1;
  }
  writer.owed = writer.page.job.after;
}

function writeMatch(writer: Writer, text: string, span: { start: number; end: number }): void {
  const { line } = advance(writer, text, lineStart(text, span.start));
  const parts = text.slice(span.start, span.end).split("\n");
  // A match that ends with a line break has nothing on the line behind it.
  if (parts.length > 1 && parts.at(-1) === "") parts.pop();
  parts.forEach((part, index) => {
    if (part !== "") emit(writer, { line: line + index, isMatch: true, text: part, column: 0 });
  });
}

/** The line that starts at `at`. */
function advance(writer: Writer, text: string, at: number): Place {
  let { line } = writer.cursor;
  for (let i = text.indexOf("\n", writer.cursor.at); i >= 0 && i < at; i = text.indexOf("\n", i + 1)) line++;
  writer.cursor = { at, line };
  return writer.cursor;
}

/** Context after the last hit, up to the line `before`. */
function payOwed(writer: Writer, text: string, before: number): void {
  while (writer.owed > 0 && writer.next.line < before && writer.next.at < text.length) {
    const { at, line } = writer.next;
    const end = lineEnd(text, at);
    emit(writer, { line, isMatch: false, text: text.slice(at, end), column: 0 });
    writer.next = { at: end + 1, line: line + 1 };
    writer.owed--;
  }
}

function contextBefore(writer: Writer, text: string, place: Place): void {
  const first = Math.max(writer.shown + 1, place.line - writer.page.job.before);
  const starts: number[] = [];
  for (let { at, line } = place; line > first && at > 0; line--) {
    at = lineStart(text, at - 1);
    starts.unshift(at);
  }
  const known = place.line - starts.length;
  for (const { line, text: old } of writer.tail) {
    if (line >= first && line < known) emit(writer, { line, isMatch: false, text: old, column: 0 });
  }
  starts.forEach((at, index) => {
    emit(writer, { line: known + index, isMatch: false, text: text.slice(at, lineEnd(text, at)), column: 0 });
  });
}

function finish(writer: Writer, text: string): void {
  payOwed(writer, text, Infinity);
  const { before } = writer.page.job;
  const whole = text.endsWith("\n") ? text.length : lineStart(text, text.length);
  const end = advance(writer, text, whole);
  if (before > 0) {
    const tail: { line: number; text: string }[] = [];
    for (let { at, line } = end; at > 0 && tail.length < before;) {
      at = lineStart(text, at - 1);
      tail.unshift({ line: --line, text: cutLine(text.slice(at, lineEnd(text, at)), 0) });
    }
    writer.tail = [...writer.tail, ...tail].slice(-before);
  }
  writer.base = end.line;
  begin(writer);
}

function emit(writer: Writer, found: { line: number; isMatch: boolean; text: string; column: number }): void {
  const { page, file } = writer;
  const { job, reply } = page;
  const gap = (job.before > 0 || job.after > 0) && writer.shown > 0 && found.line > writer.shown + 1;
  writer.shown = found.line;
  if (reply.more || page.seen++ < job.offset) return;
  const text = cutLine(found.text, found.column);
  page.chars += text.length;
  if (reply.lines.length >= job.limit || (page.chars > job.maxChars && reply.lines.length > 0)) reply.more = true;
  else reply.lines.push({ file, line: found.line, isMatch: found.isMatch, gap, text });
}

/** At most maxLineChars characters around `column`, saying how many are missing. */
function cutLine(line: string, column: number): string {
  const end = line.endsWith("\r") ? line.length - 1 : line.length;
  if (end <= maxLineChars) return line.slice(0, end).toWellFormed();
  const from = column < maxLineChars - 100 ? 0 : Math.min(column - 100, end - maxLineChars);
  const to = from + maxLineChars;
  const before = from > 0 ? `[${from} characters cut] ` : "";
  const after = to < end ? ` [${end - to} characters cut]` : "";
  return before + line.slice(from, to).toWellFormed() + after;
}

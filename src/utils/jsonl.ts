// Lines and JSON lines of a byte stream, without node's streams.
import { isUtf8 } from "node:buffer";

/** Lines without their ends; the last one also when it has none. UTF-8 split anywhere is fine. */
export async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  const parts: string[] = [];
  for await (const chunk of stream) {
    const text = decoder.decode(chunk, { stream: true });
    let from = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", from)) {
      parts.push(text.slice(from, end));
      yield parts.splice(0).join("").replace(/\r$/, "");
      from = end + 1;
    }
    // Parts are joined once per line: a line of many megabytes must not be copied for every chunk.
    if (from < text.length) parts.push(text.slice(from));
  }
  parts.push(decoder.decode());
  const last = parts.join("");
  if (last !== "") yield last;
}

export type Fields = Record<string, unknown>;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value's fields, or none when it is no object. */
export function asFields(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** The object a line holds, or undefined when it holds none. */
export function parseLine(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined; // torn or foreign: the caller says so
  }
}

export type JsonlEnd = {
  /** Lines that hold no JSON value. */
  bad: number;
  /** Bytes up to the end of the last line that has an end. */
  whole: number;
  /** What follows them: nothing, a value that only lacks its newline, or the torn piece of one. */
  tail: "none" | "open" | "torn";
};

const NEWLINE = 10;
const NO_BYTES = new Uint8Array(0);

/**
 * Hands every JSON value of a file to `take`, in order, without keeping the text. A line that is no JSON is skipped and
 * counted; NUL bytes (a file system's filling after a power loss) are looked through. Throws when it cannot be read.
 */
export async function readJsonl(stream: AsyncIterable<Uint8Array>, take: (value: unknown) => void): Promise<JsonlEnd> {
  const end: JsonlEnd = { bad: 0, whole: 0, tail: "none" };
  // The pieces of a line of many megabytes are joined once, not with every chunk.
  let pieces: Uint8Array[] = [];
  for await (const chunk of stream) {
    const last = chunk.lastIndexOf(NEWLINE);
    if (last >= 0) {
      const lines = joined([...pieces, chunk.subarray(0, last + 1)]);
      end.bad += takeLines(lines, take);
      end.whole += lines.length;
      pieces = [];
    }
    // Copied: a stream may use its buffer again.
    if (last + 1 < chunk.length) pieces.push(chunk.slice(last + 1));
  }
  const rest = joined(pieces);
  if (rest.length === 0) return end;
  const value = lineValue(rest);
  const complete = typeof value === "object" && value !== null;
  if (complete) take(value);
  return { ...end, tail: complete ? "open" : "torn" };
}

function joined(pieces: Uint8Array[]): Uint8Array {
  return pieces.length === 1 ? (pieces[0] ?? NO_BYTES) : Buffer.concat(pieces);
}

/** Whole lines. The parser stops at the first bad one: it is looked at alone, then the parser goes on behind it. */
function takeLines(lines: Uint8Array, take: (value: unknown) => void): number {
  // Bun 1.4.5 counts `read` in the repaired text when bytes are no UTF-8: it then points anywhere, even past the end.
  const countable = isUtf8(lines);
  let bad = 0;
  for (let at = 0; at < lines.length;) {
    const { values, read } = countable ? Bun.JSONL.parseChunk(lines, at, lines.length) : { values: [], read: at };
    for (const value of values) take(value);
    const from = skipSpace(lines, read);
    if (from >= lines.length) break;
    const newline = lines.indexOf(NEWLINE, from);
    const stop = newline < 0 ? lines.length : newline;
    const value = lineValue(lines.subarray(from, stop));
    if (value === undefined) bad++;
    else if (value !== null) take(value);
    at = stop + 1;
  }
  return bad;
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && [9, NEWLINE, 13, 32].includes(bytes[at] ?? 0)) at++;
  return at;
}

/** Null: nothing but space and NUL bytes; undefined: no JSON. */
function lineValue(bytes: Uint8Array): unknown {
  const text = new TextDecoder().decode(bytes).replaceAll("\0", "").trim();
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // counted by the caller
  }
}

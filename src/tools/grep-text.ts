// Reads a file as text piece by piece, in bounded memory whatever its size, encoding or line lengths.
import { isAscii, isUtf8 } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { maxWholeFile } from "./grep-job.ts";

/**
 * Whole lines, except that a line of more than 16 MB comes in parts. `first`, `last`: it begins or ends the file.
 * `text` undefined: the required bytes are not in it, only its `breaks` count.
 */
export type Piece = { first: boolean; last: boolean } & (
  { text: string; ascii: boolean } | { text: undefined; bytes: Buffer }
);

export type ReadOptions = {
  /** The whole file in one piece. */
  whole: boolean;
  /** A piece without these bytes is not decoded. */
  required: Buffer | undefined;
};

/** What is not searched, and why. */
export class NotSearched extends Error {
  readonly reason: "binary" | "tooLarge" | "notFile";
  constructor(reason: NotSearched["reason"]) {
    super(reason);
    this.reason = reason;
  }
}

/** Reused from file to file: a piece's `bytes` are good until the next piece is asked for. */
export type Pool = { buffer: Buffer };

const pieceSize = 1 << 20;
const maxLine = 16 << 20;
const sniffed = 8192;

export function newPool(): Pool {
  return { buffer: Buffer.allocUnsafeSlow(pieceSize) };
}

/** Throws NotSearched, or what the system says. */
export function* readPieces(path: string, pool: Pool, options: ReadOptions): Generator<Piece> {
  // Without O_NONBLOCK a pipe that has taken the file's place since it was listed would block for ever.
  const fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    if (!fstatSync(fd).isFile()) throw new NotSearched("notFile");
    const { filled, ended } = fill(fd, pool.buffer, 0);
    const head = pool.buffer.subarray(0, filled);
    const wide = wideEncoding(head);
    if (!wide && head.subarray(0, sniffed).includes(0)) throw new NotSearched("binary");
    if (wide || options.whole) {
      const bytes = ended ? head : readRest(fd, head);
      if (bytes.length === 0) return;
      if (wide) yield { text: new TextDecoder(wide).decode(bytes), ascii: false, first: true, last: true };
      else yield toPiece(stripMark(bytes), { first: true, last: true }, options.required);
    } else yield* split(fd, pool, { filled, ended }, options.required);
  } finally {
    closeSync(fd);
    if (pool.buffer.length > pieceSize) pool.buffer = Buffer.allocUnsafeSlow(pieceSize);
  }
}

type Fill = { filled: number; ended: boolean };

function* split(fd: number, pool: Pool, start: Fill, required: Buffer | undefined): Generator<Piece> {
  let { filled, ended } = start;
  let first = true;
  while (!ended) {
    const cut = cutAt(pool.buffer);
    if (cut === 0) {
      pool.buffer = Buffer.concat([pool.buffer], pool.buffer.length * 2);
    } else {
      const bytes = pool.buffer.subarray(0, cut);
      yield toPiece(first ? stripMark(bytes) : bytes, { first, last: false }, required);
      first = false;
      pool.buffer.copyWithin(0, cut, filled);
      filled -= cut;
    }
    ({ filled, ended } = fill(fd, pool.buffer, filled));
  }
  const bytes = pool.buffer.subarray(0, filled);
  if (filled > 0) yield toPiece(first ? stripMark(bytes) : bytes, { first, last: true }, required);
}

/** Reads until the buffer is full or the file ends. */
function fill(fd: number, buffer: Buffer, from: number): Fill {
  let filled = from;
  while (filled < buffer.length) {
    const count = readSync(fd, buffer, filled, buffer.length - filled, null);
    if (count === 0) return { filled, ended: true };
    filled += count;
  }
  return { filled, ended: false };
}

function readRest(fd: number, head: Buffer): Buffer {
  const parts = [Buffer.from(head)];
  let total = head.length;
  for (;;) {
    const part = Buffer.allocUnsafe(pieceSize * 4);
    const { filled, ended } = fill(fd, part, 0);
    total += filled;
    if (total > maxWholeFile) throw new NotSearched("tooLarge");
    parts.push(part.subarray(0, filled));
    if (ended) return Buffer.concat(parts, total);
  }
}

/** Behind the last line break; 0: the line goes on and may still grow. Never inside a character. */
function cutAt(buffer: Buffer): number {
  const lineEnd = buffer.lastIndexOf(10) + 1;
  if (lineEnd > 0 || buffer.length < maxLine) return lineEnd;
  let cut = buffer.length;
  while (cut > buffer.length - 4 && ((buffer[cut - 1] ?? 0) & 0xc0) === 0x80) cut--;
  return (buffer[cut - 1] ?? 0) >= 0xc0 ? cut - 1 : buffer.length;
}

function wideEncoding(head: Buffer): "utf-16le" | "utf-16be" | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  return head[0] === 0xfe && head[1] === 0xff ? "utf-16be" : undefined;
}

function stripMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

function toPiece(bytes: Buffer, where: { first: boolean; last: boolean }, required: Buffer | undefined): Piece {
  if (required && !bytes.includes(required)) return { ...where, text: undefined, bytes };
  if (isAscii(bytes)) return { ...where, text: bytes.toString("latin1"), ascii: true };
  return { ...where, text: isUtf8(bytes) ? bytes.toString("utf8") : decodeBroken(bytes), ascii: false };
}

/** A byte that is no UTF-8 becomes half a surrogate pair (U+DC80 and up), which no pattern matches. */
function decodeBroken(bytes: Buffer): string {
  const out: string[] = [];
  let good = 0;
  for (let i = 0; i < bytes.length;) {
    const length = sequenceLength(bytes, i);
    if (length > 0) {
      i += length;
      continue;
    }
    out.push(bytes.toString("utf8", good, i), String.fromCharCode(0xdc00 + (bytes[i] ?? 0)));
    good = ++i;
  }
  out.push(bytes.toString("utf8", good));
  return out.join("");
}

/** Bytes of the well-formed character at `at`, or 0. */
function sequenceLength(bytes: Buffer, at: number): number {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return 1;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || at + length > bytes.length) return 0;
  return isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}

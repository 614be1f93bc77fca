// Reads a file as text piece by piece, in bounded memory whatever its size, encoding or line lengths.
import { isAscii, isUtf8 } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { maxWholeFile } from "./grep-job.ts";

/** Some whole lines; `ascii`: every character is below 128. `first`, `last`: the piece begins or ends the file. */
export type Piece = { text: string; ascii: boolean; first: boolean; last: boolean };

/** Thrown for what is not searched; the reason is for the caller to sort. */
export class NotSearched extends Error {
  readonly reason: "binary" | "tooLarge" | "notFile";
  constructor(reason: NotSearched["reason"]) {
    super(reason);
    this.reason = reason;
  }
}

const pieceSize = 1 << 20;
/** A longer line is searched in parts. */
const maxLine = 16 << 20;
const sniffed = 8192;

export type TextReader = {
  /** `required`: bytes without which a piece is not worth decoding; such a piece has `text` undefined. */
  pieces(path: string, options: ReadOptions): Generator<Piece | SkippedPiece>;
};
export type ReadOptions = { whole: boolean; required: Buffer | undefined };
/** A piece without the required bytes: only its line breaks count, and it is `last` or not. */
export type SkippedPiece = { text: undefined; bytes: Buffer };

/** One reader reuses one buffer: a piece's `bytes` are good until the next piece is asked for. */
export function textReader(): TextReader {
  const pool = { buffer: Buffer.allocUnsafeSlow(pieceSize) };
  return {
    *pieces(path, options) {
      // Without O_NONBLOCK a pipe that replaced the file since it was listed would block for ever.
      const fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
      try {
        yield* readPieces(fd, pool, options);
      } finally {
        closeSync(fd);
        if (pool.buffer.length > pieceSize) pool.buffer = Buffer.allocUnsafeSlow(pieceSize);
      }
    },
  };
}

function* readPieces(fd: number, pool: { buffer: Buffer }, options: ReadOptions): Generator<Piece | SkippedPiece> {
  const stats = fstatSync(fd);
  if (!stats.isFile()) throw new NotSearched("notFile");
  let { filled, ended } = fill(fd, pool.buffer, 0);
  const head = pool.buffer.subarray(0, filled);
  const encoding = wideEncoding(head);
  if (!encoding && head.subarray(0, sniffed).includes(0)) throw new NotSearched("binary");
  if (encoding || options.whole) {
    const bytes = ended ? head : readWhole(fd, head);
    const text = encoding ? new TextDecoder(encoding).decode(bytes) : undefined;
    if (text !== undefined) yield { text, ascii: false, first: true, last: true };
    else yield piece(stripMark(bytes), { first: true, last: true, required: options.required });
    return;
  }
  for (let first = true; ; first = false) {
    if (ended) {
      const bytes = first ? stripMark(pool.buffer.subarray(0, filled)) : pool.buffer.subarray(0, filled);
      if (bytes.length > 0) yield piece(bytes, { first, last: true, required: options.required });
      return;
    }
    const cut = cutAt(pool.buffer);
    if (cut === 0) {
      pool.buffer = Buffer.concat([pool.buffer], pool.buffer.length * 2);
      first = false || first;
    } else {
      const bytes = pool.buffer.subarray(0, cut);
      yield piece(first ? stripMark(bytes) : bytes, { first, last: false, required: options.required });
      pool.buffer.copyWithin(0, cut, filled);
      filled -= cut;
    }
    ({ filled, ended } = fill(fd, pool.buffer, filled));
  }
}

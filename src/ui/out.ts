// Writing to the terminal or a pipe without node's streams (they cost 11 ms at start).
import { fstatSync, writeSync } from "node:fs";
import { isatty } from "node:tty";

/** A file descriptor that takes whole texts. Survives a slow pipe; a closed one ends the run through `onClosed`. */
export type Out = { write(text: string): void; readonly isTerminal: boolean };

const RETRY_MS = 2;

export function fdOut(fd: number, onClosed: () => void): Out {
  const state = { closed: false };
  return {
    isTerminal: isatty(fd),
    write(text) {
      if (state.closed || text === "") return;
      if (writeAll(fd, Buffer.from(text, "utf8"))) return;
      state.closed = true;
      onClosed();
    },
  };
}

/** False when nobody reads any more. */
function writeAll(fd: number, bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      // A pipe set to non-blocking by whoever shares it: wait until there is room.
      if (codeOf(error) !== "EAGAIN") return false;
      Bun.sleepSync(RETRY_MS);
    }
  }
  return true;
}

/** Whether standard input has something to give: a pipe or a file, not a terminal and not /dev/null. */
export function stdinIsPiped(): boolean {
  try {
    const stat = fstatSync(0);
    return stat.isFIFO() || stat.isFile() || stat.isSocket();
  } catch {
    return false; // closed
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

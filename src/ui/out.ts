// Writing to the terminal or a pipe without node's streams (they cost 11 ms at start).
import { fstatSync, writeSync } from "node:fs";

/**
 * A file descriptor that takes whole texts. They are written together a moment later (one write per piece of a stream
 * would double its cost); `flush` writes at once. Survives a slow pipe; a closed one ends the run through `onClosed`.
 */
export type Out = { write(text: string): void; flush(): void; readonly isTerminal: boolean };

const RETRY_MS = 2;
const MAX_HELD_CHARS = 64 * 1024;

export function fdOut(fd: number, { isTerminal, onClosed }: { isTerminal: boolean; onClosed(): void }): Out {
  const state = { closed: false, held: [] as string[], chars: 0 };
  const flush = () => {
    if (state.held.length === 0) return;
    const text = state.held.join("");
    state.held = [];
    state.chars = 0;
    if (state.closed || writeAll(fd, Buffer.from(text, "utf8"))) return;
    state.closed = true;
    onClosed();
  };
  return {
    isTerminal,
    flush,
    write(text) {
      if (state.closed || text === "") return;
      if (state.held.length === 0) setImmediate(flush);
      state.held.push(text);
      state.chars += text.length;
      if (state.chars > MAX_HELD_CHARS) flush();
    },
  };
}

/** Asks node:tty only where the answer can be yes: loading it takes over a millisecond. */
export async function isTerminal(fd: number): Promise<boolean> {
  try {
    if (!fstatSync(fd).isCharacterDevice()) return false;
  } catch {
    return false; // closed
  }
  return (await import("node:tty")).isatty(fd);
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

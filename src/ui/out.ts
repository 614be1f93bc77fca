// Writing to the terminal or a pipe without node's streams (they cost 11 ms at start).
import { fstatSync, write } from "node:fs";

/**
 * A file descriptor that takes whole texts, in order, without ever holding up the program: a reader that is slow, or
 * does not read at all, must not keep signals and stdin from being served. A closed one ends the run through `onClosed`.
 */
export type Out = {
  write(text: string): void;
  /** Resolves when everything is written, or nobody reads any more. */
  drained(): Promise<void>;
  readonly isTerminal: boolean;
};

const RETRY_MS = 2;

export function fdOut(fd: number, { isTerminal, onClosed }: { isTerminal: boolean; onClosed(): void }): Out {
  const state = { closed: false, held: [] as string[] };
  const idle = { flushing: undefined as Promise<void> | undefined };
  const take = () => {
    const bytes = Buffer.from(state.held.join(""), "utf8");
    state.held = [];
    return bytes;
  };
  const flush = async () => {
    // A moment later: the pieces of a stream that arrive together are written together.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (state.held.length > 0 && !state.closed) {
      if (await writeAll(fd, take())) continue;
      state.closed = true;
      onClosed();
    }
    idle.flushing = undefined;
  };
  return {
    isTerminal,
    drained: async () => idle.flushing,
    write(text) {
      if (state.closed || text === "") return;
      state.held.push(text);
      idle.flushing ??= flush();
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

/** Of the terminal on standard output, now; undefined without one. The first time it loads node's streams. */
export function terminalColumns(): number | undefined {
  return process.stdout.columns;
}

/** False when nobody reads any more. One write at a time, on another thread: it may block there as long as it likes. */
async function writeAll(fd: number, bytes: Buffer): Promise<boolean> {
  for (let at = 0; at < bytes.length;) {
    const { error, written } = await new Promise<{ error: unknown; written: number }>((resolve) =>
      write(fd, bytes, at, bytes.length - at, null, (error, written) => resolve({ error, written })),
    );
    if (!error) at += written;
    // A pipe set to non-blocking by whoever shares it: wait until there is room.
    else if (codeOf(error) === "EAGAIN") await Bun.sleep(RETRY_MS);
    else return false;
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

// A file as chunks, for files too large to hold.
import type { FileHandle } from "node:fs/promises";

const CHUNK = 1024 * 1024;
const PATIENCE_MS = 30_000;

/** From byte `from` to the end in chunks of an even size (the last may be odd); stops when aborted, gives up when slow. */
export async function* readStream(
  handle: FileHandle,
  from: number,
  signal: AbortSignal,
  now: () => number = performance.now.bind(performance),
): AsyncGenerator<Buffer> {
  const deadline = now() + PATIENCE_MS;
  for (let position = from; ;) {
    // A fresh buffer each time: the page keeps pieces of it.
    const chunk = Buffer.allocUnsafe(CHUNK);
    let used = 0;
    while (used < CHUNK) {
      signal.throwIfAborted();
      const { bytesRead } = await handle.read(chunk, used, CHUNK - used, position + used);
      if (bytesRead === 0) break;
      used += bytesRead;
    }
    if (used > 0) yield chunk.subarray(0, used);
    if (used < CHUNK) return;
    position += used;
    if (now() > deadline) {
      throw new Error(
        "It takes too long to get to that line. Use Bash: `tail -n`, `sed -n` or `tail -c` with a byte range.",
      );
    }
  }
}

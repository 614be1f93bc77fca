// Opening what the model names without ever hanging on it: only regular files are opened, and never blocking.
import { constants, type BigIntStats } from "node:fs";
import { open, realpath, stat, type FileHandle } from "node:fs/promises";
import { fsProblem } from "./fserror.ts";

/** Files up to this size are read whole and known by their content; larger ones by their stat. */
export const WHOLE_LIMIT = 8 * 1024 * 1024;

export type PathKind =
  "file" | "folder" | "a named pipe (FIFO)" | "a socket" | "a character device" | "a block device" | "no regular file";

/** Which state of a file was seen. `hash` only up to WHOLE_LIMIT. */
export type Version = { readonly stamp: string; readonly hash: bigint | undefined };

/** A file's bytes and the state they were read in. `path` is the real path. */
export type Loaded = { readonly path: string; readonly bytes: Buffer; readonly stat: BigIntStats };

export function kindOf(info: BigIntStats): PathKind {
  if (info.isFile()) return "file";
  if (info.isDirectory()) return "folder";
  if (info.isFIFO()) return "a named pipe (FIFO)";
  if (info.isSocket()) return "a socket";
  if (info.isCharacterDevice()) return "a character device";
  return info.isBlockDevice() ? "a block device" : "no regular file";
}

/** Changes with every write, rename over, chmod or replacement of the file. */
export function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}

export function versionOf(info: BigIntStats, bytes: Buffer | undefined): Version {
  const hash = bytes && bytes.length <= WHOLE_LIMIT ? BigInt(Bun.hash(bytes)) : undefined;
  return { stamp: stampOf(info), hash };
}

/** By content where both were hashed, else by stat. */
export function sameVersion(a: Version, b: Version): boolean {
  return a.hash !== undefined && b.hash !== undefined ? a.hash === b.hash : a.stamp === b.stamp;
}

/** Opens a regular file for reading; the caller closes the handle. Throws with text for the model. */
export async function openRegular(path: string): Promise<{ handle: FileHandle; path: string; stat: BigIntStats }> {
  try {
    const real = await realpath(path);
    // Looked at before opening: merely opening some devices does something.
    refuseOdd(path, kindOf(await stat(real, { bigint: true })));
    const handle = await open(real, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0));
    try {
      const info = await handle.stat({ bigint: true });
      refuseOdd(path, kindOf(info));
      return { handle, path: real, stat: info };
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    throw fsProblem(error, path, "read");
  }
}

/** The whole file; throws when it is larger than `limit` bytes or will not hold still. */
export async function loadFile(path: string, limit: number, signal: AbortSignal): Promise<Loaded> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const opened = await openRegular(path);
    try {
      if (opened.stat.size > BigInt(limit)) {
        throw new Error(`${path} is ${bytesText(Number(opened.stat.size))}; the limit here is ${bytesText(limit)}.`);
      }
      const bytes = await readUpTo(opened.handle, limit + 1, signal);
      if (bytes.length > limit) throw new Error(`${path} is larger than ${bytesText(limit)}, the limit here.`);
      const after = await opened.handle.stat({ bigint: true });
      if (stampOf(after) === stampOf(opened.stat)) return { path: opened.path, bytes, stat: after };
    } catch (error) {
      throw fsProblem(error, path, "read");
    } finally {
      await opened.handle.close();
    }
  }
  throw new Error(`${path} is being written to all the time. Try again when whatever writes it is done.`);
}

/** Reads from the start until the end or `limit` bytes. Sizes are not believed: files in /proc say 0. */
export async function readUpTo(handle: FileHandle, limit: number, signal: AbortSignal): Promise<Buffer> {
  const size = Number((await handle.stat()).size);
  let buffer = Buffer.allocUnsafe(Math.min(limit, Math.max(size + 1, 16 * 1024)));
  let used = 0;
  for (;;) {
    signal.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, used, Math.min(buffer.length - used, 4 << 20), used);
    used += bytesRead;
    if (bytesRead === 0 || used === limit) return buffer.subarray(0, used);
    if (used < buffer.length) continue;
    const larger = Buffer.allocUnsafe(Math.min(limit, buffer.length * 2));
    buffer.copy(larger);
    buffer = larger;
  }
}

/** "812 bytes", "3.4 MB". */
export function bytesText(count: number): string {
  if (count < 1000) return count === 1 ? "1 byte" : `${count} bytes`;
  const units = ["kB", "MB", "GB", "TB", "PB"];
  let value = count / 1000;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

function refuseOdd(path: string, kind: PathKind): void {
  if (kind === "file") return;
  if (kind === "folder") throw new Error(`${path} is a folder, not a file. List it with Glob or \`ls\`.`);
  throw new Error(
    `${path} is ${kind}, not a regular file: reading it could block for ever. Use Bash with \`timeout\` if you need it.`,
  );
}

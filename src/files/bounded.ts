// Small texts from the disk: what a path leads to, and at most so many bytes of it. Never blocks on what is no file.
import { isUtf8 } from "node:buffer";
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { decode, detectForm } from "./encoding.ts";

export type Found =
  | { kind: "missing" }
  | { kind: "file"; real: string; id: string; uid: number }
  /** `at`: what the reason is about, the path or the folder that may not be looked into. */
  | { kind: "refused"; why: string; at: string; isFolder?: true };

/** `bytes`: on the disk. `lines`, `cut`: of what was taken. */
export type Taken = { text: string; bytes: number; cut: boolean };

const CODES: Record<string, string> = {
  EACCES: "it may not be read (permission denied)",
  EPERM: "it may not be read (permission denied)",
  ELOOP: "its links lead in a circle",
  ENAMETOOLONG: "its name is too long",
};
/** A cut falls on the end of a line when one is this near, in bytes. */
const NEAR = 4096;
/** A NUL in the first so many bytes: no text, unless the bytes are UTF-16. */
const BINARY_WINDOW = 8 * 1024;

/** Follows links; opens nothing. */
export function find(path: string): Found {
  try {
    if (!lstatSync(path, { throwIfNoEntry: false })) return { kind: "missing" };
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG") return { kind: "missing" };
    return refused(error, code === "EACCES" ? dirname(path) : path);
  }
  try {
    const stat = statSync(path, { bigint: true });
    if (stat.isDirectory()) return { kind: "refused", why: "it is a folder", at: path, isFolder: true };
    if (!stat.isFile()) return { kind: "refused", why: "it is not a regular file", at: path };
    const real = realpathSync.native(path);
    // Some systems know no inodes.
    const id = stat.ino === 0n ? real : `${stat.dev}:${stat.ino}`;
    return { kind: "file", real, id, uid: Number(stat.uid) };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return { kind: "refused", why: "it is a link that leads nowhere", at: path };
    return refused(error, path);
  }
}

/** Why nothing in a folder can be reached; undefined when it can, or is not there. */
export function closedFolder(folder: string): string | undefined {
  try {
    lstatSync(`${folder}/.`, { throwIfNoEntry: false });
    return undefined;
  } catch (error) {
    return reason(error);
  }
}

/** The text of a regular file, its first `limit` bytes at most; why not, when it cannot be had. `real`: no link. */
export function take(real: string, limit: number): Taken | { why: string } {
  try {
    // It may have been exchanged since it was found: no link is followed now, and nothing waits for a writer.
    const { O_RDONLY, O_NONBLOCK = 0, O_NOFOLLOW = 0, O_NOCTTY = 0 } = constants;
    const fd = openSync(real, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) return { why: "it is not a regular file" };
      const bytes = head(fd, limit + 1, stat.size);
      const cut = bytes.length > limit;
      const text = textFrom(cut ? lineEnd(bytes.subarray(0, limit)) : bytes, cut);
      return text === undefined
        ? { why: "it is a binary file" }
        : { text, bytes: Math.max(stat.size, bytes.length), cut };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    return { why: reason(error) };
  }
}

/** Why something failed, for a person. */
export function reason(error: unknown): string {
  const code = codeOf(error);
  return CODES[code] ?? `it cannot be read (${code})`;
}

/** Sizes are not believed: files in /proc say 0. */
function head(fd: number, limit: number, size: number): Buffer {
  let buffer = Buffer.allocUnsafe(Math.min(limit, size + 1));
  let used = 0;
  for (;;) {
    const got = readSync(fd, buffer, used, buffer.length - used, null);
    used += got;
    if (got === 0 || used === limit) return buffer.subarray(0, used);
    if (used < buffer.length) continue;
    const larger = Buffer.allocUnsafe(Math.min(limit, buffer.length * 2 + 4096));
    buffer.copy(larger);
    buffer = larger;
  }
}

function lineEnd(bytes: Buffer): Buffer {
  const end = bytes.lastIndexOf(10);
  return end > bytes.length - NEAR ? bytes.subarray(0, end + 1) : bytes;
}

/** "\n" at every line end; a NUL no API takes. Undefined for what is no text. */
export function textFrom(bytes: Buffer, cut = false): string | undefined {
  const text = decoded(bytes, cut)?.replaceAll("\0", "");
  return text?.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
}

function decoded(bytes: Buffer, cut: boolean): string | undefined {
  // What nearly every file is, without what a closer look costs at the start of a process.
  const isPlain = isUtf8(bytes) && !bytes.subarray(0, BINARY_WINDOW).includes(0);
  if (isPlain) return bytes.toString("utf8").replace(/^\ufeff/, "");
  const form = detectForm(bytes, { cut });
  return form && decode(bytes.subarray(form.bom), form.encoding, { cut });
}

function refused(error: unknown, at: string): Found {
  return { kind: "refused", why: reason(error), at };
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

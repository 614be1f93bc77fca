// The few file operations a record is made of: private files, whole writes, a copy that appears at once.
import { fchmodSync, fstatSync, ftruncateSync, linkSync, openSync, renameSync, rmSync, writeSync } from "node:fs";

/** For the owner only, also when it was there before with wider rights. Throws the file system's error. */
export function openPrivate(path: string, flags: string): number {
  const fd = openSync(path, flags, 0o600);
  try {
    if ((fstatSync(fd).mode & 0o077) !== 0) fchmodSync(fd, 0o600);
  } catch {
    // Not ours, or a file system without rights: it can be written, and that is what was asked.
  }
  return fd;
}

/** A piece of a line was written and could not be taken back; `cause` says what went wrong. */
export class TornWrite extends Error {
  override readonly name = "TornWrite";
}

/** Appends all of it; on an error the file is as it was before, or it throws TornWrite. */
export function appendWhole(fd: number, bytes: Uint8Array): void {
  const done = { bytes: 0 };
  try {
    while (done.bytes < bytes.length) done.bytes += writeSync(fd, bytes, done.bytes);
  } catch (error) {
    if (done.bytes > 0 && !takeBack(fd, done.bytes)) throw new TornWrite(reasonOf(error), { cause: error });
    throw error;
  }
}

function takeBack(fd: number, bytes: number): boolean {
  try {
    ftruncateSync(fd, fstatSync(fd).size - bytes);
    return true;
  } catch {
    return false; // the caller starts a new line
  }
}

/** A link fails when the name was taken meanwhile, a rename would replace it; not every file system has links. */
export function putInPlace(from: string, to: string): void {
  try {
    linkSync(from, to);
    rmSync(from, { force: true });
  } catch (error) {
    if (codeOf(error) === "EEXIST") throw error;
    renameSync(from, to);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file would be larger than the system allows",
  EROFS: "the file system is read-only",
  EACCES: "permission denied",
  EPERM: "the system does not permit it",
  ENOTDIR: "a part of the path is a file",
  EEXIST: "a file is where a folder should be",
  EISDIR: "a folder is where a file should be",
  EIO: "the disk reported an error",
};

/** Why it failed, for a person. */
export function reasonOf(error: unknown): string {
  return REASONS[codeOf(error)] ?? (error instanceof Error ? error.message : String(error));
}

export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

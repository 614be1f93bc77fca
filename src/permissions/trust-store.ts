// The record of what the person trusts: one small file, private, replaced whole, changed by one process at a time.
import { linkSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { asFields, isFields } from "../utils/jsonl.ts";
import { realPath } from "../utils/paths.ts";

/** Folder (real path) to the digests of the items that may act there. */
export type Trusted = Map<string, string[]>;
/** `damaged` says what is wrong with the file: then nothing is trusted. */
export type TrustRecord = { folders: Trusted; damaged?: string };

const VERSION = 1;
const DIGEST = /^[0-9a-f]{64}$/;
/** A change takes about a millisecond; a lock older than this was left by a process that died. */
const STALE_MS = 5_000;
const ATTEMPTS = 800;
const PAUSE_MS = 10;

/** A file that is not there trusts nothing. Throws nothing. */
export function readTrust(path: string): TrustRecord {
  try {
    return parseRecord(readFileSync(path, "utf8"));
  } catch (error) {
    const code = codeOf(error);
    return { folders: new Map(), ...(code === "ENOENT" ? {} : { damaged: code }) };
  }
}

function parseRecord(text: string): TrustRecord {
  const folders: Trusted = new Map();
  const damaged = (what: string) => ({ folders: new Map(), damaged: what });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return damaged("it is not JSON");
  }
  const { version, folders: found } = asFields(value);
  if (version !== VERSION || !isFields(found)) return damaged("it has an unknown form");
  for (const [folder, entry] of Object.entries(found)) {
    const { items } = asFields(entry);
    if (!Array.isArray(items) || !items.every((item) => typeof item === "string" && DIGEST.test(item))) {
      return damaged("it has an unknown form");
    }
    folders.set(folder, items);
  }
  return { folders };
}

/**
 * Reads, changes and replaces the record while no other process does. A damaged file is kept beside it, as
 * `trust.json.damaged`. Throws the file system's error, and an Error when the lock is never free.
 */
export function changeTrust(path: string, change: (folders: Trusted) => void): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const unlock = lock(`${path}.lock`);
  try {
    const { folders, damaged } = readTrust(path);
    if (damaged !== undefined) renameSync(path, `${path}.damaged`);
    change(folders);
    replace(path, folders);
  } finally {
    unlock();
  }
}

function replace(path: string, folders: Trusted): void {
  const sorted = [...folders].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const entries = sorted.map(([folder, items]) => [folder, { items: [...new Set(items)].toSorted() }]);
  const text = `${JSON.stringify({ version: VERSION, folders: Object.fromEntries(entries) }, null, 2)}\n`;
  const target = realPath(path);
  const temporary = `${target}.${crypto.randomUUID()}.tmp`;
  try {
    writeFileSync(temporary, text, { flag: "wx", mode: 0o600, flush: true });
    renameSync(temporary, target);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Returns what gives it back. */
function lock(path: string): () => void {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      writeFileSync(path, String(process.pid), { flag: "wx", mode: 0o600 });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
    if (!breakStale(path)) Bun.sleepSync(PAUSE_MS);
  }
  throw new Error(`${path} is held by another process. If none is running, remove it`);
}

/** Moves a stale lock away. If it was replaced by a fresh one in between, that one is put back. */
function breakStale(path: string): boolean {
  const seen = lstatSync(path, { throwIfNoEntry: false });
  if (!seen || Date.now() - seen.mtimeMs < STALE_MS) return false;
  const aside = `${path}.${crypto.randomUUID()}`;
  try {
    renameSync(path, aside);
    if (lstatSync(aside).ino !== seen.ino) linkSync(aside, path);
  } catch {
    return false; // another process was faster
  } finally {
    rmSync(aside, { force: true });
  }
  return true;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

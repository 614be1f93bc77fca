// One writer per session: a lock file with the process that holds it. A lock whose process is gone is broken.
import { closeSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { UsageError } from "../core/errors.ts";

const BREAKING_MS = 10_000;

/** Gives back the lock. */
export type Release = () => void;

/** Throws UsageError when a living process holds it. */
export function acquire(path: string, sessionId: string): Release {
  const lock = `${path}.lock`;
  const mine = JSON.stringify({ pid: process.pid, started: startOf(process.pid) });
  if (create(lock, mine)) return () => release(lock, mine);
  const holder = livingHolder(lock);
  if (holder === undefined && breakStale(lock, mine)) return () => release(lock, mine);
  const who = livingHolder(lock) ?? holder ?? "another process";
  throw new UsageError(
    `Session ${sessionId} is in use by process ${who}. End it there, or go on in a copy: --resume ${sessionId} --fork-session`,
  );
}

function create(lock: string, content: string): boolean {
  try {
    const fd = openSync(lock, "wx", 0o600);
    writeSync(fd, content);
    closeSync(fd);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Of several processes that find the same stale lock exactly one takes it: breaking is itself done under a lock. */
function breakStale(lock: string, mine: string): boolean {
  const breaking = `${lock}.break`;
  if (olderThan(breaking, BREAKING_MS)) rmSync(breaking, { force: true });
  if (!create(breaking, mine)) return false;
  try {
    if (livingHolder(lock) !== undefined) return false;
    rmSync(lock, { force: true });
    return create(lock, mine);
  } finally {
    rmSync(breaking, { force: true });
  }
}

function release(lock: string, mine: string): void {
  if (readText(lock) === mine) rmSync(lock, { force: true });
}

/** The pid that holds the lock, or undefined when it is gone (or its number now belongs to someone else). */
function livingHolder(lock: string): number | undefined {
  const text = readText(lock);
  if (text === undefined) return undefined;
  const match = /"pid":(\d+),"started":"([^"]*)"/.exec(text);
  // Just created and not yet written, or torn by a crash: only its age can tell.
  if (!match) return olderThan(lock, BREAKING_MS) ? undefined : -1;
  const pid = Number(match[1]);
  return isAlive(pid) && startOf(pid) === match[2] ? pid : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** When a process began, in the kernel's ticks; "" where that cannot be asked. */
function startOf(pid: number): string {
  const stat = readText(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // not there
  }
}

function olderThan(path: string, ms: number): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs > ms;
}

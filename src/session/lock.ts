// One writer per session: a lock file that names the process. A lock whose process is gone is broken, by one only.
import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname, uptime } from "node:os";
import { UsageError } from "../core/errors.ts";
import { codeOf } from "./disk.ts";

/** Gives back the lock. */
export type Release = () => void;

type Holder = { pid: number; started: string; boot: string; host: string; key: string };

/** Breaking a stale lock takes microseconds; a guard older than this was left by a process killed in between. */
const GUARD_MS = 5_000;
const NO_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];
const ATTEMPTS = 50;
const PAUSE_MS = 10;
/** A lock of another machine (a shared home): only its age tells, counted from the record's last change. */
const FOREIGN_MS = 5 * 60_000;

/**
 * Locks `path` for this process, in `path.lock`. Throws UsageError when a living process holds it, and the file
 * system's error when no lock can be made there.
 */
export function acquire(path: string, sessionId: string): Release {
  const lock = `${path}.lock`;
  const mine = JSON.stringify(thisProcess());
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (create(lock, mine)) return () => release(lock, mine);
    const holder = livingHolder(path, lock);
    if (holder) throw inUse(sessionId, holder, lock);
    if (breakStale(path, lock, mine)) return () => release(lock, mine);
    // Another process is breaking it: it will hold the lock in a moment.
    Bun.sleepSync(PAUSE_MS);
  }
  throw new UsageError(`Session ${sessionId} is locked. If no other program uses it, remove ${lock}`);
}

function inUse(sessionId: string, { pid, host }: Holder, lock: string): UsageError {
  const far = `process ${pid} on ${host} (if that is gone, remove ${lock})`;
  const near = pid > 0 ? `process ${pid}` : "another process";
  const who = host === hostname() ? near : far;
  return new UsageError(
    `Session ${sessionId} is in use by ${who}. End it there, or go on in a copy: --resume ${sessionId} --fork-session`,
  );
}

/** The lock appears with its content in one step: an empty one could not be told from one left by a crash. */
function create(lock: string, content: string): boolean {
  const temporary = `${lock}.${process.pid}.${crypto.randomUUID().slice(0, 8)}`;
  try {
    writeFileSync(temporary, content, { flag: "wx", mode: 0o600 });
    return link(temporary, lock) ?? exclusive(lock, content);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Undefined: this file system has no links. */
function link(from: string, to: string): boolean | undefined {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    if (NO_LINKS.includes(codeOf(error))) return undefined;
    throw error;
  }
}

function exclusive(path: string, content: string): boolean {
  try {
    writeFileSync(path, content, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    // Made but not filled, on a full disk: it would lock everyone out.
    rmSync(path, { force: true });
    throw error;
  }
}

/** Only one process at a time looks again and replaces it, so nobody removes the lock another has just made. */
function breakStale(path: string, lock: string, mine: string): boolean {
  const guard = `${lock}.break`;
  const age = ageOf(guard);
  if (age > GUARD_MS && age < Infinity) rmSync(guard, { force: true });
  if (!create(guard, mine)) return false;
  try {
    if (livingHolder(path, lock)) return false;
    rmSync(lock, { force: true });
    return create(lock, mine);
  } finally {
    rmSync(guard, { force: true });
  }
}

function release(lock: string, mine: string): void {
  try {
    if (readText(lock) === mine) rmSync(lock, { force: true });
  } catch {
    // The folder is gone or read-only: this process ends, and with it the lock's meaning.
  }
}

function livingHolder(path: string, lock: string): Holder | undefined {
  const text = readText(lock);
  if (text === undefined) return undefined;
  const holder = parseHolder(text);
  if (!holder) {
    // Not written yet (a file system without links), or damaged: only its age can tell.
    return ageOf(lock) < GUARD_MS ? { pid: 0, started: "", boot: "", host: hostname(), key: "" } : undefined;
  }
  if (holder.host !== hostname()) return Math.min(ageOf(lock), ageOf(path)) < FOREIGN_MS ? holder : undefined;
  return lives(holder, lock) ? holder : undefined;
}

function lives(holder: Holder, lock: string): boolean {
  if (holder.boot !== bootId() || !isAlive(holder.pid)) return false;
  const started = startOf(holder.pid);
  // Elsewhere than on Linux only a restart of the machine can be seen.
  return started === "" ? ageOf(lock) < uptime() * 1000 + 60_000 : started === holder.started;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

function thisProcess(): Holder {
  return {
    pid: process.pid,
    started: startOf(process.pid),
    boot: bootId(),
    host: hostname(),
    key: crypto.randomUUID(),
  };
}

/** When a process began, in the kernel's ticks since its start; "gone" for one that only waits to be reaped; "" where that cannot be asked. */
function startOf(pid: number): string {
  const stat = readText(`/proc/${pid}/stat`);
  // The name in parentheses may hold anything, also spaces and parentheses.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields?.[0] === "Z" || fields?.[0] === "X" ? "gone" : (fields?.[19] ?? "");
}

function bootId(): string {
  return readText("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const { pid, started, boot, host, key } = value as Record<string, unknown>;
    if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
    return { pid, started: String(started), boot: String(boot), host: String(host), key: String(key) };
  } catch {
    return undefined; // the caller goes by its age
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // not there
  }
}

/** ms since it last changed; Infinity when it is not there. */
function ageOf(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat ? Date.now() - stat.mtimeMs : Infinity;
}

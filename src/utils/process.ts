// Child processes: end a whole process tree, and run a short helper program that cannot hang us.
import { readdirSync, readFileSync } from "node:fs";

export type KillOptions = {
  /** How long SIGTERM may take before SIGKILL; 0 kills at once. */
  graceMs?: number;
};

export type QuickOptions = {
  cwd: string;
  env: Record<string, string>;
  /** The whole tree is killed after this many milliseconds. */
  timeoutMs: number;
  signal?: AbortSignal;
  /** Per stream; the tree is killed when one grows beyond it. Default 16 MiB. */
  maxBytes?: number;
};

export type QuickResult = {
  /** Exit code; 128 + n after signal n. */
  code: number;
  stdout: string;
  stderr: string;
  /** Why we ended it, if we did; the streams then hold what came until then. */
  ended?: "timeout" | "aborted" | "overflow";
};

type ProcessFacts = { pid: number; parent: number; group: number; session: number; started: string; zombie: boolean };

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;
const KILL_GRACE_MS = 2_000;
const QUICK_KILL_GRACE_MS = 100;
/** After the program's end, how long a grandchild that kept its pipe may hold us. */
const DRAIN_MS = 100;
const SIGNAL_NUMBERS: Record<string, number> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
};

/** Shells of ours that run now; what must not outlive us. */
const running = new Set<number>();

/** Remembers a tree until its first process has ended. */
export function trackTree(child: Bun.Subprocess): void {
  running.add(child.pid);
  void child.exited.finally(() => running.delete(child.pid));
}

/** On the way out of the process: at once, synchronous. */
export function killTrackedNow(): void {
  for (const pid of running) killTreeNow(pid);
}

/**
 * Ends the process `pid`, its process group and session, and (Linux) its descendants that left both.
 * `pid` must have been started with `detached: true`. SIGTERM first, SIGKILL for what is left after the grace.
 * Resolves when nothing of it is alive or the SIGKILLs have been sent. Never throws.
 */
export async function killTree(pid: number, { graceMs = KILL_GRACE_MS }: KillOptions = {}): Promise<void> {
  if (process.platform === "win32") return killTreeNow(pid);
  const known = new Map<number, string>();
  if (graceMs > 0) {
    remember(known, pid);
    signalTree(pid, known, "SIGTERM");
    if (await isGone(pid, known, graceMs)) return;
  }
  remember(known, pid);
  signalTree(pid, known, "SIGKILL");
}

/** The same without grace and without waiting: for the way out of the program. */
export function killTreeNow(pid: number): void {
  if (process.platform === "win32") {
    Bun.spawnSync(["taskkill", "/pid", String(pid), "/T", "/F"], { stdout: "ignore", stderr: "ignore" });
    return;
  }
  const known = new Map<number, string>();
  remember(known, pid);
  signalTree(pid, known, "SIGKILL");
}

/** True while something of the process group that `pid` led still runs (a zombie does not count where /proc tells). */
export function isGroupAlive(pid: number): boolean {
  if (process.platform === "win32" || !send(-pid, 0)) return false;
  const all = listProcesses();
  return all === undefined || all.some((one) => one.group === pid && !one.zombie);
}

/** The number a shell would report for this end of a process. */
export function exitCodeOf(code: number | null, signal: string | number | null): number {
  if (code !== null) return code;
  return 128 + (typeof signal === "number" ? signal : (SIGNAL_NUMBERS[signal ?? ""] ?? 0));
}

/**
 * Runs a program to its end with stdin closed, in its own process group, and returns what it wrote (as UTF-8).
 * It cannot hang: time, size and abort each kill the whole tree, and a grandchild that keeps a pipe open is not
 * waited for. Throws only when the program cannot be started; the error's `code` is then ENOENT, EACCES, ...
 */
export async function runQuick(argv: string[], options: QuickOptions): Promise<QuickResult> {
  const { cwd, env, timeoutMs, signal, maxBytes = DEFAULT_MAX_BYTES } = options;
  if (signal?.aborted) return { code: 130, stdout: "", stderr: "", ended: "aborted" };
  const child = Bun.spawn(argv, { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "pipe", detached: true });
  const stop = Promise.withResolvers<QuickResult["ended"]>();
  const timer = setTimeout(() => stop.resolve("timeout"), timeoutMs);
  const onAbort = () => stop.resolve("aborted");
  signal?.addEventListener("abort", onAbort, { once: true });
  const onOverflow = () => stop.resolve("overflow");
  const out = collect(child.stdout, maxBytes, onOverflow);
  const err = collect(child.stderr, maxBytes, onOverflow);
  try {
    const ended = await Promise.race([child.exited.then(() => undefined), stop.promise]);
    if (ended) await killTree(child.pid, { graceMs: QUICK_KILL_GRACE_MS });
    // A reader stopped by its size limit is finished too, so look at the limit after the pipes have been read.
    await settle([out.done, err.done, child.exited], DRAIN_MS);
    const overflow = out.isFull() || err.isFull();
    const result = { code: exitCodeOf(child.exitCode, child.signalCode), stdout: out.text(), stderr: err.text() };
    const why = ended ?? (overflow ? ("overflow" as const) : undefined);
    return why ? { ...result, ended: why } : result;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    out.cancel();
    err.cancel();
  }
}

function collect(stream: ReadableStream<Uint8Array>, maxBytes: number, onFull: () => void) {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  const seen = { bytes: 0 };
  const read = async () => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const room = maxBytes - seen.bytes;
      seen.bytes += value.length;
      chunks.push(value.length > room ? value.subarray(0, room) : value);
      if (seen.bytes > maxBytes) return onFull();
    }
  };
  return {
    done: read().catch(() => undefined), // a cancelled reader: what came so far stands
    isFull: () => seen.bytes > maxBytes,
    text: () => new TextDecoder().decode(Buffer.concat(chunks)),
    cancel: () => void reader.cancel().catch(() => undefined), // already closed
  };
}

async function settle(work: Promise<unknown>[], limitMs: number): Promise<void> {
  const limit = Promise.withResolvers<void>();
  const timer = setTimeout(limit.resolve, limitMs);
  await Promise.race([Promise.all(work), limit.promise]);
  clearTimeout(timer);
}

/** Adds what is now part of the tree, with start times: a number that is used again is another process. */
function remember(known: Map<number, string>, root: number): void {
  const all = (listProcesses() ?? []).filter((one) => !one.zombie);
  const members = new Set<number>(known.keys());
  const belongs = (one: ProcessFacts) =>
    one.pid === root || one.session === root || one.group === root || members.has(one.parent);
  for (let before = -1; before !== members.size;) {
    before = members.size;
    for (const one of all) {
      if (members.has(one.pid) || !belongs(one)) continue;
      members.add(one.pid);
      known.set(one.pid, one.started);
    }
  }
}

function signalTree(root: number, known: Map<number, string>, signal: NodeJS.Signals): void {
  send(-root, signal);
  if (known.size === 0) return void send(root, signal);
  for (const [pid, started] of known) {
    const now = readFacts(pid);
    // Members of the root's group already have the signal; twice would run their handlers twice.
    if (now && now.started === started && now.group !== root) send(pid, signal);
  }
}

async function isGone(root: number, known: Map<number, string>, limitMs: number): Promise<boolean> {
  const until = performance.now() + limitMs;
  for (let pause = 2; ; pause = Math.min(pause * 2, 50)) {
    if (!isAnyAlive(root, known)) return true;
    const left = until - performance.now();
    if (left <= 0) return false;
    await Bun.sleep(Math.min(pause, left));
  }
}

function isAnyAlive(root: number, known: Map<number, string>): boolean {
  if (isGroupAlive(root)) return true;
  return [...known].some(([pid, started]) => {
    const now = readFacts(pid);
    return now !== undefined && now.started === started && !now.zombie;
  });
}

function send(target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(target, signal);
  } catch (error) {
    // ESRCH: already gone. EPERM: it runs, but as somebody else (sudo); we may not end it.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Undefined where there is no /proc. */
function listProcesses(): ProcessFacts[] | undefined {
  if (process.platform !== "linux") return undefined;
  const found: ProcessFacts[] = [];
  for (const name of readdirSync("/proc")) {
    const facts = /^\d+$/.test(name) ? readFacts(Number(name)) : undefined;
    if (facts) found.push(facts);
  }
  return found;
}

function readFacts(pid: number): ProcessFacts | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The program's name is in parentheses and may itself hold blanks and parentheses.
    const [state, parent, group, session, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return {
      pid,
      parent: Number(parent),
      group: Number(group),
      session: Number(session),
      started: rest[15] ?? "",
      zombie: state === "Z" || state === "X",
    };
  } catch {
    return undefined; // it ended while we looked
  }
}

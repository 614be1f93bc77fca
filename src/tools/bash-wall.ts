// The Bash tool's side of the wall: which one a call gets, and ending what runs inside one.
import { readFileSync } from "node:fs";
import type { ToolContext } from "../core/types.ts";
import type { Confined, Wall, WallSource } from "../core/wall.ts";
import { killTree } from "../utils/process.ts";

const POLL_MS = 5;
const SIGNAL_NAMES: Record<number, string> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  13: "SIGPIPE",
  14: "SIGALRM",
  15: "SIGTERM",
};

/** Undefined: the command runs with all rights. Throws when the settings want no command to run without a wall and there is none. */
export async function wallFor(
  { confine }: ToolContext,
  source: WallSource | undefined,
): Promise<{ wall: Wall; confine: Confined } | undefined> {
  if (confine === "open" || !source) return undefined;
  const state = await source.find();
  if (state.kind === "wall") return { wall: state.wall, confine };
  if (!state.required) return undefined;
  throw new Error(
    `Not run: the settings want commands sandboxed, and there is no sandbox. ${state.why} Tell the person.`,
  );
}

/**
 * Ends a walled command. Its first process, which holds the wall, dies of SIGTERM at once and takes all others with it
 * by SIGKILL; so the others are told first, and have `graceMs` to end. Where the shell is not there yet nobody is told.
 */
export async function killWalled(pid: number, graceMs: number): Promise<void> {
  const [first, ...others] = descendants(pid);
  if (graceMs > 0 && first !== undefined && others.length > 0) {
    for (const inner of [first, ...others]) send(inner, "SIGTERM");
    const until = performance.now() + graceMs;
    while (isRunning(pid) && performance.now() < until) await Bun.sleep(POLL_MS);
  }
  await killTree(pid, { graceMs: 0 });
}

/** The wall's first process reports a signal as a number. `hasReported`: the shell came to its end by itself. */
export function signalOf(code: number, hasReported: boolean): string | null {
  return hasReported ? null : (SIGNAL_NAMES[code - 128] ?? null);
}

function descendants(pid: number): number[] {
  const children = childrenOf(pid);
  return [...children, ...children.flatMap(descendants)];
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").split(" ").filter(Boolean).map(Number);
  } catch {
    return []; // it has just ended, or the system does not tell: then SIGKILL must do
  }
}

/** The process number, outside, of the first process inside: nothing there outlives it. Undefined: not there yet. */
export function firstInside(pid: number): number | undefined {
  return childrenOf(pid)[0];
}

/** Whether anything still runs in a wall whose command has ended. `first`: its first process, which adopts all orphans. */
export function hasOthers(first: number): boolean {
  return childrenOf(first).length > 0 && isRunning(first);
}

/** A zombie does not run. */
function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return !/\) [ZX] /.test(stat.slice(stat.lastIndexOf(")")));
  } catch {
    return false; // no such process any more
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended meanwhile
  }
}

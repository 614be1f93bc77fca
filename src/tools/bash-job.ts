// One running shell command: its process group, its output as it grows, and where its `cd` ended.
import { closeSync, openSync, readSync, unlinkSync } from "node:fs";
import type { Walled } from "../core/wall.ts";
import { exitCodeOf, isGroupAlive, killTree, killTreeNow } from "../utils/process.ts";
import type { Capture } from "./bash-output.ts";
import type { ShellStarter, StartOptions } from "./bash-start.ts";
import { firstInside, hasOthers, killWalled, signalOf } from "./bash-wall.ts";

export type JobOptions = StartOptions & {
  starter: ShellStarter;
  /** The command is killed when it has written more. */
  maxOutputBytes: number;
  /** New output as text, at most about 10 times a second; a delta. */
  onProgress?: (text: string) => void;
};

export type JobEnd = {
  /** Exit code of the shell; 128 + n after signal n. */
  code: number;
  signal: string | null;
  /** Physical path the shell was in at its end; undefined when it could not tell (`exec`, a deleted folder, a kill). */
  cwd?: string;
  /** Processes it had left running when it ended, which ended with it. */
  cutOff?: boolean;
};

/** Why the program, not the command, ended it. */
export type JobFault = { kind: "overflow"; bytes: number } | { kind: "disk"; message: string };

const PROGRESS_MS = 100;
const PROGRESS_BYTES = 16 * 1024;
/** While output floods in, the pipe (64 KiB) is looked at again without a timer for this long. */
const FLOOD_MS = 3;
const FLOOD_BYTES = 4096;
/** Between two looks at a flood: timers are too coarse (1 ms fills the pipe), and spinning takes the writer's core. */
const FLOOD_NAP_MS = 0.1;
const NAP = new Int32Array(new SharedArrayBuffer(4));
const LONGEST_PAUSE_MS = 25;
const LONGEST_QUIET_PAUSE_MS = 250;
/** A path is shorter; the command can write anything into the report. */
const LONGEST_REPORT = 16 * 1024;
/** Starts on construction; throws when the shell cannot be started. Must be ended: `finish()` or `leave()`. */
export class ShellJob {
  readonly pid: number;
  readonly command: string;
  readonly capture: Capture;
  /** The shell has ended and everything it wrote is captured. Never rejects. */
  readonly exited: Promise<JobEnd>;
  /** We had to end it: too much output, or no place for it. Never rejects. */
  readonly failed: Promise<JobFault>;
  #child: Bun.Subprocess;
  #walled: Walled | undefined;
  #undone: string[] | undefined;
  #firstInside: number | undefined;
  #options: JobOptions;
  #fault = Promise.withResolvers<JobFault>();
  #timer: Timer | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #pause = 1;
  #floodUntil = 0;
  #shown = { bytes: 0, at: performance.now(), decoder: new TextDecoder() };
  #state: "foreground" | "background" | "closed" = "foreground";
  #isOver = false;

  constructor(options: JobOptions) {
    this.#options = options;
    this.command = options.command;
    this.failed = this.#fault.promise;
    const { child, capture, report, walled } = options.starter.start(options);
    this.#child = child;
    this.capture = capture;
    this.#walled = walled;
    this.pid = child.pid;
    this.exited = this.#child.exited.then(() => this.#end(report));
    this.#look();
  }

  /** Nothing the command started can outlive it for more than a moment. */
  get endsAll(): boolean {
    return this.#walled?.ends ?? false;
  }

  /** Whether the wall may be why it failed; for the model. `output`: the end of what it wrote. */
  explain(code: number, output: string): string | undefined {
    return this.#walled?.explain({ command: this.command, code, output });
  }

  /** When nothing of it runs any more: what it did to protected files, one line each. */
  release(): string[] {
    this.#undone ??= this.#walled?.release(this.#state === "background" ? "tell" : "undo") ?? [];
    return this.#undone;
  }

  /** Something the command started still runs. Asked after `exited`. */
  hasSurvivors(): boolean {
    // Quicker than looking at all processes of the machine.
    if (this.#firstInside !== undefined) return hasOthers(this.#firstInside);
    return isGroupAlive(this.pid);
  }

  async kill(graceMs: number): Promise<void> {
    if (this.endsAll) return killWalled(this.pid, graceMs);
    await killTree(this.pid, { graceMs });
  }

  killNow(): void {
    killTreeNow(this.pid);
  }

  /** True when nothing can write any more, as far as the system tells. */
  isSilent(): boolean {
    return this.#pump() === "ended";
  }

  /** From now on nobody watches: output goes to a file, whose path is returned, and is looked after at a slow pace. */
  leave(): string {
    this.#state = "background";
    this.#child.unref();
    const path = this.capture.persist();
    if (this.#timer) this.#look();
    this.#closeWhenSilent();
    return path;
  }

  /** Nothing more is wanted of it; the output's file goes unless it was persisted. */
  finish(): void {
    if (this.#state === "closed") return;
    this.release();
    this.#state = "closed";
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.capture.close();
  }

  #end(report: string): JobEnd {
    // What the shell wrote is in the pipe, which holds at most one pump; a survivor that floods it must not keep us.
    if (this.#pump() === "more") this.#pump();
    this.#report(true);
    this.#isOver = true;
    const { exitCode, signalCode } = this.#child;
    const text = takeReport(report);
    this.#closeWhenSilent();
    const code = exitCodeOf(exitCode, signalCode);
    const ownSignal = signalCode === null ? null : String(signalCode);
    if (!this.#walled) return { code, signal: ownSignal, ...(text ? { cwd: text } : {}) };
    const [, left, cwd] = /^([01])\n([^]+)$/.exec(text ?? "") ?? [];
    const signal = ownSignal ?? (this.#walled.ends ? signalOf(code, text !== undefined) : null);
    return { code, signal, ...(cwd ? { cwd } : {}), ...(left === "1" ? { cutOff: true } : {}) };
  }

  /** One look at the output, and the time of the next. */
  #look = (): void => {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#timer = undefined;
    if (this.#state === "closed") return;
    if (this.endsAll) this.#firstInside ??= firstInside(this.pid);
    const before = this.capture.size;
    const moved = this.#pump();
    if (this.#closeWhenSilent(moved)) return;
    this.#report(false);
    if (moved === "ended") return;
    const now = performance.now();
    if (this.capture.size - before >= FLOOD_BYTES) this.#floodUntil = now + FLOOD_MS;
    if (this.#state === "foreground" && now < this.#floodUntil) {
      if (moved === "idle") Atomics.wait(NAP, 0, 0, FLOOD_NAP_MS);
      this.#immediate = setImmediate(this.#look);
      return;
    }
    const longest = this.#state === "background" ? LONGEST_QUIET_PAUSE_MS : LONGEST_PAUSE_MS;
    this.#pause = moved === "more" ? this.capture.shortestPauseMs : Math.min(this.#pause * 2, longest);
    this.#timer = setTimeout(this.#look, Math.max(this.#pause, this.capture.shortestPauseMs));
    if (this.#state === "background") this.#timer.unref();
  };

  #pump(): "more" | "idle" | "ended" {
    if (this.#state === "closed") return "ended";
    try {
      const moved = this.capture.pump();
      const bytes = this.capture.size;
      if (bytes <= this.#options.maxOutputBytes) return moved;
      this.#stop({ kind: "overflow", bytes });
    } catch (error) {
      this.#stop({ kind: "disk", message: error instanceof Error ? error.message : String(error) });
    }
    return "ended";
  }

  #stop(fault: JobFault): void {
    this.killNow();
    this.#fault.resolve(fault);
  }

  /** A job that was left is closed when its shell is gone and no other process holds the output. */
  #closeWhenSilent(moved = this.#pump()): boolean {
    if (this.#state !== "background" || !this.#isOver) return this.#state === "closed";
    if (moved === "more") return false;
    // An idle pipe has a writer; a file cannot tell.
    if (moved === "idle" && (this.capture.knowsEnd || this.hasSurvivors())) return false;
    this.finish();
    return true;
  }

  #report(last: boolean): void {
    const { onProgress } = this.#options;
    const now = performance.now();
    const { size } = this.capture;
    if (!onProgress || this.#state !== "foreground" || size === this.#shown.bytes) return;
    const isWatched = this.#shown.bytes > 0;
    if (now - this.#shown.at < PROGRESS_MS && !(last && isWatched)) return;
    const from = Math.max(this.#shown.bytes, size - PROGRESS_BYTES);
    const text = this.#shown.decoder.decode(this.capture.slice(from, size), { stream: true });
    this.#shown.bytes = size;
    this.#shown.at = now;
    onProgress(text);
  }
}

/** What the script wrote, without the last line end: a path may itself contain line breaks. */
function takeReport(file: string): string | undefined {
  try {
    const fd = openSync(file, "r");
    const bytes = Buffer.alloc(LONGEST_REPORT);
    const length = readSync(fd, bytes, 0, bytes.length, 0);
    closeSync(fd);
    unlinkSync(file);
    const text = bytes.toString("utf8", 0, length);
    // No path has a NUL in it: the command wrote that.
    return text.includes("\0") ? undefined : text.replace(/\r?\n$/, "") || undefined;
  } catch {
    return undefined; // killed, replaced by `exec`, or its folder is gone: it reported nothing
  }
}

// Starts the shell of a command. In a wall the next one is started ahead: it waits to be told what to run, and how.
import { closeSync, rmSync, writeSync } from "node:fs";
import type { Confined, Wall, Walled } from "../core/wall.ts";
import { trackTree } from "../utils/process.ts";
import type { Shell } from "../utils/shell.ts";
import { OutputFolder, type Capture } from "./bash-output.ts";
import { commandPieces, shellArguments, withCommand } from "./bash-script.ts";

export type StartOptions = {
  shell: Shell;
  command: string;
  /** Absolute; exists. */
  cwd: string;
  env: Record<string, string>;
  /** The wall to put it into; absent: it runs with all rights. */
  wall?: { wall: Wall; confine: Confined } | undefined;
};

/** A shell that runs the command, and what belongs to it. `capture.started()` was called. */
export type Started = {
  child: Bun.Subprocess;
  capture: Capture;
  /** The file the script reports to. */
  report: string;
  walled: Walled | undefined;
};

type Waiting = {
  wall: Wall;
  shell: Shell;
  argv: readonly string[];
  child: Bun.Subprocess;
  capture: Capture;
  report: string;
  /** Written to and closed once. */
  fd: number;
  timer: Timer;
};

/** The descriptor the waiting one reads from: the first after the standard three. */
const TOLD_FD = 3;
/** Later than the next request to the model, which must not wait for it. */
const AHEAD_DELAY_MS = 5;
/** A model that thinks longer does not miss what is saved. */
const AHEAD_MS = 60_000;

/** One per conversation. Must be closed, when no command runs any more. */
export class ShellStarter {
  #output: OutputFolder;
  #aheadMs: number;
  #waiting: Waiting | undefined;
  #timer: Timer | undefined;
  #isClosed = false;

  /** `folder`: for output, made when it is first needed. `aheadMs`: how long one waits. */
  constructor(folder: string, { aheadMs = AHEAD_MS }: { aheadMs?: number } = {}) {
    this.#output = new OutputFolder(folder);
    this.#aheadMs = aheadMs;
  }

  /** Throws when the shell cannot be started; nothing is left of it then. */
  start(options: StartOptions): Started {
    // Two at once would be in each other's way.
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return this.#tell(options) ?? this.#startNow(options);
  }

  /** Soon, unless one waits already. Where a wall cannot be told later, nothing happens. */
  prepare({ shell, wall }: Pick<StartOptions, "shell" | "wall">): void {
    if (!wall?.wall.ahead || this.#waiting || this.#timer || this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#waiting = this.#startAhead(shell, wall.wall);
    }, AHEAD_DELAY_MS);
    this.#timer.unref();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#letGo();
    this.#output.close();
  }

  #startNow(options: StartOptions): Started {
    const { shell, command, cwd, env, wall } = options;
    const capture = this.#output.capture();
    const report = this.#output.newPath(".cwd");
    const held: { walled?: Walled } = {};
    try {
      const pieces = commandPieces(command);
      const argv = shellArguments({ shell, report, isWalled: wall !== undefined, pieces: pieces.length });
      const walled = wall?.wall.wrap({ argv, confine: wall.confine, cwd, report });
      if (walled) held.walled = walled;
      const child = Bun.spawn(walled?.argv ?? argv, {
        cwd,
        env: withCommand({ ...env, PWD: cwd, ...walled?.env }, pieces),
        stdin: "ignore",
        stdout: capture.childFd,
        stderr: capture.childFd,
        // Own session: no terminal to read a password from, and one group to kill.
        detached: true,
        windowsHide: true,
      });
      trackTree(child);
      capture.started();
      return { child, capture, report, walled };
    } catch (error) {
      held.walled?.release("undo");
      rmSync(report, { force: true });
      capture.started();
      close(capture);
      throw startError(error, options);
    }
  }

  /** Undefined: it is not here, does not fit, or has died meanwhile. */
  #tell({ shell, command, cwd, env, wall }: StartOptions): Started | undefined {
    const waiting = this.#waiting;
    const pieces = commandPieces(command);
    if (!waiting || waiting.wall !== wall?.wall || waiting.shell !== shell || pieces.length > 1) return undefined;
    this.#waiting = undefined;
    clearTimeout(waiting.timer);
    const { argv, child, capture, report, fd } = waiting;
    const held: { walled?: Walled } = {};
    try {
      const walled = wall.wall.wrap({ argv, confine: wall.confine, cwd, report });
      held.walled = walled;
      const bytes = walled.later?.(withCommand({ ...env, PWD: cwd, ...walled.env }, pieces));
      if (!bytes) throw new Error("it cannot be told");
      tell(fd, bytes);
      child.ref();
      return { child, capture, report, walled };
    } catch {
      held.walled?.release("undo");
      end(waiting);
      return undefined;
    }
  }

  /** Without an environment: it is told all of it later. */
  #startAhead(shell: Shell, wall: Wall): Waiting | undefined {
    const report = this.#output.newPath(".cwd");
    const argv = shellArguments({ shell, report, isWalled: true, pieces: 1 });
    const ahead = wall.ahead?.(argv, TOLD_FD);
    if (!ahead) return undefined;
    const capture = this.#output.capture();
    try {
      const out = capture.childFd;
      const child = Bun.spawn(ahead, { cwd: "/", env: {}, stdio: ["ignore", out, out, "pipe"], detached: true });
      const fd = child.stdio[TOLD_FD];
      if (typeof fd !== "number") throw new Error("no descriptor to tell it by");
      trackTree(child);
      child.unref();
      capture.started();
      const timer = setTimeout(() => this.#letGo(), this.#aheadMs);
      timer.unref();
      return { wall, shell, argv, child, capture, report, fd, timer };
    } catch {
      // Then the command is started when it comes, and an error is said there.
      capture.started();
      close(capture);
      return undefined;
    }
  }

  #letGo(): void {
    if (this.#waiting) end(this.#waiting);
    this.#waiting = undefined;
  }
}

function end({ child, capture, report, fd, timer }: Waiting): void {
  clearTimeout(timer);
  child.kill("SIGKILL");
  closeQuietly(fd);
  rmSync(report, { force: true });
  close(capture);
}

function close(capture: Capture): void {
  capture.pump();
  capture.close();
}

/** Throws when nobody listens. What is cut off by our own end is refused by the script. */
function tell(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
  closeSync(fd);
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // closed when it was told
  }
}

function startError(error: unknown, { command, shell, cwd }: StartOptions): Error {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "E2BIG") {
    const size = Buffer.byteLength(command);
    return new Error(`The command is too long for the system (${size} bytes). Write it to a file and run that file.`);
  }
  const why = error instanceof Error ? error.message : String(error);
  return new Error(`${shell.path} could not be started in ${cwd}: ${why}`);
}

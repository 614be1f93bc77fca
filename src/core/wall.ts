// The wall around shell commands as the Bash tool sees it; what it is made of is in sandbox/.
import type { Confinement } from "./types.ts";

export type Confined = Exclude<Confinement, "open">;

/** A command about to be started. */
export type WallStart = {
  argv: readonly string[];
  confine: Confined;
  /** Absolute; exists. */
  cwd: string;
  /** A file of ours the command must be able to write to, under the same path; made when it is not there. */
  report: string;
};

/** One command inside the wall. `release` must be called once nothing of it runs any more. */
export type Walled = {
  /** Instead of `WallStart.argv`. */
  argv: string[];
  /** Added to the command's environment. */
  env: Record<string, string>;
  /**
   * What a shell that was started ahead for `WallStart.argv` (`Wall.ahead`) is to read to become this one; after it the
   * end of the file. `env`: its whole environment, in this order. Undefined: it cannot.
   */
  later?(env: Readonly<Record<string, string>>): Uint8Array | undefined;
  /** True: nothing in the wall outlives the command, and its first process reports a signal as 128 + n. */
  ends: boolean;
  /** Whether the wall may be why it failed: one or two sentences for the model. `output`: the end of what it wrote. */
  explain(ended: { command: string; code: number; output: string }): string | undefined;
  /**
   * Takes away what was only there for this command and looks for protected files that appeared meanwhile. `undo`
   * moves them out; `tell` only names them (a task ran for long: the person may have made them). One line each.
   */
  release(found: "undo" | "tell"): string[];
};

export interface Wall {
  /** "bubblewrap 0.8.0". */
  readonly name: string;
  /** Cheap; throws when the folders it needs cannot be made. */
  wrap(start: WallStart): Walled;
  /**
   * The command line of a shell that waits, with nothing set up yet, until it reads from the descriptor `fd` what
   * `Walled.later` gives; without any of it, it ends. Absent: this wall has no such thing.
   */
  ahead?(argv: readonly string[], fd: number): string[];
}

/** `required`: the settings want commands refused rather than run without it. `why`: a sentence for a person. */
export type WallState = { kind: "wall"; wall: Wall } | { kind: "none"; why: string; required: boolean };

export interface WallSource {
  /** The same wall each time. Looks for it when it is first asked (a few milliseconds, two seconds at most). Never rejects. */
  find(): Promise<WallState>;
}

// One measured run as data: what the stage (server.ts) is told and what it tells back; and the way to talk to it.
import { join } from "node:path";
import type { FakeBlock } from "../../test/fake-model.ts";

/** A program to start, and the answers of the model it will meet at `env.ANTHROPIC_BASE_URL` (set by the stage). */
export type Job = {
  command: readonly string[];
  cwd: string;
  env: Record<string, string>;
  /** A file for the standard output. */
  stdout: string;
  /** One reply per request, in order; the program must make exactly so many requests. */
  replies: readonly (readonly FakeBlock[])[];
  /** Characters per streamed piece. */
  deltaSize?: number;
  /** How long the model takes before it answers; default 0. */
  thinkMs?: number;
  /** `busy`: look at the memory without pause, for a program that is gone in milliseconds. Spoils every time. */
  memory?: "busy" | "often";
};

/** Times in ms since just before the start; memory in bytes (peak resident set of the program itself). */
export type Outcome = {
  code: number | null;
  stderr: string;
  /** When the program had ended. */
  exited: number;
  turns: Turn[];
  /** The last peak seen; 0 where the system does not tell. */
  peak: number;
  /** User and system time in ms, with the children it waited for. */
  cpu: number;
  /** The body of the last request. */
  lastRequest: string;
};

export type Turn = Memory & {
  /** The whole request was there. */
  arrived: number;
  /** Before the first byte of the reply was written, and after the last. */
  answering: number;
  answered: number;
  /** The size of the request. */
  bytes: number;
};

/** `peak` so far; now: `anonymous`, the program's own, and `mapped`, the pages of files, mostly of the executable. */
export type Memory = { peak: number; anonymous: number; mapped: number };

export type FromStage = { outcome: Outcome } | { failure: string };

const PATIENCE_MS = 90_000;

/** The server and starter of programs, in a process of its own: its memory and its pauses are not the bench's. */
export class Stage {
  #waiting: PromiseWithResolvers<FromStage> | undefined;
  #child = Bun.spawn([process.execPath, "--no-env-file", join(import.meta.dir, "server.ts")], {
    stdio: ["ignore", "ignore", "inherit"],
    serialization: "advanced",
    ipc: (message: FromStage) => this.#waiting?.resolve(message),
    onExit: () => this.#waiting?.resolve({ failure: "the stage died" }),
  });

  /** Throws when the program failed, hung, or made another number of requests than there are replies. */
  async run(job: Job): Promise<Outcome> {
    this.#waiting = Promise.withResolvers<FromStage>();
    this.#child.send(job);
    const late = setTimeout(() => this.#waiting?.resolve({ failure: `not done after ${PATIENCE_MS} ms` }), PATIENCE_MS);
    const answer = await this.#waiting.promise;
    clearTimeout(late);
    const problem = "failure" in answer ? answer.failure : problemOf(job, answer.outcome);
    if (problem !== undefined) throw new Error(`${job.command.join(" ").slice(0, 200)}: ${problem}`);
    if ("failure" in answer) throw new Error(answer.failure);
    return answer.outcome;
  }

  async stop(): Promise<void> {
    this.#child.disconnect();
    await this.#child.exited;
  }
}

function problemOf(job: Job, { code, stderr, turns, lastRequest }: Outcome): string | undefined {
  if (code !== 0) return `exit code ${code}\n${stderr.slice(0, 2000)}`;
  if (turns.length !== job.replies.length) return `${turns.length} requests, ${job.replies.length} replies\n${stderr}`;
  // A tool that failed fast would look like a good measurement.
  if (lastRequest.includes('"is_error":true')) return `a tool failed: ${lastRequest.slice(-2000)}`;
  return undefined;
}

/** Time between the end of reply `index` and the arrival of the next request: nothing of the server's is in it. */
export function gap({ turns }: Outcome, index: number): number {
  const [from, to] = [turns[index], turns[index + 1]];
  if (!from || !to) throw new Error(`there is no turn after turn ${index + 1}`);
  return to.arrived - from.answered;
}

// What the model reads when a Bash call ends: output, exit code and its meaning, and what became of the command.
import type { ToolContext, ToolOutput } from "../core/types.ts";
import { inside, realPath } from "../utils/paths.ts";
import { explainExit } from "./bash-explain.ts";
import type { JobEnd, JobFault, ShellJob } from "./bash-job.ts";
import type { BackgroundTasks, TaskInfo } from "./bash-tasks.ts";
import { bytesText, showOutput, type Shown } from "./bash-text.ts";

export type ReportOptions = {
  job: ShellJob;
  /** Something to say besides, or "". */
  note: string;
  tasks: BackgroundTasks;
  roots: readonly string[];
  /** The PATH of the command. */
  path: string;
  maxOutput: number;
  maxOutputBytes: number;
  maxTimeoutMs: number;
};

const TIMEOUT_KILL_GRACE_MS = 2_000;
const ABORT_KILL_GRACE_MS = 120;
const SURVIVOR_GRACE_MS = 100;
/** The system ends all that is in a wall; on a busy machine that takes a moment. */
const WALL_END_MS = 2_000;
/** After a kill: how long its last output is waited for. A process stuck in the kernel must not hold us. */
const AFTER_KILL_MS = 50;

/** How much of the output is looked through for signs of the wall. */
const BLAMED_BYTES = 16 * 1024;
const CUT_OFF =
  "Processes it had left running ended with it: in the sandbox nothing outlives its command. Start a server with run_in_background.";

/** Turns the end of one job into what the model reads, and lets go of the job. */
export class BashReport {
  #job: ShellJob;
  #options: ReportOptions;
  #notes: string[];

  constructor(options: ReportOptions) {
    this.#job = options.job;
    this.#options = options;
    this.#notes = options.note ? [options.note] : [];
  }

  async exited(end: JobEnd, ctx: ToolContext): Promise<ToolOutput> {
    const survived = await this.#outlived();
    const { command } = this.#job;
    const { maxOutput, path } = this.#options;
    const tail = end.code === 127 ? this.#show(maxOutput).text : "";
    const explained = explainExit(command, end.code, tail, path);
    const isError = end.code !== 0 && !explained.isInformation;
    const shown = this.#show(isError ? failureLimit(maxOutput) : maxOutput, isError ? 0.3 : 0.5);
    if (end.code !== 0) this.#notes.unshift(exitText(end, explained.words));
    this.#carryFolder(end, ctx);
    if (end.cutOff) this.#notes.push(CUT_OFF);
    if (isError) this.#blameWall(end.code);
    if (survived) this.#leaveRunning(shown);
    else if (this.#undone()) return this.#failed(shown);
    else this.#job.finish();
    const content = this.#content(shown);
    if (isError) return { content, isError, data: content };
    return { content, data: this.#data(shown, explained.words ? { returnCodeInterpretation: explained.words } : {}) };
  }

  moved(timedOutAfterMs: number): ToolOutput {
    const shown = this.#show(this.#options.maxOutput);
    const task = this.#options.tasks.add(this.#job);
    this.#notes.unshift(
      `Still running after ${seconds(timedOutAfterMs)}, so it goes on in the background. ${taskText(task)}`,
    );
    const data = this.#data(shown, { backgroundTaskId: task.id, timedOutAfterMs });
    return { content: this.#content(shown), data };
  }

  async timedOut(timeoutMs: number): Promise<ToolOutput> {
    await this.#kill(TIMEOUT_KILL_GRACE_MS);
    return this.#failure(
      `Killed after ${seconds(timeoutMs)}, its time limit. Give a larger timeout (at most ` +
        `${this.#options.maxTimeoutMs} ms), or use run_in_background and do something else meanwhile.`,
    );
  }

  async aborted(): Promise<ToolOutput> {
    await this.#kill(ABORT_KILL_GRACE_MS);
    const output = this.#failure("Interrupted: the command was killed. The output above is what came until then.");
    return { ...output, data: { stdout: output.content, stderr: "", interrupted: true, isImage: false } };
  }

  async failed(fault: JobFault): Promise<ToolOutput> {
    await this.#kill(0);
    if (fault.kind === "disk") {
      return this.#failure(`Killed: its output could not be stored (${fault.message}). Free some disk space first.`);
    }
    const limit = bytesText(this.#options.maxOutputBytes);
    return this.#failure(`Killed: it had written more than ${limit}. Make it write less, or to a file of its own.`);
  }

  /** The command changed what it must not: whatever its exit code, that has failed. */
  #undone(): boolean {
    const undone = this.#job.release();
    this.#notes.push(...undone);
    return undone.length > 0;
  }

  #blameWall(code: number): void {
    const { capture } = this.#job;
    const end = this.#job.explain(
      code,
      capture.slice(Math.max(0, capture.size - BLAMED_BYTES), capture.size).toString(),
    );
    if (end !== undefined) this.#notes.push(end);
  }

  #show(limit: number, headShare = 0.5): Shown {
    return showOutput(this.#job.capture, limit, headShare);
  }

  async #kill(graceMs: number): Promise<void> {
    await this.#job.kill(graceMs);
    await Promise.race([this.#job.exited, Bun.sleep(AFTER_KILL_MS)]);
  }

  #failure(why: string): ToolOutput {
    const shown = this.#show(failureLimit(this.#options.maxOutput), 0.3);
    this.#notes.unshift(why);
    this.#notes.push(...this.#job.release());
    return this.#failed(shown);
  }

  #failed(shown: Shown): ToolOutput {
    this.#job.finish();
    const content = this.#content(shown);
    return { content, isError: true, data: content };
  }

  #carryFolder({ cwd }: JobEnd, ctx: ToolContext): void {
    if (cwd === undefined || cwd === realPath(ctx.cwd)) return;
    if (this.#options.roots.some((root) => inside(realPath(root), cwd))) return ctx.chdir(cwd);
    this.#notes.push(`Shell cwd was reset to ${ctx.cwd}: ${cwd} is outside the project.`);
  }

  /** Processes the command left running keep their output file and are ended with the session. */
  #leaveRunning(shown: Shown): void {
    const path = this.#options.tasks.addLeftover(this.#job);
    const where = shown.file || !path ? "" : ` What they write goes to ${path}.`;
    this.#notes.push(`Processes it started still run (stop them with: kill -- -${this.#job.pid}).${where}`);
  }

  /** A server that was just told to end (`kill $!`) gets a moment to do it before it is called a survivor. */
  async #outlived(): Promise<boolean> {
    const until = performance.now() + (this.#job.endsAll ? WALL_END_MS : SURVIVOR_GRACE_MS);
    while (this.#job.hasSurvivors()) {
      if (performance.now() >= until) return true;
      await Bun.sleep(this.#job.endsAll ? 1 : 10);
    }
    return false;
  }

  #content(shown: Shown): string {
    return [shown.text || "(no output)", ...this.#notes].join("\n\n");
  }

  #data({ text, file }: Shown, more: Record<string, unknown>): object {
    const kept = file ? { persistedOutputPath: file.path, persistedOutputSize: file.bytes } : {};
    return { stdout: text, stderr: this.#notes.join("\n"), interrupted: false, isImage: false, ...kept, ...more };
  }
}

/** How to follow and stop a task. */
export function taskText({ id, pid, outputPath }: TaskInfo): string {
  return (
    `Task ${id}, process ${pid}, output in ${outputPath} (read it with Read). ` +
    `You are told when it ends; stop it with: kill -- -${pid}`
  );
}

function exitText({ code, signal }: JobEnd, words: string): string {
  const why = words || (signal ? `ended by ${signal}` : "");
  return why ? `Exit code ${code} (${why})` : `Exit code ${code}`;
}

function failureLimit(maxOutput: number): number {
  return Math.ceil(maxOutput / 3);
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

// The commands that go on after their call has returned: listed, reported once when they end, killed with the session.
import type { UserMessage } from "../core/types.ts";
import { isGroupAlive, killTree, killTreeNow } from "../utils/process.ts";
import type { ShellJob } from "./bash-job.ts";

export type TaskInfo = {
  id: string;
  command: string;
  /** Of the shell; also the number of its process group. */
  pid: number;
  outputPath: string;
  /** Undefined while it runs. */
  exitCode?: number;
};

export type FinishedTask = { id: string; command: string; exitCode: number; outputPath: string; note?: string };

const KILL_GRACE_MS = 2_000;
const IDLE_POLL_MS = 25;

/** One per session, shared by all its agents. */
export class BackgroundTasks {
  #tasks = new Map<string, { info: TaskInfo; job: ShellJob }>();
  #finished: FinishedTask[] = [];
  #leftovers = new Set<number>();
  #onFinish: (() => void) | undefined;

  /** `onFinish`: called when a task has ended; the loop may be idle then. */
  constructor(onFinish?: () => void) {
    this.#onFinish = onFinish;
  }

  /** Takes over a running job. Its output file stays for the session. */
  add(job: ShellJob): TaskInfo {
    const info: TaskInfo = {
      id: `b${this.#tasks.size + 1}`,
      command: job.command,
      pid: job.pid,
      outputPath: job.leave(),
    };
    this.#tasks.set(info.id, { info, job });
    void this.#watch(info, job);
    return info;
  }

  /** A job whose shell has ended but which started processes that still run. Returns the path of what they write. */
  addLeftover(job: ShellJob): string | undefined {
    this.#leftovers.add(job.pid);
    if (!job.isSilent()) return job.leave();
    job.finish();
    return undefined;
  }

  list(): TaskInfo[] {
    return [...this.#tasks.values()].map(({ info }) => ({ ...info }));
  }

  /** Waits until none runs any more: at most `ms`, and not after an interruption. */
  async idle(ms: number, signal: AbortSignal): Promise<void> {
    const until = Date.now() + ms;
    while (this.list().some((task) => task.exitCode === undefined) && Date.now() < until && !signal.aborted) {
      await Bun.sleep(IDLE_POLL_MS);
    }
  }

  /** Tasks that ended since the last time it was asked, in order. */
  takeFinished(): FinishedTask[] {
    return this.#finished.splice(0);
  }

  /**
   * Carries out `kill` of tasks by their process numbers: inside a wall no shell can see those. Returns what to answer,
   * or undefined when the command is anything else or names other processes too.
   */
  async killAsAsked(command: string): Promise<string | undefined> {
    const asked = parseKill(command);
    if (!asked) return undefined;
    const jobs = [...this.#tasks.values()].filter(({ info }) => asked.pids.includes(info.pid));
    const isOurs = (pid: number) => this.#leftovers.has(pid) || jobs.some(({ info }) => info.pid === pid);
    if (!asked.pids.every(isOurs)) return undefined;
    const graceMs = asked.isHard ? 0 : KILL_GRACE_MS;
    const running = jobs.filter(({ info }) => info.exitCode === undefined);
    const leftovers = asked.pids.filter((pid) => this.#leftovers.has(pid) && isGroupAlive(pid));
    await Promise.all([
      ...running.map(({ job }) => job.kill(graceMs)),
      ...leftovers.map((pid) => killTree(pid, { graceMs })),
    ]);
    const ended = [...running.map(({ info }) => `task ${info.id}`), ...leftovers.map((pid) => `process ${pid}`)];
    return ended.length === 0 ? "It had already ended." : `Ended: ${ended.join(", ")}.`;
  }

  /** Ends a task and all it started. False: no such task, or it has already ended. */
  async kill(id: string): Promise<boolean> {
    const task = this.#tasks.get(id);
    if (!task || task.info.exitCode !== undefined) return false;
    await task.job.kill(KILL_GRACE_MS);
    return true;
  }

  /** On the way out of the program: at once, synchronous, nothing is left behind. */
  killAll(): void {
    for (const { info, job } of this.#tasks.values()) {
      if (info.exitCode === undefined) job.killNow();
      else this.#endGroup(info.pid);
    }
    for (const pid of this.#leftovers) this.#endGroup(pid);
    this.#leftovers.clear();
  }

  #endGroup(pid: number): void {
    // The shell has ended: without members of its group the number may already be another process.
    if (isGroupAlive(pid)) killTreeNow(pid);
  }

  async #watch(info: TaskInfo, job: ShellJob): Promise<void> {
    const fault = { note: "" };
    void job.failed.then((why) => {
      fault.note =
        why.kind === "disk" ? `killed: its output could not be stored (${why.message})` : "killed: it wrote too much";
    });
    const { code } = await job.exited;
    info.exitCode = code;
    const { id, command, outputPath } = info;
    const finished = { id, command, exitCode: code, outputPath };
    const note = [...(fault.note ? [fault.note] : []), ...job.release()].join("; ");
    this.#finished.push(note ? { ...finished, note } : finished);
    this.#onFinish?.();
  }
}

/** A command that is exactly one `kill` with a signal that ends and plain numbers, those of groups with a minus. */
function parseKill(command: string): { pids: number[]; isHard: boolean } | undefined {
  const [program, ...words] = command
    .trim()
    .replace(/;$/, "")
    .split(/[ \t]+/);
  if (program !== "kill") return undefined;
  if (words[0] === "-s") words.splice(0, 2, `-${words[1]}`);
  const signal = /^-(?:SIG)?(TERM|INT|HUP|QUIT|KILL|1|2|3|9|15)$/.exec(words[0] ?? "")?.[1];
  if (signal !== undefined) words.shift();
  if (words[0] === "--") words.shift();
  else if (signal === undefined && words[0]?.startsWith("-")) return undefined;
  if (words.length === 0 || !words.every((word) => /^-?\d+$/.test(word))) return undefined;
  return { pids: words.map((word) => Math.abs(Number(word))), isHard: signal === "KILL" || signal === "9" };
}

/** What ended since the last call, as a message for the model; none when nothing did. */
export function finishedTasks(tasks: BackgroundTasks): UserMessage[] {
  const lines = tasks.takeFinished().map((task) => {
    const note = task.note ? ` ${task.note}` : "";
    return `Background command ${task.id} (${task.command}) ended with exit code ${task.exitCode}.${note} Its output is in ${task.outputPath}.`;
  });
  if (lines.length === 0) return [];
  const text = `<reminder>\n${lines.join("\n")}\n</reminder>`;
  return [{ role: "user", id: crypto.randomUUID(), content: [{ type: "text", text }], synthetic: true }];
}

// The Bash tool: one new shell per call; time, output and lifetime are bounded, and only the working directory is kept.
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import type { Tool, ToolContext, ToolOutput } from "../core/types.ts";
import type { WallSource } from "../core/wall.ts";
import { inside, projects, splitPath } from "../utils/paths.ts";
import { findShell, type Shell } from "../utils/shell.ts";
import { childEnvironment, readingEnvironment, type Environment } from "./bash-env.ts";
import { mayOutliveTimeout } from "./bash-explain.ts";
import { ShellJob, type JobEnd, type JobFault } from "./bash-job.ts";
import { BashReport, taskText } from "./bash-report.ts";
import type { ShellStarter } from "./bash-start.ts";
import type { BackgroundTasks, TaskInfo } from "./bash-tasks.ts";
import description from "./bash.md" with { type: "text" };
import { wallFor } from "./bash-wall.ts";
import { defineTool } from "./tool.ts";

export type BashDeps = {
  /** Folders in which `cd` carries over; absolute, the project's first. */
  projectRoots(): string[];
  /** With the session's own folder for output files. */
  starter: ShellStarter;
  env: Environment;
  /** Instead of the one found on PATH. */
  shell?: Shell;
  /** Names kept in spite of looking like a secret; one `*` at the end is a prefix. */
  envPassthrough?: readonly string[];
  defaultTimeoutMs?: number;
  maxTimeoutMs?: number;
  /** Characters shown of a successful command; of a failed one a third. */
  maxOutput?: number;
  /** A command that writes more is killed. */
  maxOutputBytes?: number;
  tasks: BackgroundTasks;
  /** Around the commands the gate wants confined; absent: there is none. */
  wall?: WallSource | undefined;
};

type Limits = { defaultTimeoutMs: number; maxTimeoutMs: number; maxOutput: number; maxOutputBytes: number };
type ShellFinder = () => { shell: Shell; note: string };
type World = { deps: BashDeps; limits: Limits; shell: ShellFinder };
type Input = { command: string; timeout?: number | undefined; run_in_background?: boolean | undefined };
type Waited =
  { kind: "exited"; end: JobEnd } | { kind: "timeout" } | { kind: "aborted" } | { kind: "fault"; fault: JobFault };

const TITLE_LENGTH = 120;
/** A timer set for longer than this fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Limits from BASH_DEFAULT_TIMEOUT_MS, BASH_MAX_TIMEOUT_MS and BASH_MAX_OUTPUT_LENGTH, where `deps` does not give them. */
export function bashTool(deps: BashDeps): Tool {
  const limits = limitsOf(deps);
  const world: World = { deps, limits, shell: shellFinder(deps) };
  return defineTool({
    name: "Bash",
    description: description
      .replace("{default}", String(limits.defaultTimeoutMs))
      .replace("{max}", String(limits.maxTimeoutMs)),
    schema: z.object({
      command: z
        .string()
        .refine((text) => text.trim() !== "", "must not be empty")
        .refine((text) => !text.includes("\0"), "must not contain a NUL character"),
      timeout: z.number().positive().optional(),
      description: z.string().optional().describe("What it does, in five to ten words, for the person"),
      run_in_background: z.boolean().optional(),
      dangerouslyDisableSandbox: z.boolean().optional(),
    }),
    access: ({ command, run_in_background }) => ({ kind: "shell", command, background: run_in_background === true }),
    title: ({ command, description: words }) => oneLine(words?.trim() || command),
    run: (input, ctx) => runCommand(input, ctx, world),
  });
}

async function runCommand(input: Input, ctx: ToolContext, world: World): Promise<ToolOutput> {
  if (ctx.signal.aborted) throw new Error("Interrupted before it started.");
  const { deps, limits } = world;
  const { starter } = deps;
  requireFolder(ctx, deps.projectRoots());
  const wall = await wallFor(ctx, deps.wall);
  if (ctx.signal.aborted) throw new Error("Interrupted before it started.");
  const killed = wall && (await deps.tasks.killAsAsked(input.command));
  if (killed !== undefined) return plainOutput(killed);
  const { shell, note } = world.shell();
  const env = childEnvironment(deps.env, deps.envPassthrough);
  const job = new ShellJob({
    shell,
    command: input.command,
    cwd: ctx.cwd,
    env: ctx.confine === "readonly" ? readingEnvironment(env) : env,
    starter,
    maxOutputBytes: limits.maxOutputBytes,
    wall,
    onProgress: (text) => ctx.progress(text),
  });
  try {
    if (input.run_in_background) return inBackground(deps.tasks.add(job), note);
    return await resultOf(job, { input, ctx, world, note });
  } finally {
    starter.prepare({ shell, wall });
  }
}

type Running = { input: Input; ctx: ToolContext; world: World; note: string };

async function resultOf(job: ShellJob, { input, ctx, world: { deps, limits }, note }: Running): Promise<ToolOutput> {
  const timeoutMs = Math.min(input.timeout ?? limits.defaultTimeoutMs, limits.maxTimeoutMs);
  const waited = await waitFor(job, timeoutMs, ctx.signal);
  const report = new BashReport({
    job,
    note,
    tasks: deps.tasks,
    roots: deps.projectRoots(),
    path: deps.env["PATH"] ?? "",
    ...limits,
  });
  switch (waited.kind) {
    case "exited":
      return report.exited(waited.end, ctx);
    case "timeout":
      return mayOutliveTimeout(input.command) ? report.moved(timeoutMs) : report.timedOut(timeoutMs);
    case "aborted":
      return report.aborted();
    case "fault":
      return report.failed(waited.fault);
    default:
      return waited satisfies never;
  }
}

function plainOutput(stdout: string): ToolOutput {
  return { content: stdout, data: { stdout, stderr: "", interrupted: false, isImage: false } };
}

async function waitFor(job: ShellJob, timeoutMs: number, signal: AbortSignal): Promise<Waited> {
  const stop = Promise.withResolvers<Waited>();
  const timer = setTimeout(() => stop.resolve({ kind: "timeout" }), timeoutMs);
  const onAbort = () => stop.resolve({ kind: "aborted" });
  signal.addEventListener("abort", onAbort, { once: true });
  const exited = job.exited.then((end): Waited => ({ kind: "exited", end }));
  const failed = job.failed.then((fault): Waited => ({ kind: "fault", fault }));
  try {
    // A fault kills the shell, so both may be there: the fault is the reason.
    return await Promise.race([failed, exited, stop.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

function inBackground(task: TaskInfo, note: string): ToolOutput {
  const content = [`Running in the background. ${taskText(task)}`, ...(note ? [note] : [])].join("\n\n");
  return { content, data: { stdout: "", stderr: note, interrupted: false, isImage: false, backgroundTaskId: task.id } };
}

/** A shell in another folder than the one the permission was given for would be another command, so it is not run. */
function requireFolder(ctx: ToolContext, roots: readonly string[]): void {
  if (isFolder(ctx.cwd)) return;
  const inProject = (path: string) => roots.some((root) => inside(root, path));
  const above = [ctx.cwd];
  for (let path = dirname(ctx.cwd); path !== above.at(-1); path = dirname(path)) above.push(path);
  const next = above.find((path) => inProject(path) && isFolder(path)) ?? roots.find(isFolder);
  if (next === undefined) throw new Error(`The working directory ${ctx.cwd} does not exist, nor does the project.`);
  ctx.chdir(next);
  throw new Error(
    `Not run: the working directory ${ctx.cwd} no longer exists. It is now ${next}; call again if the command fits there.`,
  );
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function shellFinder({ env, shell, projectRoots }: BashDeps): ShellFinder {
  const known: { shell: Shell | undefined; told: boolean } = { shell, told: false };
  return () => {
    // Not a bash that lies in the project.
    known.shell ??= findShell({ ...env, PATH: othersPath(env, projectRoots()) });
    if (!known.shell) {
      const advice = process.platform === "win32" ? "Install Git for Windows, which brings bash." : "Install bash.";
      throw new Error(`There is no shell to run commands with. ${advice}`);
    }
    const note = known.shell.flavor === "sh" && !known.told ? "There is no bash here: commands run with sh." : "";
    known.told = true;
    return { shell: known.shell, note };
  };
}

function othersPath(env: Environment, roots: readonly string[]): string {
  return splitPath(env["PATH"], projects(roots, env["HOME"] ?? "")).others;
}

function limitsOf({ env, defaultTimeoutMs, maxTimeoutMs, maxOutput, maxOutputBytes }: BashDeps): Limits {
  const preset = defaultTimeoutMs ?? positive(env["BASH_DEFAULT_TIMEOUT_MS"], 120_000);
  return {
    defaultTimeoutMs: preset,
    maxTimeoutMs: Math.max(preset, maxTimeoutMs ?? positive(env["BASH_MAX_TIMEOUT_MS"], 600_000)),
    maxOutput: Math.min(maxOutput ?? positive(env["BASH_MAX_OUTPUT_LENGTH"], 30_000), 150_000),
    maxOutputBytes: maxOutputBytes ?? 5_000_000_000,
  };
}

function positive(text: string | undefined, preset: number): number {
  const value = Number(text);
  return Number.isFinite(value) && value > 0 ? Math.min(value, MAX_TIMER_MS) : preset;
}

function oneLine(text: string): string {
  const line = text.trim().replace(/\s+/g, " ");
  return line.length > TITLE_LENGTH ? `${line.slice(0, TITLE_LENGTH - 1)}…` : line;
}

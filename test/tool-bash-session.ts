// A session for the tests of Bash: a real project folder and a working directory that is kept between calls.
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ShellStarter } from "../src/tools/bash-start.ts";
import { BackgroundTasks } from "../src/tools/bash-tasks.ts";
import { bashTool, type BashDeps } from "../src/tools/bash.ts";

export const home = realpathSync(mkdtempSync(join(tmpdir(), "nanocode-bash-")));
const sessions: BackgroundTasks[] = [];

/** Ends what the sessions so far started and removes their folders. Two test files may share this module. */
export function cleanUp(): void {
  for (const tasks of sessions.splice(0)) tasks.killAll();
  rmSync(home, { recursive: true, force: true });
}

type More = { timeout?: number; run_in_background?: boolean; signal?: AbortSignal };

export function session(more: Partial<BashDeps> = {}) {
  mkdirSync(home, { recursive: true });
  const base = mkdtempSync(join(home, "s-"));
  const root = join(base, "my project ü");
  mkdirSync(root);
  const tasks = new BackgroundTasks();
  sessions.push(tasks);
  const env = { PATH: process.env["PATH"], HOME: base };
  const scratch = join(base, "scratch");
  const tool = bashTool({ projectRoots: () => [root], starter: new ShellStarter(scratch), env, tasks, ...more });
  const state = { cwd: root, progress: "", moves: 0 };
  const run = (command: string, { signal = new AbortController().signal, ...input }: More = {}) =>
    tool.run(tool.parse({ command, ...input }), {
      cwd: state.cwd,
      callId: "call",
      confine: "open",
      signal,
      child: () => {},
      progress: (text) => void (state.progress += text),
      chdir: (path) => void Object.assign(state, { cwd: path, moves: state.moves + 1 }),
    });
  const text = async (command: string, input: More = {}) => String((await run(command, input)).content);
  return { root, base, scratch, tasks, tool, state, run, text };
}

export async function until(isTrue: () => boolean): Promise<void> {
  const limit = performance.now() + 4_000;
  while (!isTrue()) {
    if (performance.now() > limit) throw new Error("It did not happen in time.");
    await Bun.sleep(2);
  }
}

export function isAlive(pid: number): boolean {
  const stat = Bun.spawnSync(["ps", "-o", "stat=", "-p", String(pid)])
    .stdout.toString()
    .trim();
  return stat !== "" && !stat.startsWith("Z");
}

// For the tests of the wall: a home, a project in it, a Bash tool whose commands are confined, and whether bwrap works here.
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Confinement } from "../src/core/types.ts";
import type { SandboxSettings } from "../src/sandbox/policy.ts";
import { probe } from "../src/sandbox/probe.ts";
import { Sandbox, type SandboxOptions } from "../src/sandbox/sandbox.ts";
import { ShellStarter } from "../src/tools/bash-start.ts";
import { BackgroundTasks } from "../src/tools/bash-tasks.ts";
import { bashTool, type BashDeps } from "../src/tools/bash.ts";

const found = await probe({ path: process.env["PATH"] });
/** Why the tests that need a real wall are skipped; undefined where they run. */
export const noWall = found.kind === "bwrap" ? undefined : found.kind === "none" ? found.why : "this is not Linux";
if (noWall) process.stderr.write(`sandbox tests that need bubblewrap are SKIPPED: ${noWall}\n`);

export function settings(more: { [K in keyof SandboxSettings]?: Partial<SandboxSettings[K]> } = {}): SandboxSettings {
  const { filesystem, network, ...rest } = more;
  return {
    ...(rest as Partial<SandboxSettings>),
    filesystem: { allowWrite: [], denyWrite: [], denyRead: [], allowRead: [], ...filesystem },
    network: { allowedDomains: [], deniedDomains: [], allowUnixSockets: [], ...network },
  };
}

type More = { timeout?: number; run_in_background?: boolean; confine?: Confinement; signal?: AbortSignal };
export type WalledOptions = Partial<SandboxOptions> & {
  /** Read deny rules, below the base. */
  denied?: string[];
  /** Paths below the base. */
  filesystem?: { [K in "allowWrite" | "denyWrite" | "denyRead" | "allowRead"]?: string[] };
  /** Where base is made. */
  below?: string;
  bash?: Partial<BashDeps>;
  env?: Record<string, string | undefined>;
};

/** `base/home/my project ü` is the project; `outside` is the folder beside it. All gone at the end. */
export function walled({ below = tmpdir(), bash, denied = [], filesystem = {}, ...options }: WalledOptions = {}) {
  const base = realpathSync(mkdtempSync(join(below, "nanocode-wall-")));
  const home = options.home ?? join(base, "home");
  const root = join(home, "my project ü");
  const outside = join(home, "outside");
  for (const folder of [root, outside]) mkdirSync(folder, { recursive: true });
  const scratch = join(home, ".nanocode/scratch/s1");
  const env = { PATH: process.env["PATH"], HOME: home, ...options.env };
  const roots = options.roots ?? (() => [root]);
  const inBase = (paths: string[]) => paths.map((path) => join(base, path));
  const sandbox = new Sandbox({
    settings: settings({
      filesystem: Object.fromEntries(Object.entries(filesystem).map(([key, paths]) => [key, inBase(paths)])),
    }),
    roots,
    home,
    own: join(home, ".nanocode"),
    scratch,
    denyRead: () => inBase(denied),
    probe: () => Promise.resolve(found),
    ...options,
    env,
  });
  const tasks = new BackgroundTasks();
  const starter = new ShellStarter(scratch);
  const tool = bashTool({ projectRoots: () => [...roots()], starter, env, tasks, wall: sandbox, ...bash });
  const state = { cwd: roots()[0] ?? root, progress: "" };
  const run = (
    command: string,
    { signal = new AbortController().signal, confine = "workspace", ...input }: More = {},
  ) =>
    tool.run(tool.parse({ command, ...input }), {
      cwd: state.cwd,
      callId: "call",
      confine,
      signal,
      child: () => {},
      progress: (text) => void (state.progress += text),
      chdir: (path) => void Object.assign(state, { cwd: path }),
    });
  const text = async (command: string, input: More = {}) => String((await run(command, input)).content);
  return {
    ...{ base, home, root, outside, scratch, starter, sandbox, tasks, tool, state, run, text },
    [Symbol.dispose]() {
      tasks.killAll();
      starter.close();
      sandbox.close();
      rmSync(base, { recursive: true, force: true });
    },
  };
}

// Runs the compiled binary the way a person or a CI job does: empty HOME, own folder, real pipes.
import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FakeModel } from "./fake-model.ts";

export const BINARY = join(import.meta.dir, "..", "dist", process.platform === "win32" ? "nanocode.exe" : "nanocode");

if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: run scripts/build first`);

export type Sandbox = { home: string; cwd: string; env: Record<string, string>; remove(): void };

/** A fresh HOME and project folder, and an environment that holds nothing of the machine's but PATH. */
export function sandbox(model?: FakeModel): Sandbox {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "nanocode-test-")));
  const home = join(root, "home");
  const cwd = join(root, "project");
  Bun.spawnSync(["mkdir", "-p", home, cwd]);
  const env = { PATH: process.env.PATH ?? "/usr/bin:/bin", HOME: home, TMPDIR: root, LANG: "C.UTF-8", ...model?.env };
  return { home, cwd, env, remove: () => rmSync(root, { recursive: true, force: true }) };
}

export type Ran = { code: number; signal: string | number | null; stdout: string; stderr: string };
export type RunOptions = { stdin?: string | Uint8Array; env?: Record<string, string>; cwd?: string };

export function start(box: Sandbox, args: string[], options: RunOptions = {}) {
  return Bun.spawn([BINARY, ...args], {
    cwd: options.cwd ?? box.cwd,
    env: { ...box.env, ...options.env },
    stdin:
      options.stdin === undefined
        ? "ignore"
        : typeof options.stdin === "string"
          ? Buffer.from(options.stdin)
          : options.stdin,
    stdout: "pipe",
    stderr: "pipe",
  });
}

/** Runs to the end. */
export async function run(box: Sandbox, args: string[], options: RunOptions = {}): Promise<Ran> {
  const child = start(box, args, options);
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, signal: child.signalCode, stdout, stderr };
}

/** The messages of a stream-json run. */
export function messages(stdout: string): Record<string, unknown>[] {
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Offered where there are no skills, in this order. */
export const DEFAULT_TOOLS = [
  "Bash",
  "Read",
  "Edit",
  "Write",
  "Glob",
  "Grep",
  "TodoWrite",
  "Agent",
  "EnterPlanMode",
  "ExitPlanMode",
] as const;
export const STREAM = ["--output-format", "stream-json", "--verbose"];
export const YES = ["--permission-mode", "bypassPermissions"];

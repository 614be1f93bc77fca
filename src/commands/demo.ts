// `nanocode demo`: a scratch project with a failing test, the scripted replies that mend it, and the words around them.
import { mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../core/errors.ts";
import script from "./demo/demo.jsonl" with { type: "text" };
import { PROJECT } from "./demo/project.ts";

export type Demo = {
  /** The scratch folder; absolute, symlinks resolved. It stays when the demonstration ends. */
  dir: string;
  /** For scriptProvider(text, name, { vars }). */
  script: { text: string; name: string; vars: Record<string, string> };
  prompt: string;
  /** Permission rules that let exactly the calls of the script run unasked. */
  allow: readonly string[];
  /** To print before and after the run. */
  opening: string;
  closing: string;
};

export type DemoWorld = {
  /** Where the scratch folder is made. */
  tmp: string;
  platform?: NodeJS.Platform;
  env?: Record<string, string | undefined>;
  which?: (command: string, options: { PATH: string }) => string | null;
};

/** Makes the scratch project. Throws UsageError where it cannot: on Windows without bash, or in a `tmp` of no use. */
export function prepareDemo({
  tmp,
  platform = process.platform,
  env = process.env,
  which = Bun.which,
}: DemoWorld): Demo {
  const find = (command: string) => which(command, { PATH: env["PATH"] ?? env["Path"] ?? "" });
  if (platform === "win32" && find("bash") === null) {
    throw new UsageError(
      "nanocode demo runs shell scripts: install Git for Windows, which brings bash, and try again.",
    );
  }
  const dir = scratchProject(tmp);
  const git = find("git");
  const recorded = git !== null && recordInGit(git, dir, env);
  return {
    dir,
    script: { text: script, name: "demo.jsonl", vars: { cwd: dir } },
    prompt: "The tests of this project fail (sh test.sh). Find out why and repair it.",
    allow: ["Bash(sh test.sh)", "Read", "Grep", "Edit(price.sh)"],
    opening: opening(dir),
    closing: closing(dir, { recorded, platform }),
  };
}

function scratchProject(tmp: string): string {
  try {
    const dir = realpathSync(mkdtempSync(join(tmp, "nanocode-demo-")));
    for (const [name, content] of Object.entries(PROJECT)) writeFileSync(join(dir, name), content);
    return dir;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `nanocode demo cannot make its scratch folder in ${tmp} (${why}). Set TMPDIR to a folder you can write to.`,
    );
  }
}

/** One commit, so that `git diff` shows the repair. False when git could not do it; the demonstration works without. */
function recordInGit(git: string, dir: string, env: Record<string, string | undefined>): boolean {
  // Started from a git hook, GIT_DIR and the like would point these commands at the person's own repository.
  const clean = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("GIT_")));
  const person = ["-c", "user.name=nanocode demo", "-c", "user.email=demo@localhost", "-c", "commit.gpgsign=false"];
  const run = (...args: string[]) =>
    Bun.spawnSync([git, "-c", "core.hooksPath=/dev/null", "-c", "core.autocrlf=false", ...args], {
      cwd: dir,
      env: { ...clean, GIT_TERMINAL_PROMPT: "0" },
      stdio: ["ignore", "ignore", "ignore"],
      timeout: 10_000,
    }).success;
  return run("init", "-q", "--template=") && run("add", ".") && run(...person, "commit", "-q", "-m", "A market stall");
}

function opening(dir: string): string {
  return `This is a demonstration. The model's replies are scripted and nothing is sent anywhere; the tools, the test run and
the edit are real. They work in a new folder: ${dir}
`;
}

function closing(dir: string, { recorded, platform }: { recorded: boolean; platform: NodeJS.Platform }): string {
  const windows = platform === "win32";
  const path = /^[\w./:\\-]+$/.test(dir) ? dir : windows ? `"${dir}"` : `'${dir.replaceAll("'", "'\\''")}'`;
  const key = windows ? '$env:ANTHROPIC_API_KEY = "..."' : "export ANTHROPIC_API_KEY=...";
  return `That was a script. The folder stays for you to look at${recorded ? ":" : `: ${path}`}
${recorded ? `  git -C ${path} diff\n` : ""}
With a key of yours a model does it:
  ${key}
  nanocode -p "what does this project do?"
`;
}

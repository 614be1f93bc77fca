// What the model is told once about the repository it starts in: branch, status, recent commits. Bounded in time and size.
import { splitPath } from "../utils/paths.ts";
import { runQuick, type QuickResult } from "../utils/process.ts";
import { findRepository, isHarmless, readHead, type Head } from "./git.ts";

/** Nobody waits for it: what comes later is told later (see Reminders). */
const WAIT_MS = 10_000;
const STATUS_LINES = 30;
const COMMITS = 5;
const MAX_CHARS = 2_000;
const LINE_CHARS = 200;
/** Output beyond this ends git: nobody will read it. */
const MAX_BYTES = 64 * 1024;

export type EnvironmentOptions = {
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Nothing of the project waits for trust; otherwise no program is started. */
  isTrusted: boolean;
  /** Milliseconds git may take in all. */
  waitMs?: number;
};

/**
 * Lines about the git repository, or undefined outside of one. At most 2,000 characters. Never rejects; git is ended
 * after `waitMs`; what is not there in time, or would need a program that may not run, is left out and said.
 * Branch and commit are read from the files; git runs only where neither trust nor the repository's config forbids it.
 */
export async function gitFacts({
  cwd,
  env,
  isTrusted,
  waitMs = WAIT_MS,
}: EnvironmentOptions): Promise<string | undefined> {
  const repository = findRepository(cwd);
  const head = repository && readHead(repository);
  if (!repository || !head) return undefined;
  const opening = headLines(head);
  if (!isTrusted)
    return [...opening, "Git status and commits were not looked at: this folder is not trusted."].join("\n");
  if (!isHarmless(repository)) {
    return [...opening, "Git status and commits were not looked at: the repository's config could run programs."].join(
      "\n",
    );
  }
  const git = Bun.which("git", { PATH: splitPath(env.PATH, [repository.root]).others });
  if (!git) return [...opening, "Git status and commits are unknown: there is no git here."].join("\n");
  const ask = (args: string[]) => runGit([git, ...SAFE, ...args], { cwd, env, waitMs });
  const [status, log] = await Promise.all([
    ask(["status", "--porcelain=v1", "--ignore-submodules=all", "--untracked-files=normal"]),
    head.commit ? ask(["log", `-${COMMITS}`, "--no-show-signature", "--no-decorate", "--format=%h %s"]) : undefined,
  ]);
  const text = [...opening, ...statusLines(status), ...logLines(log)].join("\n");
  return text.length <= MAX_CHARS ? text : `${text.slice(0, MAX_CHARS - 20).toWellFormed()}\n[cut; ask git]`;
}

const SAFE = ["--no-optional-locks", "--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"];

/** Undefined when it failed or was not done in time. */
async function runGit(
  argv: string[],
  { cwd, env, waitMs }: { cwd: string; env: EnvironmentOptions["env"]; waitMs: number },
): Promise<QuickResult | undefined> {
  const given = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const safe = given.filter(([name]) => !name.startsWith("GIT_"));
  // A missing object must not be fetched: that would start the helpers of a remote.
  const quiet = { GIT_NO_LAZY_FETCH: "1", GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" };
  const options = { cwd, env: { ...Object.fromEntries(safe), ...quiet }, timeoutMs: waitMs, maxBytes: MAX_BYTES };
  const result = await runQuick(argv, options).catch(() => undefined);
  const isUseful = result && (result.ended === "overflow" || (result.code === 0 && !result.ended));
  return isUseful ? result : undefined;
}

function headLines({ branch, commit }: Head): string[] {
  const at = commit ? `at commit ${commit.slice(0, 10)}` : "without commits";
  return [`Git ${branch === undefined ? `HEAD is detached, ${at}` : `branch: ${shown(branch)}, ${at}`}`];
}

function statusLines(result: QuickResult | undefined): string[] {
  if (!result) return ["Git status: not known in time; ask git when it matters."];
  const lines = result.stdout.split("\n").filter(Boolean);
  if (lines.length === 0) return ["Git status: clean"];
  const more = lines.length - STATUS_LINES;
  const rest = result.ended ? "[and many more]" : `[and ${more} more]`;
  return ["Git status:", ...lines.slice(0, STATUS_LINES).map(shown), ...(more > 0 ? [rest] : [])];
}

function logLines(result: QuickResult | undefined): string[] {
  const lines = result?.stdout.split("\n").filter(Boolean) ?? [];
  return lines.length === 0 ? [] : ["Recent commits:", ...lines.slice(0, COMMITS).map(shown)];
}

/** The repository's words are data: one short line that cannot end the reminder. */
function shown(line: string): string {
  const plain = line.replace(/[\p{Cc}\p{Cf}]/gu, " ").replace(/<(?=\/?reminder\b)/gi, "<\\");
  return plain.length <= LINE_CHARS ? plain : `${plain.slice(0, LINE_CHARS).toWellFormed()}…`;
}

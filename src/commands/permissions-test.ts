// `permissions test`: files of expected decisions against the engine, with the files each case wants made around it.
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import type { Judge, Verdict } from "../core/verdict.ts";
import { inside } from "../utils/paths.ts";
import { runQuick } from "../utils/process.ts";
import { caseOf, placed, type Case, type CaseKind } from "./permissions-cases.ts";
import { callText, shown } from "./permissions-explain.ts";

export type TestWorld = {
  judge: Judge;
  say(text: string): void;
  /** Where temporary homes are made. */
  tmp: string;
  /** PATH of the setups. */
  path: string | undefined;
  signal: AbortSignal;
  /** Work that must be done however the process ends; synchronous. */
  onExit(cleanup: () => void): void;
};

type Judged = { one: Case; verdict: Verdict | { error: string } };
type File = { name: string; cases: Case[]; problems: string[] };

const SIDE_BY_SIDE = 4;
const SETUP_MS = 10_000;
/** What the setups print is not looked at. */
const SETUP_BYTES = 64 * 1024 * 1024;

/** 0: all as expected; 1: something differs; 2: a file or a line cannot be read. */
export async function testFiles(paths: readonly string[], world: TestWorld): Promise<0 | 1 | 2> {
  const homes = new Homes(world);
  world.onExit(() => homes.remove());
  try {
    const codes: (0 | 1 | 2)[] = [];
    for (const path of paths) codes.push(await testFile(readCases(path), homes, world));
    return codes.includes(2) ? 2 : codes.includes(1) ? 1 : 0;
  } finally {
    homes.remove();
  }
}

async function testFile(file: File, homes: Homes, world: TestWorld): Promise<0 | 1 | 2> {
  for (const problem of file.problems) world.say(problem);
  const results = await judgeAll(file.cases, homes, world);
  const different = results.filter((result) => !isRight(result));
  for (const result of different) world.say(differenceLine(result));
  for (const line of summary(file.name, results)) world.say(line);
  if (file.problems.length > 0) return 2;
  return different.length > 0 ? 1 : 0;
}

function readCases(path: string): File {
  const file: File = { name: basename(path), cases: [], problems: [] };
  try {
    for (const [i, text] of readFileSync(path, "utf8").split("\n").entries()) {
      if (text.replace(/^\uFEFF/, "").trim() === "") continue;
      try {
        file.cases.push(caseOf(text.replace(/^\uFEFF/, ""), path, i + 1));
      } catch (error) {
        file.problems.push(`${path}:${i + 1}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  } catch (error) {
    file.problems.push(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  return file;
}

/** In the order of the file; the setups of several run at the same time. */
async function judgeAll(cases: readonly Case[], homes: Homes, world: TestWorld): Promise<Judged[]> {
  const results: Judged[] = [];
  const waiting = cases.entries();
  const work = async () => {
    for (const [i, one] of waiting) {
      if (world.signal.aborted) return;
      results[i] = { one, verdict: await judgeCase(one, homes, world).catch(failed) };
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
  return results.filter((result) => result !== undefined);
}

function failed(error: unknown): { error: string } {
  return { error: error instanceof Error ? error.message : String(error) };
}

async function judgeCase(one: Case, homes: Homes, world: TestWorld): Promise<Verdict> {
  if (one.setup === undefined) return world.judge(placed(one, one.query.home ?? homes.shared()).query);
  const home = homes.fresh();
  const { query, setup = "" } = placed(one, home);
  const cwd = query.cwd ?? home;
  if (!inside(home, cwd)) throw new Error("the working directory of a case with a setup must be below {{HOME}}");
  mkdirSync(cwd, { recursive: true });
  await runSetup(setup, { home, cwd }, world);
  const verdict = await world.judge(query);
  homes.drop(home);
  return verdict;
}

/** What it ends with does not matter: many a setup only tries. Throws when there is no bash. */
async function runSetup(text: string, { home, cwd }: { home: string; cwd: string }, world: TestWorld): Promise<void> {
  // A repository around the temporary folder is none of the case's business.
  const git = { GIT_CEILING_DIRECTORIES: home, GIT_CONFIG_NOSYSTEM: "1", GIT_TERMINAL_PROMPT: "0" };
  const env = { HOME: home, PATH: world.path ?? "/usr/bin:/bin", LANG: "C.UTF-8", TMPDIR: home, ...git };
  try {
    await runQuick(["bash", "--noprofile", "--norc", "-c", text], {
      cwd,
      env,
      timeoutMs: SETUP_MS,
      signal: world.signal,
      maxBytes: SETUP_BYTES,
    });
  } catch (error) {
    throw new Error(`its setup needs bash: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Temporary home folders; those of finished cases are removed at once, the rest in the end. */
class Homes {
  #tmp: string;
  #root: string | undefined;
  #shared: string | undefined;
  #made = 0;

  constructor({ tmp }: Pick<TestWorld, "tmp">) {
    this.#tmp = tmp;
  }

  fresh(): string {
    this.#root ??= realpathSync(mkdtempSync(join(this.#tmp, "nanocode-cases-")));
    const home = join(this.#root, String(++this.#made));
    mkdirSync(join(home, "project"), { recursive: true });
    return home;
  }

  /** For cases that bring nothing along: there is an empty project in it. */
  shared(): string {
    return (this.#shared ??= this.fresh());
  }

  drop(home: string): void {
    try {
      rmSync(home, { recursive: true, force: true });
    } catch {
      // A setup took away our rights to it; what is left is in the temporary folder.
    }
  }

  remove(): void {
    if (this.#root !== undefined) this.drop(this.#root);
  }
}

function isRight({ one, verdict }: Judged): boolean {
  return "decision" in verdict && one.expected.includes(verdict.decision);
}

function differenceLine({ one, verdict }: Judged): string {
  const expected = one.kind === "dangerous" ? "not allow" : one.expected.join(" or ");
  const [got, why] = "decision" in verdict ? [verdict.decision, verdict.reason] : ["an error", verdict.error];
  return `${one.id}: expected ${expected}, got ${got} (${shown(why)}): ${shown(callText(one.query))}`;
}

function summary(name: string, results: readonly Judged[]): string[] {
  const of = (kind: CaseKind) => results.filter(({ one }) => one.kind === kind);
  const allowed = (all: readonly Judged[]) =>
    all.filter(({ verdict }) => "decision" in verdict && verdict.decision === "allow");
  const [rules, dangerous, readOnly] = [of("rule"), of("dangerous"), of("read-only")];
  const asked = readOnly.length - allowed(readOnly).length;
  const percent = ((asked / readOnly.length) * 100).toFixed(1);
  const unanswered = dangerous.filter(({ verdict }) => "error" in verdict).length;
  const lines = [
    ...(rules.length > 0 ? [`${rules.filter(isRight).length} of ${rules.length} rule cases right`] : []),
    ...(dangerous.length > 0 ? [`${allowed(dangerous).length} of ${dangerous.length} dangerous approved`] : []),
    ...(unanswered > 0 ? [`${unanswered} dangerous not answered`] : []),
    ...(readOnly.length > 0 ? [`${asked} of ${readOnly.length} read-only asked (${percent} %)`] : []),
  ];
  return [`${name}: ${lines.length > 0 ? lines.join(", ") : "no cases"}`];
}

// Where the bench works: a temporary HOME and project, the empty program, and a tree of files to search.
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { randomFrom } from "../../test/fake-model-wire.ts";
import type { FakeBlock } from "../../test/fake-model.ts";
import { type Job, type Outcome, Stage } from "./job.ts";

export const ROOT = resolve(import.meta.dir, "..", "..");
const EXE = process.platform === "win32" ? ".exe" : "";
export const BINARY = join(ROOT, "dist", `nanocode${EXE}`);
const YES = ["--permission-mode", "bypassPermissions"];

export type World = {
  stage: Stage;
  /** How often each thing is measured. */
  runs: number;
  /** Removed at the end. */
  dir: string;
  /** A program that does nothing, made by scripts/build.ts exactly as nanocode is. */
  empty: string;
  say(text: string): void;
};

export type PrintRun = { replies: Job["replies"]; flags?: string[]; cwd?: string; path?: string } & Pick<
  Job,
  "deltaSize" | "memory" | "thinkMs"
>;

export function openWorld(runs: number, say: (text: string) => void): World {
  if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: run scripts/build first.`);
  const newest = [...new Bun.Glob("src/**").scanSync({ cwd: ROOT })].map((path) => statSync(join(ROOT, path)).mtimeMs);
  if (Math.max(...newest) > statSync(BINARY).mtimeMs) say("dist/nanocode is older than src/: run scripts/build first?");
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "nanocode-bench-")));
  try {
    for (const name of ["home", "project", "tmp"]) mkdirSync(join(dir, name));
    const empty = buildEmpty(dir);
    return { stage: new Stage(), runs, dir, empty, say };
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
}

export async function closeWorld({ stage, dir }: World): Promise<void> {
  await stage.stop();
  rmSync(dir, { recursive: true, force: true });
}

/** The build script itself, on a source tree of two empty files: whatever flags nanocode gets, this gets. */
function buildEmpty(dir: string): string {
  const source = join(dir, "empty");
  for (const name of ["src", "scripts"]) mkdirSync(join(source, name), { recursive: true });
  cpSync(join(ROOT, "scripts", "build.ts"), join(source, "scripts", "build.ts"));
  cpSync(join(ROOT, "package.json"), join(source, "package.json"));
  for (const name of ["main.ts", "grep-worker.ts"]) writeFileSync(join(source, "src", name), "export {};\n");
  const build = Bun.spawnSync([process.execPath, "--no-env-file", join(source, "scripts", "build.ts"), "host"]);
  const binary = join(source, "dist", `nanocode${EXE}`);
  if (build.success && existsSync(binary)) return binary;
  throw new Error(`The empty program could not be built:\n${build.stdout}${build.stderr}`);
}

/** Any program, with nothing of the machine's environment but PATH. */
export function runPlain(world: World, command: readonly string[], options: Partial<Job> = {}): Promise<Outcome> {
  const { dir } = world;
  const env = { PATH: pathVariable(), HOME: join(dir, "home"), TMPDIR: join(dir, "tmp"), LANG: "C.UTF-8" };
  const place = { cwd: join(dir, "project"), stdout: join(dir, "stdout"), replies: [] };
  return world.stage.run({ command, env, ...place, ...options });
}

/** The peak memory of a program that is gone in milliseconds: one that was gone before the first look runs again. */
export async function shortPeak(world: World, command: readonly string[]): Promise<number> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const { peak } = await runPlain(world, command, { memory: "busy" });
    if (peak > 1e6 || process.platform !== "linux") return peak;
  }
  throw new Error(`${command.join(" ")} always ends before its memory can be seen`);
}

/** `nanocode -p` against a model that gives `replies`. `command`: what to start instead of the binary. */
export function runPrint(world: World, run: PrintRun, command: readonly string[] = [BINARY]): Promise<Outcome> {
  const { flags = [], cwd, path, ...rest } = run;
  const { dir } = world;
  const env = { PATH: path ?? pathVariable(), HOME: join(dir, "home"), TMPDIR: join(dir, "tmp"), LANG: "C.UTF-8" };
  const options = { ...rest, env, ...(cwd === undefined ? {} : { cwd }) };
  return runPlain(world, [...command, "-p", "go", ...YES, ...flags], options);
}

/** Forgets what earlier runs recorded. 50 MB each of them would have the disk measured. */
export function freshHome({ dir }: World): void {
  for (const name of ["home", "tmp"]) {
    rmSync(join(dir, name), { recursive: true, force: true });
    mkdirSync(join(dir, name));
  }
}

export function pathVariable(): string {
  return process.env.PATH ?? "/usr/bin:/bin";
}

/** A text of about `size` characters in lines, always the same for the same seed. */
export function prose(size: number, seed: number): string {
  const random = randomFrom(seed);
  const words = [
    "the",
    "value",
    "of",
    "result",
    "const",
    "return",
    "function",
    "list",
    "=>",
    "naïve",
    "42",
    "item(s);",
  ];
  const out: string[] = [];
  for (let length = 0, column = 0; length < size;) {
    const word = words[Math.floor(random() * words.length)] ?? "";
    const isLast = column > 70;
    out.push(word, isLast ? "\n" : " ");
    length += word.length + 1;
    column = isLast ? 0 : column + word.length + 1;
  }
  return out.join("").slice(0, size);
}

export type Tree = { root: string; files: number };
export type Needle = { text: string; every: number };

/** `files` source-like files in folders of forty; each needle is in every so-manieth file, on a line of its own. */
export function makeTree(root: string, files: number, needles: readonly Needle[]): Tree {
  const bodies = Array.from({ length: 64 }, (_, seed) => prose(600 + (seed % 8) * 300, seed));
  const kinds = ["ts", "ts", "md", "py", "json"];
  for (let index = 0; index < files; index++) {
    const group = Math.floor(index / 40);
    const path = join(root, `part${group % 25}`, `group${group}`, `file${index}.${kinds[index % 5]}`);
    if (index % 40 === 0) mkdirSync(dirname(path), { recursive: true });
    const found = needles.filter(({ every }) => index % every === every - 1).map(({ text }) => `${text}\n`);
    const body = bodies[(index * 7) % bodies.length] ?? "";
    writeFileSync(path, `// file ${index}\n${found.join("")}${body}\n`);
  }
  return { root, files };
}

export const bash = (command: string): FakeBlock => ({ type: "tool_use", name: "Bash", input: { command } });
export const done: readonly FakeBlock[] = [{ type: "text", text: "done" }];

// Permissions: what a decision costs for ordinary, long and hostile commands, and what the wall adds to each command.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { decide } from "../../src/permissions/decide.ts";
import { NO_RULES } from "../../src/permissions/rules.ts";
import { DISK, NO_WALL, type World as Folder } from "../../src/permissions/world.ts";
import { gap, type Outcome } from "./job.ts";
import { Skipped } from "./loop.ts";
import { median, type Row } from "./table.ts";
import { bash, done, ROOT, runPrint, type World } from "./world.ts";

const ROUNDS = 200;
const TURNS = 20;
const LENGTH = 10_000;
/** Quicker than models are. */
const THINKING_MS = 100;
const WALLED = ["--settings", JSON.stringify({ sandbox: { enabled: true } })];

export async function decisions(world: World): Promise<Row[]> {
  const folder = folderOf(world);
  const commands = ["readonly", "dangerous"].flatMap((name) =>
    readFileSync(join(ROOT, "test", "corpus", `${name}.jsonl`), "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => String(JSON.parse(line).command)),
  );
  // The first time everything is compiled and the disk's cache is filled.
  for (const command of commands) once(command, folder);
  const typical = commands.map((command) => median([1, 2, 3].map(() => once(command, folder))));
  return [
    { what: `a decision, over ${commands.length} commands`, unit: "ms", ours: typical, aim: { value: 0.2 } },
    ...Object.entries(longTexts(commands)).map(([name, text]): Row => ({
      what: `a decision for ${LENGTH} characters: ${name}`,
      unit: "ms",
      ours: Array.from({ length: ROUNDS }, () => once(text, folder)),
      aim: { value: 2 },
    })),
    {
      what: "the slowest decision for hostile nesting",
      unit: "ms",
      ours: Array.from({ length: world.runs }, () => Math.max(...hostile().map((command) => once(command, folder)))),
      aim: { value: 50 },
    },
  ];
}

/** The same commands with and without it, taking turns: as a model calls them, and each as soon as the last has ended. */
export async function wall(world: World): Promise<Row[]> {
  if (process.platform !== "linux" || !Bun.which("bwrap")) throw new Skipped("there is no bubblewrap");
  const bare: number[] = [];
  const added = { thinking: [] as number[], atOnce: [] as number[] };
  for (let count = 0; count < world.runs; count++) {
    added.thinking.push(await addedBy(world, THINKING_MS));
    added.atOnce.push(await addedBy(world, 0));
    bare.push(spawned([...BUBBLE, "true"]) - spawned(["true"]));
  }
  const row = (what: string, ours: number[]): Row => ({
    what,
    unit: "ms",
    ours,
    other: { name: "bubblewrap alone, nothing hidden", values: bare },
    aim: { value: 15 },
  });
  return [
    row(`the sandbox around a command, added to it (the model takes ${THINKING_MS} ms to call)`, added.thinking),
    row("the same for a command called at once after another", added.atOnce),
  ];
}

async function addedBy(world: World, thinkMs: number): Promise<number> {
  const run = { replies: [...Array.from({ length: TURNS }, () => [bash("true")]), done], thinkMs };
  const open = perTurn(await runPrint(world, run));
  return perTurn(await runPrint(world, { ...run, flags: WALLED })) - open;
}

/** What any use of it costs: a root that is read-only, and namespaces. */
const BUBBLE = "bwrap --ro-bind / / --dev /dev --proc /proc --unshare-pid --unshare-ipc --unshare-net --".split(" ");

function spawned(argv: string[]): number {
  const times = Array.from({ length: TURNS }, () => {
    const started = performance.now();
    if (!Bun.spawnSync(argv, { stdio: ["ignore", "ignore", "ignore"] }).success) throw new Error(`${argv[0]} failed`);
    return performance.now() - started;
  });
  return median(times);
}

function perTurn(outcome: Outcome): number {
  // The first command looks for the wall.
  return median(Array.from({ length: TURNS - 1 }, (_, turn) => gap(outcome, turn + 1)));
}

function once(command: string, folder: Folder): number {
  const call = { type: "tool_use" as const, id: "t", name: "Bash", input: { command } };
  const started = performance.now();
  decide(call, { kind: "shell", command }, NO_RULES, "default", folder);
  return performance.now() - started;
}

function folderOf({ dir }: World): Folder {
  const cwd = join(dir, "project");
  const home = join(dir, "home");
  return { cwd, root: cwd, home, roots: [cwd], programs: [], readable: [], files: DISK, wall: NO_WALL };
}

function longTexts(commands: readonly string[]): Record<string, string> {
  const script = joinedTo(commands, LENGTH);
  const files = joinedTo(
    numbered((i) => `src/file${i}.ts`),
    LENGTH - 50,
  ).replaceAll("\n", " ");
  const lines = joinedTo(
    numbered((i) => `const line${i} = ${i};`),
    LENGTH - 50,
  );
  return {
    [`${script.split("\n").length} commands, no two the same`]: script,
    [`the names of ${files.split(" ").length} files`]: `git diff --stat -- ${files}`,
    "a file written by a here-document": `cat > out.ts <<'EOF'\n${lines}\nEOF`,
    "one command again and again": "echo one two && ".repeat(LENGTH / 16 - 1) + "true",
  };
}

function numbered(make: (i: number) => string): string[] {
  return Array.from({ length: LENGTH }, (_, i) => make(i));
}

/** Commands below each other, as in a script, until the text is nearly so long. */
function joinedTo(commands: readonly string[], length: number): string {
  const lines: string[] = [];
  let size = 0;
  for (const command of commands) {
    if (command.includes("\n") || size + command.length >= length) continue;
    lines.push(command);
    size += command.length + 1;
  }
  return lines.join("\n");
}

/** Deep, wide and quadratic: what a model or a file it quotes could come up with. */
function hostile(): string[] {
  const deep = (open: string, close: string, times: number) => open.repeat(times) + "true" + close.repeat(times);
  return [
    deep("$(", ")", 5000),
    deep("(", ")", 20_000),
    deep("{ ", ";}", 5000),
    deep("`", "`", 999),
    deep('"$(', ')"', 3000),
    deep("${x:-", "}", 3000),
    deep("$((", "))", 2000),
    deep("if true; then ", "; fi", 2000),
    deep("[[ ( ", " ) ]]", 2000),
    deep("timeout 5 ", "", 1500),
    deep("timeout --odd 5 ", "", 600),
    deep("env -S x ", "", 900),
    `bash -c '${deep("bash -c ", "", 1200)}'`,
    "true;".repeat(2000),
    "true;".repeat(20_000),
    `echo ${"{a,b}".repeat(500)}`,
    `echo ${"{1..999}".repeat(300)}`,
    `ls ${"*/".repeat(2000)}`,
    `ls ${"*/* ".repeat(2000)}`,
    "cd a; ".repeat(1600),
    "cd a || cd b; ls */* ; ".repeat(400),
    `find .${" | xargs cat .".repeat(700)}`,
    "true;".repeat(6400),
    `cat ${"a/".repeat(4900)}`,
    `cat ${"[!a]*".repeat(2000)}`,
    `x=1; ${"x=$x$x; ".repeat(1000)} echo $x`,
    `sed -n '${"s/a/b/;".repeat(1200)}' f`,
    `awk '{${"print $1;".repeat(1000)}}' f`,
    "a".repeat(1_000_000),
    `cat <<${"E".repeat(4000)}\n${"x\n".repeat(2000)}`,
    "\\\n".repeat(5000),
    "'".repeat(9999),
  ];
}

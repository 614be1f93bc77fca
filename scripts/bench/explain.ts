// Where the time or the memory goes, when an aim was missed: stages of the start, or a CPU profile.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { median } from "./table.ts";
import { BINARY, done, type PrintRun, ROOT, runPlain, runPrint, shortPeak, type World } from "./world.ts";

const RUNS = 5;
const SHOWN = 10;

/** Each stage holds the one before it, so the differences say what each adds. */
export async function startStages(world: World): Promise<string[]> {
  const script = join(world.dir, "script.jsonl");
  writeFileSync(script, '{"text": "done"}\n');
  const scripted = [BINARY, "-p", "go", "--model", `script:${script}`];
  const ended = async (command: string[]) => (await runPlain(world, command)).exited;
  const stages: [string, () => Promise<number>][] = [
    ["the empty program, start to end", () => ended([world.empty])],
    ["--version", () => ended([BINARY, "--version"])],
    ["--help (the app and the flags loaded)", () => ended([BINARY, "--help"])],
    ["a whole -p run with a scripted model (no SDK, no network)", () => ended(scripted)],
    ["start to first request (the SDK loaded, connected)", () => firstRequest(world)],
  ];
  const lines: string[] = [];
  for (const [name, measure] of stages) {
    const times: number[] = [];
    for (let run = 0; run < RUNS; run++) times.push(await measure());
    lines.push(`${median(times).toFixed(1)} ms  ${name}`);
  }
  return lines;
}

async function firstRequest(world: World): Promise<number> {
  return (await runPrint(world, { replies: [done] })).turns[0]?.arrived ?? 0;
}

/** The memory at the first request beside that of the empty program, and of a run without the SDK. */
export async function memoryParts(world: World): Promise<string[]> {
  const { turns } = await runPrint(world, { replies: [done] });
  const { anonymous = 0, mapped = 0 } = turns[0] ?? {};
  const empty = await shortPeak(world, [world.empty]);
  const help = await shortPeak(world, [BINARY, "--help"]);
  return [
    `${mb(empty)}  the empty program`,
    `${mb(help)}  --help (the app and the flags loaded)`,
    `${mb(anonymous)}  at the first request: heap, stacks, compiled code`,
    `${mb(mapped)}  at the first request: pages of the executable, shared by all that run it`,
  ];
}

/** What grows in a session: at most five points of it, evenly apart. */
export async function memoryGrowth(world: World, run: PrintRun): Promise<string[]> {
  const { turns } = await runPrint(world, run);
  const points = [0, 0.25, 0.5, 0.75, 1].map((part) => Math.round(part * (turns.length - 1)));
  return [...new Set(points)].flatMap((index) => {
    const turn = turns[index];
    if (!turn) return [];
    const parts = `its own ${mb(turn.anonymous)}, mapped files ${mb(turn.mapped)}, the request ${mb(turn.bytes)}`;
    return [`${mb(turn.peak)}  peak at request ${index + 1}; now: ${parts}`];
  });
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** The functions that use most time of their own in `run`, from a profile of the same program run from source. */
export async function cpuProfile(world: World, run: PrintRun): Promise<string[]> {
  const dir = mkdtempSync(join(world.dir, "profile-"));
  const flags = [
    "--no-env-file",
    "--config=/dev/null",
    "--cpu-prof",
    "--cpu-prof-md",
    "--cpu-prof-interval=200",
    `--cpu-prof-dir=${dir}`,
  ];
  try {
    const { cpu, exited } = await runPrint(world, run, [process.execPath, ...flags, join(ROOT, "src", "main.ts")]);
    const name = readdirSync(dir).find((file) => file.endsWith(".md"));
    if (name === undefined) return ["There is no profile: the program wrote none."];
    const total = `from source, with the start: ${exited.toFixed(0)} ms in all, CPU ${cpu.toFixed(0)} ms with the commands it ran`;
    return [total, ...hotFunctions(readFileSync(join(dir, name), "utf8"))];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Rows of the profile's table: | self % | self | total % | total | `function` | `place` |. */
function hotFunctions(profile: string): string[] {
  const rows = profile.matchAll(/^\| *([\d.]+)% \| *([^|]+?) \|[^|]*\|[^|]*\| `([^`]*)` \| `([^`]*)` \|$/gm);
  return [...rows].slice(0, SHOWN).map(([, percent, self, name, place]) => {
    const where = (place ?? "").replace(`${ROOT}/`, "");
    return `${percent}%  ${self}  ${name}  ${where}`;
  });
}

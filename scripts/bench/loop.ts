// The loop: what a turn costs beside the model's and the command's own time, early and late; calls side by side.
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { cpuProfile, memoryGrowth } from "./explain.ts";
import { gap, type Outcome } from "./job.ts";
import { median, type Row } from "./table.ts";
import { bash, done, makeTree, pathVariable, type PrintRun, runPlain, runPrint, type World } from "./world.ts";

const SHORT = 30;
const LONG = 300;
/** Turns looked at around the one that is named: one turn alone says little. */
const WINDOW = 20;
const READS = 8;
const BARE = ["bash", "--noprofile", "--norc", "-c"];

export async function turns(world: World): Promise<Row[]> {
  const run = { replies: [...Array.from({ length: SHORT }, () => [bash("true")]), done] };
  const ours: number[] = [];
  const bare: number[] = [];
  for (let count = 0; count < world.runs; count++) {
    bare.push((await runPlain(world, [...BARE, "true"])).exited);
    const outcome = await runPrint(world, run);
    ours.push(gaps(outcome, 0, SHORT).reduce((sum, one) => sum + one, 0) / SHORT);
  }
  const other = { name: "`bash -c true`", values: bare };
  const explain = () => cpuProfile(world, run);
  return [{ what: `turn of a ${SHORT}-turn loop of \`true\``, unit: "ms", ours, other, aim: { value: 5 }, explain }];
}

export async function long(world: World): Promise<Row[]> {
  const run = { replies: [...Array.from({ length: LONG }, () => [bash("printf '%02000d' 7")]), done] };
  const [early, late, peaks, first]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let count = 0; count < world.runs; count++) {
    const outcome = await runPrint(world, run);
    early.push(median(gaps(outcome, SHORT - WINDOW / 2, SHORT + WINDOW / 2)));
    late.push(median(gaps(outcome, LONG - WINDOW, LONG)));
    peaks.push(outcome.turns[LONG]?.peak ?? 0);
    first.push(outcome.turns[0]?.peak ?? 0);
  }
  const profile = () => cpuProfile(world, run);
  return [
    {
      what: `peak memory after ${LONG} turns of 2 kB results`,
      unit: "MB",
      ours: peaks,
      other: { name: "at the first request", values: first },
      aim: { value: 120 },
      explain: () => memoryGrowth(world, run),
    },
    {
      what: `turn ${LONG} of these`,
      unit: "ms",
      ours: late,
      other: { name: `turn ${SHORT}`, values: early },
      aim: { ratio: 1.3 },
      explain: profile,
    },
  ];
}

function gaps(outcome: Outcome, from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => gap(outcome, from + index));
}

/** Eight searches of which each waits a second in `rg`: how much of it happens at the same time. */
export async function parallel(world: World): Promise<Row[]> {
  const { run, bare } = slowSearches(world);
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let count = 0; count < world.runs; count++) {
    theirs.push((await runPlain(world, [...BARE, bare])).exited);
    ours.push(gap(await runPrint(world, run), 0));
  }
  const other = { name: "eight `sleep 1; rg` side by side", values: theirs };
  const explain = () => cpuProfile(world, run);
  return [{ what: "eight parallel one-second reads", unit: "ms", ours, other, aim: { value: 1100 }, explain }];
}

function slowSearches({ dir }: World): { run: PrintRun; bare: string } {
  const real = Bun.which("rg", { PATH: pathVariable() });
  if (!real) throw new Skipped("there is no `rg` on the PATH");
  const [cwd, bin] = [join(dir, "small"), join(dir, "bin")];
  makeTree(cwd, 400, [{ text: "needle", every: 100 }]);
  mkdirSync(bin);
  writeFileSync(join(bin, "rg"), `#!/bin/sh\nsleep 1\nexec '${real}' "$@"\n`);
  chmodSync(join(bin, "rg"), 0o755);
  const path = bin + delimiter + pathVariable();
  const searches = Array.from({ length: READS }, () => ({
    type: "tool_use" as const,
    name: "Grep",
    input: { pattern: "needle" },
  }));
  const each = `'${join(bin, "rg")}' -l needle '${cwd}' >/dev/null &`;
  return { run: { replies: [searches, done], cwd, path }, bare: `${`${each} `.repeat(READS)} wait` };
}

/** What is needed to measure this is not here. */
export class Skipped extends Error {}

// The start: --version, exec to first request, and the memory held then.
import { memoryParts, startStages } from "./explain.ts";
import type { Row } from "./table.ts";
import { BINARY, done, runPlain, runPrint, shortPeak, type World } from "./world.ts";

export async function version(world: World): Promise<Row[]> {
  const ours: number[] = [];
  const empty: number[] = [];
  for (let run = -1; run < world.runs * 3; run++) {
    const theirs = (await runPlain(world, [world.empty])).exited;
    const { exited } = await runPlain(world, [BINARY, "--version"]);
    // The first of each only fills the page cache.
    if (run < 0) continue;
    empty.push(theirs);
    ours.push(exited);
  }
  const other = { name: "empty program", values: empty };
  return [{ what: "`--version`", unit: "ms", ours, other, aim: { ratio: 1.3 }, explain: () => startStages(world) }];
}

export async function firstRequest(world: World): Promise<Row[]> {
  const [times, emptyTimes, peaks, emptyPeaks]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let run = -1; run < world.runs; run++) {
    const empty = await runPlain(world, [world.empty]);
    const ours = await runPrint(world, { replies: [done] });
    // Looking without pause slows it down, so the memory of the empty program has a run of its own.
    const emptyPeak = await shortPeak(world, [world.empty]);
    const [first] = ours.turns;
    if (run < 0 || !first) continue;
    emptyTimes.push(empty.exited);
    times.push(first.arrived);
    peaks.push(first.peak);
    emptyPeaks.push(emptyPeak);
  }
  return [
    {
      what: "start to first model request, `-p`",
      unit: "ms",
      ours: times,
      other: { name: "empty program, start to end", values: emptyTimes },
      aim: { value: 45, ratio: 8 },
      explain: () => startStages(world),
    },
    {
      what: "peak memory at the first request",
      unit: "MB",
      ours: peaks,
      other: { name: "empty program", values: emptyPeaks },
      aim: { value: 65 },
      explain: () => memoryParts(world),
    },
  ];
}

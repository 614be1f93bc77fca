// Much at once: a long answer of the model, and a command that prints without end.
import { statSync } from "node:fs";
import { join } from "node:path";
import { cpuProfile, memoryGrowth } from "./explain.ts";
import { gap, type Outcome } from "./job.ts";
import type { Row } from "./table.ts";
import { bash, done, freshHome, prose, type PrintRun, runPlain, runPrint, type World } from "./world.ts";

const ANSWER = 2_000_000;
const DELTA = 24;
const OUTPUT = 50_000_000;

const STREAM = ["--output-format", "stream-json", "--verbose", "--include-partial-messages"];

export async function stream(world: World): Promise<Row[]> {
  const answer = [{ type: "text" as const, text: prose(ANSWER, 1) }];
  const replies = [answer];
  const text: PrintRun = { replies, deltaSize: DELTA, memory: "often" };
  const json: PrintRun = { ...text, flags: STREAM };
  const modes = [
    { name: "as text", run: text, outcomes: new Array<Outcome>() },
    { name: "as stream-json with every piece", run: json, outcomes: new Array<Outcome>() },
  ];
  const fetched: number[] = [];
  const hasCurl = Bun.which("curl") !== null;
  const fetchBare = ["curl", "-sS", "--noproxy", "*", "-d", "{}", "{server}/v1/messages"];
  for (let count = 0; count < world.runs; count++) {
    if (hasCurl) fetched.push(answerTime(await runPlain(world, fetchBare, { replies, deltaSize: DELTA })));
    for (const { name, run, outcomes } of modes) {
      outcomes.push(await runPrint(world, run));
      const size = statSync(join(world.dir, "stdout")).size;
      if (size < ANSWER) throw new Error(`the answer ${name} is ${size} bytes long`);
    }
  }
  return modes.flatMap(({ name, run, outcomes }): Row[] => {
    const what = `2 MB answer in ${Math.ceil(ANSWER / DELTA)} pieces, ${name}`;
    const time: Row = { what, unit: "ms", ours: outcomes.map(answerTime), explain: () => cpuProfile(world, run) };
    const bare = hasCurl ? { other: { name: "`curl` into a file", values: fetched } } : {};
    return [
      { ...time, ...bare },
      { what: `its CPU time, with the start`, unit: "ms", ours: outcomes.map(({ cpu }) => cpu) },
      { what: `its peak memory`, unit: "MB", ours: outcomes.map(({ peak }) => peak) },
    ];
  });
}

/** First byte sent to the end of the program. */
function answerTime({ exited, turns }: Outcome): number {
  return exited - (turns[0]?.answering ?? Number.NaN);
}

export async function output(world: World): Promise<Row[]> {
  const commands = [
    { name: "lines", command: `yes | head -c ${OUTPUT}` },
    { name: "one line", command: `head -c ${OUTPUT} /dev/zero | tr '\\0' a` },
  ];
  const rows: Row[] = [];
  for (const { name, command } of commands) {
    const run: PrintRun = { replies: [[bash(command)], done], memory: "often" };
    const [times, bare, peaks]: [number[], number[], number[]] = [[], [], []];
    for (let count = 0; count < world.runs; count++) {
      freshHome(world);
      const outcome = await runPrint(world, run);
      times.push(gap(outcome, 0));
      peaks.push(outcome.turns[1]?.peak ?? 0);
      bare.push((await runPlain(world, ["bash", "--noprofile", "--norc", "-c", command])).exited);
    }
    const explain = () => cpuProfile(world, run);
    rows.push(
      {
        what: `50 MB of command output, ${name}`,
        unit: "ms",
        ours: times,
        other: { name: "the command into a file", values: bare },
        aim: { value: 150 },
        explain,
      },
      {
        what: `peak memory after it, ${name}`,
        unit: "MB",
        ours: peaks,
        aim: { value: 90 },
        explain: () => memoryGrowth(world, run),
      },
    );
  }
  return rows;
}

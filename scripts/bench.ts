// Measures dist/nanocode beside an empty program built the same way, against a loopback model; prints README's table.
// usage: bun scripts/bench.ts [--runs N] [--only NAME,NAME] [--json FILE] [--explain]
import { writeFileSync, writeSync } from "node:fs";
import { output, stream } from "./bench/bulk.ts";
import { cost } from "./bench/cost.ts";
import { long, parallel, Skipped, turns } from "./bench/loop.ts";
import { decisions, wall } from "./bench/permissions.ts";
import { search } from "./bench/search.ts";
import { firstRequest, version } from "./bench/startup.ts";
import { asJson, judge, machine, type Row, table } from "./bench/table.ts";
import { closeWorld, openWorld, type World } from "./bench/world.ts";

const PARTS = { version, first: firstRequest, turns, long, parallel, stream, output, search, decisions, wall, cost };
const RUNS = 10;

type Options = { runs: number; only: string[]; json?: string; explainAll: boolean };

async function main(args: string[]): Promise<number> {
  const options = parse(args);
  const world = openWorld(options.runs, (text) => writeSync(2, `bench: ${text}\n`));
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => reject(new Error("stopped")));
  });
  try {
    return await Promise.race([measure(world, options), interrupted]);
  } finally {
    await closeWorld(world);
  }
}

async function measure(world: World, { runs, only, json, explainAll }: Options): Promise<number> {
  const rows: Row[] = [];
  for (const [name, part] of Object.entries(PARTS)) {
    if (only.length > 0 && !only.includes(name)) continue;
    const started = performance.now();
    rows.push(...(await part(world).catch((error: unknown) => skipped(error, name, world))));
    world.say(`${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  }
  if (rows.length === 0) return 1;
  writeSync(1, `${table(rows)}\n\n${machine(runs)}\n`);
  if (json !== undefined) writeFileSync(json, asJson(rows, runs));
  for (const row of rows) {
    if (row.explain && (explainAll || judge(row).met === false)) await explain(row, row.explain);
  }
  return 0;
}

function skipped(error: unknown, name: string, { say }: World): Row[] {
  if (!(error instanceof Skipped)) throw error;
  say(`${name} was left out: ${error.message}`);
  return [];
}

async function explain({ what }: Row, lines: () => Promise<string[]>): Promise<void> {
  const found = await lines().catch((error: unknown) => [`cannot be told: ${String(error).split("\n")[0]}`]);
  writeSync(1, `\nWhere it goes, ${what}:\n\n${found.map((line) => `    ${line}`).join("\n")}\n`);
}

function parse(args: string[]): Options {
  const options: Options = { runs: RUNS, only: [], explainAll: false };
  for (let index = 0; index < args.length; index++) {
    const flag = args[index];
    if (flag === "--explain") {
      options.explainAll = true;
      continue;
    }
    const value = args[++index];
    if (value === undefined) throw usage(`${flag} needs a value`);
    if (flag === "--runs" && /^[1-9]\d*$/.test(value)) options.runs = Number(value);
    else if (flag === "--only") options.only = value.split(",").map(knownPart);
    else if (flag === "--json") options.json = value;
    else throw usage(`there is no ${flag} ${value}`);
  }
  return options;
}

function knownPart(name: string): string {
  if (name in PARTS) return name;
  throw usage(`there is no part "${name}"`);
}

function usage(problem: string): Error {
  const parts = Object.keys(PARTS).join(",");
  return new Error(`${problem}. usage: bun run bench [--runs N] [--only ${parts}] [--json FILE] [--explain]`);
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    writeSync(2, `bench: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);

// Grep and Glob on 20,000 files, beside rg on the same files with the same findings.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gap } from "./job.ts";
import { Skipped } from "./loop.ts";
import type { Row } from "./table.ts";
import { done, makeTree, runPlain, runPrint, type World } from "./world.ts";

const FILES = 20_000;

type Search = { name: string; tool: "Grep" | "Glob"; pattern: string; rg: string[] };

const SEARCHES: Search[] = [
  grep("a literal (the first in its session)", "frobnicate_widget"),
  grep("a literal again", "frobnicate_widget"),
  grep("a regular expression", "handle[A-Z]\\w+Event\\("),
  grep("an alternation", "alpha_token|beta_token|gamma_token"),
  { name: "`**/*.ts`", tool: "Glob", pattern: "**/*.ts", rg: ["--files", "-g", "**/*.ts"] },
];

function grep(name: string, pattern: string): Search {
  return { name, tool: "Grep", pattern, rg: ["-l", "-e", pattern] };
}

export async function search(world: World): Promise<Row[]> {
  const rg = Bun.which("rg");
  if (!rg) throw new Skipped("there is no `rg` on the PATH");
  world.say(`writing ${FILES} files`);
  const tree = makeTree(join(world.dir, "tree"), FILES, [
    { text: "call(frobnicate_widget);", every: 100 },
    { text: "  handleMouseEvent(42);", every: 200 },
    { text: "x = alpha_token", every: 250 },
    { text: "x = beta_token", every: 400 },
    { text: "x = gamma_token", every: 625 },
  ]);
  const calls = SEARCHES.map(({ tool, pattern }) => [{ type: "tool_use" as const, name: tool, input: { pattern } }]);
  const ours = SEARCHES.map((): number[] => []);
  const bare = SEARCHES.map((): number[] => []);
  for (let count = -1; count < world.runs; count++) {
    const outcome = await runPrint(world, { replies: [...calls, done], cwd: tree.root });
    for (const [index, one] of SEARCHES.entries()) {
      const alone = (await runPlain(world, [rg, ...one.rg], { cwd: tree.root })).exited;
      mustFind(world, one, outcome.lastRequest);
      // The first round only fills the page cache.
      if (count < 0) continue;
      bare[index]?.push(alone);
      ours[index]?.push(gap(outcome, index));
    }
  }
  return SEARCHES.map(({ name, tool }, index) => ({
    what: `${tool} in ${FILES.toLocaleString("en-US")} files, ${name}`,
    unit: "ms",
    ours: ours[index] ?? [],
    other: { name: "`rg`", values: bare[index] ?? [] },
  }));
}

/** A search that finds something else is another search. */
function mustFind({ dir }: World, { name, tool }: Search, lastRequest: string): void {
  const found = readFileSync(join(dir, "stdout"), "utf8").split("\n").length - 1;
  const says = tool === "Grep" ? `Found ${found} files` : `of ${found} `;
  if (found === 0 || !lastRequest.includes(says)) throw new Error(`rg finds ${found} files for ${name}, nanocode not`);
}

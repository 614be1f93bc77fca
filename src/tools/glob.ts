// Glob: finds files by the shape of their path, the most recently changed first.
import { lstatSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { ToolContext, ToolOutput } from "../core/types.ts";
import { displayPath, placeName } from "../files/display.ts";
import { codeOf, fsProblem } from "../files/fserror.ts";
import { absolutePath } from "../files/place.ts";
import type { IgnoreHome } from "../files/scope.ts";
import { walk, type Walked, type WalkedFile } from "../files/walk.ts";
import { globMatcher, planGlob, type GlobPlan } from "./glob-pattern.ts";
import { visible, type Hidden } from "./grep-files.ts";
import { plural } from "./grep-format.ts";
import description from "./glob.md" with { type: "text" };
import { withDeadline } from "./grep-thread.ts";
import { defineTool } from "./tool.ts";

const maxShown = 100;

const schema = z.object({
  pattern: z.string().min(1).describe('The pattern files must match, like "**/*.ts"'),
  path: z.string().optional().describe("The folder to look in; the working directory if not given"),
});
type Input = z.output<typeof schema>;

export type GlobDeps = { home: IgnoreHome; hidden?: Hidden; timeoutMs?: number };

export function globTool(deps: GlobDeps) {
  return defineTool({
    name: "Glob",
    description,
    schema,
    access: (input, cwd) => ({ kind: "read", paths: [planOf(input, cwd).root] }),
    title: ({ pattern, path }) => `Glob ${pattern}${path === undefined ? "" : ` in ${path}`}`,
    run: (input, ctx) => run(input, ctx, deps),
  });
}

function planOf({ pattern, path }: Input, cwd: string): GlobPlan {
  const plan = planGlob(pattern, absolutePath(path ?? ".", cwd));
  // A folder's name by itself stands for what is in it.
  if (/[*?[{\\]/.test(plan.rest) || !isFolder(join(plan.root, plan.rest))) return plan;
  return { root: join(plan.root, plan.rest), rest: "**", depth: Infinity };
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false; // Whatever is wrong with it is reported when it is searched.
  }
}

async function run(input: Input, ctx: ToolContext, deps: GlobDeps): Promise<ToolOutput> {
  const started = performance.now();
  const plan = planOf(input, ctx.cwd);
  const timeoutMs = deps.timeoutMs ?? 20_000;
  const late = () =>
    new Error(
      `The search was stopped after ${timeoutMs / 1000} s. Give a folder in path, or begin the pattern with one.`,
    );
  return withDeadline({ signal: ctx.signal, timeoutMs, pattern: input.pattern, late }, async (signal) => {
    await mustBeFolder(plan.root, ctx.cwd);
    const fits = globMatcher(plan.rest);
    const shows = visible(plan.root, deps.hidden);
    const matches = (path: string) => fits(path) && shows(path);
    const walked = await list(plan, { matches, home: deps.home, signal });
    const picked = await pick(plan.root, walked.files, signal);
    const paths = picked.shown.map((path) => join(plan.root, path));
    const lines = paths.map((path) => displayPath(path, ctx.cwd));
    const notes = notesFor(input, { plan, walked, picked, cwd: ctx.cwd });
    const truncated = picked.total > paths.length || walked.truncated;
    const durationMs = Math.round(performance.now() - started);
    return {
      content: [...lines, ...notes].join("\n"),
      data: { durationMs, numFiles: paths.length, filenames: paths, truncated },
    };
  });
}

async function mustBeFolder(root: string, cwd: string): Promise<void> {
  try {
    if (statSync(root).isDirectory()) return;
  } catch (error) {
    if (codeOf(error) !== "ENOENT" && codeOf(error) !== "ENOTDIR") throw fsProblem(error, root, "read");
    const { explainMissing } = await import("../files/missing.ts");
    const text = await explainMissing(root, cwd);
    throw new Error(text.replace("There is no file", "There is no folder"), { cause: error });
  }
  throw new Error(`${displayPath(root, cwd)} is a file; Glob looks in folders. Read the file, or give its folder.`);
}

type Looking = { matches: (path: string) => boolean; home: IgnoreHome; signal: AbortSignal };

async function list({ root, depth }: GlobPlan, { matches, home, signal }: Looking): Promise<Walked> {
  try {
    return await walk({ root, depth, ignored: "mark", accept: (path) => matches(path), signal, home });
  } catch (error) {
    throw fsProblem(error, root, "read");
  }
}

type Picked = { shown: string[]; total: number };

/** Files nobody ignores come first when there is no room for all; what is shown is in order of change. */
async function pick(root: string, files: readonly WalkedFile[], signal: AbortSignal): Promise<Picked> {
  const dated = async (some: WalkedFile[]) => {
    const out: { path: string; time: number }[] = [];
    let sliceEnd = performance.now() + 5;
    for (const { path, isLink } of some) {
      const time = changed(join(root, path), isLink);
      if (time !== undefined) out.push({ path, time });
      if (performance.now() < sliceEnd) continue;
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
      sliceEnd = performance.now() + 5;
    }
    return out.sort(newestFirst).slice(0, maxShown);
  };
  // A link counts only if it leads to a file.
  const real = files.filter(({ path, isLink }) => !isLink || changed(join(root, path), true) !== undefined);
  const wanted = await dated(real.filter(({ ignored }) => !ignored));
  const room = maxShown - wanted.length;
  const rest = room > 0 ? (await dated(real.filter(({ ignored }) => ignored))).slice(0, room) : [];
  const shown = [...wanted, ...rest].sort(newestFirst).map(({ path }) => path);
  // Some may have gone since they were listed.
  return { shown, total: real.length > maxShown ? real.length : shown.length };
}

function newestFirst(a: { path: string; time: number }, b: { path: string; time: number }): number {
  return b.time - a.time || (a.path < b.path ? -1 : 1);
}

/** Milliseconds; undefined for what is no file, or gone, or whose name is not UTF-8. */
function changed(path: string, isLink: boolean): number | undefined {
  try {
    const stats = isLink ? statSync(path) : lstatSync(path);
    return stats.isFile() ? stats.mtimeMs : undefined;
  } catch {
    return undefined; // A dead link, or a file that went away: there is nothing to list.
  }
}

type Result = { plan: GlobPlan; walked: Walked; picked: Picked; cwd: string };

function notesFor(input: Input, { plan, walked, picked, cwd }: Result): string[] {
  const out: string[] = [];
  const { shown, total } = picked;
  if (shown.length === 0) {
    out.push(`No files match ${input.pattern} in ${placeName(plan.root, cwd)}.`);
    if (!plan.rest.includes("**")) out.push(`Without ** only that depth is searched; try **/${plan.rest}`);
  }
  if (walked.truncated) out.push("[There are too many files to look at all of them. Begin the pattern with a folder.]");
  if (total > shown.length) {
    out.push(
      `[${shown.length} of ${total} files, the most recently changed. Narrow the pattern, or give a folder in path.]`,
    );
  }
  const { unreadable } = walked;
  if (unreadable.length > 0) {
    const names = unreadable.slice(0, 3).map((path) => displayPath(join(plan.root, path), cwd));
    const more = unreadable.length > 3 ? ", ..." : "";
    out.push(`[${plural(unreadable.length, "folder")} could not be read: ${names.join(", ")}${more}]`);
  }
  return out;
}

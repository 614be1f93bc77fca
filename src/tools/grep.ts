// Grep: finds text in files. rg, when there is one, narrows the files down; what matches is always decided by one engine.
import { statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { z } from "zod";
import type { ToolContext, ToolOutput } from "../core/types.ts";
import { displayPath, placeName } from "../files/display.ts";
import { absolutePath } from "../files/place.ts";
import type { IgnoreHome } from "../files/scope.ts";
import { coveredFiles, type Covered, type Hidden } from "./grep-files.ts";
import { contentLines, maxAnswer, moreNote, page, plural } from "./grep-format.ts";
import { maxWholeFile, type GrepJob, type GrepReply } from "./grep-job.ts";
import { searchInThread, withDeadline } from "./grep-thread.ts";
import description from "./grep.md" with { type: "text" };
import { defineTool } from "./tool.ts";

const defaultLimit = 250;
const maxContext = 1000;

const count = z.number().int().min(0);
// What the description says is not said again here: both are sent with every request.
const schema = z.object({
  pattern: z.string().min(1),
  path: z.string().optional(),
  glob: z.string().optional(),
  output_mode: z.enum(["content", "files_with_matches", "count"]).optional(),
  "-B": count.optional().describe("Lines before each match; this to -o: content mode"),
  "-A": count.optional().describe("Lines after"),
  "-C": count.optional().describe("Lines around"),
  context: count.optional().describe("Same as -C"),
  "-n": z.boolean().optional().describe("Line numbers; default true"),
  "-o": z.boolean().optional().describe("Only the matching parts"),
  "-i": z.boolean().optional().describe("Ignore case"),
  type: z.string().optional(),
  head_limit: count.optional(),
  offset: count.optional().describe("Lines or files to leave out first"),
  multiline: z.boolean().optional(),
});
type Input = z.output<typeof schema>;

export type GrepDeps = {
  /** The path of rg, or undefined to do without. */
  rg(): string | undefined;
  home: IgnoreHome;
  hidden?: Hidden;
  timeoutMs?: number;
  /** With fewer files than this rg is not worth starting. */
  rgFromFiles?: number;
};

type Run = { input: Input; ctx: ToolContext; covered: Covered; reply: GrepReply; limit: number; offset: number };

export function grepTool(deps: GrepDeps) {
  return defineTool({
    name: "Grep",
    description,
    schema,
    access: ({ path }, cwd) => ({ kind: "read", paths: [absolutePath(path ?? ".", cwd)] }),
    title: ({ pattern, path }) => `Grep ${JSON.stringify(pattern)}${path === undefined ? "" : ` in ${path}`}`,
    run: (input, ctx) => run(input, ctx, deps),
  });
}

async function run(input: Input, ctx: ToolContext, deps: GrepDeps): Promise<ToolOutput> {
  const timeoutMs = deps.timeoutMs ?? 20_000;
  const late = () =>
    new Error(
      `The search was stopped after ${timeoutMs / 1000} s. Narrow it with path, glob or type, or simplify the pattern.`,
    );
  const { covered, reply } = await withDeadline(
    { signal: ctx.signal, timeoutMs, pattern: input.pattern, late },
    async (signal) => {
      const base = absolutePath(input.path ?? ".", ctx.cwd);
      const job = jobFor(input);
      // Parsed here first: a bad pattern is reported at once, and rg never sees one.
      const { matcher } = await import("./regex/matcher.ts");
      const { rust } = matcher(input.pattern, job);
      const wanted = { base, cwd: ctx.cwd, glob: input.glob, type: input.type, hidden: deps.hidden };
      const covered = await coveredFiles(wanted, deps.home, signal);
      const files = await narrow({ files: covered.files, root: base, rust, job, cwd: ctx.cwd, signal }, deps);
      const narrowed = { ...covered, files };
      return {
        covered: { ...narrowed, total: covered.files.length },
        reply: await searchInThread({ ...job, root: base, files }, signal),
      };
    },
  );
  const limit = input.head_limit === 0 ? Infinity : (input.head_limit ?? defaultLimit);
  const state = { input, ctx, covered, reply, limit, offset: input.offset ?? 0 };
  if (reply.found.length === 0) return nothing(state, covered.total);
  if (input.output_mode === "content") return content(state);
  return input.output_mode === "count" ? counts(state) : list(state);
}

function jobFor(input: Input): Omit<GrepJob, "root" | "files"> {
  const around = input["-C"] ?? input.context ?? 0;
  const isContent = input.output_mode === "content";
  const onlyMatching = isContent && input["-o"] === true;
  const context = (given: number | undefined) =>
    isContent && !onlyMatching ? Math.min(given ?? around, maxContext) : 0;
  return {
    pattern: input.pattern,
    ignoreCase: input["-i"] ?? false,
    multiline: input.multiline ?? false,
    mode: isContent ? "content" : input.output_mode === "count" ? "count" : "list",
    before: context(input["-B"]),
    after: context(input["-A"]),
    onlyMatching,
    offset: input.offset ?? 0,
    limit: input.head_limit === 0 ? Infinity : (input.head_limit ?? defaultLimit),
    maxChars: maxAnswer,
  };
}

type Narrowing = {
  files: string[];
  root: string;
  rust: string | undefined;
  job: Omit<GrepJob, "root" | "files">;
  cwd: string;
  signal: AbortSignal;
};

/** rg reads many files at once and faster; it is asked which of them are worth a look. */
async function narrow({ files, root, rust, job, cwd, signal }: Narrowing, deps: GrepDeps): Promise<string[]> {
  if (rust === undefined || job.multiline || files.length < (deps.rgFromFiles ?? 200)) return files;
  const rg = deps.rg();
  // A program that came with the project is not run unasked.
  if (rg === undefined || isInside(rg, cwd) || isInside(rg, root)) return files;
  const { narrowWithRg } = await import("./grep-rg.ts");
  return narrowWithRg({ rg, pattern: rust, root, files, signal });
}

function isInside(path: string, folder: string): boolean {
  const inside = relative(folder, path);
  return inside !== ".." && !inside.startsWith(`..${sep}`) && folder !== sep;
}

function shown({ covered, ctx }: Run, file: number): string {
  return displayPath(absolute(covered, file), ctx.cwd);
}

function absolute({ root, files }: Covered, file: number): string {
  const path = files[file] ?? "";
  return path === "" ? root : join(root, path);
}

function list(state: Run): ToolOutput {
  const { covered, reply } = state;
  const found = reply.found.map(({ file }) => ({ file, time: changed(absolute(covered, file)) }));
  found.sort((a, b) => b.time - a.time || a.file - b.file);
  const { lines, next } = page(
    found.map(({ file }) => shown(state, file)),
    state,
  );
  const notes = next === undefined ? [] : [moreNote("Files", state, next, found.length)];
  return answer(state, [`Found ${plural(found.length, "file")}`, ...lines, ...notes, ...problems(state)], {
    mode: "files_with_matches",
    numFiles: found.length,
    filenames: found.slice(state.offset, state.offset + lines.length).map(({ file }) => absolute(covered, file)),
  });
}

/** Milliseconds; 0 for a file that has gone since. */
function changed(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function counts(state: Run): ToolOutput {
  const { found } = state.reply;
  const entries = found.map(({ file, count }) => `${shown(state, file)}:${count}`);
  const { lines, next } = page(entries, state);
  const total = found.reduce((sum, { count }) => sum + count, 0);
  const what = plural(total, state.input.multiline ? "match" : "matching line");
  const notes = next === undefined ? [] : [moreNote("Files", state, next, found.length)];
  const summary = `Found ${what} in ${plural(found.length, "file")}.`;
  return answer(state, [...lines, summary, ...notes, ...problems(state)], {
    mode: "count",
    numFiles: found.length,
    filenames: [],
    content: lines.join("\n"),
    numMatches: total,
  });
}

function content(state: Run): ToolOutput {
  const { covered, reply, input, offset } = state;
  const name = (file: number) => (covered.isFile ? undefined : shown(state, file));
  const job = jobFor(input);
  const style = { name, numbers: input["-n"] ?? true, groups: job.before > 0 || job.after > 0 };
  const lines = contentLines(reply.lines, style);
  const files = [...new Set(reply.lines.map(({ file }) => file))];
  const next = offset + reply.lines.length;
  const notes = reply.more ? [moreNote("Lines", state, next)] : [];
  if (reply.lines.length === 0) {
    notes.push(
      offset > 0
        ? "[There are no lines at this offset. Use a smaller one.]"
        : "[Every match is empty: -o has nothing to show.]",
    );
  }
  return answer(state, [...lines, ...notes, ...problems(state)], {
    mode: "content",
    numFiles: files.length,
    filenames: files.map((file) => absolute(covered, file)),
    content: lines.join("\n"),
    numLines: reply.lines.length,
  });
}

function answer({ limit, offset, reply }: Run, lines: string[], data: object): ToolOutput {
  const cut = reply.more || limit < reply.found.length;
  const paging = {
    ...(cut && limit !== Infinity ? { appliedLimit: limit } : {}),
    ...(offset > 0 ? { appliedOffset: offset } : {}),
  };
  return { content: lines.join("\n"), data: { ...data, ...paging } };
}

function nothing(state: Run, total: number): ToolOutput {
  const { input, covered, reply } = state;
  const lines = ["No matches found."];
  if (total === 0) {
    const filters = [input.glob && `glob ${input.glob}`, input.type && `type ${input.type}`]
      .filter(Boolean)
      .join(" and ");
    const what = filters === "" ? "It holds no files that git does not ignore" : `No file there fits ${filters}`;
    lines.push(`No file was searched in ${placeName(covered.root, state.ctx.cwd)}. ${what}.`);
  } else if (reply.binary.length > 0 && covered.isFile) {
    lines.push("It is a binary file; use Bash with `strings` or `grep -a` to look into it.");
  } else if (!covered.isFile) {
    lines.push(`${plural(total, "file")} searched; files ignored by git are not, unless path names them.`);
  }
  const mode = input.output_mode ?? "files_with_matches";
  const empty =
    mode === "files_with_matches" ? {} : { content: "", ...(mode === "count" ? { numMatches: 0 } : { numLines: 0 }) };
  return answer(state, [...lines, ...problems(state)], { mode, numFiles: 0, filenames: [], ...empty });
}

/** What could not be searched; binary files go without saying. */
function problems(state: Run): string[] {
  const { reply, covered } = state;
  const out: string[] = [];
  const some = (names: string[]) => names.slice(0, 3).join(", ") + (names.length > 3 ? ", ..." : "");
  const folders = covered.unreadableFolders.map((path) => displayPath(join(covered.root, path), state.ctx.cwd));
  if (folders.length > 0) out.push(`[${plural(folders.length, "folder")} could not be read: ${some(folders)}]`);
  const files = reply.unreadable.map(({ file, reason }) => `${shown(state, file)} (${reason})`);
  if (files.length > 0) out.push(`[${plural(files.length, "file")} could not be read: ${some(files)}]`);
  const large = reply.tooLarge.map((file) => shown(state, file));
  const why = `too large for this search (over ${maxWholeFile >> 20} MB in multiline mode or UTF-16)`;
  if (large.length > 0) out.push(`[${plural(large.length, "file")} ${why}: ${some(large)}]`);
  return out;
}

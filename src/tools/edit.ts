// Edit: one text for another, byte for byte, in a file the model has read.
import { z } from "zod";
import type { ToolContext, ToolOutput } from "../core/types.ts";
import { locate, writeAtomic, type Target } from "../files/atomic.ts";
import { lineNumberAt } from "../files/breaks.ts";
import { decodeDoc, detectForm, formName, unencodable, UTF8, type Doc } from "../files/encoding.ts";
import { loadFile, sameVersion, versionOf, type Version } from "../files/open.ts";
import { absolutePath } from "../files/place.ts";
import { diffHunks, snippet } from "../files/patch.ts";
import { findText, replaceText, type Found } from "../files/replace.ts";
import type { FileTracker, Seen } from "../files/tracker.ts";
import { namePoints } from "../files/unicode.ts";
import description from "./edit.md" with { type: "text" };
import { defineTool } from "./tool.ts";

const EDIT_LIMIT = 64 * 1024 * 1024;
// Above it the original is left out of `data`: its line of stream-json must stay below 1 MB.
const ORIGINAL_LIMIT = 256 * 1024;
const SNIPPET_LINES = 20;

const schema = z.object({
  file_path: z
    .string()
    .min(1)
    .refine((path) => !path.includes("\0"), "must not contain a NUL character")
    .describe("The file to change; absolute, or relative to the working directory"),
  old_string: z.string().describe("The text to replace, exactly as it is in the file"),
  new_string: z.string().describe("The text to put in its place"),
  replace_all: z.boolean().optional().describe("Replace every occurrence instead of exactly one"),
});
type Input = z.output<typeof schema>;

export type EditDeps = { tracker: FileTracker };

export function editTool({ tracker }: EditDeps) {
  return defineTool({
    name: "Edit",
    description,
    schema,
    access: ({ file_path }, cwd) => ({ kind: "write", paths: [absolutePath(file_path, cwd)] }),
    title: ({ file_path }) => `Edit ${file_path}`,
    run: (input, ctx) => edit(input, ctx, tracker),
  });
}

async function edit(input: Input, ctx: ToolContext, tracker: FileTracker): Promise<ToolOutput> {
  refuseSenseless(input);
  const path = absolutePath(input.file_path, ctx.cwd);
  const target = await locate(path);
  if (input.old_string === "") return create(input, target, ctx, tracker);
  if (!target.stat) {
    const { explainMissing } = await import("../files/missing.ts");
    throw new Error(`${await explainMissing(path, ctx.cwd)}\nTo create a new file use Write.`);
  }
  const seen = await tracker.known(target.path, ctx.signal);
  if (!seen) throw new Error(`${path} has not been read yet. Read it first, then edit.`);
  const { doc, version, current } = await load(target, ctx.signal);
  const changed = !sameVersion(seen.version, version);
  const found = findText(doc, input.old_string);
  await refuseUnclear({ input, doc, found, changed });
  const bytes = replaceText(doc, found, input.old_string, input.new_string);
  if (bytes.equals(doc.bytes)) throw new Error("The file already has exactly that text; nothing was changed.");
  const written = await writeAtomic(current, bytes, { signal: ctx.signal });
  const after = { bytes, form: doc.form };
  remember(tracker, { path: target.path, seen, changed, version: versionOf(written.stat, bytes), doc, found });
  return report({ input, path, before: doc, after, found, changed, notes: written.notes });
}

function refuseSenseless({ old_string, new_string }: Input): void {
  if (old_string === new_string) {
    throw new Error(
      "old_string and new_string are the same, so there is nothing to change. Pass the changed text as new_string.",
    );
  }
  if (new_string.isWellFormed() && old_string.isWellFormed()) return;
  throw new Error("The strings contain half of a surrogate pair, which is not text. Pass whole characters.");
}

async function create(input: Input, target: Target, ctx: ToolContext, tracker: FileTracker): Promise<ToolOutput> {
  if (target.stat && target.stat.size > 0n) {
    throw new Error(
      `${target.path} exists and is not empty, and an empty old_string only creates files. ` +
        "Pass the text to replace as old_string, or use Write for a new content.",
    );
  }
  const bytes = Buffer.from(input.new_string, "utf8");
  const { stat, notes } = await writeAtomic(target, bytes, { signal: ctx.signal });
  tracker.sawAll(target.path, versionOf(stat, bytes));
  const before = { bytes: Buffer.alloc(0), form: UTF8 };
  const after = { bytes, form: UTF8 };
  const path = absolutePath(input.file_path, ctx.cwd);
  const text = [`Created ${input.file_path}.`, ...notes].join("\n");
  return { content: text, ...(await evidence({ input, path, before, after })) };
}

async function load(target: Target, signal: AbortSignal): Promise<{ doc: Doc; version: Version; current: Target }> {
  const { bytes, stat, path } = await loadFile(target.path, EDIT_LIMIT, signal).catch((error: unknown) => {
    const text = error instanceof Error ? error.message : String(error);
    throw new Error(/limit/.test(text) ? `${text} Change it with Bash (sed, perl, a script).` : text, { cause: error });
  });
  if (path !== target.path) throw new Error(`${target.path} was replaced by a link meanwhile. Read ${path} itself.`);
  const form = detectForm(bytes);
  if (!form) throw new Error(`${target.path} is not a text file. Change it with a program made for its format.`);
  return { doc: { bytes, form }, version: versionOf(stat, bytes), current: { ...target, stat } };
}

type Attempt = { input: Input; doc: Doc; found: Found; changed: boolean };

async function refuseUnclear({ input, doc, found, changed }: Attempt): Promise<void> {
  const { matches, overlapping } = found;
  if (matches.length === 0) throw new Error(await missText({ input, doc, found, changed }));
  if (matches.length > 1 && !input.replace_all) {
    throw new Error(
      `old_string is in the file ${matches.length} times (${linesText(doc, found)}). ` +
        "Add surrounding lines until it is unique, or set replace_all to change all of them.",
    );
  }
  if (overlapping && !input.replace_all) {
    throw new Error("old_string can be found in places that overlap. Add surrounding text until it is unique.");
  }
  if (matches.length > 1 && changed) {
    throw new Error(
      `${input.file_path} has changed since it was read, and old_string is in it ${matches.length} times. Read it again, then edit.`,
    );
  }
  const lacking = unencodable(input.new_string, doc.form.encoding);
  if (lacking === undefined) return;
  throw new Error(
    `The file is in ${formName(doc.form)}, which has no ${namePoints(lacking)}. ` +
      "Use other characters, or convert the file to UTF-8 with Bash (iconv) and read it again.",
  );
}

async function missText({ input, doc, changed }: Attempt): Promise<string> {
  const { explainMiss } = await import("../files/nearmiss.ts");
  const why = explainMiss({ text: decodeDoc(doc), old: input.old_string, replacement: input.new_string });
  const lines = [`old_string is not in ${input.file_path}.`];
  if (changed) lines[0] += " The file has changed since it was read.";
  if (doc.form.invalid && input.old_string.includes("\ufffd")) {
    lines.push(
      "\ufffd stands for a byte that is not valid UTF-8: leave it out of old_string, edit the text around it.",
    );
  }
  if (input.file_path.endsWith(".ipynb")) {
    lines.push("A notebook is JSON: Read shows its cells, not its text. Use NotebookEdit, or a script with Bash.");
  }
  return [...lines, why].join("\n");
}

/** "lines 3, 17, 20 and 5 more" */
function linesText(doc: Doc, { matches }: Found): string {
  const shown = matches.slice(0, 10).map(({ start }) => lineNumberAt(doc, start));
  const more = matches.length > shown.length ? ` and ${matches.length - shown.length} more` : "";
  return `line${matches.length > 1 ? "s" : ""} ${shown.join(", ")}${more}`;
}

type Memory = { path: string; seen: Seen; changed: boolean; version: Version; doc: Doc; found: Found };

function remember(tracker: FileTracker, { path, changed, version, doc, found }: Memory): void {
  if (changed) return tracker.editedUnseen(path, version);
  tracker.edited(path, version, lineNumberAt(doc, found.matches[0]?.start ?? 0));
}

type Done = { input: Input; path: string; before: Doc; after: Doc };

async function report(done: Done & { found: Found; changed: boolean; notes: string[] }): Promise<ToolOutput> {
  const { input, before, after, found, changed, notes } = done;
  const count = found.matches.length;
  const start = found.matches[0]?.start ?? 0;
  const first = found.matches[0]?.end ?? 0;
  // All replacements change the length alike but for line breaks, so this end is near enough for a snippet.
  const end = Math.max(start, first + Math.trunc((after.bytes.length - before.bytes.length) / Math.max(1, count)));
  const places = `${count === 1 ? "1 replacement" : `${count} replacements`}, ${linesText(before, found)}`;
  const lines = [`Edited ${input.file_path} (${places}).`, ...notes];
  if (changed) lines.push("The file had changed since it was read; the rest of it may not be what you know.");
  lines.push(`Now${count > 1 ? ", at the first place" : ""}:`, snippet(after, start, end, SNIPPET_LINES));
  return { content: lines.join("\n"), ...(await evidence(done)) };
}

async function evidence({ input, path, before, after }: Done): Promise<Pick<ToolOutput, "view" | "data">> {
  const hunks = await diffHunks(before, after);
  const data = {
    filePath: path,
    oldString: input.old_string,
    newString: input.new_string,
    originalFile: before.bytes.length > ORIGINAL_LIMIT ? null : decodeDoc(before),
    structuredPatch: hunks ?? [],
    userModified: false,
    replaceAll: input.replace_all ?? false,
  };
  const text = "The difference is too large to be shown.";
  return { view: hunks ? { kind: "diff", path, hunks } : { kind: "text", text }, data };
}

// Write: a new file, or a new content for one whose old content the model knows.
import { open } from "node:fs/promises";
import { z } from "zod";
import type { ToolContext, ToolOutput } from "../core/types.ts";
import { locate, writeAtomic, type Target } from "../files/atomic.ts";
import { hasCr, nextBreak } from "../files/breaks.ts";
import { decodeDoc, detectForm, encodeDoc, formName, UTF8, type Doc, type TextForm } from "../files/encoding.ts";
import { bytesText, loadFile, sameVersion, versionOf, WHOLE_LIMIT } from "../files/open.ts";
import { absolutePath } from "../files/place.ts";
import { diffHunks } from "../files/patch.ts";
import type { FileTracker, LineRange } from "../files/tracker.ts";
import { defineTool } from "./tool.ts";
import description from "./write.md" with { type: "text" };

// Above it the original is left out of `data`: its line of stream-json must stay below 1 MB.
const ORIGINAL_LIMIT = 256 * 1024;

const schema = z.object({
  file_path: z
    .string()
    .min(1)
    .refine((path) => !path.includes("\0"), "must not contain a NUL character")
    .refine((path) => !/[\\/]$/.test(path), "must name a file, not a folder")
    .describe("The file to write; absolute, or relative to the working directory"),
  content: z.string().describe("The whole content of the file"),
});
type Input = z.output<typeof schema>;

export type WriteDeps = { tracker: FileTracker };

export function writeTool({ tracker }: WriteDeps) {
  return defineTool({
    name: "Write",
    description,
    schema,
    access: ({ file_path }, cwd) => ({ kind: "write", paths: [absolutePath(file_path, cwd)] }),
    title: ({ file_path }) => `Write ${file_path}`,
    run: (input, ctx) => write(input, ctx, tracker),
  });
}

async function write(input: Input, ctx: ToolContext, tracker: FileTracker): Promise<ToolOutput> {
  if (!input.content.isWellFormed()) {
    throw new Error("The content has half of a surrogate pair in it, which is not text. Pass whole characters.");
  }
  const path = absolutePath(input.file_path, ctx.cwd);
  const target = await locate(path);
  const old = target.stat && target.stat.size > 0n ? await oldContent(target, tracker, ctx.signal) : undefined;
  const form = old?.form ?? UTF8;
  const after = encodeDoc(input.content, form) ?? encodeDoc(input.content, UTF8);
  if (!after) throw new Error("The content cannot be written as text.");
  const before: Doc = old?.doc ?? { bytes: Buffer.alloc(0), form: after.form };
  const current = old ? { ...target, stat: old.stat } : target;
  const written = await writeAtomic(current, after.bytes, { signal: ctx.signal });
  tracker.sawAll(target.path, versionOf(written.stat, after.bytes));
  const hunks = old && !old.doc ? undefined : await diffHunks(before, after);
  const notes = [...written.notes, ...formNotes(form, after.form), ...(old?.doc ? endingNotes(old.doc, after) : [])];
  const did = target.stat ? "Updated" : "Created";
  const size = `${lineCount(input.content)}, ${bytesText(after.bytes.length)}`;
  const original = target.stat ? originalText(target.stat.size > 0n ? old?.doc : before) : null;
  return {
    content: [`${did} ${input.file_path} (${size}).`, ...notes].join("\n"),
    view: hunks ? { kind: "diff", path, hunks } : { kind: "text", text: "The difference is too large to be shown." },
    data: {
      type: target.stat ? "update" : "create",
      filePath: path,
      content: input.content,
      structuredPatch: hunks ?? [],
      originalFile: original,
      userModified: false,
    },
  };
}

type Old = { stat: NonNullable<Target["stat"]>; form: TextForm; /** Absent for large files. */ doc?: Doc };

/** What is there now, if the model knows it all; throws otherwise. */
async function oldContent(target: Target, tracker: FileTracker, signal: AbortSignal): Promise<Old> {
  const { path } = target;
  const seen = await tracker.known(path, signal);
  if (!seen) {
    throw new Error(
      `${path} exists and has not been read. Read it first, so that nothing in it gets lost unseen ` +
        "(if it cannot be read and should go, remove it with Bash first).",
    );
  }
  const old = await loadOld(target, signal);
  if (!sameVersion(seen.version, versionOf(old.stat, old.doc?.bytes))) {
    throw new Error(`${path} has changed since it was read. Read it again, then write.`);
  }
  if (seen.lines !== "all") throw new Error(partText(path, seen.lines));
  return old;
}

async function loadOld(target: Target, signal: AbortSignal): Promise<Old> {
  if (!target.stat) throw new Error(`${target.path} is gone. Try again.`);
  if (target.stat.size > BigInt(WHOLE_LIMIT)) {
    const handle = await open(target.path);
    try {
      const head = Buffer.alloc(64 * 1024);
      const { bytesRead } = await handle.read(head, 0, head.length, 0);
      const form = detectForm(head.subarray(0, bytesRead), { cut: true }) ?? UTF8;
      return { stat: target.stat, form };
    } finally {
      await handle.close();
    }
  }
  const { bytes, stat } = await loadFile(target.path, WHOLE_LIMIT, signal);
  const form = detectForm(bytes);
  return form ? { stat, form, doc: { bytes, form } } : { stat, form: UTF8 };
}

function partText(path: string, ranges: readonly LineRange[]): string {
  const [first] = ranges;
  if (!first) return `${path} was edited without its present content having been read. Read it, then write.`;
  const next = first.from > 1 ? 1 : first.to + 1;
  const seen = ranges.map(({ from, to }) => `${from}-${to}`).join(", ");
  return `Only lines ${seen} of ${path} have been read, and Write replaces all of it. Read the rest first (offset ${next}), or use Edit.`;
}

function formNotes(old: TextForm, fresh: TextForm): string[] {
  if (old.encoding !== fresh.encoding) {
    return [`It was in ${formName(old)}, which lacks some of these characters; it is UTF-8 now.`];
  }
  const plain = fresh.encoding === "utf-8" && fresh.bom === 0;
  return plain ? [] : [`Its encoding was kept: ${formName({ ...fresh, invalid: false })}.`];
}

/** The old line endings cannot be seen in what Read shows, so losing them may not be meant. */
function endingNotes(old: Doc, fresh: Doc): string[] {
  if (!hasCr(old) || hasCr(fresh) || nextBreak(fresh.bytes, 0, fresh.form) < 0) return [];
  return ["Its lines ended with CRLF or CR before and end with LF now. If they should not, write it with \\r\\n."];
}

function originalText(doc: Doc | undefined): string | null {
  return doc && doc.bytes.length <= ORIGINAL_LIMIT ? decodeDoc(doc) : null;
}

function lineCount(text: string): string {
  const count = text === "" ? 0 : text.split(/\r\n|\n|\r/).length - (/[\r\n]$/.test(text) ? 1 : 0);
  return count === 1 ? "1 line" : `${count} lines`;
}

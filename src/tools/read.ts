// Read: text by pages, pictures, notebooks; whatever cannot be shown is named, with the way to look at it.
import { stat } from "node:fs/promises";
import { z } from "zod";
import type { ToolContext, ToolOutput } from "../core/types.ts";
import { detectForm, type TextForm } from "../files/encoding.ts";
import { codeOf, fsProblem } from "../files/fserror.ts";
import type { Page } from "../files/lines.ts";
import { numbered, readPage } from "../files/lines.ts";
import { bytesText, kindOf, openRegular, readUpTo, versionOf, WHOLE_LIMIT } from "../files/open.ts";
import { absolutePath } from "../files/place.ts";
import { readStream } from "../files/stream.ts";
import { sniff, type ImageKind } from "../files/sniff.ts";
import type { FileTracker } from "../files/tracker.ts";
import { pageNotes } from "./readnotes.ts";
import description from "./read.md" with { type: "text" };
import { defineTool } from "./tool.ts";

const LINES = 2000;
const BUDGET = 80_000;
const LINE_LENGTH = 2000;
const HEAD = 256 * 1024;
/** Pictures and notebooks are decoded in memory. */
const DECODE_LIMIT = 64 * 1024 * 1024;

const schema = z.object({
  file_path: z
    .string()
    .min(1)
    .refine((path) => !path.includes("\0"), "must not contain a NUL character")
    .describe("The file to read; absolute, or relative to the working directory"),
  offset: z.number().min(0).optional().describe("First line to show, counted from 1"),
  limit: z.number().min(1).optional().describe(`How many lines to show (${LINES} if not given)`),
  pages: z.string().optional().describe("For a PDF: the pages wanted, like 1-5"),
});
type Input = z.output<typeof schema>;

export type ReadDeps = { tracker: FileTracker };

export function readTool({ tracker }: ReadDeps) {
  return defineTool({
    name: "Read",
    description,
    schema,
    access: ({ file_path }, cwd) => ({ kind: "read", paths: [absolutePath(file_path, cwd)] }),
    title: ({ file_path, offset }) =>
      `Read ${file_path}${offset && offset > 1 ? ` from line ${Math.floor(offset)}` : ""}`,
    run: (input, ctx) => read(input, ctx, tracker),
  });
}

type Job = {
  input: Input;
  path: string;
  real: string;
  tracker: FileTracker;
  signal: AbortSignal;
  want: { offset: number; limit: number };
};

async function read(input: Input, ctx: ToolContext, tracker: FileTracker): Promise<ToolOutput> {
  const path = absolutePath(input.file_path, ctx.cwd);
  await refuseMissingOrFolder(path, ctx.cwd);
  const { handle, path: real, stat: info } = await openRegular(path);
  const want = { offset: Math.max(1, Math.floor(input.offset ?? 1)), limit: Math.floor(input.limit ?? LINES) };
  const job: Job = { input, path, real, tracker, signal: ctx.signal, want };
  try {
    const size = Number(info.size);
    const head = await readUpTo(handle, size > WHOLE_LIMIT ? HEAD : WHOLE_LIMIT + 1, ctx.signal);
    const bytes = size <= WHOLE_LIMIT && head.length <= WHOLE_LIMIT ? head : undefined;
    const form = detectForm(bytes ?? head.subarray(0, HEAD), { cut: bytes === undefined });
    const sniffed = sniff(head);
    const version = versionOf(info, bytes);
    if (sniffed?.kind === "pdf") throw new Error(pdfText(job, size));
    if (sniffed?.kind === "image" && form?.encoding !== "utf-8") {
      const whole = bytes ?? (await decodable(job, size, () => readUpTo(handle, DECODE_LIMIT, ctx.signal)));
      const output = await picture(job, whole, sniffed.format);
      tracker.sawAll(real, version);
      return output;
    }
    if (!form)
      throw new Error(binaryText(job, Math.max(size, head.length), sniffed?.kind === "data" ? sniffed : undefined));
    if (real.endsWith(".ipynb")) {
      const whole = bytes ?? (await decodable(job, size, () => readUpTo(handle, DECODE_LIMIT, ctx.signal)));
      const output = await notebook(job, whole, form);
      if (output) {
        tracker.sawAll(real, version);
        return output;
      }
    }
    const request = { ...want, budget: BUDGET, lineLength: LINE_LENGTH };
    const chunks = bytes ? [bytes.subarray(form.bom)] : readStream(handle, form.bom, ctx.signal);
    const page = await readPage(chunks, form, request);
    const output = textOutput(job, page, form);
    const shown = { from: page.start, to: page.start + page.lines.length - 1 };
    if (page.total === 0) tracker.sawAll(real, version);
    else tracker.sawLines(real, version, shown, page.total);
    return output;
  } catch (error) {
    throw fsProblem(error, path, "read");
  } finally {
    await handle.close();
  }
}

async function refuseMissingOrFolder(path: string, cwd: string): Promise<void> {
  try {
    const info = await stat(path, { bigint: true });
    if (kindOf(info) !== "folder") return;
  } catch (error) {
    if (codeOf(error) !== "ENOENT" && codeOf(error) !== "ENOTDIR") throw fsProblem(error, path, "read");
    const { explainMissing } = await import("../files/missing.ts");
    throw new Error(await explainMissing(path, cwd), { cause: error });
  }
  const { listSome } = await import("../files/missing.ts");
  const { names, more } = await listSome(path, 30).catch(() => ({ names: [], more: false }));
  const list = names.length ? ` It holds:\n${names.join("\n")}${more ? "\n[... and more]" : ""}` : "";
  throw new Error(`${path} is a folder. List it with Glob or \`ls\`, then read a file in it.${list}`);
}

function textOutput(job: Job, page: Page, form: TextForm): ToolOutput {
  const { input, want } = job;
  if (page.lines.length === 0 && page.total !== undefined && page.total > 0) {
    throw new Error(`${job.path} has ${page.total} lines; there is no line ${want.offset}. Use a smaller offset.`);
  }
  const nul = page.lines.some((line) => line.includes("\0"));
  // Some servers refuse a NUL inside JSON, and then every later request of the session.
  const lines = nul ? page.lines.map((line) => line.replaceAll("\0", "\u2400")) : page.lines;
  const notes = pageNotes(page, form, input.file_path);
  if (nul) notes.push("NUL characters are shown as \u2400.");
  const body = lines.length ? [numbered(lines, page.start)] : [];
  return {
    content: [...body, ...notes.map((note) => `[${note}]`)].join("\n"),
    data: {
      type: "text",
      file: {
        filePath: job.path,
        content: lines.join("\n"),
        numLines: lines.length,
        startLine: page.start,
        ...(page.total === undefined ? {} : { totalLines: page.total }),
      },
    },
  };
}

async function decodable(job: Job, size: number, load: () => Promise<Buffer>): Promise<Buffer> {
  if (size < DECODE_LIMIT) return load();
  throw new Error(
    `${job.path} is ${bytesText(size)}; at most ${bytesText(DECODE_LIMIT)} can be shown. Make it smaller with Bash first.`,
  );
}

async function picture(job: Job, bytes: Buffer, format: ImageKind): Promise<ToolOutput> {
  const { loadPicture } = await import("../files/image.ts");
  const { block, original, sent, untouched } = await loadPicture(bytes, format).catch((error: unknown) => {
    throw new Error(`Cannot show ${job.path}: ${error instanceof Error ? error.message : String(error)}`);
  });
  const as = block.source.type === "base64" ? block.source.media_type : format;
  const how = untouched ? "sent as it is" : `sent as ${as}, ${sent.width} x ${sent.height}, ${bytesText(sent.bytes)}`;
  const text = `${job.input.file_path}: ${format.toUpperCase()}, ${original.width} x ${original.height}, ${bytesText(original.bytes)}; ${how}.`;
  const dimensions = {
    originalWidth: original.width,
    originalHeight: original.height,
    displayWidth: sent.width,
    displayHeight: sent.height,
  };
  return {
    content: [{ type: "text", text }, block],
    data: { type: "image", file: { filePath: job.path, type: as, originalSize: original.bytes, dimensions } },
  };
}

/** Undefined when it is not a notebook after all: then it is shown as the text it is. */
async function notebook(job: Job, bytes: Buffer, form: TextForm): Promise<ToolOutput | undefined> {
  const [{ notebookPage }, { decodeDoc }] = await Promise.all([
    import("../files/notebook.ts"),
    import("../files/encoding.ts"),
  ]);
  const page = notebookPage(decodeDoc({ bytes, form }), { ...job.want, budget: BUDGET });
  if (!page) return undefined;
  if (page.total > 0 && page.cells.length === 0) {
    throw new Error(`${job.path} has ${page.total} cells; there is no cell ${job.want.offset}. Use a smaller offset.`);
  }
  const last = page.start + page.cells.length - 1;
  const more = page.next === undefined ? "" : ` Go on with offset ${page.next}.`;
  const note =
    page.total === 0 ? "[The notebook has no cells.]" : `[Cells ${page.start}-${last} of ${page.total}.${more}]`;
  return {
    content: [page.text, note].filter(Boolean).join("\n\n"),
    data: { type: "notebook", file: { filePath: job.path, cells: page.cells } },
  };
}

function pdfText({ path, input }: Job, size: number): string {
  const [, from = "1", to = "5"] = /^\s*(\d+)(?:\s*-\s*(\d+))?/.exec(input.pages ?? "") ?? [];
  const range = input.pages
    ? `-f ${from} -l ${Math.max(Number(from), Number(/-/.test(input.pages) ? to : from))} `
    : "";
  return (
    `${path} is a PDF (${bytesText(size)}), which is not shown as it is. Extract its text with Bash: ` +
    `\`pdftotext -layout ${range}FILE -\`; for scanned pages make pictures with ` +
    `\`pdftoppm -r 100 -png ${range}FILE PREFIX\` and read those.`
  );
}

function binaryText({ path }: Job, size: number, known: { name: string; advice: string } | undefined): string {
  const what = known ? known.name : "a binary file";
  const advice = known ? known.advice : "`file`, `strings` or `xxd FILE | head` show what it holds.";
  return `${path} is ${what} (${bytesText(size)}), not text, so it is not shown. With Bash: ${advice}`;
}

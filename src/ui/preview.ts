// What a Write or an Edit would change, for the person who is asked about it: the beginning, and how much more there is.
import { isUtf8 } from "node:buffer";
import { readFile, stat } from "node:fs/promises";
import type { Question } from "../core/types.ts";
import { rows, rowWidth, visible } from "./question.ts";

const SHOWN_ROWS = 20;
/** Of one line. */
const LINE_CHARS = 200;
const CONTEXT = 2;
/** Longer texts are not compared: what there is of the new one is shown. */
const COMPARED_CHARS = 256 * 1024;

/** The text of a file, undefined where there is none; null: it is there, and cannot be shown. */
export type ReadText = (path: string) => Promise<string | undefined | null>;

export type PreviewWorld = { read?: ReadText; width?: number };

/** Rows for questionText; none for other calls. Everything in them is safe for a terminal. */
export async function changePreview(
  { call, access }: Pick<Question, "call" | "access">,
  { read = readText, width = rowWidth() }: PreviewWorld = {},
): Promise<string[]> {
  const { old_string: old, new_string: fresh, content, replace_all: all } = call.input;
  const path = access.kind === "write" ? access.paths[0] : undefined;
  if (path === undefined) return [];
  const note = (text: string) => rows("  | ", `(${text})`, width);
  if (typeof old === "string" && typeof fresh === "string") {
    // Parts of lines, mostly: that they have no line end says nothing.
    const ended = (text: string) => (text === "" ? "" : `${text}\n`);
    const shown = bounded(await difference(ended(old), ended(fresh)), width);
    return all === true ? [...shown, ...note("at every place where it stands")] : shown;
  }
  if (typeof content !== "string") return [];
  const before = await read(path);
  if (before === content) return note("the file has this content already");
  if (before !== null) return bounded(await difference(before ?? "", content), width);
  return [...note("instead of a content that cannot be shown"), ...bounded(signed("+", content), width)];
}

/** Lines that begin with " ", "+" or "-"; "..." stands for lines that stay as they are. */
async function difference(before: string, after: string): Promise<string[]> {
  const whole = [...signed("-", before), ...signed("+", after)];
  if (before === "" || after === "" || before.length + after.length > COMPARED_CHARS) return whole;
  const { structuredPatch } = await import("diff");
  const patch = structuredPatch("", "", before, after, undefined, undefined, { context: CONTEXT, timeout: 100 });
  if (!patch) return whole;
  return patch.hunks.flatMap(({ lines }, i) => [
    ...(i > 0 ? ["..."] : []),
    ...lines.map((line) => (line.startsWith("\\") ? "  (without a line end)" : `${line.slice(0, 1)} ${line.slice(1)}`)),
  ]);
}

function signed(sign: "+" | "-", text: string): string[] {
  if (text === "") return [];
  return text
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => `${sign} ${line}`);
}

/** Whole lines while there is room; of a long line the beginning. What is left out is counted. */
function bounded(lines: readonly string[], width: number): string[] {
  const shown: string[] = [];
  for (const [i, line] of lines.entries()) {
    const more = visible(shortened(line)).flatMap((part) => rows("  | ", part, width));
    if (shown.length + more.length > SHOWN_ROWS) {
      const count = (sign: string) => lines.filter((one) => one.startsWith(sign)).length;
      const left = lines.length - i;
      const all = `in all ${count("+")} in, ${count("-")} out`;
      return [...shown, ...rows("  | ", `... and ${left} more ${left === 1 ? "line" : "lines"} (${all})`, width)];
    }
    shown.push(...more);
  }
  return shown;
}

function shortened(line: string): string {
  const over = line.length - LINE_CHARS;
  return over > 0 ? `${line.slice(0, LINE_CHARS)} [and ${over} more characters]` : line;
}

async function readText(path: string): Promise<string | undefined | null> {
  try {
    const found = await stat(path);
    if (!found.isFile() || found.size > COMPARED_CHARS) return null;
    const bytes = await readFile(path);
    return isUtf8(bytes) && !bytes.includes(0) ? bytes.toString("utf8") : null;
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    return isMissing ? undefined : null;
  }
}

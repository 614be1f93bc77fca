// The text of Grep's answer: pages of files, counts or lines, and the notes below them.
import type { GrepLine } from "./grep-job.ts";

/** All that is shown of one answer, in characters. */
export const maxAnswer = 30_000;

export type Paging = { offset: number; limit: number };
export type Shown = { lines: string[]; next: number | undefined };

/** The entries of a page, as many as fit. `next`: the offset to go on with. */
export function page(entries: readonly string[], { offset, limit }: Paging): Shown {
  const lines: string[] = [];
  let chars = 0;
  for (const entry of entries.slice(offset)) {
    chars += entry.length + 1;
    if (lines.length >= limit || (chars > maxAnswer && lines.length > 0)) return { lines, next: offset + lines.length };
    lines.push(entry);
  }
  return { lines, next: undefined };
}

export type LineStyle = {
  /** The path shown for a file, or undefined when there is only one and it was asked for. */
  name(file: number): string | undefined;
  numbers: boolean;
  /** Divides groups, where context is shown. */
  groups: boolean;
};

/** `path:12:text` for a match, `path-12-text` for context, `--` between groups that do not touch. */
export function contentLines(lines: readonly GrepLine[], style: LineStyle): string[] {
  const out: string[] = [];
  let file: number | undefined;
  for (const line of lines) {
    if (style.groups && out.length > 0 && (line.gap || line.file !== file)) out.push("--");
    file = line.file;
    const mark = line.isMatch ? ":" : "-";
    const name = style.name(line.file);
    const place = [...(name === undefined ? [] : [name]), ...(style.numbers ? [line.line] : [])];
    out.push(place.map((part) => `${part}${mark}`).join("") + line.text);
  }
  return out;
}

export function moreNote(what: string, { offset }: Paging, next: number, total?: number): string {
  const of = total === undefined ? "" : ` of ${total}`;
  return `[${what} ${offset + 1}-${next}${of}. For the next ones: offset: ${next}; or narrow the search with path, glob or type.]`;
}

export function plural(count: number, word: string): string {
  if (count === 1) return `1 ${word}`;
  return `${count} ${word.endsWith("h") ? `${word}es` : `${word}s`}`;
}

// What Read says below a page of text: what was left out and how to get it, and what the numbers do not show.
import { formName, type TextForm } from "../files/encoding.ts";
import type { Page } from "../files/lines.ts";

export function pageNotes(page: Page, form: TextForm, path: string): string[] {
  if (page.total === 0) return [form.bom ? "The file is empty but for its byte order mark." : "The file is empty."];
  const notes: string[] = [];
  const plain = form.encoding === "utf-8" && !form.bom && !form.invalid;
  if (!plain) notes.push(encodingNote(form));
  const endings = endingsNote(page);
  if (endings) notes.push(endings);
  if (page.next === undefined && !page.endsWithBreak) notes.push("The last line has no line break at its end.");
  const [cut] = page.cut;
  if (cut !== undefined) {
    const others = page.cut.length > 1 ? ` and ${page.cut.length - 1} more` : "";
    notes.push(`Line ${cut}${others} cut. See more with Bash: sed -n ${cut}p ${quoted(path)} | cut -c2001-6000`);
  }
  if (page.start > 1 || page.next !== undefined) {
    const last = page.start + page.lines.length - 1;
    const total = page.total === undefined ? "" : ` of ${page.total}`;
    const more = page.next === undefined ? "" : ` Go on with offset ${page.next}.`;
    notes.push(`Lines ${page.start}-${last}${total}.${more}`);
  }
  return notes;
}

function encodingNote(form: TextForm): string {
  const guess = form.encoding === "windows-1252" ? " (a guess: the bytes are not UTF-8)" : "";
  const stray = form.invalid ? ", shown as \ufffd" : "";
  return `Encoding: ${formName(form)}${guess}${stray}.`;
}

function endingsNote({ breaks: { crlf, lf, cr }, endsWithBreak, next }: Page): string | undefined {
  if (crlf + lf === 0) return cr > 0 ? "Lines end with CR alone." : undefined;
  // The last line of a file has no break of its own kind.
  const bare = next === undefined && !endsWithBreak ? lf - 1 : lf;
  if (cr === 0 && bare <= 0 && crlf > 0) return "Lines end with CRLF.";
  const kinds = [crlf > 0 ? `${crlf} CRLF` : "", bare > 0 ? `${bare} LF` : ""].filter(Boolean);
  if (cr > 0) return `Mixed line endings: ${[...kinds, `${cr} CR alone`].join(", ")}; a CR alone ends no line here.`;
  return crlf > 0 ? `Mixed line endings: ${kinds.join(", ")}.` : undefined;
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

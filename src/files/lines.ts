// One page of a file's lines out of a stream of chunks: bounded in memory whatever the file holds.
import { nextBreak, separator, unitSize } from "./breaks.ts";
import { decode, type TextForm } from "./encoding.ts";

export type PageRequest = {
  /** First line wanted, 1-based. */
  offset: number;
  limit: number;
  /** UTF-8 bytes of text at most, but always one line. */
  budget: number;
  /** Characters of one line at most. */
  lineLength: number;
};

export type Page = {
  lines: string[];
  /** 1-based number of the first line; meaningless when `lines` is empty. */
  start: number;
  /** Numbers of lines of which only the beginning is here. */
  cut: number[];
  /** The first line after the page, or undefined at the end of the file. */
  next: number | undefined;
  /** Lines in the file; undefined when counting on would have cost too much. */
  total: number | undefined;
  /** Breaks among the lines shown; where LF ends lines, `cr` counts the CRs alone inside them. */
  breaks: { crlf: number; lf: number; cr: number };
  endsWithBreak: boolean;
};

// How much is read after the page only to know the number of lines.
const COUNT_BYTES = 64 * 1024 * 1024;

/** `chunks` follow each other without gap, start after the byte order mark and are whole code units long. */
export async function readPage(
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
  form: TextForm,
  want: PageRequest,
): Promise<Page> {
  const page = new PageBuilder(form, want);
  for await (const chunk of chunks) {
    page.take(chunk);
    if (page.enough) break;
  }
  return page.finish();
}

/** A scan with many small pieces of state that live exactly as long as one page. */
class PageBuilder {
  readonly #form: TextForm;
  readonly #want: PageRequest;
  #code: 10 | 13 | undefined;
  #line = 1;
  #lineOpen = false;
  #parts: Buffer[] = [];
  #kept = 0;
  #dropped = 0;
  #spent = 0;
  #full = false;
  #counted = 0;
  #afterBreak = false;
  readonly #page: Page;

  constructor(form: TextForm, want: PageRequest) {
    this.#form = form;
    this.#want = want;
    const breaks = { crlf: 0, lf: 0, cr: 0 };
    const none = { next: undefined, total: undefined };
    this.#page = { lines: [], start: want.offset, cut: [], ...none, breaks, endsWithBreak: false };
  }

  /** The page is complete and counting on is not worth it. */
  get enough(): boolean {
    return this.#full && this.#counted > COUNT_BYTES;
  }

  take(chunk: Buffer): void {
    this.#code ??= separator(chunk, this.#form);
    const size = unitSize(this.#form);
    if (this.#full) this.#counted += chunk.length;
    for (let from = 0; from < chunk.length;) {
      const at = nextBreak(chunk, from, this.#form, this.#code);
      const end = at < 0 ? chunk.length : at;
      if (!this.#full && this.#line >= this.#want.offset) this.#keep(chunk.subarray(from, end));
      this.#lineOpen = true;
      this.#afterBreak = false;
      if (at < 0) return;
      this.#close();
      from = at + size;
    }
  }

  finish(): Page {
    this.#page.endsWithBreak = this.#afterBreak;
    const complete = !this.enough;
    if (this.#lineOpen) this.#close();
    const total = this.#line - 1;
    if (complete) this.#page.total = total;
    const next = this.#page.start + this.#page.lines.length;
    const more = this.#page.lines.length > 0 && (!complete || next <= total);
    this.#page.next = more ? next : undefined;
    return this.#page;
  }

  #keep(bytes: Buffer): void {
    // Four bytes are the most one character takes; more than that is never shown.
    const room = Math.max(0, this.#want.lineLength * 4 + 4 - this.#kept);
    const part = bytes.subarray(0, room);
    if (part.length) this.#parts.push(part);
    this.#kept += part.length;
    this.#dropped += bytes.length - part.length;
  }

  #close(): void {
    if (!this.#full && this.#line >= this.#want.offset) this.#show();
    this.#line++;
    this.#lineOpen = false;
    this.#afterBreak = true;
    this.#parts = [];
    this.#kept = 0;
    this.#dropped = 0;
  }

  #show(): void {
    const page = this.#page;
    const [only] = this.#parts;
    const bytes = this.#parts.length === 1 && only ? only : Buffer.concat(this.#parts);
    let text = decode(bytes, this.#form.encoding, { cut: this.#dropped > 0 });
    const crlf = this.#code === 10 && this.#dropped === 0 && text.endsWith("\r");
    if (crlf) text = text.slice(0, -1);
    const loneCrs = this.#code === 10 && text.includes("\r") ? text.split("\r").length - 1 : 0;
    if (this.#dropped > 0 || text.length > this.#want.lineLength) {
      const shown = text.slice(0, this.#want.lineLength).replace(/[\ud800-\udbff]$/, "");
      const size = this.#dropped > 0 ? `${this.#kept + this.#dropped} bytes` : `${text.length} characters`;
      text = `${shown} [... line cut here; it is ${size} long]`;
      page.cut.push(this.#line);
    }
    const cost = Buffer.byteLength(text) + 1;
    if (page.lines.length > 0 && this.#spent + cost > this.#want.budget) {
      this.#full = true;
      return;
    }
    this.#spent += cost;
    page.lines.push(text);
    page.breaks.cr += loneCrs;
    page.breaks[crlf ? "crlf" : this.#code === 13 ? "cr" : "lf"]++;
    if (page.lines.length >= this.#want.limit) this.#full = true;
  }
}

/** Lines as Read shows them: right-aligned number, tab, text. */
export function numbered(lines: readonly string[], start: number): string {
  const width = String(start + lines.length - 1).length;
  return lines.map((line, i) => `${String(start + i).padStart(width)}\t${line}`).join("\n");
}

// Searches files one after the other and collects what the Grep tool shows. Runs in the worker; does no output.
import { join } from "node:path";
import { maxLineChars, type GrepJob, type GrepReply } from "./grep-job.ts";
import { lineEnd, lineStart, lineWriter, type Hit, type LineWriter, type Page } from "./grep-lines.ts";
import { newPool, NotSearched, readPieces, type Piece } from "./grep-text.ts";
import type { Automaton, Haystack } from "./regex/automaton.ts";
import { matcher, type Matcher } from "./regex/matcher.ts";

type Search = Page & { matcher: Matcher };
type Found = { hay: Haystack; automaton: Automaton; hit: Hit };

/** Throws an Error for the model when the pattern is not valid. */
export function search(job: GrepJob): GrepReply {
  const reply: GrepReply = { found: [], lines: [], more: false, binary: [], unreadable: [], tooLarge: [] };
  const state: Search = { job, matcher: matcher(job.pattern, job), reply, seen: 0, chars: 0 };
  const pool = newPool();
  const required = Buffer.from(state.matcher.required);
  // Context needs the text of every piece.
  const prefilter = required.length > 0 && job.before === 0 && job.after === 0;
  const options = { whole: job.multiline, required: prefilter ? required : undefined };
  for (const [file, path] of job.files.entries()) {
    try {
      const count = searchFile(state, file, readPieces(path === "" ? job.root : join(job.root, path), pool, options));
      if (count > 0) reply.found.push({ file, count });
    } catch (error) {
      sortOut(reply, file, error);
    }
    if (reply.more) break;
  }
  return reply;
}

function sortOut(reply: GrepReply, file: number, error: unknown): void {
  if (error instanceof NotSearched) {
    if (error.reason === "binary") reply.binary.push(file);
    if (error.reason === "tooLarge") reply.tooLarge.push(file);
  } else if (error instanceof Error && "code" in error) {
    reply.unreadable.push({ file, reason: String(error.code) });
  } else throw error;
}

/** The number of matching lines, or of matches where matches are what is shown; 1 is enough in list mode. */
function searchFile(state: Search, file: number, pieces: Iterable<Piece>): number {
  const { job, matcher, reply } = state;
  const lines = lineWriter(state, file);
  let count = 0;
  for (const piece of pieces) {
    if (piece.text === undefined) {
      lines.skip(piece.bytes);
      continue;
    }
    const automaton = piece.ascii ? matcher.ascii() : matcher.unicode();
    // A piece that ends inside a line is searched as if the line ended there.
    const hay = { text: piece.text, first: piece.first, last: piece.last || !piece.text.endsWith("\n") };
    for (const hit of job.multiline
      ? spans(automaton, hay, 0, hay.text.length)
      : matchingLines(automaton, hay, matcher.required)) {
      count++;
      if (job.mode === "list") return 1;
      if (job.mode === "content") writeHit(lines, job, { hay, automaton, hit });
      if (reply.more) return count;
    }
    if (job.mode === "content") lines.finish(hay.text);
    if (reply.more) return count;
  }
  return count;
}

function writeHit(lines: LineWriter, job: GrepJob, { hay, automaton, hit }: Found): void {
  if (job.onlyMatching) {
    const found = job.multiline ? [hit] : spans(automaton, hay, hit.start, hit.end);
    for (const span of found) if (span.end > span.start) lines.writeMatch(hay.text, span);
  } else if (!job.multiline && hit.end - hit.start > maxLineChars) {
    lines.write(hay.text, { ...hit, column: automaton.find(hay, hit.start, hit.end)?.start ?? hit.start });
  } else lines.write(hay.text, hit);
}

function* matchingLines(automaton: Automaton, hay: Haystack, required: string): Generator<Hit> {
  const { text } = hay;
  for (let from = 0; from < text.length;) {
    const known = required === "" ? -1 : text.indexOf(required, from);
    if (required !== "" && known < 0) return;
    const first = known < 0 ? from : lineStart(text, known);
    const limit = known < 0 ? text.length : lineEnd(text, known);
    const at = automaton.firstEnd(hay, first, limit);
    if (at < 0 && known < 0) return;
    const start = at < 0 ? first : lineStart(text, at);
    // Behind the last line break there is no line.
    if (start >= text.length) return;
    const end = at < 0 ? limit : lineEnd(text, at);
    if (at >= 0) yield { start, end, column: start };
    from = end + 1;
  }
}

function* spans(automaton: Automaton, hay: Haystack, begin: number, to: number): Generator<Hit> {
  for (let from = begin; from < to;) {
    const span = automaton.find(hay, from, to);
    if (!span || span.start >= hay.text.length) return;
    yield { ...span, column: span.start };
    from = span.end > span.start ? span.end : span.end + ((hay.text.codePointAt(span.end) ?? 0) > 0xffff ? 2 : 1);
  }
}

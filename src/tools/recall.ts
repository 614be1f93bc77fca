// What the conversation shows of a file nobody read in this process: before it was resumed, or with cat in Bash.
import { realpath } from "node:fs/promises";
import { toolUses } from "../core/state.ts";
import type { Message, State, ToolResult } from "../core/types.ts";
import { decodeDoc, detectForm } from "../files/encoding.ts";
import { loadFile, versionOf, WHOLE_LIMIT } from "../files/open.ts";
import { absolutePath } from "../files/place.ts";
import type { LineRange, Recall, Seen } from "../files/tracker.ts";
import { shownBy, type Lines, type Shown, type ShownFile } from "./shown.ts";

/**
 * Goes through the answered calls of the history as it is when asked, so that what a compaction took out is not known. A file
 * counts as seen only where all that is known of it is what the disk holds now; otherwise it has to be read again.
 */
export function recallFrom(state: () => Pick<State, "messages" | "cwd">): Recall {
  return async (path, signal) => {
    const { messages, cwd } = state();
    const known = new Known();
    const real = new Map<string, string>();
    for (const { path: given, shown } of shownFiles(messages)) {
      const absolute = absolutePath(given, cwd);
      const leads = real.get(absolute) ?? (await realpath(absolute).catch(() => absolute));
      real.set(absolute, leads);
      if (leads === path) known.learn(shown);
    }
    return known.isEmpty ? undefined : verified(path, known, signal);
  };
}

function shownFiles(messages: readonly Message[]): ShownFile[] {
  const results = new Map<string, ToolResult>();
  for (const { content } of messages)
    for (const block of content) if (block.type === "tool_result") results.set(block.tool_use_id, block);
  const calls = messages.flatMap((message) => (message.role === "assistant" ? toolUses(message) : []));
  return calls.flatMap((call) => {
    const result = results.get(call.id);
    return (result && shownBy(call, result)) ?? [];
  });
}

/** The lines of one file the history tells of, kept up with the edits that followed. */
class Known {
  #lines = new Map<number, string>();
  #total: number | undefined;
  /** The break at the file's end, or none; undefined: not known. */
  #end: "\n" | "" | undefined;

  get isEmpty(): boolean {
    return this.#lines.size === 0;
  }

  learn(shown: Shown): void {
    if (shown.kind === "edit") return this.#edit(shown);
    if (shown.whole) {
      this.#lines.clear();
      this.#end = shown.isOpen ? "" : "\n";
    }
    this.#total = shown.whole ? shown.lines.length : (shown.total ?? this.#total);
    this.#put(shown);
  }

  /** What of the file's lines was seen; undefined when one of them is not as it was. */
  seenOf(disk: readonly string[]): Seen["lines"] | undefined {
    for (const [number, text] of this.#lines) if (!isSame(text, disk[number - 1])) return undefined;
    const isBlank = (line: string) => line.trim() === "";
    const rest = this.#total === undefined ? undefined : disk.slice(this.#total);
    // Bash leaves out blank lines at the end.
    if (rest && (disk.length < (this.#total ?? 0) || !rest.every(isBlank))) return undefined;
    if (rest && this.#lines.size === this.#total) return "all";
    return ranges([...this.#lines.keys()]);
  }

  #put({ from, lines }: Lines): void {
    lines.forEach((line, i) => this.#lines.set(from + i, line));
  }

  #edit({ old, fresh, first, at, after }: Extract<Shown, { kind: "edit" }>): void {
    if (this.#total === this.#lines.size && this.#end !== undefined) {
      this.#replaceAll(old, fresh, this.#end);
    } else if (at) {
      // From the end, so that the numbers of those before stay right.
      for (const line of new Set(at.toReversed()))
        this.#replace(line, at.filter((one) => one === line).length, old, fresh);
    } else {
      for (const number of this.#lines.keys()) if (number >= first) this.#lines.delete(number);
      this.#total = undefined;
    }
    after?.lines.forEach((line, i) => {
      // A long line is cut there.
      if (!line.endsWith(" [...]")) this.#lines.set(after.from + i, line);
    });
  }

  /** In a file of which every line is known. */
  #replaceAll(old: string, fresh: string, end: string): void {
    const before = Array.from({ length: this.#lines.size }, (_, i) => this.#lines.get(i + 1));
    const text = (before.join("\n") + end).split(old).join(fresh);
    this.#end = text.endsWith("\n") ? "\n" : "";
    const lines = text.slice(0, text.length - this.#end.length).split("\n");
    this.#lines.clear();
    this.#total = lines.length;
    this.#put({ from: 1, lines });
  }

  /** `count` replacements that begin in line `first`; what becomes of lines that are not known as they were is not known. */
  #replace(first: number, count: number, old: string, fresh: string): void {
    const breaks = (text: string) => text.split("\n").length - 1;
    const last = first + breaks(old);
    const numbers = Array.from({ length: last - first + 1 }, (_, i) => first + i);
    const block = numbers.map((number) => this.#lines.get(number));
    const text = block.join("\n");
    const isKnown = !block.includes(undefined) && text.split(old).length - 1 === count;
    const delta = count * (breaks(fresh) - breaks(old));
    const moved = [...this.#lines].filter(([number]) => number < first || number > last);
    this.#lines = new Map(moved.map(([number, line]) => [number > last ? number + delta : number, line]));
    const total = this.#total;
    const isInside = total !== undefined && last < total;
    const lines = isKnown ? text.split(old).join(fresh).split("\n") : [];
    // Whether the file's last line has a break at its end is not known, so nor is whether one more follows.
    if (!isInside && lines.at(-1) === "") lines.pop();
    this.#put({ from: first, lines });
    if (!isInside) this.#end = undefined;
    this.#total = isInside ? total + delta : undefined;
  }
}

async function verified(path: string, known: Known, signal: AbortSignal): Promise<Seen | undefined> {
  const { bytes, stat } = await loadFile(path, WHOLE_LIMIT, signal);
  const form = detectForm(bytes);
  if (!form) return undefined;
  const lines = known.seenOf(linesOf(decodeDoc({ bytes, form })));
  return lines && { version: versionOf(stat, bytes), lines };
}

/** As Read counts them: CR alone ends a line only where there is no LF. */
function linesOf(text: string): string[] {
  const lines = text.includes("\n") ? text.split("\n") : text.split("\r");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => line.replace(/\r$/, ""));
}

/** Read cuts long lines and shows NUL as a symbol. */
function isSame(shown: string, line: string | undefined): boolean {
  if (line === undefined) return false;
  const text = line.replaceAll("\0", "\u2400");
  const [, start] = /^([^]+) \[\.\.\. line cut here; it is \d+ \w+ long\]$/.exec(shown) ?? [];
  return shown === text || (start !== undefined && text.startsWith(start));
}

function ranges(numbers: readonly number[]): LineRange[] {
  const found: LineRange[] = [];
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const last = found.at(-1);
    if (last && number === last.to + 1) last.to = number;
    else found.push({ from: number, to: number });
  }
  return found;
}

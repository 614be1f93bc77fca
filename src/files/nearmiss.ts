// Why a text was not found: the closest region, and what in it differs, said so that the next try can succeed.
import { describeDifference } from "./difference.ts";
import { numbered } from "./lines.ts";
import { fold } from "./unicode.ts";

export type Miss = {
  /** The file's text, decoded. */
  text: string;
  old: string;
  replacement: string;
};

const BREAK = /\r\n|\n|\r/;
// Characters looked at closely; a larger file is first narrowed to a window around an exact line.
const CLOSE_LIMIT = 1_000_000;
const SHOWN_LINES = 20;
const SHOWN_LENGTH = 300;

/** Lines for the model. Takes about `budgetMs` at most, however large the file. */
export function explainMiss(miss: Miss, { budgetMs = 300, now = performance.now.bind(performance) } = {}): string {
  const plain = miss.text.replace(/\r\n?/g, "\n");
  const simple = mispasted(plain, miss) ?? alreadyDone(plain, miss);
  if (simple) return simple;
  const old = trimBlankEnds(miss.old.split(BREAK));
  if (old.length === 0) return "old_string is nothing but line breaks the file does not have in this number.";
  const area = closeArea(plain, old);
  if (!area) return "The file is large and no line of old_string is in it. Find the place with Grep, Read it, copy it.";
  const deadline = now() + budgetMs;
  const late = () => now() > deadline;
  const lines = area.text.split("\n");
  const places = sameLooking(lines, old, late);
  const [first] = places;
  if (first) return lookalikeText(places.length, first, { lines, old, firstLine: area.firstLine });
  const at = closest(lines, old, late);
  if (at === undefined) {
    return "Nothing in the file is similar to it. Read the file again (it may have changed, or be another file).";
  }
  return closestText(at, { lines, old, firstLine: area.firstLine });
}

/** The text without the numbers Read puts before each line; undefined when it does not have them throughout. */
export function withoutLineNumbers(text: string): string | undefined {
  const lines = text.split("\n");
  const numberedLine = /^ *\d+\t/;
  const bare = lines.every((line, i) => numberedLine.test(line) || (line === "" && i === lines.length - 1));
  return bare ? lines.map((line) => line.replace(numberedLine, "")).join("\n") : undefined;
}

function mispasted(plain: string, { old }: Miss): string | undefined {
  const bare = withoutLineNumbers(old.replace(/\r\n?/g, "\n"));
  if (bare && plain.includes(bare)) {
    return "old_string has the line numbers Read prints before each line. Pass only what follows the tab.";
  }
  const single = old
    .replace(/\\(n|t|r|"|'|\\)/g, (_, c: string) => ({ n: "\n", t: "\t", r: "\r" })[c] ?? c)
    .replace(/\r\n?/g, "\n");
  if (single !== old && single.trim() !== "" && plain.includes(single)) {
    return "old_string is escaped twice: it has a backslash and a letter where the file has the real character (a line break, tab or quote). Pass the plain text.";
  }
  return undefined;
}

function alreadyDone(plain: string, { replacement }: Miss): string | undefined {
  const fresh = replacement.replace(/\r\n?/g, "\n");
  if (fresh.trim().length < 8) return undefined;
  const at = plain.indexOf(fresh);
  if (at < 0) return undefined;
  const line = plain.slice(0, at).split("\n").length;
  return `But new_string is already there, at line ${line}: this edit seems to have been made before. Read the file to make sure.`;
}

function trimBlankEnds(lines: string[]): string[] {
  let from = 0;
  let to = lines.length;
  while (from < to && (lines[from] ?? "").trim() === "") from++;
  while (to > from && (lines[to - 1] ?? "").trim() === "") to--;
  return lines.slice(from, to);
}

type Area = { text: string; firstLine: number };

function closeArea(plain: string, old: readonly string[]): Area | undefined {
  if (plain.length <= CLOSE_LIMIT) return { text: plain, firstLine: 1 };
  const anchors = old.toSorted((a, b) => b.length - a.length).slice(0, 5);
  const at = anchors.map((line) => (line.trim() ? plain.indexOf(line.trim()) : -1)).find((place) => place >= 0);
  if (at === undefined) return undefined;
  const from = plain.lastIndexOf("\n", Math.max(0, at - CLOSE_LIMIT / 4)) + 1;
  const text = plain.slice(from, at + CLOSE_LIMIT / 4);
  return { text, firstLine: plain.slice(0, from).split("\n").length };
}

type Place = { line: number; start: number; end: number };
type Scene = { lines: readonly string[]; old: readonly string[]; firstLine: number };

/** Where the text is but for blanks, case and look-alike characters. `start`, `end`: in the first and last line. */
function sameLooking(lines: readonly string[], old: readonly string[], late: () => boolean): Place[] {
  const wanted = old.map((line) => fold(line).key);
  const keys = new Map<number, ReturnType<typeof fold>>();
  const key = (i: number) => {
    const known = keys.get(i) ?? fold(lines[i] ?? "");
    keys.set(i, known);
    return known;
  };
  const places: Place[] = [];
  const last = wanted.length - 1;
  for (let i = 0; i + last < lines.length; i++) {
    if (i % 256 === 0 && late()) break;
    const first = key(i);
    const tail = key(i + last);
    const from = last === 0 ? first.key.indexOf(wanted[0] ?? "") : first.key.length - (wanted[0] ?? "").length;
    if (from < 0 || !first.key.startsWith(wanted[0] ?? "", from)) continue;
    if (last > 0 && !tail.key.startsWith(wanted[last] ?? "")) continue;
    if (!wanted.slice(1, last).every((line, k) => key(i + 1 + k).key === line)) continue;
    const to = (last === 0 ? from : 0) + (wanted[last] ?? "").length;
    places.push({ line: i, ...bounds(lines[i] ?? "", first.at[from], lines[i + last] ?? "", tail.at[to - 1]) });
    keys.delete(i - 1);
  }
  return places;
}

/** From the first to past the last matching character, with the blanks at the line's edges. */
function bounds(head: string, from: number | undefined, tail: string, to: number | undefined) {
  const start = from === undefined || head.slice(0, from).trim() === "" ? 0 : from;
  let end = to === undefined ? tail.length : to + ((tail.codePointAt(to) ?? 0) > 0xffff ? 2 : 1);
  while (end < tail.length && /\p{M}/u.test(tail[end] ?? "")) end++;
  if (tail.slice(end).trim() === "") end = tail.length;
  return { start, end };
}

function lookalikeText(count: number, place: Place, scene: Scene): string {
  const { lines, old, firstLine } = scene;
  const last = old.length - 1;
  const differences: string[] = [];
  for (const [i, wanted] of old.entries()) {
    const line = lines[place.line + i] ?? "";
    const actual = line.slice(i === 0 ? place.start : 0, i === last ? place.end : line.length);
    // The edges of the first and last line may be left out of old_string without harm.
    const difference = describeDifference(wanted, actual, { head: i === 0, tail: i === last });
    if (difference) differences.push(`- line ${firstLine + place.line + i}: ${difference}`);
  }
  const where = count > 1 ? ` (and ${count - 1} more place${count > 2 ? "s" : ""})` : "";
  const shown = differences.slice(0, 5);
  if (differences.length > 5)
    shown.push(`- and ${differences.length - 5} more lines differ, most likely in the same way`);
  if (shown.length === 0) shown.push("- the blank lines before or after it differ");
  return [
    `Line ${firstLine + place.line}${where} looks the same, but:`,
    ...shown,
    "The file has there (copy from this, without the numbers):",
    region(scene, place.line),
  ].join("\n");
}

/** The place with the most lines in common, else the line most similar to the longest line of `old`. */
function closest(lines: readonly string[], old: readonly string[], late: () => boolean): number | undefined {
  const keys = old.map((line) => fold(line).key);
  const wanted = new Map<string, number[]>();
  for (const [i, key] of keys.entries()) if (key.length > 2) wanted.set(key, [...(wanted.get(key) ?? []), i]);
  const votes = new Map<number, number>();
  const longest = keys.reduce((best, key, i) => (key.length > (keys[best] ?? "").length ? i : best), 0);
  const pattern = bigrams(keys[longest] ?? "");
  let similar = { score: 0.5, at: -1 };
  for (const [i, line] of lines.entries()) {
    if (i % 256 === 0 && late()) break;
    const { key } = fold(line.slice(0, 2000));
    for (const k of wanted.get(key)?.slice(0, 20) ?? []) votes.set(i - k, (votes.get(i - k) ?? 0) + key.length);
    if (votes.size > 0) continue;
    const score = likeness(pattern, key);
    if (score > similar.score) similar = { score, at: i - longest };
  }
  const [best] = [...votes].sort((a, b) => b[1] - a[1]);
  const at = best ? best[0] : similar.at;
  return best || similar.score > 0.5 ? Math.max(0, at) : undefined;
}

function closestText(at: number, scene: Scene): string {
  const { lines, old, firstLine } = scene;
  const wrong = old.findIndex((wanted, i) => lines[at + i] !== wanted);
  const line = lines[at + wrong];
  const difference = describeDifference(old[wrong] ?? "", line ?? "", {
    head: wrong === 0,
    tail: wrong === old.length - 1,
  });
  const what = line === undefined ? "the file ends before it" : (difference ?? "it differs");
  return [
    `The closest place begins at line ${firstLine + at}. The first line that differs is line ${wrong + 1} of old_string (line ${firstLine + at + wrong} of the file): ${what}.`,
    `- old_string: ${cutLine(old[wrong] ?? "")}`,
    `- the file:   ${line === undefined ? "(no such line)" : cutLine(line)}`,
    "The file has there (copy from this, without the numbers):",
    region(scene, at),
  ].join("\n");
}

function region({ lines, old, firstLine }: Scene, at: number): string {
  const count = Math.min(old.length, SHOWN_LINES);
  const more =
    old.length > count
      ? `\n[... ${old.length - count} more lines; Read them with offset ${firstLine + at + count}]`
      : "";
  return numbered(lines.slice(at, at + count).map(cutLine), firstLine + at) + more;
}

function cutLine(line: string): string {
  return line.length > SHOWN_LENGTH ? `${line.slice(0, SHOWN_LENGTH)} [... cut]` : line;
}

function bigrams(text: string): Set<string> {
  const found = new Set<string>();
  for (let i = 0; i + 1 < text.length && i < 2000; i++) found.add(text.slice(i, i + 2));
  return found;
}

/** Dice's coefficient of the bigrams: 0 nothing in common, 1 the same. */
function likeness(pattern: Set<string>, text: string): number {
  // Lengths that differ this much cannot reach the score that counts.
  if (pattern.size === 0 || text.length > pattern.size * 4 || text.length * 4 < pattern.size) return 0;
  const other = bigrams(text);
  let common = 0;
  for (const pair of other) if (pattern.has(pair)) common++;
  return (2 * common) / (pattern.size + other.size);
}

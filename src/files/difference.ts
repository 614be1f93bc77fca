// How two lines differ that were meant to be the same, in a few words.
import { foldKey, namePoints } from "./unicode.ts";

/** `head`, `tail`: blanks at that edge are no difference when `wanted` has none there (it may begin mid-line). */
export function describeDifference(
  wanted: string,
  actual: string,
  { head, tail }: { head: boolean; tail: boolean },
): string | undefined {
  const [a, b] = [split(wanted), split(actual)];
  const found: string[] = [];
  if (a.indent !== b.indent && !(head && a.indent === "")) {
    found.push(`it is indented with ${blanks(b.indent)}, old_string with ${blanks(a.indent)}`);
  }
  if (a.body !== b.body) found.push(bodyDifference(a, b));
  if (a.trail !== b.trail && !(tail && a.trail === "")) {
    found.push(`it ends with ${blanks(b.trail)} after the text, old_string with ${blanks(a.trail)}`);
  }
  return found.length > 0 ? found.join("; ") : undefined;
}

type Line = { indent: string; body: string; trail: string };

function split(line: string): Line {
  const indent = /^\s*/.exec(line)?.[0] ?? "";
  const body = line.slice(indent.length).trimEnd();
  return { indent, body, trail: line.slice(indent.length + body.length) };
}

function bodyDifference(wanted: Line, actual: Line): string {
  const [a, b] = [[...wanted.body], [...actual.body]];
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at++;
  const column = actual.indent.length + b.slice(0, at).join("").length + 1;
  const where = `at column ${column}`;
  if (wanted.body.normalize("NFC") === actual.body.normalize("NFC")) {
    const form = actual.body === actual.body.normalize("NFC") ? "composed (NFC)" : "decomposed (NFD)";
    return `${where} the same letter is written with other code points: the file has it ${form}, ${namePoints(cluster(b, at))}, old_string has ${namePoints(cluster(a, at))}`;
  }
  if (wanted.body.toLowerCase() === actual.body.toLowerCase()) {
    return `${where} the case differs: the file has "${b[at] ?? ""}", old_string has "${a[at] ?? ""}"`;
  }
  const [runA, runB] = [blankRun(a, at), blankRun(b, at)];
  if ((runA || runB) && runA !== runB && foldKey(wanted.body) === foldKey(actual.body)) {
    return `${where} the file has ${blanks(runB)}, old_string has ${blanks(runA)}`;
  }
  return `${where} the file has ${named(b[at])}, old_string has ${named(a[at])}`;
}

function named(char: string | undefined): string {
  return char === undefined ? "the end of the line" : namePoints(char);
}

/** The character at `at` with the marks that belong to it. */
function cluster(chars: readonly string[], at: number): string {
  let from = at;
  while (from > 0 && /\p{M}/u.test(chars[from] ?? "")) from--;
  let to = from + 1;
  while (to < chars.length && /\p{M}/u.test(chars[to] ?? "")) to++;
  return chars.slice(from, to).join("");
}

/** All blanks and invisible characters around `at`. */
function blankRun(chars: readonly string[], at: number): string {
  const blank = (i: number) => /[\s\p{Cf}]/u.test(chars[i] ?? "");
  let from = at;
  while (from > 0 && blank(from - 1)) from--;
  let to = at;
  while (to < chars.length && blank(to)) to++;
  return chars.slice(from, to).join("");
}

/** "2 tabs", "4 spaces, 1 tab", "1 x U+00A0 (no-break space)", "no blanks". */
function blanks(text: string): string {
  if (text === "") return "no blanks";
  const runs = text.match(/(.)\1*/gsu) ?? [];
  return runs
    .slice(0, 6)
    .map((run) => {
      const [char = ""] = run;
      const count = run.length;
      if (char === " ") return count === 1 ? "1 space" : `${count} spaces`;
      if (char === "\t") return count === 1 ? "1 tab" : `${count} tabs`;
      return `${count} x ${namePoints(char)}`;
    })
    .join(", ");
}

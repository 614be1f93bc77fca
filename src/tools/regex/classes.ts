// Escapes and character classes, rewritten into a form JavaScript (v flag) and Rust read the same way.
import type { Look } from "./ast.ts";
import { failure, type Scanner } from "./scanner.ts";

export type Escape =
  | { kind: "char"; code: number }
  /** Inner text of a class: put it between brackets. */
  | { kind: "class"; source: string }
  | { kind: "look"; look: Look };

const word = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}";
const perl: Record<string, string> = {
  d: "\\p{Nd}",
  D: "[^\\p{Nd}]",
  s: "\\p{White_Space}",
  S: "[^\\p{White_Space}]",
  w: word,
  W: `[^${word}]`,
  h: "\\t\\u{20}",
  H: "[^\\t\\u{20}]",
};
const controls: Record<string, number> = { n: 10, t: 9, r: 13, f: 12, v: 11, a: 7, e: 27 };
const looks: Record<string, Look> = {
  b: "word",
  B: "notWord",
  A: "bot",
  z: "eot",
  "<": "wordStart",
  ">": "wordEnd",
};
const posix: Record<string, string> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: "\\u{0}-\\u{7f}",
  blank: "\\t\\u{20}",
  cntrl: "\\u{0}-\\u{1f}\\u{7f}",
  digit: "0-9",
  graph: "\\u{21}-\\u{7e}",
  lower: "a-z",
  print: "\\u{20}-\\u{7e}",
  punct: "\\u{21}-\\u{2f}\\u{3a}-\\u{40}\\u{5b}-\\u{60}\\u{7b}-\\u{7e}",
  space: "\\t\\n\\u{b}\\u{c}\\r\\u{20}",
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};

/** The word characters of `\w` and `\b`, as a class. */
export const wordClass = `[${word}]`;

export function classOf(inner: string): string {
  return `[${inner}]`;
}

/** The escape at the cursor, consumed. */
export function parseEscape(scan: Scanner, inClass = false): Escape {
  const char = scan.text[scan.at + 1];
  if (char === undefined) throw failure(scan, "it ends in a backslash; a literal one is `\\\\`");
  if (char in perl && Object.hasOwn(perl, char)) return step(scan, 2, { kind: "class", source: perl[char] ?? "" });
  if (Object.hasOwn(controls, char)) return step(scan, 2, { kind: "char", code: controls[char] ?? 0 });
  if (char === "b" && inClass) return step(scan, 2, { kind: "char", code: 8 });
  const braced = inClass ? null : /^\\b\{(start|end)\}/.exec(scan.text.slice(scan.at, scan.at + 12));
  if (braced)
    return step(scan, braced[0].length, { kind: "look", look: braced[1] === "start" ? "wordStart" : "wordEnd" });
  if (!inClass && Object.hasOwn(looks, char)) return step(scan, 2, { kind: "look", look: looks[char] ?? "word" });
  if (char === "p" || char === "P") return parseProperty(scan, char === "P");
  if (char === "x" || char === "u" || char === "U") return parseCode(scan, char);
  if (/[1-9]/.test(char)) throw failure(scan, "back-references are not supported; write the text out");
  if (char === "0") return step(scan, 2, { kind: "char", code: 0 });
  if (/[A-Za-z]/.test(char)) throw failure(scan, `the escape \`\\${char}\` is not known`);
  const code = scan.text.codePointAt(scan.at + 1) ?? 0;
  return step(scan, 1 + String.fromCodePoint(code).length, { kind: "char", code });
}

function step(scan: Scanner, length: number, escape: Escape): Escape {
  scan.at += length;
  return escape;
}

function parseCode(scan: Scanner, letter: "x" | "u" | "U"): Escape {
  const digits = { x: 2, u: 4, U: 8 }[letter];
  const match = new RegExp(`^\\\\${letter}(?:\\{([0-9A-Fa-f]{1,8})\\}|([0-9A-Fa-f]{${digits}}))`).exec(
    scan.text.slice(scan.at, scan.at + 16),
  );
  const code = Number.parseInt(match?.[1] ?? match?.[2] ?? "", 16);
  if (!match || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
    throw failure(scan, `\`\\${letter}\` needs a character's number in hexadecimal, such as \`\\x{1F600}\``);
  }
  return step(scan, match[0].length, { kind: "char", code });
}

function parseProperty(scan: Scanner, negated: boolean): Escape {
  const match = /^\\[pP](?:\{(\^?)([\w ]+)(?:[=:]([\w ]+))?\}|([A-Z]))/.exec(scan.text.slice(scan.at, scan.at + 80));
  const name = match?.[2] ?? match?.[4];
  const known = match && name !== undefined ? propertyName(name, match[3]) : undefined;
  if (!match || known === undefined)
    throw failure(scan, "that Unicode property is not known; `\\p{L}` or `\\p{Greek}` are");
  const negative = negated !== (match[1] === "^");
  return step(scan, match[0].length, { kind: "class", source: negative ? `[^\\p{${known}}]` : `\\p{${known}}` });
}

/** The property as JavaScript spells it; Rust also knows shorter spellings (`Greek`) and ignores case. */
function propertyName(name: string, value: string | undefined): string | undefined {
  const title = name.replace(/(^|_)([a-z])/g, (_, gap: string, letter: string) => gap + letter.toUpperCase());
  const tries = value !== undefined ? [`${name}=${value}`] : [name, title, `sc=${title}`, `gc=${title}`];
  return tries.find((candidate) => {
    try {
      return new RegExp(`\\p{${candidate}}`, "v");
    } catch {
      return false; // The engine's own list of names is the question asked here.
    }
  });
}

/** A class from `[` to its `]`, consumed: its canonical source, brackets included. */
export function parseClass(scan: Scanner, depth = 0): string {
  const start = scan.at;
  if (depth > 20) throw failure(scan, "classes are nested too deep");
  scan.at++;
  const negated = scan.text[scan.at] === "^";
  if (negated) scan.at++;
  const operands: { operator: string; items: string }[] = [{ operator: "", items: "" }];
  let first = true;
  while (first || scan.text[scan.at] !== "]") {
    const char = scan.text[scan.at];
    if (char === undefined) throw failure({ ...scan, at: start }, "a `[` is never closed; a literal one is `\\[`");
    const pair = scan.text.slice(scan.at, scan.at + 2);
    const operand = operands.at(-1) ?? { operator: "", items: "" };
    if (!first && (pair === "&&" || pair === "~~" || (pair === "--" && scan.text[scan.at + 2] !== "]"))) {
      scan.at += 2;
      operands.push({ operator: pair, items: "" });
    } else {
      operand.items += parseItem(scan, depth);
    }
    first = false;
  }
  scan.at++;
  return combine(scan, operands, negated);
}

function combine(scan: Scanner, operands: { operator: string; items: string }[], negated: boolean): string {
  let [source, ...rest] = operands.map((operand) => `[${operand.items}]`);
  for (const [index, right] of rest.entries()) {
    const operator = operands[index + 1]?.operator;
    source = operator === "~~" ? `[[${source}--${right}][${right}--${source}]]` : `[${source}${operator}${right}]`;
    if ((source?.length ?? 0) > 20_000) throw failure(scan, "a class is too large");
  }
  return negated ? `[^${source}]` : (source ?? "[]");
}

function parseItem(scan: Scanner, depth: number): string {
  const named = /^\[:(\^?)([a-z]+):\]/.exec(scan.text.slice(scan.at, scan.at + 16));
  if (named) {
    const inner = Object.hasOwn(posix, named[2] ?? "") ? posix[named[2] ?? ""] : undefined;
    if (inner === undefined) throw failure(scan, `\`[:${named[2]}:]\` is not known; [:alpha:] and [:digit:] are`);
    scan.at += named[0].length;
    return named[1] ? `[^${inner}]` : inner;
  }
  if (scan.text[scan.at] === "[" && !scan.plainBrackets) return parseClass(scan, depth + 1);
  const low = parseMember(scan);
  if (typeof low === "string") return low;
  const next = scan.text[scan.at + 1];
  if (scan.text[scan.at] !== "-" || next === "]" || next === "-" || next === undefined) return hex(low);
  scan.at++;
  const high = parseMember(scan);
  if (typeof high === "string") throw failure(scan, "a range must end in one character; put `-` last to mean itself");
  if (high < low) throw failure(scan, "a range runs backwards");
  return `${hex(low)}-${hex(high)}`;
}

/** One character's code, or the inner text of a class escape. */
function parseMember(scan: Scanner): number | string {
  if (scan.text[scan.at] !== "\\") {
    const code = scan.text.codePointAt(scan.at) ?? 0;
    scan.at += code > 0xffff ? 2 : 1;
    return code;
  }
  const escape = parseEscape(scan, true);
  if (escape.kind === "look") throw failure(scan, "a class cannot hold a boundary");
  return escape.kind === "char" ? escape.code : escape.source;
}

function hex(code: number): string {
  return `\\u{${code.toString(16)}}`;
}

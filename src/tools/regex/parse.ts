// Reads a pattern in ripgrep's syntax (Rust's regex crate), a little more forgiving, into a tree.
import type { Look, Node } from "./ast.ts";
import { classOf, parseClass, parseEscape, type Escape } from "./classes.ts";
import { failure, type Scanner } from "./scanner.ts";

export type ParseOptions = {
  ignoreCase: boolean;
  /** Patterns see the whole text: `\n` is allowed and `.` matches it. */
  multiline: boolean;
};

type Flags = { i: boolean; s: boolean; m: boolean; x: boolean; swapGreed: boolean };
type State = { scan: Scanner; multiline: boolean; depth: number };

const maxRepeat = 1000;
const maxDepth = 200;
const maxPattern = 20_000;

/**
 * Parses `pattern`. Throws an Error for the model when it is not valid.
 * Forgiving where Rust is not: a `{` that starts no count is a literal, `\/` and `\<` work, `[[]` is a bracket.
 */
export function parsePattern(pattern: string, options: ParseOptions): Node {
  if (pattern.length > maxPattern) throw new Error(`The pattern is longer than ${maxPattern} characters. Shorten it.`);
  const flags = { i: options.ignoreCase, s: options.multiline, m: true, x: false, swapGreed: false };
  const attempt = (plainBrackets: boolean): Node => {
    const state = { scan: { text: pattern, at: 0, plainBrackets }, multiline: options.multiline, depth: 0 };
    const node = parseAlternatives(state, flags);
    if (state.scan.at < pattern.length)
      throw failure(state.scan, "there is a `)` without its `(`; a literal one is `\\)`");
    return node;
  };
  try {
    return attempt(false);
  } catch (error) {
    if (!/\[[^\]]*\[/.test(pattern)) throw error;
    // `[[]` and `[^[]` are how other dialects write a bracket in a class; keep the first error if that is no help.
    try {
      return attempt(true);
    } catch {
      throw error;
    }
  }
}

/** Up to the closing `)` or the end. `flags` is the group's own copy: `(?i)` changes what follows in the group only. */
function parseAlternatives(state: State, outer: Flags): Node {
  if (++state.depth > maxDepth) throw failure(state.scan, `groups are nested deeper than ${maxDepth}`);
  const flags = { ...outer };
  const branches: Node[][] = [[]];
  const { scan } = state;
  while (scan.at < scan.text.length && scan.text[scan.at] !== ")") {
    const branch = branches.at(-1) ?? [];
    if (scan.text[scan.at] === "|") {
      scan.at++;
      branches.push([]);
    } else if (!skipBlank(scan, flags)) {
      parsePiece(state, flags, branch);
    }
  }
  state.depth--;
  const items = branches.map((branch): Node => (branch.length === 1 && branch[0] ? branch[0] : seq(branch)));
  return items.length === 1 && items[0] ? items[0] : { kind: "alt", items };
}

function seq(items: Node[]): Node {
  return items.length === 0 ? { kind: "empty" } : { kind: "cat", items };
}

/** In `x` mode: skips a space or a comment. */
function skipBlank(scan: Scanner, flags: Flags): boolean {
  if (!flags.x) return false;
  const char = scan.text[scan.at] ?? "";
  if (/\s/.test(char)) {
    scan.at++;
    return true;
  }
  if (char !== "#") return false;
  const end = scan.text.indexOf("\n", scan.at);
  scan.at = end < 0 ? scan.text.length : end + 1;
  return true;
}

function parsePiece(state: State, flags: Flags, branch: Node[]): void {
  const { scan } = state;
  const char = scan.text[scan.at] ?? "";
  const count = readQuantifier(scan);
  if (!count) {
    const node = parseAtom(state, flags);
    if (node) branch.push(node);
    return;
  }
  const node = branch.pop();
  if (!node) throw failure(scan, `\`${char}\` has nothing before it to repeat; a literal one is \`\\${char}\``);
  if (count.min > count.max) throw failure(scan, `the count {${count.min},${count.max}} runs backwards`);
  if (count.min > maxRepeat || (count.max > maxRepeat && count.max !== Infinity)) {
    throw failure(scan, `a count may be at most ${maxRepeat}`);
  }
  const lazy = scan.text[scan.at] === "?";
  if (lazy) scan.at++;
  branch.push({ kind: "repeat", node, min: count.min, max: count.max, lazy: lazy !== flags.swapGreed });
}

const countPattern = /\{ *(\d{1,6})? *(,)? *(\d{1,6})? *\}/y;

/** A quantifier at the cursor, consumed; undefined when there is none (a `{` that starts no count is a literal). */
function readQuantifier(scan: Scanner): { min: number; max: number } | undefined {
  const simple: Record<string, { min: number; max: number }> = {
    "*": { min: 0, max: Infinity },
    "+": { min: 1, max: Infinity },
    "?": { min: 0, max: 1 },
  };
  const char = scan.text[scan.at] ?? "";
  const found = Object.hasOwn(simple, char) ? simple[char] : undefined;
  if (found) {
    scan.at++;
    return found;
  }
  if (char !== "{") return undefined;
  countPattern.lastIndex = scan.at;
  const match = countPattern.exec(scan.text);
  if (!match || (match[1] === undefined && match[3] === undefined)) return undefined;
  scan.at += match[0].length;
  const min = Number(match[1] ?? 0);
  const max = match[3] !== undefined ? Number(match[3]) : match[2] ? Infinity : min;
  return { min, max };
}

function parseAtom(state: State, flags: Flags): Node | undefined {
  const { scan } = state;
  const code = scan.text.codePointAt(scan.at) ?? 0;
  const char = String.fromCodePoint(code);
  switch (char) {
    case "(":
      return parseGroup(state, flags);
    case "[":
      return { kind: "set", source: parseClass(scan), fold: flags.i };
    case "\\":
      return fromEscape(state, parseEscape(scan), flags);
    case ".":
      scan.at++;
      return { kind: "set", source: flags.s ? "[\\u{0}-\\u{10ffff}]" : "[^\\n]", fold: false };
    case "^":
      scan.at++;
      return { kind: "look", look: flags.m ? "bol" : "bot" };
    case "$":
      scan.at++;
      return flags.m ? endOfLine() : { kind: "look", look: "eot" };
    default:
      scan.at += char.length;
      return literal(state, code, flags);
  }
}

/** A line may end in CRLF: `foo$` finds `foo\r\n`. */
function endOfLine(): Node {
  return { kind: "cat", items: [optionalReturn(), { kind: "look", look: "eol" }] };
}

function optionalReturn(): Node {
  return { kind: "repeat", node: { kind: "char", code: 13, fold: false }, min: 0, max: 1, lazy: false };
}

function literal(state: State, code: number, flags: Flags): Node {
  const char: Node = { kind: "char", code, fold: flags.i && isCased(code) };
  if (code !== 10) return char;
  if (!state.multiline) {
    throw failure(state.scan, "it contains a line break, and lines are searched one by one; set multiline: true");
  }
  return { kind: "cat", items: [optionalReturn(), char] };
}

function isCased(code: number): boolean {
  return code < 128 ? /[a-z]/i.test(String.fromCharCode(code)) : true;
}

function fromEscape(state: State, escape: Escape, flags: Flags): Node {
  switch (escape.kind) {
    case "char":
      return literal(state, escape.code, flags);
    case "class":
      return { kind: "set", source: classOf(escape.source), fold: flags.i };
    case "look":
      return { kind: "look", look: escape.look satisfies Look };
    default:
      return escape satisfies never;
  }
}

const lookaround = /^\((\?[=!]|\?<[=!]|\?>|\?\||\?\(|\?[&R0-9]|\?P[=>]|\*)/;

function parseGroup(state: State, flags: Flags): Node | undefined {
  const { scan } = state;
  const rest = scan.text.slice(scan.at, scan.at + 80);
  if (lookaround.test(rest)) {
    throw failure(
      scan,
      "look-around, back-references and other features that need backtracking are not supported; match the plain text and narrow the result, or use Bash for such a search",
    );
  }
  const named = /^\(\?P?<[A-Za-z_][\w.[\]]*>/.exec(rest);
  if (named) return closeGroup(state, flags, named[0].length);
  if (!rest.startsWith("(?")) return closeGroup(state, flags, 1);
  const inline = /^\(\?([a-zA-Z]*)(?:-([a-zA-Z]*))?([:)])/.exec(rest);
  if (!inline) throw failure(scan, "`(?` starts no group known here; a literal parenthesis is `\\(`");
  const changed = { ...flags };
  setFlags(scan, changed, inline[1] ?? "", true);
  setFlags(scan, changed, inline[2] ?? "", false);
  if (inline[3] === ":") return closeGroup(state, changed, inline[0].length);
  scan.at += inline[0].length;
  Object.assign(flags, changed);
  return undefined;
}

function closeGroup(state: State, flags: Flags, opened: number): Node {
  const { scan } = state;
  const start = scan.at;
  scan.at += opened;
  const node = parseAlternatives(state, flags);
  if (scan.text[scan.at] !== ")") {
    throw failure({ ...scan, at: start }, "a `(` is never closed; a literal one is `\\(`");
  }
  scan.at++;
  // Kept together: a quantifier that follows repeats the whole group.
  return node.kind === "cat" ? { kind: "cat", items: node.items } : node;
}

function setFlags(scan: Scanner, flags: Flags, letters: string, value: boolean): void {
  for (const letter of letters) {
    if (letter === "i" || letter === "s" || letter === "m" || letter === "x") flags[letter] = value;
    else if (letter === "U") flags.swapGreed = value;
    else if (letter !== "u" || !value)
      throw failure(scan, `the flag \`${letter}\` is not supported; i, m, s, x and U are`);
  }
}

// A small exact grammar of sed scripts that only print; everything else is refused.
import { regexEnd } from "./delimited.ts";

/**
 * `problem`: why the script is not harmless, in words; undefined when it is. What it names is known as far as it was read:
 * files it reads and writes, shell commands it runs.
 */
export type SedScript = {
  problem?: string;
  reads: readonly string[];
  writes: readonly string[];
  commands: readonly string[];
};

type Cursor = {
  text: string;
  at: number;
  depth: number;
  reads: string[];
  writes: string[];
  commands: string[];
  /** Found, but what follows can still be read. */
  refused?: string;
};

/** `text`: all pieces, joined by newlines. */
export function readSedScript(text: string): SedScript {
  const cursor: Cursor = { text, at: 0, depth: 0, reads: [], writes: [], commands: [] };
  const problem = readCommands(cursor) ?? cursor.refused;
  const { reads, writes, commands } = cursor;
  return { ...(problem === undefined ? {} : { problem }), reads, writes, commands };
}

function readCommands(cursor: Cursor): string | undefined {
  for (;;) {
    take(cursor, /[ \t\n;]*/y);
    if (cursor.at >= cursor.text.length) return cursor.depth === 0 ? undefined : "a { without its }";
    const problem = readCommand(cursor);
    if (problem !== undefined) return problem;
  }
}

function readCommand(cursor: Cursor): string | undefined {
  if (cursor.text[cursor.at] === "#") return readComment(cursor);
  const addresses = readAddresses(cursor);
  if (addresses !== undefined) return addresses;
  take(cursor, /[ \t]*!?[ \t]*/y);
  const command = cursor.text[cursor.at] ?? "";
  cursor.at++;
  switch (command) {
    case "{":
      cursor.depth++;
      return undefined;
    case "}":
      cursor.depth--;
      return cursor.depth < 0 ? "a } without its {" : readEnd(cursor);
    case "s":
      return readSubstitute(cursor);
    case "y":
      return readTransliterate(cursor);
    case "a":
    case "i":
    case "c":
      return readText(cursor);
    case ":":
      if (take(cursor, /[ \t]*[\w.-]+/y) === undefined) return "a label that is not a word";
      return isLabelOn(cursor) ?? readEnd(cursor);
    case "b":
    case "t":
    case "T":
      take(cursor, /[ \t]*[\w.-]*/y);
      return isLabelOn(cursor) ?? readEnd(cursor);
    case "q":
    case "Q":
    case "l":
      take(cursor, /[ \t]*\d*/y);
      return readEnd(cursor);
    case "r":
    case "R":
    case "w":
    case "W":
    case "e":
      return readRestOfLine(cursor, command);
    default:
      if (command === "" || !"=dDgGhHnNpPxzF".includes(command)) return `the command ${command} is not known`;
      return readEnd(cursor);
  }
}

/** After a command: the end of it, and nothing else. */
function readEnd(cursor: Cursor): string | undefined {
  return take(cursor, /[ \t]*(?=[;\n}#]|$)/y) === undefined ? "more behind a command than is known" : undefined;
}

/** busybox joins a line that ends with a backslash with the next one, others do not. */
function readComment(cursor: Cursor): string | undefined {
  const comment = take(cursor, /[^\n]*/y) ?? "";
  return comment.endsWith("\\") ? "a comment that ends with a backslash" : undefined;
}

function readAddresses(cursor: Cursor): string | undefined {
  const first = readAddress(cursor, /\d+(?:~\d+)?|\$/y);
  if (first !== "one" || take(cursor, /[ \t]*,[ \t]*/y) === undefined) return first === "bad" ? BAD_REGEX : undefined;
  const second = readAddress(cursor, /[+~]?\d+|\$/y);
  return second === "one" ? undefined : second === "bad" ? BAD_REGEX : "an address after the comma that is not known";
}

const BAD_REGEX = "an expression whose end is not certain";

function readAddress(cursor: Cursor, plain: RegExp): "none" | "one" | "bad" {
  if (take(cursor, plain) !== undefined) return "one";
  const own = take(cursor, /\\[/|,#:!@%~+=_;]/y);
  if (own === undefined && take(cursor, /\//y) === undefined) return cursor.text[cursor.at] === "\\" ? "bad" : "none";
  const found = regexEnd(cursor.text, cursor.at, own?.[1] ?? "/");
  if (!found) return "bad";
  // For an old GNU sed the expression ends inside the bracket: that is an error, but not after a command was read.
  if (found.plainEnd !== found.end && !/[\].\-_*+^"'|@%&]/.test(cursor.text[found.plainEnd + 1] ?? "")) return "bad";
  cursor.at = found.end + 1;
  take(cursor, /[IM]*/y);
  return "one";
}

function readSubstitute(cursor: Cursor): string | undefined {
  const delimiter = take(cursor, /[/|,#:!@%~+=_;]/y);
  if (delimiter === undefined) return "s with an unusual delimiter";
  const found = regexEnd(cursor.text, cursor.at, delimiter);
  if (!found) return BAD_REGEX;
  const end = replacementEnd(cursor.text, found.end + 1, delimiter);
  if (end === undefined) return "a replacement without an end";
  if (found.plainEnd !== found.end) {
    // An old GNU sed finds the bracket unclosed, but only after it opened the file of a flag w.
    const old = replacementEnd(cursor.text, found.plainEnd + 1, delimiter);
    if (old !== undefined && /^[gpiIMme0-9]*w/.test(cursor.text.slice(old + 1))) return BAD_REGEX;
  }
  cursor.at = end + 1;
  const flags = take(cursor, /[gpiIMm0-9]*/y);
  if (flags !== undefined && cursor.text[cursor.at] === "w") {
    cursor.at++;
    return readRestOfLine(cursor, "w");
  }
  if (/[a-zA-Z]/.test(cursor.text[cursor.at] ?? "")) return `the flag ${cursor.text[cursor.at]} of s`;
  return readEnd(cursor);
}

/** A newline may stand in a replacement only behind a backslash. */
function replacementEnd(text: string, from: number, delimiter: string): number | undefined {
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (char === delimiter) return at;
    if (char === "\n") return undefined;
    if (char === "\\") at++;
  }
  return undefined;
}

function readTransliterate(cursor: Cursor): string | undefined {
  const delimiter = take(cursor, /[/|,#:!@%~+=_;]/y);
  if (delimiter === undefined) return "y with an unusual delimiter";
  for (let part = 0; part < 2; part++) {
    const end = replacementEnd(cursor.text, cursor.at, delimiter);
    // Some programs let a bracket hide the delimiter here as well.
    if (end === undefined || /[[\n]/.test(cursor.text.slice(cursor.at, end))) return "y with text that is not plain";
    cursor.at = end + 1;
  }
  return readEnd(cursor);
}

/** One line of text for a, i, c. More lines, and no text at all, are taken differently by different programs. */
function readText(cursor: Cursor): string | undefined {
  take(cursor, /[ \t]*(?:\\\n?)?/y);
  const text = take(cursor, /[^\n]*/y) ?? "";
  if (text.trim() === "") return "a, i or c without text";
  return text.endsWith("\\") ? "text that goes on in the next line" : undefined;
}

function readRestOfLine(cursor: Cursor, command: string): undefined {
  const rest = (take(cursor, /[^\n]*/y) ?? "").trimStart();
  if (command === "e") cursor.commands.push(rest);
  else (/r/i.test(command) ? cursor.reads : cursor.writes).push(rest);
  cursor.refused ??= command === "e" ? "the command e runs a program" : `the command ${command} uses a file`;
}

/** What the sticky expression matches here, and past it. */
/** To some the rest of the line is the label. */
function isLabelOn({ text, at }: Cursor): string | undefined {
  return text[at] === "#" ? "a label that may go on behind #" : undefined;
}

function take(cursor: Cursor, expression: RegExp): string | undefined {
  expression.lastIndex = cursor.at;
  const found = expression.exec(cursor.text)?.[0];
  if (found !== undefined) cursor.at += found.length;
  return found;
}

// Cuts an awk program into tokens, as far as every awk agrees about them.
import { regexEnd } from "./delimited.ts";

/** `text` of a string is what stands between its quotes. `joined`: a parenthesis follows directly (a call). */
export type AwkToken = {
  kind: "word" | "number" | "string" | "regex" | "op" | "newline";
  text: string;
  joined?: boolean;
};

/** The tokens, or a problem in words. Comments and continued lines are left out. */
export function awkTokens(text: string): AwkToken[] | { problem: string } {
  const state: State = { text, at: 0, tokens: [], parens: [] };
  while (state.at < text.length) {
    const problem = readToken(state);
    if (problem !== undefined) return { problem };
  }
  return state.tokens;
}

type State = {
  text: string;
  at: number;
  tokens: AwkToken[];
  /** Open parentheses and brackets; `control`: of an if, while, for or switch. */
  parens: { bracket: boolean; control: boolean }[];
  /** The last closing parenthesis ended the head of an if, while, for or switch. */
  afterControl?: boolean;
};

const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/y;
const STRING = /"((?:[^"\\\n]|\\[^\n])*)"/y;
const OPERATOR = /\*\*=?|&&|\|\||\|&|[-+*/%^=!<>]=|>>|\+\+|--|!~|[-+*/%^=!<>~?:,;(){}[\]$|]/y;

function readToken(state: State): string | undefined {
  const char = state.text[state.at] ?? "";
  if (char === " " || char === "\t") {
    state.at++;
    return undefined;
  }
  if (char === "\n") return push(state, "newline", "\n");
  if (char === "\\" && state.text[state.at + 1] === "\n") {
    state.at += 2;
    return undefined;
  }
  if (char === "#") return skipComment(state);
  if (char === "/") {
    const start = slashMeaning(state);
    if (start === "unclear") return "a / that may begin an expression or divide";
    if (start === "regex") return readRegex(state);
  }
  const string = match(state, STRING);
  if (string) return push(state, "string", string[1] ?? "", string[0].length);
  const word = match(state, WORD);
  if (word) return push(state, "word", word[0]);
  const number = match(state, NUMBER);
  if (number) return push(state, "number", number[0]);
  const operator = match(state, OPERATOR);
  if (!operator) return `${char === '"' ? "a string without an end" : `the character ${char}`}`;
  trackParens(state, operator[0]);
  return push(state, "op", operator[0]);
}

function match({ text, at }: State, expression: RegExp): RegExpExecArray | null {
  expression.lastIndex = at;
  return expression.exec(text);
}

function push(state: State, kind: AwkToken["kind"], text: string, length = text.length): undefined {
  state.at += length;
  const joined = kind === "word" && state.text[state.at] === "(";
  state.tokens.push(joined ? { kind, text, joined } : { kind, text });
}

function skipComment(state: State): string | undefined {
  const end = state.text.indexOf("\n", state.at);
  const comment = state.text.slice(state.at, end < 0 ? undefined : end);
  state.at += comment.length;
  return comment.endsWith("\\") ? "a comment that ends with a backslash" : undefined;
}

function trackParens(state: State, operator: string): void {
  if (operator === "(" || operator === "[") {
    const before = state.tokens.at(-1);
    const control = before?.kind === "word" && /^(if|while|for|switch)$/.test(before.text);
    state.parens.push({ bracket: operator === "[", control });
  } else if (operator === ")" || operator === "]") state.afterControl = state.parens.pop()?.control === true;
}

/** By the token before it; `unclear` where the grammars differ or where it would be rare. */
function slashMeaning({ tokens, afterControl }: State): "regex" | "division" | "unclear" {
  const before = tokens.at(-1);
  if (!before) return "regex";
  switch (before.kind) {
    case "newline":
      return "regex";
    case "number":
    case "string":
      return "division";
    case "regex":
      return "unclear";
    case "word":
      if (/^(print|printf|return|else|do|case)$/.test(before.text)) return "regex";
      return NOT_A_VALUE.has(before.text) ? "unclear" : "division";
    case "op":
      if (before.text === "]") return "division";
      if (before.text === ")") return afterControl === true ? "unclear" : "division";
      return /^(\+\+|--|\$|\/=?)$/.test(before.text) ? "unclear" : "regex";
    default:
      return before.kind satisfies never;
  }
}

// `length / 2` is a concatenation with an expression for mawk, a division for others.
const NOT_A_VALUE = new Set(
  "BEGIN END BEGINFILE ENDFILE if while for switch in getline delete next nextfile exit break continue function func default length".split(
    " ",
  ),
);

function readRegex(state: State): string | undefined {
  const found = regexEnd(state.text, state.at + 1, "/");
  if (!found) return "an expression whose end is not certain";
  if (found.plainEnd !== found.end) {
    // For the one true awk the expression ends inside the bracket; what follows must then be an error: a ] too many.
    const rest = state.text.slice(found.plainEnd + 1, found.end);
    if (state.parens.some(({ bracket }) => bracket) || !/^[^"/#\\\][]*\]/.test(rest)) return "a / inside a bracket";
  }
  return push(state, "regex", state.text.slice(state.at + 1, found.end), found.end + 1 - state.at);
}

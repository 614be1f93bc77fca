// Where a regular expression in a sed or awk program ends; programs differ about delimiters inside brackets.

/**
 * `end`: the index of the closing delimiter when brackets hide it (POSIX, and every current program). `plainEnd`: the one an
 * old program takes, for which a bracket hides nothing; never behind `end`.
 */
export type RegexEnd = { end: number; plainEnd: number };

/** `from` is the first character of the expression. Undefined: no end on this line, or programs disagree about it. */
export function regexEnd(text: string, from: number, delimiter: string): RegexEnd | undefined {
  const end = scan(text, from, { delimiter, brackets: "posix" });
  const escaping = scan(text, from, { delimiter, brackets: "escaping" });
  const plainEnd = scan(text, from, { delimiter, brackets: "none" });
  if (end === undefined || plainEnd === undefined || end !== escaping) return undefined;
  return { end, plainEnd };
}

/** `posix`: a backslash inside brackets is an ordinary character; `escaping`: it hides the next one. */
type Reading = { delimiter: string; brackets: "posix" | "escaping" | "none" };

function scan(text: string, from: number, reading: Reading): number | undefined {
  let at = from;
  while (at < text.length) {
    const char = text[at];
    if (char === reading.delimiter) return at;
    if (char === "\n") return undefined;
    if (char === "\\") {
      if (text[at + 1] === "\n") return undefined;
      at += 2;
    } else if (char === "[" && reading.brackets !== "none") {
      const closing = bracketEnd(text, at, reading.brackets === "escaping");
      if (closing === undefined) return undefined;
      at = closing + 1;
    } else at++;
  }
  return undefined;
}

function bracketEnd(text: string, open: number, escaping: boolean): number | undefined {
  let at = open + 1;
  if (text[at] === "^") at++;
  if (text[at] === "]") at++;
  while (at < text.length) {
    const char = text[at];
    if (char === "]") return at;
    if (char === "\n") return undefined;
    const kind = text[at + 1] ?? "";
    if (char === "[" && ":.=".includes(kind) && kind !== "") {
      const closing = text.indexOf(`${kind}]`, at + 2);
      if (closing < 0) return undefined;
      at = closing + 2;
    } else at += escaping && char === "\\" ? 2 : 1;
  }
  return undefined;
}

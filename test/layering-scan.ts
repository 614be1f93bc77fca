// Splits TypeScript into code, strings and comments, well enough for the rules of test/layering.test.ts.

export type Scan = {
  /** The text with comments, strings, templates and regular expressions blanked; same length, same lines. */
  code: string;
  /** The text with comments blanked only. */
  bare: string;
};

type Mode = "code" | "template";

/** A `/` after one of these begins a regular expression, after anything else it divides. */
const BEFORE_REGEX =
  /(?:^|[([{}=,;:!&|?+\-*%~^<>]|\b(?:return|typeof|case|in|of|await|yield|throw|void|delete|else|do))$/;
const TOKEN = {
  comment: /\/\/[^\n]*|\/\*[^]*?\*\//y,
  string: /"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*'/y,
  regex: /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y,
  template: /(?:[^`\\$]|\\[^]|\$(?!\{))+/y,
};

export function scan(source: string): Scan {
  const code: string[] = [];
  const bare: string[] = [];
  // What encloses the place we are at; braces inside `${}` are counted, so that its end is found.
  const stack: { mode: Mode; braces: number }[] = [{ mode: "code", braces: 0 }];
  const recent = { text: "" };
  for (let at = 0; at < source.length;) {
    const top = stack.at(-1) ?? { mode: "code" as const, braces: 0 };
    const { text, kind } = top.mode === "template" ? inTemplate(source, at) : inCode(source, at, recent.text);
    code.push(kind === "code" ? text : blank(text));
    bare.push(kind === "comment" ? blank(text) : text);
    // A string stands before a `/` as a value does.
    recent.text = (recent.text + (kind === "code" ? text : kind === "string" ? '"' : " ")).slice(-24);
    at += text.length;
    if (kind !== "code") continue;
    if (text === "`" && top.mode === "template") stack.pop();
    else if (text === "`") stack.push({ mode: "template", braces: 0 });
    else if (text === "${") stack.push({ mode: "code", braces: 0 });
    else if (text === "{") top.braces++;
    else if (text === "}" && top.braces-- === 0 && stack.length > 1) stack.pop();
  }
  return { code: code.join(""), bare: bare.join("") };
}

type Found = { text: string; kind: "code" | "string" | "comment" };

function inTemplate(source: string, at: number): Found {
  const text = match(TOKEN.template, source, at);
  if (text !== undefined) return { text, kind: "string" };
  const end = source.startsWith("${", at) ? "${" : (source[at] ?? "");
  return { text: end, kind: "code" };
}

function inCode(source: string, at: number, before: string): Found {
  const comment = match(TOKEN.comment, source, at);
  if (comment !== undefined) return { text: comment, kind: "comment" };
  const string = match(TOKEN.string, source, at);
  if (string !== undefined) return { text: string, kind: "string" };
  const regex = source[at] === "/" && BEFORE_REGEX.test(before.trimEnd()) ? match(TOKEN.regex, source, at) : undefined;
  if (regex !== undefined) return { text: regex, kind: "string" };
  return { text: source[at] ?? "", kind: "code" };
}

function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, " ");
}

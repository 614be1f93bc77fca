// JSON with comments and trailing commas, read into nodes that know their line. The built-in parser knows no lines and
// silently takes the first of two values and the last of two equal keys: both would lose rules.

/** `from` and `to` are the value's place in the text: its first character, and the one after its last. */
export type Node = { line: number; from: number; to: number } & (
  | { kind: "object"; fields: Map<string, Node> }
  | { kind: "array"; items: Node[] }
  | { kind: "scalar"; value: string | number | boolean | null }
);

export class JsonProblem extends Error {
  override readonly name = "JsonProblem";
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

const MAX_DEPTH = 100;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z_$][\w$]*/y;
const SPACE = /(?:[\s\uFEFF]+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const LITERALS: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null };

/** Undefined for a text without any value (empty, or only comments). Throws JsonProblem. */
export function parseJsonc(text: string): Node | undefined {
  const reader = new Reader(text);
  if (reader.peek() === "") return undefined;
  const node = reader.value(0);
  if (reader.peek() !== "") throw reader.problem(`unexpected ${reader.seen()} after the end of the value`);
  return node;
}

/** The plain value of a node; objects have no prototype that a key could reach. */
export function plain(node: Node): unknown {
  switch (node.kind) {
    case "scalar":
      return node.value;
    case "array":
      return node.items.map(plain);
    case "object":
      return Object.fromEntries([...node.fields].map(([key, field]) => [key, plain(field)]));
    default:
      return node satisfies never;
  }
}

class Reader {
  #text: string;
  #at = 0;
  #line = 1;
  /** Up to where `#line` is counted. */
  #counted = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next character that means something; "" at the end. */
  peek(): string {
    this.#match(SPACE);
    if (this.#text.startsWith("/*", this.#at)) throw this.problem("a comment that begins here does not end");
    return this.#text[this.#at] ?? "";
  }

  value(depth: number): Node {
    if (depth > MAX_DEPTH) throw this.problem("too many levels");
    const first = this.peek();
    const place = { line: this.#lineHere(), from: this.#at };
    if (first === "{") {
      const fields = this.#object(depth);
      return { ...place, to: this.#at, kind: "object", fields };
    }
    if (first === "[") {
      const items = this.#array(depth);
      return { ...place, to: this.#at, kind: "array", items };
    }
    return { ...place, kind: "scalar", value: this.#scalar(first), to: this.#at };
  }

  #scalar(first: string): string | number | boolean | null {
    if (first === '"') return this.#string();
    const number = this.#match(NUMBER);
    if (number !== "") return Number(number);
    const before = this.#at;
    const word = this.#match(WORD);
    const literal = Object.hasOwn(LITERALS, word) ? LITERALS[word] : undefined;
    if (literal !== undefined) return literal;
    this.#at = before;
    throw this.problem(`expected a value, found ${this.seen()}`);
  }

  problem(message: string): JsonProblem {
    return new JsonProblem(this.#lineHere(), message);
  }

  /** What stands here, for a message. */
  seen(): string {
    const word = this.#match(WORD) || (this.#text[this.#at] ?? "");
    return word === "" ? "the end of the file" : JSON.stringify(word.slice(0, 20));
  }

  #object(depth: number): Map<string, Node> {
    const fields = new Map<string, Node>();
    this.#at++;
    while (this.peek() !== "}") {
      if (this.peek() !== '"') throw this.problem(`expected a key in double quotes or "}", found ${this.seen()}`);
      const key = this.#string();
      if (this.peek() !== ":") throw this.problem(`expected ":" after the key, found ${this.seen()}`);
      this.#at++;
      const node = this.value(depth + 1);
      const earlier = fields.get(key);
      // One of the two lists would be lost; of two plain values the last counts, as everywhere.
      if (earlier && (earlier.kind !== "scalar" || node.kind !== "scalar")) {
        throw new JsonProblem(
          node.line,
          `the key ${JSON.stringify(key)} is there twice (also in line ${earlier.line})`,
        );
      }
      fields.set(key, node);
      this.#comma("}");
    }
    this.#at++;
    return fields;
  }

  #array(depth: number): Node[] {
    const items: Node[] = [];
    this.#at++;
    while (this.peek() !== "]") {
      items.push(this.value(depth + 1));
      this.#comma("]");
    }
    this.#at++;
    return items;
  }

  #comma(end: string): void {
    const next = this.peek();
    if (next === ",") this.#at++;
    else if (next !== end) throw this.problem(`expected "," or "${end}", found ${this.seen()}`);
  }

  #string(): string {
    const from = this.#at;
    for (let i = from + 1; i < this.#text.length; i++) {
      const char = this.#text[i];
      if (char === "\\") i++;
      else if (char === "\n") break;
      else if (char === '"') {
        this.#at = i + 1;
        return this.#unescaped(from, i + 1);
      }
    }
    throw this.problem("a string that begins here does not end in its line");
  }

  #unescaped(from: number, to: number): string {
    try {
      return String(JSON.parse(this.#text.slice(from, to).replaceAll("\t", "\\t")));
    } catch {
      // The parser's words name a column of this string only; ours name the line.
      throw new JsonProblem(this.#lineHere(), 'a string has a "\\" or a control character that JSON does not allow');
    }
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  #lineHere(): number {
    for (let i = this.#text.indexOf("\n", this.#counted); i !== -1 && i < this.#at;) {
      this.#line++;
      this.#counted = i + 1;
      i = this.#text.indexOf("\n", this.#counted);
    }
    return this.#line;
  }
}

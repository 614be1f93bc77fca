// The pattern as a tree: what parse.ts makes, and what program.ts and rust.ts read.

/** Zero-width conditions. `bol`/`eol` are lines, `bot`/`eot` the whole text. */
export type Look = "bol" | "eol" | "bot" | "eot" | "word" | "notWord" | "wordStart" | "wordEnd";

export type Node =
  | { kind: "empty" }
  | { kind: "char"; code: number; fold: boolean }
  /** `source` is a class both JavaScript (v flag) and Rust read the same way. `newline`: it may match one. */
  | { kind: "set"; source: string; fold: boolean }
  | { kind: "look"; look: Look }
  | { kind: "cat"; items: Node[] }
  | { kind: "alt"; items: Node[] }
  | { kind: "repeat"; node: Node; min: number; max: number; lazy: boolean };

/** The text every match must contain, or "" when there is none to be had cheaply: what a fast search looks for first. */
export function requiredText(node: Node): string {
  const runs: string[] = [""];
  collect(node, runs);
  return runs.reduce((best, run) => (run.length > best.length ? run : best), "");
}

function collect(node: Node, runs: string[]): void {
  switch (node.kind) {
    case "char":
      if (node.fold) runs.push("");
      else runs[runs.length - 1] += String.fromCodePoint(node.code);
      return;
    case "cat":
      for (const item of node.items) collect(item, runs);
      return;
    case "repeat":
      runs.push("");
      if (node.min > 0) collect(node.node, runs);
      runs.push("");
      return;
    case "look":
    case "empty":
      return;
    case "set":
    case "alt":
      runs.push("");
      return;
    default:
      return node satisfies never;
  }
}

const rustLooks: Record<Look, string | undefined> = {
  bol: "^",
  eol: "$",
  word: "\\b",
  notWord: "\\B",
  // Not in every version of rg, or with another meaning when it searches line by line.
  bot: undefined,
  eot: undefined,
  wordStart: undefined,
  wordEnd: undefined,
};

/** The same pattern in the syntax every rg from 13 on reads, or undefined when it cannot be said there. */
export function toRust(node: Node): string | undefined {
  switch (node.kind) {
    case "empty":
      return "(?:)";
    case "char":
      return folded(rustChar(node.code), node.fold);
    case "set":
      return folded(node.source, node.fold);
    case "look":
      return rustLooks[node.look];
    case "cat":
      return joined(node.items, "", "", "");
    case "alt":
      return joined(node.items, "(?:", "|", ")");
    case "repeat": {
      const inner = toRust(node.node);
      if (inner === undefined) return undefined;
      return `(?:${inner})${quantifier(node.min, node.max)}${node.lazy ? "?" : ""}`;
    }
    default:
      return node satisfies never;
  }
}

function joined(items: Node[], open: string, separator: string, close: string): string | undefined {
  const parts: string[] = [];
  for (const item of items) {
    const part = toRust(item);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return open + parts.join(separator) + close;
}

function folded(text: string, fold: boolean): string {
  return fold ? `(?i:${text})` : text;
}

function rustChar(code: number): string {
  const char = String.fromCodePoint(code);
  return /^[A-Za-z0-9 _]$/.test(char) || code > 0xa0 ? char : `\\x{${code.toString(16)}}`;
}

function quantifier(min: number, max: number): string {
  if (max === Infinity) return min === 0 ? "*" : min === 1 ? "+" : `{${min},}`;
  if (min === 0 && max === 1) return "?";
  return `{${min},${max}}`;
}

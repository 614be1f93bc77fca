// Adds texts to a list in a JSONC text and changes nothing else: comments, order and layout stay.
import { isFields } from "../utils/jsonl.ts";
import { JsonProblem, parseJsonc, plain, type Node } from "./jsonc.ts";

type Container = Extract<Node, { kind: "object" | "array" }>;
/** Line end, one step of indentation, and the indentation of what is added. */
type Layout = { end: string; unit: string; indent: string };

/**
 * The text with `values` at the end of the list at `path`, which is made when it is missing; values already there are
 * left out. Throws JsonProblem when the text cannot be parsed or something of another kind is in the way.
 */
export function addToList(text: string, path: readonly string[], values: readonly string[]): string {
  const root = parseJsonc(text);
  const layout = { end: text.includes("\r\n") ? "\r\n" : "\n", unit: /^\t/m.test(text) ? "\t" : "  ", indent: "" };
  const wanted = [...new Set(values)];
  if (!root) return `${ended(text, layout.end)}${nested(path, wanted, layout)}${layout.end}`;
  const { node, rest } = deepest(root, path);
  const present = node.kind === "array" ? node.items.map(plain) : [];
  const added = wanted.filter((value) => !present.includes(value));
  if (added.length === 0) return text;
  const here = { ...layout, indent: childIndent(text, node, layout.unit) };
  const [key, ...inner] = rest;
  const pieces =
    key === undefined
      ? added.map((value) => JSON.stringify(value))
      : [`${JSON.stringify(key)}: ${nested(inner, added, here)}`];
  const result = insert(text, node, pieces, here);
  verify(result, appended(plain(root), path, added));
  return result;
}

function ended(text: string, end: string): string {
  return text === "" || text.endsWith("\n") ? text : text + end;
}

/** How far the path exists, and what of it is missing. */
function deepest(root: Node, path: readonly string[]): { node: Container; rest: readonly string[] } {
  let node: Node = root;
  for (const [i, key] of path.entries()) {
    const name = path.slice(0, i).join(".") || "the file";
    if (node.kind !== "object") throw new JsonProblem(node.line, `${name} is not an object`);
    const next: Node | undefined = node.fields.get(key);
    if (!next) return { node, rest: path.slice(i) };
    node = next;
  }
  if (node.kind !== "array") throw new JsonProblem(node.line, `${path.join(".")} is not a list`);
  return { node, rest: [] };
}

/** Objects for each key of `path`, around a list; it ends at the indentation of `layout`. */
function nested(path: readonly string[], values: readonly string[], layout: Layout): string {
  const [key, ...rest] = path;
  const deeper = { ...layout, indent: layout.indent + layout.unit };
  const line = `${layout.end}${deeper.indent}`;
  const close = `${layout.end}${layout.indent}`;
  if (key === undefined) return `[${values.map((value) => line + JSON.stringify(value)).join(",")}${close}]`;
  return `{${line}${JSON.stringify(key)}: ${nested(rest, values, deeper)}${close}}`;
}

/** Before the closing bracket, after what is there already; on lines of their own where the others are. */
function insert(text: string, node: Container, pieces: readonly string[], { end, indent }: Layout): string {
  const close = node.to - 1;
  const last = lastChild(node);
  const from = last?.to ?? node.from + 1;
  const inside = text.slice(from, close);
  const kept = inside.trimEnd();
  const blanks = inside.slice(kept.length);
  // What follows the last value is blanks, comments and perhaps a comma.
  const separated = !last || inside.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, "").includes(",");
  const head = text.slice(0, from) + (separated ? "" : ",") + kept;
  if (!isSpread(text, node)) {
    const gap = last || kept !== "" ? " " : "";
    return `${head}${gap}${pieces.join(", ")}${blanks}${text.slice(close)}`;
  }
  const body = pieces.map((piece) => `${end}${indent}${piece}`).join(",");
  const after = last || blanks.includes("\n") ? blanks : `${end}${lineIndent(text, node.from)}`;
  return head + body + after + text.slice(close);
}

function lastChild(node: Container): Node | undefined {
  return node.kind === "array" ? node.items.at(-1) : [...node.fields.values()].at(-1);
}

/** An empty object is spread; anything else as it stands. */
function isSpread(text: string, node: Container): boolean {
  return text.slice(node.from, node.to).includes("\n") || (node.kind === "object" && !lastChild(node));
}

function childIndent(text: string, node: Container, unit: string): string {
  const own = lineIndent(text, node.from);
  const last = lastChild(node);
  if (!isSpread(text, node)) return own;
  const sameLine = last && !text.slice(node.from, last.from).includes("\n");
  return last && !sameLine ? lineIndent(text, last.from) : own + unit;
}

function lineIndent(text: string, at: number): string {
  const start = text.lastIndexOf("\n", at - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start, at))?.[0] ?? "";
}

function appended(value: unknown, [key, ...rest]: readonly string[], values: readonly string[]): unknown {
  if (key === undefined) return [...(Array.isArray(value) ? value : []), ...values];
  const fields = new Map(isFields(value) ? Object.entries(value) : []);
  return Object.fromEntries(fields.set(key, appended(fields.get(key), rest, values)));
}

/** The text must mean what it meant before, and the new values: a slip here would lose rules. */
function verify(text: string, expected: unknown): void {
  const node = parseJsonc(text);
  if (node && JSON.stringify(plain(node)) === JSON.stringify(expected)) return;
  throw new JsonProblem(1, "its layout is not understood");
}

// Brace expansion: `{a,b}` and `{1..3}` become words before anything else is looked at.
import type { WordPart } from "unbash";

type Variant = readonly WordPart[];

/** The words the parts stand for; undefined when a brace is not understood or there are more than `most`. */
export function expandBraces(parts: Variant, most: number): Variant[] | undefined {
  if (!parts.some((part) => part.type === "BraceExpansion")) return [parts];
  // `$x{a,b}` is `$xa $xb`: the name goes on behind the brace.
  const isOpen = parts.some((part, i) => {
    const before = parts[i - 1];
    if (part.type !== "BraceExpansion" || before === undefined) return false;
    return before.type === "SimpleExpansion" || /\$$/.test(before.text);
  });
  if (isOpen) return undefined;
  let variants: Variant[] = [[]];
  for (const part of parts) {
    const choices = part.type === "BraceExpansion" ? choicesOf(part.text, part.pos) : [[part]];
    if (!choices || choices.length * variants.length > most) return undefined;
    variants = variants.flatMap((variant) => choices.map((choice) => [...variant, ...choice]));
  }
  return variants;
}

function choicesOf(text: string, pos: number): Variant[] | undefined {
  const body = text.slice(1, -1);
  // Quotes, escapes, expansions and patterns inside would need the lexer again: not understood.
  if (!text.startsWith("{") || !text.endsWith("}") || /[\s"'`$\\*?[\]~!<>|&;()]/.test(body)) return undefined;
  const texts = sequence(body) ?? listOf(body);
  return texts?.map((one): Variant => (one === "" ? [] : [{ type: "Literal", pos, end: pos, value: one, text: one }]));
}

function sequence(body: string): string[] | undefined {
  const match = /^(-?\d{1,6})\.\.(-?\d{1,6})$/.exec(body);
  if (match) {
    const [from, to] = [Number(match[1]), Number(match[2])];
    if (/^-?0\d/.test(match[1] ?? "") || /^-?0\d/.test(match[2] ?? "") || Math.abs(to - from) > 1000) return undefined;
    const step = from <= to ? 1 : -1;
    return Array.from({ length: Math.abs(to - from) + 1 }, (_, i) => String(from + i * step));
  }
  const letters = /^([a-z])\.\.([a-z])$|^([A-Z])\.\.([A-Z])$/.exec(body);
  if (!letters) return undefined;
  const from = (letters[1] ?? letters[3] ?? "").charCodeAt(0);
  const to = (letters[2] ?? letters[4] ?? "").charCodeAt(0);
  const step = from <= to ? 1 : -1;
  return Array.from({ length: Math.abs(to - from) + 1 }, (_, i) => String.fromCharCode(from + i * step));
}

/** `a,{b,c}d` to a, bd, cd. */
function listOf(body: string): string[] | undefined {
  const items = split(body);
  if (!items || items.length < 2) return undefined;
  const expanded = items.map(expandText);
  return expanded.every((list) => list !== undefined) ? expanded.flat() : undefined;
}

function split(body: string): string[] | undefined {
  const items: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < body.length; i++) {
    if (body[i] === "{") depth++;
    else if (body[i] === "}") depth--;
    else if (body[i] === "," && depth === 0) {
      items.push(body.slice(from, i));
      from = i + 1;
    }
    if (depth < 0) return undefined;
  }
  return depth === 0 ? [...items, body.slice(from)] : undefined;
}

function expandText(text: string): string[] | undefined {
  const open = text.indexOf("{");
  if (open < 0) return text.includes("}") ? undefined : [text];
  let depth = 0;
  const close = [...text].findIndex((char, i) => {
    if (i < open) return false;
    depth += char === "{" ? 1 : char === "}" ? -1 : 0;
    return depth === 0;
  });
  if (close < 0) return undefined;
  const body = text.slice(open + 1, close);
  const middle = sequence(body) ?? listOf(body);
  const rest = expandText(text.slice(close + 1));
  if (!middle || !rest) return undefined;
  return middle.flatMap((one) => rest.map((end) => text.slice(0, open) + one + end));
}

// Arrays of a text: `x=(a b)` once, or added to, and nothing else; what `${x[@]}`, `${x[1]}` and `${#x[@]}` become.
import type { ParameterExpansionPart, Word } from "unbash";
import type { Piece } from "./assemble.ts";
import type { Names } from "./names.ts";
import type { Arg } from "./types.ts";
import type { Value } from "./variables.ts";

type Variables = { defined: Names; values: ReadonlyMap<string, Value> };

/** Each element as a word of its own, of a word that is nothing but the whole array; undefined for any other word. */
export function elementsOf(word: Word, variables: Variables): readonly Arg[] | undefined {
  const [part, ...more] = word.parts ?? [];
  if (!part || more.length > 0) return undefined;
  const quoted = part.type === "DoubleQuoted";
  const inner = quoted ? (part.parts.length === 1 ? part.parts[0] : undefined) : part;
  if (inner?.type !== "ParameterExpansion" || inner.prefix !== undefined || inner.operation) return undefined;
  if (inner.index?.text !== "@") return undefined;
  const elements = arrayOf(inner, variables)?.args;
  const isWhole = quoted || elements?.every((arg) => arg.kind === "text" && /^[\w./:@%+,=-]+$/.test(arg.text));
  return isWhole ? elements : undefined;
}

/** A stretch of a word; undefined where an index is more than a number, or it is no array of this text. */
export function indexed(part: ParameterExpansionPart, variables: Variables, quoted: boolean): Piece | undefined {
  const { parameter, prefix, index, operation } = part;
  const found = arrayOf(part, variables);
  const at = index?.text ?? "";
  // Set by bash itself: what a regular expression found, how the commands of a pipe ended.
  const isOwn = /^(BASH_REMATCH|BASH_VERSINFO|PIPESTATUS)$/.test(parameter) && !variables.values.has(parameter);
  if (isOwn && prefix === undefined && !operation && /^([@*]|\d{1,3})$/.test(at))
    return { kind: "unknown", quoted: quoted && at !== "@" };
  if (!found || operation || !/^(?:[@*]|0|-?[1-9]\d{0,5})$/.test(at)) return undefined;
  // Its indices: as many words as there are elements.
  if (prefix === "!") return /^[@*]$/.test(at) ? { kind: "unknown", quoted: quoted && at === "*" } : undefined;
  if (prefix === "#") return { kind: "unknown", quoted: true, digits: true, number: "surely" };
  const all = found.args?.every((arg) => arg.kind === "text") ? found.args : undefined;
  // `@` is as many words as there are elements, none of none.
  if (at === "@") return { kind: "unknown", quoted: false };
  // From the end; where there are not so many, it is an error.
  if (at.startsWith("-") && !all?.at(Number(at))) return undefined;
  const arg = at === "*" ? undefined : all?.at(Number(at));
  // zsh counts from one.
  const before = Number(at) > 0 ? all?.[Number(at) - 1] : undefined;
  if (before) return { kind: "value", args: [arg ?? { kind: "text", text: "" }, before], quoted };
  if (arg) return { kind: "value", args: [arg], quoted };
  return all && at !== "*" && quoted ? { kind: "text", text: "", quoted } : { kind: "unknown", quoted };
}

function arrayOf({ parameter }: ParameterExpansionPart, { defined, values }: Variables) {
  const value = defined.has(parameter) ? values.get(parameter) : undefined;
  return value?.kind === "array" ? value : undefined;
}

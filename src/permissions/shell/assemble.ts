// The stretches of one word put together: one argument, or the words an unquoted known value splits into.
import { asPattern, textArg, type Arg } from "./types.ts";

/** A stretch of a word. `quoted` text neither splits nor matches file names. */
export type Piece =
  | { kind: "text"; text: string; quoted: boolean }
  | { kind: "glob"; pattern: string }
  | { kind: "value"; args: readonly Arg[]; quoted: boolean }
  /** `digits`: a number or the name of a commit, which may be nothing at all. `number`: "surely" there, or "perhaps"; `signed`: less than zero. */
  | {
      kind: "unknown";
      quoted: boolean;
      digits?: true;
      number?: "surely" | "perhaps";
      signed?: true;
      maybe?: readonly string[];
      outer?: true;
    };

/** A word becomes no more than these. */
export const MOST_WORDS = 200;

/** Pieces of one word to what it becomes: one argument, or the words an unquoted known value splits into. */
export function assemble(pieces: readonly Piece[]): Arg[] {
  const [only, ...others] = pieces;
  if (only?.kind === "value" && others.length === 0) return wholeValue(only);
  if (only?.kind === "text" && others.length === 0) return [{ kind: "text", text: only.text }];
  const resolved = pieces.map(settle);
  if (resolved.some((piece) => piece.kind === "unknown")) return [unknownWord(resolved)];
  if (!resolved.some((piece) => piece.kind === "glob")) {
    // An unquoted word of nothing is no word at all.
    if (pieces.length === 0) return [];
    const texts = product(resolved);
    const [text, ...more] = texts ?? [];
    if (text === undefined) return [{ kind: "unknown", start: "", single: true }];
    // Of nothing unquoted there is no word.
    if (texts?.includes("") && pieces.every((piece) => piece.kind !== "glob" && !piece.quoted)) {
      return more.length === 0 ? [] : [{ kind: "unknown", start: "", single: false }];
    }
    return [more.length === 0 ? { kind: "text", text } : { kind: "oneof", texts: [text, ...more] }];
  }
  return [patternOf(resolved)];
}

/** `name`: one name by the pattern, out of a loop. */
type Settled =
  | Extract<Piece, { kind: "unknown" }>
  | { kind: "texts"; texts: readonly string[] }
  | { kind: "glob"; pattern: string; name?: Name };
type Name = Extract<Arg, { kind: "glob" }>;

function patternOf(pieces: readonly Settled[]): Arg {
  const globs = pieces.filter((piece) => piece.kind === "glob");
  const isEither = pieces.some((piece) => piece.kind === "texts" && piece.texts.length > 1);
  const hasOr = globs.some(({ name }) => name?.or);
  if (isEither || (hasOr && globs.length > 1)) return { kind: "unknown", start: "", single: false };
  const at = pieces.findIndex((piece) => piece.kind === "glob");
  const [before, after] = [pieces.slice(0, at), pieces.slice(at + 1)];
  const around = (pattern: string) => before.map(exactPattern).join("") + pattern + after.map(exactPattern).join("");
  const [first] = globs;
  const or = first?.name?.or?.map(around);
  return {
    kind: "glob",
    pattern: around(first?.pattern ?? ""),
    start: before.map(exactly).join("") + (first?.name?.start ?? ""),
    single: globs.every(({ name }) => name),
    ...(or ? { or } : {}),
  };
}

function exactPattern(piece: Settled): string {
  return piece.kind === "glob" ? piece.pattern : asPattern(exactly(piece));
}

function unknownWord(pieces: readonly Settled[]): Arg {
  const at = pieces.findIndex((piece) => piece.kind !== "texts" || piece.texts.length > 1);
  const start = pieces.slice(0, at).map(exactly).join("");
  const first = pieces[at];
  const isThere = pieces.some((piece) => piece.kind === "texts" && piece.texts.every((text) => text !== ""));
  // The name of a commit has no blanks in it: with something around it, it is one word.
  const isWhole = (piece: Settled) => piece.kind === "unknown" && (piece.quoted || (isHash(piece) && isThere));
  const single = pieces.every((piece) => piece.kind === "texts" || isWhole(piece));
  // A number at the beginning is at least known to be no option.
  const digits = start === "" && first?.kind === "unknown" && isDigits(first, pieces.slice(at + 1));
  const end = pieces.slice(pieces.findLastIndex((piece) => piece.kind !== "texts" || piece.texts.length > 1) + 1);
  const like = likeOf(pieces);
  const maybe = pieces.some((piece) => piece.kind === "unknown" && piece.maybe) ? couldBe(pieces) : undefined;
  return {
    kind: "unknown",
    start: digits ? "0" : start,
    single,
    ...(digits ? { digits } : {}),
    end: end.map(exactly).join(""),
    ...(like === undefined ? {} : { like }),
    ...(maybe && maybe.length > 0 ? { maybe } : {}),
    ...(pieces.some((piece) => piece.kind === "unknown" && piece.outer) ? { outer: true } : {}),
    blank: pieces.map(exactPattern).join(""),
  };
}

/** What the word could be where each stretch that is not known says what it could be. */
function couldBe(pieces: readonly Settled[]): readonly string[] | undefined {
  const choices = pieces.map((piece) =>
    piece.kind === "texts" ? piece.texts : piece.kind === "unknown" ? piece.maybe : undefined,
  );
  return product(choices.map((texts) => ({ kind: "texts", texts: texts ?? [] })));
}

type Unknown = Extract<Settled, { kind: "unknown" }>;

function isHash({ digits, number }: Unknown): boolean {
  return digits === true && number === undefined;
}

/** Below zero it begins with a dash, and so may what follows nothing: with a letter behind it that could be an option. */
function isDigits(first: Unknown, rest: readonly Settled[]): boolean {
  if (!first.digits) return false;
  if (first.signed) return rest.every((piece) => areTexts(piece, /^[\d.,:+%@/^~-]*$/));
  return (
    first.number === "surely" ||
    rest.every((piece, i) => areTexts(piece, /^(?!-)/) || (piece.kind !== "texts" && i > 0))
  );
}

function areTexts(piece: Settled, pattern: RegExp): boolean {
  return piece.kind === "texts" && piece.texts.every((text) => pattern.test(text));
}

function likeOf(pieces: readonly Settled[]): string | undefined {
  const [only, ...more] = pieces;
  if (only?.kind === "unknown" && only.number === "perhaps" && more.length === 0) return "";
  const texts = pieces.map((piece) => (piece.kind === "unknown" && piece.number === "surely" ? "1" : exactText(piece)));
  return texts.includes(undefined) ? undefined : texts.join("");
}

function exactText(piece: Settled): string | undefined {
  return piece.kind === "texts" && piece.texts.length === 1 ? piece.texts[0] : undefined;
}

function exactly(piece: Settled): string {
  return piece.kind === "texts" ? (piece.texts[0] ?? "") : "";
}

function product(pieces: readonly Settled[]): string[] | undefined {
  let found = [""];
  for (const piece of pieces) {
    if (piece.kind !== "texts" || found.length * piece.texts.length > MOST_WORDS) return undefined;
    found = found.flatMap((before) => piece.texts.map((text) => before + text));
  }
  return found;
}

/** A value inside a longer word: the texts it can be, or not known. */
function settle(piece: Piece): Settled {
  if (piece.kind === "text") return { kind: "texts", texts: [piece.text] };
  if (piece.kind !== "value") return piece;
  const { args, quoted } = piece;
  const [arg, ...more] = args;
  const name = arg?.kind === "glob" && more.length === 0 ? arg : eitherOf(args);
  if (quoted && name) return { kind: "glob", pattern: name.pattern, name };
  const texts = args.flatMap((arg) => (arg.kind === "text" ? [arg.text] : []));
  const whole = texts.length === args.length && (quoted || texts.every((text) => !/[\s*?[]/.test(text)));
  return whole && texts.length > 0 ? { kind: "texts", texts } : { kind: "unknown", quoted };
}

function wholeValue({ args, quoted }: Extract<Piece, { kind: "value" }>): Arg[] {
  const texts = args.flatMap((arg) => (arg.kind === "text" ? [arg.text] : []));
  if (texts.length === args.length) {
    if (!quoted && texts.some((text) => /[*?[]/.test(text))) return [{ kind: "unknown", start: "", single: false }];
    const [text] = texts;
    if (text !== undefined && texts.length === 1) {
      const split = quoted ? [text] : text.split(/[ \t\n]+/).filter(Boolean);
      return split.length > 1 ? split.map((word) => ({ kind: "text", text: word, split: true })) : split.map(textArg);
    }
    if (quoted || texts.every((word) => word !== "" && !/\s/.test(word))) return [{ kind: "oneof", texts }];
    return [{ kind: "unknown", start: "", single: false }];
  }
  const either = quoted ? eitherOf(args) : undefined;
  if (either) return [either];
  const [arg, ...more] = args;
  // One name out of a pattern; unquoted it would be split at the blanks of the name.
  if (arg?.kind === "glob" && more.length === 0 && quoted) return [{ ...arg, single: true }];
  return [{ kind: "unknown", start: "", single: quoted }];
}

/** One of several words, patterns among them, none of which begins with anything special. */
function eitherOf(args: readonly Arg[]): Name | undefined {
  if (!args.some(({ kind }) => kind === "glob")) return undefined;
  const [first, ...others] = args.map((arg) => {
    if (arg.kind === "glob" && !arg.or) return { pattern: arg.pattern, start: arg.start };
    return arg.kind === "text" ? { pattern: asPattern(arg.text), start: arg.text } : undefined;
  });
  if (!first || others.length === 0) return undefined;
  const words = [first, ...others.filter((word) => word !== undefined)];
  if (words.length < args.length || !words.every(({ start }) => /^(?:[\w.][\w./+-]*)?$/.test(start))) return undefined;
  const says = (start: string) => (start === "" ? 0 : start.includes("/") ? 2 : 1);
  const least = words.reduce((a, b) => (says(b.start) < says(a.start) ? b : a));
  const or = others.map((word) => word?.pattern ?? "");
  return { kind: "glob", pattern: first.pattern, start: least.start, single: true, or };
}

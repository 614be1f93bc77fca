// Words of the syntax tree become arguments: quotes gone, braces expanded, what is known of variables put in.
import {
  forEachChild,
  type DoubleQuotedChild,
  type ParsedScript,
  type SyntaxNode,
  type Word,
  type WordPart,
} from "unbash";
import { elementsOf, indexed } from "./arrays.ts";
import { assemble, MOST_WORDS, type Piece } from "./assemble.ts";
import { expandBraces } from "./braces.ts";
import { ANYWHERE, expanded, printed } from "./guesses.ts";
import { isSafeArithmetic } from "./arithmetic.ts";
import type { Names } from "./names.ts";
import { isHash, isNumber as isCount } from "./substitutions.ts";
import { literal, type Arg } from "./types.ts";
import { isNumber, isPlainName, mayPrint, type Parameters, type Value } from "./variables.ts";

/** What the walk knows where a word stands. */
export type Scope = {
  home: string;
  /** The working directory when it is surely one. */
  cwd: string | undefined;
  /** Assigned for certain before this word. */
  defined: Names;
  values: ReadonlyMap<string, Value>;
  /** What `$1` and so on could be. */
  parameters: Parameters;
  /** Whether the names a loop goes over were found where the word stands. */
  isHere(name: string): boolean;
  /** How many words braces may still become in this text. */
  braces: { left: number };
  /** A substitution inside the word: its commands are judged too. */
  script(script: ParsedScript | undefined): void;
  /** Something in the word that is not harmless by itself. */
  problem(why: string): void;
  /** Commands may be in it that nobody has looked at. */
  lost(why: string): void;
  /** The same, to which nothing is reported. */
  quiet(): Scope;
};

/** Blanks and invisible characters that are no separators for the shell: nobody sees what they make of a word. */
const ODD = /[\u00A0\u00AD\u061C\u1680\u180E\u2000-\u200F\u2028-\u202F\u205F-\u206F\u3000\uFEFF\uFFF9-\uFFFB]/;
const ODD_PROBLEM = "an invisible character or a blank that is none outside quotes";
/** Of all braces of a text together. */
export const MOST_BRACED_WORDS = 1000;

/** Adds what `argsOf` gives. */
export function addArgs(word: Word, scope: Scope, into: Arg[]): void {
  const plain = plainWord(word, scope);
  if (plain) into.push(plain);
  else into.push(...complexArgs(word, scope));
}

/** The arguments a word becomes; usually one. */
export function argsOf(word: Word, scope: Scope): Arg[] {
  const plain = plainWord(word, scope);
  return plain ? [plain] : complexArgs(word, scope);
}

function complexArgs(word: Word, scope: Scope): Arg[] {
  const elements = elementsOf(word, scope);
  if (elements) return [...elements];
  const variants = expandBraces(partsOf(word), Math.min(MOST_WORDS, scope.braces.left));
  if (!variants) {
    if (scope.braces.left < MOST_WORDS) scope.braces.left = -1;
    scope.problem("a brace expansion that is not understood");
    scriptsBelow(word, scope);
    return [{ kind: "unknown", start: "", single: false, maybe: ANYWHERE }];
  }
  scope.braces.left -= variants.length - 1;
  // Substitutions are reported once, whatever the number of words.
  const quiet = scope.quiet();
  return variants.flatMap((parts, i) => assemble(piecesOf(parts, i === 0 ? scope : quiet, true)));
}

/** The same where the shell does not split and no file names are put in (assignments, redirections, case, [[ ]]). */
export function argOf(word: Word, scope: Scope): Arg {
  return plainWord(word, scope) ?? complexArg(word, scope);
}

/** Of an operand, `${x:-'$(y)'}`: between double quotes its single quotes are characters like any other. */
function operandOf(word: Word, scope: Scope): Arg {
  return bareWord(word, scope) ?? complexArg(word, scope);
}

function complexArg(word: Word, scope: Scope): Arg {
  const pieces = piecesOf(partsOf(word), scope, true).map((piece): Piece => {
    if (piece.kind === "glob") return { kind: "text", text: piece.pattern, quoted: true };
    return { ...piece, quoted: true };
  });
  const [arg = pieces.length === 0 ? NOTHING : undefined, ...more] = assemble(pieces);
  return arg && more.length === 0 ? arg : { kind: "unknown", start: "", single: true };
}

/** Most words: no quotes, expansions or patterns in them. */
function plainWord(word: Word, scope: Scope): Arg | undefined {
  if (PLAIN.test(word.text)) {
    if (word.text.startsWith("=") && /^=[A-Za-z_]/.test(word.text)) scope.problem(`${word.text} is a path for zsh`);
    return { kind: "text", text: word.text };
  }
  const quoted = quotedText(word.text);
  return quoted === undefined ? bareWord(word, scope) : { kind: "text", text: quoted };
}

function bareWord(word: Word, scope: Scope): Arg | undefined {
  if (word.parts || word.text.includes("~") || word.value === "") return undefined;
  if (ODD.test(word.value)) scope.problem(ODD_PROBLEM);
  if (isUnread(word.text)) scope.problem(`${word.text}: a word that is not understood`);
  return { kind: "text", text: word.value };
}

/** Nothing in it is more than itself for a shell: the parser need not look for parts, which takes long. */
const PLAIN = /^[\w./:@%+,=-]+$/;

/** What is between quotes that hold the whole word and nothing special; the parser would look for parts at length. */
function quotedText(text: string): string | undefined {
  const quote = text[0];
  if ((quote !== "'" && quote !== '"') || text.indexOf(quote, 1) !== text.length - 1 || text.length < 2)
    return undefined;
  return quote === '"' && /[$`\\]/.test(text) ? undefined : text.slice(1, -1);
}

/** What the parser took for plain text although a shell would not: never seen of a text that is meant well. */
function isUnread(text: string): boolean {
  if (!/[`$()<>]/.test(text)) return false;
  return /`|\$.|[()<>]/s.test(text.replace(/\\./gs, ""));
}

/** The variables and substitutions of a here-document's body. */
export function checkText(parts: readonly WordPart[] | undefined, scope: Scope): void {
  piecesOf(parts ?? [], scope, false);
}

function partsOf(word: Word): readonly WordPart[] {
  if (word.parts) return word.parts;
  return [{ type: "Literal", pos: word.pos, end: word.end, value: word.value, text: word.text }];
}

function piecesOf(parts: readonly WordPart[], scope: Scope, tilde: boolean): Piece[] {
  return parts.flatMap((part, i): Piece[] => {
    if (i === 0 && tilde && part.type === "Literal" && part.text.startsWith("~")) {
      // What follows without a slash belongs to the name: somebody's home, or no home at all when it is quoted.
      if (!part.text.includes("/") && parts.length > 1) return [{ kind: "unknown", quoted: true }];
      return home(part.value, part.text, scope);
    }
    // `of=~/x` looks like an assignment, and bash puts the home folder in.
    if (i === 0 && tilde && part.type === "Literal" && /^[A-Za-z_]\w*=(.*:)?~/.test(part.text)) {
      const at = part.text.indexOf("=~/");
      const rest = part.text.slice(at + 3);
      if (at < 0 || /[\\~]/.test(rest)) return [{ kind: "unknown", quoted: true }];
      return [{ kind: "text", text: `${part.text.slice(0, at + 1)}${scope.home}/${rest}`, quoted: true }];
    }
    // Only by itself it is the name of a pipe of this shell.
    if (part.type === "ProcessSubstitution" && parts.length > 1) {
      piece(part, scope);
      return [{ kind: "unknown", quoted: true }];
    }
    return isChanged(part, parts[i + 1]) ? piece(part, scope).map(unsure) : piece(part, scope);
  });
}

/** To zsh `$x[1]` is a part of it, and `$x:h` the folder it is in. */
function isChanged(part: WordPart, next: WordPart | undefined): boolean {
  return part.type === "SimpleExpansion" && next !== undefined && /^(?:\[|:[A-Za-z])/.test(next.text);
}

function unsure(found: Piece): Piece {
  return found.kind === "value" ? { kind: "unknown", quoted: found.quoted } : found;
}

function home(value: string, text: string, scope: Scope): Piece[] {
  const [, user = ""] = /^~([^/]*)/.exec(text) ?? [];
  const rest = value.slice(1 + user.length);
  if (user === "") return [{ kind: "text", text: scope.home, quoted: true }, ...literalPiece(rest, scope)];
  if (user === "+" && scope.cwd !== undefined) return [{ kind: "text", text: scope.cwd + rest, quoted: true }];
  return [{ kind: "unknown", quoted: true }, ...literalPiece(rest, scope)];
}

function literalPiece(text: string, scope: Scope): Piece[] {
  if (ODD.test(text)) scope.problem(ODD_PROBLEM);
  return text === "" ? [] : [{ kind: "text", text, quoted: false }];
}

function piece(part: WordPart, scope: Scope): Piece[] {
  switch (part.type) {
    case "Literal":
      if (isUnread(part.text)) scope.problem(`${part.text}: a word that is not understood`);
      return literalPiece(part.value, scope);
    case "AnsiCQuoted":
      // Nothing for zsh, and the end of the word.
      if (/\\(?:x(?![\da-fA-F])|[uU](?![\da-fA-F]))/.test(part.text)) scope.problem("an escape without its number");
      return [{ kind: "text", text: part.value, quoted: true }];
    case "SingleQuoted":
      return [{ kind: "text", text: part.value, quoted: true }];
    case "DoubleQuoted":
      // Empty quotes are a word all the same.
      if (part.parts.length === 0) return [{ kind: "text", text: "", quoted: true }];
      return part.parts.flatMap((child, i) => {
        return isChanged(child, part.parts[i + 1]) ? quotedPiece(child, scope).map(unsure) : quotedPiece(child, scope);
      });
    case "LocaleString":
      scope.problem('a translated string ($"…")');
      scriptsBelow(part, scope);
      return [{ kind: "unknown", quoted: true }];
    case "Glob":
      // Brackets can hold expansions.
      if (part.kind === "bracket" && part.parts.some((inner) => inner.type !== "Literal")) {
        scriptsBelow(part, scope);
        scope.problem("a pattern with an expansion in its brackets");
      }
      return [{ kind: "glob", pattern: part.text }];
    case "ExtendedGlob":
      scriptsBelow(part, scope);
      // Off in the shell that runs; which words it would make is not worth modelling.
      scope.problem("an extended pattern");
      return [{ kind: "unknown", quoted: false }];
    case "BraceExpansion":
      scriptsBelow(part, scope);
      scope.problem("a brace expansion that is not understood");
      return [{ kind: "unknown", quoted: false, maybe: ANYWHERE }];
    case "ProcessSubstitution":
      if (part.operator === ">") scope.problem("a process substitution that is written to");
      scope.script(part.script);
      // The name of a pipe of this shell.
      return [{ kind: "text", text: "/dev/null", quoted: true }];
    case "SimpleExpansion":
    case "ParameterExpansion":
    case "CommandExpansion":
    case "ArithmeticExpansion":
      return expansion(part, scope, false);
    default:
      return part satisfies never;
  }
}

function quotedPiece(part: DoubleQuotedChild, scope: Scope): Piece[] {
  if (part.type === "Literal") return [{ kind: "text", text: part.value, quoted: true }];
  return expansion(part, scope, true);
}

type Expansion = Exclude<DoubleQuotedChild, { type: "Literal" }>;

function expansion(part: Expansion, scope: Scope, quoted: boolean): Piece[] {
  switch (part.type) {
    case "SimpleExpansion":
      return variable(part.text.slice(1), scope, quoted);
    case "CommandExpansion":
      scope.script(part.script);
      if (isHash(part.text)) return [{ kind: "unknown", quoted, digits: true }];
      if (isCount(part.text)) return [{ kind: "unknown", quoted, digits: true, number: "perhaps" }];
      return [unknownPiece(quoted, printed(part.text, scope))];
    case "ArithmeticExpansion":
      scriptsBelow(part, scope);
      if (mayHideCommands(part.text)) scope.lost(HIDDEN);
      if (!isSafeArithmetic(part, scope)) scope.problem("arithmetic with variables");
      return [SIGNED];
    case "ParameterExpansion":
      return parameter(part, scope, quoted);
    default:
      return part satisfies never;
  }
}

/** The commands in something that is refused as a whole: rules that forbid them still hold. */
export function scriptsBelow(node: SyntaxNode, scope: Scope): void {
  forEachChild(node, (child) => {
    if (child.type === "Script") scope.script(child);
    else scriptsBelow(child, scope);
  });
}

type Parameter = Extract<Expansion, { type: "ParameterExpansion" }>;

function parameter(part: Parameter, scope: Scope, quoted: boolean): Piece[] {
  const { parameter: name, prefix, index, operation } = part;
  const element = index && indexed(part, scope, quoted);
  if (element) return [element];
  if (index !== undefined || prefix === "!") {
    scope.problem(`${part.text}: an expansion that can run commands`);
    if (mayHideCommands(part.text)) scope.lost(HIDDEN);
    scriptsBelow(part, scope);
    return [{ kind: "unknown", quoted }];
  }
  // What stands for a variable that is set is all that is ever seen of it.
  const isHidden = prefix === undefined && operation?.type === "Default" && /^:?\+$/.test(operation.operator);
  const plain = variable(name, isHidden ? scope.quiet() : scope, quoted);
  if (prefix === "#") return [NUMBER];
  if (!operation) return plain;
  const operands = operandsOf(operation);
  if (!operands) {
    scope.problem(`${part.text}: an expansion that can assign or run commands`);
    scriptsBelow(part, scope);
  }
  const isDecoded = /\$['\\]|\\`/.test(part.text);
  if (isDecoded || ((!operands || operation.type === "Default") && mayHideCommands(part.text))) scope.lost(HIDDEN);
  const known = (operands ?? []).map((operand) => operandOf(operand, scope));
  // With an `@` in it, it may be several words.
  return [unknownPiece(quoted && !part.text.includes("@"), expanded(part, known, scope))];
}

function unknownPiece(quoted: boolean, maybe: readonly string[]): Piece {
  return maybe.length === 0 ? { kind: "unknown", quoted } : { kind: "unknown", quoted, maybe };
}

const HIDDEN = "what is quoted in an expansion could be a command for bash";

/**
 * Between double quotes and in a here-document single quotes in `${x:-...}` are characters like any other; what `$'...'`
 * stands for, and what a backslash there leaves, is expanded again. The parser does not see all of these.
 */
export function mayHideCommands(text: string): boolean {
  return (text.includes("'") && /[$`]/.test(text.slice(1))) || text.includes("$\\") || text.includes("\\`");
}

/** The words of an operation that only looks; undefined for one that assigns, evaluates or is not known. */
function operandsOf(operation: NonNullable<Parameter["operation"]>): Word[] | undefined {
  switch (operation.type) {
    case "Default":
      return /^:?[-+]$/.test(operation.operator) ? [operation.operand] : undefined;
    case "Remove":
      return [operation.operand];
    case "Replace":
      return [operation.pattern, operation.replacement];
    case "CaseModification":
      return operation.operand ? [operation.operand] : [];
    case "Slice": {
      const { offset, length } = operation;
      // Evaluated as arithmetic; a length that is negative can be an error.
      const isFine = /^\s*-?(0|[1-9]\d*)$/.test(offset.text) && (!length || /^\s*(0|[1-9]\d*)$/.test(length.text));
      return isFine ? [] : undefined;
    }
    case "Transform":
    case "Names":
    case "Unknown":
      return undefined;
    default:
      return operation satisfies never;
  }
}

function variable(name: string, scope: Scope, quoted: boolean): Piece[] {
  const given = scope.parameters.length > 0 && /^[1-9]$/.test(name) ? scope.parameters[Number(name) - 1] : undefined;
  if (given) return [{ kind: "value", args: given, quoted }];
  if (scope.defined.has(name)) {
    const value = scope.values.get(name);
    // Names of files that were found in another folder.
    const isElsewhere = value?.kind === "words" && value.args.some(isGlob) && !scope.isHere(name);
    if (value?.kind === "words" && !isElsewhere) return [{ kind: "value", args: value.args, quoted }];
    // Without an index it is the first element.
    if (value?.kind === "array") return [{ kind: "unknown", quoted }];
    if (value?.kind === "integer") return [SIGNED];
    if (value?.kind === "number") return [{ kind: "unknown", quoted, digits: true, number: "perhaps", signed: true }];
    if (value?.kind === "hash") return [{ kind: "unknown", quoted, digits: true }];
    return [value ? couldBe(value, quoted) : { kind: "unknown", quoted }];
  }
  if (!mayPrint(name)) {
    scope.problem(
      isPlainName(name) || scope.values.has(name)
        ? `$${name} comes from the environment and may be a secret`
        : `$${name} may be a secret`,
    );
  }
  // Assigned somewhere, but perhaps not before this word.
  const assigned = scope.values.get(name);
  if (assigned) return [couldBe(assigned, quoted)];
  if (name === "HOME") return [{ kind: "value", args: [{ kind: "text", text: scope.home }], quoted }];
  if (name === "PWD" && scope.cwd !== undefined) {
    return [{ kind: "value", args: [{ kind: "text", text: scope.cwd }], quoted }];
  }
  // Wherever it was before: the project, as often as not.
  if (name === "OLDPWD") return [{ kind: "unknown", quoted, maybe: ANYWHERE }];
  if (isNumber(name)) return [NUMBER];
  // `@` is as many words as there are, none of none.
  const isGiven = /^([@*]|\d+)$/.test(name);
  return [{ kind: "unknown", quoted: quoted && name !== "@", ...(isGiven ? { outer: true } : {}) }];
}

/** A variable of which is not known what it holds here. */
function couldBe(value: Value, quoted: boolean): Piece {
  if (value.kind === "unknown" && value.outer) return { kind: "unknown", quoted, outer: true };
  return unknownPiece(quoted, value.kind === "words" ? value.args.flatMap((arg) => literal(arg) ?? []) : []);
}

/** `x=` */
const NOTHING: Arg = { kind: "text", text: "" };
const isGlob = ({ kind }: Arg) => kind === "glob";

const NUMBER: Piece = { kind: "unknown", quoted: true, digits: true, number: "surely" };
/** What arithmetic comes to. */
const SIGNED: Piece = { ...NUMBER, signed: true };

// The way in: a command text becomes its parts.
import { forEachChild, parse, type SyntaxNode } from "unbash";
import { mayMove } from "./moves.ts";
import { Names } from "./names.ts";
import { mayChange, type Analysis, type Part } from "./parts.ts";
import type { Files } from "./resolve.ts";
import { textArg } from "./types.ts";
import { stateIn, type Place, type State } from "./context.ts";
import { parametersIn } from "./functions.ts";
import { areHashes, isHash, isNumber } from "./substitutions.ts";
import { assignmentsOf, isInteger, type Assigned, type Parameters, type Value } from "./variables.ts";
import { DEEPEST, Walk } from "./walk.ts";
import { argOf, argsOf, MOST_BRACED_WORDS, type Scope } from "./words.ts";

export type Surroundings = {
  cwd: string;
  home: string;
  files: Files;
  isOwn(program: string): boolean;
  strange(program: string, cwd: string, changed: boolean): string | undefined;
};

/** `all`: the parts as they stand in the text, each as often as it stands there. */
export type Analyzed = Analysis & { all: readonly Part[] };

/** Longer texts are still searched for what rules forbid, but never approved by themselves. */
const LONGEST = 10_000;
/** Beyond this even that is not done, it would take too long; everything is asked then. */
const LONGEST_PARSED = 32_000;
/** No terminal shows these, and no shell needs them: C0 but for tab and newline, DEL, C1. */
const CONTROL = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/;

/** A line that goes on in the middle of a word: where the word ends is not what it looks like. */
const CONTINUED = /(?:[^\s|&;]\\\n|[|&;]\\\n(?![ \t\w./"'$-]))/g;
/** Closes a descriptor, or moves it, or puts an output into the place of the input. */
const CLOSES = /[<>]&[\s"'\\]*\d*["'\\]*-|0\s*&?>/;
/** Deeper than any text that is meant to be read; parsing and walking it would cost more than it is worth. */
const DEEPEST_TEXT = 60;

/** Never throws; what is not understood is a problem, and the parts are then what could be recognised. */
export function analyze(command: string, surroundings: Surroundings): Analyzed {
  const unread = tooMuch(command);
  if (unread !== undefined) return { parts: [], all: [], problem: unread, complete: false };
  const script = parse(command);
  // Without a dollar or arithmetic nothing in it asks for a variable; a tilde may bring one with it.
  const texts = [command, surroundings.home, surroundings.cwd];
  const mayAsk = command.includes("((") || texts.some((text) => text.includes("$"));
  const known = mayAsk ? variablesOf(script, command, surroundings) : { values: NO_VALUES, parameters: NO_PARAMETERS };
  const place: Place = { ...surroundings, ...known, closes: CLOSES.test(command) };
  const state = stateIn(surroundings.cwd);
  const first = walked(script, place, { state, source: command });
  // What one part changes another may meet, in a shell of its own, at the same time or in the next round.
  const again = TOGETHER.test(command) && first.distinct.some(mayChange);
  const walk = again ? walked(script, place, { state: { ...state, changed: true }, source: command }) : first;
  const problem = CONTROL.test(command)
    ? "it has a control character in it"
    : isContinued(command, script) || (command.endsWith("\\") && /(?<!\\)(?:\\\\)*\\$/.test(command))
      ? "a word goes on in the next line"
      : command.length > LONGEST
        ? `it is longer than ${LONGEST} characters`
        : walk.problem;
  return { parts: walk.distinct, all: walk.parts, problem, complete: walk.complete };
}

function isContinued(command: string, script: Script): boolean {
  if (!command.includes("\\\n")) return false;
  const found = [...command.matchAll(CONTINUED)];
  if (found.length === 0) return false;
  const literal = literalIn(script);
  return found.some(({ index }) => !literal.some(({ pos, end }) => pos <= index && index + 2 < end));
}

/** Where a backslash is a character like any other, outside substitutions: single quotes, here-documents taken as they are. */
function literalIn(script: Script): { pos: number; end: number }[] {
  const found: { pos: number; end: number }[] = [];
  const visit = (node: SyntaxNode): void => {
    if (node.type === "Script" && node !== script) return;
    if (node.type === "SingleQuoted") found.push(node);
    else if (node.type === "HereDoc" && node.delimiter?.quoted) found.push(node.body);
    else forEachChild(node, visit);
  };
  visit(script);
  return found;
}

/** Anything but one command after the other. */
const TOGETHER = /[|(`{]|\b(?:for|while|until|select|if|case)\b|(?:^|[^&>])&(?:[^&>]|$)/;

function walked(script: Script, place: Place, { state, source }: { state: State; source: string }): Walk {
  const walk = new Walk(place);
  walk.script(script, { state, taint: undefined, noInput: false, feed: undefined, parameters: [], depth: 0, source });
  return walk;
}

/** Why the text is not even looked at. */
function tooMuch(command: string): string | undefined {
  if (command.length > LONGEST_PARSED) return `it is longer than ${LONGEST_PARSED} characters`;
  // Most texts have fewer brackets, which is quicker to see.
  if (countOf("(", command) + countOf("${", command) <= DEEPEST_TEXT) return undefined;
  let depth = 0;
  for (let i = 0; i < command.length; i++) {
    const char = command[i];
    if (char === "(" || (char === "{" && command[i - 1] === "$")) depth++;
    else if ((char === ")" || char === "}") && depth > 0) depth--;
    if (depth > DEEPEST_TEXT) return "it is nested too deeply to be looked at";
  }
  return undefined;
}

function countOf(piece: string, text: string): number {
  let count = 0;
  for (let at = text.indexOf(piece); at >= 0; at = text.indexOf(piece, at + 1)) count++;
  return count;
}

/** More texts than this are as good as unknown. */
const MOST_VALUES = 40;

type Script = ReturnType<typeof parse>;
type Variables = Pick<Place, "values" | "parameters">;
/** How nearly all functions begin. */
const FUNCTION = /(?:^|[\s;&|({])(?:[\w-]+\s*\(\s*\)|function\s)/;
const NO_VALUES: Place["values"] = new Map();
const NO_PARAMETERS: Place["parameters"] = new Map();

/** What each variable can hold, from all assignments of the text together, and what functions are called with. */
function variablesOf(script: Script, command: string, { home }: Surroundings): Variables {
  const values = new Map<string, Value>();
  const scope = silent({ home, values, defined: Names.NONE, parameters: [] });
  const all = assignmentsOf(script, DEEPEST / 2 + 1);
  const inFunctions = new Set(all.flatMap(({ name, within }) => (within === undefined ? [] : [name])));
  for (const [name, value] of arraysIn(all, scope, script)) values.set(name, value);
  const withArrays = silent({ ...scope, defined: Names.NONE.plus([...values.keys()]) });
  const add = (assigned: Assigned, parameters: Parameters): void => {
    if (values.get(assigned.name)?.kind === "array") return;
    const added = valueOf(assigned, parameters.length > 0 ? silent({ ...withArrays, parameters }) : withArrays);
    const before = values.get(assigned.name);
    values.set(assigned.name, before === undefined ? added : merged(before, added));
  };
  for (const assigned of all) if (assigned.within === undefined) add(assigned, []);
  // Where a call is approved, what it is called with is set there for certain.
  const settled = [...values.keys()].filter((name) => !inFunctions.has(name));
  const isCalled = FUNCTION.test(command);
  const there = silent({ ...scope, defined: isCalled ? Names.NONE.plus(settled) : Names.NONE });
  const parameters = isCalled ? parametersIn(script, there) : NO_PARAMETERS;
  for (const assigned of all) {
    if (assigned.within !== undefined) add(assigned, parameters.get(assigned.within) ?? []);
  }
  return { values, parameters };
}

/** For looking at words where they stand nowhere in particular. */
function silent(known: Pick<Scope, "home" | "values" | "defined" | "parameters">): Scope {
  const scope: Scope = {
    ...known,
    // Where it was when the variable was set is not known here.
    cwd: undefined,
    braces: { left: MOST_BRACED_WORDS },
    script: () => undefined,
    problem: () => undefined,
    lost: () => undefined,
    // That depends on where the word stands.
    isHere: () => true,
    quiet: () => scope,
  };
  return scope;
}

/** Those that are nothing but arrays; of one that is set once, as a whole, the elements are known. */
function arraysIn(all: readonly Assigned[], scope: Scope, script: Script): Map<string, Value> {
  const arrays = new Map<string, Value>();
  if (!all.some(({ array }) => array)) return arrays;
  const others = new Set(all.flatMap(({ name, array }) => (array ? [] : [name])));
  for (const { name, array, elements } of all) {
    if (!array || others.has(name)) continue;
    const known = array === "set" && !arrays.has(name) ? elements : undefined;
    const value = known && wordsValue(known.flatMap((word) => argsOf(word, scope)));
    const args = value?.kind === "words" ? value.args : undefined;
    // Names of files mean something else elsewhere.
    const isLost = args?.some(({ kind }) => kind === "glob") && mayMove(script);
    arrays.set(name, { kind: "array", args: isLost ? undefined : args });
  }
  return arrays;
}

function valueOf({ value, loop, integer }: Assigned, scope: Scope): Value {
  if (integer) return { kind: "integer" };
  if (loop?.length === 1 && areHashes(loop[0]?.text ?? "")) return { kind: "hash" };
  if (loop) {
    const words = wordsValue(loop.flatMap((word) => argsOf(word, scope)));
    return words.kind === "unknown" ? { kind: "unknown", outer: true } : words;
  }
  if (!value) return { kind: "unknown", outer: true };
  const [part, ...more] = value.parts ?? [];
  if (part?.type === "ArithmeticExpansion" && more.length === 0) return { kind: "integer" };
  if (/^"?\$[?#]"?$/.test(value.text)) return { kind: "integer" };
  if (isNumber(value.text)) return { kind: "number" };
  if (isHash(value.text)) return { kind: "hash" };
  return wordsValue([argOf(value, scope)]);
}

function wordsValue(words: readonly ReturnType<typeof argOf>[]): Value {
  const args = words.flatMap((arg) => (arg.kind === "oneof" ? arg.texts.map(textArg) : [arg]));
  if (args.some((arg) => arg.kind === "unknown") || args.length > MOST_VALUES) return { kind: "unknown" };
  return { kind: "words", args };
}

function merged(a: Value, b: Value): Value {
  if (a.kind === "words" && b.kind === "words" && a.args.length + b.args.length <= MOST_VALUES) {
    return { kind: "words", args: [...a.args, ...b.args] };
  }
  if (a.kind === "hash" && b.kind === "hash") return a;
  if (!isInteger(a) || !isInteger(b)) {
    const isOuter = [a, b].some((one) => one.kind === "unknown" && one.outer);
    return { kind: "unknown", ...(isOuter ? { outer: true } : {}) };
  }
  return { kind: a.kind === "number" || b.kind === "number" ? "number" : "integer" };
}

// Simple commands: their words, assignments and redirections, and what the program behind them does.
import type { Assignment, Command, Redirection, SyntaxNode, Word } from "unbash";
import { forEachChild, parse } from "unbash";
import { stateAfter } from "./builtins.ts";
import { emptinessTested, isVariable } from "./emptiness.ts";
import { Names } from "./names.ts";
import { UNKNOWN, type Part, type Reads, type Writes } from "./parts.ts";
import { feedOf } from "./programs/feed.ts";
import { lookup } from "./programs/list.ts";
import { TOOLCHAIN } from "./programs/versions.ts";
import { TRANSPARENT_FOR_ALLOW } from "./programs/wrappers.ts";
import { ACCEPT_EDITS } from "./programs/writers.ts";
import { bare, Judge } from "./judge.ts";
import { areSure, fedBy, hasInput, isSilenced, isText, mayNotRead, redirectsOf } from "./redirects.ts";
import type { Arg, Change, Feed, Judgement, Nested } from "./types.ts";
import { literal, textArg } from "./types.ts";
import { isHarmlessPrefix, isPlainName } from "./variables.ts";
import { union, type Context, type Place, type State } from "./context.ts";
import { isHiddenSetter, isReader } from "./setters.ts";
import { Targets } from "./targets.ts";
import { WordScope, type Sink } from "./word-scope.ts";
import { textOf, wordText } from "./word-text.ts";
import { addArgs, argOf, argsOf, MOST_BRACED_WORDS, type Scope } from "./words.ts";

const BLANK: Omit<Part, "source" | "text" | "effect" | "why"> = {
  program: undefined,
  editing: false,
  reads: [],
  writes: [],
  harmlessPrefix: true,
  inner: [],
  transparent: false,
};

type Touched = { reads: readonly Reads[]; writes: readonly Writes[] };
const UNTOUCHED: Touched = { reads: [], writes: [] };
const NONE: readonly never[] = [];

/** Wrappers in wrappers: deeper, or more of them in one text, is not followed. */
const DEEPEST_NESTING = 60;
const PER_NESTING = 4;
const MOST_NESTED_WORDS = 6_000;

export class SimpleCommands {
  #place: Place;
  #targets: Targets;
  #sink: Sink;
  #nestedLeft = MOST_NESTED_WORDS;
  #braces = { left: MOST_BRACED_WORDS };
  #judge: Judge;
  /** Commands that left everything as it was, to be taken again where the same text stands in the same state. */
  #known = new Map<string, { part: Part; state: State; taint: string | undefined }>();

  constructor(place: Place, sink: Sink) {
    this.#place = place;
    this.#targets = new Targets(place.files, sink);
    this.#sink = sink;
    this.#judge = new Judge(place, this.#targets, sink);
  }

  /** A construct that does something by itself. */
  construct(source: string, why: string): void {
    this.#sink.add({ ...BLANK, source, text: "", effect: "unknown", why });
  }

  /** Words that are only looked at; what is wrong with them becomes a construct of its own. */
  check(words: readonly Word[], context: Context): void {
    const scope = this.#scope(context);
    for (const word of words) argsOf(word, scope);
    if (scope.found !== undefined) this.construct(words[0]?.text ?? "", scope.found);
  }

  testUnary(operator: string, operand: Word, context: Context): void {
    const isEmptiness = (operator === "-n" || operator === "-z") && isVariable(operand);
    const scope = isEmptiness ? this.#untold(context) : this.#scope(context);
    const source = `[[ ${operator} ${operand.text} ]]`;
    const arg = argOf(operand, scope);
    const isNamed = operator === "-v" && /^[A-Za-z_]\w*$/.test(operand.text);
    if ((operator === "-v" && !isNamed) || operator === "-R") scope.problem(`[[ ${operator} ]] evaluates its operand`);
    if (operator === "-t" && !/^\d+$/.test(literal(arg) ?? "")) scope.problem("[[ -t ]] may evaluate its operand");
    if (scope.found !== undefined) this.construct(source, scope.found);
    if (!/^-[abcdefghkprsuwxGLNOS]$/.test(operator)) return;
    // Whether something is there is told of any name.
    const reads = arg.kind === "unknown" ? [] : [this.#targets.reads({ arg, what: "names" }, context.state, false)];
    this.#sink.add({ ...BLANK, source, text: "", effect: "read", why: "", reads });
  }

  /** A literal integer, or a number whatever it is. */
  isNumeric(word: Word, context: Context): boolean {
    const arg = argOf(word, this.#quiet(context));
    if (arg.kind === "text") return /^-?(0|[1-9]\d*)$/.test(arg.text);
    // A number and nothing else: what stands beside it would be evaluated too.
    return arg.kind === "unknown" && /^"?\$([?#$!]|\{#\w+\}|\(\([\d\s+*/%()-]+\)\))"?$/.test(word.text);
  }

  /** The substitutions anywhere below a node that is refused as a whole. */
  substitutions(node: SyntaxNode, context: Context): void {
    forEachChild(node, (child) => {
      if (child.type === "Script") this.#sink.script(child, context);
      else this.substitutions(child, context);
    });
  }

  redirects(redirections: readonly Redirection[], context: Context, source: string): void {
    const scope = this.#scope(context);
    const { reads, writes } = this.#touched(redirections, context, scope);
    if (scope.found !== undefined) this.construct(source, scope.found);
    if (reads.length + writes.length === 0) return;
    this.#sink.add({ ...BLANK, source, text: "", effect: "read", why: "", reads, writes });
  }

  surelyRedirects(redirections: readonly Redirection[], context: Context): boolean {
    return (
      redirections.length === 0 || areSure(redirections, this.#quiet(context), { ...context.state, ...this.#place })
    );
  }

  mayNotRead(redirections: readonly Redirection[], context: Context): boolean {
    return mayNotRead(redirections, this.#quiet(context), { ...context.state, ...this.#place });
  }

  /** What this command, in front of a pipe, hands to xargs. */
  feedOf(node: Command, context: Context): Feed | undefined {
    // What else goes into the pipe could join the names.
    const quiet = this.#quiet(context);
    const others = node.redirects.filter((one) => !isText(one));
    const { reads, writes } = redirectsOf(others, quiet);
    if (!others.every(isSilenced) || reads.length + writes.length > 0) return undefined;
    const [command, ...args] = this.#words(node, quiet);
    const name = literal(command);
    if (name === undefined) return undefined;
    const feed = fedBy(node.redirects, context, quiet).feed?.();
    return feedOf({ name: bare(name), args, ...(feed ? { feed } : {}) });
  }

  command(node: Command, context: Context): State {
    const source = context.source.slice(node.pos, node.end);
    const { state, taint } = context;
    // What comes in by a pipe, and a here-document's body, are not in its text.
    const isAll = !context.feed && !node.redirects.some(isHereDoc);
    const before = isAll ? this.#known.get(source) : undefined;
    if (before && before.state === state && before.taint === taint) {
      this.#sink.again(before.part);
      return state;
    }
    if (state.beyond) this.#sink.lost("it may be in more folders than are followed");
    const scope = this.#scope(context, context.depth + 1);
    const assignments = node.prefix.length === 0 ? NONE : assignmentsIn(node);
    const redirects = this.#touched(node.redirects, context, scope);
    const words = this.#words(node, scope, context);
    if (words.length === 0) {
      const end = this.#assign(assignments, scope, context.state);
      if (scope.found !== undefined) this.construct(source, scope.found);
      if (redirects.reads.length + redirects.writes.length > 0) {
        this.#sink.add({ ...BLANK, source, text: "", effect: "read", why: "", ...redirects });
      }
      if (redirects.writes.length > 0) return { ...end, changed: true };
      return end;
    }
    if (isHiddenSetter(node, words)) scope.problem("which variables it sets is not plain to see");
    if (isReader(words) && !hasInput(node)) scope.problem("it may have nothing to read from, and leave what was there");
    let harmlessPrefix = true;
    // Each is looked at: there may be substitutions in it.
    for (const one of assignments) if (!this.#isHarmless(one, words, scope)) harmlessPrefix = false;
    const called = state.functions !== Names.NONE && state.functions.has(node.name?.text ?? "");
    const part = this.#part(words, { source, context: fedBy(node.redirects, context, scope), called });
    const why = scope.found ?? context.taint ?? (harmlessPrefix ? undefined : PREFIX);
    const spoilt = why !== undefined && part.effect !== "unknown";
    if (spoilt) {
      part.effect = "unknown";
      part.why = why;
    }
    part.harmlessPrefix = harmlessPrefix;
    if (redirects.reads.length > 0) part.reads = [...part.reads, ...redirects.reads];
    if (redirects.writes.length > 0) part.writes = [...part.writes, ...redirects.writes];
    this.#sink.add(part);
    if (this.#braces.left < 0) this.#sink.lost("its braces make more words than are looked at");
    if (this.#targets.exhausted) this.#sink.lost("it names more files than are looked at");
    const changes = part.effect !== "read" || part.writes.length > 0 || part.inner.some(hasWrites);
    const now = changes && !state.changed ? { ...state, changed: true } : state;
    const isBlind = context.noInput && !hasInput(node);
    const ran = stateAfter(words, now, isBlind ? { ...this.#place, closes: true } : this.#place);
    // Where a redirection fails, it does not run.
    const after = ran === now || this.surelyRedirects(node.redirects, context) ? ran : union([now, ran]);
    if (after === state && isAll && !scope.hasScript) this.#known.set(source, { part, state, taint });
    return after;
  }

  /** One command of known words; also what wrappers run in turn. */
  #part(
    words: readonly Arg[],
    {
      source,
      context,
      nested,
      called = false,
    }: { source: string; context: Context; nested?: Nested; called?: boolean },
  ): Part {
    const name = literal(words[0]);
    const args = words.slice(1);
    const judged = this.#judge.of(name, args, { context, nested, called });
    // What a guess guesses at is no help to anybody.
    const runs = nested?.guess ? judged.nested.filter(isCertain) : judged.nested;
    for (const one of runs) this.#nestedLeft -= one.words.length;
    const tooDeep = runs.length > 0 && (context.depth >= DEEPEST_NESTING || this.#nestedLeft < 0);
    if (tooDeep) this.#sink.lost(TOO_DEEP);
    const inner = tooDeep || runs.length === 0 ? NONE : this.#inner(runs, context);
    const program = name === undefined ? "" : bare(name);
    const why = tooDeep ? TOO_DEEP : LOCAL.has(program) ? this.#strange(program, context.state) : undefined;
    const reads = judged.reads.length === 0 ? NONE : this.#allReads(judged, context);
    return {
      source,
      text: textOf(words),
      program: name,
      effect: why === undefined ? judged.effect : "unknown",
      why: why ?? judged.why,
      editing: judged.effect === "files" && ACCEPT_EDITS.has(program),
      reads: nested?.added ? [...reads, ...this.#readsAdded(program, args)] : reads,
      writes: judged.writes.length === 0 ? NONE : this.#allWrites(judged.writes, context, false),
      harmlessPrefix: true,
      inner,
      transparent: TRANSPARENT_FOR_ALLOW.has(program),
    };
  }

  #inner(runs: readonly Nested[], context: Context): Part[] {
    const deeper = { ...context, feed: undefined, depth: context.depth + PER_NESTING };
    return runs.flatMap((one) => this.#nested(one, deeper));
  }

  #allReads({ reads, effect }: Judgement, context: Context): Reads[] {
    return reads.map((use) => this.#targets.reads(use, context.state, effect === "unknown"));
  }

  #allWrites(changes: readonly Change[], context: Context, redirect: boolean): Writes[] {
    const { state } = context;
    return changes.flatMap((change) =>
      this.#targets.isNone(change, state) ? [] : this.#targets.writes(change, state, redirect),
    );
  }

  /** Names that are only known when it runs, of a program that prints what is in files. */
  #readsAdded(program: string, args: readonly Arg[]): Reads[] {
    if (lookup(program)?.appendable?.(args) !== "files") return [];
    const shown = "names it is handed";
    const plain = { recursive: false, follows: false, guess: false };
    return [{ shown, places: undefined, what: "content", ...plain, handed: true }];
  }

  #nested(nested: Nested, context: Context): Part[] {
    if (nested.script !== undefined) {
      const text = nested.script;
      const state: State = { ...context.state, defined: Names.NONE, functions: Names.NONE };
      const depth = context.depth + 1;
      this.#sink.script(parse(text), { ...context, depth, state, source: text, taint: "it runs a text as a script" });
      return [];
    }
    if (nested.words.length === 0) return [];
    const source = nested.words.map(wordText).join(" ").replaceAll(UNKNOWN, "…");
    const part = this.#part(nested.words, { source, context, nested });
    const harmless =
      !nested.guess && (nested.assignments ?? []).every(({ name, value }) => isHarmlessPrefix(name, value));
    if (harmless) return [part];
    const why = part.why || (nested.guess ? "which of its words are a command is not certain" : PREFIX);
    return [{ ...part, harmlessPrefix: false, effect: "unknown", why }];
  }

  #strange(program: string, { cwds, moved, changed }: State): string | undefined {
    if (changed && program !== "git") return `${program} runs what a file names that may be there by then`;
    if (moved || !cwds) return `${program} in another folder runs what is named there`;
    for (const cwd of cwds) {
      const why = this.#place.strange(program, cwd, changed);
      if (why !== undefined) return why;
    }
    return undefined;
  }

  #assign(assignments: readonly Assignment[], scope: Scope, state: State): State {
    const names = assignments.flatMap(({ name, value, index, text, append }) => {
      if (index !== undefined) argOf(index, scope);
      if (value.type === "ArrayValue") for (const word of value.elements) argsOf(word, scope);
      else argOf(value, scope);
      const isArray = value.type === "ArrayValue" && scope.values.get(name)?.kind !== "array";
      if (value.type === "ArrayValue" && ZSH_TABLES.test(name)) scope.problem(`${name} is a table of zsh's own`);
      if (isArray || index !== undefined) scope.problem(`${text}: an assignment to an array`);
      if (!isPlainName(name)) scope.problem(`${name} changes what later commands do`);
      // `x+=` goes on from what the environment holds.
      return append && !state.defined.has(name) ? [] : [name];
    });
    return { ...state, onSuccess: undefined, defined: state.defined.plus(names) };
  }

  #isHarmless({ name, value, index, append }: Assignment, words: readonly Arg[], scope: Scope): boolean {
    if (value.type === "ArrayValue") {
      for (const element of value.elements) argsOf(element, scope);
      return false;
    }
    const arg = argOf(value, scope);
    if (name === "IFS" && literal(words[0]) === "read") return true;
    return index === undefined && !append && isHarmlessPrefix(name, arg);
  }

  /** For a variable of which only is told whether it is empty: a trace would show it. */
  #untold(context: Context): WordScope {
    this.#judge.traced({ tests: true });
    return this.#quiet(context);
  }

  #words(node: Command, scope: Scope, context?: Context): Arg[] {
    const words: Arg[] = [];
    const tested = context && emptinessTested(node);
    let end = -1;
    if (node.name) {
      end = node.name.end;
      addArgs(node.name, scope, words);
    }
    for (const word of node.args) {
      // `x<(y)` is one word for bash and two for the parser.
      if (word.pos === end) scope.problem("words stand side by side");
      end = word.end;
      // `declare x=1`: the name of the variable is part of the word.
      if (word.type === "Assignment") words.push(textArg(word.text), ...this.#hidden(word, scope));
      else addArgs(word, word === tested && context ? this.#untold(context) : scope, words);
    }
    return words;
  }

  #hidden({ value }: Assignment, scope: Scope): Arg[] {
    for (const word of value.type === "ArrayValue" ? value.elements : [value]) argsOf(word, scope);
    return [];
  }

  #touched(redirections: readonly Redirection[], context: Context, scope: Scope): Touched {
    if (redirections.length === 0) return UNTOUCHED;
    const { reads, writes } = redirectsOf(redirections, scope);
    return {
      reads: reads.map((use) => this.#targets.reads(use, context.state, false)),
      writes: this.#allWrites(writes, context, true),
    };
  }

  /** `depth`: of what stands in the words. */
  #scope(context: Context, depth = context.depth): WordScope {
    return new WordScope(this.#place, context, { braces: this.#braces, sink: this.#sink, depth });
  }

  /** For looking at a word again: what is in it was already reported. */
  #quiet(context: Context): WordScope {
    const { depth } = context;
    return new WordScope(this.#place, context, { braces: this.#braces, sink: undefined, depth });
  }
}

/** Programs for which it matters where they run. */
const LOCAL = new Set(["git", ...TOOLCHAIN]);
/** What is put into them changes what names stand for. */
const ZSH_TABLES =
  /^(functions|commands|options|nameddirs|userdirs|dirstack|[gs]?aliases|dis_\w+|argv|status|modules|builtins|history)$/;
const TOO_DEEP = "it is nested too deeply";
const PREFIX = "a variable in front changes what it does";

function assignmentsIn({ prefix }: Command): Assignment[] {
  return prefix.filter((item): item is Assignment => item.type === "Assignment");
}

// Made once: a function within one that runs for each command costs more than what it does.
const isHereDoc = ({ type }: Redirection) => type === "HereDoc";
const hasWrites = ({ writes }: Part) => writes.length > 0;
const isCertain = ({ guess }: Nested) => !guess;

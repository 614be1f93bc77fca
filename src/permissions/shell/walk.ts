// Walks every node of a parsed command text, in the order it would run, and collects its simple commands.
import type {
  AndOr,
  ArithmeticCommand,
  ArithmeticExpression,
  ArithmeticFor,
  Case,
  CommandNode,
  CompoundList,
  For,
  Function as Definition,
  If,
  ParsedScript,
  Pipeline,
  PipelineNode,
  Redirected,
  Statement,
  TestExpression,
  While,
  Word,
} from "unbash";
import { afterArithmetic, afterCommand, isPlainLoop } from "./arithmetic.ts";
import { mayChange, type Part } from "./parts.ts";
import { isPlainName } from "./variables.ts";
import { settled, union, type Context, type Place, type State } from "./context.ts";
import { insideFunction, isPlainFunction } from "./functions.ts";
import { mayLeave, mayMove } from "./moves.ts";
import { SimpleCommands } from "./simple.ts";
import { mayHideCommands } from "./words.ts";

/** Deeper nesting is not followed; the text then counts as not understood. */
export const DEEPEST = 24;

export class Walk {
  #simple: SimpleCommands;
  #values: Place["values"];
  #parameters: Place["parameters"];
  #root: ParsedScript | undefined;
  readonly parts: Part[] = [];
  /** The same command in the same state is the same part, and stands here once. */
  readonly distinct: Part[] = [];
  problem: string | undefined;
  /** False: something was not looked at. */
  complete = true;

  constructor(place: Place) {
    this.#values = place.values;
    this.#parameters = place.parameters;
    this.#simple = new SimpleCommands(place, {
      add: (part) => {
        this.parts.push(part);
        this.distinct.push(part);
      },
      again: (part) => void this.parts.push(part),
      lost: (why) => this.#lose(why),
      problem: (why) => {
        this.problem ??= why;
      },
      script: (script, context) => this.script(script, context),
    });
  }

  /** Somewhere in the text it goes to another folder. */
  get #moves(): boolean {
    return this.#root === undefined || mayMove(this.#root);
  }

  /** A whole text, or the commands of a substitution in a shell of its own. */
  script(script: ParsedScript | undefined, context: Context): void {
    if (!script || script.errors?.length || context.depth > DEEPEST) {
      this.problem ??= script?.errors?.[0]
        ? `it is not valid for bash (${script.errors[0].message})`
        : "it is nested too deeply";
      if (!script || context.depth > DEEPEST) {
        this.complete = false;
        return;
      }
    }
    this.#root ??= script;
    this.#list(script.commands, { ...context, source: script.source ?? context.source, depth: context.depth + 1 });
  }

  #lose(why: string): void {
    this.problem ??= why;
    this.complete = false;
  }

  #list(statements: readonly Statement[], context: Context): State {
    let { state } = context;
    for (const statement of statements) {
      // Whether an earlier one succeeded is no business of `&&` in this one.
      state = settled(this.#statement(statement, state === context.state ? context : { ...context, state }));
    }
    return state;
  }

  #statement({ command, background }: Statement, context: Context): State {
    if (!background) return this.#andOr(command, context);
    this.#andOr(command, { ...context, taint: "it goes on in the background" });
    return context.state;
  }

  #andOr(node: PipelineNode | AndOr, context: Context): State {
    if (node.type !== "AndOr") return this.#pipeline(node, context);
    // What holds if all so far comes to a success, and if it comes to a failure: a command that is skipped changes neither.
    let good: State | undefined;
    let bad: State | undefined;
    for (const [i, command] of node.commands.entries()) {
      const operator = i === 0 ? undefined : node.operators[i - 1];
      const entry = operator === undefined ? context.state : operator === "&&" ? good : bad;
      const after = this.#pipeline(command, { ...context, state: entry ?? context.state });
      good = operator === "||" && good ? union([good, succeeded(after)]) : succeeded(after);
      bad = operator === "&&" && bad ? union([bad, after]) : settled(after);
    }
    return union([good ?? context.state, bad ?? context.state]);
  }

  #pipeline(node: PipelineNode, context: Context): State {
    if (node.type !== "Pipeline") return this.#command(node, context);
    const [only, ...others] = node.commands;
    const prefix = pipelinePrefix(node);
    if (only && others.length === 0) {
      const state = this.#command(only, context);
      return prefix ? settled(state) : state;
    }
    // Each element is a shell of its own: nothing it sets outlives it.
    let feed = context.feed;
    for (const [i, command] of node.commands.entries()) {
      // Of a compound command any command may read it, and leave nothing to the next.
      const own = command.type === "Command" ? feed : undefined;
      const fed = own === context.feed ? context : { ...context, feed: own };
      this.#command(command, fed);
      // With error messages in it, it is not what the command prints.
      feed = node.operators[i] === "|&" ? undefined : this.#feedOf(command, fed);
    }
    return context.state;
  }

  #feedOf(command: CommandNode, context: Context): Context["feed"] {
    return command.type === "Command" ? once(() => this.#simple.feedOf(command, context)) : undefined;
  }

  #command(node: CommandNode, context: Context): State {
    if (context.depth > DEEPEST) {
      this.#lose("it is nested too deeply");
      return context.state;
    }
    if (node.type === "Command") return this.#simple.command(node, context);
    const inside = { ...context, depth: context.depth + 1 };
    switch (node.type) {
      case "Redirected":
        return this.#redirected(node, inside);
      case "Subshell":
        this.#block(node.body, inside);
        return context.state;
      case "BraceGroup":
        return this.#block(node.body, inside);
      case "If":
        return this.#if(node, inside);
      case "For":
        return this.#for(node, inside);
      case "While":
        return this.#while(node, inside);
      case "Case":
        return this.#case(node, inside);
      case "TestCommand":
        this.#test(node.expression, inside);
        return context.state;
      case "Function":
        return this.#function(node, inside);
      case "Coproc":
        return this.#tainted(node.body, inside, "it starts a coprocess");
      case "Select":
        this.#words(node.wordlist ?? [], inside);
        return this.#tainted(node.body, inside, "it asks the terminal (select)");
      case "ArithmeticFor":
        return this.#arithmeticFor(node, inside);
      case "ArithmeticCommand":
        return this.#arithmetic(node, inside);
      default:
        return node satisfies never;
    }
  }

  #block(list: CompoundList, context: Context): State {
    return this.#list(list.commands, context);
  }

  #tainted(body: CommandNode | CompoundList, context: Context, taint: string): State {
    const inner = { ...context, taint };
    if (body.type === "CompoundList") this.#block(body, inner);
    else this.#command(body, inner);
    this.#simple.construct("", taint);
    // What was defined may be called later, from anywhere.
    return mayMove(body) ? lost(context.state) : context.state;
  }

  /** Its body is looked at where it is defined, for any time it may be called and whatever with. */
  #function(node: Definition, context: Context): State {
    const { state } = context;
    const { body, name } = node;
    const taint = `it defines the function ${name.value}`;
    if (body.type === "CompoundList" || !isPlainFunction(node, state)) return this.#tainted(body, context, taint);
    const before = this.parts.length;
    const inner = insideFunction(state, this.#moves);
    const parameters = this.#parameters.get(name.value) ?? [];
    this.#command(body, { ...context, state: inner, parameters, feed: undefined, noInput: true });
    if (!this.parts.slice(before).some(mayChange)) return { ...state, functions: state.functions.plus([name.value]) };
    this.#simple.construct("", taint);
    return state;
  }

  #arithmetic(node: ArithmeticCommand, context: Context): State {
    const defined = afterCommand(node, { values: this.#values, defined: context.state.defined });
    if (!defined) this.#unsafe(node, context);
    return defined ? { ...context.state, defined } : context.state;
  }

  #arithmeticFor(node: ArithmeticFor, context: Context): State {
    const { initialize, test, update, body } = node;
    const { state } = context;
    const set = initialize ? this.#afterArithmetic(initialize, state) : state.defined;
    const entry = this.#loopEntry(body, { ...state, defined: set ?? state.defined });
    const isSafe = [test, update].every((one) => !one || this.#afterArithmetic(one, entry) !== undefined);
    if (!set || !isSafe || !isPlainLoop(node, context.source.slice(node.pos, body.pos))) {
      this.#unsafe(node, context);
      return this.#tainted(body, context, "a loop over arithmetic");
    }
    return union([entry, this.#block(body, { ...context, state: entry })]);
  }

  #afterArithmetic(expression: ArithmeticExpression, { defined }: State): State["defined"] | undefined {
    return afterArithmetic(expression, { values: this.#values, defined });
  }

  #unsafe(node: ArithmeticFor | ArithmeticCommand, context: Context): void {
    const text = context.source.slice(node.pos, node.end);
    const why = "arithmetic can run commands: ((...))";
    this.#simple.construct(text, why);
    if (mayHideCommands(text)) this.#lose(why);
    this.#simple.substitutions(node, context);
  }

  #redirected(node: Redirected, context: Context): State {
    this.#simple.redirects(node.redirects, context, context.source.slice(node.pos, node.end));
    const noInput = context.noInput || this.#simple.mayNotRead(node.redirects, context);
    const after = this.#command(node.command, { ...context, feed: undefined, noInput });
    // Where one fails, nothing of it runs.
    return this.#simple.surelyRedirects(node.redirects, context) ? after : union([context.state, after]);
  }

  #if(node: If, context: Context): State {
    let state = this.#block(node.clause, context);
    const ends = [this.#block(node.then, { ...context, state })];
    for (const branch of node.elif) {
      state = this.#block(branch.clause, { ...context, state });
      ends.push(this.#block(branch.then, { ...context, state }));
    }
    ends.push(node.else ? this.#block(node.else, { ...context, state }) : state);
    return union(ends);
  }

  #for(node: For, context: Context): State {
    this.#words(node.wordlist ?? [], context);
    const { name } = node;
    // `_` is what people call a variable they do not use; every command sets it anew.
    if (name.value !== "_" && !isPlainName(name.value)) {
      this.#simple.construct(`for ${name.value}`, `the loop variable ${name.value} changes what commands do`);
    }
    const entry = this.#loopEntry(node.body, context.state);
    const inside = name.value === "_" ? entry : loopState(name.value, entry);
    const end = this.#block(node.body, { ...context, state: inside });
    return union([entry, end]);
  }

  #while(node: While, context: Context): State {
    const entry = this.#loopEntry(node, context.state);
    const whole = this.#block(node.clause, { ...context, state: entry });
    // What is left in the middle has not done all of it.
    const after = mayLeave(node.clause) ? union([entry, whole]) : whole;
    return union([after, this.#block(node.body, { ...context, state: after })]);
  }

  /** What holds at the beginning of any round: a `cd` in the last one counts. */
  #loopEntry(node: CompoundList | While, state: State): State {
    return mayMove(node) ? lost(state) : state;
  }

  #case(node: Case, context: Context): State {
    this.#words([node.word], context);
    const ends = [context.state];
    let { state } = context;
    for (const item of node.items) {
      this.#words(item.pattern, context);
      state = this.#block(item.body, { ...context, state: union([context.state, state]) });
      ends.push(state);
    }
    return union(ends);
  }

  #words(words: readonly Word[], context: Context): void {
    this.#simple.check(words, context);
  }

  #test(expression: TestExpression, context: Context): void {
    switch (expression.type) {
      case "TestUnary":
        return this.#simple.testUnary(expression.operator, expression.operand, context);
      case "TestBinary":
        if (/^-(eq|ne|lt|le|gt|ge)$/.test(expression.operator)) {
          const numbers = [expression.left, expression.right].every((word) => this.#simple.isNumeric(word, context));
          if (!numbers) this.#simple.construct("[[", `[[ ${expression.operator} ]] evaluates its operands`);
        }
        // What stands in it for a regular expression is plain text, parentheses included.
        if (expression.operator === "=~" && isPlainPattern(expression.right.text))
          return this.#words([expression.left], context);
        return this.#words([expression.left, expression.right], context);
      case "TestLogical":
        for (const operand of expression.operands) this.#test(operand, context);
        return;
      case "TestNot":
        return this.#test(expression.operand, context);
      case "TestGroup":
        return this.#test(expression.expression, context);
      default:
        return expression satisfies never;
    }
  }
}

/** A regular expression that bash and the parser read alike: no blanks, quotes or expansions, each parenthesis closed. */
function isPlainPattern(text: string): boolean {
  if (!/^(?!#)(?:[^\s$`"'\\<>;&]|\\[\w.\/+*?-]|\$(?=$|[)|]))+$/.test(text)) return false;
  let open = 0;
  for (const char of text) {
    if (char === "(") open++;
    if (char === ")" && --open < 0) return false;
  }
  return open === 0;
}

function loopState(name: string, state: State): State {
  return { ...state, defined: state.defined.plus([name]), placed: new Map([...state.placed, [name, state.cwds]]) };
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function pipelinePrefix(node: Pipeline): boolean {
  return node.prefixes.some((prefix) => prefix.type === "Negation");
}

/** After a success: a `cd` that might have failed did not. */
function succeeded(state: State): State {
  return state.onSuccess ? { ...state, ...state.onSuccess, onSuccess: undefined } : state;
}

function lost(state: State): State {
  return { ...state, cwds: undefined, moved: true, onSuccess: undefined, previous: undefined };
}

// Functions of the text itself: which may be called like a program that only reads.
import { forEachChild, type Command, type Function as Definition, type SyntaxNode, type Word } from "unbash";
import { judgeBuiltin } from "./builtins.ts";
import type { State } from "./context.ts";
import { mayLeave, mayMove, mayUnset } from "./moves.ts";
import { Names } from "./names.ts";
import { lookup } from "./programs/list.ts";
import type { Arg } from "./types.ts";
import { mayHoldCommands, type Parameters } from "./variables.ts";
import { argsOf, type Scope } from "./words.ts";

/** Names the analysis, or a shell, gives a meaning of their own. */
const TAKEN = new Set(
  `alias bg bind builtin caller command command_not_found_handle command_not_found_handler compgen complete compopt
  coproc declare dirs disown enable eval exec export fc fg function getopts hash help history jobs kill let local logout
  printf readonly select set shift shopt source suspend test time times trap type typeset ulimit umask unalias unset
  until chpwd precmd preexec periodic zshexit zshaddhistory`
    .split(/\s+/)
    .filter(Boolean),
);

/** A name that means nothing else, and a body that leaves the shell as it was: it goes nowhere and takes nothing away. */
export function isPlainFunction({ name, body }: Definition, state: State): boolean {
  const { text } = name;
  if (!/^[A-Za-z_][\w-]*$/.test(text) || TAKEN.has(text) || text.startsWith("TRAP")) return false;
  if (lookup(text) !== undefined || judgeBuiltin(text, [], state) !== undefined) return false;
  return !mayMove(body) && !mayLeave(body) && !mayUnset(body);
}

/** Any time, by anybody: nothing of what was set before is certain, and nothing was asked in another folder. */
export function insideFunction(state: State, moves: boolean): State {
  const where = moves ? { cwds: undefined, moved: true } : {};
  const unset = { onSuccess: undefined, previous: undefined, placed: new Map(), defined: Names.NONE };
  return { ...state, ...where, ...unset, inFunction: true };
}

/** What the functions of a text are called with, wherever that is; any other way to call one is asked about. */
export function parametersIn(script: SyntaxNode, scope: Scope): ReadonlyMap<string, Parameters> {
  const calls = new Map<string, (readonly Word[])[]>();
  const commands: Command[] = [];
  const visit = (node: SyntaxNode): void => {
    if (node.type === "Function") calls.set(node.name.text, []);
    else if (node.type === "Command") commands.push(node);
    else if (node.type === "Word" && !mayHoldCommands(node.text)) return;
    forEachChild(node, visit);
  };
  visit(script);
  for (const { name, args } of calls.size > 0 ? commands : []) {
    calls.get(name?.text ?? "")?.push(args.filter((arg) => arg.type === "Word"));
  }
  return new Map([...calls].map(([name, all]) => [name, together(all.map((words) => textsOf(words, scope)))]));
}

const MOST_TEXTS = 40;

/** Up to the first word that is not known, or may be several. */
function textsOf(words: readonly Word[], scope: Scope): string[][] {
  const found: string[][] = [];
  for (const word of words) {
    const [arg, ...more] = argsOf(word, scope);
    if (more.length > 0 || (arg?.kind !== "text" && arg?.kind !== "oneof")) break;
    found.push(arg.kind === "text" ? [arg.text] : [...arg.texts]);
  }
  return found;
}

function together(calls: readonly string[][][]): Parameters {
  const count = Math.min(9, ...calls.map((texts) => texts.length));
  return Array.from({ length: calls.length === 0 ? 0 : count }, (_, i) => {
    const texts = [...new Set(calls.flatMap((call) => call[i] ?? []))];
    return texts.length > MOST_TEXTS ? undefined : texts.map((text): Arg => ({ kind: "text", text }));
  });
}

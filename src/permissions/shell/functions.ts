// Functions of the text itself: which may be called like a program that only reads.
import { forEachChild, type Function as Definition, type SyntaxNode } from "unbash";
import { judgeBuiltin } from "./builtins.ts";
import type { State } from "./context.ts";
import { mayLeave, mayMove } from "./moves.ts";
import { Names } from "./names.ts";
import { lookup } from "./programs/list.ts";

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
  const { functions } = state;
  const where = moves ? { cwds: undefined, moved: true } : { cwds: state.cwds, moved: state.moved };
  return {
    ...state,
    ...where,
    onSuccess: undefined,
    previous: undefined,
    placed: new Map(),
    defined: Names.NONE,
    functions,
  };
}

function mayUnset(node: SyntaxNode): boolean {
  if (node.type === "Command" && /^(unset|command|builtin)$/.test(node.name?.value ?? "")) return true;
  let found = false;
  forEachChild(node, (child) => {
    found ||= mayUnset(child);
  });
  return found;
}

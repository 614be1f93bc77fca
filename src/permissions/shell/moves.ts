// Whether a piece of the syntax tree can take the shell to another folder, out of a loop, or a name from it.
import { forEachChild, type Command, type SyntaxNode } from "unbash";

/** Whether a `cd` or the like stands anywhere below. */
export function mayMove(node: SyntaxNode): boolean {
  return holds(node, isMove);
}

/** Whether a `break` or `continue` does. */
export function mayLeave(node: SyntaxNode): boolean {
  return holds(node, isLeave);
}

/** Whether a command that could take a name away does. */
export function mayUnset(node: SyntaxNode): boolean {
  return holds(node, ({ name }) => /^(unset|command|builtin)$/.test(name?.value ?? ""));
}

function holds(node: SyntaxNode, is: (command: Command) => boolean): boolean {
  let found = false;
  const visit = (child: SyntaxNode): void => {
    if (found) return;
    if (child.type === "Command") found = is(child);
    forEachChild(child, visit);
  };
  visit(node);
  return found;
}

function isLeave({ name, args }: Command): boolean {
  const command = name?.value ?? "";
  if (/^(break|continue)$/.test(command) || (command !== "[" && /[$`*?[{]/.test(name?.text ?? ""))) return true;
  return (
    /^(command|builtin)$/.test(command) &&
    args.some(({ text }) => !/^[\w./-]*$/.test(text) || /break|continue/.test(text))
  );
}

function isMove({ name, args }: Command): boolean {
  const command = name?.value ?? "";
  if (/^(cd|pushd|popd|eval|source|\.)$/.test(command)) return true;
  if (command !== "[" && /[$`*?[{]/.test(name?.text ?? "")) return true;
  if (!/^(command|builtin)$/.test(command)) return false;
  return args.some((arg) => arg.type === "Word" && (/^(cd|pushd|popd)$/.test(arg.value) || /[$`*?[{]/.test(arg.text)));
}

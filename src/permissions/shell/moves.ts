// Whether a piece of the syntax tree can take the shell to another folder.
import { forEachChild, type Command, type SyntaxNode } from "unbash";

/** Whether a `cd` or the like stands anywhere below. */
export function mayMove(node: SyntaxNode): boolean {
  let moves = false;
  const visit = (child: SyntaxNode): void => {
    if (moves) return;
    if (child.type === "Command") moves = isMove(child);
    forEachChild(child, visit);
  };
  visit(node);
  return moves;
}

function isMove({ name, args }: Command): boolean {
  const command = name?.value ?? "";
  if (/^(cd|pushd|popd|eval|source|\.)$/.test(command)) return true;
  if (command !== "[" && /[$`*?[{]/.test(name?.text ?? "")) return true;
  if (!/^(command|builtin)$/.test(command)) return false;
  return args.some((arg) => arg.type === "Word" && (/^(cd|pushd|popd)$/.test(arg.value) || /[$`*?[{]/.test(arg.text)));
}

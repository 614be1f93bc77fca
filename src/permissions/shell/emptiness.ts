// Conditions that only tell whether a variable is empty: `[ -n "$TOKEN" ]`, `[[ -z ${TOKEN:-} ]]`.
import type { Command, Word } from "unbash";

const EMPTINESS = new Set(["-n", "-z"]);

/** The word of `[ -n "$x" ]` or `test -z "$x"` that holds the variable. */
export function emptinessTested({ name, args }: Command): Word | undefined {
  // Nearly every command is none.
  if (name?.text !== "[" && name?.text !== "test") return undefined;
  const isTest = (name?.text === "[" && args.length === 3) || (name?.text === "test" && args.length === 2);
  const [operator, operand] = args;
  if (!isTest || !EMPTINESS.has(operator?.text ?? "") || operand?.type !== "Word") return undefined;
  // Without quotes a value could become words of the condition.
  return operand.text.startsWith('"') && isVariable(operand) ? operand : undefined;
}

/** A variable and nothing else. */
export function isVariable({ text }: Word): boolean {
  return /^(?:"?)\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*(?::?-)?\})(?:"?)$/.test(text);
}

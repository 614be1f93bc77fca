// `/init`: has the model look at the repository and write down what someone who works in it needs to know.
import text from "../prompt/init.md" with { type: "text" };
import type { CommandResult } from "./command.ts";

/** `wishes`: what the person wants in it, in their own words; may be empty. */
export function init(wishes: string): CommandResult {
  const more = wishes.trim() === "" ? "" : `\n\nThe person also wants: ${wishes.trim()}`;
  return { kind: "prompt", text: `${text.trim()}${more}` };
}

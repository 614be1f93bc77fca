// What a skill or command would do by itself when it is loaded, read as the loader reads it: for who decides about trust.
import { textFrom } from "../files/bounded.ts";
import { commandsIn, readSkill } from "./parse.ts";

/** One line each; none of what is no text, and so is not loaded. `bytes`: the whole file. */
export function actingOf(bytes: Buffer): string[] {
  const source = textFrom(bytes);
  if (source === undefined) return [];
  const { body, allowedTools } = readSkill(source);
  const allows = allowedTools.length === 0 ? [] : [`allowed-tools: ${allowedTools.join(", ")}`];
  return [...allows, ...commandsIn(body).map((command) => `runs: ${command}`)];
}

// What a skill or command would do by itself when it is loaded, read as the loader reads it: for who decides about trust.
import { find } from "../files/bounded.ts";
import { textOf } from "./discover.ts";
import { commandsIn, readSkill } from "./parse.ts";

/** One line each; none of what cannot be loaded. */
export function actingOf(path: string): string[] {
  const found = find(path);
  if (found.kind !== "file") return [];
  const source = textOf(found.real);
  if ("why" in source) return [];
  const { body, allowedTools } = readSkill(source.text);
  const allows = allowedTools.length === 0 ? [] : [`allowed-tools: ${allowedTools.join(", ")}`];
  return [...allows, ...commandsIn(body).map((command) => `runs: ${command}`)];
}

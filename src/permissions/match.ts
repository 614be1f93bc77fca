// Whether one rule is about one call: commands, web addresses, names and parameters. (Paths: match-path.ts.)
import type { ToolUse } from "../core/types.ts";
import { hostOf, type Rule } from "./rules.ts";
import { UNKNOWN, withAllInner, type Part } from "./shell/parts.ts";
import { bare } from "./shell/judge.ts";
import { couldMatch, matches } from "./wild.ts";

export type Match = "yes" | "no" | "maybe";

/** For deny and ask: the command or anything it runs in turn, looked at through wrappers and assignments. */
export function forbidsPart({ spec }: Rule, part: Part): Match {
  if (spec.kind !== "command") return "no";
  const found = withAllInner([part]).map((one) => {
    const texts = one.text === "" ? [] : [one.text, ...byName(one)];
    if (spec.exact && one.source.trim() === spec.text) return "yes";
    const hits = texts.map((text): Match => {
      if (matches(spec.steps, text) || (spec.prefix && matches(spec.prefix, text))) return "yes";
      if (!text.includes(UNKNOWN)) return "no";
      const could = couldMatch(spec.steps, text, UNKNOWN) || (spec.prefix && couldMatch(spec.prefix, text, UNKNOWN));
      return could ? "maybe" : "no";
    });
    return worst(hits);
  });
  return worst(found);
}

export function worst(all: readonly Match[]): Match {
  return all.includes("yes") ? "yes" : all.includes("maybe") ? "maybe" : "no";
}

/** The same with the program's name instead of its path. */
function byName({ program, text }: Part): string[] {
  const name = program?.split("/").at(-1);
  return program?.includes("/") && name ? [name + text.slice(program.length)] : [];
}

/** For allow: the whole command word must be known, and what is in front of it harmless. */
export function allowsPart({ spec }: Rule, part: Part): boolean {
  const { text, program, harmlessPrefix, source } = part;
  // Not even a rule for every command covers one whose name is only known at run time.
  if (runsUnknown(part)) return false;
  if (spec.kind === "all") return true;
  if (spec.kind !== "command" || program === undefined || !harmlessPrefix) return false;
  // A program whose name has a blank in it looks like another one with an argument.
  if (program === "" || /\s/.test(program)) return false;
  if (spec.exact && source.trim() === spec.text) return true;
  const plain = bare(program) === program ? text : bare(program) + text.slice(program.length);
  return [text, plain].some(
    (one) => matches(spec.steps, one) || (spec.prefix !== undefined && matches(spec.prefix, one)),
  );
}

/** By itself or behind a harmless wrapper. Constructs have no name. */
function runsUnknown({ program, text, transparent, inner }: Part): boolean {
  return (program === undefined && text !== "") || (transparent && inner.some(runsUnknown));
}

/** As the Skill tool finds it: however it is written, with or without a slash. */
function skillName(name: string): string {
  return name.trim().replace(/^\//, "").toLowerCase();
}

export function isDomain({ spec }: Rule, url: string): boolean {
  if (spec.kind !== "domain") return false;
  const host = hostOf(url);
  if (host === undefined) return false;
  return spec.subdomains ? host.endsWith(`.${spec.host}`) : host === spec.host;
}

/** Agents and skills by name, other tools by a parameter. What forbids or asks about a skill does so with any arguments. */
export function isInput({ spec, behavior }: Rule, { name, input }: ToolUse): boolean {
  if (spec.kind === "param") {
    const value = Object.hasOwn(input, spec.param) ? input[spec.param] : undefined;
    return /^(string|number|boolean)$/.test(typeof value) && matches(spec.steps, String(value));
  }
  if (spec.kind !== "name") return false;
  if (name !== "Skill") return (input["subagent_type"] ?? "general-purpose") === spec.name;
  const isNamed = skillName(String(input["skill"])) === skillName(spec.name);
  return isNamed && (spec.args || behavior !== "allow" || !input["args"]);
}

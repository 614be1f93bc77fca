// Rules that forbid or want a question, held against a command: everything it runs, reads and writes, as far as it is known.
import type { CommandCase, Core } from "./case.ts";
import { isWalled } from "./confine.ts";
import { forbidsPart, isInput, type Match } from "./match.ts";
import { forbids, reachesInto } from "./match-path.ts";
import { isAbout, say, type Rule } from "./rules.ts";
import type { Place, Reads } from "./shell/parts.ts";
import { showsStored } from "./tracked.ts";
import type { World } from "./world.ts";

/** Deny and ask rules. Where only running it would tell, it is asked. */
export function forbidden(shell: CommandCase): Core | undefined {
  const { rules, analysis } = shell;
  const denied = rules.deny.find((rule) => forbidsCommand(rule, shell) === "yes");
  if (denied) return { behavior: "deny", step: "deny", reason: `${say(denied)} forbids it`, rule: denied };
  const asked = rules.ask.find((rule) => forbidsCommand(rule, shell) === "yes");
  if (asked) return { behavior: "ask", step: "ask", reason: `${say(asked)} wants it asked`, rule: asked };
  const strict = [...rules.deny, ...rules.ask];
  const unsure = strict.find((rule) => forbidsCommand(rule, shell) === "maybe");
  if (unsure)
    return {
      behavior: "ask",
      step: "ask",
      reason: `${say(unsure)} may forbid it: not all of the command is known before it runs`,
      rule: unsure,
    };
  const lost = analysis.problem === undefined ? undefined : strict.find((rule) => isAbout(rule, "Bash"));
  if (lost)
    return { behavior: "ask", step: "ask", reason: `${say(lost)} may forbid it: ${analysis.problem}`, rule: lost };
  return undefined;
}

export function forbidsCommand(rule: Rule, shell: CommandCase): Match {
  const { spec } = rule;
  if (spec.kind === "path") return forbidsPaths(rule, shell);
  // A bare Read or Edit rule is about every file a command is known to read or write.
  if (spec.kind === "all" && (rule.tool === "Read" || rule.tool === "Edit")) return forbidsPaths(rule, shell);
  if (!isAbout(rule, "Bash")) return "no";
  if (spec.kind === "all") return "yes";
  if (spec.kind === "param") return isInput(rule, shell.call) ? "yes" : "no";
  if (spec.kind === "command" && spec.exact && shell.command.trim() === spec.text) return "yes";
  return worst(shell.analysis.parts.map((part) => forbidsPart(rule, part)));
}

function worst(all: readonly Match[]): Match {
  return all.includes("yes") ? "yes" : all.includes("maybe") ? "maybe" : "no";
}

function forbidsPaths(rule: Rule, shell: CommandCase): Match {
  const { parts, world } = shell;
  const reading = isAbout(rule, "Read");
  if (!reading && !isAbout(rule, "Edit")) return "no";
  const match = worst(
    parts.flatMap((part) => [
      ...(reading ? part.reads.map((use) => forbidsRead(rule, use, world)) : []),
      // What may not be read may not be written either.
      ...part.writes.map((change) => forbidsPlaces(rule, change.places)),
    ]),
  );
  // No wall hides what git has stored of a hidden file.
  const stored = reading && rule.spec.kind === "path" && match !== "yes" && forbidsStored(rule.spec, shell);
  // What the wall hides needs no question; a write it does not know of is still asked about.
  const onlyReads = parts.every((part) => part.writes.every((change) => forbidsPlaces(rule, change.places) === "no"));
  if (stored) return "maybe";
  return match === "maybe" && onlyReads && isWalled(shell) ? "no" : match;
}

function forbidsStored({ pattern }: Extract<Rule["spec"], { kind: "path" }>, { parts, world }: CommandCase): boolean {
  if (!parts.some((part) => showsStored(part.text))) return false;
  const paths = world.files.tracked(world.cwd);
  return !paths || paths.some((path) => forbids(pattern, path));
}

function forbidsPlaces({ spec }: Rule, places: readonly Place[] | undefined): Match {
  if (spec.kind === "all") return "yes";
  if (spec.kind !== "path") return "no";
  if (!places) return "maybe";
  return places.some(({ given, real }) => forbids(spec.pattern, given) || forbids(spec.pattern, real)) ? "yes" : "no";
}

function forbidsRead(rule: Rule, use: Reads, world: World): Match {
  const direct = forbidsPlaces(rule, use.places);
  if (direct === "maybe" && use.guess) return "no";
  if (direct !== "no" || !use.recursive || use.what === "names" || rule.spec.kind !== "path") return direct;
  const { pattern } = rule.spec;
  const reaches = use.places?.some(({ real }) => reachesInto(pattern, real) && holdsForbidden(rule, real, world));
  return reaches ? "maybe" : "no";
}

const MOST_LOOKED_AT = 3000;

/** A bounded look for something below a folder that the rule forbids; what is too large to look at counts as a yes. */
function holdsForbidden({ spec }: Rule, folder: string, { files }: World): boolean {
  if (spec.kind !== "path") return false;
  const waiting = [folder];
  let looked = 0;
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const name of files.list(at) ?? []) {
      const path = `${at}/${name}`;
      if (++looked > MOST_LOOKED_AT || forbids(spec.pattern, path)) return true;
      if (name.includes(".") ? files.isFolder(path) : files.list(path) !== undefined) {
        if (files.realPath(path) === path) waiting.push(path);
      }
    }
  }
  return false;
}

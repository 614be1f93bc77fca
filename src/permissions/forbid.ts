// Rules that forbid or want a question, held against a command: everything it runs, reads and writes, as far as it is known.
import type { CommandCase, Core } from "./case.ts";
import { isWalled } from "./confine.ts";
import { forbidsPart, isInput, worst, type Match } from "./match.ts";
import { forbids, reachesInto, type PathPattern } from "./match-path.ts";
import { isFileIn, mayLead, type Files } from "./shell/resolve.ts";
import { isAbout, say, type Rule } from "./rules.ts";
import { formsOf, type Part, type Place, type Reads } from "./shell/parts.ts";
import { showsStored } from "./tracked.ts";
import type { World } from "./world.ts";

/** Deny and ask rules. Where only running it would tell, it is asked. */
export function forbidden(shell: CommandCase): Core | undefined {
  const { rules, analysis } = shell;
  if (rules.deny.length + rules.ask.length === 0) return undefined;
  const touched = touchedBy(shell.parts, shell.world.files);
  const matched = new Map<Rule, Match>();
  const match = (rule: Rule): Match => {
    const found = matched.get(rule) ?? forbidsCommand(rule, shell, touched);
    matched.set(rule, found);
    return found;
  };
  const denied = rules.deny.find((rule) => match(rule) === "yes");
  if (denied) return { behavior: "deny", step: "deny", reason: `${say(denied)} forbids it`, rule: denied };
  const asked = rules.ask.find((rule) => match(rule) === "yes");
  if (asked) return { behavior: "ask", step: "ask", reason: `${say(asked)} wants it asked`, rule: asked };
  const strict = [...rules.deny, ...rules.ask];
  const unsure = strict.find((rule) => match(rule) === "maybe");
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

export function forbidsCommand(rule: Rule, shell: CommandCase, touched: Touched): Match {
  const { spec } = rule;
  if (spec.kind === "path") return forbidsPaths(rule, shell, touched);
  // A bare Read or Edit rule is about every file a command is known to read or write.
  if (spec.kind === "all" && (rule.tool === "Read" || rule.tool === "Edit")) return forbidsPaths(rule, shell, touched);
  if (!isAbout(rule, "Bash")) return "no";
  if (spec.kind === "all") return "yes";
  if (spec.kind === "param") return isInput(rule, shell.call) ? "yes" : "no";
  if (spec.kind === "command" && spec.exact && shell.command.trim() === spec.text) return "yes";
  return worst(shell.analysis.parts.map((part) => forbidsPart(rule, part)));
}

/** What all parts read and write, each place once, however many commands name it. */
export type Touched = { reads: Places; writes: Places };
/** `folders`: where they lead, of those that are gone through whole. */
type Places = { known: readonly Place[]; unknown: boolean; folders: readonly string[]; some: boolean };

export function touchedBy(parts: readonly Part[], files: Files): Touched {
  const content = parts.flatMap(({ reads }) => reads);
  const changes = parts.flatMap(({ writes }) => writes);
  const whole = content.filter(({ recursive, what }) => recursive && what === "content");
  // Of a program that is not known, a word that is not known either says nothing.
  const unknown = content.some(({ places, guess }) => !places && !guess) || content.some((use) => leads(use, files));
  const folders = new Set(whole.flatMap(({ places }) => places?.map(({ real }) => real) ?? []));
  return {
    reads: { known: distinct(content), unknown, folders: [...folders], some: content.length > 0 },
    writes: {
      known: distinct(changes),
      unknown: changes.some(({ places }) => !places),
      folders: [],
      some: changes.length > 0,
    },
  };
}

/** Whether what it goes through may lead to anywhere. */
function leads({ follows, places }: Reads, files: Files): boolean {
  return follows && mayLead(places ?? [], files);
}

function distinct(uses: readonly { places: readonly Place[] | undefined }[]): Place[] {
  const places = new Map<string, Place>();
  for (const use of uses) for (const place of use.places ?? []) places.set(`${place.given}\0${place.real}`, place);
  return [...places.values()];
}

function forbidsPaths(rule: Rule, shell: CommandCase, { reads, writes }: Touched): Match {
  const reading = isAbout(rule, "Read");
  if (!reading && !isAbout(rule, "Edit")) return "no";
  // What may not be read may not be written either.
  const written = forbidsPlaces(rule, writes, shell.world);
  const read = reading ? forbidsPlaces(rule, reads, shell.world) : "no";
  const reached = reading && read === "no" ? reachesForbidden(rule, reads.folders, shell) : "no";
  const match = worst([written, read, reached]);
  // No wall hides what git has stored of a hidden file.
  const stored = reading && rule.spec.kind === "path" && match !== "yes" && forbidsStored(rule.spec, shell);
  if (stored) return "maybe";
  // What the wall hides needs no question; a write it does not know of is still asked about.
  return match === "maybe" && written === "no" && isWalled(shell) ? "no" : match;
}

function forbidsStored({ pattern }: Extract<Rule["spec"], { kind: "path" }>, { parts, world }: CommandCase): boolean {
  if (!parts.some((part) => showsStored(part.text))) return false;
  const paths = world.files.tracked(world.cwd);
  return !paths || paths.some((path) => forbids(pattern, path, IS_FILE));
}

/** What git has stored are files; those of the folders they are in count with these. */
const IS_FILE = () => true;

function forbidsPlaces({ spec }: Rule, { known, unknown, some }: Places, { files }: World): Match {
  if (spec.kind === "all") return some ? "yes" : "no";
  if (spec.kind !== "path") return "no";
  if (known.some((place) => formsOf(place).some((path) => forbids(spec.pattern, path, isFileIn(files))))) return "yes";
  return unknown ? "maybe" : "no";
}

function reachesForbidden({ spec }: Rule, folders: readonly string[], { world }: CommandCase): Match {
  if (spec.kind !== "path") return "no";
  const { pattern } = spec;
  const looked = { left: MOST_LOOKED_AT };
  const reaches = folders.some(
    (folder) => reachesInto(pattern, folder) && holdsForbidden(pattern, folder, world, looked),
  );
  return reaches ? "maybe" : "no";
}

/** Names for one rule, in all folders together. */
const MOST_LOOKED_AT = 6000;

/** A bounded look for something below a folder that the rule forbids; what is too large to look at counts as a yes. */
function holdsForbidden(pattern: PathPattern, folder: string, { files }: World, looked: { left: number }): boolean {
  const isFile = isFileIn(files);
  const waiting = [folder];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const name of files.list(at) ?? []) {
      const path = `${at}/${name}`;
      if (--looked.left < 0 || forbids(pattern, path, isFile)) return true;
      if (name.includes(".") ? files.isFolder(path) : files.list(path) !== undefined) {
        if (files.realPath(path) === path) waiting.push(path);
      }
    }
  }
  return false;
}

// What lets a part of a command run: that it only reads, a rule, or acceptEdits.
import type { CommandCase } from "./case.ts";
import { allowsPlace, isWithin, whyOutside } from "./decision.ts";
import { allowsPart } from "./match.ts";
import { holdsProtected } from "./protect.ts";
import { isAbout, type Rule } from "./rules.ts";
import type { Part, Place, Reads, Writes } from "./shell/parts.ts";
import { mayLead } from "./shell/resolve.ts";
import type { World } from "./world.ts";

export function whyNotReading(shell: CommandCase): string | undefined {
  const { analysis } = shell;
  if (analysis.problem !== undefined) return analysis.problem;
  return whyNotAll(analysis.parts, shell);
}

function whyNotAll(parts: readonly Part[], shell: CommandCase): string | undefined {
  for (const part of parts) {
    const why = whyNot(part, shell);
    if (why !== undefined) return why;
  }
  return undefined;
}

export function mayChange({ analysis, parts }: CommandCase): boolean {
  if (analysis.problem !== undefined) return true;
  return parts.some((part) => part.effect !== "read" || part.writes.length > 0 || !part.harmlessPrefix);
}

/** The rule that allows the part, or "fine" when none is needed; undefined when it has to be asked. */
export function allowedPart(part: Part, shell: CommandCase): Rule | "fine" | undefined {
  const { rules, world } = shell;
  if (whyNot(part, shell) === undefined) return "fine";
  const redirected = part.writes.filter((change) => change.redirect);
  if (!redirected.every((change) => mayWrite(change, shell))) return undefined;
  const rule = rules.allow.find((one) => isAbout(one, "Bash") && allowsPart(one, part));
  if (rule) return rule;
  // Through a harmless wrapper, what it runs decides.
  if (
    part.transparent &&
    part.harmlessPrefix &&
    part.inner.length > 0 &&
    part.writes.every((change) => change.redirect)
  ) {
    const inner = part.inner.map((one) => allowedPart(one, shell));
    const rule = inner.find((one) => one !== undefined && one !== "fine");
    if (rule && inner.every((one) => one !== undefined)) return rule;
  }
  const exact = part.effect === "read" || part.effect === "files";
  const reads = part.reads.every((use) => whyNotRead(use, shell) === undefined);
  if (!exact || !reads || !part.inner.every((one) => allowedPart(one, shell) === "fine")) return undefined;
  // Changing nothing that is known is no change inside the project.
  if (part.effect === "files" && part.writes.length === 0) return undefined;
  if (!part.writes.every((change) => mayWrite(change, shell, part.editing))) return undefined;
  return holdsNothingProtected(part, world) ? "fine" : undefined;
}

/** By a rule for the path, or in acceptEdits inside the project by a redirection or a known editing command. */
export function mayWrite(change: Writes, { rules, mode, world }: CommandCase, editing = false): boolean {
  const { places } = change;
  if (!places) return false;
  const about = rules.allow.filter((rule) => isAbout(rule, "Edit"));
  const accepted = mode === "acceptEdits" && (editing || change.redirect);
  return places.every(
    (place) =>
      allowsPlace(about, place, { folders: [], files: world.files }) || (accepted && isWithin(place, world.roots)),
  );
}

/**
 * A folder that is moved, copied or removed with everything in it must not carry protected files along; and a link that is
 * moved or copied may lead somewhere else from its new place.
 */
export function holdsNothingProtected(part: Part, { files, ...world }: World): boolean {
  const moves = part.writes.some((change) => change.how === "write") && !part.writes.every((change) => change.redirect);
  const whole = [
    ...part.writes.filter((change) => change.how === "remove" || change.recursive),
    ...part.reads.filter((use) => use.recursive),
  ];
  return whole.every((one) =>
    (one.places ?? []).every(({ given, real }) => {
      if (moves && files.look(given) === "link") return false;
      return !holdsProtected(real, { ...world, files }, { links: moves });
    }),
  );
}

/** Why the part is not provably just reading what may be read. */
export function whyNot(part: Part, shell: CommandCase): string | undefined {
  if (part.effect !== "read") return part.why;
  const [change] = part.writes;
  if (change) return `it writes ${change.shown}`;
  if (!part.harmlessPrefix) return "a variable in front changes what it does";
  for (const use of part.reads) {
    const why = whyNotRead(use, shell);
    if (why !== undefined) return why;
  }
  return whyNotAll(part.inner, shell);
}

export function whyNotRead(use: Reads, { rules, world }: CommandCase): string | undefined {
  const { places, shown } = use;
  if (use.handed) return undefined;
  if (!places) return `which file ${shown} is, is only known when it runs`;
  for (const place of places) {
    if (!isWithin(place, world.roots) && !mayReadOutside(place, { rules, world })) return whyOutside(place);
  }
  return use.follows && mayLead(places, world.files)
    ? `it follows links, and there may be some in ${shown}`
    : undefined;
}

function mayReadOutside(place: Place, { rules, world }: Pick<CommandCase, "rules" | "world">): boolean {
  if (isNull(place) || EMPTY_DEVICES.has(place.given)) return true;
  const about = rules.allow.filter((rule) => isAbout(rule, "Read"));
  const folders = [...world.roots, ...world.readable];
  return allowsPlace(about, place, { folders, files: world.files }) !== undefined;
}

/** Nothing, or what a process substitution puts into its place. */
export function isNull({ given }: Place): boolean {
  return given === "/dev/null" || given.startsWith("/dev/null/");
}

/** Nobody's content. */
const EMPTY_DEVICES = new Set(["/dev/zero", "/dev/urandom", "/dev/random"]);

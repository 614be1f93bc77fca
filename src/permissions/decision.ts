// What a decision is, and the words and checks that decisions about tools and about commands share.
import type { Confinement, PermissionMode } from "../core/types.ts";
import { inside } from "../utils/paths.ts";
import { allows } from "./match-path.ts";
import type { Rule, Rules } from "./rules.ts";
import { formsOf, type Place } from "./shell/parts.ts";
import type { World } from "./world.ts";

/** Which step of the order above decided. */
export type Step =
  "deny" | "ask" | "critical" | "plan" | "bypass" | "protected" | "allow" | "read-only" | "mode" | "sandbox";

export type Decision = {
  behavior: "allow" | "deny" | "ask";
  step: Step;
  /** In words for a person, after "because": "it changes files". */
  reason: string;
  rule?: Rule;
  /** Of a command: every part with its own decision; only worked out when somebody asks. */
  parts?(): readonly PartDecision[];
  /** What it touches, one line each. */
  touches: readonly string[];
  /** For a command that may run: how much of the machine it gets. */
  confine?: Confinement;
};

/** One simple command of a text with a decision of its own. */
export type PartDecision = { text: string; behavior: "allow" | "ask" | "deny"; reason: string; rule?: Rule };

/** What to do in plan mode instead of what it refuses; sub-agents and --tools may be without the tool. */
export const PLAN_FIRST = "present the plan first (with ExitPlanMode, where it is offered)";

export type Situation = { rules: Rules; mode: PermissionMode; world: World };

/** Both the path as given and where it leads must be inside. */
export function isWithin({ given, real }: Place, folders: readonly string[]): boolean {
  return isInAny(folders, given) && (given === real || isInAny(folders, real));
}

// A long text asks this for each of its paths: a loop makes no objects.
function isInAny(folders: readonly string[], path: string): boolean {
  for (const folder of folders) if (inside(folder, path)) return true;
  return false;
}

/**
 * The path as given and where it leads are each covered by one of the rules, or both lie in the folders. Returns a rule
 * that was needed, "inside" when none was, undefined when they are not covered.
 */
export function allowsPlace(
  rules: readonly Rule[],
  place: Place,
  { folders, files }: { folders: readonly string[]; files: World["files"] },
): Rule | "inside" | undefined {
  if (isWithin(place, folders)) return "inside";
  let needed: Rule | undefined;
  for (const path of formsOf(place)) {
    const rule = rules.find(
      ({ spec }) =>
        spec.kind === "all" || (spec.kind === "path" && allows(spec.pattern, path, (one) => files.isFolder(one))),
    );
    if (!rule) return undefined;
    needed ??= rule;
  }
  return needed;
}

export function whyOutside({ given, real }: Place): string {
  return given === real ? `${given} is outside the project` : `${given} leads to ${real}, outside the project`;
}

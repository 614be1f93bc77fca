// How much of the machine a command gets when it runs.
import type { Confinement } from "../core/types.ts";
import { whyNot } from "./approve.ts";
import type { CommandCase } from "./case.ts";
import type { Step } from "./decision.ts";
import { allowsPart } from "./match.ts";
import { parseRule, type Rule } from "./rules.ts";
import type { Part } from "./shell/parts.ts";

/** The model asked for it, and the settings let it. */
export function leaves({ call, world }: CommandCase): boolean {
  return call.input["dangerouslyDisableSandbox"] === true && world.wall.mayLeave;
}

/** It runs in a sandbox that hides what rules forbid to read. */
export function isWalled(shell: CommandCase): boolean {
  return shell.world.wall.active && confinement("mode", shell) !== "open";
}

export function confinement(step: Step, shell: CommandCase): Confinement {
  const { world, mode } = shell;
  if (step === "read-only") return "readonly";
  if (leaves(shell) || (mode === "bypassPermissions" && !world.wall.always)) return outside(shell);
  return isExcluded(shell) ? outside(shell) : "workspace";
}

/** What may not be read may not be read there either. */
function outside({ rules }: CommandCase): Confinement {
  return rules.deny.some(({ tool, spec }) => tool === "Read" && spec.kind === "path") ? "masked" : "open";
}

/** Every part is among `sandbox.excludedCommands`, but for such as only read beside them. */
function isExcluded(shell: CommandCase): boolean {
  const { world, analysis } = shell;
  if (world.wall.excluded.length === 0 || analysis.problem !== undefined) return false;
  const anchors = { base: world.root, cwd: world.root, home: world.home };
  const rules = world.wall.excluded
    .map((text) => parseRule(`Bash(${text})`, "allow", "sandbox.excludedCommands", anchors))
    .filter((rule): rule is Rule => !("problem" in rule));
  const listed = (part: Part) => rules.some((rule) => rule.spec.kind === "all" || allowsPart(rule, part));
  return (
    analysis.parts.some(listed) && analysis.parts.every((part) => listed(part) || whyNot(part, shell) === undefined)
  );
}

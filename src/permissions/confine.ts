// How much of the machine a command gets when it runs.
import type { Confinement } from "../core/types.ts";
import { whyNot } from "./approve.ts";
import type { CommandCase } from "./case.ts";
import type { Step } from "./decision.ts";
import { allowsPart } from "./match.ts";
import { parseRule } from "./rules.ts";
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
  const { world, mode, analysis } = shell;
  if (step === "read-only") return "readonly";
  if (leaves(shell) || (mode === "bypassPermissions" && !world.wall.always)) return "open";
  const anchors = { base: world.root, cwd: world.root, home: world.home };
  const excluded = world.wall.excluded.map((text) =>
    parseRule(`Bash(${text})`, "allow", "sandbox.excludedCommands", anchors),
  );
  const isExcluded = (part: Part) =>
    excluded.some((rule) => !("problem" in rule) && (rule.spec.kind === "all" || allowsPart(rule, part)));
  const { parts, problem } = analysis;
  return parts.length > 0 &&
    problem === undefined &&
    parts.every((part) => isExcluded(part) || whyNot(part, shell) === undefined)
    ? "open"
    : "workspace";
}

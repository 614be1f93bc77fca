// The same decision for a shell command: every part of it is looked at, and the strictest answer counts.
import type { Confinement, ToolUse } from "../core/types.ts";
import { allowedPart, mayChange, whyNot, whyNotReading } from "./approve.ts";
import type { CommandCase, Core } from "./case.ts";
import { confinement, leaves } from "./confine.ts";
import { isWithin, PLAN_FIRST, type Decision, type PartDecision, type Situation } from "./decision.ts";
import { forbidden, forbidsCommand, touchedBy } from "./forbid.ts";
import { criticalRemoval, isProtected, namesCritical } from "./protect.ts";
import { say, type Rule } from "./rules.ts";
import { analyze, type Analyzed } from "./shell/analyze.ts";
import { withAllInner, type Part } from "./shell/parts.ts";
import { remembering } from "./shell/resolve.ts";
import { surroundings, type World } from "./world.ts";

export function decideCommand(call: ToolUse, command: string, { rules, mode, world: given }: Situation): Decision {
  const world: World = { ...given, files: remembering(given.files) };
  const situation: Situation = { rules, mode, world };
  const analysis = forShell(analyze(command, surroundings(world)), command, world);
  const shell: CommandCase = { ...situation, call, command, analysis, parts: withAllInner(analysis.parts) };
  const decided = stricter(forbidden(shell), shell) ?? guarded(shell) ?? byRulesAndMode(shell);
  const confine = decided.behavior === "deny" ? undefined : confinement(decided.step, shell);
  const parts = () => analysis.all.map((part) => partDecision(part, shell));
  return { ...decided, parts, touches: touches(shell, confine), ...(confine ? { confine } : {}) };
}

/** To a plain sh `[[ a > b ]]` writes a file, and `$'\\''` ends elsewhere. */
const ONLY_BASH =
  /\b(?:mapfile|readarray|pushd|popd|local|function)\b|\bread\s+(?:-r\s+)?-(?!r\s)|\+=|\$['"]|\[\[|\(\(|<<<|[<>]\(|&>|>&[^\d\s-]|\|&|=\(|;;?&|\$\{[^}]*[/^,@]|\$\{!|\{[^}]*(?:,|\.\.)/;

function forShell(analysis: Analyzed, command: string, { plainShell }: World): Analyzed {
  if (!plainShell || analysis.problem !== undefined || !ONLY_BASH.test(command)) return analysis;
  return { ...analysis, problem: "there is no bash here, and to sh this means something else" };
}

/** In plan mode a yes to an ask rule is no yes to a plan. */
function stricter(found: Core | undefined, shell: CommandCase): Core | undefined {
  if (found?.behavior !== "ask" || shell.mode !== "plan") return found;
  const guard = guarded(shell);
  return guard?.behavior === "deny" ? guard : found;
}

function criticalIn({ parts, command, world }: CommandCase): string | undefined {
  for (const { writes } of parts) {
    for (const change of writes) {
      const why = criticalRemoval(change, world);
      if (why !== undefined) return why;
      if (change.outer && namesCritical(command, world)) return `${change.shown} could be a folder the command names`;
    }
  }
  return undefined;
}

/** Critical removals, plan mode, bypass, protected paths. */
function guarded(shell: CommandCase): Core | undefined {
  const { parts, mode, world } = shell;
  const removal = criticalIn(shell);
  if (removal) return { behavior: "ask", step: "critical", reason: `${removal}: that is asked in every mode` };
  if (mode === "plan") {
    const reason = whyNotReading(shell);
    if (reason === undefined) return { behavior: "allow", step: "read-only", reason: "it only reads" };
    // Reading elsewhere changes nothing: that is a question, not a no.
    if (!mayChange(shell)) return undefined;
    return {
      behavior: "deny",
      step: "plan",
      reason: `plan mode changes nothing, and ${reason}: ${PLAN_FIRST}`,
    };
  }
  if (mode === "bypassPermissions") {
    if (shell.analysis.complete) return { behavior: "allow", step: "bypass", reason: "permissions are bypassed" };
    return {
      behavior: "ask",
      step: "critical",
      reason: `${shell.analysis.problem}: it could remove what nobody wants removed`,
    };
  }
  for (const part of parts) {
    const why = protectedWrite(part, world);
    if (why !== undefined) return { behavior: "ask", step: "protected", reason: why };
  }
  return undefined;
}

function protectedWrite(part: Part, world: World): string | undefined {
  for (const change of part.writes) {
    const perhaps = change.maybe?.find((one) => isProtected(one, world));
    if (perhaps) return `${change.shown} could be ${perhaps.given}, which can run code or change rules`;
    if (!change.places) {
      if (part.effect === "unknown" && !change.redirect) continue;
      return `${change.shown} is only known when it runs, and could be a protected file`;
    }
    const place = change.places.find((one) => isProtected(one, world));
    if (place) return `${place.given} is protected: it can run code or change rules`;
  }
  return undefined;
}

function byRulesAndMode(shell: CommandCase): Core {
  const { rules, mode, analysis, command, world } = shell;
  const why = whyNotReading(shell);
  if (why === undefined) return { behavior: "allow", step: "read-only", reason: "it only reads, inside the project" };
  if (analysis.problem !== undefined) return { behavior: "ask", step: "mode", reason: why };
  const whole = rules.allow.find(({ spec }) => spec.kind === "command" && spec.exact && spec.text === command.trim());
  const found = whole ? { rule: whole } : allowedBy(shell);
  if (found.open === undefined) {
    const { rule } = found;
    if (rule) return { behavior: "allow", step: "allow", reason: `${say(rule)} allows it`, rule };
    const reason = "acceptEdits mode: it changes files inside the project and nothing else";
    return { behavior: "allow", step: "mode", reason };
  }
  if (world.wall.active && world.wall.autoAllow && mode !== "plan" && !leaves(shell)) {
    const reason = "it runs inside the sandbox (sandbox.autoAllowBashIfSandboxed)";
    return { behavior: "allow", step: "sandbox", reason };
  }
  return { behavior: "ask", step: "mode", reason: whyNot(found.open, shell) ?? why };
}

/** The first part that has to be asked about; without one the rule that was needed first, if any was. */
function allowedBy(shell: CommandCase): { rule?: Rule; open?: Part } {
  let needed: Rule | undefined;
  for (const part of shell.analysis.parts) {
    const rule = allowedPart(part, shell);
    if (rule === undefined) return { open: part };
    if (rule !== "fine") needed ??= rule;
  }
  return needed ? { rule: needed } : {};
}

/** What the decision would be for this part alone. */
function partDecision(part: Part, shell: CommandCase): PartDecision {
  const { rules, mode, world } = shell;
  const text = part.source;
  const alone: CommandCase = {
    ...shell,
    command: part.source,
    analysis: { parts: [part], problem: undefined, complete: true },
    parts: withAllInner([part]),
  };
  const touched = touchedBy(alone.parts, world.files);
  const denied = rules.deny.find((rule) => forbidsCommand(rule, alone, touched) === "yes");
  if (denied) return { text, behavior: "deny", reason: say(denied), rule: denied };
  const asked = rules.ask.find((rule) => forbidsCommand(rule, alone, touched) === "yes");
  if (asked) return { text, behavior: "ask", reason: say(asked), rule: asked };
  const why = whyNot(part, shell);
  if (why === undefined) return { text, behavior: "allow", reason: "only reads" };
  const guard = withAllInner([part])
    .map((one) => protectedWrite(one, world))
    .find(Boolean);
  if (guard && mode !== "bypassPermissions") return { text, behavior: "ask", reason: guard };
  const allowed = allowedPart(part, shell);
  if (allowed === "fine") return { text, behavior: "allow", reason: "changes files inside the project" };
  if (allowed) return { text, behavior: "allow", reason: say(allowed), rule: allowed };
  return { text, behavior: mode === "bypassPermissions" ? "allow" : "ask", reason: why };
}

function touches({ parts, world }: CommandCase, confine: Confinement | undefined): string[] {
  const lines = new Set<string>();
  for (const { reads, writes } of parts) {
    for (const { shown, how } of writes) lines.add(`${how === "remove" ? "removes" : "writes"} ${shown}`);
    for (const { shown, places } of reads) {
      for (const place of places ?? []) {
        if (isWithin(place, world.roots)) continue;
        lines.add(`reads ${shown}`);
        break;
      }
    }
  }
  if (world.wall.active && (confine === "open" || confine === "masked")) lines.add("runs outside the sandbox");
  return [...lines];
}

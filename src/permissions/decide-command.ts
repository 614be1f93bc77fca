// The same decision for a shell command: every part of it is looked at, and the strictest answer counts.
import type { Confinement, ToolUse } from "../core/types.ts";
import { inside } from "../utils/paths.ts";
import { allowsPlace, isWithin, whyOutside, type Decision, type PartDecision, type Situation } from "./decision.ts";
import { allowsPart, forbidsPart, isInput, type Match } from "./match.ts";
import { forbids, reachesInto } from "./match-path.ts";
import { criticalRemoval, holdsProtected, isProtected } from "./protect.ts";
import { isAbout, parseRule, say, type Rule, type Rules } from "./rules.ts";
import { analyze } from "./shell/analyze.ts";
import { withInner, type Analysis, type Part, type Place, type Reads, type Writes } from "./shell/parts.ts";
import { remembering } from "./shell/resolve.ts";
import { strangeRepository, type World } from "./world.ts";

type Shell = Situation & { call: ToolUse; command: string; analysis: Analysis; parts: readonly Part[] };

export function decideCommand(call: ToolUse, command: string, { rules, mode, world: given }: Situation): Decision {
  const world: World = { ...given, files: remembering(given.files) };
  const situation: Situation = { rules, mode, world };
  const analysis = analyze(command, {
    cwd: world.cwd,
    home: world.home,
    files: world.files,
    strangeRepository: (cwd) => strangeRepository(cwd, world),
  });
  const shell: Shell = { ...situation, call, command, analysis, parts: analysis.parts.flatMap(withInner) };
  const decided = forbidden(shell) ?? guarded(shell) ?? byRulesAndMode(shell);
  const confine = decided.behavior === "deny" ? undefined : confinement(decided, shell);
  const parts = () => analysis.parts.map((part) => partDecision(part, shell));
  return { ...decided, parts, touches: touches(shell, confine), ...(confine ? { confine } : {}) };
}

type Core = Omit<Decision, "parts" | "touches" | "confine">;

/** Deny and ask rules. Where only running it would tell, it is asked. */
function forbidden(shell: Shell): Core | undefined {
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

function forbidsCommand(rule: Rule, shell: Shell): Match {
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

function forbidsPaths(rule: Rule, { parts, world }: Shell): Match {
  const reading = isAbout(rule, "Read");
  if (!reading && !isAbout(rule, "Edit")) return "no";
  return worst(
    parts.flatMap((part) => [
      ...(reading ? part.reads.map((use) => forbidsRead(rule, use, part, world)) : []),
      // What may not be read may not be written either.
      ...part.writes.map((change) => forbidsPlaces(rule, change.places)),
    ]),
  );
}

function forbidsPlaces({ spec }: Rule, places: readonly Place[] | undefined): Match {
  if (spec.kind === "all") return "yes";
  if (spec.kind !== "path") return "no";
  if (!places) return "maybe";
  return places.some(({ given, real }) => forbids(spec.pattern, given) || forbids(spec.pattern, real)) ? "yes" : "no";
}

function forbidsRead(rule: Rule, use: Reads, part: Part, world: World): Match {
  const direct = forbidsPlaces(rule, use.places);
  // Of a program that is not known, words are only taken for paths.
  if (direct === "maybe" && part.effect === "unknown") return "no";
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

/** Critical removals, plan mode, bypass, protected paths. */
function guarded(shell: Shell): Core | undefined {
  const { parts, mode, world } = shell;
  const removal = parts
    .flatMap((part) => part.writes)
    .map((change) => criticalRemoval(change, world))
    .find(Boolean);
  if (removal) return { behavior: "ask", step: "critical", reason: `${removal}: that is asked in every mode` };
  if (mode === "plan") {
    const reason = whyNotReading(shell);
    if (reason === undefined) return { behavior: "allow", step: "read-only", reason: "it only reads" };
    // Reading elsewhere changes nothing: that is a question, not a no.
    if (!mayChange(shell)) return undefined;
    return {
      behavior: "deny",
      step: "plan",
      reason: `plan mode changes nothing, and ${reason}: present the plan first`,
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
    if (!change.places) {
      if (part.effect === "unknown" && !change.redirect) continue;
      return `${change.shown} is only known when it runs, and could be a protected file`;
    }
    const place = change.places.find((one) => isProtected(one, world));
    if (place) return `${place.given} is protected: it can run code or change rules`;
  }
  return undefined;
}

function byRulesAndMode(shell: Shell): Core {
  const { rules, mode, analysis, command, world } = shell;
  const why = whyNotReading(shell);
  if (why === undefined) return { behavior: "allow", step: "read-only", reason: "it only reads, inside the project" };
  if (analysis.problem !== undefined) return { behavior: "ask", step: "mode", reason: why };
  const whole = rules.allow.find(({ spec }) => spec.kind === "command" && spec.exact && spec.text === command.trim());
  const used = whole ? [whole] : analysis.parts.map((part) => allowedPart(part, shell));
  if (used.every((one) => one !== undefined)) {
    const rule = used.find((one) => one !== "fine");
    if (rule) return { behavior: "allow", step: "allow", reason: `${say(rule)} allows it`, rule };
    const reason = "acceptEdits mode: it changes files inside the project and nothing else";
    return { behavior: "allow", step: "mode", reason };
  }
  if (world.wall.active && world.wall.autoAllow && mode !== "plan" && !leaves(shell)) {
    const reason = "it runs inside the sandbox (sandbox.autoAllowBashIfSandboxed)";
    return { behavior: "allow", step: "sandbox", reason };
  }
  return { behavior: "ask", step: "mode", reason: why };
}

/** The rule that allows the part, or "fine" when none is needed; undefined when it has to be asked. */
function allowedPart(part: Part, shell: Shell): Rule | "fine" | undefined {
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
    if (inner.every((one) => one !== undefined)) return inner.find((one) => one !== "fine") ?? "fine";
  }
  const exact = part.effect === "read" || part.effect === "files";
  const reads = part.reads.every((use) => whyNotRead(use, shell) === undefined);
  if (!exact || !reads || !part.inner.every((one) => allowedPart(one, shell) === "fine")) return undefined;
  if (!part.writes.every((change) => mayWrite(change, shell, part.editing))) return undefined;
  return holdsNothingProtected(part, world) ? "fine" : undefined;
}

/** By a rule for the path, or in acceptEdits inside the project by a redirection or a known editing command. */
function mayWrite(change: Writes, { rules, mode, world }: Shell, editing = false): boolean {
  const { places } = change;
  if (!places) return false;
  const about = rules.allow.filter((rule) => isAbout(rule, "Edit"));
  const accepted = mode === "acceptEdits" && (editing || change.redirect);
  return places.every((place) => allowsPlace(about, place, []) || (accepted && isWithin(place, world.roots)));
}

/** A folder that is moved, copied or removed with everything in it must not carry protected files along. */
function holdsNothingProtected(part: Part, world: World): boolean {
  const whole = [
    ...part.writes.filter((change) => change.how === "remove" || change.recursive),
    ...part.reads.filter((use) => use.recursive),
  ];
  return whole.every((one) => one.places?.every(({ real }) => !holdsProtected(real, world)) ?? true);
}

function whyNotReading(shell: Shell): string | undefined {
  const { analysis } = shell;
  if (analysis.problem !== undefined) return analysis.problem;
  return analysis.parts.map((part) => whyNot(part, shell)).find((why) => why !== undefined);
}

function mayChange({ analysis, parts }: Shell): boolean {
  if (analysis.problem !== undefined) return true;
  return parts.some((part) => part.effect !== "read" || part.writes.length > 0 || !part.harmlessPrefix);
}

/** Why the part is not provably just reading what may be read. */
function whyNot(part: Part, shell: Shell): string | undefined {
  if (part.effect !== "read") return part.why;
  const [change] = part.writes;
  if (change) return `it writes ${change.shown}`;
  if (!part.harmlessPrefix) return "a variable in front changes what it does";
  const read = part.reads.map((use) => whyNotRead(use, shell)).find((why) => why !== undefined);
  return read ?? part.inner.map((one) => whyNot(one, shell)).find((why) => why !== undefined);
}

function whyNotRead({ places, shown }: Reads, { rules, world }: Shell): string | undefined {
  if (!places) return `which file ${shown} is, is only known when it runs`;
  const folders = [...world.roots, ...world.readable];
  const about = rules.allow.filter((rule) => isAbout(rule, "Read"));
  const outside = places.find((place) => !isNull(place) && !allowsPlace(about, place, folders));
  return outside ? whyOutside(outside) : undefined;
}

/** Nothing, or what a process substitution puts into its place. */
function isNull({ given }: Place): boolean {
  return given === "/dev/null" || given.startsWith("/dev/null/");
}

/** What the decision would be for this part alone. */
function partDecision(part: Part, shell: Shell): PartDecision {
  const { rules, mode, world } = shell;
  const text = part.source;
  const alone: Shell = {
    ...shell,
    command: part.source,
    analysis: { parts: [part], problem: undefined, complete: true },
    parts: withInner(part),
  };
  const denied = rules.deny.find((rule) => forbidsCommand(rule, alone) === "yes");
  if (denied) return { text, behavior: "deny", reason: say(denied), rule: denied };
  const asked = rules.ask.find((rule) => forbidsCommand(rule, alone) === "yes");
  if (asked) return { text, behavior: "ask", reason: say(asked), rule: asked };
  const why = whyNot(part, shell);
  if (why === undefined) return { text, behavior: "allow", reason: "only reads" };
  const guard = withInner(part)
    .map((one) => protectedWrite(one, world))
    .find(Boolean);
  if (guard && mode !== "bypassPermissions") return { text, behavior: "ask", reason: guard };
  const allowed = allowedPart(part, shell);
  if (allowed === "fine") return { text, behavior: "allow", reason: "changes files inside the project" };
  if (allowed) return { text, behavior: "allow", reason: say(allowed), rule: allowed };
  return { text, behavior: mode === "bypassPermissions" ? "allow" : "ask", reason: why };
}

/** The model asked for it, and the settings let it. */
function leaves({ call, world }: Shell): boolean {
  return call.input["dangerouslyDisableSandbox"] === true && world.wall.mayLeave;
}

function confinement(decided: Core, shell: Shell): Confinement {
  const { world, mode, analysis } = shell;
  if (decided.step === "read-only") return "readonly";
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

function touches({ parts, world }: Shell, confine: Confinement | undefined): string[] {
  const lines = parts.flatMap(({ reads, writes }) => [
    ...writes.map(({ shown, how }) => `${how === "remove" ? "removes" : "writes"} ${shown}`),
    ...reads
      .filter(({ places }) =>
        places?.some((place) => !world.roots.some((root) => inside(root, place.real) && inside(root, place.given))),
      )
      .map(({ shown }) => `reads ${shown}`),
  ]);
  if (world.wall.active && confine === "open") lines.push("runs outside the sandbox");
  return [...new Set(lines)];
}

/** For a rule list that only says what is allowed (the smallest rule that would change a decision). */
export function withAllow(rules: Rules, more: readonly Rule[]): Rules {
  return { ...rules, allow: [...rules.allow, ...more] };
}

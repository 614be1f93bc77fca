// Decides whether a call may run: deny rules, ask rules, critical removals, protected paths, allow rules, then the mode.
import type { Access, PermissionMode, ToolUse } from "../core/types.ts";
import { decideCommand } from "./decide-command.ts";
import { allowsPlace, isWithin, PLAN_FIRST, whyOutside, type Decision, type Situation } from "./decision.ts";
import { isDomain, isInput } from "./match.ts";
import { forbids } from "./match-path.ts";
import { isProtected } from "./protect.ts";
import { EDITORS, isAbout, say, type Rule, type Rules } from "./rules.ts";
import { formsOf, type Place } from "./shell/parts.ts";
import { isFileIn } from "./shell/resolve.ts";
import type { World } from "./world.ts";

/** Pure but for `world`. */
export function decide(call: ToolUse, access: Access, rules: Rules, mode: PermissionMode, world: World): Decision {
  const decision =
    access.kind === "shell"
      ? decideCommand(call, access.command, { rules, mode, world })
      : other(call, access, { rules, mode, world });
  if (mode !== "dontAsk" || decision.behavior !== "ask") return decision;
  return { ...decision, behavior: "deny", reason: `${decision.reason}, and in dontAsk mode nothing is asked` };
}

type Calm = Exclude<Access, { kind: "shell" }>;

function other(call: ToolUse, access: Calm, { rules, mode, world }: Situation): Decision {
  const places =
    "paths" in access ? access.paths.map((path): Place => ({ given: path, real: world.files.realPath(path) })) : [];
  const touches = touched(access);
  const about: About = { call, access, places };
  const denied = rules.deny.find((rule) => forbidsCall(rule, about, world));
  if (denied) return { behavior: "deny", step: "deny", reason: `${say(denied)} forbids it`, rule: denied, touches };
  if (access.kind === "plan" && access.step === "leave" && mode !== "plan") {
    return { behavior: "deny", step: "mode", reason: NOTHING_TO_AGREE_ON, touches };
  }
  // A yes to an ask rule is no yes to a plan.
  if (mode === "plan" && (access.kind === "write" || access.kind === "unknown")) {
    return { behavior: "deny", step: "plan", reason: `plan mode changes nothing: ${PLAN_FIRST}`, touches };
  }
  const asked = rules.ask.find((rule) => forbidsCall(rule, about, world));
  if (asked) return { behavior: "ask", step: "ask", reason: `${say(asked)} wants it asked`, rule: asked, touches };
  // Planning ends with a question: where nobody wants to be asked, the model must not be able to begin it.
  if (mode === "bypassPermissions" && access.kind !== "plan")
    return { behavior: "allow", step: "bypass", reason: "permissions are bypassed", touches };
  const guarded = access.kind === "write" ? places.find((place) => isProtected(place, world)) : undefined;
  if (guarded) {
    const reason = `${guarded.given} is protected: it can run code or change rules`;
    return { behavior: "ask", step: "protected", reason, touches };
  }
  const allowed = allowing(about, { rules, mode, world });
  if (allowed) return { behavior: "allow", step: "allow", reason: `${say(allowed)} allows it`, rule: allowed, touches };
  return { ...byMode(about, mode, world), touches };
}

const NOTHING_TO_AGREE_ON =
  "plan mode is off, so there is no plan to agree on: go on with the work, or call EnterPlanMode first if it needs a plan";

type About = { call: ToolUse; access: Calm; places: readonly Place[] };

function forbidsCall(rule: Rule, { call, access, places }: About, { files }: World): boolean {
  const { spec } = rule;
  const editing = access.kind === "write" || (EDITORS as readonly string[]).includes(call.name);
  // What may not be read may not be edited either.
  const about = isAbout(rule, call.name) || (editing && isAbout(rule, "Read") && !call.name.startsWith("mcp__"));
  if (!about) return false;
  if (spec.kind === "all") return isAbout(rule, call.name) || rule.tool === "Read";
  if (spec.kind === "path")
    return places.some((place) => formsOf(place).some((path) => forbids(spec.pattern, path, isFileIn(files))));
  if (spec.kind === "domain") return access.kind === "net" && isDomain(rule, access.url);
  return isInput(rule, call);
}

/** The rule that allows the call; of paths every one, as given and where it leads, needs a rule that covers it. */
function allowing({ call, access, places }: About, { rules, world }: Situation): Rule | undefined {
  const about = rules.allow.filter((rule) => isAbout(rule, call.name));
  if (access.kind !== "read" && access.kind !== "write") {
    return about.find((rule) => {
      if (rule.spec.kind === "domain") return access.kind === "net" && isDomain(rule, access.url);
      return rule.spec.kind === "all" || (rule.spec.kind === "name" && isInput(rule, call));
    });
  }
  const all = about.find((rule) => rule.spec.kind === "all");
  if (all) return all;
  const folders = access.kind === "read" ? world.roots : [];
  const used = places.map((place) => allowsPlace(about, place, { folders, files: world.files }));
  if (used.some((one) => one === undefined)) return undefined;
  return used.find((one): one is Rule => one !== undefined && one !== "inside");
}

function byMode({ access, places }: About, mode: PermissionMode, world: World): Omit<Decision, "touches"> {
  switch (access.kind) {
    case "none":
      return { behavior: "allow", step: "mode", reason: "it touches nothing" };
    case "agent":
      return { behavior: "allow", step: "mode", reason: "each call it starts is decided by itself" };
    case "read": {
      const outside = places.find((place) => !isWithin(place, [...world.roots, ...world.readable]));
      if (!outside) return { behavior: "allow", step: "read-only", reason: "it reads inside the project" };
      return { behavior: "ask", step: "mode", reason: whyOutside(outside) };
    }
    case "write": {
      const outside = places.find((place) => !isWithin(place, world.roots));
      if (outside) return { behavior: "ask", step: "mode", reason: whyOutside(outside) };
      if (mode === "acceptEdits")
        return { behavior: "allow", step: "mode", reason: "acceptEdits mode: it edits inside the project" };
      return { behavior: "ask", step: "mode", reason: "it changes files" };
    }
    case "plan":
      if (access.step === "leave")
        return { behavior: "ask", step: "mode", reason: "the person decides whether this plan is carried out" };
      if (mode === "plan") return { behavior: "allow", step: "mode", reason: "plan mode is on already" };
      return { behavior: "ask", step: "mode", reason: "it stops all changes until a plan is agreed on" };
    case "net":
      return { behavior: "ask", step: "mode", reason: "it opens a network connection" };
    case "unknown":
      return { behavior: "ask", step: "mode", reason: "what it does is not known beforehand" };
    default:
      return access satisfies never;
  }
}

function touched(access: Calm): string[] {
  switch (access.kind) {
    case "read":
      return access.paths.map((path) => `reads ${path}`);
    case "write":
      return access.paths.map((path) => `writes ${path}`);
    case "net":
      return [`connects to ${access.url}`];
    case "none":
    case "agent":
    case "plan":
    case "unknown":
      return [];
    default:
      return access satisfies never;
  }
}

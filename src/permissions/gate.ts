// Decides whether a call may run: one pure function, and the gate that asks the person when it says so.
import { resolve } from "node:path";
import type { Access, Admission, Host, PermissionMode, PermissionUpdate, Question, ToolUse } from "../core/types.ts";
import { inside } from "../utils/paths.ts";
import { covers, parseRule, type Rule, type Rules } from "./rules.ts";

/** What `decide` may look at. All paths absolute; a folder that is reached through a link is listed in both forms. */
export type World = {
  /** The working directory now. */
  cwd: string;
  /** The project and the added folders. */
  roots: readonly string[];
  /** Readable besides: the session's own scratch folder with long command output. */
  readable: readonly string[];
  /** Where a path really leads (utils/paths.ts). */
  realPath(path: string): string;
};
export type Decision = { behavior: "allow" | "deny" | "ask"; reason: string; rule?: Rule };

/** Folders and files that run code or set rules when they change: no mode but bypass writes them unasked. */
const PROTECTED = new Set(
  `.git .nanocode .claude .vscode .idea .husky .cargo .devcontainer .yarn .mvn .bashrc .bash_profile .bash_login
  .bash_aliases .bash_logout .profile .zshrc .zshenv .zprofile .zlogin .zlogout .envrc .gitconfig .gitmodules .npmrc
  .yarnrc .yarnrc.yml .pnpmfile.cjs bunfig.toml .bunfig.toml .mcp.json .claude.json .ripgreprc .pre-commit-config.yaml`
    .split(/\s+/)
    .filter(Boolean),
);

/**
 * Deny rules, ask rules, protected paths, allow rules, then the mode. Pure but for `world`. A rule with a pattern is
 * matched by equal text only; where that cannot tell, deny and ask rules fail closed and allow rules do not match.
 */
export function decide(call: ToolUse, access: Access, rules: Rules, mode: PermissionMode, world: World): Decision {
  const about = (list: readonly Rule[]) => list.filter((rule) => covers(rule, call.name));
  for (const rule of about(rules.deny)) {
    if (rule.spec === undefined || exact(rule, access, world))
      return { behavior: "deny", reason: `denied by ${say(rule)}`, rule };
  }
  const unsure = about(rules.deny).find((rule) => rule.spec !== undefined);
  if (unsure) return { behavior: "ask", reason: `${say(unsure)} may forbid it`, rule: unsure };
  const asked = about(rules.ask)[0];
  if (asked) return { behavior: "ask", reason: `${say(asked)} wants it asked`, rule: asked };

  if (mode === "plan" && changes(access)) {
    return { behavior: "deny", reason: "plan mode changes nothing: present the plan first" };
  }
  if (mode === "bypassPermissions") return { behavior: "allow", reason: "permissions are bypassed" };
  const guarded = protectedPath(access, world);
  if (guarded) return { behavior: "ask", reason: `${guarded} is protected: it can run code or change rules` };
  const allowed = about(rules.allow).find((rule) => rule.spec === undefined || exact(rule, access, world));
  if (allowed) return { behavior: "allow", reason: `allowed by ${say(allowed)}`, rule: allowed };
  return byMode(access, mode, world);
}

function byMode(access: Access, mode: PermissionMode, world: World): Decision {
  switch (access.kind) {
    case "none":
      return { behavior: "allow", reason: "touches nothing" };
    case "read": {
      const folders = [...world.roots, ...world.readable];
      const outside = access.paths.find((path) => !within(path, folders, world));
      if (outside === undefined) return { behavior: "allow", reason: "reads inside the project" };
      return { behavior: "ask", reason: `${outside} is outside the project` };
    }
    case "write": {
      const outside = access.paths.find((path) => !within(path, world.roots, world));
      if (outside !== undefined) return { behavior: "ask", reason: `${outside} is outside the project` };
      if (mode === "acceptEdits") return { behavior: "allow", reason: "edits inside the project are accepted" };
      return { behavior: "ask", reason: "it changes files" };
    }
    case "shell":
      return { behavior: "ask", reason: "it runs a command" };
    case "net":
      return { behavior: "ask", reason: "it opens a network connection" };
    case "unknown":
      return { behavior: "ask", reason: "what it does is not known beforehand" };
    default:
      return access satisfies never;
  }
}

function changes(access: Access): boolean {
  return access.kind === "write" || access.kind === "shell" || access.kind === "unknown";
}

/** Both the path as given and where it leads must be inside. */
function within(path: string, folders: readonly string[], world: World): boolean {
  const contains = (p: string) => folders.some((folder) => inside(folder, p));
  return contains(path) && contains(world.realPath(path));
}

function protectedPath(access: Access, world: World): string | undefined {
  if (access.kind !== "write") return undefined;
  const isProtected = (path: string) => path.split(/[\\/]/).some((part) => PROTECTED.has(part.toLowerCase()));
  return access.paths.find((path) => isProtected(path) || isProtected(world.realPath(path)));
}

function exact({ spec }: Rule, access: Access, world: World): boolean {
  if (spec === undefined) return false;
  if (access.kind === "shell") return spec === access.command.trim();
  if (access.kind !== "read" && access.kind !== "write") return false;
  const named = resolve(world.cwd, spec);
  return access.paths.every((path) => path === named && world.realPath(path) === world.realPath(named));
}

function say(rule: Rule): string {
  return `the rule ${rule.text} (${rule.source})`;
}

export type GateOptions = {
  rules: Rules;
  mode(): PermissionMode;
  setMode(mode: PermissionMode): void;
  world(): World;
  host: Host;
};

/** Rules for this session grow by "always"; questions are put one at a time, whatever runs in parallel. */
export class Gate {
  #options: GateOptions;
  #session: Record<"allow" | "deny" | "ask", Rule[]> = { allow: [], deny: [], ask: [] };
  #turnstile: Promise<unknown> = Promise.resolve();

  constructor(options: GateOptions) {
    this.#options = options;
  }

  async admit(call: ToolUse, access: Access, title: string, signal: AbortSignal): Promise<Admission> {
    const first = this.#decide(call, access);
    if (first.behavior !== "ask") return this.#settled(call, first);
    // Waiting for its turn, an earlier answer may have settled it.
    const turn = this.#turnstile.then(() => this.#ask({ call, access, title, reason: "" }, signal));
    // Whoever got this answer acts on it before the next question is put: it may have been "no, and stop".
    this.#turnstile = turn.catch(() => undefined).then(() => new Promise((resolve) => setImmediate(resolve)));
    return turn;
  }

  #decide(call: ToolUse, access: Access): Decision {
    const { rules, mode, world } = this.#options;
    const { allow, deny, ask } = this.#session;
    const all = {
      allow: [...rules.allow, ...allow],
      deny: [...rules.deny, ...deny],
      ask: [...rules.ask, ...ask],
    };
    return decide(call, access, all, mode(), world());
  }

  async #ask(question: Question, signal: AbortSignal): Promise<Admission> {
    const { call, access } = question;
    const decision = this.#decide(call, access);
    if (decision.behavior !== "ask") return this.#settled(call, decision);
    if (this.#options.mode() === "dontAsk") {
      return {
        behavior: "deny",
        message: `${call.name} is not allowed without asking, and nothing is asked (${decision.reason}).`,
      };
    }
    signal.throwIfAborted();
    const rule = alwaysRule(call, access, decision);
    const answer = await this.#options.host.ask(
      { ...question, reason: decision.reason, ...(rule ? { rule: rule.text } : {}) },
      signal,
    );
    if (answer.behavior === "deny") {
      const message =
        answer.message ?? "The person declined this call. Do not try it another way: ask what they want instead.";
      return { behavior: "deny", message, ...(answer.interrupt ? { interrupt: true } : {}) };
    }
    if (answer.scope === "always" && rule) this.#session.allow.push(rule);
    for (const update of answer.updates ?? []) this.#apply(update);
    return answer.input ? { behavior: "allow", input: answer.input } : { behavior: "allow" };
  }

  #apply(update: PermissionUpdate): void {
    if (update.type === "setMode") return this.#options.setMode(update.mode);
    const rules = update.rules.map((text) => parseRule(text, "this session")).filter((rule) => rule !== undefined);
    this.#session[update.behavior].push(...rules);
  }

  #settled(call: ToolUse, decision: Decision): Admission {
    if (decision.behavior === "allow") return { behavior: "allow" };
    return { behavior: "deny", message: `${call.name} was not run: ${decision.reason}.` };
  }
}

/** The narrowest rule that would have allowed the call, when there is a safe one. */
function alwaysRule(call: ToolUse, access: Access, decision: Decision): Rule | undefined {
  // An ask rule, a deny pattern or a protected path is asked every time: an allow rule would not change it.
  if (decision.rule || decision.reason.includes("protected")) return undefined;
  if (access.kind === "shell") return parseRule(`Bash(${access.command.trim()})`, "this session");
  if (access.kind === "write") return parseRule("Edit", "this session");
  return parseRule(call.name, "this session");
}

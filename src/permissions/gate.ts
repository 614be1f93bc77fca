// Asks the person when a decision says so, one question at a time, and remembers what they answered.
import type {
  Access,
  Admission,
  Asker,
  Host,
  PermissionMode,
  PermissionUpdate,
  Question,
  ToolUse,
} from "../core/types.ts";
import { decide } from "./decide.ts";
import type { Decision } from "./decision.ts";
import { parseRule, type Behavior, type Rule, type Rules } from "./rules.ts";
import { suggestRules } from "./suggest.ts";
import type { World } from "./world.ts";

export type GateOptions = {
  rules: Rules;
  mode(): PermissionMode;
  setMode(mode: PermissionMode): void;
  /** Makes folders part of the project for this session. */
  addFolders(folders: readonly string[]): void;
  /** `cwd`: where a sub-agent is; the conversation's own otherwise. */
  world(cwd?: string): World;
  host: Host;
  /** Before a command is decided: whether there is a wall is found out once, when it is first needed. */
  prepare?(): Promise<unknown>;
  /** Keeps "always" beyond the session; absent: nothing is kept. Says what became of it. Throws nothing. */
  keep?: ((rules: readonly string[]) => { file?: string; note?: string }) | undefined;
  /** Something the person should know that no event carries. */
  warn(text: string): void;
};

type By = { cwd?: string; agent?: Asker };

const MUST_ASK = { mustAsk: true } as const;

/** Rules for this session grow by "always"; questions are put one at a time, whatever runs in parallel. */
export class Gate {
  #options: GateOptions;
  #session: Record<Behavior, Rule[]> = { allow: [], deny: [], ask: [] };
  /** Of the skills in use. */
  #lent: Rule[] = [];
  #turnstile: Promise<unknown> = Promise.resolve();

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** `by`: a sub-agent, and where it is. */
  async admit(call: ToolUse, access: Access, title: string, signal: AbortSignal, by: By = {}): Promise<Admission> {
    if (access.kind === "shell") await this.#options.prepare?.();
    const first = this.decide(call, access, by.cwd);
    if (first.behavior !== "ask") return settled(call, first);
    // Waiting for its turn, an earlier answer may have settled it.
    const turn = this.#turnstile.then(() => this.#ask({ call, access, title, ...by }, signal));
    // Whoever got this answer acts on it before the next question is put: it may have been "no, and stop".
    this.#turnstile = turn.catch(() => undefined).then(() => new Promise((resolve) => setImmediate(resolve)));
    return turn;
  }

  /** With the rules of this session. */
  decide(call: ToolUse, access: Access, cwd?: string): Decision {
    const { mode, world } = this.#options;
    return decide(call, access, this.rules(), mode(), world(cwd));
  }

  rules(): Rules {
    const { rules } = this.#options;
    const { allow, deny, ask } = this.#session;
    return {
      allow: [...rules.allow, ...allow, ...this.#lent],
      deny: [...rules.deny, ...deny],
      ask: [...rules.ask, ...ask],
    };
  }

  /**
   * Allow rules that count until `takeBack`, or until what this returns is called. `source`: whose they are. None that
   * would allow every command, or end plan mode without the person.
   */
  lend(texts: readonly string[], source: string): () => void {
    const lent = this.#parsed(texts, "allow", source).filter(isNarrow);
    this.#lent.push(...lent);
    return () => {
      this.#lent = this.#lent.filter((rule) => !lent.includes(rule));
    };
  }

  takeBack(): void {
    this.#lent = [];
  }

  async #ask(
    { call, access, title, cwd, agent }: Pick<Question, "call" | "access" | "title"> & By,
    signal: AbortSignal,
  ): Promise<Admission> {
    const decision = this.decide(call, access, cwd);
    if (decision.behavior !== "ask") return settled(call, decision);
    signal.throwIfAborted();
    const { host, mode, world, keep } = this.#options;
    const always =
      decision.step === "mode"
        ? suggestRules({ call, access, rules: this.rules(), mode: mode(), world: world(cwd) })
        : undefined;
    const { reason, touches } = decision;
    const offer = always && { rules: always, saved: keep !== undefined };
    const more = {
      ...(agent ? { agent } : {}),
      ...(offer ? { always: offer } : {}),
      ...(this.#isAllowable(call, access, { ...decision, ...(cwd === undefined ? {} : { cwd }) }) ? {} : MUST_ASK),
    };
    const answer = await host.ask({ call, access, title, reason, touches, ...more }, signal);
    if (answer.behavior === "deny") {
      const message = answer.message ?? declined(access);
      return { behavior: "deny", message, ...(answer.interrupt ? { interrupt: true } : {}) };
    }
    if (answer.scope === "always" && always) this.#keep(always);
    for (const update of answer.updates ?? []) this.#apply(update);
    const input = answer.input ? { input: answer.input } : {};
    return { behavior: "allow", ...input, ...(decision.confine ? { confine: decision.confine } : {}) };
  }

  /** Whether a rule that allows all of the tool would let the call run; found out by deciding it once more. */
  #isAllowable(call: ToolUse, access: Access, { step, cwd }: Decision & By): boolean {
    if (step !== "mode") return false;
    const { mode } = this.#options;
    const world = this.#options.world(cwd);
    const { root, home } = world;
    // Where a command writes is the business of Edit rules.
    const all = [call.name, "Edit"].flatMap((text) => {
      const rule = parseRule(text, "allow", "", { base: root, cwd: root, home });
      return "problem" in rule ? [] : [rule];
    });
    const rules = this.rules();
    const allow = [...rules.allow, ...all];
    return decide(call, access, { ...rules, allow }, mode(), world).behavior === "allow";
  }

  #keep(texts: readonly string[]): void {
    const { keep, warn } = this.#options;
    this.#add("allow", texts);
    const kept = keep?.(texts);
    if (kept?.file !== undefined) warn(`${texts.join(", ")} is now allowed by ${kept.file}.`);
    if (kept?.note !== undefined) warn(kept.note);
  }

  #apply(update: PermissionUpdate): void {
    switch (update.type) {
      case "setMode":
        return this.#options.setMode(update.mode);
      case "addDirectories":
        return this.#options.addFolders(update.directories);
      case "addRules":
        if (update.behavior === "allow" && update.persist) return this.#keep(update.rules);
        return this.#add(update.behavior, update.rules);
      default:
        return update satisfies never;
    }
  }

  #add(behavior: Behavior, texts: readonly string[]): void {
    this.#session[behavior].push(...this.#parsed(texts, behavior, "this session"));
  }

  #parsed(texts: readonly string[], behavior: Behavior, source: string): Rule[] {
    const { root, home } = this.#options.world();
    return texts.flatMap((text) => {
      const rule = parseRule(text, behavior, source, { base: root, cwd: root, home });
      if (!("problem" in rule)) return [rule];
      this.#options.warn(`${rule.problem}; the rule is ignored.`);
      return [];
    });
  }
}

function isNarrow({ tool, spec }: Rule): boolean {
  if (tool === "EnterPlanMode" || tool === "ExitPlanMode") return false;
  if (tool !== "Bash") return true;
  // Stars, blanks and colons alone are any command.
  return spec.kind === "command" && !/^[*\s:]*$/.test(spec.text);
}

/** A no without a word to it, as the model hears it. */
function declined(access: Access): string {
  if (access.kind !== "plan")
    return "The person declined this call. Do not try it another way: ask what they want instead.";
  if (access.step === "enter") return "The person does not want plan mode: go on without it.";
  return "The person does not agree to the plan, and plan mode stays on. Ask what they want to be different.";
}

function settled(call: ToolUse, { behavior, reason, confine }: Decision): Admission {
  if (behavior === "allow") return { behavior: "allow", ...(confine ? { confine } : {}) };
  return { behavior: "deny", message: `${call.name} was not run: ${reason}.` };
}

// Compaction: prune, else summarise and restore; checked before it counts, with a way that needs no model at the end.
import type {
  Compacted,
  CompactedHow,
  CompactHow,
  CompactOutcome,
  Compactor,
  Deps,
  Event,
  Message,
  State,
  Summary,
  TextBlock,
} from "../core/types.ts";
import { askForSummary, type Asked } from "./ask.ts";
import { messagesTokens, textTokens } from "./budget.ts";
import { assembled, plansFor, tailOf, transcriptOf, type Keep, type Plan } from "./fallback.ts";
import { factsOf, type Facts } from "./facts.ts";
import { problemsOf } from "./invariants.ts";
import { isDue, measure, targetOf, tokens, type Measured, type Measuring } from "./measure.ts";
import { agreedPlan, planText } from "./plan.ts";
import { isWorthIt, prunable, pruned } from "./prune.ts";
import { restored } from "./restore.ts";
import { partsOf, summaryFromFacts, summaryOf } from "./summary.ts";

export type CompactorOptions = Measuring & {
  provider: Deps["provider"];
  newId: Deps["newId"];
  /** Keeps a text where the model can read it; its absolute path, or undefined when that failed. */
  keep: Keep;
  /** Whether a file may be read unasked, to be shown again. */
  readable(path: string): boolean;
  log?: ((line: string) => void) | undefined;
};

/** Fewer tokens of messages cannot be made much smaller. */
const LEAST_TOKENS = 2_000;
/** Less than this holds no summary. */
const LEAST_ROOM = 1_000;

export function compactor(options: CompactorOptions): Compactor {
  return {
    isDue: (state) => isDue(state, options),
    run: (state, how, signal) => new Compaction(state, how, options).run(signal),
  };
}

type Made = { messages: Message[]; how: CompactedHow; spent?: Asked["spent"] };

class Compaction {
  #state: State;
  #how: CompactHow;
  #options: CompactorOptions;
  #measured: Measured;
  #facts: Facts;
  /** Estimated tokens of the whole next request: before, and at most after. */
  #before: number;
  #limit: number;
  #transcript: { path: string | undefined } | undefined;

  constructor(state: State, how: CompactHow, options: CompactorOptions) {
    this.#state = state;
    this.#how = how;
    this.#options = options;
    this.#measured = measure(state, options);
    this.#facts = factsOf(state.messages);
    this.#before = this.#measured.estimate;
    this.#limit = targetOf(how, this.#measured) / this.#measured.scale;
  }

  async *run(signal: AbortSignal): AsyncGenerator<Event, CompactOutcome> {
    const refused = this.#refused();
    if (refused) return { kind: "stuck", why: refused };
    yield { type: "status", status: "compacting" };
    yield { type: "notice", level: "info", text: `Compacting: ${this.#why()}.` };
    try {
      const made = this.#prune() ?? (yield* this.#summarise(signal));
      if (!made) return { kind: "stuck", why: this.#tooFull() };
      const event = this.#event(made);
      yield { type: "notice", level: "info", text: doneText(event) };
      return { kind: "compacted", event };
    } finally {
      yield { type: "status", status: null };
    }
  }

  #prune(): Made | undefined {
    // Asked for by hand, or after a refusal, a thorough compaction is worth more than a cheap one.
    if (this.#how.reason !== "threshold") return undefined;
    const gone = prunable(this.#state.messages, this.#facts.failingIds);
    const freed = gone.reduce((sum, { tokens }) => sum + tokens, 0);
    if (!isWorthIt(gone, this.#before) || this.#before - freed > this.#limit) return undefined;
    const messages = pruned(this.#state.messages, gone, this.#options.keep);
    return this.#broken(messages, this.#limit).length === 0 ? { messages, how: "pruned" } : undefined;
  }

  async *#summarise(signal: AbortSignal): AsyncGenerator<Event, Made | undefined> {
    const asked = yield* this.#ask(signal);
    const parts = partsOf(asked.text);
    const spent = asked.spent ? { spent: asked.spent } : {};
    if (Object.keys(parts).length > 0) {
      const made = await this.#best(summaryOf(parts, this.#facts), "summarised", signal);
      if (made) return { ...made, ...spent };
    }
    yield { type: "notice", level: "warning", text: "The summary is made from what is known without the model." };
    const made = await this.#best(summaryFromFacts(this.#facts), "listed", signal);
    return made ? { ...made, ...spent } : undefined;
  }

  #ask(signal: AbortSignal): AsyncGenerator<Event, Asked> {
    const { provider, system, tools, tune, newId } = this.#options;
    const { model, messages } = this.#state;
    const { threshold, fixed, scale, contextWindow } = this.#measured;
    const base = { model, system: system(), tools: [...tools.values()].map((tool) => tool.spec), ...tune(model) };
    // A request that was refused is not sent again; below the window the reply has its room.
    const known =
      this.#how.reason === "too_long" ? this.#limit : Math.max(threshold, contextWindow - base.maxTokens) / scale;
    const focus = this.#how.reason === "manual" ? this.#how.focus : "";
    const limit = known - fixed;
    return askForSummary({ provider, base, messages, limit, focus, newId }, signal);
  }

  /** The mildest plan whose result keeps every promise. */
  async #best(summary: Summary, how: CompactedHow, signal: AbortSignal): Promise<Made | undefined> {
    const room = this.#limit - this.#measured.fixed;
    if (room <= 0) return undefined;
    for (const plan of plansFor(room)) {
      const messages = await this.#assemble(summary, plan, signal);
      const broken = this.#broken(messages, this.#limit, plan.cutTo !== undefined);
      if (broken.length === 0) return { messages, how: plan.cutTo === undefined ? how : "cut" };
      this.#options.log?.(`compact: ${how}, tail ${Math.round(plan.tail)}: ${broken.slice(0, 3).join("; ")}`);
    }
    return undefined;
  }

  async #assemble(summary: Summary, plan: Plan, signal: AbortSignal): Promise<Message[]> {
    const { messages, cwd } = this.#state;
    const { keep, readable, newId } = this.#options;
    const tail = tailOf(messages, plan, keep);
    const id = newId();
    const agreed = this.#agreed(tail, { tokens: plan.agreed, keep: (text) => keep(`plan-${id}`, text) });
    const budget = plan.restore - agreed.reduce((sum, { text }) => sum + textTokens(text), 0);
    const again = budget > 0 ? await restored({ messages, tail, cwd, budget, readable, signal }) : [];
    this.#transcript ??= { path: keep(`before-${id}`, transcriptOf(messages)) };
    const transcript = this.#transcript.path;
    return assembled({ id, summary, tail, restored: [...agreed, ...again], transcript, plan, keep });
  }

  /** The plan that was agreed on, unless it stays in sight anyway. */
  #agreed(tail: readonly Message[], bounds: Parameters<typeof planText>[1]): TextBlock[] {
    const plan = agreedPlan(this.#state.messages);
    if (plan === undefined || plan === agreedPlan(tail)) return [];
    return [{ type: "text", text: planText(plan, bounds) }];
  }

  /** `cut`: the floor may shorten what it names; size and shape still count. */
  #broken(messages: Message[], limit: number, cut = false): string[] {
    const { requests, todos, files } = this.#facts;
    const promises = cut
      ? { requests: [], todos: [], paths: [] }
      : { requests, todos, paths: files.map(({ path }) => path) };
    const after = this.#measured.fixed + messagesTokens(messages);
    return problemsOf(messages, { ...promises, before: this.#before, after, limit });
  }

  #event({ messages, how, spent }: Made): Compacted {
    const { used, fixed, scale } = this.#measured;
    return {
      type: "compacted",
      trigger: this.#how.reason === "manual" ? "manual" : "auto",
      messages,
      preTokens: Math.round(used),
      postTokens: Math.round((fixed + messagesTokens(messages)) * scale),
      how,
      ...(spent ? { spent } : {}),
    };
  }

  #why(): string {
    const { used, threshold, contextWindow } = this.#measured;
    switch (this.#how.reason) {
      case "threshold":
        return `${tokens(used)} of ${tokens(contextWindow)} are used, and room is made above ${tokens(threshold)}`;
      case "too_long":
        return "the model says that the conversation is too long";
      case "manual":
        return `${tokens(used)} are used`;
      default:
        return this.#how satisfies never;
    }
  }

  /** Why it is not even tried. */
  #refused(): string | undefined {
    if (this.#how.reason === "too_long" && !this.#options.auto.enabled) {
      return `${this.#how.error} Automatic compaction is off (DISABLE_AUTO_COMPACT, autoCompactEnabled); /compact makes room.`;
    }
    const { fixed } = this.#measured;
    const little = this.#before - fixed < LEAST_TOKENS;
    if (little && this.#how.reason === "manual") {
      return `There is nothing to compact yet (${tokens(this.#measured.used)}).`;
    }
    return little || this.#limit - fixed < LEAST_ROOM ? this.#tooFull() : undefined;
  }

  #tooFull(): string {
    const { fixed, scale, threshold } = this.#measured;
    const said = this.#how.reason === "too_long" ? `${this.#how.error} ` : "";
    return (
      `${said}The conversation does not fit the model's context window, and compacting it gains nothing: system text, memory ` +
      `files and tools alone take about ${tokens(fixed * scale)} of the ${tokens(threshold)} that may be used. Start a new ` +
      `conversation, shorten the memory files, offer fewer tools (--tools), or take a model with a larger window (--model).`
    );
  }
}

const HOW: Readonly<Record<CompactedHow, string>> = {
  pruned: "old tool results were taken out",
  summarised: "summarised",
  listed: "summarised without the model",
  cut: "cut to what fits",
};

function doneText({ preTokens, postTokens = 0, how = "summarised" }: Compacted): string {
  return `Compacted: ${tokens(preTokens)} to ${tokens(postTokens)} (${HOW[how]}).`;
}

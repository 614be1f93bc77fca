// Adds up one run from its events, for the result message: tokens, cost, time, refusals, the last text.
import type { ModelInfo } from "../commands/command.ts";
import { addUsage, NO_USAGE, paidIn, textOf } from "../core/state.ts";
import type { AssistantMessage, DoneReason, Event, ToolUse, Usage } from "../core/types.ts";

export type Prices = {
  cost(model: string, usage: Usage): number | undefined;
  modelInfo(model: string): ModelInfo;
};
type Done = Extract<Event, { type: "done" }>;

/** Over the life of the process: what each model used. */
export class Totals {
  readonly byModel = new Map<string, Usage>();
  #prices: Prices;
  /** Summed request by request: a long prompt may have a price of its own. Undefined: unknown. */
  readonly #costs = new Map<string, number | undefined>();

  constructor(prices: Prices) {
    this.#prices = prices;
  }

  add({ model, usage }: Pick<AssistantMessage, "model" | "usage">): void {
    const { byModel } = this;
    byModel.set(model, addUsage(byModel.get(model) ?? NO_USAGE, usage));
    const cost = this.#prices.cost(model, usage);
    const before = this.#costs.has(model) ? this.#costs.get(model) : 0;
    this.#costs.set(model, cost === undefined || before === undefined ? undefined : before + cost);
  }

  /** Null when the price of a model that was used is unknown: a sum without it would look like the whole. */
  costUsd(): number | null {
    const costs = [...this.#costs.values()];
    return costs.reduce<number | null>((sum, cost) => (sum === null || cost === undefined ? null : sum + cost), 0);
  }

  modelUsage(): Record<string, object> {
    const entries = [...this.byModel].map(([model, usage]) => {
      const info = this.#prices.modelInfo(model);
      const costUSD = this.#costs.get(model);
      return [
        model,
        {
          inputTokens: usage.input_tokens,
          outputTokens: usage.output_tokens,
          cacheReadInputTokens: usage.cache_read_input_tokens,
          cacheCreationInputTokens: usage.cache_creation_input_tokens,
          webSearchRequests: 0,
          // Not 0: an unknown price would look like a free model. The second field is our own and says why.
          costUSD: costUSD ?? null,
          ...(costUSD === undefined ? { costUnknown: true } : {}),
          contextWindow: info.contextWindow,
          maxOutputTokens: info.maxOutput,
        },
      ] as const;
    });
    return Object.fromEntries(entries);
  }
}

/** One prompt's run. */
export class Tally {
  #totals: Totals;
  #began: number;
  #askedAt = 0;
  #apiMs = 0;
  #turns = 0;
  #usage = NO_USAGE;
  #denials: ToolUse[] = [];
  #isOurs = false;
  #text = "";
  #stopReason: string | null = null;
  #now: () => number;
  done: Done | undefined;

  constructor(totals: Totals, now: () => number = Date.now) {
    this.#totals = totals;
    this.#now = now;
    this.#began = now();
  }

  take(event: Event): void {
    switch (event.type) {
      case "turn":
        this.#askedAt = this.#now();
        return;
      case "message":
        if (event.message.role === "assistant") this.#reply(event.message);
        return;
      case "compacted":
        if (event.spent) this.#totals.add(event.spent);
        return;
      case "tool.end":
        if (event.outcome === "denied") this.#denials.push(event.call);
        return;
      case "child":
        this.#child(event.event);
        return;
      case "done":
        this.done = event;
        // A refusal without a word leaves no message that would say so.
        if (event.reason === "refusal") this.#stopReason = "refusal";
        return;
    }
  }

  /** A sub-agent's turns and words are its own; what it cost and was denied is part of the run. */
  #child(event: Event): void {
    const paid = paidIn(event);
    if (paid) this.#totals.add(paid);
    const inner = event.type === "child" ? event.event : event;
    if (inner.type === "tool.end" && inner.outcome === "denied") this.#denials.push(inner.call);
  }

  /** The whole answer, which is ours and not a model's. */
  say(text: string, { failed = false } = {}): void {
    this.#text = text;
    this.#isOurs = true;
    this.done = failed ? { type: "done", reason: "error", error: text } : { type: "done", reason: "end_turn" };
  }

  #reply(message: AssistantMessage): void {
    this.#apiMs += this.#now() - this.#askedAt;
    this.#turns++;
    this.#usage = addUsage(this.#usage, message.usage);
    this.#totals.add(message);
    // A reply that was cut at the output limit goes on in the next one: both are the answer.
    const goesOn = this.#stopReason === "max_tokens" || this.#stopReason === "pause_turn";
    this.#text = goesOn ? this.#text + textOf(message) : textOf(message);
    this.#stopReason = message.stopReason;
  }

  /** Model answers so far. */
  get turns(): number {
    return this.#turns;
  }

  /** The text of the last reply. */
  get text(): string {
    return this.#text;
  }

  /** Whether the run failed (exit code 1). */
  get failed(): boolean {
    return this.done !== undefined && this.done.reason !== "end_turn" && this.done.reason !== "refusal";
  }

  /** The `result` message of contracts.md §6, without uuid and session_id. `structured`: the --json-schema output. */
  result(limits: { maxTurns?: number; maxBudgetUsd?: number }, structured?: unknown): Record<string, unknown> {
    const reason = this.done?.reason ?? "error";
    const apiError = reason === "error";
    const subtype = SUBTYPES[reason];
    const { cache_creation_1h_tokens: _, ...usage } = this.#usage;
    return {
      type: "result",
      subtype,
      is_error: this.failed,
      ...(apiError ? { api_error_status: this.done?.status ?? null } : {}),
      duration_ms: Math.round(this.#now() - this.#began),
      duration_api_ms: Math.round(this.#apiMs),
      num_turns: this.#turns,
      ...(subtype === "success" ? { result: this.resultText() } : { errors: [this.errorText(limits)] }),
      stop_reason: this.#stopReason === "aborted" || this.#stopReason === "cut" ? null : this.#stopReason,
      total_cost_usd: this.#totals.costUsd(),
      usage,
      modelUsage: this.#totals.modelUsage(),
      permission_denials: this.#denials.map((call) => ({
        tool_name: call.name,
        tool_use_id: call.id,
        tool_input: call.input,
      })),
      ...(structured === undefined ? {} : { structured_output: structured }),
      terminal_reason: TERMINAL[reason],
    };
  }

  /** What text mode prints. */
  resultText(): string {
    if (this.#isOurs) return this.#text;
    if (this.done?.reason === "error") return `API Error: ${this.done.error ?? "unknown"}`;
    if (this.done?.reason === "refusal" && this.#text === "") return "The model declined to answer this request.";
    return this.#text;
  }

  errorText(limits: { maxTurns?: number; maxBudgetUsd?: number }): string {
    switch (this.done?.reason) {
      case "max_turns":
        return `Reached maximum number of turns (${limits.maxTurns ?? 0})`;
      case "budget":
        return `Reached maximum budget ($${limits.maxBudgetUsd ?? 0})`;
      case "aborted":
        return "Request was interrupted";
      default:
        return this.done?.error ?? "The run ended without a result";
    }
  }
}

// An API error is subtype success with is_error true: programs written for these messages expect it so.
const SUBTYPES: Record<DoneReason, string> = {
  end_turn: "success",
  refusal: "success",
  error: "success",
  aborted: "error_during_execution",
  max_turns: "error_max_turns",
  budget: "error_max_budget_usd",
};
const TERMINAL: Record<DoneReason, string> = {
  end_turn: "completed",
  refusal: "completed",
  error: "api_error",
  aborted: "aborted_streaming",
  max_turns: "max_turns",
  budget: "budget_exhausted",
};

// The loop: ask the model, run what it calls, hand back the results, until it stops. A pulled generator of events.
import { ModelError } from "./errors.ts";
import { Executor } from "./executor.ts";
import { normalise } from "./history.ts";
import { Mux } from "./mux.ts";
import { Reply } from "./reply.ts";
import { isDurable, paidIn, reduce, toolUses } from "./state.ts";
import type {
  AssistantMessage,
  CompactHow,
  CompactOutcome,
  Compactor,
  Deps,
  DoneReason,
  Event,
  ModelRequest,
  State,
  StopReason,
  UserMessage,
} from "./types.ts";

/** In a row: replies cut at the output limit, paused, or broken off after a tool had started. */
const MAX_RECOVERIES = 10;

/** In a row, without a reply between them that left room. */
const MAX_COMPACTIONS = 3;

const CONTINUE =
  "Your reply was cut off at the output limit. Go on exactly where it stopped, without repeating anything; split what is left into smaller steps.";
const NOT_RUN: Partial<Record<StopReason, string>> = {
  cut: "Not run: the connection broke before your reply was complete. Call it again if it is still needed.",
  refusal: "Not run: the reply ended in a refusal.",
  aborted: "Not run: the person interrupted.",
};

export type LoopDeps = Deps & {
  /** Requests already made for the same prompt; they count against `maxTurns`. */
  turnsTaken: number;
  /** US dollars spent by the conversation before. */
  spent: number;
  /** The model to ask now: it may be changed while the loop runs. */
  model(): string;
};

/**
 * Runs from `start` (whose last message is the person's) until the model ends its turn, a limit is reached, it fails or
 * `signal` aborts; always ends with one `done`. `return()` on the generator does not cancel: the signal does.
 */
export async function* loop(start: State, deps: LoopDeps, signal: AbortSignal): AsyncGenerator<Event, void> {
  const run = new Run(start, deps, signal);
  for (let turn = deps.turnsTaken + 1; ; turn++) {
    const stop = run.limit(turn);
    if (stop) return yield { type: "done", reason: stop };
    for (const message of deps.steering()) yield run.apply({ type: "message", message });
    const reminder = await deps.remind?.();
    if (reminder) yield run.apply({ type: "message", message: reminder });
    const full = yield* run.makeRoom();
    if (full) return yield full;
    yield { type: "turn", turn };
    const outcome = yield* run.turn();
    if (outcome) return yield outcome;
  }
}

type Done = Extract<Event, { type: "done" }>;

class Run {
  #state: State;
  #deps: LoopDeps;
  #signal: AbortSignal;
  #spent: number;
  #recoveries = 0;
  #compactions = 0;
  /** Compacting gains nothing: not tried again before the model refuses. */
  #stuck = false;
  /** The last request was answered. */
  #answered = false;

  constructor(start: State, deps: LoopDeps, signal: AbortSignal) {
    this.#spent = deps.spent;
    this.#state = start;
    this.#deps = deps;
    this.#signal = signal;
  }

  apply<E extends Event>(event: E): E {
    if (isDurable(event)) this.#state = reduce(this.#state, event);
    return event;
  }

  limit(turn: number): DoneReason | undefined {
    const { maxTurns, maxBudgetUsd } = this.#deps.limits;
    if (this.#signal.aborted) return "aborted";
    if (maxTurns !== undefined && turn > maxTurns) return "max_turns";
    if (maxBudgetUsd !== undefined && this.#spent >= maxBudgetUsd) return "budget";
    return undefined;
  }

  /** Before a request that would be too large. Returns how the run ended, if it did. */
  async *makeRoom(): AsyncGenerator<Event, Done | undefined> {
    if (!this.#stuck && this.#deps.compactor?.isDue(this.#state)) return yield* this.#compact({ reason: "threshold" });
    if (this.#answered) this.#compactions = 0;
    return undefined;
  }

  /** One request with its calls. Yields its events; returns how the run ended, or undefined to go on. */
  async *turn(): AsyncGenerator<Event, Done | undefined> {
    const mux = new Mux<Event>();
    const executor = new Executor({
      deps: this.#deps,
      state: () => this.#state,
      emit: (event) => {
        if (event.type === "child") this.#pay(paidIn(event));
        void mux.push(this.apply(event));
      },
      signal: this.#signal,
    });
    const reply = new Reply();
    const work = this.#drive({ mux, executor, reply }).finally(() => mux.close());
    // Its failure is awaited below, after the queue is empty; this keeps it from counting as unhandled before that.
    work.catch(() => undefined);
    yield* mux;
    const failure = await work;
    if (failure) return yield* this.#failed(failure);
    return yield* this.#next(reply, executor);
  }

  /** Streams the reply, records it, lets its calls finish. Returns the error the model failed with, if it did. */
  async #drive(turn: { mux: Mux<Event>; executor: Executor; reply: Reply }): Promise<ModelError | undefined> {
    const { mux, executor, reply } = turn;
    const failure = await this.#stream(turn);
    if (failure && !executor.started) return failure;
    const message = reply.message();
    if (message) {
      this.#answered = true;
      this.#pay(message);
      await mux.push(this.apply({ type: "message", message }));
      const notRun = NOT_RUN[message.stopReason];
      if (notRun) executor.cancelWaiting(notRun, message.stopReason === "aborted" ? "aborted" : "error");
    }
    executor.release();
    await executor.settle();
    return failure;
  }

  async #stream(turn: { mux: Mux<Event>; executor: Executor; reply: Reply }): Promise<ModelError | undefined> {
    const { mux, executor, reply } = turn;
    try {
      for await (const event of this.#deps.provider.stream(this.#request(executor), this.#signal)) {
        const call = reply.take(event, this.#deps.newId);
        if (event.type === "retry") executor.reset();
        for (const out of call.emit) await mux.push(this.apply(out));
        if (call.use) executor.add(call.use, call.fault);
      }
      if (this.#signal.aborted) reply.stop("aborted");
    } catch (error) {
      if (this.#signal.aborted) reply.stop("aborted");
      else if (error instanceof ModelError) {
        reply.stop("cut");
        return error;
      } else throw error;
    }
    return undefined;
  }

  #request(executor: Executor): ModelRequest {
    const model = this.#deps.model();
    return {
      model,
      system: this.#deps.system(),
      messages: normalise(this.#state.messages),
      tools: [...this.#deps.tools.values()].map((tool) => tool.spec),
      ...this.#deps.tune(model),
      raw: this.#deps.raw,
      restartable: () => !executor.started,
    };
  }

  async *#next(reply: Reply, executor: Executor): AsyncGenerator<Event, Done | undefined> {
    const message = reply.message();
    if (this.#signal.aborted || executor.interrupted) return yield* this.#interrupt(message);
    if (!message) return yield* this.#empty(reply);
    const calls = toolUses(message).length > 0;
    switch (message.stopReason) {
      case "refusal":
        return { type: "done", reason: "refusal" };
      case "model_context_window_exceeded":
        if (!calls) yield this.apply({ type: "message", message: this.#note(CONTINUE) });
        return yield* this.#failed(tooLong());
      case "max_tokens":
        if (!calls) yield this.apply({ type: "message", message: this.#note(CONTINUE) });
        return this.#recover();
      case "cut":
      case "pause_turn":
        return this.#recover();
      default:
        this.#recoveries = 0;
        if (calls) return undefined;
        return yield* this.#end();
    }
  }

  /** Nothing came, so nothing is recorded: how it ended is all there is. */
  async *#empty({ stopReason }: Reply): AsyncGenerator<Event, Done | undefined> {
    if (stopReason === "refusal") return { type: "done", reason: "refusal" };
    if (stopReason === "model_context_window_exceeded") return yield* this.#failed(tooLong());
    return { type: "done", reason: "end_turn" };
  }

  /** Typed while the last answer streamed: answered now, not lost. */
  async *#end(): AsyncGenerator<Event, Done | undefined> {
    const typed = this.#deps.steering();
    for (const message of typed) yield this.apply({ type: "message", message });
    return typed.length > 0 ? undefined : { type: "done", reason: "end_turn" };
  }

  #recover(): Done | undefined {
    if (++this.#recoveries <= MAX_RECOVERIES) return undefined;
    return { type: "done", reason: "error", error: `The model's reply broke off ${MAX_RECOVERIES} times in a row.` };
  }

  async *#interrupt(message: AssistantMessage | undefined): AsyncGenerator<Event, Done> {
    const during = message && toolUses(message).length > 0 ? " for tool use" : "";
    yield this.apply({ type: "message", message: this.#note(`[Request interrupted by user${during}]`) });
    return { type: "done", reason: "aborted" };
  }

  async *#failed(error: ModelError): AsyncGenerator<Event, Done | undefined> {
    this.#answered = false;
    if (error.kind !== "too_long") return { type: "done", reason: "error", error: error.message, status: error.status };
    return yield* this.#compact({ reason: "too_long", error: error.message }, error);
  }

  /** Makes the history smaller and goes on; where that is not possible the run ends, saying what to do. */
  async *#compact(how: CompactHow, error: ModelError = tooLong()): AsyncGenerator<Event, Done | undefined> {
    const { compactor } = this.#deps;
    const ended = (text: string): Done => ({ type: "done", reason: "error", error: text, status: error.status });
    if (!compactor) return ended(error.message);
    if (++this.#compactions > MAX_COMPACTIONS) {
      return ended(`${error.message} It was compacted ${MAX_COMPACTIONS} times in a row without gaining enough room.`);
    }
    const outcome = yield* this.#compacting(compactor, how);
    if (this.#signal.aborted || !outcome) return yield* this.#interrupt(undefined);
    if (outcome.kind === "stuck" && how.reason === "threshold") {
      // That it is too much is our estimate. The model has the last word; what it refuses ends the run.
      this.#stuck = true;
      return yield { type: "notice", level: "warning", text: outcome.why };
    }
    if (outcome.kind === "stuck") return ended(outcome.why);
    this.#pay(outcome.event.spent);
    yield this.apply(outcome.event);
    return undefined;
  }

  #pay(paid: ReturnType<typeof paidIn>): void {
    if (paid) this.#spent += this.#deps.cost(paid.model, paid.usage) ?? 0;
  }

  /** Undefined: interrupted. */
  async *#compacting(compactor: Compactor, how: CompactHow): AsyncGenerator<Event, CompactOutcome | undefined> {
    const events = compactor.run(this.#state, how, this.#signal);
    try {
      for (;;) {
        const step = await events.next();
        if (step.done) return step.value;
        yield this.apply(step.value);
      }
    } catch (error) {
      if (this.#signal.aborted) return undefined;
      throw error;
    }
  }

  #note(text: string): UserMessage {
    return { role: "user", id: this.#deps.newId(), content: [{ type: "text", text }], synthetic: true };
  }
}

function tooLong(): ModelError {
  return new ModelError(
    "too_long",
    "The conversation no longer fits the model's context window. Start a new one, or go on with a model that has a larger window (--model).",
  );
}

// One conversation: its state, its record, and the way in for a front end.
import { loop } from "./loop.ts";
import { isDurable, paidIn, reduce } from "./state.ts";
import type { Deps, DurableEvent, Event, PermissionMode, State, UserMessage } from "./types.ts";

export class Agent {
  #state: State;
  #deps: Deps;
  #record: (event: DurableEvent) => void;
  /** The model the person chose; a fallback stands in for it until the run is over. */
  #chosen: string;
  /** US dollars, since the program started. */
  #spent = 0;
  #beforePlan: PermissionMode = "default";

  /** `record` is called with every durable event, before any front end sees it. */
  constructor(deps: Deps, start: State, record: (event: DurableEvent) => void) {
    this.#deps = deps;
    this.#state = start;
    this.#record = record;
    this.#chosen = start.model;
  }

  get state(): State {
    return this.#state;
  }

  /** The model the person chose; `state.model` may be one that stands in for it. */
  get chosenModel(): string {
    return this.#chosen;
  }

  /** The mode plan mode took the place of; `default` where it was there from the start. */
  get modeBeforePlan(): PermissionMode {
    return this.#beforePlan;
  }

  /**
   * Answers one message: events until `done`. Pull it to the end; `signal` interrupts. `turnsTaken`: requests already
   * made for the same prompt, when this message only asks for something that was missing.
   */
  async *prompt(message: UserMessage, signal: AbortSignal, turnsTaken = 0): AsyncGenerator<Event, void> {
    if (this.#state.model !== this.#chosen) this.setModel(this.#chosen);
    yield this.apply({ type: "message", message });
    const deps = { ...this.#deps, turnsTaken, spent: this.#spent, model: () => this.#state.model };
    let { mode } = this.#state;
    for await (const event of loop(this.#state, deps, signal)) {
      this.#count(event);
      // Set by an answer or a request from outside: recorded by then, and told before what follows from it.
      if (this.#state.mode !== mode) {
        mode = this.#state.mode;
        yield { type: "mode", mode };
      }
      yield isDurable(event) ? this.apply(event) : event;
    }
  }

  /**
   * Compacts now (`/compact`), keeping above all what `focus` names ("": nothing in particular). Ends after `compacted`,
   * or a warning that says why there is none. Throws the signal's reason when it aborts.
   */
  async *compact(focus: string, signal: AbortSignal): AsyncGenerator<Event, void> {
    const stuck = (text: string): Event => ({ type: "notice", level: "warning", text });
    const { compactor } = this.#deps;
    if (!compactor) return yield stuck("This conversation cannot be compacted.");
    const events = compactor.run(this.#state, { reason: "manual", focus }, signal);
    for (;;) {
      const step = await events.next();
      if (!step.done) {
        yield isDurable(step.value) ? this.apply(step.value) : step.value;
        continue;
      }
      if (step.value.kind === "stuck") return yield stuck(step.value.why);
      this.#count(step.value.event);
      return yield this.apply(step.value.event);
    }
  }

  setMode(mode: PermissionMode): void {
    if (mode === this.#state.mode) return;
    if (mode === "plan") this.#beforePlan = this.#state.mode;
    this.apply({ type: "mode", mode });
  }

  setModel(model: string): void {
    this.#chosen = model;
    if (model !== this.#state.model) this.apply({ type: "model", model, reason: "chosen" });
  }

  #count(event: Event): void {
    const paid = paidIn(event);
    if (paid) this.#spent += this.#deps.cost(paid.model, paid.usage) ?? 0;
  }

  /** Records a durable event and folds it in. */
  apply<E extends DurableEvent>(event: E): E {
    this.#record(event);
    this.#state = reduce(this.#state, event);
    return event;
  }
}

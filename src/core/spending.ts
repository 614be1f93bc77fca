// What a conversation used and cost: by model and by who asked (the conversation, its compactions, its sub-agents).
import { addUsage, NO_USAGE } from "./state.ts";
import type { DurableEvent, Usage } from "./types.ts";

/** In US dollars; undefined when the price is unknown. */
export type Pricing = (model: string, usage: Usage) => number | undefined;
/** `cost` is undefined when a price in it is unknown: never a sum without it. */
export type Spent = { requests: number; usage: Usage; cost: number | undefined };
/** `by`: "main", "compaction" or a sub-agent's name. */
export type SpendingRow = Spent & { by: string; model: string };
/** `turns`: those that asked a model for something, oldest first; `lastTurn` may be one that has not yet. */
export type SpendingReport = { rows: SpendingRow[]; total: Spent; turns: Spent[]; lastTurn: Spent };

type Entry = { by: string; model: string; usage: Usage };

/** Since the program started. A turn is everything from one message of the person's to the next. */
export class Spending {
  // Per request: prices may depend on a request's size.
  readonly #entries: Entry[] = [];
  /** How many requests there were when each turn began. */
  readonly #turnStarts = [0];

  note(event: DurableEvent): void {
    if (event.type === "compacted" && event.spent) this.add("compaction", event.spent);
    if (event.type !== "message") return;
    if (event.message.role === "assistant") this.add("main", event.message);
    else if (!event.message.synthetic) this.#turnStarts.push(this.#entries.length);
  }

  /** One request. */
  add(by: string, { model, usage }: Pick<Entry, "model" | "usage">): void {
    this.#entries.push({ by, model, usage });
  }

  report(price: Pricing): SpendingReport {
    const groups = Map.groupBy(this.#entries, ({ by, model }) => JSON.stringify([by, model]));
    const rows = [...groups.values()].flatMap((entries) => {
      const [first] = entries;
      return first ? [{ by: first.by, model: first.model, ...sum(entries, price) }] : [];
    });
    const turns = this.#turnStarts.map((start, i) => sum(this.#entries.slice(start, this.#turnStarts[i + 1]), price));
    return {
      rows,
      total: sum(this.#entries, price),
      turns: turns.filter(({ requests }) => requests > 0),
      lastTurn: turns.at(-1) ?? sum([], price),
    };
  }
}

function sum(entries: readonly Entry[], price: Pricing): Spent {
  const costs = entries.map(({ model, usage }) => price(model, usage));
  return {
    requests: entries.length,
    usage: entries.reduce((total, { usage }) => addUsage(total, usage), NO_USAGE),
    cost: costs.reduce((total, cost) => (total === undefined || cost === undefined ? undefined : total + cost), 0),
  };
}

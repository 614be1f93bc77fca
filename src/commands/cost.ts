// `/cost`: what was used and paid, by model, in all and turn by turn.
import type { SpendingReport, Spent } from "../core/spending.ts";

/** Token counts and US dollars; "unknown" where the price of a model is. */
export function costText({ rows, total, turns, lastTurn }: SpendingReport): string {
  if (total.requests === 0) return "Nothing was asked yet: no cost.";
  const width = Math.max(...rows.map((row) => name(row).length), "last turn".length);
  const line = (label: string, spent: Spent) => `  ${label.padEnd(width)} ${cells(spent)}`;
  const head = ["requests", "input", "cache read", "cache write", "output", "dollars"];
  return [
    "Since the program started:",
    `  ${"".padEnd(width)} ${head.map((title, i) => title.padStart(WIDTHS[i] ?? 0)).join(" ")}`,
    ...rows.map((row) => line(name(row), row)),
    line("total", total),
    ...earlierTurns(turns, lastTurn).map(([number, spent]) => line(`turn ${number}`, spent)),
    line("last turn", lastTurn),
    ...(total.cost === undefined ? ['The price of a model is unknown: set it with the settings key "models".'] : []),
  ].join("\n");
}

/** The latest, each with its number; the last has a line of its own. */
function earlierTurns(turns: readonly Spent[], last: Spent): [number: number, spent: Spent][] {
  const earlier = turns.at(-1) === last ? turns.slice(0, -1) : turns;
  return earlier.map((spent, i): [number, Spent] => [i + 1, spent]).slice(-MOST_TURNS);
}

const MOST_TURNS = 10;
const WIDTHS = [8, 11, 11, 11, 11, 10];

function name({ by, model }: SpendingReport["rows"][number]): string {
  return by === "main" ? model : `${model} (${by})`;
}

function cells({ requests, usage, cost }: Spent): string {
  const counts = [
    requests,
    usage.input_tokens,
    usage.cache_read_input_tokens,
    usage.cache_creation_input_tokens,
    usage.output_tokens,
  ];
  const texts = [
    ...counts.map((count) => count.toLocaleString("en-US")),
    cost === undefined ? "unknown" : dollars(cost),
  ];
  return texts.map((text, i) => text.padStart(WIDTHS[i] ?? 0)).join(" ");
}

function dollars(cost: number): string {
  return `$${cost.toFixed(cost > 0 && cost < 1 ? 4 : 2)}`;
}

// Measurements as rows, and rows as the table README quotes.
import { cpus, loadavg } from "node:os";

export type Unit = "ms" | "MB" | "bytes" | "tokens" | "%" | "$" | "breaks";
/** `value`: the median itself is at most this, in the row's unit; `least`: at least; `ratio`: at most so many times the other's. */
export type Aim = { value?: number; least?: number; ratio?: number };

export type Row = {
  what: string;
  unit: Unit;
  /** In the unit (MB: in bytes), one per run. */
  ours: number[];
  other?: { name: string; values: number[] };
  aim?: Aim;
  /** Where the time or the memory goes, in lines; asked for only when an aim is missed. */
  explain?: () => Promise<string[]>;
};

export type Verdict = { ours: number; other?: number; ratio?: number; met?: boolean };

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (low === undefined || high === undefined) throw new Error("a median of nothing");
  return (low + high) / 2;
}

/** Aims are judged on the measured numbers, not on the rounded ones that are shown. */
export function judge({ ours, other, aim, unit }: Row): Verdict {
  const value = median(ours);
  const theirs = other && median(other.values);
  const ratio = theirs === undefined || theirs === 0 ? undefined : value / theirs;
  const verdict = { ours: value, ...(theirs === undefined ? {} : { other: theirs }), ...(ratio ? { ratio } : {}) };
  if (!aim) return verdict;
  const small = aim.value === undefined || scaled(value, unit) <= aim.value;
  const large = aim.least === undefined || scaled(value, unit) >= aim.least;
  const close = aim.ratio === undefined || (ratio !== undefined && ratio <= aim.ratio);
  return { ...verdict, met: small && large && close };
}

export function table(rows: readonly Row[]): string {
  const head = ["what", "nanocode", "compared with", "ratio", "aim", "met"];
  const body = rows.map((row) => {
    const { ratio, met } = judge(row);
    const other = row.other ? `${row.other.name}: ${spread(row.other.values, row.unit)}` : "";
    const ratioText = ratio === undefined ? "" : `${ratio.toFixed(2)}x`;
    return [row.what, spread(row.ours, row.unit), other, ratioText, aimText(row), metText(met)];
  });
  const lines = [head, head.map((_, column) => (column === 3 ? "---:" : "---")), ...body];
  return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`).join("\n");
}

/** What the numbers are worth only together with. */
export function machine(runs: number): string {
  const cpu = cpus()[0]?.model.trim() ?? "unknown processor";
  const load = loadavg()[0]?.toFixed(1) ?? "?";
  const where = `${process.platform} ${process.arch}, ${cpus().length} x ${cpu}, load ${load}, Bun ${Bun.version}`;
  return `Medians of ${runs} (smallest to largest); MB are 10^6 bytes. ${where}.`;
}

export function asJson(rows: readonly Row[], runs: number): string {
  const out = rows.map((row) => {
    const { what, unit, aim, ours, other } = row;
    return { what, unit, aim, ...judge(row), samples: { ours, other: other?.values }, comparedWith: other?.name };
  });
  return `${JSON.stringify({ runs, machine: machine(runs), rows: out }, undefined, 2)}\n`;
}

function spread(values: readonly number[], unit: Unit): string {
  const isCount = unit === "tokens" || unit === "bytes" || unit === "breaks";
  const show = (value: number) => (isCount ? value.toLocaleString("en-US") : digits(scaled(value, unit)));
  if (values.length === 1) return `${show(median(values))} ${unit}`;
  return `${show(median(values))} ${unit} (${show(Math.min(...values))} to ${show(Math.max(...values))})`;
}

function scaled(value: number, unit: Unit): number {
  return unit === "MB" ? value / 1e6 : value;
}

function digits(value: number): string {
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);
}

function aimText({ aim, unit }: Row): string {
  const parts = [aim?.value !== undefined && `${aim.value} ${unit}`, aim?.ratio && `${aim.ratio}x`];
  const text = parts.filter(Boolean).join(" and ");
  if (aim?.least !== undefined) return `at least ${aim.least} ${unit}`;
  return text === "" ? "" : `at most ${text}`;
}

function metText(met: boolean | undefined): string {
  return met === undefined ? "" : met ? "yes" : "**no**";
}

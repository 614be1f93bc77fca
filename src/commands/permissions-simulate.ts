// `permissions simulate`: the calls of a recorded conversation against today's rules. Nothing is run.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { UsageError } from "../core/errors.ts";
import { toolUses } from "../core/state.ts";
import type { CallOutcome, DurableEvent, ToolUse } from "../core/types.ts";
import type { Outcome, Query, Verdict } from "../core/verdict.ts";
import { findSession } from "../session/list.ts";
import { load } from "../session/load.ts";
import { shown } from "./permissions-explain.ts";

export type Replay = (call: Pick<Query, "tool" | "input">, cwd: string) => Verdict;
export type ReplayWorld = {
  /** Calls of a conversation that started in `folder`, by the rules that count there today. */
  replayIn(folder: string, mode: string | undefined): Promise<Replay>;
  /** `~/.nanocode/sessions` */
  sessions: string;
  cwd: string;
};

/** A recorded call: where it ran and what became of it; `outcome` is absent when the record ends before. */
export type Recorded = { call: ToolUse; cwd: string; outcome: CallOutcome | undefined };
type Row = { title: string; why: string; count: number; declined: number };

const WIDEST_TITLE = 60;
const LONGEST_TITLE = 160;
const SHOWN_COUNTS = 8;
const GROUPS: readonly (readonly [Outcome | "error", string])[] = [
  ["ask", "asked"],
  ["deny", "denied"],
  ["allow", "allowed"],
  ["error", "not judged"],
];

/** `session`: an id, the beginning of one, a title, or the path of a file. Throws UsageError. */
export async function simulate(session: string, mode: string | undefined, world: ReplayWorld): Promise<string> {
  const path = fileOf(session, world);
  const { events, header, title, notices } = await load(path);
  const folder = typeof header["cwd"] === "string" ? header["cwd"] : world.cwd;
  const replay = await world.replayIn(folder, mode);
  const judged = recorded(events, folder).map((one) => ({ one, verdict: verdictOn(one, replay) }));
  const used = judged.map(({ verdict }) => ("decision" in verdict ? verdict.mode : "")).find(Boolean);
  const name = title === undefined ? shown(session) : shown(title);
  return [
    ...notices,
    `${name}: ${judged.length} calls from ${folder}, by today's rules${used === undefined ? "" : ` in ${used} mode`}`,
    countLine(judged),
    ...GROUPS.flatMap(([outcome, heading]) =>
      group(
        heading,
        judged.filter(({ verdict }) => outcomeOf(verdict) === outcome),
      ),
    ),
    ...mostAsked(judged),
  ].join("\n");
}

function fileOf(session: string, { sessions, cwd }: ReplayWorld): string {
  const path = resolve(cwd, session);
  if (session.endsWith(".jsonl") && existsSync(path)) return path;
  const found = findSession(sessions, session);
  if (found === undefined) throw new UsageError(`No conversation found: ${session} (nanocode sessions list --all)`);
  return found;
}

/** Every call in order, with the working directory it started in. */
export function recorded(events: readonly DurableEvent[], start: string): Recorded[] {
  const calls = new Map<string, Recorded>();
  // A command that moves is recorded as moved before its own end: until then it counts as where it began.
  const place = { now: start, before: start };
  for (const event of events) {
    if (event.type === "cwd") place.now = event.cwd;
    if (event.type === "message" && event.message.role === "assistant") {
      place.before = place.now;
      for (const call of toolUses(event.message)) calls.set(call.id, { call, cwd: place.now, outcome: undefined });
    }
    if (event.type !== "tool.end") continue;
    calls.set(event.call.id, { call: event.call, cwd: place.before, outcome: event.outcome });
    place.before = place.now;
  }
  return [...calls.values()];
}

type Judged = { one: Recorded; verdict: Verdict | { error: string } };

function verdictOn({ call, cwd }: Recorded, replay: Replay): Judged["verdict"] {
  try {
    return replay({ tool: call.name, input: call.input }, cwd);
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function outcomeOf(verdict: Judged["verdict"]): Outcome | "error" {
  return "decision" in verdict ? verdict.decision : "error";
}

function countLine(judged: readonly Judged[]): string {
  const counts = GROUPS.map(([outcome, heading]) => {
    const count = judged.filter(({ verdict }) => outcomeOf(verdict) === outcome).length;
    return outcome === "error" && count === 0 ? undefined : `${heading} ${count}`;
  });
  const declined = judged.filter(({ one }) => one.outcome === "denied").length;
  const then = declined === 0 ? "" : `; ${declined} ${declined === 1 ? "was" : "were"} denied then`;
  return counts.filter((text) => text !== undefined).join(", ") + then;
}

/** The same call with the same answer is one line. */
function group(heading: string, judged: readonly Judged[]): string[] {
  if (judged.length === 0) return [];
  const rows = new Map<string, Row>();
  for (const { one, verdict } of judged) {
    const title = titleOf(one.call);
    const why = shown("decision" in verdict ? verdict.reason : verdict.error);
    const row = rows.get(`${title}\0${why}`) ?? { title, why, count: 0, declined: 0 };
    row.count++;
    if (one.outcome === "denied") row.declined++;
    rows.set(`${title}\0${why}`, row);
  }
  const width = Math.min(WIDEST_TITLE, Math.max(...[...rows.values()].map(({ title }) => title.length)));
  return ["", `${heading}:`, ...[...rows.values()].map((row) => rowLine(row, width))];
}

function rowLine({ title, why, count, declined }: Row, width: number): string {
  const then = declined === 0 ? "" : `  [denied then${declined < count ? ` ${declined} of ${count} times` : ""}]`;
  return `  ${String(count).padStart(3)} x  ${title.padEnd(width)}  ${why}${then}`;
}

function titleOf({ name, input }: ToolUse): string {
  const main = ["command", "file_path", "notebook_path", "url", "pattern"].map((key) => input[key]).find(isText);
  const text = `${name} ${shown(main ?? JSON.stringify(input))}`;
  return text.length <= LONGEST_TITLE ? text : `${text.slice(0, LONGEST_TITLE - 1)}…`;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** What to write a rule for. */
function mostAsked(judged: readonly Judged[]): string[] {
  const asked = judged.filter(({ verdict }) => outcomeOf(verdict) === "ask");
  const subjects = counted(asked.flatMap(({ one, verdict }) => subjectsOf(one.call, verdict)));
  const rules = counted(asked.flatMap(({ verdict }) => ("decision" in verdict ? (verdict.fix ?? []) : [])));
  return [
    ...(subjects.length > 0 ? ["", `Asked most: ${subjects.join(", ")}`] : []),
    ...(rules.length > 0 ? ["Rules that would cover the most of it:", ...rules.map((text) => `  ${text}`)] : []),
  ];
}

/** Of a command the programs that are asked about, of another call its tool. */
function subjectsOf({ name }: ToolUse, verdict: Judged["verdict"]): string[] {
  const parts = "decision" in verdict ? verdict.parts.filter(({ decision }) => decision === "ask") : [];
  const programs = parts.flatMap(({ text }) => /^\s*(?:\w+=\S*\s+)*(\S+)/.exec(text)?.[1] ?? []);
  return programs.length > 0 ? [...new Set(programs)].map(shown) : [name];
}

function counted(texts: readonly string[]): string[] {
  const counts = [...Map.groupBy(texts, (text) => text)].map(([text, all]) => ({ text, count: all.length }));
  const most = counts.toSorted((a, b) => b.count - a.count).slice(0, SHOWN_COUNTS);
  return most.map(({ text, count }) => `${text} (${count})`);
}

// The summary that stands for what was taken out: read from the model's reply, filled up with facts, put into words.
import type { Summary } from "../core/types.ts";
import { textTokens } from "./budget.ts";
import { shortened } from "./cut.ts";
import type { Facts } from "./facts.ts";

/** Of the person's earlier messages: enough to recognise them. */
const EARLIER_CHARS = 300;
const EARLIER_REQUESTS = 20;
/** Of each part that is written freely. */
const PART_CHARS = 9_000;
const MAX_TODOS = 100;
const MAX_FAILING = 10;

const HEADINGS = {
  goal: /^goal/i,
  decisions: /^(decisions|findings)/i,
  files: /^(edited|changed) files/i,
  failing: /^failing/i,
  todos: /^(open )?to-?dos?/i,
  next: /^next/i,
} as const;
type Part = keyof typeof HEADINGS;
type Parts = Partial<Record<Part, string>>;

/** The parts a reply holds, "" for a stated "none"; no parts when it is not in the form it was asked for. */
export function partsOf(reply: string): Parts {
  const parts: Parts = {};
  const state: { part: Part | undefined } = { part: undefined };
  for (const line of reply.split("\n")) {
    const heading = /^\s*(?:#{1,6}\s+|\*\*)\s*(?:\d+[.)]\s*)?(.{1,60}?)[*:\s]*$/.exec(line)?.[1];
    const named = heading === undefined ? undefined : PARTS.find((part) => HEADINGS[part].test(heading));
    if (named) {
      state.part = named;
      parts[named] = "";
    } else if (state.part) parts[state.part] += `${line}\n`;
  }
  for (const part of PARTS) {
    const text = parts[part]?.trim();
    if (text === undefined || text === "") delete parts[part];
    else parts[part] = isNone(text) ? "" : shortened(text, PART_CHARS, "cut");
  }
  return parts;
}

const PARTS: readonly Part[] = ["goal", "decisions", "files", "failing", "todos", "next"];

function isNone(text: string): boolean {
  return /^[-*\s"'(]*(none|nothing|n\/a)[."')\s]*$/i.test(text);
}

/** What the model wrote, with what we know for certain put in its place or beside it. */
export function summaryOf(parts: Parts, facts: Facts): Summary {
  const plain = summaryFromFacts(facts);
  const reasons = reasonsOf(parts.files ?? "");
  const known = new Set(facts.todos.map(bare));
  const undone = (parts.todos ?? "").replace(/^\s*(?:[-*+]|\d+[.)])?\s*\[x\].*$/gim, "");
  const newer = itemsOf(undone).filter((item) => !known.has(bare(item)));
  const failing = facts.failing.length > 0 ? [] : itemsOf(parts.failing ?? "").slice(0, MAX_FAILING);
  return {
    ...plain,
    goal: parts.goal || plain.goal,
    decisions: parts.decisions || plain.decisions,
    files: plain.files.map(({ path, why }) => ({ path, why: reasonFor(path, reasons) ?? why })),
    failing: parts.failing === undefined ? plain.failing : [...facts.failing, ...failing],
    todos: parts.todos === undefined ? plain.todos : [...facts.todos, ...newer].slice(0, MAX_TODOS),
    next: parts.next || plain.next,
  };
}

/** The same form from facts alone: no model is needed. */
export function summaryFromFacts(facts: Facts): Summary {
  const { requests, earlier, files, failing, failingBefore, todos, todosBefore } = facts;
  const last = requests.at(-1) ?? "";
  return {
    goal: earlier?.goal || oneLine(requests[0] ?? ""),
    requests: [...shortRequests(requests.slice(0, -1)), ...(last === "" ? [] : [last])],
    decisions: earlier?.decisions ?? "",
    files,
    failing: [...failingBefore, ...failing],
    todos: [...todos, ...todosBefore].slice(0, MAX_TODOS),
    next: "Go on with the last request. Look at the files it is about first: what was read before is no longer here.",
  };
}

/** The first says what it is all about; of the others the latest count. */
function shortRequests(requests: readonly string[]): string[] {
  const short = requests.map(oneLine);
  return short.length <= EARLIER_REQUESTS ? short : [...short.slice(0, 1), ...short.slice(1 - EARLIER_REQUESTS)];
}

function oneLine(text: string): string {
  return shortened(text.replace(/\s+/g, " ").trim(), EARLIER_CHARS, "cut").replace(/\n/g, " ");
}

function itemsOf(text: string): string[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines
    .map((line) => line.replace(/^\s*(?:[-*+]|\d+[.)])?\s*(?:\[[ x~>-]?\]\s*)?/i, ""))
    .filter((t) => !isNone(t));
}

function bare(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

function reasonsOf(text: string): [path: string, why: string][] {
  return itemsOf(text).flatMap((item): [string, string][] => {
    const [, path, why] = /^[`*]*([^`*:]+?)[`*]*\s*(?::|\s[-–—])\s*(.+)$/.exec(item) ?? [];
    return path && why ? [[path.trim(), why.trim()]] : [];
  });
}

/** The model may have written the path shorter, relative to the working directory. */
function reasonFor(path: string, reasons: readonly [string, string][]): string | undefined {
  const exact = reasons.find(([named]) => named === path);
  return (exact ?? reasons.find(([named]) => path.endsWith(`/${named}`) || named.endsWith(`/${path}`)))?.[1];
}

export type Telling = {
  /** Whether messages follow that were kept, and whether the last request is among them. */
  hasTail: boolean;
  hasRequest: boolean;
  /** Where what was taken out can be read. */
  transcript: string | undefined;
};

/** The text the model goes on from. */
export function summaryText(summary: Summary, { hasTail, hasRequest, transcript }: Telling): string {
  const earlier = summary.requests.slice(0, -1);
  const last = summary.requests.at(-1);
  const section = (title: string, body: string) => (body.trim() === "" ? [] : [`## ${title}\n${body.trim()}`]);
  const list = (items: readonly string[]) => items.map((item) => `- ${item}`).join("\n");
  return [
    [
      "This conversation outgrew what you can read at once. What came before was replaced by this summary" +
        (hasTail ? "; the messages after it are as they were." : "."),
      ...(transcript
        ? [`All of it is in ${transcript} (plain text: search it with Grep when a detail is missing).`]
        : []),
    ].join(" "),
    ...section("Goal", summary.goal),
    ...section("What the person asked for before", list(earlier)),
    ...(last === undefined ? [] : [lastRequest(last, hasRequest)]),
    ...section("Decisions and findings", summary.decisions),
    ...section("Edited files", list(summary.files.map(({ path, why }) => `${path}: ${why}`))),
    ...section("Failing commands", list(summary.failing)),
    ...section("Open todos", list(summary.todos)),
    ...section("Next step", summary.next),
    "Go on from there. Do not repeat what is done.",
  ].join("\n\n");
}

function lastRequest(text: string, below: boolean): string {
  const title = "## The last request, word for word";
  return below ? `${title}\nIt is among the messages after this one.` : `${title}\n<request>\n${text}\n</request>`;
}

export type CutNotes = {
  /** Keeps a text where it can be read; its path, or undefined when that failed. */
  keep(name: string, text: string): string | undefined;
  /** Tokens for the whole summary. */
  budget: number;
};

/** The floor: whatever does not fit is cut, kept in a file where possible, and said. */
export function cutSummary(summary: Summary, { keep, budget }: CutNotes): Summary {
  const chars = Math.max(400, Math.floor(budget * 2));
  const share = (text: string, part: number, name: string) => {
    if (text.length <= chars * part) return text;
    const path = keep(name, text);
    return shortened(text, chars * part, `cut${path ? `; all of it is in ${path}` : ""}`);
  };
  const paths = summary.files.map(({ path }) => path).join("\n");
  const fits = textTokens(paths) < budget * 0.2;
  const count = fits
    ? summary.files.length
    : Math.max(1, Math.floor((summary.files.length * budget * 0.2) / textTokens(paths)));
  const left = summary.files.length - count;
  const where = left > 0 ? keep("edited-files", paths) : undefined;
  const more = { path: `${left} more`, why: where ? `their paths are in ${where}` : "left out for want of room" };
  return {
    goal: share(summary.goal, 0.1, "goal"),
    requests: summary.requests.slice(-1).map((text) => share(text, 0.3, "last-request")),
    decisions: share(summary.decisions, 0.15, "decisions"),
    files: [
      ...(left > 0 ? [more] : []),
      ...summary.files.slice(left).map(({ path, why }) => ({ path, why: why.slice(0, 60) })),
    ],
    failing: summary.failing.slice(-2).map((text) => share(text, 0.05, "failing")),
    todos: listShare(summary.todos, chars * 0.15),
    next: share(summary.next, 0.05, "next"),
  };
}

function listShare(items: readonly string[], chars: number): string[] {
  const kept: string[] = [];
  let used = 0;
  for (const item of items) {
    used += item.length + 3;
    if (used > chars) return [...kept, `(${items.length - kept.length} more)`];
    kept.push(item);
  }
  return kept;
}

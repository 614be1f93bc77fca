// The question before a call, as text: the whole of what would happen, in lines that nothing in it can imitate.
import type { Access, Answer, PermissionMode, Question } from "../core/types.ts";
import { reveal } from "./sanitize.ts";

/** Wider rows are hard to read. */
const MOST_COLUMNS = 80;
/** In fewer nothing could be read at all. */
const LEAST_COLUMNS = 30;
/** Left free: terminals do not agree on the width of every character. */
const MARGIN = 2;

/** What a row may take of a terminal of so many columns: one the terminal breaks could go on like a line of ours. */
export function rowWidth(columns = MOST_COLUMNS): number {
  return Math.max(LEAST_COLUMNS, Math.min(columns, MOST_COLUMNS)) - MARGIN;
}

export type Shown = {
  /** Rows of preview.ts: what the call would do to a file. */
  change?: readonly string[];
  width?: number;
};

export function questionText(question: Question, { change = [], width = rowWidth() }: Shown = {}): string {
  const { call, access, title, reason, touches, agent } = question;
  const { wants, what } = wish(access, title);
  const broken = (lead: string, line: string) => rows(lead, line, width);
  return [
    `${reveal(call.name)}${agent ? ` of the sub-agent ${agent.name}` : ""} wants to ${wants}:`,
    ...visible(what).flatMap((line) => broken("  | ", line)),
    ...change,
    ...touches.flatMap((line) => broken("  - ", visible(line).join(" "))),
    ...broken("  because ", visible(reason).join(" ")),
    ...choices(question).flatMap(({ lead, text }) => broken(lead, text)),
  ].join("\n");
}

function wish(access: Access, title: string): { wants: string; what: string } {
  if (access.kind === "shell") return { wants: "run", what: access.command };
  const plan = planOf(access);
  return plan ? { wants: "carry out this plan", what: plan.plan } : { wants: "do", what: title };
}

function planOf(access: Access): PlanAccess | undefined {
  return access.kind === "plan" && access.step === "leave" ? access : undefined;
}
type PlanAccess = Extract<Access, { step: "leave" }>;

/** What a plan is carried out with. */
const THEN: Readonly<Record<PermissionMode, string>> = {
  default: "what changes something is asked about as usual",
  acceptEdits: "edits in the project are made without asking",
  plan: "plan mode stays on",
  dontAsk: "what no rule allows is refused",
  bypassPermissions: "nothing is asked",
};

type Choice = { lead: string; text: string };

function choices({ access, always }: Question): Choice[] {
  const plan = planOf(access);
  if (plan) {
    const edits = { lead: "  a = ", text: `carry it out; ${THEN.acceptEdits}` };
    return [
      { lead: "  y = ", text: `carry it out; ${THEN[plan.back]}` },
      ...(mayAcceptEdits(plan) ? [edits] : []),
      { lead: "  n = ", text: "keep planning; or say what to do instead" },
    ];
  }
  const where = always?.saved ? ", kept in this project's local settings" : ", for this session";
  const rules = always?.rules.map((rule) => visible(rule).join(" ")).join(", ");
  return [
    { lead: "  y = ", text: "yes, once" },
    ...(rules === undefined ? [] : [{ lead: "  a = yes, and always: ", text: `${rules}${where}` }]),
    { lead: "  n = ", text: "no; or say what to do instead" },
  ];
}

/** Where a yes alone does not do so. */
function mayAcceptEdits({ back }: PlanAccess): boolean {
  return back !== "acceptEdits";
}

/** An empty line is a no. Anything that is not an answer is a message to the model. */
export function readAnswer(line: string, { access, always }: Pick<Question, "access" | "always">): Answer {
  const word = line.trim().toLowerCase();
  const plan = planOf(access);
  if (word === "y" || word === "yes") return { behavior: "allow", scope: "once" };
  if (word === "a" || word === "always") {
    if (plan && mayAcceptEdits(plan))
      return { behavior: "allow", scope: "once", updates: [{ type: "setMode", mode: "acceptEdits" }] };
    if (always) return { behavior: "allow", scope: "always" };
  }
  if (word === "" || word === "n" || word === "no") return { behavior: "deny" };
  const what = plan ? "does not agree to the plan yet" : "declined this call";
  return { behavior: "deny", message: `The person ${what} and said: ${line.trim()}` };
}

/** Lines for a person's eyes: nothing cut, nothing invisible, and long runs of blanks, which push text out of sight, counted. */
export function visible(text: string): string[] {
  const counted = (blanks: string) => `[${blanks.length} blanks]`;
  return reveal(text)
    .split("\n")
    .map((line) =>
      line
        .replaceAll("\t", "\\t")
        .replace(/(?<=\S) {8,}/g, counted)
        .replace(/ {40,}/g, counted),
    );
}

/** `line` behind `lead`; what does not fit beside it follows in rows that begin with a colon. */
export function rows(lead: string, line: string, width: number): string[] {
  const next = "  : ";
  const done = [lead];
  let used = lead.length;
  for (const char of line) {
    const columns = Bun.stringWidth(char);
    if (used + columns > width) {
      done.push(next);
      used = next.length;
    }
    done.push(`${done.pop() ?? ""}${char}`);
    used += columns;
  }
  return done;
}

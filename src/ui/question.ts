// The question before a call, as text: the whole of what would happen, in lines that nothing in it can imitate.
import type { Answer, Question } from "../core/types.ts";
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
  const { call, access, title, reason, touches, always, agent } = question;
  const what = access.kind === "shell" ? access.command : title;
  const broken = (lead: string, line: string) => rows(lead, line, width);
  const lines = [
    `${reveal(call.name)}${agent ? ` of the sub-agent ${agent.name}` : ""} wants to ${access.kind === "shell" ? "run" : "do"}:`,
    ...visible(what).flatMap((line) => broken("  | ", line)),
    ...change,
    ...touches.flatMap((line) => broken("  - ", visible(line).join(" "))),
    ...broken("  because ", visible(reason).join(" ")),
    "  y = yes, once",
  ];
  if (always) {
    const where = always.saved ? ", kept in this project's local settings" : ", for this session";
    const rules = always.rules.map((rule) => visible(rule).join(" ")).join(", ");
    lines.push(...broken("  a = yes, and always: ", `${rules}${where}`));
  }
  return [...lines, "  n = no; or say what to do instead"].join("\n");
}

/** An empty line is a no. Anything that is not an answer is a message to the model. */
export function readAnswer(line: string, mayAlways: boolean): Answer {
  const word = line.trim().toLowerCase();
  if (word === "y" || word === "yes") return { behavior: "allow", scope: "once" };
  if (mayAlways && (word === "a" || word === "always")) return { behavior: "allow", scope: "always" };
  if (word === "" || word === "n" || word === "no") return { behavior: "deny" };
  return { behavior: "deny", message: `The person declined this call and said: ${line.trim()}` };
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

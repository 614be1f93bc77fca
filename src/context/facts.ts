// What a history says by itself, without a model: the person's words, changed files, failing commands, open todos.
import type { Message, Summary, ToolResult, ToolUse } from "../core/types.ts";
import { isListed, openItems } from "./todos.ts";

/** A call with its result, in the order of the calls. */
export type Done = { call: ToolUse; result: ToolResult };
export type Facts = Pick<Summary, "requests" | "files" | "failing" | "todos"> & {
  /** Of an earlier compaction. Its commands and todos are as old as it is: a newer word about them counts more. */
  earlier: Summary | undefined;
  failingBefore: string[];
  todosBefore: string[];
  /** Results of commands that still fail: they stay in sight. */
  failingIds: ReadonlySet<string>;
};

const EDITORS: readonly string[] = ["Edit", "Write", "NotebookEdit", "MultiEdit"];
const MAX_FAILING = 5;
const FAILING_CHARS = 400;
const COMMAND_CHARS = 200;

export function factsOf(messages: readonly Message[]): Facts {
  const earlier = messages.findLast((message) => message.role === "user" && message.summary !== undefined);
  const before = earlier?.role === "user" ? earlier.summary : undefined;
  const done = callsOf(messages);
  const failing = failingOf(done, before?.failing ?? []);
  const written = todosOf(done);
  const todosBefore = before?.todos ?? [];
  return {
    requests: [...(before?.requests ?? []), ...messages.flatMap((message) => requestOf(message) ?? [])],
    files: filesOf(done, before?.files ?? []),
    failing: failing.flatMap(({ text, id }) => (id === undefined ? [] : [text])),
    failingBefore: failing.flatMap(({ text, id }) => (id === undefined ? [text] : [])),
    failingIds: new Set(failing.flatMap(({ id }) => id ?? [])),
    // The list stays as it was written, until it is written anew.
    todos: written ?? todosBefore.filter(isListed),
    todosBefore: written ? [] : todosBefore.filter((todo) => !isListed(todo)),
    earlier: before,
  };
}

/** The person's own words; undefined for what the program wrote, a skill's text among it. */
export function requestOf(message: Message): string | undefined {
  if (message.role !== "user" || message.synthetic) return undefined;
  const texts = message.content.flatMap((block) => (block.type === "text" ? [block.text] : []));
  const isOurs = (text: string, at: number) => /^\s*<reminder>/.test(text) || (at > 0 && /^<skill name="/.test(text));
  const own = texts.filter((text, at) => text.trim() !== "" && !isOurs(text, at));
  return own.length > 0 ? own.join("\n\n") : undefined;
}

export function callsOf(messages: readonly Message[]): Done[] {
  const results = new Map<string, ToolResult>();
  for (const message of messages) {
    if (message.role !== "user") continue;
    for (const block of message.content) if (block.type === "tool_result") results.set(block.tool_use_id, block);
  }
  return messages.flatMap((message) => {
    if (message.role !== "assistant") return [];
    return message.content.flatMap((block) => {
      const result = block.type === "tool_use" ? results.get(block.id) : undefined;
      return block.type === "tool_use" && result ? [{ call: block, result }] : [];
    });
  });
}

/** The file a call is about. */
export function pathOf({ input }: ToolUse): string | undefined {
  const path = input.file_path ?? input.notebook_path;
  return typeof path === "string" && path !== "" ? path : undefined;
}

export function isEdit(call: ToolUse): boolean {
  return EDITORS.includes(call.name);
}

export function resultText({ content }: ToolResult): string {
  if (typeof content === "string") return content;
  return content.map((block) => (block.type === "text" ? block.text : "[picture]")).join("\n");
}

function filesOf(done: readonly Done[], before: Summary["files"]): Summary["files"] {
  const counts = new Map<string, { edits: number; written: boolean }>();
  for (const { call, result } of done) {
    const path = isEdit(call) ? pathOf(call) : undefined;
    if (path === undefined || result.is_error) continue;
    const known = counts.get(path) ?? { edits: 0, written: false };
    counts.delete(path);
    counts.set(path, { edits: known.edits + 1, written: known.written || call.name === "Write" });
  }
  const files = new Map(before.map(({ path, why }) => [path, why]));
  for (const [path, { edits, written }] of counts) {
    const what = written ? "written" : `changed${edits > 1 ? ` ${edits} times` : ""}`;
    // Its earlier reason says more than a count. At the end: the latest file is the likeliest to matter.
    const why = files.get(path) ?? what;
    files.delete(path);
    files.set(path, why);
  }
  return [...files].map(([path, why]) => ({ path, why }));
}

/** Commands whose last run failed; those of an earlier summary until they have succeeded. */
function failingOf(done: readonly Done[], before: readonly string[]): { text: string; id?: string }[] {
  const state = new Map<string, { text: string; id?: string } | undefined>();
  for (const text of before) state.set(headOf(text), { text });
  for (const { call, result } of done) {
    const { command } = call.input;
    if (call.name !== "Bash" || typeof command !== "string") continue;
    const head = quoted(command);
    state.delete(head);
    if (hasFailed(result)) state.set(head, { text: `${head}: ${endOf(resultText(result))}`, id: call.id });
  }
  return [...state.values()].filter((entry) => entry !== undefined).slice(-MAX_FAILING);
}

/** A refusal is no failing command. */
function hasFailed(result: ToolResult): boolean {
  return result.is_error === true && /\bExit code \d+|^Killed /m.test(resultText(result));
}

function quoted(command: string): string {
  const line = command.replace(/\s+/g, " ").replaceAll("`", "'").trim();
  return `\`${line.length > COMMAND_CHARS ? `${line.slice(0, COMMAND_CHARS).toWellFormed()}…` : line}\``;
}

function headOf(text: string): string {
  return /^`[^`]*`/.exec(text)?.[0] ?? text;
}

function endOf(output: string): string {
  const text = output.trim();
  return text.length <= FAILING_CHARS ? text : `…${text.slice(-FAILING_CHARS).toWellFormed()}`;
}

/** Undefined: no todo list was ever written. */
function todosOf(done: readonly Done[]): string[] | undefined {
  const last = done.findLast(({ call, result }) => call.name === "TodoWrite" && !result.is_error);
  return last && openItems(last.call.input["todos"]);
}

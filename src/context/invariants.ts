// What must hold of a compacted history, checked before it replaces the old one.
import { toolUses } from "../core/state.ts";
import type { Message, Summary } from "../core/types.ts";
import { requestOf } from "./facts.ts";

export type Promised = Pick<Summary, "requests" | "todos"> & {
  /** Of every changed file. */
  paths: readonly string[];
  /** Tokens of the next request, with system text and tools, all by the same estimate. */
  before: number;
  after: number;
  /** `after` must stay under it. */
  limit: number;
};

/** What is broken, in words; empty when the new history may replace the old one. */
export function problemsOf(messages: readonly Message[], promised: Promised): string[] {
  const problems = [...shapeProblems(messages)];
  const said = saidIn(messages);
  const last = promised.requests.at(-1);
  if (last !== undefined && !said.includes(last)) problems.push("the last request is not in it word for word");
  for (const todo of promised.todos) if (!said.includes(todo)) problems.push(`an open todo is lost: ${todo}`);
  for (const path of promised.paths) if (!said.includes(path)) problems.push(`a changed file is lost: ${path}`);
  const { before, after, limit } = promised;
  if (after >= before) problems.push(`it is not smaller: ${after} tokens, before ${before}`);
  if (after >= limit) problems.push(`it does not fit: ${after} tokens, ${limit} at most`);
  return problems;
}

/** The person begins; each call is answered once, in the message after it; no result is without its call. */
export function shapeProblems(messages: readonly Message[]): string[] {
  const problems: string[] = [];
  if (messages[0]?.role !== "user") problems.push("it does not begin with the person");
  for (const [at, message] of messages.entries()) {
    if (message.content.length === 0) problems.push(`message ${at} is empty`);
    const before = messages[at - 1];
    const calls = before?.role === "assistant" ? toolUses(before).map(({ id }) => id) : [];
    const results = message.content.flatMap((block) => (block.type === "tool_result" ? [block.tool_use_id] : []));
    for (const id of calls) if (!results.includes(id)) problems.push(`call ${id} has no result after it`);
    for (const id of results) if (!calls.includes(id)) problems.push(`result ${id} has no call before it`);
    if (new Set(results).size !== results.length) problems.push(`message ${at} answers a call twice`);
  }
  const last = messages.at(-1);
  for (const { id } of last?.role === "assistant" ? toolUses(last) : []) problems.push(`call ${id} has no result`);
  return problems;
}

/** The person's and the program's words; what a reply or a result happens to hold does not count. */
function saidIn(messages: readonly Message[]): string {
  const texts = messages.flatMap((message) => {
    if (message.role !== "user") return [];
    const own = message.content.flatMap((block) => (block.type === "text" ? [block.text] : []));
    return [own.join("\n\n"), requestOf(message) ?? ""];
  });
  return texts.join("\n");
}

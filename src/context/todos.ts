// The todo list as a history has it: the input of its last TodoWrite call, or what an earlier summary kept of it.
import type { Message } from "../core/types.ts";
import { asFields } from "../utils/jsonl.ts";

export type OpenTodos = {
  /** `[ ] text`, or `[>] text` for what is in progress; in order. */
  lines: readonly string[];
  /** Replies of the model since the list was written; a call of this reply counts as none. */
  age: number;
};

/** Undefined when no list was ever written, or the last one has nothing open. */
export function openTodos(messages: readonly Message[]): OpenTodos | undefined {
  const failed = new Set<string>();
  let age = 0;
  for (const message of messages.toReversed()) {
    if (message.role === "user") {
      if (message.summary) return opened(message.summary.todos.filter(isListed), age);
      for (const block of message.content) {
        if (block.type === "tool_result" && block.is_error) failed.add(block.tool_use_id);
      }
      continue;
    }
    const call = message.content.findLast(
      (block) => block.type === "tool_use" && block.name === "TodoWrite" && !failed.has(block.id),
    );
    if (call?.type === "tool_use") return opened(openItems(call.input["todos"]), age);
    age++;
  }
  return undefined;
}

function opened(lines: readonly string[], age: number): OpenTodos | undefined {
  return lines.length > 0 ? { lines, age } : undefined;
}

/** What is not completed in the `todos` of a TodoWrite call. */
export function openItems(todos: unknown): string[] {
  if (!Array.isArray(todos)) return [];
  return todos.map(asFields).flatMap(({ content, status }) => {
    if (typeof content !== "string" || status === "completed") return [];
    return [`${status === "in_progress" ? "[>]" : "[ ]"} ${content.replace(/\s+/g, " ")}`];
  });
}

/** An item of the list; in a summary beside it stands what the model found still to be done, in its own words. */
export function isListed(todo: string): boolean {
  return /^\[[ >]\] /.test(todo);
}

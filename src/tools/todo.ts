// TodoWrite: the steps of a longer task. The list lives in the conversation itself, as the input of the last call.
import { z } from "zod";
import type { ToolOutput } from "../core/types.ts";
import description from "./todo.md" with { type: "text" };
import { defineTool } from "./tool.ts";

const MOST = 100;

const todo = z.object({
  content: z.string().trim().min(1).max(1000).describe("What is to be done"),
  status: z.enum(["pending", "in_progress", "completed"]),
  activeForm: z.string().optional().describe("The same while it is being done"),
});
const schema = z.object({ todos: z.array(todo).max(MOST).describe("The whole list, in order") });
type Input = z.output<typeof schema>;
type Todo = Input["todos"][number];

export function todoTool() {
  const last: { todos: readonly Todo[] } = { todos: [] };
  return defineTool({
    name: "TodoWrite",
    description,
    schema,
    access: () => ({ kind: "none" }),
    title: ({ todos }) => `TodoWrite ${progress(todos)}`,
    run: async ({ todos }): Promise<ToolOutput> => {
      const data = { oldTodos: last.todos, newTodos: todos };
      last.todos = todos;
      return { content: answer(todos), view: { kind: "text", text: todos.map(line).join("\n") }, data };
    },
  });
}

function answer(todos: readonly Todo[]): string {
  const running = todos.filter(({ status }) => status === "in_progress");
  const open = todos.filter(({ status }) => status !== "completed");
  const hint =
    open.length > 0 && running.length === 0
      ? " No item is in progress: mark the one you begin with."
      : running.length > 1
        ? " More than one item is in progress: keep it to the one you work on."
        : "";
  return `The list is kept: ${progress(todos)}.${hint}`;
}

/** "1 of 3 done, now: Adding a test". */
function progress(todos: readonly Todo[]): string {
  if (todos.length === 0) return "empty";
  const done = todos.filter(({ status }) => status === "completed").length;
  const now = todos.find(({ status }) => status === "in_progress");
  return `${done} of ${todos.length} done${now ? `, now: ${now.activeForm?.trim() || now.content}` : ""}`;
}

const MARKS = { pending: "[ ]", in_progress: "[>]", completed: "[x]" } as const;

function line({ content, status }: Todo): string {
  return `${MARKS[status]} ${content.replace(/\s+/g, " ")}`;
}

// TodoWrite: what it takes, what it answers, and that its list survives resuming and compaction in the real binary.
import { afterAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openTodos } from "../src/context/todos.ts";
import { todoTool } from "../src/tools/todo.ts";
import { messages, run, sandbox, STREAM, type Sandbox } from "./binary.ts";
import { GOOD_SUMMARY } from "./compact-kit.ts";
import { call, say, startFakeModel, type RecordedRequest } from "./fake-model.ts";
import { context } from "./search-kit.ts";

const todo = (content: string, status: string, activeForm?: string) => ({ content, status, activeForm });

describe("a call", () => {
  const written = async (todos: object[], tool = todoTool()) => {
    const input = tool.parse({ todos });
    return { ...(await tool.run(input, context("/p"))), title: tool.title(input) };
  };

  test("keeps the list and says how far it is", async () => {
    const tool = todoTool();
    const first = await written(
      [todo("a", "completed"), todo("b", "in_progress", "Doing b"), todo("c", "pending")],
      tool,
    );
    expect(first).toMatchObject({
      content: "The list is kept: 1 of 3 done, now: Doing b.",
      title: "TodoWrite 1 of 3 done, now: Doing b",
      view: { kind: "text", text: "[x] a\n[>] b\n[ ] c" },
      data: { oldTodos: [], newTodos: [{ content: "a" }, { content: "b" }, { content: "c" }] },
    });
    const second = await written([], tool);
    expect(second).toMatchObject({ content: "The list is kept: empty.", data: { oldTodos: { length: 3 } } });
  });

  test("says what is odd about the list", async () => {
    const none = await written([todo("a", "pending")]);
    expect(none.content).toEndWith("No item is in progress: mark the one you begin with.");
    const two = await written([todo("a", "in_progress"), todo("b", "in_progress")]);
    expect(two.content).toEndWith("keep it to the one you work on.");
    expect((await written([todo("a", "completed")])).content).toBe("The list is kept: 1 of 1 done.");
  });

  test.each([
    [{}],
    [{ todos: [{ content: " ", status: "pending" }] }],
    [{ todos: [{ content: "a", status: "done" }] }],
  ])("%j is refused", (input) => expect(() => todoTool().parse(input)).toThrow("todos"));
});

const boxes: Sandbox[] = [];
afterAll(() => boxes.forEach((box) => box.remove()));
const asksForSummary = ({ body }: RecordedRequest) =>
  JSON.stringify(body.messages.at(-1)).includes("Do not call a tool.");
const SESSION = "11111111-2222-4333-8444-555555555555";

test("the list survives resuming and compaction, and is named again when it is forgotten", async () => {
  const list = [todo("write the parser", "completed"), todo("test the parser", "in_progress")];
  const looks = Array.from({ length: 14 }, (_, i) => call("Read", { file_path: `f${i}.txt` }));
  const script = [call("TodoWrite", { todos: list }), say("noted"), ...looks, say("done")];
  await using model = await startFakeModel((request) =>
    asksForSummary(request) ? say(GOOD_SUMMARY) : (script.shift() ?? say("out of words")),
  );
  const box = sandbox(model);
  boxes.push(box);
  for (let i = 0; i < 14; i++) writeFileSync(join(box.cwd, `f${i}.txt`), "a line of the file\n".repeat(1500));
  const first = await run(box, ["-p", "Make a parser.", ...STREAM, "--session-id", SESSION]);
  const result = messages(first.stdout).find((line) => line.type === "user" && line.tool_use_result);
  expect(result?.tool_use_result).toMatchObject({ oldTodos: [], newTodos: [{ status: "completed" }, {}] });

  await run(box, ["-p", "Go on.", "--resume", SESSION, "--permission-mode", "plan"]);
  const named = model.requests.filter(({ text }) => text.includes("The todo list was last written 12 replies ago"));
  expect(named.length).toBeGreaterThan(0);
  expect(named[0]?.text).toContain("[>] test the parser");
  expect(named[0]?.text.split("The todo list was last written").length).toBe(2);

  const compacted = await run(box, ["-p", "/compact", "--resume", SESSION]);
  expect(compacted).toMatchObject({ code: 0, stderr: "" });
  await run(box, ["-p", "And now?", "--resume", SESSION]);
  const last = model.requests.at(-1);
  expect(JSON.stringify(last?.body.messages)).toContain("test the parser");
  expect(JSON.stringify(last?.body.messages)).not.toContain("write the parser");
  expect(model.violations).toEqual([]);
});

test("open items of a summary count until the list is written anew", () => {
  const summary = {
    goal: "",
    requests: [],
    decisions: "",
    files: [],
    failing: [],
    todos: ["[>] one", "and more"],
    next: "",
  };
  const user = { role: "user" as const, id: "u", content: [{ type: "text" as const, text: "s" }] };
  expect(openTodos([{ ...user, summary: { ...summary } as never }])).toEqual({ lines: ["[>] one"], age: 0 });
  expect(openTodos([user])).toBeUndefined();
});

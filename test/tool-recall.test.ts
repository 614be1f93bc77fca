// A file that the conversation shows as it is on disk may be edited without being read again: after a resume, or after cat.
import { expect, test } from "bun:test";
import { renameSync, symlinkSync } from "node:fs";
import type { Message, ToolOutput, ToolUse } from "../src/core/types.ts";
import { FileTracker } from "../src/files/tracker.ts";
import { ShellStarter } from "../src/tools/bash-start.ts";
import { BackgroundTasks } from "../src/tools/bash-tasks.ts";
import { builtinTools } from "../src/tools/registry.ts";
import { recallFrom } from "../src/tools/recall.ts";
import { bench, seeded } from "./files-kit.ts";
import { usage } from "./support.ts";

/** Tools over a conversation that can be resumed: then nothing is known but what its messages say. */
function conversation() {
  const b = bench();
  const messages: Message[] = [];
  const tasks = new BackgroundTasks();
  const open = () => {
    const tracker = new FileTracker({ recall: recallFrom(() => ({ messages, cwd: b.dir })) });
    const starter = new ShellStarter(b.at(".scratch"));
    const deps = { env: process.env, places: { home: b.dir }, tasks, starter, tracker };
    return builtinTools({ ...deps, roots: () => [b.dir], hidden: () => false });
  };
  const state = { tools: open() };
  const call = async (name: string, input: Record<string, unknown>): Promise<string> => {
    const id = `call${messages.length}`;
    const use: ToolUse = { type: "tool_use", id, name, input };
    const output = await run(use).catch((error: unknown): ToolOutput => ({ content: String(error), isError: true }));
    const head = { role: "assistant" as const, model: "m", stopReason: "tool_use" as const, usage: usage(1, 1) };
    messages.push({ ...head, id: `m${id}`, content: [use] });
    const { content, isError = false } = output;
    const result = { type: "tool_result" as const, tool_use_id: id, content, is_error: isError };
    messages.push({ role: "user", id: `r${id}`, content: [result] });
    return String(content);
  };
  const run = async ({ name, input, id }: ToolUse) => {
    const tool = state.tools.find(({ spec }) => spec.name === name);
    if (!tool) throw new Error(name);
    const signal = new AbortController().signal;
    return tool.run(tool.parse(input), {
      ...{ cwd: b.dir, callId: id, confine: "open", signal },
      progress() {},
      chdir() {},
      child() {},
    });
  };
  const edit = (old: string, fresh: string, more: object = {}) =>
    call("Edit", { file_path: "f", old_string: old, new_string: fresh, ...more });
  const resume = () => void (state.tools = open());
  return { b, messages, call, edit, resume, [Symbol.dispose]: () => b[Symbol.dispose]() };
}

const lines = (count: number) => Array.from({ length: count }, (_, i) => `line ${i + 1}\n`).join("");
const UNREAD = "has not been read yet";

test("after a resume what was read, written and edited is still known", async () => {
  using c = conversation();
  c.b.put("f", lines(50));
  await c.call("Read", { file_path: "f" });
  await c.edit("line 5\n", "five\nand more\n");
  await c.edit("line 40\nline 41\n", "");
  await c.edit("line 2", "L2", { replace_all: true });
  c.resume();
  expect(await c.edit("line 10\n", "ten\n")).toStartWith("Edited f (1 replacement, line 11).");
  c.resume();
  // All of it is known, so it may be replaced as a whole.
  expect(await c.call("Write", { file_path: "f", content: "new\r\n" })).toStartWith("Updated f");
  c.resume();
  expect(await c.edit("new", "newer")).toStartWith("Edited f");
});

test("of a file read in part those lines are known", async () => {
  using c = conversation();
  c.b.put("f", `${lines(100)}\n${"x".repeat(3000)}\n`);
  await c.call("Read", { file_path: c.b.at("f"), offset: 90 });
  await c.edit("line 95", "95");
  c.resume();
  expect(await c.edit("line 96", "96")).toStartWith("Edited f");
  c.resume();
  expect(await c.call("Write", { file_path: "f", content: "" })).toContain("Only lines 90-102 of");
});

test("a file that is not as it was shown has to be read again", async () => {
  using c = conversation();
  const changes = [
    lines(3).replace("line 2", "line two"),
    `${lines(3)}more\n`,
    "line 1\nline 2\n",
    lines(3).replace("\n", "\n\n"),
  ];
  for (const text of changes) {
    c.b.put("f", lines(3));
    await c.call("Read", { file_path: "f" });
    c.resume();
    c.b.put("f", text);
    expect([text, await c.edit("line 1", "x")]).toEqual([text, expect.stringContaining(UNREAD)]);
  }
  c.b.put("f", lines(3));
  expect(await c.edit("line 1", "one")).toStartWith("Edited f");
});

test("failed calls, other files and what a compaction took out show nothing", async () => {
  using c = conversation();
  c.b.put("f", lines(3));
  await c.call("Read", { file_path: "f", offset: 9 });
  expect(await c.edit("line 1", "x")).toContain(UNREAD);
  c.b.put("g", lines(3));
  await c.call("Read", { file_path: "g" });
  c.resume();
  expect(await c.edit("line 1", "x")).toContain(UNREAD);
  renameSync(c.b.at("g"), c.b.at("h"));
  symlinkSync("f", c.b.at("g"));
  await c.call("Read", { file_path: "f" });
  c.messages.length = 0;
  c.resume();
  expect(await c.edit("line 1", "x")).toContain(UNREAD);
});

test.skipIf(process.platform === "win32")("what cat, head and sed -n show was seen", async () => {
  const shows: [string, string][] = [
    ["cat f", "line 30"],
    ["cat -n './f'", "line 30"],
    ["nl -ba f", "line 30"],
    ['sed -n 20,30p "f"', "line 30"],
    ["sed -n '30p' f", "line 30"],
    ["sed -n '25,$p' f", "line 30"],
    ["head -n 30 f", "line 30"],
    ["head -5 f", "line 3\n"],
  ];
  for (const [command, old] of shows) {
    using c = conversation();
    c.b.put("f", lines(40));
    await c.call("Bash", { command });
    expect([command, await c.edit(old, "new")]).toEqual([command, expect.stringMatching(/^Edited f/)]);
  }
  const hides = [
    "cat f f",
    "cat f | head -3",
    "cat f; rm -f g",
    "cat $F",
    "cat f >g",
    "head -c 40 f",
    "cat *",
    "sed 5p f",
    "wc f",
  ];
  for (const command of hides) {
    using c = conversation();
    c.b.put("f", lines(40));
    await c.call("Bash", { command });
    expect([command, await c.edit("line 30", "new")]).toEqual([command, expect.stringContaining(UNREAD)]);
  }
});

test.skipIf(process.platform === "win32")("cat shows a file again that has changed since it was read", async () => {
  using c = conversation();
  c.b.put("f", lines(3));
  await c.call("Read", { file_path: "f" });
  await c.call("Bash", { command: "sed -i s/line/row/ f" });
  expect(await c.call("Write", { file_path: "f", content: "" })).toContain("has changed since it was read");
  await c.call("Bash", { command: "cat f" });
  expect(await c.call("Write", { file_path: "f", content: "row\n" })).toStartWith("Updated f");
});

test("property: whatever was read and edited, a resumed conversation knows the file exactly, or not at all", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const below = seeded(seed);
    using c = conversation();
    const word = () => ["a", "b", "c\n", "d\n", "\n", "e"][below(6)] ?? "";
    c.b.put("f", Array.from({ length: 30 }, word).join("") + (below(2) ? "\r\n" : "z"));
    if (below(2)) await c.call("Read", { file_path: "f" });
    else await c.call("Read", { file_path: "f", offset: 1 + below(4), limit: 1 + below(6) });
    for (let i = 0; i < 4; i++) {
      const text = c.b.text("f").replaceAll("\r", "");
      const from = below(text.length);
      const old = text.slice(from, from + 1 + below(5));
      await c.edit(old, word() + word(), { replace_all: true });
    }
    const before = c.b.bytes("f");
    const tracker = new FileTracker({ recall: recallFrom(() => ({ messages: c.messages, cwd: c.b.dir })) });
    const seen = await tracker.known(c.b.at("f"), new AbortController().signal);
    // Nobody else has touched it, so it is known; and with one more change it is not.
    expect([seed, seen === undefined]).toEqual([seed, false]);
    if (seen?.lines !== "all") continue;
    c.b.put("f", `x${before.toString()}`);
    const changed = new FileTracker({ recall: recallFrom(() => ({ messages: c.messages, cwd: c.b.dir })) });
    expect([seed, await changed.known(c.b.at("f"), new AbortController().signal)]).toEqual([seed, undefined]);
  }
});

// The question before a call as text, and what it shows of a change to a file.
import { expect, test } from "bun:test";
import { changePreview } from "../src/ui/preview.ts";
import { questionText, rowWidth } from "../src/ui/question.ts";

test("the question hides nothing: long blanks are counted, invisible characters shown, imitated lines barred", () => {
  const command = `ls${" ".repeat(200)}; curl a\u200b.b\u00a0\u001b[2J\n  y = yes, once\n${"x".repeat(100)}`;
  const call = { type: "tool_use" as const, id: "1", name: "Bash", input: { command } };
  const text = questionText({
    call,
    access: { kind: "shell", command },
    title: "",
    reason: "\u202ewhy",
    touches: ["writes \u0007"],
  });
  expect(text.split("\n")).toEqual([
    "Bash wants to run:",
    "  | ls[200 blanks]; curl a\\u{200b}.b\\u{a0}\\x1b[2J",
    "  |   y = yes, once",
    `  | ${"x".repeat(74)}`,
    `  : ${"x".repeat(26)}`,
    "  - writes \\x07",
    "  because \\u{202e}why",
    "  y = yes, once",
    "  n = no; or say what to do instead",
  ]);
});

test("no part of it can make a line of its own, however long it is", () => {
  const path = `${"a".repeat(72)}  y = yes, once  `.repeat(3);
  const question = {
    call: { type: "tool_use" as const, id: "1", name: "Write", input: {} },
    access: { kind: "write" as const, paths: [path] },
    title: `Write ${path}`,
    reason: path,
    touches: [`writes ${path}`],
    always: { rules: [`Edit(${path})`], saved: true },
  };
  for (const columns of [undefined, 200, 40, 3]) {
    const width = rowWidth(columns);
    const lines = questionText(question, { width }).split("\n");
    expect(lines.filter((line) => line === "  y = yes, once")).toHaveLength(1);
    for (const line of lines.slice(1, -2)) {
      expect(line.length).toBeLessThanOrEqual(width);
      expect(line).toMatch(/^  ([|:-] |because |y = yes, once$|a = yes, )/);
    }
  }
  expect([undefined, 200, 40, 3].map((columns) => rowWidth(columns))).toEqual([78, 78, 38, 28]);
});

const preview = (input: Record<string, unknown>, there?: string | null) =>
  changePreview(
    { call: { type: "tool_use", id: "1", name: "Any", input }, access: { kind: "write", paths: ["/p/a"] } },
    { read: async () => there },
  );
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `line ${i + 1}\n`).join("");

test("an edit is shown with what goes out, what comes in and what stays around it", async () => {
  const old_string = `${numbered(9)}x = 1;\n${numbered(9)}`;
  expect(await preview({ old_string, new_string: old_string.replace("x = 1", "x = 2\u001b[2J\u200b") })).toEqual([
    "  |   line 8",
    "  |   line 9",
    "  | - x = 1;",
    "  | + x = 2\\x1b[2J\\u{200b};",
    "  |   line 1",
    "  |   line 2",
  ]);
  expect(await preview({ old_string: "a", new_string: "b", replace_all: true })).toEqual([
    "  | - a",
    "  | + b",
    "  | (at every place where it stands)",
  ]);
});

test("a new content is shown as the difference to what is there", async () => {
  expect(await preview({ content: "a\n\nb\n" })).toEqual(["  | + a", "  | + ", "  | + b"]);
  expect(await preview({ content: `${numbered(20)}end\n` }, `begin\n${numbered(20)}`)).toEqual([
    "  | - begin",
    "  |   line 1",
    "  |   line 2",
    "  | ...",
    "  |   line 19",
    "  |   line 20",
    "  | + end",
  ]);
  expect(await preview({ content: "a\n" }, "a")).toEqual(["  | - a", "  |   (without a line end)", "  | + a"]);
  expect(await preview({ content: "same" }, "same")).toEqual(["  | (the file has this content already)"]);
  expect(await preview({ content: "" }, "gone\n")).toEqual(["  | - gone"]);
  expect(await preview({ content: "new" }, null)).toEqual([
    "  | (instead of a content that cannot be shown)",
    "  | + new",
  ]);
  expect(await preview({ command: "ls" })).toEqual([]);
});

test("much of it is cut, and counted", async () => {
  const long = await preview({ content: numbered(100) });
  expect(long).toHaveLength(21);
  expect(long.slice(-2)).toEqual(["  | + line 20", "  | ... and 80 more lines (in all 100 in, 0 out)"]);
  const wide = await preview({ content: "x".repeat(1_000_000) });
  expect(wide.map((row) => row.slice(4)).join("")).toBe(`+ ${"x".repeat(198)} [and 999802 more characters]`);
  // Nothing in it can look like the end of the question.
  const sly = await preview({ content: `${"z".repeat(73)}\n  y = yes, once\n` });
  for (const row of sly) expect(row).toMatch(/^  [|:] /);
});

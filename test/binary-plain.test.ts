// The plain interactive mode of the real binary, in a pseudo-terminal.
import { afterAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { questionText } from "../src/ui/plain.ts";
import { run, sandbox, type Sandbox } from "./binary.ts";
import { call, reply, say, stall, startFakeModel, type FakeModel, type ScriptEntry } from "./fake-model.ts";
import { startScreen } from "./screen.ts";

const boxes: Sandbox[] = [];
afterAll(() => boxes.forEach((box) => box.remove()));

/** A terminal with the program in it: type, and wait for what the screen shows. */
async function terminal(script: ScriptEntry[], args: string[] = [], before: string[] = []) {
  const model: FakeModel = await startFakeModel(script);
  const box = sandbox(model);
  boxes.push(box);
  if (before.length > 0) await run(box, before);
  return { model, box, ...startScreen(box, { args }) };
}

test("asks, runs, streams; commands; Ctrl-D leaves with 0", async () => {
  const t = await terminal([
    reply([say("I will look."), call("Bash", { command: "echo out-$((40+2)) > made.txt; cat made.txt" })]),
    say("Made it. \u001b[31mred\u001b[0m \u202Etrick"),
    call("Write", { file_path: "x.txt", content: "x" }),
    say("As you like."),
  ]);
  await t.sees("> ");
  t.type("make it\n");
  await t.sees(
    "I will look.\nBash wants to run:\n  | echo out-$((40+2)) > made.txt; cat made.txt\n  - writes made.txt\n",
  );
  // A redirection is not covered by any rule about a command, so there is no "always" to offer.
  await t.sees("y = yes, once\n  n = no; or say what to do instead");
  t.type("y\n");
  await t.sees("* Bash: echo out-");
  // Escape sequences and direction marks of the model never reach the terminal.
  await t.sees("Made it. \\x1b[31mred\\x1b[0m \\u{202e}trick");
  await t.sees("> ");
  t.type("write it\n");
  await t.sees("Write wants to");
  t.type("rather not, use y.txt\n");
  await t.sees("As you like.");
  expect(JSON.stringify(t.model.requests[3]?.body.messages.at(-1))).toContain("rather not, use y.txt");
  t.type("/modle\n");
  await t.sees("Did you mean /model?");
  t.type("/model haiku\n");
  await t.sees("Model: claude-haiku");
  t.type("/clear\n");
  await t.sees("New conversation");
  t.type("\u0004");
  expect(await t.child.exited).toBe(0);
  expect(t.model.violations).toEqual([]);
  await t.model.stop();
});

test("Ctrl-C interrupts the turn, a second one leaves; what was typed meanwhile is not lost", async () => {
  const t = await terminal([stall(reply([say("thinking about it"), say("x")]), 1), say("fresh answer")]);
  await t.sees("> ");
  t.type("go\n");
  await t.model.stalled(0);
  await t.sees("thinking about it");
  t.type("\u0003");
  await t.sees("(interrupted)");
  await t.sees("> ");
  t.type("again\n");
  await t.sees("fresh answer");
  await t.sees("> ");
  t.type("\u0003");
  await t.sees("(Ctrl-C again leaves)");
  t.type("\u0003");
  expect(await t.child.exited).toBe(130);
  expect(t.model.violations).toEqual([]);
  await t.model.stop();
});

test("a line typed while a command runs steers the turn; lines pasted together are one message", async () => {
  const t = await terminal(
    [call("Bash", { command: "while [ ! -e go ]; do sleep 0.02; done; echo went" }), say("ok"), say("got it")],
    ["--allowedTools", "Bash"],
  );
  await t.sees("> ");
  t.type("wait for it\n");
  await t.sees("* Bash: while");
  t.type("and be brief\n");
  await t.sees("and be brief");
  writeFileSync(join(t.box.cwd, "go"), "");
  await t.sees("ok");
  expect(JSON.stringify(t.model.requests[1]?.body.messages.at(-1))).toContain("and be brief");
  await t.sees("> ");
  t.type("first line\nsecond line\n");
  await t.sees("got it");
  expect(t.model.requests[2]?.body.messages.at(-1)?.content).toMatchObject([
    { type: "text", text: "first line\nsecond line" },
  ]);
  t.type("/exit\n");
  expect(await t.child.exited).toBe(0);
  await t.model.stop();
});

test("--continue says what it goes on with", async () => {
  const t = await terminal([say("one"), say("two")], ["-c"], ["-p", "the first prompt"]);
  await t.sees("Going on with: the first prompt");
  await t.sees("> ");
  t.type("and then\n");
  await t.sees("two");
  expect(t.model.requests[1]?.body.messages.length).toBe(3);
  t.type("\u0004");
  expect(await t.child.exited).toBe(0);
  await t.model.stop();
});

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

test("/cost says what was paid, or that it is unknown; /init sends its prompt with the person's wishes", async () => {
  const t = await terminal([say("Hello."), say("Written."), say("Unknown to me.")]);
  await t.sees("> ");
  t.type("/cost\n");
  await t.sees("Nothing was asked yet: no cost.");
  t.type("hi\n");
  await t.sees("Hello.");
  await t.sees("> ");
  t.type("/init mention the linter\n");
  await t.sees("Written.");
  const asked = JSON.stringify(t.model.requests[1]?.body.messages.at(-1)?.content);
  expect(asked).toContain("NANOCODE.md");
  expect(asked).toContain("The person also wants: mention the linter");
  await t.sees("> ");
  t.type("/cost\n");
  await t.sees("total");
  await t.sees("$");
  await t.sees("last turn");
  t.type("/model mystery-1\n");
  await t.sees("not in the catalog");
  t.type("hi\n");
  await t.sees("Unknown to me.");
  await t.sees("> ");
  t.type("/cost\n");
  await t.sees("mystery-1");
  await t.sees("unknown");
  await t.sees('settings key "models"');
  t.type("\u0004");
  expect(await t.child.exited).toBe(0);
});

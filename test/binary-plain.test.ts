// The plain interactive mode of the real binary, in a pseudo-terminal.
import { expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { call, reply, say, silence, stall } from "./fake-model.ts";
import { lastTexts, terminal } from "./plain-kit.ts";

test("asks, runs, streams; commands; Ctrl-D leaves with 0", async () => {
  const t = await terminal([
    reply([say("I will look."), call("Bash", { command: "echo out-$((40+2)) > made.txt; cat made.txt" })]),
    say("Made it. \u001b[31mred\u001b[0m \u202Etrick"),
    call("Write", { file_path: "x.txt", content: "one\ntwo\n" }),
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
  await t.sees("Write wants to do:\n  | Write x.txt\n  | + one\n  | + two\n  - writes /");
  t.type("rather not, use y.txt\n");
  await t.sees("As you like.");
  expect(JSON.stringify(t.model.requests[3]?.body.messages.at(-1))).toContain("rather not, use y.txt");
  t.type("/modle\n");
  await t.sees("Did you mean /model?");
  t.type("/model haiku\n");
  await t.sees("Model: claude-haiku");
  t.type("/clear\n");
  await t.sees("New conversation");
  await t.sees("> ");
  // What was chosen stays chosen.
  t.type("/model\n");
  await t.sees("Model: claude-haiku");
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

test("commands typed while the model works never reach it", async () => {
  const working = Promise.withResolvers<void>();
  const t = await terminal([stall(reply([say("at work"), say("done")]), 1, working.promise), say("as haiku")]);
  await t.sees("> ");
  t.type("go\n");
  await t.sees("at work");
  t.type("/cost\n");
  await t.sees("/cost\nNothing was asked yet: no cost.");
  t.type("/model haiku\n");
  await t.sees("(/model haiku: when this is done");
  working.resolve();
  await t.sees("> /model haiku\nModel: claude-haiku");
  t.type("hi\n");
  await t.sees("as haiku");
  expect(t.model.requests).toHaveLength(2);
  expect(t.model.requests[1]?.body.model).toContain("haiku");
  expect(t.model.requests[1]?.text).not.toContain("/cost");
  await t.sees("> ");
  t.type("\u0004");
  expect(await t.child.exited).toBe(0);
  expect(t.model.violations).toEqual([]);
  await t.model.stop();
});

test("Ctrl-C drops what waits for its turn, and says so", async () => {
  const t = await terminal([stall(reply([say("at work"), say("x")]), 1)]);
  await t.sees("> ");
  t.type("go\n");
  await t.sees("at work");
  t.type("/init\n");
  await t.sees("(/init: when this is done");
  t.type("\u0003");
  await t.sees("(interrupted)\n(not sent: you interrupted before it was its turn)\n  | /init\n\n> ");
  t.type("\u0004");
  expect(await t.child.exited).toBe(0);
  expect(t.model.requests).toHaveLength(1);
  await t.model.stop();
});

test("Ctrl-C ends /compact", async () => {
  const t = await terminal([say("word ".repeat(4_000)), silence()]);
  await t.sees("> ");
  t.type("go\n");
  await t.sees("\n\n> ");
  t.type("/compact\n");
  await t.model.stalled(1);
  t.type("\u0003");
  await t.sees("(interrupted)\n\n> ");
  t.type("\u0004");
  expect(await t.child.exited).toBe(0);
  await t.model.stop();
});

test("Ctrl-D at a question is a no; the turn ends and so does the program", async () => {
  const t = await terminal([call("Write", { file_path: "x.txt", content: "x" }), say("never")]);
  await t.sees("> ");
  t.type("write\n");
  await t.sees("? ");
  t.type("\u0004");
  await t.sees("(interrupted)");
  expect(await t.child.exited).toBe(0);
  expect(t.model.requests).toHaveLength(1);
  expect(existsSync(join(t.box.cwd, "x.txt"))).toBe(false);
  await t.model.stop();
});

test("a blank line sends nothing, whether the model works or not", async () => {
  const working = Promise.withResolvers<void>();
  const t = await terminal([stall(reply([say("at work"), say("done")]), 1, working.promise), say("never")]);
  await t.sees("> ");
  t.type("\n");
  await t.sees("> ");
  t.type("go\n");
  await t.sees("at work");
  t.type("\n");
  t.type("  \n");
  t.type("/cost\n");
  await t.sees("no cost.");
  working.resolve();
  await t.sees("done");
  await t.sees("> ");
  t.type("\u0004");
  expect(await t.child.exited).toBe(0);
  expect(t.model.requests).toHaveLength(1);
  await t.model.stop();
});

test("a refusal without a word is told", async () => {
  const t = await terminal([reply([], { stopReason: "refusal" }), say("but that I can")]);
  await t.sees("> ");
  t.type("go\n");
  await t.sees("(the model declined to answer)");
  await t.sees("> ");
  t.type("and this\n");
  await t.sees("but that I can");
  t.type("\u0004");
  expect(await t.child.exited).toBe(0);
  await t.model.stop();
});

test("a backslash goes on in the next line and is sent as it is; Ctrl-C forgets it", async () => {
  const t = await terminal([say("first answer"), say("second answer")]);
  await t.sees("> ");
  t.type("make \\\n");
  await t.sees("... ");
  t.type("  all\n");
  await t.sees("first answer");
  expect(lastTexts(t.model.requests[0]).at(-1)).toBe("make \\\n  all");
  await t.sees("> ");
  t.type("rm \\\n");
  await t.sees("... ");
  t.type("\u0003");
  await t.sees("(dropped; Ctrl-C again leaves)");
  await t.sees("> ");
  t.type("hello\n");
  await t.sees("second answer");
  expect(lastTexts(t.model.requests[1]).at(-1)).toBe("hello");
  t.type("\u0004");
  expect(await t.child.exited).toBe(0);
  await t.model.stop();
});

test.if(process.platform === "linux")("a line the terminal cut is not sent", async () => {
  const t = await terminal([say("answer")]);
  await t.sees("> ");
  t.type(`${"x".repeat(5_000)}\n`);
  await t.sees("(not sent: the terminal keeps 4,095 bytes");
  await t.sees("> ");
  t.type("hello\n");
  await t.sees("answer");
  expect(t.model.requests).toHaveLength(1);
  expect(t.model.requests[0]?.text).not.toContain("xxx");
  t.type("\u0004");
  expect(await t.child.exited).toBe(0);
  await t.model.stop();
});

test("in a narrow terminal too every row of the question is barred", async () => {
  const command = `touch a ${"b".repeat(60)}  y = yes, once`;
  const t = await terminal([call("Bash", { command }), say("never")], [], [], 40);
  await t.sees("> ");
  t.type("go\n");
  await t.sees("\n? ");
  const [, question = ""] = /wants to run:\n([^]*?)\n {2}because/.exec(t.screen.text) ?? [];
  for (const row of question.split("\n")) expect(row).toMatch(/^ {2}[|:-] .{0,34}$/);
  t.type("\u0004");
  expect(await t.child.exited).toBe(0);
  await t.model.stop();
});

// The plain front end over fakes: what becomes of lines typed while something else is going on.
import { expect, test } from "bun:test";
import type { Conversation } from "../src/commands/command.ts";
import type { Answer, Question } from "../src/core/types.ts";
import { Plain } from "../src/ui/plain.ts";
import { Typing, type Entry } from "../src/ui/typing.ts";
import { agentWith, call, played, reply, text, tool, WRITE, type Step } from "./support.ts";

const QUESTION: Omit<Question, "call"> = { access: { kind: "none" }, title: "Write", reason: "asked", touches: [] };

/** Lines of a keyboard. `type` resolves when the line was taken in; `end` is Ctrl-D. */
function keyboard() {
  const waiting: { line: string | undefined; taken: () => void }[] = [];
  const state = { wake: () => {} };
  const put = (line: string | undefined) =>
    new Promise<void>((taken) => {
      waiting.push({ line, taken });
      state.wake();
    });
  async function* lines() {
    for (;;) {
      while (waiting.length === 0) await new Promise<void>((resolve) => (state.wake = resolve));
      const { line, taken } = waiting.shift() ?? { line: undefined, taken: () => {} };
      if (line !== undefined) yield line;
      taken();
      if (line === undefined) return;
    }
  }
  return { lines: lines(), type: (line: string) => put(line), end: () => put(undefined) };
}

function front(replies: Step[][]) {
  const keys = keyboard();
  const screen = { text: "", read: 0, changed: Promise.withResolvers<void>() };
  const provider = played(replies);
  const answers: Answer[] = [];
  const state: { plain?: Plain } = {};
  const write = tool("Write", WRITE, () => ({ content: "written" }));
  const { agent } = agentWith(provider, [write], {
    steering: () => state.plain?.steering() ?? [],
    admit: async (call, _access, _title, signal) => {
      const answer = await state.plain?.host.ask({ ...QUESTION, call }, signal);
      if (answer) answers.push(answer);
      if (answer?.behavior === "allow") return { behavior: "allow" };
      return { behavior: "deny", message: "no", ...(answer?.interrupt ? { interrupt: true } : {}) };
    },
  });
  const conversation = {
    agent,
    version: "0",
    settled: async () => {},
    status: async () => ["mode: default"],
    skills: () => ({ skills: [], problems: [] }),
  } as unknown as Conversation;
  const out = {
    isTerminal: true,
    drained: async () => {},
    write(more: string) {
      screen.text += more;
      screen.changed.resolve();
      screen.changed = Promise.withResolvers();
    },
  };
  const plain = new Plain({ conversation, out, lines: keys.lines });
  state.plain = plain;
  const sees = async (wanted: string) => {
    for (;;) {
      const at = screen.text.indexOf(wanted, screen.read);
      if (at >= 0) return void (screen.read = at + wanted.length);
      await screen.changed.promise;
    }
  };
  const asked = (i: number) => provider.requests[i]?.messages.at(-1)?.content;
  return { plain, keys, screen, sees, provider, answers, asked, code: plain.run() };
}

const silent: Step[] = [
  { type: "text.delta", text: "thinking" },
  { type: "wait", until: new Promise(() => {}) },
];

test("after Ctrl-C what was typed before it is not sent but shown; what is typed after it is", async () => {
  const t = front([silent, reply([text("fresh")])]);
  await t.keys.type("go");
  await t.sees("thinking");
  await t.keys.type("/model x");
  await t.sees("(/model x: when this is done; Ctrl-C ends it now)");
  await t.keys.type("and \u001b[31mthis");
  expect(t.plain.interrupt()).toBe(false);
  await t.sees(
    "(interrupted)\n(not sent: you interrupted before it was its turn)\n  | /model x\n  | and \\x1b[31mthis\n",
  );
  await t.sees("> ");
  await t.keys.type("something else");
  await t.sees("> ");
  expect(JSON.stringify(t.asked(1))).toContain("something else");
  expect(JSON.stringify(t.provider.requests)).not.toContain("this");
  await t.keys.end();
  expect(await t.code).toBe(0);
});

test("a blank line while the model works sends nothing", async () => {
  const working = Promise.withResolvers<void>();
  const t = front([
    [{ type: "text.delta", text: "thinking" }, { type: "wait", until: working.promise }, ...reply([text("done")])],
  ]);
  await t.keys.type("go");
  await t.sees("thinking");
  await t.keys.type("");
  await t.keys.type("  ");
  working.resolve();
  await t.sees("\n> ");
  await t.keys.end();
  expect(await t.code).toBe(0);
  expect(t.provider.requests).toHaveLength(1);
});

test("commands while the model works: what only shows something does at once, the rest when it is done", async () => {
  const working = Promise.withResolvers<void>();
  const t = front([
    [{ type: "text.delta", text: "thinking" }, { type: "wait", until: working.promise }, ...reply([text("done")])],
  ]);
  await t.keys.type("go");
  await t.sees("thinking");
  await t.keys.type("/status");
  await t.sees("mode: default");
  await t.keys.type("/statsu");
  await t.sees("Did you mean /status?");
  await t.keys.type("/exit");
  await t.sees("(/exit: when this is done; Ctrl-C ends it now)");
  working.resolve();
  await t.sees("> /exit\n");
  expect(await t.code).toBe(0);
  expect(t.provider.requests).toHaveLength(1);
});

test("Ctrl-D at a question is a no that ends the turn and the program", async () => {
  const t = front([reply([call("w", "Write")])]);
  await t.keys.type("go");
  await t.sees("? ");
  await t.keys.end();
  await t.sees("(interrupted)");
  expect(await t.code).toBe(0);
  expect(t.answers).toEqual([{ behavior: "deny", interrupt: true }]);
  expect(t.provider.requests).toHaveLength(1);
});

test("at a question a command that shows something answers, and the question stays", async () => {
  const t = front([reply([call("w", "Write")]), reply([text("done")])]);
  await t.keys.type("go");
  await t.sees("? ");
  await t.keys.type("/status");
  await t.sees("mode: default");
  await t.sees("? ");
  await t.keys.type("/tmp is a better place");
  await t.sees("> ");
  expect(t.answers).toEqual([
    { behavior: "deny", message: "The person declined this call and said: /tmp is a better place" },
  ]);
  await t.keys.end();
  expect(await t.code).toBe(0);
});

test("a line typed before the question came does not answer it", async () => {
  const working = Promise.withResolvers<void>();
  const t = front([
    [
      { type: "text.delta", text: "thinking" },
      { type: "wait", until: working.promise },
      ...reply([call("w", "Write")]),
    ],
    reply([text("done")]),
  ]);
  await t.keys.type("go");
  await t.sees("thinking");
  await t.keys.type("y");
  working.resolve();
  await t.sees("? ");
  await t.sees("(typed before the question: no answer to it, but told to the model)\n? ");
  await t.keys.type("n");
  await t.sees("\n> ");
  expect(t.answers).toEqual([{ behavior: "deny" }]);
  expect(JSON.stringify(t.asked(1))).toContain('"y"');
  await t.keys.end();
  expect(await t.code).toBe(0);
});

function typing(platform: NodeJS.Platform = "linux") {
  const took = Promise.withResolvers<Entry<string>>();
  const goesOn = Promise.withResolvers<void>();
  const state = { now: "first" };
  const one = new Typing({ mark: () => state.now, take: took.resolve, onGoesOn: goesOn.resolve, platform });
  return { typing: one, took: took.promise, goesOn: goesOn.promise, state };
}

test("lines that come together are one entry, unchanged, of the moment when the first came", async () => {
  const t = typing();
  for (const line of ["a \\", "", "b"]) t.typing.line(line);
  t.state.now = "later";
  expect(await t.took).toEqual({ text: "a \\\n\nb", began: "first", isCut: false });
});

test("a backslash at the end waits for the next line; dropped, nothing of it is left", async () => {
  const t = typing();
  t.typing.line("a \\");
  await t.goesOn;
  t.typing.line("b");
  expect((await t.took).text).toBe("a \\\nb");
  const dropped = typing();
  dropped.typing.line("rm \\");
  await dropped.goesOn;
  expect(dropped.typing.drop()).toBe("rm \\");
  dropped.typing.line("b");
  expect((await dropped.took).text).toBe("b");
});

test("a line that fills what the terminal keeps is known as cut, also in the middle of a character", () => {
  const isCut = (line: string, platform?: NodeJS.Platform) => {
    const seen: boolean[] = [];
    const one = new Typing({
      mark: () => 0,
      take: (e) => seen.push(e.isCut),
      onGoesOn: () => {},
      platform: platform ?? "linux",
    });
    one.line(line);
    one.end();
    return seen;
  };
  const kept = (whole: string) => new TextDecoder().decode(Buffer.from(whole).subarray(0, 4_095));
  expect(isCut("x".repeat(4_094))).toEqual([false]);
  for (const lead of ["", "x", "xx", "xxx"]) {
    for (const char of ["x", "é", "€", "😀"]) expect(isCut(kept(lead + char.repeat(5_000)))).toEqual([true]);
  }
  expect(isCut("x".repeat(4_096))).toEqual([false]);
  expect(isCut("x".repeat(4_095), "darwin")).toEqual([false]);
});

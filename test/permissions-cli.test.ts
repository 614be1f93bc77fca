// `nanocode permissions` with its arguments, the real engine and real files: what it prints and how it leaves.
import { afterAll, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { permissionsCommand, type PermissionsWorld } from "../src/commands/permissions.ts";
import { recorded } from "../src/commands/permissions-simulate.ts";
import { parseArgs } from "../src/config/args.ts";
import type { Situation } from "../src/permissions/decision.ts";
import { accessBy, judgeWith, modeOf, verdictOf } from "../src/permissions/query.ts";
import { parseRules } from "../src/permissions/rules.ts";
import { DISK, NO_WALL } from "../src/permissions/world.ts";
import { idleTools } from "./tools-kit.ts";
import type { DurableEvent } from "../src/core/types.ts";
import { ends, optionsIn, record, replies, says, uses } from "./session-kit.ts";

const root = realpathSync(mkdtempSync(join(tmpdir(), "nanocode-permissions-")));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const home = join(root, "home");
const cwd = join(home, "project");
const tmp = join(root, "tmp");
const sessions = join(root, "sessions");
for (const path of [cwd, tmp, sessions]) mkdirSync(path, { recursive: true });

const said: string[] = [];
const data: unknown[] = [];
beforeEach(() => {
  said.length = 0;
  data.length = 0;
});

const access = accessBy(idleTools(home));

/** Today's rules of any folder: `npm test` runs, `git push` never does. */
function today(folder: string): Situation {
  const allow = [{ text: "Bash(npm test:*)", source: "/s.json:3" }];
  const deny = [{ text: "Bash(git push:*)", source: "/s.json:7" }];
  const world = {
    cwd: folder,
    root: folder,
    home,
    roots: [folder],
    programs: [],
    readable: [],
    files: DISK,
    wall: NO_WALL,
  };
  return { rules: parseRules({ allow, deny, ask: [] }, { cwd: folder, home }).rules, mode: "default", world };
}

function world(more: Partial<PermissionsWorld> = {}): PermissionsWorld {
  return {
    judge: judgeWith({ cwd, home, access, today: async () => today(cwd) }),
    replayIn: async (folder, named) => {
      const { rules, mode, world: at } = today(folder);
      const situation = { rules, mode: named === undefined ? mode : modeOf(named), world: at };
      return (call, now) => verdictOf(call, { ...situation, world: { ...at, cwd: now } }, { access, fix: true });
    },
    lines: () => linesOf([]),
    say: (text) => void said.push(text),
    data: (value) => void data.push(value),
    sessions,
    cwd,
    tmp,
    path: process.env.PATH,
    signal: new AbortController().signal,
    onExit: () => undefined,
    ...more,
  };
}

async function* linesOf(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

/** As typed behind `nanocode`. */
async function type(words: string[], more: Partial<PermissionsWorld> = {}): Promise<number> {
  const { command } = parseArgs(words);
  if (command.kind !== "permissions") throw new Error(`it is ${command.kind}`);
  return permissionsCommand(command.args, world(more));
}

function file(name: string, lines: readonly (object | string)[]): string {
  const path = join(root, name);
  writeFileSync(path, lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"));
  return path;
}

// ---- Arguments ----

test("what follows -- is one text, whatever it looks like; the options about rules are the program's", () => {
  const args = (...words: string[]) => {
    const { command, options } = parseArgs(["permissions", ...words]);
    return [command, options];
  };
  const made = (...words: string[]) => ({ kind: "permissions" as const, args: words });
  expect(args("explain", "--", "ls -la | head")).toEqual([made("explain", "--", "ls -la | head"), {}]);
  expect(args("explain", "--", "git", "log", "--", "-h", "--json")).toEqual([
    made("explain", "--", "git log -- -h --json"),
    {},
  ]);
  expect(args("explain", "--allowed-tools", "Bash(npm:*)", "Edit", "--json", "--", "x")).toEqual([
    made("explain", "--json", "--", "x"),
    { allowedTools: ["Bash(npm:*)", "Edit"] },
  ]);
  expect(args("explain", "--permission-mode=plan", "Read", "{}")).toEqual([
    made("explain", "Read", "{}"),
    { permissionMode: "plan" },
  ]);
  expect(parseArgs(["--settings", "s.json", "permissions", "test", "f"])).toEqual({
    command: made("test", "f"),
    options: { settings: "s.json" },
  });
});

test("what is not understood says what there is", async () => {
  const rows: [string[], string][] = [
    [[], "permissions has three commands: explain, test and simulate"],
    [["check"], 'there is no "permissions check"; permissions has three commands: explain, test and simulate'],
    [["explain"], "ask about a command behind --"],
    [["explain", "Bash", "ls"], "the input of Bash must be a JSON object; a command goes behind --"],
    [["explain", "Bash", "[1]"], '"input" must be an object'],
    [["explain", "Bash", "{}", "x"], "ask about a command behind --"],
    [["explain", "--fast", "--", "ls"], "unknown option '--fast'"],
    [["explain", "--stdin", "--", "ls"], "--stdin reads the calls from its lines"],
    [["explain", "--mode", "yolo", "--", "ls"], '"yolo" is not a permission mode: expected one of default, '],
    [["explain", "Edit", '{"file_path":3}'], "file_path"],
    [["test"], "name the files"],
    [["test", "--json", "f"], "permissions test takes no --json"],
    [["simulate"], "name one conversation"],
    [["simulate", "no-such"], "No conversation found: no-such"],
  ];
  for (const [words, message] of rows) await expect(type(["permissions", ...words])).rejects.toThrow(message);
  expect(await type(["permissions", "--help"])).toBe(0);
  expect(await type(["permissions", "explain", "--help"])).toBe(0);
  expect(said.map((text) => text.split("\n")[1])).toEqual(
    Array(2).fill("  nanocode permissions explain [--mode MODE] [--json] -- COMMAND"),
  );
});

// ---- explain ----

test("a command: the decision, each part aligned, what decided, what it touches, what would change it", async () => {
  expect(await type(["permissions", "explain", "--", "rm -rf dist && weave all && npm test"])).toBe(0);
  expect(said).toEqual([
    `ask  rm -rf dist && weave all && npm test
  ask    rm -rf dist  rm removes files
  ask    weave all    weave is not known to only read
  allow  npm test     the rule Bash(npm test:*) (/s.json:3)
Step:     default mode: rm removes files
Touches:  removes dist
Sandbox:  none is in use; with one, only the project and a private temporary folder can be written
Would be allowed by: Bash(rm -rf dist), Bash(weave all)`,
  ]);
});

test("a rule that decided is named with file and line; what it forbids stands until it goes", async () => {
  expect(await type(["permissions", "explain", "--", "git", "push"])).toBe(0);
  expect(said).toEqual([
    `deny  git push
  deny   git push  the rule Bash(git push:*) (/s.json:7)
Step:     deny rule: the rule Bash(git push:*) (/s.json:7) forbids it
Rule:     Bash(git push:*)  (/s.json:7)
Stands until this rule goes: Bash(git push:*)  (/s.json:7)`,
  ]);
});

test("the sandbox a command would run in is only claimed where there is one", async () => {
  const wall = { ...NO_WALL, active: true };
  const walled = async () => ({ ...today(cwd), world: { ...today(cwd).world, wall } });
  const judge = judgeWith({ cwd, home, access, today: walled });
  await type(["permissions", "explain", "--", "weave"], { judge });
  await type(["permissions", "explain", "--mode", "bypass", "--", "weave"], { judge });
  await type(["permissions", "explain", "--", "true"], { judge });
  const lines = said.flatMap((text) => text.split("\n")).filter((line) => line.startsWith("Sandbox:"));
  expect(lines).toEqual([
    "Sandbox:  only the project and a private temporary folder can be written",
    "Sandbox:  it would run outside",
    "Sandbox:  nothing can be written, no network",
  ]);
});

test("other tools, other modes, several lines, runs of blanks", async () => {
  await type(["permissions", "explain", "--mode", "acceptEdits", "Write", '{"file_path":"a.ts","content":"x"}']);
  await type(["permissions", "explain", "--mode=plan", "--", "weave"]);
  await type(["permissions", "explain", "--", "rm -rf ~"]);
  await type(["permissions", "explain", "--mode=dontAsk", "--", `true${" ".repeat(90)};\nweave`]);
  expect(said).toEqual([
    `allow  Write {"file_path":"a.ts","content":"x"}
Step:     acceptEdits mode: it edits inside the project
Touches:  writes ${cwd}/a.ts
Would be stopped by the deny rule: Write`,
    `deny  weave
  ask    weave  weave is not known to only read
Step:     plan mode changes nothing, and weave is not known to only read: present the plan first (with ExitPlanMode, where it is offered)
Would be decided by rules and the person once plan mode is left.`,
    `ask  rm -rf ~
  ask    rm -rf ~  rm removes files
Step:     critical removal: it removes ${home}: that is asked in every mode
Touches:  removes ${home}
Sandbox:  none is in use; with one, only the project and a private temporary folder can be written
No allow rule changes this.`,
    `deny  true[90 blanks];
      weave
  allow  true   only reads
  ask    weave  weave is not known to only read
Step:     dontAsk mode: weave is not known to only read, and in dontAsk mode nothing is asked
Sandbox:  none is in use; with one, only the project and a private temporary folder can be written
Would be allowed by: Bash(weave)`,
  ]);
});

test("a fault of ours is not taken for a mistake of the person", async () => {
  const fault = new TypeError("x is not a function");
  const asked = type(["permissions", "explain", "--", "weave"], { judge: () => Promise.reject(fault) });
  await expect(asked).rejects.toBe(fault);
});

test("--json is the verdict as one object", async () => {
  expect(await type(["permissions", "explain", "--json", "--", "npm test"])).toBe(0);
  expect([said, data]).toEqual([
    [],
    [
      {
        decision: "allow",
        step: "allow",
        reason: "the rule Bash(npm test:*) (/s.json:3) allows it",
        rule: { text: "Bash(npm test:*)", source: "/s.json:3" },
        parts: [
          {
            text: "npm test",
            decision: "allow",
            reason: "the rule Bash(npm test:*) (/s.json:3)",
            rule: { text: "Bash(npm test:*)", source: "/s.json:3" },
          },
        ],
        touches: [],
        mode: "default",
        confine: "workspace",
        walled: false,
        fix: ["Bash(npm test:*)"],
      },
    ],
  ]);
});

// ---- explain --stdin ----

test("one answer per line, in order; a bad line is an error of its own", async () => {
  const lines = [
    '\uFEFF{"id":1,"command":"npm test"}',
    "",
    "  ",
    '{"id":',
    "[]",
    '{"id":"r","tool":"Read","input":{"file_path":"/etc/passwd"},"rules":{"deny":["Read(//etc/**)"]},"mode":"bypass"}',
    '{"id":{"a":1},"command":"npm test","cwd":"/p","home":"/h"}',
    '{"id":4,"command":"weave","tool":"Read"}',
    '{"id":5,"tool":7}',
    '{"id":6,"command":"ls","rules":{"denny":["Bash"]}}',
    '{"id":7,"command":"ls","rules":{"deny":["Bash",3]}}',
    '{"id":8,"command":"ls","rules":{"ask":["Bash("]}}',
    '{"id":9,"command":"ls","mode":"x"}',
    '{"id":10,"command":"ls","cwd":3}',
    '{"id":11,"tool":"Edit","input":{}}',
    '{"command":"weave","rules":null,"mode":null}',
    '{"id":13,"tool":"Bash","command":"npm test"}\r',
  ];
  expect(await type(["permissions", "explain", "--stdin"], { lines: () => linesOf(lines) })).toBe(1);
  const short = data.map((value) => {
    const { id, line, decision, error } = value as Record<string, unknown>;
    return error === undefined ? [id, decision] : [id, line, String(error).split("\n")[0]];
  });
  expect(short).toEqual([
    [1, "allow"],
    [null, 4, "the line is not JSON: JSON Parse error: Unexpected EOF"],
    [null, 5, "the line must be a JSON object"],
    ["r", "deny"],
    [{ a: 1 }, "ask"],
    [4, 8, 'give "command", a text, or "tool" and "input", not both'],
    [5, 9, '"command" or "tool" is missing, a text'],
    [6, 10, '"rules" has the lists allow, deny and ask, not "denny"'],
    [7, 11, '"rules.deny" must be a list of texts'],
    [
      8,
      12,
      'rules.ask[0]: "Bash(" is not a permission rule: expected Tool or Tool(pattern). Rules that forbid are never skipped; correct it.',
    ],
    [9, 13, expect.stringContaining('"x" is not a permission mode')],
    [10, 14, '"cwd" must be a text'],
    [11, 15, "Edit was called with input that does not fit its schema:"],
    [null, "ask"],
    [13, "allow"],
  ]);
});

test("--mode is for the lines that have none; without a bad line the exit code is 0", async () => {
  const lines = ['{"id":1,"command":"weave"}', '{"id":2,"command":"weave","mode":"default"}'];
  expect(await type(["permissions", "explain", "--stdin", "--mode", "bypass"], { lines: () => linesOf(lines) })).toBe(
    0,
  );
  expect(data).toMatchObject([
    { id: 1, decision: "allow", parts: [{ text: "weave" }] },
    { id: 2, decision: "ask" },
  ]);
});

test("an answer comes before the next line is read", async () => {
  const order: string[] = [];
  async function* lines() {
    for (const id of [1, 2]) {
      order.push(`line ${id}`);
      yield JSON.stringify({ id, command: "weave" });
    }
  }
  await type(["permissions", "explain", "--stdin"], { lines, data: () => void order.push("answer") });
  expect(order).toEqual(["line 1", "answer", "line 2", "answer"]);
});

// ---- test ----

const RULE = {
  rules: { allow: ["Bash(weave:*)"] },
  cwd: "{{HOME}}/project",
  tool: "Bash",
  input: { command: "weave" },
};

test("the three shapes: rule cases, dangerous and read-only commands; all right is 0", async () => {
  const rules = file("cases.jsonl", [
    { id: "r1", ...RULE, expect: "allow" },
    "",
    { id: "r2", ...RULE, mode: "bypass", rules: { ask: ["Bash"] }, expect: "deny", also_ok: ["ask"] },
  ]);
  const commands = file("commands.jsonl", [
    { id: "d1", command: "weave", class: "build" },
    { id: "s1", command: "true", class: "compound" },
  ]);
  const dangerous = file("my-dangerous.jsonl", [{ id: "d2", command: "weave" }]);
  const readonly = file("my-read-only.jsonl", [{ id: "s2", command: "true" }]);
  expect(await type(["permissions", "test", rules, commands, dangerous, readonly])).toBe(0);
  expect(said).toEqual([
    "cases.jsonl: 2 of 2 rule cases right",
    "commands.jsonl: 0 of 1 dangerous approved, 0 of 1 read-only asked (0.0 %)",
    "my-dangerous.jsonl: 0 of 1 dangerous approved",
    "my-read-only.jsonl: 0 of 1 read-only asked (0.0 %)",
  ]);
});

test("every difference is a line of its own, and the exit code 1", async () => {
  const path = file("different.jsonl", [
    { id: "r1", ...RULE, expect: "ask" },
    { id: "r2", ...RULE, rules: { deny: ["Bash("] }, expect: "deny" },
    { id: "d1", command: "true", class: "build" },
    { id: "s1", command: "weave\nall", class: "search" },
    { id: "s2", command: "true", class: "search" },
    { id: "s3", command: "true", class: "search" },
  ]);
  expect(await type(["permissions", "test", path])).toBe(1);
  expect(said).toEqual([
    "r1: expected ask, got allow (the rule Bash(weave:*) (rules.allow[0]) allows it): weave",
    'r2: expected deny, got an error (rules.deny[0]: "Bash(" is not a permission rule: expected Tool or Tool(pattern). Rules that forbid are never skipped; correct it.): weave',
    "d1: expected not allow, got allow (it only reads, inside the project): true",
    "s1: expected allow, got ask (weave is not known to only read): weave\\nall",
    "different.jsonl: 0 of 2 rule cases right, 1 of 1 dangerous approved, 1 of 3 read-only asked (33.3 %)",
  ]);
});

test("a file or a line that cannot be read is named, the others are still judged, and the exit code is 2", async () => {
  const path = file("broken.jsonl", [
    "{",
    { id: "d1", command: "weave", class: "build" },
    { id: "x", rules: {}, tool: "Bash", input: { command: "ls" }, expect: "maybe" },
    { id: "x" },
    { id: "x", command: "weave" },
  ]);
  const missing = join(root, "missing.jsonl");
  expect(await type(["permissions", "test", path, missing])).toBe(2);
  expect(said).toEqual([
    `${path}:1: not JSON: JSON Parse error: Expected '}'`,
    `${path}:3: expect and also_ok are allow, deny or ask`,
    `${path}:4: neither a command nor a case with rules and expect`,
    `${path}:5: a command needs a "class", or a file whose name says readonly or dangerous`,
    "broken.jsonl: 0 of 1 dangerous approved",
    expect.stringContaining(`${missing} cannot be read: ENOENT`),
    "missing.jsonl: no cases",
  ]);
});

test("a setup makes its files in a home of its own, with nothing of ours in its environment; all is removed", async () => {
  process.env["NANOCODE_TEST_SECRET"] = "planted";
  const read = (file_path: string) => ({ rules: {}, tool: "Read", input: { file_path }, cwd: "{{HOME}}/project" });
  const path = file("setups.jsonl", [
    // Each of these is only right when the setup ran in the case's folder.
    { id: "link", ...read("{{CWD}}/out"), setup: "ln -s {{HOME}}/secret out", expect: "ask" },
    { id: "plain", ...read("{{CWD}}/out"), setup: "echo x > out", expect: "allow" },
    { id: "home", ...read("{{CWD}}/to"), setup: 'ln -s "$HOME/s" to', expect: "ask" },
    { id: "pwd", ...read("here/x"), cwd: "{{HOME}}/a/b", setup: 'ln -s "$PWD" here; echo > x', expect: "allow" },
    { id: "clean", ...read("leak"), setup: '[ -z "$NANOCODE_TEST_SECRET$BASH_ENV" ] || ln -s / leak', expect: "allow" },
    { id: "stdin", ...read("got"), setup: "if read -r line; then ln -s / got; fi", expect: "allow" },
    { id: "fails", ...read("x"), setup: "echo out; echo err >&2; exit 3", expect: "allow" },
    {
      id: "deny",
      ...read("a/b"),
      rules: { deny: ["Read({{CWD}}/a)", "Read(/{{CWD}}/a)"] },
      setup: "mkdir a",
      expect: "deny",
    },
    { id: "cmd", command: "ls out", class: "list-files", setup: "mkdir out" },
    { id: "cmd-home", command: "cat /home/dev/project/in", class: "read-file", setup: "echo x > /home/dev/project/in" },
    { id: "cmd-link", command: "cat in", class: "leak", setup: "ln -s /home/dev/secret in" },
    { id: "outside", ...read("x"), cwd: "/", setup: "true", expect: "allow" },
  ]);
  const before = existsSync("/home/dev/project/in");
  expect(await type(["permissions", "test", path])).toBe(1);
  delete process.env["NANOCODE_TEST_SECRET"];
  expect(said).toEqual([
    'outside: expected allow, got an error (the working directory of a case with a setup must be below {{HOME}}): Read {"file_path":"x"}',
    "setups.jsonl: 8 of 9 rule cases right, 0 of 1 dangerous approved, 0 of 2 read-only asked (0.0 %)",
  ]);
  expect([existsSync("/home/dev/project/in"), readdirSync(tmp)]).toEqual([before, []]);
});

test("without bash a setup is an error that says so", async () => {
  const path = file("nobash.jsonl", [{ id: "r", ...RULE, setup: "true", expect: "allow" }]);
  const empty = join(root, "empty-path");
  mkdirSync(empty);
  const old = process.env["PATH"];
  try {
    process.env["PATH"] = empty;
    expect(await type(["permissions", "test", path], { path: empty })).toBe(1);
  } finally {
    process.env["PATH"] = old;
  }
  expect(said[0]).toStartWith("r: expected allow, got an error (its setup needs bash: ");
});

test("a setup that does not end is given up when the program is told to stop", async () => {
  const stop = new AbortController();
  const started = join(root, "started");
  const path = file("hang.jsonl", [{ id: "r", ...RULE, setup: `mkfifo f; echo > ${started}; cat f`, expect: "allow" }]);
  const running = type(["permissions", "test", path], { signal: stop.signal });
  while (!existsSync(started)) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  expect(await running).toBe(0);
  expect(readdirSync(tmp)).toEqual([]);
});

// ---- simulate ----

const moved: DurableEvent = { type: "cwd", cwd: join(cwd, "sub") };

function recordSession(name: string, events: DurableEvent[]): string {
  const options = optionsIn(sessions, { cwd, title: name });
  record(options, events);
  return options.id;
}

const bash = (id: string, command: string) => uses(id, "Bash", { command });
const [one, two, three, four, five, six] = [
  bash("c1", "cd sub"),
  uses("c2", "Write", { file_path: "x.ts", content: "" }),
  bash("c3", "git push"),
  bash("c4", "npm test"),
  bash("c5", "weave"),
  bash("c6", "weave"),
];
const conversation: DurableEvent[] = [
  says("go"),
  replies([one, two]),
  moved,
  ends(one),
  ends(two),
  replies([three, four, five]),
  { ...ends(three), outcome: "denied" } as DurableEvent,
  ends(four),
  ends(five),
  replies([six]),
];

test("a conversation's calls by today's rules: in groups, counted, with what was denied then and the rules that would help", async () => {
  mkdirSync(join(cwd, "sub"), { recursive: true });
  const id = recordSession("My work", conversation);
  for (const session of [id, id.slice(0, 8), "my work", join(sessions, "project", `${id}.jsonl`)]) {
    said.length = 0;
    expect(await type(["permissions", "simulate", session])).toBe(0);
    expect(said).toEqual([
      `My work: 6 calls from ${cwd}, by today's rules in default mode
asked 3, denied 1, allowed 2; 1 was denied then

asked:
    1 x  Write x.ts  it changes files
    2 x  Bash weave  weave is not known to only read

denied:
    1 x  Bash git push  the rule Bash(git push:*) (/s.json:7) forbids it  [denied then]

allowed:
    1 x  Bash cd sub    it only reads, inside the project
    1 x  Bash npm test  the rule Bash(npm test:*) (/s.json:3) allows it

Asked most: weave (2), Write (1)
Rules that would cover the most of it:
  Bash(weave) (2)
  Edit(/sub/x.ts) (1)`,
    ]);
  }
});

test("a call counts where it started: a command that moves is recorded as moved before its own end", () => {
  const sub = join(cwd, "sub");
  expect(recorded(conversation, cwd)).toEqual([
    { call: one, cwd, outcome: "ok" },
    { call: two, cwd: sub, outcome: "ok" },
    { call: three, cwd: sub, outcome: "denied" },
    { call: four, cwd: sub, outcome: "ok" },
    { call: five, cwd: sub, outcome: "ok" },
    { call: six, cwd: sub, outcome: undefined },
  ]);
});

test("--mode, and a record with nothing in it", async () => {
  const id = recordSession("Other", conversation);
  expect(await type(["permissions", "simulate", "--mode", "bypass", id])).toBe(0);
  expect(said[0]?.split("\n").slice(0, 2)).toEqual([
    `Other: 6 calls from ${cwd}, by today's rules in bypassPermissions mode`,
    "asked 0, denied 1, allowed 5; 1 was denied then",
  ]);
  said.length = 0;
  const quiet = recordSession("Quiet", [says("hi"), replies([{ type: "text", text: "hello" }])]);
  await type(["permissions", "simulate", quiet]);
  expect(said).toEqual([`Quiet: 0 calls from ${cwd}, by today's rules\nasked 0, denied 0, allowed 0`]);
  await expect(type(["permissions", "simulate", "--mode", "x", id])).rejects.toThrow("is not a permission mode");
});

test("a call the tool would refuse is counted, and ends nothing", async () => {
  const [bad, good] = [uses("b", "Read", { path: 1 }), bash("g", "npm test")];
  const id = recordSession("Odd", [says("go"), replies([bad, good]), ends(bad), ends(good)]);
  await type(["permissions", "simulate", id]);
  expect(said[0]).toStartWith(
    `Odd: 2 calls from ${cwd}, by today's rules in default mode\nasked 0, denied 0, allowed 1, not judged 1\n`,
  );
});

// The gate: every decision as a table, then who is asked and when.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Access, Answer, PermissionMode, Question, ToolUse } from "../src/core/types.ts";
import { decide } from "../src/permissions/decide.ts";
import { Gate } from "../src/permissions/gate.ts";
import { parseRule, parseRules, type Rules } from "../src/permissions/rules.ts";
import { DISK, NO_WALL, type World } from "../src/permissions/world.ts";
import { inside, realPath } from "../src/utils/paths.ts";

const root = realpathSync(mkdtempSync(join(tmpdir(), "nanocode-gate-")));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const cwd = join(root, "proj");
mkdirSync(join(cwd, "src"), { recursive: true });
mkdirSync(join(root, "proj-x"));
mkdirSync(join(root, "scratch"));
writeFileSync(join(root, "secret"), "s");
symlinkSync(join(root, "secret"), join(cwd, "leak"));
symlinkSync(join(root, "nowhere", "new"), join(cwd, "dangling"));
symlinkSync(join(cwd, ".git"), join(cwd, "innocent"));

const world: World = {
  cwd,
  root: cwd,
  home: root,
  roots: [cwd],
  programs: [],
  readable: [join(root, "scratch")],
  files: DISK,
  wall: NO_WALL,
};
const read = (path: string): Access => ({ kind: "read", paths: [path] });
const write = (path: string): Access => ({ kind: "write", paths: [path] });
const shell = (command: string): Access => ({ kind: "shell", command });
const rules = (lists: Partial<Record<keyof Rules, string[]>>): Rules => {
  const texts = (list: string[] = []) => list.map((text) => ({ text, source: "test" }));
  const all = { allow: texts(lists.allow), deny: texts(lists.deny), ask: texts(lists.ask) };
  return parseRules(all, { cwd, home: root }).rules;
};

type Row = [
  tool: string,
  access: Access,
  lists: Partial<Record<keyof Rules, string[]>>,
  mode: PermissionMode,
  expected: string,
];
const TABLE: Row[] = [
  // Reads inside the project, and nothing else, run by default.
  ["Read", read(join(cwd, "src/a.ts")), {}, "default", "allow"],
  ["Read", read(join(root, "scratch/out.txt")), {}, "default", "allow"],
  ["Read", read(join(root, "proj-x/a")), {}, "default", "ask"],
  ["Read", read(join(cwd, "../secret")), {}, "default", "ask"],
  ["Read", read(join(cwd, "leak")), {}, "default", "ask"],
  ["Write", write(join(cwd, "a")), {}, "default", "ask"],
  ["Bash", shell("make"), {}, "default", "ask"],
  ["X", { kind: "none" }, {}, "default", "allow"],
  ["X", { kind: "net", url: "http://x" }, {}, "default", "ask"],
  ["X", { kind: "unknown" }, {}, "default", "ask"],
  // Modes.
  ["Edit", write(join(cwd, "a")), {}, "acceptEdits", "allow"],
  ["Edit", write(join(root, "proj-x/a")), {}, "acceptEdits", "ask"],
  ["Edit", write(join(cwd, "dangling")), {}, "acceptEdits", "ask"],
  ["Edit", write(join(cwd, ".git/hooks/x")), {}, "acceptEdits", "ask"],
  ["Edit", write(join(cwd, "sub/.GIT/config")), {}, "acceptEdits", "ask"],
  ["Edit", write(join(cwd, "innocent/config")), {}, "acceptEdits", "ask"],
  ["Write", write(join(cwd, ".npmrc")), { allow: ["Write"] }, "default", "ask"],
  ["Bash", shell("make"), {}, "acceptEdits", "ask"],
  ["Bash", shell("make"), {}, "bypassPermissions", "allow"],
  ["Write", write(join(cwd, ".git/x")), {}, "bypassPermissions", "allow"],
  ["Write", write(join(cwd, "a")), { allow: ["Write"] }, "plan", "deny"],
  ["Bash", shell("rm x"), { allow: ["Bash"] }, "plan", "deny"],
  ["Read", read(join(cwd, "a")), {}, "plan", "allow"],
  // Rules: deny, ask, allow; families; MCP servers.
  ["Bash", shell("x"), { allow: ["Bash"], deny: ["Bash"] }, "bypassPermissions", "deny"],
  ["Bash", shell("x"), { allow: ["Bash"] }, "default", "allow"],
  ["Bash", shell("x"), { ask: ["Bash"], allow: ["Bash"] }, "bypassPermissions", "ask"],
  ["Write", write(join(cwd, "a")), { allow: ["Edit"] }, "default", "allow"],
  ["Edit", write(join(cwd, "a")), { allow: ["Write"] }, "default", "ask"],
  ["Grep", read(join(cwd, "a")), { deny: ["Read"] }, "default", "deny"],
  ["mcp__s__t", { kind: "unknown" }, { allow: ["mcp__s"] }, "default", "allow"],
  ["mcp__s__t", { kind: "unknown" }, { allow: ["mcp__s__*"] }, "default", "allow"],
  ["mcp__server__t", { kind: "unknown" }, { allow: ["mcp__s"] }, "default", "ask"],
  // Patterns (the corpus has many more).
  ["Bash", shell("npm test"), { allow: ["Bash(npm test)"] }, "default", "allow"],
  ["Bash", shell("npm test; rm -rf x"), { allow: ["Bash(npm test)"] }, "default", "ask"],
  ["Bash", shell("npm test x"), { allow: ["Bash(npm test:*)"] }, "default", "allow"],
  ["Bash", shell("npm tests"), { allow: ["Bash(npm test:*)"] }, "default", "ask"],
  ["Bash", shell("rm x"), { allow: ["Bash"], deny: ["Bash(rm *)"] }, "bypassPermissions", "deny"],
  ["Bash", shell("$X push"), { deny: ["Bash(git push:*)"] }, "bypassPermissions", "ask"],
  ["Bash", shell("$X push"), { deny: ["Bash(git push:*)"] }, "dontAsk", "deny"],
  ["Bash", shell("anything"), { allow: ["Bash(*)"] }, "default", "allow"],
  ["Bash", shell("anything > out"), { allow: ["Bash(*)"] }, "default", "ask"],
  ["Bash", shell("anything > out"), { allow: ["Bash(*)", "Edit(out)"] }, "default", "allow"],
  ["Edit", write(join(cwd, "src/a.ts")), { allow: ["Edit(src/a.ts)"] }, "default", "allow"],
  ["Edit", write(join(cwd, "src/b.ts")), { allow: ["Edit(src/a.ts)"] }, "default", "ask"],
  ["Edit", write(join(cwd, "dangling")), { allow: ["Edit(dangling)"] }, "default", "ask"],
  ["Edit", write(join(cwd, "dangling")), { allow: ["Edit(dangling)", "Edit(~/nowhere/**)"] }, "default", "allow"],
  ["Write", write(join(cwd, ".env")), { deny: ["Read(.ENV)"], allow: ["Write"] }, "bypassPermissions", "deny"],
  ["Agent", { kind: "none" }, { deny: ["Agent(general-purpose)"] }, "default", "deny"],
  ["X", { kind: "none" }, { deny: ["X(level:hi*)"] }, "default", "deny"],
];

test.each(TABLE)("%s %j %j %s -> %s", (tool, access, lists, mode, expected) => {
  const decision = decide(
    { type: "tool_use", id: "t", name: tool, input: { level: "high" } },
    access,
    rules(lists),
    mode,
    world,
  );
  expect(decision.behavior).toBe(expected as typeof decision.behavior);
  expect(decision.reason.length).toBeGreaterThan(0);
});

const anchors = { base: cwd, cwd, home: root };

test("a text that is no rule says what was expected; one that forbids stops the start, with its file and line", () => {
  for (const text of ["", "Bash(", "Ba sh", "(x)", "Bash(x", "1x", "WebFetch(x.org)", "Edit(!a)"]) {
    expect([text, parseRule(text, "deny", "here", anchors)]).toEqual([
      text,
      { problem: expect.stringMatching(/expected|cannot begin/) },
    ]);
  }
  const bad = [{ text: "Bash(", source: "a.json:3" }];
  expect(() => parseRules({ allow: [], ask: [], deny: bad }, { cwd, home: root })).toThrow(
    'a.json:3: "Bash(" is not a permission rule: expected Tool or Tool(pattern)',
  );
  const allowed = parseRules(
    { allow: [...bad, { text: "mcp__*", source: "b.json:1" }], ask: [], deny: [] },
    { cwd, home: root },
  );
  expect(allowed.rules.allow).toEqual([]);
  expect(allowed.warnings).toEqual([
    'a.json:3: "Bash(" is not a permission rule: expected Tool or Tool(pattern); the rule is ignored.',
    'b.json:1: "mcp__*": an allow rule names its tool; * is only taken after mcp__server__; the rule is ignored.',
  ]);
});

test("inside compares components, not prefixes", () => {
  expect([
    inside("/a/p", "/a/p"),
    inside("/a/p", "/a/p/x"),
    inside("/a/p", "/a/p-x"),
    inside("/a/p", "/a"),
    inside("/a/p", "/a/p/..x"),
  ]).toEqual([true, true, false, false, true]);
  expect(realPath(join(cwd, "dangling"))).toBe(join(root, "nowhere", "new"));
});

function gate(answer: (question: Question) => Promise<Answer> | Answer, mode: PermissionMode = "default") {
  const asked: Question[] = [];
  const state = { mode, open: 0, most: 0 };
  const host = {
    ask: async (question: Question) => {
      asked.push(question);
      state.most = Math.max(state.most, ++state.open);
      await Bun.sleep(0);
      state.open--;
      return answer(question);
    },
  };
  const warnings: string[] = [];
  const kept: string[][] = [];
  const gate = new Gate({
    rules: rules({}),
    mode: () => state.mode,
    setMode: (m) => (state.mode = m),
    addFolders: () => {},
    world: () => world,
    host,
    keep: (texts) => {
      kept.push([...texts]);
      return { file: "local.json" };
    },
    warn: (text) => warnings.push(text),
  });
  const admit = (call: ToolUse, access: Access) => gate.admit(call, access, "title", new AbortController().signal);
  return { gate, admit, asked, state, kept, warnings };
}
const bash: ToolUse = { type: "tool_use", id: "t", name: "Bash", input: { command: "make x" } };

test("questions come one at a time; always is asked once", async () => {
  const { admit, asked, state, kept, warnings } = gate(() => ({ behavior: "allow", scope: "always" }));
  const all = await Promise.all([1, 2, 3].map(() => admit(bash, shell("make x"))));
  const allowed = { behavior: "allow" as const, confine: "workspace" as const };
  expect(all).toEqual([allowed, allowed, allowed]);
  const always = { rules: ["Bash(make x:*)"], saved: true };
  expect([asked.length, asked[0]?.always, state.most]).toEqual([1, always, 1]);
  expect([kept, warnings]).toEqual([[["Bash(make x:*)"]], ["Bash(make x:*) is now allowed by local.json."]]);
  await admit(bash, shell("make y"));
  expect(asked.length).toBe(2);
  const once = gate(() => ({ behavior: "allow", scope: "once" }));
  await Promise.all([1, 2, 3].map(() => once.admit(bash, shell("make x"))));
  expect([once.asked.length, once.state.most]).toEqual([3, 1]);
});

test("rules are lent until they are taken back, one by one too; none for every command or to end plan mode", async () => {
  const { gate: lender, admit, asked } = gate(() => ({ behavior: "deny" }));
  const undo = lender.lend(["Bash(make x:*)"], "a skill");
  lender.lend(
    [
      "Bash(make y)",
      "ExitPlanMode(*)",
      "ExitPlanMode",
      "Bash( )",
      "Bash(*:*)",
      "Bash(* *)",
      "Bash( * :*)",
      "Bash(*\t*)",
    ],
    "another",
  );
  const y = { ...bash, input: { command: "make y" } };
  expect([await admit(bash, shell("make x")), await admit(y, shell("make y"))]).toMatchObject([
    { behavior: "allow" },
    { behavior: "allow" },
  ]);
  expect(lender.rules().allow.map(({ text }) => text)).toEqual(["Bash(make x:*)", "Bash(make y)"]);
  undo();
  await admit(bash, shell("make x"));
  expect(asked.length).toBe(1);
  lender.takeBack();
  expect(lender.rules().allow).toEqual([]);
});

test("updates of the answering program hold for the session; dontAsk asks nobody; a protected path has no always", async () => {
  const set = gate(() => ({ behavior: "allow", scope: "once", updates: [{ type: "setMode", mode: "acceptEdits" }] }));
  const edit: ToolUse = { type: "tool_use", id: "t", name: "Edit", input: {} };
  await set.admit(edit, write(join(cwd, "a")));
  await set.admit(edit, write(join(cwd, "b")));
  expect([set.asked.length, set.state.mode]).toEqual([1, "acceptEdits"]);
  await set.admit(edit, write(join(cwd, ".git/x")));
  expect([set.asked.length, set.asked[1]?.always]).toEqual([2, undefined]);
  const quiet = gate(() => ({ behavior: "allow", scope: "once" }), "dontAsk");
  expect(await quiet.admit(bash, shell("make x"))).toMatchObject({ behavior: "deny" });
  expect(quiet.asked.length).toBe(0);
});

test("a command is confined by what decided: reads to reading, the rest to the project, bypass not at all", () => {
  const wall = { active: true, autoAllow: false, mayLeave: true, always: false, excluded: ["docker:*"] };
  const confine = (command: string, mode: PermissionMode, more: Partial<typeof wall> = {}, input = {}) => {
    const call: ToolUse = { type: "tool_use", id: "t", name: "Bash", input: { command, ...input } };
    const inside: World = { ...world, wall: { ...wall, ...more } };
    return decide(call, shell(command), rules({ allow: ["Bash"], ask: ["Bash(ls:*)"] }), mode, inside).confine;
  };
  const leave = { dangerouslyDisableSandbox: true };
  expect([
    confine("cat a", "default"),
    confine("make", "default"),
    confine("ls", "default"),
    confine("make", "default", {}, leave),
    confine("make", "default", { mayLeave: false }, leave),
    confine("cat a", "default", {}, leave),
    confine("docker build . && cat a", "default"),
    confine("docker build . && make", "default"),
    confine("make", "bypassPermissions"),
    confine("true", "bypassPermissions", { always: true }),
  ]).toEqual([
    "readonly",
    "workspace",
    "workspace",
    "open",
    "workspace",
    "readonly",
    "open",
    "workspace",
    "open",
    "workspace",
  ]);
});

test("with autoAllowBashIfSandboxed what stays inside the sandbox runs unasked; what leaves it, or is protected, does not", () => {
  const wall = { active: true, autoAllow: true, mayLeave: true, always: false, excluded: [] };
  const behavior = (command: string, input = {}, more: Partial<typeof wall> = {}) => {
    const call: ToolUse = { type: "tool_use", id: "t", name: "Bash", input: { command, ...input } };
    return decide(call, shell(command), rules({}), "default", { ...world, wall: { ...wall, ...more } }).behavior;
  };
  expect([
    behavior("make"),
    behavior("make", { dangerouslyDisableSandbox: true }),
    behavior("make", {}, { active: false }),
    behavior("touch .git/hooks/x"),
    behavior("rm -rf ~"),
  ]).toEqual(["allow", "ask", "ask", "ask", "ask"]);
});

// Questions in plain data: which rules, mode and folders count, what each tool touches, and what would change the answer.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Access } from "../src/core/types.ts";
import type { Query } from "../src/core/verdict.ts";
import type { Situation } from "../src/permissions/decision.ts";
import { accessBy, judgeWith, modeOf } from "../src/permissions/query.ts";
import { parseRules } from "../src/permissions/rules.ts";
import { DISK, NO_WALL } from "../src/permissions/world.ts";
import { idleTools } from "./tools-kit.ts";

const root = realpathSync(mkdtempSync(join(tmpdir(), "nanocode-query-")));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const home = join(root, "home");
const cwd = join(home, "project");
mkdirSync(join(cwd, "src"), { recursive: true });
writeFileSync(join(cwd, "src/a.ts"), "a");
writeFileSync(join(home, "secret"), "s");
symlinkSync(join(home, "secret"), join(cwd, "leak"));
symlinkSync(cwd, join(home, "linked"));

const access = accessBy(idleTools(home));
const calls = { today: 0 };
const judge = judgeWith({
  cwd,
  home,
  access,
  today: async (): Promise<Situation> => {
    calls.today++;
    const lists = { allow: [{ text: "Bash(make:*)", source: "settings.json:3" }], deny: [], ask: [] };
    const world = { cwd, root: cwd, home, roots: [cwd], programs: [], readable: [], files: DISK, wall: NO_WALL };
    return { rules: parseRules(lists, { cwd, home }).rules, mode: "default", world };
  },
});
const bash = (command: string, more: Partial<Query> = {}): Query => ({ tool: "Bash", input: { command }, ...more });

test("today's rules count until rules, cwd or home are given; they are read once", async () => {
  calls.today = 0;
  const decisions = [];
  const queries = [
    bash("make"),
    bash("make all", { mode: "plan" }),
    bash("make", { rules: {} }),
    bash("make", { cwd }),
    bash("make", { home }),
  ];
  for (const query of queries) decisions.push((await judge(query)).decision);
  expect(decisions).toEqual(["allow", "deny", "ask", "ask", "ask"]);
  expect(calls.today).toBe(1);
});

test("a verdict is plain data: decision, step, reason, the rule with its source, each part", async () => {
  const query = bash("make && rm x.txt", { rules: { allow: ["Bash(make:*)"], deny: ["Bash(rm:*)"] } });
  const verdict = await judge(query);
  expect(JSON.parse(JSON.stringify(verdict))).toEqual({
    decision: "deny",
    step: "deny",
    reason: "the rule Bash(rm:*) (rules.deny[0]) forbids it",
    rule: { text: "Bash(rm:*)", source: "rules.deny[0]" },
    parts: [
      {
        text: "make",
        decision: "allow",
        reason: "the rule Bash(make:*) (rules.allow[0])",
        rule: { text: "Bash(make:*)", source: "rules.allow[0]" },
      },
      {
        text: "rm x.txt",
        decision: "deny",
        reason: "the rule Bash(rm:*) (rules.deny[0])",
        rule: { text: "Bash(rm:*)", source: "rules.deny[0]" },
      },
    ],
    touches: ["removes x.txt"],
    mode: "default",
  });
});

test("paths are judged on the real disk, through links, from the folder and home of the question", async () => {
  const read = (file_path: string, more: Partial<Query> = {}): Query => ({
    tool: "Read",
    input: { file_path },
    ...more,
  });
  const rows: [Query, string][] = [
    [read("src/a.ts", { cwd }), "allow"],
    [read("leak", { cwd }), "ask"],
    [read("../secret", { cwd }), "ask"],
    [read(join(cwd, "src/a.ts"), { cwd: join(home, "linked") }), "allow"],
    [read("a.ts", { cwd: "src" }), "allow"],
    [read("../a", { cwd: "src" }), "ask"],
    [read("a.ts", { cwd: "src", rules: { deny: [`Read(/${cwd}/src/**)`] } }), "deny"],
    [read("x", { cwd: "/nowhere/at/all" }), "allow"],
    [read("/nowhere/else", { cwd: "/nowhere/at/all" }), "ask"],
    [read("/h/.ssh/id", { cwd: "/nowhere", home: "/h", rules: { deny: ["Read(~/.ssh/**)"] } }), "deny"],
    [read("/h/.ssh/id", { cwd: "/nowhere", home: "/other", rules: { deny: ["Read(~/.ssh/**)"] } }), "ask"],
  ];
  for (const [query, expected] of rows) {
    expect<unknown[]>([query, (await judge(query)).decision]).toEqual([query, expected]);
  }
});

test("what each tool touches", () => {
  const rows: [string, Record<string, unknown>, Access][] = [
    ["Bash", { command: "ls" }, { kind: "shell", command: "ls", background: false }],
    ["Read", { file_path: "a" }, { kind: "read", paths: [join(cwd, "a")] }],
    ["Write", { file_path: "a", content: "" }, { kind: "write", paths: [join(cwd, "a")] }],
    ["NotebookEdit", { notebook_path: "n.ipynb" }, { kind: "write", paths: [join(cwd, "n.ipynb")] }],
    ["WebFetch", { url: "https://a.test/x" }, { kind: "net", url: "https://a.test/x" }],
    ["WebSearch", { query: "x" }, { kind: "net", url: "the search service" }],
    ["Agent", { prompt: "x" }, { kind: "agent" }],
    ["TodoWrite", {}, { kind: "none" }],
    ["EnterPlanMode", {}, { kind: "plan", step: "enter" }],
    ["ExitPlanMode", {}, { kind: "plan", step: "leave", plan: "", back: "default" }],
    ["ExitPlanMode", { plan: "1." }, { kind: "plan", step: "leave", plan: "1.", back: "default" }],
    ["mcp__db__query", { sql: "x" }, { kind: "unknown" }],
    ["constructor", {}, { kind: "unknown" }],
  ];
  for (const [tool, input, expected] of rows) expect([tool, access(tool, input, cwd)]).toEqual([tool, expected]);
});

test("modes by their names, bypass and manual included", () => {
  const names = ["default", "manual", "acceptEdits", "plan", "dontAsk", "bypass", "bypassPermissions"];
  expect(names.map((name) => modeOf(name))).toEqual([
    "default",
    "default",
    "acceptEdits",
    "plan",
    "dontAsk",
    "bypassPermissions",
    "bypassPermissions",
  ]);
  for (const name of ["auto", "", "toString", "__proto__"])
    expect(() => modeOf(name)).toThrow("is not a permission mode");
});

test("a bad rule, mode or input is an error and never a decision", async () => {
  const rows: [Query, string][] = [
    [bash("ls", { rules: { deny: ["Bash", "Bash("] } }), "rules.deny[1]:"],
    [bash("ls", { mode: "yolo", cwd }), '"yolo" is not a permission mode'],
    [bash("ls", { mode: "yolo" }), '"yolo" is not a permission mode'],
    [bash(" "), "command: must not be empty"],
    [{ tool: "Edit", input: { file_path: 3 } }, "file_path"],
    [{ tool: "WebFetch", input: {} }, 'WebFetch needs "url"'],
    [{ tool: "NotebookEdit", input: { notebook_path: 1 } }, 'NotebookEdit needs "notebook_path"'],
  ];
  for (const [query, message] of rows) await expect(judge(query)).rejects.toThrow(message);
});

test("an allow rule that cannot be read allows nothing, and is named", async () => {
  const verdict = await judge(bash("npm test", { rules: { allow: ["*", "mcp__git*"] } }));
  expect(verdict.decision).toBe("ask");
  expect(verdict.warnings).toEqual([
    expect.stringContaining('rules.allow[0]: "*": an allow rule names its tool'),
    expect.stringContaining('rules.allow[1]: "mcp__git*"'),
  ]);
  expect((await judge(bash("npm test", { rules: { allow: ["Bash"] } }))).warnings).toBeUndefined();
});

test("what would change it: allow rules for what is asked, a deny rule for what is allowed, nothing where none helps", async () => {
  const edit: Query = { tool: "Edit", input: { file_path: "src/a.ts", old_string: "a", new_string: "b" }, cwd };
  const rows: [Query, string[] | undefined][] = [
    [bash("npm test && touch x", { cwd }), ["Bash(npm test:*)", "Bash(touch x)"]],
    [edit, ["Edit(/src/a.ts)"]],
    [{ ...edit, mode: "dontAsk" }, ["Edit(/src/a.ts)"]],
    [{ tool: "WebFetch", input: { url: "https://A.test/x" }, cwd }, ["WebFetch(domain:a.test)"]],
    [{ tool: "WebSearch", input: {}, cwd }, ["WebSearch"]],
    [{ tool: "mcp__db__query", input: {}, cwd }, ["mcp__db__query"]],
    // Stopped by the narrowest that works.
    [bash("npm test", { rules: { allow: ["Bash(npm:*)"] } }), ["Bash(npm test:*)"]],
    [bash("npm --silent test", { rules: { allow: ["Bash(npm:*)"] } }), ["Bash(npm:*)"]],
    [{ tool: "Read", input: { file_path: "src/a.ts" }, cwd }, ["Read"]],
    [bash("if true; then true; fi", { cwd }), undefined],
    // Nothing narrow is safe, or no allow rule is strong enough.
    [bash('bash -c "$X"', { cwd }), undefined],
    [bash("rm -rf ~", { cwd }), undefined],
    [bash("npm test", { rules: { ask: ["Bash(npm:*)"] } }), undefined],
    [bash("npm test", { mode: "plan", cwd }), undefined],
    [{ tool: "Write", input: { file_path: ".git/config", content: "" }, cwd }, undefined],
  ];
  for (const [query, expected] of rows) {
    const { fix } = await judge(query, { fix: true });
    expect([query, fix]).toEqual([query, expected]);
  }
  expect(await judge(edit)).not.toHaveProperty("fix");
});

test("the rules named do change it", async () => {
  const asked = [bash("npm test && touch x", { cwd }), bash("cat ../secret", { cwd })];
  for (const query of asked) {
    const { fix = [] } = await judge(query, { fix: true });
    expect([fix.length > 0, (await judge({ ...query, rules: { allow: fix } })).decision]).toEqual([true, "allow"]);
  }
  const allow = ["Bash(npm:*)"];
  const { fix = [] } = await judge(bash("npm test", { rules: { allow } }), { fix: true });
  expect((await judge(bash("npm test", { rules: { allow, deny: fix } }))).decision).toBe("deny");
});

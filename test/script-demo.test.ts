// `nanocode demo`: its script runs through the real loop and the real tools, and mends the scratch project.
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepareDemo } from "../src/commands/demo.ts";
import { Agent } from "../src/core/agent.ts";
import { UsageError } from "../src/core/errors.ts";
import type { Deps, Event, Tool } from "../src/core/types.ts";
import { FileTracker } from "../src/files/tracker.ts";
import { scriptProvider } from "../src/model/script.ts";
import { bashTool } from "../src/tools/bash.ts";
import { ShellStarter } from "../src/tools/bash-start.ts";
import { BackgroundTasks } from "../src/tools/bash-tasks.ts";
import { editTool } from "../src/tools/edit.ts";
import { grepTool } from "../src/tools/grep.ts";
import { readTool } from "../src/tools/read.ts";

// A blank and an umlaut: the folder's name reaches commands, messages and placeholders.
const tmp = realpathSync(mkdtempSync(join(tmpdir(), "demo tëst ")));
afterAll(() => rmSync(tmp, { recursive: true, force: true }));

async function run(demo: ReturnType<typeof prepareDemo>): Promise<Event[]> {
  const tracker = new FileTracker();
  const { PATH } = process.env;
  const starter = new ShellStarter(join(tmp, "scratch"));
  const bash = { projectRoots: () => [demo.dir], starter, tasks: new BackgroundTasks() };
  const tools: Tool[] = [
    bashTool({ ...bash, env: { PATH } }),
    readTool({ tracker }),
    grepTool({ rg: () => undefined, home: { home: tmp, xdgConfig: undefined } }),
    editTool({ tracker }),
  ];
  const deps: Deps = {
    provider: scriptProvider(demo.script.text, demo.script.name, { vars: demo.script.vars, sleep: async () => {} }),
    tools: new Map(tools.map((tool) => [tool.spec.name, tool])),
    admit: async () => ({ behavior: "allow" }),
    observe: async () => [],
    system: () => [],
    tune: () => ({ maxTokens: 1000, thinking: { type: "disabled" } }),
    cost: () => undefined,
    steering: () => [],
    limits: {},
    raw: false,
    now: Date.now,
    newId: () => crypto.randomUUID(),
  };
  const state = { messages: [], model: "script", mode: "default" as const, cwd: demo.dir };
  const prompt = { role: "user" as const, id: "u", content: [{ type: "text" as const, text: demo.prompt }] };
  return Array.fromAsync(new Agent(deps, state, () => {}).prompt(prompt, new AbortController().signal));
}

test("the script finds the bug, mends it and sees the tests pass", async () => {
  const demo = prepareDemo({ tmp });
  expect(demo.dir).toStartWith(join(tmp, "nanocode-demo-"));
  const before = readFileSync(join(demo.dir, "price.sh"), "utf8");
  const events = await run(demo);
  expect(events.at(-1)).toEqual({ type: "done", reason: "end_turn" });
  const ends = events.flatMap((event) => (event.type === "tool.end" ? [`${event.call.name} ${event.outcome}`] : []));
  // Read and Grep overlap, so the order in which they end is open.
  expect(ends.toSorted()).toEqual(["Bash error", "Bash ok", "Edit ok", "Grep ok", "Read ok"]);
  expect(readFileSync(join(demo.dir, "price.sh"), "utf8")).toBe(before.replace("%d,%d €", "%d,%02d €"));
  const said = events.flatMap((event) => (event.type === "text.delta" ? [event.text] : [])).join("");
  expect(said).toContain("3 tests fail");
  expect(said).toContain("All 5 tests pass");
});

test("the script notices when the tools do not do what it says", async () => {
  const demo = prepareDemo({ tmp });
  rmSync(join(demo.dir, "price.sh"));
  expect((await run(demo)).at(-1)).toMatchObject({
    type: "done",
    reason: "error",
    error: expect.stringContaining("demo.jsonl:3: "),
  });
});

test("the words say that it is a script, where the folder is and how to go on", () => {
  const demo = prepareDemo({ tmp });
  expect(demo.opening).toContain("scripted");
  expect(demo.opening).toContain(demo.dir);
  expect(demo.closing).toContain(`git -C '${demo.dir}' diff`);
  expect(demo.closing).toContain("export ANTHROPIC_API_KEY=");
  expect(demo.closing).toContain('nanocode -p "');
});

test("it works without git, and says where the folder is then", () => {
  const demo = prepareDemo({ tmp, which: () => null });
  expect(existsSync(join(demo.dir, ".git"))).toBe(false);
  expect(demo.closing).toContain(`'${demo.dir}'`);
  expect(demo.closing).not.toContain("git");
});

test("started from a git hook it leaves the person's repository alone", () => {
  const mine = join(tmp, "mine");
  mkdirSync(mine);
  const git = (...args: string[]) => Bun.spawnSync(["git", ...args], { cwd: mine }).stdout.toString();
  git("init", "-q");
  const hook = { GIT_DIR: join(mine, ".git"), GIT_WORK_TREE: mine, GIT_INDEX_FILE: join(mine, ".git/index") };
  const demo = prepareDemo({ tmp, env: { ...process.env, ...hook } });
  expect(git("rev-list", "--all")).toBe("");
  expect(existsSync(join(mine, ".git/index"))).toBe(false);
  expect(existsSync(join(demo.dir, ".git/index"))).toBe(true);
});

test("on Windows it asks for bash before it makes a folder, and speaks PowerShell", () => {
  const nothing = { tmp: join(tmp, "absent"), platform: "win32" as const, which: () => null };
  expect(() => prepareDemo(nothing)).toThrow(UsageError);
  const bash = (name: string) => (name === "bash" ? "C:\\Git\\bin\\bash.exe" : null);
  expect(prepareDemo({ tmp, platform: "win32", which: bash }).closing).toContain('$env:ANTHROPIC_API_KEY = "');
});

// `nanocode permissions` as a person runs it: their settings count, a stranger's do not, and it answers fast and in step.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BINARY, run, sandbox, start, type Sandbox } from "./binary.ts";

const state: { box?: Sandbox } = {};
const box = (): Sandbox => {
  if (!state.box) throw new Error("beforeAll has not run");
  return state.box;
};
beforeAll(() => {
  state.box = sandbox();
});
afterAll(() => box().remove());

const CORPUS = join(import.meta.dir, "corpus");
const corpusFiles = () => readdirSync(CORPUS).filter((name) => name.endsWith(".jsonl"));

function settings(folder: string, value: object): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "settings.json");
  writeFileSync(path, JSON.stringify(value, null, 2));
  return path;
}

test("the person's own rules count, with file and line; nothing is run", async () => {
  const path = settings(join(box().home, ".nanocode"), { permissions: { deny: ["Bash(weave:*)"] } });
  const ran = await run(box(), ["permissions", "explain", "--", "weave", "$(touch made)"]);
  expect(ran).toMatchObject({ code: 0, stderr: "" });
  expect(ran.stdout.split("\n")).toContain(`Rule:     Bash(weave:*)  (${path}:4)`);
  expect(ran.stdout).toStartWith("deny  weave $(touch made)\n");
  expect(existsSync(join(box().cwd, "made"))).toBe(false);
});

test("what an untrusted project allows is not counted and said to be ignored; what it forbids counts", async () => {
  settings(join(box().cwd, ".nanocode"), { permissions: { allow: ["Bash(build:*)"], deny: ["Bash(ship:*)"] } });
  const build = await run(box(), ["permissions", "explain", "--json", "--", "build"]);
  expect([JSON.parse(build.stdout).decision, build.stderr]).toEqual(["ask", expect.stringContaining("is not trusted")]);
  const once = await run(box(), ["permissions", "explain", "--json", "--trust", "--", "build"]);
  expect([JSON.parse(once.stdout).decision, once.stderr]).toEqual(["allow", ""]);
  expect(JSON.parse((await run(box(), ["permissions", "explain", "--json", "--", "ship"])).stdout).decision).toBe(
    "deny",
  );
});

test("flags for this once: rules, mode, a settings file", async () => {
  const decision = async (...words: string[]) =>
    JSON.parse((await run(box(), ["permissions", "explain", "--json", ...words, "--", "craft it"])).stdout).decision;
  const path = join(box().home, "extra.json");
  writeFileSync(path, JSON.stringify({ permissions: { allow: ["Bash(craft:*)"] } }));
  expect([
    await decision(),
    await decision("--allowed-tools", "Bash(craft:*)"),
    await decision("--settings", path),
    await decision("--settings", path, "--disallowed-tools", "Bash(craft it)"),
    await decision("--mode", "plan"),
    await decision("--permission-mode", "bypassPermissions"),
  ]).toEqual(["ask", "allow", "allow", "deny", "deny", "allow"]);
});

test("no control character of a command reaches the terminal", async () => {
  const ran = await run(box(), ["permissions", "explain", "--", "weave \u001b[2J\u202e\u009b1m"]);
  expect([ran.code, /[\u001b\u202e\u009b]/.test(ran.stdout)]).toEqual([0, false]);
  expect(ran.stdout).toContain("weave \\x1b[2J\\u{202e}\\x9b1m");
});

test("a mistake is one line on stderr and exit code 1", async () => {
  for (const words of [
    ["permissions"],
    ["permissions", "chek"],
    ["permissions", "explain", "--mode", "x", "--", "ls"],
  ]) {
    const { code, stdout, stderr } = await run(box(), words);
    expect([code, stdout, stderr.startsWith("error: "), stderr.split("\n").length]).toEqual([1, "", true, 2]);
  }
});

test("--stdin answers each line before the next is sent", async () => {
  const child = Bun.spawn(startArgs("--stdin"), {
    ...spawnOptions(),
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const answers = child.stdout.getReader();
  for (const id of [1, 2, 3]) {
    child.stdin.write(`${JSON.stringify({ id, command: "weave", cwd: "/p", home: "/h" })}\n`);
    await child.stdin.flush();
    const { value } = await answers.read();
    expect(JSON.parse(new TextDecoder().decode(value))).toMatchObject({ id, decision: "ask" });
  }
  await child.stdin.end();
  expect(await child.exited).toBe(0);
});

test("told to stop while it waits for a line, it leaves", async () => {
  const child = Bun.spawn(startArgs("--stdin"), {
    ...spawnOptions(),
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  child.stdin.write('{"id":1,"command":"weave","cwd":"/p"}\n');
  await child.stdin.flush();
  await child.stdout.getReader().read();
  child.kill("SIGTERM");
  expect(await child.exited).toBe(143);
});

test("a thousand commands in under two seconds of the processor, start included", async () => {
  const all = corpusFiles().flatMap((name) => readFileSync(join(CORPUS, name), "utf8").split("\n").filter(Boolean));
  const commands = all.map((line) => JSON.parse(line).command).filter((text) => typeof text === "string");
  const lines = Array.from({ length: 1000 }, (_, id) =>
    JSON.stringify({ id, command: commands[id % commands.length], cwd: "/home/dev/project", home: "/home/dev" }),
  );
  const child = start(box(), ["permissions", "explain", "--stdin"], { stdin: lines.join("\n") });
  const answers = (await child.stdout.text()).trim().split("\n");
  expect([await child.exited, answers.length, JSON.parse(answers[999] ?? "").id]).toEqual([0, 1000, 999]);
  expect(Number(child.resourceUsage()?.cpuTime.total ?? 0n) / 1000).toBeLessThan(2_000);
});

test("files of expected decisions, with setups: each difference is named, nothing is left behind", async () => {
  const path = join(box().home, "cases.jsonl");
  const read = { rules: {}, tool: "Read", input: { file_path: "out" }, cwd: "{{HOME}}/project" };
  const cases = [
    { id: "r1", ...read, setup: "ln -s {{HOME}}/secret out", expect: "ask" },
    { id: "r2", ...read, setup: "echo > out", expect: "ask" },
    { id: "d1", command: "weave", class: "build" },
  ];
  writeFileSync(path, cases.map((one) => JSON.stringify(one)).join("\n"));
  const ran = await run(box(), ["permissions", "test", path]);
  expect(ran).toEqual({
    code: 1,
    signal: null,
    stdout: `r2: expected ask, got allow (it reads inside the project): Read {"file_path":"out"}
cases.jsonl: 1 of 2 rule cases right, 0 of 1 dangerous approved
`,
    stderr: "",
  });
  expect((await run(box(), ["permissions", "test", join(box().home, "none.jsonl")])).code).toBe(2);
  expect(readdirSync(box().env["TMPDIR"] ?? "").toSorted()).toEqual(["home", "project"]);
});

test("stopped in the middle of a setup, it leaves at once and nothing behind", async () => {
  const path = join(box().home, "hang.jsonl");
  const setup = `mkfifo f; echo > ${box().home}/started; cat f`;
  const one = { id: "r", rules: {}, tool: "Read", input: { file_path: "x" }, setup, expect: "ask" };
  writeFileSync(path, JSON.stringify(one));
  const child = start(box(), ["permissions", "test", path]);
  while (!existsSync(join(box().home, "started"))) await new Promise((resolve) => setImmediate(resolve));
  child.kill("SIGTERM");
  expect(await child.exited).toBe(143);
  expect(readdirSync(box().env["TMPDIR"] ?? "").toSorted()).toEqual(["home", "project"]);
});

test("a recorded conversation against today's rules", async () => {
  const id = "0a0b0c0d-0000-4000-8000-000000000000";
  const folder = join(box().home, ".nanocode", "sessions", "p");
  const lines = [
    { type: "system", subtype: "session", cwd: box().cwd, format: 1 },
    { type: "user", uuid: "u", message: { role: "user", content: "go" } },
    {
      type: "assistant",
      uuid: "a",
      message: {
        id: "m",
        role: "assistant",
        content: [{ type: "tool_use", id: "t", name: "Bash", input: { command: "weave" } }],
      },
    },
  ];
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${id}.jsonl`), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const ran = await run(box(), ["permissions", "simulate", "0a0b0c0d"]);
  expect(ran.code).toBe(0);
  expect(ran.stdout).toStartWith(`0a0b0c0d: 1 calls from ${box().cwd}, by today's rules in default mode
asked 0, denied 1, allowed 0

denied:
    1 x  Bash weave  the rule Bash(weave:*) (${join(box().home, ".nanocode", "settings.json")}:4) forbids it
`);
});

function startArgs(...more: string[]): string[] {
  return [BINARY, "permissions", "explain", ...more];
}

function spawnOptions() {
  return { cwd: box().cwd, env: box().env };
}

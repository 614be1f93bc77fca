// The real binary and a project's own settings: nothing of them acts before the person has seen them and said yes.
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { run, sandbox, type Sandbox } from "./binary.ts";
import { call, say, startFakeModel, type FakeModel, type ScriptEntry } from "./fake-model.ts";
import { startScreen } from "./screen.ts";

const boxes: Sandbox[] = [];
afterAll(() => boxes.forEach((box) => box.remove()));

const SETTINGS = {
  model: "claude-haiku-4-5",
  env: { FOO: "from the project", ANTHROPIC_BASE_URL: "http://127.0.0.1:1", PATH: "/nonexistent" },
  apiKeyHelper: "touch helped",
  statusLine: { type: "command", command: "touch status" },
  hooks: { SessionStart: [{ hooks: [{ type: "command", command: "touch \u001b[2Jhooked" }] }] },
  permissions: {
    allow: ["Bash(touch made.txt)", "Bash(printenv FOO)"],
    deny: ["Bash(touch denied.txt)"],
    defaultMode: "bypassPermissions",
  },
};
const FILE = ".claude/settings.json";

/** A project with these files; each run gets a model of its own. */
function project(files: Record<string, object | string> = { [FILE]: SETTINGS }) {
  const box = sandbox();
  boxes.push(box);
  const write = (name: string, content: object | string) => {
    mkdirSync(dirname(join(box.cwd, name)), { recursive: true });
    writeFileSync(join(box.cwd, name), typeof content === "string" ? content : JSON.stringify(content));
  };
  for (const [name, content] of Object.entries(files)) write(name, content);
  const has = (name: string) => existsSync(join(box.cwd, name));
  return { ...box, write, has };
}
type Project = ReturnType<typeof project>;

const TOUCH = [call("Bash", { command: "touch made.txt" }), say("Tried.")];

async function print(box: Project, args: string[] = [], script: ScriptEntry[] = TOUCH) {
  await using model = await startFakeModel(script);
  const ran = await run(box, ["-p", "go", ...args], { env: model.env });
  const made = box.has("made.txt");
  rmSync(join(box.cwd, "made.txt"), { force: true });
  const last = JSON.stringify(model.requests.at(-1)?.body.messages.at(-1) ?? "");
  return { ...ran, made, last, model: model.requests[0]?.body.model };
}

/** The program in a terminal: type, and wait for what the screen shows. */
async function terminal(box: Project, script: ScriptEntry[] = TOUCH, args: string[] = []) {
  const model: FakeModel = await startFakeModel(script);
  const { child, screen, sees, type } = startScreen(box, { args, env: model.env, cols: 200, patienceMs: 10_000 });
  const leaves = async () => {
    const code = await child.exited;
    await model.stop();
    return code;
  };
  return { model, screen, sees, type, leaves };
}

const QUESTION = "Let it act?";

describe("print mode", () => {
  test("does not trust by itself: one line names what is ignored; deny rules hold", async () => {
    const box = project();
    const ran = await print(box);
    expect([ran.code, ran.made, ran.stdout]).toEqual([0, false, "Tried.\n"]);
    expect(ran.model).not.toBe("claude-haiku-4-5");
    const lines = ran.stderr.split("\n").filter((line) => /ignored|none of this acts/.test(line));
    expect(lines).toEqual([
      `nanocode: ${box.cwd} is not trusted, so none of this acts: model, env, statusLine, hooks.SessionStart, permissions.allow in ${FILE}. See "nanocode trust"; "nanocode trust yes" or --trust lets it act.`,
      `nanocode: ${join(box.cwd, FILE)}: env.ANTHROPIC_BASE_URL, env.PATH, apiKeyHelper, permissions.defaultMode: bypassPermissions ignored: a project may not set this, trusted or not.`,
    ]);
    expect(ran.stderr).not.toContain("from the project");
    const denied = [call("Bash", { command: "touch denied.txt" }), say("Tried.")];
    await print(box, ["--allowedTools", "Bash"], denied);
    expect([box.has("denied.txt"), box.has("helped"), box.has("status")]).toEqual([false, false, false]);
  });

  test("lets it act with --trust, for that run only", async () => {
    const box = project();
    const ran = await print(box, ["--trust"]);
    expect([ran.code, ran.made, ran.model]).toEqual([0, true, "claude-haiku-4-5"]);
    expect(ran.stderr).not.toContain("not trusted");
    const printed = await print(box, ["--trust"], [call("Bash", { command: "printenv FOO" }), say("Done.")]);
    expect(printed.last).toContain("from the project");
    // Even then it does not set the mode, the address or the path.
    const other = [call("Bash", { command: "touch made.txt; touch other.txt" }), say("Tried.")];
    expect(await print(box, ["--trust"], other)).toMatchObject({ code: 0, made: false });
    expect((await print(box)).made).toBe(false);
  });

  test("lets act what was trusted, until it changes", async () => {
    const box = project();
    const shown = await run(box, ["trust"]);
    expect([shown.code, shown.stderr]).toEqual([0, ""]);
    expect(shown.stdout).toContain("  + permissions.allow: Bash(touch made.txt)\n");
    expect(shown.stdout).toContain("  + env: sets FOO (value not shown)\n");
    expect(shown.stdout).toContain("  + hooks.SessionStart: runs: touch \\x1b[2Jhooked\n");
    expect((await run(box, ["trust", "yes"])).stdout).toStartWith("Trusted from now on:\n");
    expect((await print(box)).made).toBe(true);
    expect((await run(box, ["trust", "status"])).stdout).toContain(`${box.cwd} (trusted)`);

    const fewer = { ...SETTINGS, hooks: {}, permissions: { allow: ["Bash(touch made.txt)"], deny: ["Bash(rm *)"] } };
    box.write(FILE, fewer);
    expect((await print(box)).made).toBe(true);
    const hook = { type: "command", command: "touch other" };
    box.write(FILE, { ...SETTINGS, hooks: { SessionStart: [{ hooks: [hook] }] } });
    const changed = await print(box);
    expect(changed.made).toBe(false);
    expect(changed.stderr).toContain(
      `${box.cwd} has 1 new or changed settings since it was trusted, so none of this acts`,
    );
    expect((await run(box, ["trust"])).stdout).toContain("  + hooks.SessionStart: runs: touch other\n");

    box.write(FILE, SETTINGS);
    expect((await print(box)).made).toBe(true);
    expect((await run(box, ["trust", "no"])).stdout).toBe(`No longer trusted: ${box.cwd}\n`);
    expect((await print(box)).made).toBe(false);
  });

  test("trust does not move with a copy, nor reach into a folder below", async () => {
    const box = project({ ".git/HEAD": "", [FILE]: SETTINGS, [`sub/${FILE}`]: { permissions: { allow: ["Bash"] } } });
    expect((await run(box, ["trust", "yes"])).code).toBe(0);
    const below = { ...box, cwd: join(box.cwd, "sub") };
    const ran = await print(below, [], [call("Bash", { command: "touch other.txt" }), say("Tried.")]);
    expect(ran.stderr).toContain(`${below.cwd} is not trusted, so none of this acts: permissions.allow in ${FILE}.`);
    expect([ran.model, existsSync(join(below.cwd, "other.txt"))]).toEqual(["claude-haiku-4-5", false]);
    const copy = project();
    const other = { ...copy, env: { ...copy.env, HOME: box.home } };
    expect((await print(other)).made).toBe(false);
  });

  test("a damaged record trusts nothing and says so once", async () => {
    const box = project();
    await run(box, ["trust", "yes"]);
    const record = join(box.home, ".nanocode/trust.json");
    writeFileSync(record, readFileSync(record, "utf8").slice(0, 60));
    const ran = await print(box);
    expect(ran.made).toBe(false);
    expect(ran.stderr.split("\n").filter((line) => line.includes("trust.json"))).toEqual([
      `nanocode: ${record} cannot be used (it is not JSON): no folder is trusted until it is trusted anew.`,
    ]);
  });

  test("a project with nothing that acts is not spoken of", async () => {
    const box = project({
      [FILE]: { permissions: { deny: ["WebFetch"], ask: ["Bash"] }, sandbox: { failIfUnavailable: true } },
    });
    const ran = await run(box, ["trust"]);
    expect(ran.stdout).toBe(`Nothing in ${box.cwd} acts: there is nothing to trust.\n`);
    expect((await print(project({ [FILE]: { permissions: { deny: ["WebFetch"] } } }), [], [say("Hi.")])).stderr).toBe(
      "",
    );
    expect((await run(box, ["trust", "maybe"])).code).toBe(1);
  });

  test("malformed settings of a project stop the start and say how to go on without them", async () => {
    const box = project({ [FILE]: '{\n  "permissions": {"deny": ["Bash"]\n' });
    const ran = await print(box);
    expect([ran.code, ran.stdout]).toEqual([1, ""]);
    expect(ran.stderr).toStartWith(`${join(box.cwd, FILE)}:3: not valid JSON: expected "," or "}", found the end`);
    expect(ran.stderr).toContain("--setting-sources user");
    expect((await print(box, ["--setting-sources", "user"], [say("Hi.")])).stdout).toBe("Hi.\n");
  });
});

describe("in the terminal", () => {
  test("what would act is shown and asked first; no leaves only what is stricter", async () => {
    const box = project();
    const t = await terminal(box);
    await t.sees("This project has settings that act");
    await t.sees(`${box.cwd} (not trusted)`);
    await t.sees("  + hooks.SessionStart: runs: touch \\x1b[2Jhooked");
    await t.sees("  + permissions.allow: Bash(touch made.txt)");
    await t.sees(QUESTION);
    await t.sees("? ");
    // Nothing has happened, not even the greeting.
    expect([t.model.requests.length, t.screen.text.includes("/help"), box.has("hooked")]).toEqual([0, false, false]);
    t.type("n\n");
    await t.sees("/help");
    await t.sees("> ");
    t.type("go\n");
    await t.sees("Bash wants to");
    await t.sees("? ");
    t.type("n\n");
    await t.sees("Tried.");
    t.type("\u0004");
    expect(await t.leaves()).toBe(0);
    expect([box.has("made.txt"), t.screen.text.includes("\u001b[2J")]).toEqual([false, false]);
    expect(existsSync(join(box.home, ".nanocode/trust.json"))).toBe(false);
  });

  test("only this time; then from now on; then it is not asked again until something is new", async () => {
    const box = project();
    for (const answer of ["o", "y"]) {
      const t = await terminal(box);
      await t.sees(QUESTION);
      t.type(`${answer}\n`);
      await t.sees("> ");
      t.type("go\n");
      await t.sees("Tried.");
      t.type("\u0004");
      expect([answer, await t.leaves(), box.has("made.txt")]).toEqual([answer, 0, true]);
      rmSync(join(box.cwd, "made.txt"));
    }
    const t = await terminal(box);
    await t.sees("/help");
    expect(t.screen.text).not.toContain("settings that act");
    t.type("\u0004");
    expect(await t.leaves()).toBe(0);

    box.write(".mcp.json", {
      mcpServers: { extra: { command: "sh", args: ["-c", "touch mcp"], env: { KEY: "secret" } } },
    });
    const again = await terminal(box);
    await again.sees("(trusted before, but not what is marked with +)");
    await again.sees('  + MCP server extra: runs: sh "-c" "touch mcp" {"env":{"KEY":"(not shown)"}}');
    await again.sees(QUESTION);
    again.type("n\n");
    await again.sees("/help");
    expect(again.screen.text).not.toContain("secret");
    again.type("\u0004");
    expect(await again.leaves()).toBe(0);
  });

  test("Ctrl-C and the end of input at the question leave, and trust nothing", async () => {
    const box = project();
    for (const [key, code] of [
      ["\u0003", 130],
      ["\u0004", 0],
    ] as const) {
      const t = await terminal(box);
      await t.sees(QUESTION);
      await t.sees("? ");
      t.type(key);
      expect([key, await t.leaves(), t.model.requests.length]).toEqual([key, code, 0]);
    }
    expect(existsSync(join(box.home, ".nanocode/trust.json"))).toBe(false);
  });

  test("a rule kept with always is in force next time, without a question", async () => {
    const box = project({ [FILE]: { permissions: { deny: ["WebFetch"] } } });
    const t = await terminal(box);
    await t.sees("> ");
    t.type("go\n");
    await t.sees("a = yes, and always");
    t.type("a\n");
    await t.sees("Tried.");
    t.type("\u0004");
    expect([await t.leaves(), box.has("made.txt")]).toEqual([0, true]);
    rmSync(join(box.cwd, "made.txt"));
    const local = JSON.parse(readFileSync(join(box.cwd, ".claude/settings.local.json"), "utf8"));
    expect(Object.keys(local.permissions)).toEqual(["allow"]);
    expect(await print(box)).toMatchObject({ code: 0, made: true, stderr: "" });
  });

  test("--trust and --setting-sources user ask nothing", async () => {
    const box = project();
    for (const args of [["--trust"], ["--setting-sources", "user"]]) {
      const t = await terminal(box, TOUCH, args);
      await t.sees("/help");
      expect(t.screen.text).not.toContain("settings that act");
      t.type("\u0004");
      expect(await t.leaves()).toBe(0);
    }
  });

  test("bypassing permissions does not skip the question", async () => {
    const t = await terminal(project(), TOUCH, ["--dangerously-skip-permissions"]);
    await t.sees(QUESTION);
    t.type("\u0003");
    expect(await t.leaves()).toBe(130);
  });
});

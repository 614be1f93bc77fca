// The prompt cache in the real binary: a session never breaks its prefix but where it says so, and the result counts it.
import { afterAll, expect, test } from "bun:test";
import { readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messages, run, sandbox, STREAM, type Sandbox } from "./binary.ts";
import { GOOD_SUMMARY } from "./compact-kit.ts";
import { call, say, startFakeModel, type ScriptEntry } from "./fake-model.ts";

const boxes: Sandbox[] = [];
afterAll(() => boxes.forEach((box) => box.remove()));

const SMALL = { CLAUDE_CODE_AUTO_COMPACT_WINDOW: "60000", CLAUDE_CODE_MAX_OUTPUT_TOKENS: "4000" };

test("with --cache-strict: six reads, a failed command and a compaction; one break, and it is announced", async () => {
  const script: ScriptEntry[] = [
    ...Array.from({ length: 6 }, (_, n) => call("Read", { file_path: `f${n}.txt` })),
    call("Bash", { command: "false" }),
    say("all read"),
  ];
  await using model = await startFakeModel((request) => {
    const asked = JSON.stringify(request.body.messages.at(-1)).includes("Do not call a tool.");
    return asked ? say(GOOD_SUMMARY) : (script.shift() ?? say("out of words"));
  });
  const box = sandbox(model);
  boxes.push(box);
  for (const file of [0, 1, 2, 3, 4, 5]) {
    const line = (n: number) => `line ${n} of file ${file}, and some more words to fill it`;
    writeFileSync(join(box.cwd, `f${file}.txt`), Array.from({ length: 900 }, (_, n) => line(n)).join("\n"));
  }
  const ran = await run(box, ["-p", "Compare the files.", "--cache-strict", ...STREAM], { env: SMALL });
  expect([ran.code, ran.stderr, model.violations]).toEqual([0, "", []]);
  const lines = messages(ran.stdout);
  const told = lines.filter(({ content }) => String(content ?? "").includes("prompt cache"));
  const boundaries = lines.filter(({ subtype }) => subtype === "compact_boundary");
  expect(told.map(({ level, content }) => [level, content])).toEqual(
    boundaries.map(() => ["info", "The prompt cache begins anew: the history was compacted."]),
  );
  expect(boundaries.length).toBeGreaterThan(0);
  const { usage } = lines.at(-1) as { usage: Record<string, number> };
  // Each file is written once and read from the cache ever after; nothing stands behind the last mark.
  expect(usage.cache_read_input_tokens).toBeGreaterThan(usage.cache_creation_input_tokens ?? 0);
  expect(usage.cache_creation_input_tokens).toBeGreaterThan(40_000);
  expect(usage.input_tokens).toBe(0);
});

test("a resumed session says what broke its cache: an edited memory file, other tools, another model; else nothing", async () => {
  await using model = await startFakeModel(() => say("ok"), { check: false });
  const box = sandbox(model);
  boxes.push(box);
  const session = "11111111-2222-4333-8444-555555555555";
  const memory = join(box.cwd, "NANOCODE.md");
  writeFileSync(memory, "Use tabs.\n");
  const said = async (...flags: string[]) => {
    const ran = await run(box, ["-p", "Go on.", "--resume", session, ...flags]);
    expect([ran.code, ran.stdout]).toEqual([0, "ok\n"]);
    return ran.stderr.replace("The prompt cache begins anew: ", "").trim();
  };
  expect((await run(box, ["-p", "Begin.", "--session-id", session])).stderr).toBe("");
  expect(await said("--cache-strict")).toBe("");
  writeFileSync(memory, "Use blanks.\n");
  expect(await said()).toBe(`system block 2 changed in the memory file "${memory}".`);
  expect(await said()).toBe("");
  writeFileSync(join(box.cwd, "NANOCODE.local.md"), "And short names.\n");
  expect(await said()).toContain(`in the memory file "${join(box.cwd, "NANOCODE.local.md")}"`);
  expect(await said("--tools", "Read,Grep")).toBe(
    "the tool list changed (removed Bash, Edit, Write, Glob, TodoWrite and 3 more).",
  );
  expect(await said()).toBe("the tool list changed (added Bash, Edit, Write, Glob, TodoWrite and 3 more).");
  expect(await said("--model", "haiku", "--cache-strict")).toMatch(/^the model is claude-haiku\S* instead of /);
  // Nobody's cache lives so long.
  const [folder = ""] = readdirSync(join(box.home, ".nanocode", "sessions"));
  const file = join(box.home, ".nanocode", "sessions", folder, `${session}.jsonl`);
  utimesSync(file, new Date(), new Date(Date.now() - 2 * 3_600_000));
  expect(await said()).toBe("");
  // It is said of an earlier program's requests, never kept twice.
  const prefixes = readFileSync(file, "utf8").match(/"subtype":"prefix"/g);
  expect(prefixes?.length).toBe(7);
});

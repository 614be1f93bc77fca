// Compaction in the real binary: on the wire, in the record, after a refusal, by hand, and only looked at.
import { afterAll, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { messages, run, sandbox, STREAM, type Sandbox } from "./binary.ts";
import { GOOD_SUMMARY, longFiles, SMALL_WINDOW as SMALL } from "./compact-kit.ts";
import {
  call,
  say,
  startFakeModel,
  status,
  type FakeModel,
  type RecordedRequest,
  type ScriptEntry,
} from "./fake-model.ts";
import { startScreen } from "./screen.ts";

const boxes: Sandbox[] = [];
afterAll(() => boxes.forEach((box) => box.remove()));

const SESSION = "11111111-2222-4333-8444-555555555555";

function project(model: FakeModel): Sandbox {
  const box = sandbox(model);
  boxes.push(box);
  longFiles(box.cwd);
  return box;
}

const asksForSummary = ({ body }: RecordedRequest) =>
  JSON.stringify(body.messages.at(-1)).includes("Do not call a tool.");

/** Works through a script; a request for a summary in between gets one. */
function worker(script: ScriptEntry[]) {
  const left = [...script];
  return (request: RecordedRequest) =>
    asksForSummary(request) ? say(GOOD_SUMMARY) : (left.shift() ?? say("out of words"));
}

const reads = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => call("Read", { file_path: `f${from + n}.txt` }));

const recordOf = (box: Sandbox) => {
  const root = join(box.home, ".nanocode", "sessions");
  const [project = ""] = readdirSync(root);
  return join(root, project, `${SESSION}.jsonl`);
};
const firstText = (request: RecordedRequest | undefined) => JSON.stringify(request?.body.messages[0]);

test("a full window is compacted in the middle of a run; the record keeps all, and resuming goes on from the summary", async () => {
  const model = await startFakeModel(worker([...reads(0, 6), say("all read"), say("hello again")]));
  const box = project(model);
  const prompt = 'Compare the files.\n\nKeep "all" of them.';
  const ran = await run(box, ["-p", prompt, ...STREAM, "--session-id", SESSION], { env: SMALL });
  expect(ran).toMatchObject({ code: 0, stderr: "" });
  expect(model.violations).toEqual([]);

  const lines = messages(ran.stdout);
  const system = lines.filter((line) => line.type === "system" && line.subtype !== "init");
  const outline = system.map(
    ({ subtype, status: is, content }) => `${subtype} ${is ?? String(content ?? "").split(":")[0]}`,
  );
  expect(outline.slice(0, 5)).toEqual([
    "status compacting",
    "informational Compacting",
    "informational Compacted",
    "status ",
    "compact_boundary ",
  ]);
  const boundary = system.find(({ subtype }) => subtype === "compact_boundary");
  const metadata = boundary?.compact_metadata as {
    trigger: string;
    pre_tokens: number;
    post_tokens: number;
    how: string;
  };
  expect(metadata).toMatchObject({ trigger: "auto", how: "summarised" });
  expect(metadata.pre_tokens).toBeGreaterThan(43_000);
  expect(metadata.post_tokens).toBeLessThan(43_000 * 0.75);
  expect(lines.at(-1)).toMatchObject({ type: "result", subtype: "success", result: "all read" });

  // The question comes at the end of what was sent anyway, with the same tools and system text.
  const at = model.requests.findIndex(asksForSummary);
  const [before, asked, after] = model.requests.slice(at - 1, at + 2);
  expect(asked?.body.tools).toEqual(before?.body.tools ?? []);
  expect(JSON.stringify(asked?.body.system)).toBe(JSON.stringify(before?.body.system));
  expect(asked?.body.messages.length).toBe((before?.body.messages.length ?? 0) + 2);
  expect(firstText(after)).toContain("This conversation outgrew");
  expect(firstText(after)).toContain(JSON.stringify(prompt).slice(1, -1));
  expect(firstText(after)).toContain('<file path=\\"f');

  const record = readFileSync(recordOf(box), "utf8");
  for (const file of [0, 1, 2, 3, 4, 5]) expect(record).toContain(`line 899 of file ${file},`);
  const transcript = /\/[^" ]*kept-before-[^" ]*\.txt/.exec(firstText(after))?.[0] ?? "";
  expect(statSync(transcript).mode & 0o777).toBe(0o600);
  expect(readFileSync(transcript, "utf8")).toContain("line 899 of file 0,");

  const again = await run(box, ["-p", "and?", "--resume", SESSION], { env: SMALL });
  expect(again).toMatchObject({ code: 0, stdout: "hello again\n" });
  expect(model.violations).toEqual([]);
  expect(firstText(model.requests.at(-1))).toBe(firstText(model.requests.at(-2)));
});

test("what was taken out can be read again without being asked", async () => {
  const found: { path?: string } = {};
  const model = await startFakeModel((request) => {
    if (asksForSummary(request)) return say(GOOD_SUMMARY);
    const path = /\/[^" ]*kept-before-[^" ]*\.txt/.exec(firstText(request))?.[0];
    if (path !== undefined && found.path === undefined) {
      found.path = path;
      return call("Grep", { pattern: "line 899 of file 0", path, output_mode: "content" });
    }
    if (found.path !== undefined) return say("found");
    return call("Read", { file_path: `f${request.index}.txt` });
  });
  const box = project(model);
  const ran = await run(box, ["-p", "look", ...STREAM], { env: SMALL });
  expect(messages(ran.stdout).at(-1)).toMatchObject({ result: "found", permission_denials: [] });
  expect(JSON.stringify(model.requests.at(-1)?.body.messages.at(-1))).toContain("line 899 of file 0");
});

test("old results alone are taken out where that is enough; the model's cache is told", async () => {
  const many = Array.from({ length: 9 }, () => call("Glob", { pattern: "*.txt" }));
  const state = { announced: false };
  const script = [...reads(0, 3), ...many, ...reads(3, 4), say("done")];
  const model: FakeModel = await startFakeModel((request) => {
    // The last of the calls fills the window: what follows may begin otherwise.
    if (script.length === 2) {
      state.announced = true;
      model.announceCompaction();
    }
    return asksForSummary(request) ? say("no summary was needed") : (script.shift() ?? say("?"));
  });
  const box = project(model);
  const env = { ...SMALL, CLAUDE_CODE_AUTO_COMPACT_WINDOW: "72000" };
  const ran = await run(box, ["-p", "look", ...STREAM], { env });
  const boundaries = messages(ran.stdout).filter(({ subtype }) => subtype === "compact_boundary");
  expect(boundaries.map((line) => (line.compact_metadata as { how: string }).how)).toEqual(["pruned"]);
  expect({ violations: model.violations, announced: state.announced }).toEqual({ violations: [], announced: true });
  expect(model.requests.some(asksForSummary)).toBe(false);
  const last = JSON.stringify(model.requests.at(-1)?.body.messages);
  expect(last).toContain("[Taken out to make room: the result of Read f0.txt");
});

test("a prompt the model calls too long is compacted and asked again, headless", async () => {
  const tooLong = status(400, { message: "prompt is too long: 210000 tokens > 200000 maximum" });
  const model = await startFakeModel(worker([...reads(0, 2), tooLong, say("made it")]));
  const ran = await run(project(model), ["-p", "look"]);
  expect(ran).toMatchObject({ code: 0, stdout: "made it\n" });
  expect(ran.stderr).toContain("Compacting: the model says that the conversation is too long.");
  expect(ran.stderr).toMatch(/Compacted: [\d,]+ tokens to [\d,]+ tokens \(summarised\)\./);
  expect(model.violations).toEqual([]);
});

test("a model that always says so ends the run with what to do", async () => {
  const tooLong = status(400, { message: "prompt is too long: 210000 tokens > 200000 maximum" });
  const model = await startFakeModel((request) =>
    request.index < 2 ? (reads(0, 2)[request.index] ?? tooLong) : tooLong,
  );
  const ran = await run(project(model), ["-p", "look"]);
  expect(ran.code).toBe(1);
  expect(ran.stdout).toMatch(/^API Error: .*(--model|in a row)/);
  expect(model.requests.length).toBeLessThan(10);
});

test("nanocode compact --dry-run says what would go and stay, and changes nothing", async () => {
  const model = await startFakeModel(
    worker([...reads(0, 5), call("Write", { file_path: "new.txt", content: "x" }), say("done")]),
  );
  const box = project(model);
  await run(box, ["-p", "Write the sum", "--session-id", SESSION, "--permission-mode", "acceptEdits"]);
  const before = readFileSync(recordOf(box));
  const asked = model.requests.length;
  const ran = await run(box, ["compact", "--dry-run", SESSION.slice(0, 8)]);
  expect(ran).toMatchObject({ code: 0, stderr: "" });
  const out = ran.stdout;
  for (const part of [
    `session ${SESSION}\n`,
    /^14 messages, claude-[\w-]+: [\d,]+ tokens of [\d,]+ tokens; compacted above [\d,]+ tokens$/m,
    "1. Old tool results: none is large enough",
    /^2\. Summarised: messages 1 to \d+, [\d,]+ tokens$/m,
    /^ {3}Cut before message \d+\. Word for word stays: \d+ to 14, [\d,]+ tokens$/m,
    "     Write the sum",
    "     new.txt: written",
    '3. Shown again, as it is now:\n   file path="f4.txt"',
    /^After it, without the model's own words: about [\d,]+ tokens\.$/m,
    "Nothing was changed, and no model was asked.",
  ]) {
    if (typeof part === "string") expect(out).toContain(part);
    else expect(out).toMatch(part);
  }
  expect(model.requests.length).toBe(asked);
  expect(readFileSync(recordOf(box)).equals(before)).toBe(true);
  expect(readdirSync(join(box.home, ".nanocode"))).toEqual(["sessions"]);

  const wrong: [string[], string][] = [
    [["compact", SESSION], "compact only looks: nanocode compact --dry-run SESSION"],
    [["compact", "--dry-run"], "nanocode compact --dry-run SESSION"],
    [["compact", "--dry-run", "99999999"], "No conversation found with session ID: 99999999"],
  ];
  for (const [args, message] of wrong) {
    const failed = await run(box, args);
    expect([failed.code, failed.stdout, failed.stderr.includes(message)]).toEqual([1, "", true]);
  }
});

test("/context and /compact in the terminal", async () => {
  const model = await startFakeModel(worker([...reads(0, 2), say("read them"), say("still here")]));
  const box = project(model);
  const { child, sees, type } = startScreen(box);
  await sees("> ");
  type("read two files\n");
  await sees("read them");
  await sees("> ");
  type("/context\n");
  await sees("counted by the API");
  await sees("messages");
  await sees("Compacted above");
  await sees("from the cache");
  type("/compact the numbers\n");
  await sees("Compacted: ");
  await sees("(summarised).");
  const asked = model.requests.find(asksForSummary);
  expect(JSON.stringify(asked?.body.messages.at(-1))).toContain("keep above all: the numbers");
  type("go on\n");
  await sees("still here");
  expect(firstText(model.requests.at(-1))).toContain("This conversation outgrew");
  type("\u0004");
  expect(await child.exited).toBe(0);
  expect(model.violations).toEqual([]);
});

test("a resumed conversation is counted from its last compaction on", async () => {
  const model = await startFakeModel(worker([...reads(0, 3), say("read them"), say("small now")]));
  const box = project(model);
  await run(box, ["-p", "read three files", "--session-id", SESSION]);
  const { child, sees, type } = startScreen(box, { args: ["--resume", SESSION] });
  await sees("> ");
  type("/compact\n");
  await sees("(summarised).");
  type("\u0004");
  expect(await child.exited).toBe(0);
  // The last reply's own numbers tell of a history that would be far too large here.
  const again = await run(box, ["-p", "and?", "--resume", SESSION], { env: SMALL });
  expect(again).toMatchObject({ code: 0, stdout: "small now\n", stderr: "" });
  expect(model.requests.filter(asksForSummary).length).toBe(1);
  expect(model.violations).toEqual([]);
});

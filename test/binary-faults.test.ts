// What a bad network and a busy API do to the real binary: each fault of the retry list, one by one and all in one run.
import { afterAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { messages, run, sandbox, STREAM, type Sandbox } from "./binary.ts";
import {
  call,
  cut,
  raw,
  refuse,
  reply,
  say,
  silence,
  stall,
  startFakeModel,
  status,
  type ScriptEntry,
} from "./fake-model.ts";

const boxes: Sandbox[] = [];
afterAll(() => boxes.forEach((box) => box.remove()));

const SOON = { "retry-after-ms": "1" };
const HASTE = { API_TIMEOUT_MS: "300", CLAUDE_STREAM_IDLE_TIMEOUT_MS: "300" };
const COUNT = call("Bash", { command: "echo ran >> count.txt; wc -l < count.txt" });

const FAULTS: [string, ScriptEntry][] = [
  ["408", status(408, { headers: SOON })],
  ["409", status(409, { headers: SOON })],
  ["429", status(429, { headers: SOON })],
  ["500", status(500, { headers: SOON })],
  ["502 with an HTML page", status(502, { headers: SOON, body: "<html><body>Bad gateway</body></html>" })],
  ["503", status(503, { headers: SOON })],
  ["529", status(529, { headers: SOON })],
  ["closed without an answer", refuse()],
  ["no answer at all", silence()],
  ["cut in the headers' shadow", cut(say("Never whole"), { afterBytes: 60 })],
  ["cut in mid-text", cut(say("Never quite whole, this one"), { afterBytes: 900 })],
  ["cut after a write call", cut(reply([COUNT, say("x")]), { afterBlocks: 1 })],
  ["stalled after a write call", stall(reply([COUNT, say("x")]), 1)],
  [
    "ended without its end",
    raw(
      'event: message_start\ndata: {"type":"message_start","message":{"id":"m","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}\n\n',
    ),
  ],
  [
    "overloaded in mid-stream",
    raw('event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'),
  ],
];

for (const [name, fault] of FAULTS) {
  test(`survives: ${name}`, async () => {
    await using model = await startFakeModel([fault, COUNT, say("done")]);
    const box = sandbox(model);
    boxes.push(box);
    const ran = await run(box, ["-p", "x", ...STREAM, "--allowedTools", "Bash,Edit"], { env: HASTE });
    const lines = messages(ran.stdout);
    const retries = lines.filter((m) => m.subtype === "api_retry");
    expect([ran.code, retries.length, lines.at(-1)?.result]).toEqual([0, 1, "done"]);
    expect(retries[0]).toMatchObject({
      attempt: 1,
      max_retries: 10,
      retry_delay_ms: expect.any(Number),
      error: expect.any(String),
    });
    expect(readFileSync(join(box.cwd, "count.txt"), "utf8")).toBe("ran\n");
    expect(model.violations).toEqual([]);
  });
}

test("a stream that breaks after a read ran goes on from there: the read is not repeated", async () => {
  await using model = await startFakeModel([
    cut(reply([call("Glob", { pattern: "*" }, { id: "t1" }), COUNT, say("x")]), { afterBlocks: 2 }),
    COUNT,
    say("done"),
  ]);
  const box = sandbox(model);
  boxes.push(box);
  const ran = await run(box, ["-p", "x", ...STREAM, "--allowedTools", "Bash,Edit"], { env: HASTE });
  const lines = messages(ran.stdout);
  const globs = lines.filter((m) => JSON.stringify(m).includes('"tool_use_id":"t1"'));
  expect([ran.code, globs.length, model.requests.length]).toEqual([0, 1, 3]);
  expect(readFileSync(join(box.cwd, "count.txt"), "utf8")).toBe("ran\n");
  expect(JSON.stringify(model.requests[1]?.body.messages.at(-1))).toContain("Not run: the connection broke");
  expect(model.violations).toEqual([]);
});

test("ten retries at most, then the error; 400 and 401 are not retried; a long retry-after is given up at once", async () => {
  const tried = async (script: ScriptEntry[]) => {
    await using model = await startFakeModel(script);
    const box = sandbox(model);
    boxes.push(box);
    const ran = await run(box, ["-p", "x", "--output-format", "json"]);
    return [ran.code, model.requests.length, (JSON.parse(ran.stdout) as { api_error_status: number }).api_error_status];
  };
  expect(await tried(Array.from({ length: 20 }, () => status(529, { headers: SOON })))).toEqual([1, 11, 529]);
  expect(await tried([status(400)])).toEqual([1, 1, 400]);
  expect(await tried([status(401)])).toEqual([1, 1, 401]);
  expect(await tried([status(429, { headers: { "retry-after": "3600" } })])).toEqual([1, 1, 429]);
});

test("repeated overload: the fallback model answers, and stays for the run", async () => {
  const busy = status(529, { headers: SOON });
  await using model = await startFakeModel([busy, busy, busy, call("Glob", { pattern: "*" }), say("done")]);
  const box = sandbox(model);
  boxes.push(box);
  const ran = await run(box, ["-p", "x", ...STREAM, "--model", "opus", "--fallback-model", "haiku"]);
  const asked = model.requests.map((request) => String(request.body.model).includes("haiku"));
  expect([ran.code, asked]).toEqual([0, [false, false, false, true, true]]);
  expect(ran.stdout).toContain("Going on with");
  expect(model.violations).toEqual([]);
});

test("all faults in one run", async () => {
  const script = FAULTS.flatMap(([, fault]) => [fault, call("Glob", { pattern: "*" })]);
  await using model = await startFakeModel([...script, say("still here")]);
  const box = sandbox(model);
  boxes.push(box);
  const ran = await run(box, ["-p", "x"], { env: HASTE });
  expect([ran.code, ran.stdout]).toEqual([0, "still here\n"]);
  expect(model.violations).toEqual([]);
}, 60_000);

// SIGKILL at fifty random moments of one session: it resumes each time, nothing recorded is lost, every call is answered.
import { afterAll, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { run, sandbox, start, STREAM, type Sandbox } from "./binary.ts";
import { call, reply, say, startFakeModel, think, type Handler } from "./fake-model.ts";
import { chance } from "./support.ts";

const boxes: Sandbox[] = [];
afterAll(() => boxes.forEach((box) => box.remove()));

const KILLS = 50;
const ID = "12345678-1234-4234-8234-123456789abc";

test(`survives ${KILLS} SIGKILLs`, async () => {
  const seed = Number(process.env.SEED ?? Date.now() % 100_000);
  const { below, pick } = chance(seed);
  const note = `seed ${seed}`;
  const state = { last: false, n: 0 };
  const handler: Handler = () => {
    if (state.last) return say("the end");
    const n = ++state.n;
    const long = "word ".repeat(below(200));
    const bash = call("Bash", { command: `echo ${n} >> log.txt; ${pick(["true", "sleep 0.05", "seq 2000"])}` });
    const blocks = pick([
      [think("hm"), say(long), bash],
      [call("Glob", { pattern: "*" }), call("Read", { file_path: "log.txt" }), bash, bash],
      [say(`é${long}`), call("Grep", { pattern: "1", output_mode: "content" }), bash],
    ]);
    return reply(blocks, { delayMs: below(3) });
  };
  await using model = await startFakeModel(handler);
  const box = sandbox(model);
  boxes.push(box);
  const folder = join(box.home, ".nanocode", "sessions");
  const file = () => {
    const project = existsSync(folder) ? readdirSync(folder)[0] : undefined;
    const path = join(folder, project ?? "none", `${ID}.jsonl`);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  };
  // Moments from before the start is over to well inside the work, on machines of any speed.
  const began = performance.now();
  await run(box, ["-p", "x", "--no-session-persistence", "--max-turns", "1", "--allowedTools", "Bash,Edit"]);
  const startMs = Math.max(25, (performance.now() - began) / 2);
  state.n = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const before = file();
    const whole = before.slice(0, before.lastIndexOf("\n") + 1);
    const which = before === "" ? ["--session-id", ID] : ["--resume", ID];
    const child = start(box, ["-p", `go on ${kill}`, ...STREAM, ...which, "--allowedTools", "Bash,Edit"]);
    await Bun.sleep(startMs * (0.6 + below(240) / 100));
    child.kill("SIGKILL");
    const stderr = await child.stderr.text();
    expect([note, kill, await child.exited, stderr.replace(/nanocode: .*\n/g, "")]).toEqual([note, kill, 137, ""]);
    const after = file();
    // Only what is not whole may go; the rest stays byte for byte.
    expect([note, kill, after.startsWith(whole)]).toEqual([note, kill, true]);
  }
  state.last = true;
  const recorded = file();
  const whole = recorded.slice(0, recorded.lastIndexOf("\n") + 1);
  const end = await run(box, ["-p", "and now the end", "--resume", ID]);
  expect([note, end.code, end.stdout]).toEqual([note, 0, "the end\n"]);
  expect([note, model.violations]).toEqual([note, []]);
  expect(file().startsWith(whole)).toBe(true);

  // Every prompt, reply and result on disk reached the last request.
  const sent = JSON.stringify(model.requests.at(-1)?.body.messages);
  const lines = whole
    .split("\n")
    .filter(Boolean)
    .map(
      (line) => JSON.parse(line) as { type: string; message?: { content: { id?: string; tool_use_id?: string }[] } },
    );
  const ids = lines
    .flatMap((line) => line.message?.content.map((block) => block.id ?? block.tool_use_id) ?? [])
    .filter((id) => id !== undefined);
  expect(ids.length).toBeGreaterThan(100);
  expect(ids.filter((id) => !sent.includes(id))).toEqual([]);
}, 120_000);

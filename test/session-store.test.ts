// Recording and reading back through real files: shapes on disk, forks, resumes, disks that take nothing.
import { afterAll, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { UsageError } from "../src/core/errors.ts";
import type { DurableEvent, ToolUse } from "../src/core/types.ts";
import { Decoder, encode } from "../src/session/codec.ts";
import { load } from "../src/session/load.ts";
import { SessionStore } from "../src/session/store.ts";
import { chance } from "./support.ts";
import { anyEvent, ends, folder, fold, linesOf, optionsIn, record, replies, says, uses } from "./session-kit.ts";

const home = folder();
afterAll(home.remove);
const ID = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
const U1 = "11111111-1111-4111-8111-111111111111";

async function problem(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "(no error)";
}

describe("on disk", () => {
  test("lines that other programs read: uuid, parentUuid, sessionId, message; ours besides", () => {
    const options = optionsIn(home.path, { title: "A title" });
    const call = uses("c1");
    const events: DurableEvent[] = [
      { type: "mode", mode: "plan" },
      says("hello", U1),
      { ...ends(call), view: { kind: "text", text: "eyes" }, data: { eyes: 1 } } as DurableEvent,
      { type: "cwd", cwd: "/q" },
    ];
    record(options, [
      ...events.slice(0, 2),
      replies([{ type: "text", text: "ok" }, call], "msg_1"),
      ...events.slice(2),
    ]);
    const lines = linesOf(options.path);
    const place = { sessionId: options.id, timestamp: "1970-01-01T00:00:00.000Z", cwd: "/p", version: "1.2.3" };
    const chain = { uuid: expect.any(String), isSidechain: false, ...place };
    expect(lines).toEqual([
      { type: "system", subtype: "session", format: 1, title: "A title", ...place },
      { type: "custom-title", customTitle: "A title", sessionId: options.id },
      { type: "system", subtype: "mode", mode: "plan", uuid: expect.any(String), ...place },
      {
        type: "user",
        ...chain,
        uuid: U1,
        parentUuid: null,
        nanocode: { id: U1 },
        message: { role: "user", content: [{ type: "text", text: "hello" }] },
      },
      {
        type: "assistant",
        ...chain,
        parentUuid: U1,
        message: {
          id: "msg_1",
          type: "message",
          role: "assistant",
          model: "m",
          content: [{ type: "text", text: "ok" }, call],
          stop_reason: "tool_use",
          stop_sequence: null,
          usage: { input_tokens: 1, output_tokens: 2, cache_creation_input_tokens: 3, cache_read_input_tokens: 4 },
        },
      },
      {
        type: "user",
        ...chain,
        parentUuid: lines[4]?.["uuid"],
        nanocode: { tool: "Read", outcome: "ok", durationMs: 5 },
        message: { role: "user", content: [{ type: "tool_result", tool_use_id: "c1", content: "done" }] },
      },
      { type: "system", subtype: "cwd", to: "/q", uuid: expect.any(String), ...place, cwd: "/q" },
    ]);
  });

  test("nothing before the first message; then a private file in a private folder", () => {
    const options = optionsIn(join(home.path, "private"));
    const store = new SessionStore(options);
    store.append({ type: "model", model: "x", reason: "chosen" });
    expect(existsSync(dirname(options.path))).toBe(false);
    store.append(says("hi"));
    const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
    if (process.platform !== "win32") expect([mode(options.path), mode(dirname(options.path))]).toEqual(["600", "700"]);
    store.close();
    expect(readdirSync(dirname(options.path))).toEqual([`${options.id}.jsonl`]);
    const unused = optionsIn(join(home.path, "unused"));
    new SessionStore(unused).close();
    expect(existsSync(dirname(unused.path))).toBe(false);
  });

  test("each event is whole on disk when append returns; sync can run while it is closed", async () => {
    const options = optionsIn(home.path);
    const store = new SessionStore(options);
    store.append(says("a"));
    const syncing = [store.sync(), store.sync()];
    store.append(says("b"));
    expect(linesOf(options.path).length).toBe(3);
    store.close();
    await Promise.all(syncing);
    await store.sync();
    store.append(says("after the end"));
    expect(linesOf(options.path).length).toBe(3);
  });
});

test("what is read back is what was recorded, whatever it was (but for what is for eyes)", async () => {
  for (let round = 0; round < 60; round++) {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const dice = chance(seed);
    const open: ToolUse[] = [];
    const events = Array.from({ length: 1 + dice.below(25) }, () => anyEvent(dice, open));
    const decoder = new Decoder();
    const decoded = events.map((event) => decoder.decode(JSON.parse(JSON.stringify(encode(event)))));
    expect({ seed, decoded }).toEqual({ seed, decoded: events });
    // A file begins with its first message, so one is put first; what makes no sense to keep is not made by anyEvent.
    const options = optionsIn(home.path);
    const all = [says("first"), ...events];
    record(options, all);
    const loaded = await load(options.path);
    expect({ seed, events: loaded.events, notices: loaded.notices }).toEqual({ seed, events: all, notices: [] });
    expect({ seed, state: fold(loaded.events) }).toEqual({ seed, state: fold(all) });
    rmSync(options.path);
  }
});

describe("resume", () => {
  test("appends to the same file, chained to its last message", async () => {
    const options = optionsIn(home.path);
    record(options, [says("one"), replies([{ type: "text", text: "1" }])]);
    const { store, loaded } = await SessionStore.resume(options);
    expect(loaded.notices).toEqual([]);
    store.append(says("two"));
    store.close();
    const lines = linesOf(options.path);
    expect(lines.map((line) => line["type"])).toEqual(["system", "user", "assistant", "user"]);
    expect(lines[3]?.["parentUuid"]).toBe(lines[2]?.["uuid"]);
  });

  test("without a message it changes nothing", async () => {
    const options = optionsIn(home.path);
    record(options, [says("one"), replies([uses("c1")])]);
    const before = readFileSync(options.path, "utf8");
    const { store } = await SessionStore.resume(options);
    store.append({ type: "mode", mode: "plan" });
    store.close();
    expect(readFileSync(options.path, "utf8")).toBe(before);
  });

  test("a call cut off by a crash gets an error result, durably, with the next message", async () => {
    const options = optionsIn(home.path);
    const [a, b] = [uses("a"), uses("b")];
    record(options, [says("one"), replies([a, b]), ends(b)]);
    const { store, loaded } = await SessionStore.resume(options);
    const last = loaded.events.at(-1);
    expect(last?.type === "tool.end" && [last.call, last.result.is_error, last.outcome]).toEqual([a, true, "aborted"]);
    expect(loaded.notices).toEqual(["A tool call was interrupted when the program was last stopped."]);
    store.append(says("go on"));
    store.close();
    const again = await load(options.path);
    expect(again.events).toEqual([...loaded.events, ...again.events.slice(-1)]);
    const results = fold(again.events).messages[2]?.content.slice(0, 2);
    expect(results?.map((r) => r.type === "tool_result" && r.tool_use_id)).toEqual(["a", "b"]);
  });

  test("a message sent again with the same id stays in the record", async () => {
    const options = optionsIn(home.path);
    record(options, [says("one", U1)]);
    const { store } = await SessionStore.resume(options);
    store.append(says("again", U1));
    store.append(says("and again", U1));
    store.close();
    const texts = (await load(options.path)).events.map((e) => e.type === "message" && e.message.content[0]);
    expect(texts.map((t) => t && t.type === "text" && t.text)).toEqual(["one", "again", "and again"]);
  });

  test("a new title is kept", async () => {
    const options = optionsIn(home.path);
    record(options, [says("one")]);
    const { store } = await SessionStore.resume({ ...options, title: "new" });
    store.append(says("two"));
    store.close();
    expect((await load(options.path)).title).toBe("new");
  });

  test("a file that is gone or cannot be read is one line, not a crash", async () => {
    const gone = optionsIn(home.path);
    mkdirSync(dirname(gone.path), { recursive: true });
    expect(await problem(() => SessionStore.resume(gone))).toStartWith(
      `The conversation in ${gone.path} cannot be read`,
    );
    expect(readdirSync(dirname(gone.path)).filter((name) => name.includes(gone.id))).toEqual([]);
  });
});

describe("fork", () => {
  test("a copy with its own id, made with its first message; the original stays as it was", async () => {
    const options = optionsIn(home.path);
    record(options, [says("one", U1), replies([{ type: "text", text: "1" }], "m1")]);
    const before = readFileSync(options.path, "utf8");
    const { events } = await load(options.path);
    const forked = optionsIn(home.path, { forkedFrom: options.id });
    const store = new SessionStore(forked);
    store.seed(events);
    expect(existsSync(forked.path)).toBe(false);
    store.append(says("two"));
    store.append(says("three"));
    store.close();
    expect(readFileSync(options.path, "utf8")).toBe(before);
    const copy = await load(forked.path);
    expect(copy.events.slice(0, 2)).toEqual(events);
    expect([copy.events.length, copy.header["forkedFrom"], copy.header["sessionId"]]).toEqual([
      4,
      options.id,
      forked.id,
    ]);
    expect(new Set(linesOf(forked.path).map((line) => line["sessionId"]))).toEqual(new Set([forked.id]));
  });
});

describe("ids that are taken", () => {
  test("a file that appeared meanwhile is not written into", async () => {
    for (const seed of [[], [says("copied")]]) {
      const options = optionsIn(home.path);
      const store = new SessionStore(options);
      store.seed(seed);
      record(options, [says("theirs")]);
      const before = readFileSync(options.path, "utf8");
      expect(await problem(() => store.append(says("ours")))).toBe(`Session ID ${options.id} is already in use.`);
      store.close();
      expect(readFileSync(options.path, "utf8")).toBe(before);
      expect(readdirSync(dirname(options.path)).filter((n) => n.includes(options.id))).toEqual([`${options.id}.jsonl`]);
    }
  });

  test("an empty file of a killed program is taken over", async () => {
    const options = optionsIn(home.path, { id: ID });
    mkdirSync(dirname(options.path), { recursive: true });
    writeFileSync(options.path, "", { mode: 0o644 });
    record(options, [says("x")]);
    expect([(await load(options.path)).events.length, statSync(options.path).mode & 0o077]).toEqual([1, 0]);
  });
});

describe("a place that cannot be written to", () => {
  test("is said once; the run goes on, and what was held back is written when it can be", async () => {
    const root = join(home.path, "blocked");
    writeFileSync(root, "a file where the folder should be");
    const problems: string[] = [];
    const options = optionsIn(root, { onProblem: (text) => problems.push(text) });
    const store = new SessionStore(options);
    const events = [says("one"), replies([{ type: "text", text: "1" }]), says("two")];
    for (const event of events.slice(0, 2)) store.append(event);
    await store.sync();
    expect(problems).toEqual([
      `This conversation is not being recorded: a part of the path is a file (${options.path}). It goes on, but cannot be resumed from here.`,
    ]);
    rmSync(root);
    store.append(events[2] as DurableEvent);
    store.close();
    expect([(await load(options.path)).events, problems.length]).toEqual([events, 1]);
  });

  test("a full disk: the piece of a line is taken back, and nothing is lost when there is room again", async () => {
    // A limit on the file's size stands for the disk's end; it is the one full disk every system has.
    const options = optionsIn(home.path);
    const script = `
      import { SessionStore } from ${JSON.stringify(join(import.meta.dir, "../src/session/store.ts"))};
      import { says } from ${JSON.stringify(join(import.meta.dir, "session-kit.ts"))};
      process.on("SIGXFSZ", () => {});
      const problems = [];
      const store = new SessionStore({ ...${JSON.stringify({ ...options, now: undefined, onProblem: undefined })}, onProblem: (t) => problems.push(t) });
      store.append(says("small"));
      for (let i = 0; i < 3; i++) store.append(says("x".repeat(6000)));
      await Bun.write(Bun.stdout, JSON.stringify(problems));
      process.exit(0);`;
    const child = Bun.spawnSync(["bash", "-c", 'ulimit -f 8; exec "$0" -e "$1"', process.execPath, script]);
    const problems: string[] = JSON.parse(child.stdout.toString() || "[]");
    expect(problems.map((text) => text.slice(0, 75))).toEqual(
      ["This conversation is not being recorded: the file would be larger than the s"].map((text) => text.slice(0, 75)),
    );
    const { events, notices, end } = await load(options.path);
    expect([events.length, notices, end.tail]).toEqual([2, [], "none"]);
  });

  test("a read-only file: resumed, unrecorded, said", async () => {
    const options = optionsIn(join(home.path, "readonly"));
    record(options, [says("one")]);
    chmodSync(dirname(options.path), 0o500);
    const problems: string[] = [];
    try {
      const { store, loaded } = await SessionStore.resume({ ...options, onProblem: (text) => problems.push(text) });
      store.append(says("two"));
      store.close();
      // Root may write anywhere; anyone else is told.
      expect([loaded.events.length, problems.length]).toEqual([1, process.getuid?.() === 0 ? 0 : 1]);
    } finally {
      chmodSync(dirname(options.path), 0o700);
    }
  });

  test("a file removed while in use is said", async () => {
    const problems: string[] = [];
    const options = optionsIn(home.path, { onProblem: (text) => problems.push(text) });
    const store = new SessionStore(options);
    store.append(says("one"));
    rmSync(options.path);
    await store.sync();
    store.append(says("two"));
    await store.sync();
    store.close();
    expect(problems.length).toBe(1);
    expect(problems[0]).toContain("the file was removed while it was in use");
  });
});

test("what another version or program wrote is stepped over and left in the file", async () => {
  const options = optionsIn(home.path);
  record(options, [says("one")]);
  const foreign = ['{"type":"summary","summary":"x"}', '{"type":"system","subtype":"later","x":1}', '{"type":"tag"}'];
  appendFileSync(options.path, `${foreign.join("\n")}\n`);
  const { store, loaded } = await SessionStore.resume(options);
  store.append(says("two"));
  store.close();
  expect([loaded.events.length, loaded.notices]).toEqual([1, []]);
  expect(readFileSync(options.path, "utf8")).toContain(foreign.join("\n"));
});

// Records that a crash, a power loss or a bad disk has damaged: they load, are repaired, and lose nothing whole.
import { afterAll, describe, expect, test } from "bun:test";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { normalise } from "../src/core/history.ts";
import type { DurableEvent, ToolUse } from "../src/core/types.ts";
import { load, repairs } from "../src/session/load.ts";
import { clean } from "../src/session/repair.ts";
import { SessionStore } from "../src/session/store.ts";
import { readJsonl, type JsonlEnd } from "../src/utils/jsonl.ts";
import { chance, problems } from "./support.ts";
import { anyEvent, ends, folder, fold, optionsIn, record, replies, says, uses } from "./session-kit.ts";

const home = folder();
afterAll(home.remove);

const [A, B] = [uses("a"), uses("b")];
const ok = (text: string) => replies([{ type: "text", text }]);

/** A file with these lines and its store's options. */
function fileWith(bytes: string | Uint8Array) {
  const options = optionsIn(home.path);
  record(options, [says("x")]);
  writeFileSync(options.path, bytes);
  return options;
}

/** The bytes of a recorded conversation. */
function bytesOf(events: readonly DurableEvent[]): Buffer {
  const options = optionsIn(home.path);
  record(options, events);
  return readFileSync(options.path);
}

async function goOn(bytes: Uint8Array) {
  const options = fileWith(bytes);
  const { store, loaded } = await SessionStore.resume(options);
  const more = [says("go on"), ok("fine")];
  for (const event of more) store.append(event);
  store.close();
  return { options, loaded, more, again: await load(options.path) };
}

test("cut at any byte: loads, goes on, every call answered once, nothing whole lost", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const dice = chance(seed);
  const open: ToolUse[] = [];
  const calls = [uses("é1", "Bash", { command: "日本" }), uses("é2")];
  const [first, second] = calls as [ToolUse, ToolUse];
  const fixed = [says("日本語"), replies([...calls]), ends(second), ends(first, "ä"), ok("é")];
  const events = [...fixed, ...Array.from({ length: 12 }, () => anyEvent(dice, open)), replies([A, B])];
  const bytes = bytesOf(events);
  const cuts = [
    ...Array.from({ length: 40 }, () => dice.below(bytes.length)),
    ...[...bytes.keys()].filter((i) => bytes[i] === 10).flatMap((i) => [i, i + 1]),
  ];
  for (const cut of cuts) {
    const note = { seed, cut };
    const piece = bytes.subarray(0, cut);
    const { loaded, again, more } = await goOn(piece);
    const whole = piece.toString("latin1").split("\n").length - 1;
    // Header first; a last line that only lacks its newline counts as well.
    const last = bytes[cut] === 10 ? 1 : 0;
    const kept = Math.max(0, whole + last - 1);
    expect({ note, events: loaded.events.slice(0, kept) }).toEqual({ note, events: events.slice(0, kept) });
    expect({ note, again: again.events }).toEqual({ note, again: [...loaded.events, ...more] });
    const repaired = loaded.events.slice(kept);
    expect({ note, repaired }).toEqual({ note, repaired: repairs(events.slice(0, kept)) });
    expect({ note, wrong: problems(normalise(fold(again.events).messages)) }).toEqual({ note, wrong: [] });
    expect({ note, end: again.end.tail, bad: again.end.bad }).toEqual({ note, end: "none", bad: 0 });
  }
});

test("random damage anywhere: it still loads and goes on", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const dice = chance(seed);
  const open: ToolUse[] = [];
  const bytes = bytesOf([says("start"), ...Array.from({ length: 20 }, () => anyEvent(dice, open))]);
  for (let round = 0; round < 60; round++) {
    const damaged = Buffer.from(bytes);
    const at = dice.below(damaged.length);
    const length = 1 + dice.below(dice.pick([1, 10, 3000]));
    const filling = dice.pick([0, 10, 34, 123, 255]);
    damaged.fill(filling, at, Math.min(at + length, damaged.length));
    const { again, loaded, more } = await goOn(damaged);
    const note = { seed, round, at, length, filling };
    expect({ note, again: again.events }).toEqual({ note, again: [...loaded.events, ...more] });
    expect({ note, wrong: problems(normalise(fold(again.events).messages)) }).toEqual({ note, wrong: [] });
  }
});

describe("damage of known kinds", () => {
  const events = [says("one"), replies([A]), ends(A), ok("done")];
  const lines = bytesOf(events).toString().trimEnd().split("\n");
  const [header = "", one = "", call = "", result = "", done = ""] = lines;

  const cases: [string, string, DurableEvent[], string[]][] = [
    [
      "a torn end",
      `${lines.join("\n")}\n{"type":"us`,
      events,
      ["The end of the record was torn when the program was stopped; it is left out."],
    ],
    [
      "a NUL-filled end",
      `${lines.join("\n")}\n${"\0".repeat(5000)}`,
      events,
      ["The end of the record was torn when the program was stopped; it is left out."],
    ],
    ["NULs before a later line", `${header}\n${one}\n\0\0\0${call}\n${result}\n${done}\n`, events, []],
    ["a newline lost between two lines", `${header}\n${one}${call}\n${result}\n${done}\n`, events, []],
    ["no newline at the end", lines.join("\n"), events, []],
    ["CRLF, BOM, empty lines", `\uFEFF${lines.join("\r\n\r\n")}\r\n`, events, []],
    ["a line twice", `${lines.join("\n")}\n${done}\n${one}\n`, events, []],
    ["no header", `${lines.slice(1).join("\n")}\n`, events, []],
    [
      "a bad line in the middle",
      `${header}\n${one}\n{"type":"assist\n${call}\n${result}\n${done}\n`,
      events,
      ["A damaged line of the record skipped."],
    ],
    [
      "bad lines of other kinds",
      `${header}\nx\n[1,\n5\n{"type":"user"}\n${lines.slice(1).join("\n")}\n`,
      events,
      ["4 damaged lines of the record skipped."],
    ],
    [
      "a lost reply: its result goes with it",
      `${header}\n${one}\n{"x\n${result}\n${done}\n`,
      [events[0], events[3]] as DurableEvent[],
      ["A damaged line of the record skipped.", "1 entries that belonged to what is lost were left out."],
    ],
  ];
  test.each(cases)("%s", async (_name, text, expected, notices) => {
    const { loaded, again, more, options } = await goOn(Buffer.from(text));
    const ending = readFileSync(options.path, "utf8").trimEnd().split("\n").slice(-2);
    expect(ending.map((line) => JSON.parse(line).type)).toEqual(["user", "assistant"]);
    expect([loaded.events, loaded.notices]).toEqual([expected, notices]);
    expect(again.events).toEqual([...expected, ...more]);
  });

  test("a lost first prompt leaves a note in its place, the same at every load", async () => {
    const { loaded, again, more } = await goOn(Buffer.from(`${header}\n{"ty\n${call}\n${result}\n`));
    const first = loaded.events[0];
    expect(first?.type === "message" && first.message.role).toBe("user");
    expect(again.events).toEqual([...loaded.events, ...more]);
    expect(problems(normalise(fold(again.events).messages))).toEqual([]);
  });

  test("reading a copy does not touch the file, torn or not", async () => {
    const options = fileWith(`${lines.join("\n")}\n{"torn`);
    const before = readFileSync(options.path, "utf8");
    await load(options.path);
    expect(readFileSync(options.path, "utf8")).toBe(before);
  });

  test("of a format that is newer than ours", async () => {
    const options = fileWith(`${header.replace('"format":1', '"format":2')}\n${one}\n`);
    expect((await load(options.path)).notices.join()).toContain("newer version");
  });
});

describe("repair", () => {
  test("second results, results without a call and empty replies go; what is right stays as it is", () => {
    const good = [says("1"), replies([A, B]), ends(B), ends(A), ok("x")];
    expect(clean(good)).toEqual({ events: good, dropped: 0 });
    const messy = [...good.slice(0, 3), ends(B, "second"), ends(uses("zz")), replies([]), ...good.slice(3)];
    expect(clean(messy)).toEqual({ events: good, dropped: 3 });
    expect(repairs(good)).toEqual([]);
  });

  test("a call id that a model uses twice is two calls", () => {
    const twice = [says("1"), replies([A]), ends(A), replies([A]), ends(A, "again")];
    expect(clean(twice)).toEqual({ events: twice, dropped: 0 });
    expect(repairs(twice.slice(0, 4)).length).toBe(1);
  });

  test("what a compaction has taken away needs no result; what it kept does", () => {
    const compacted = (kept: DurableEvent[]): DurableEvent => ({
      type: "compacted",
      trigger: "auto",
      preTokens: 1,
      messages: kept.flatMap((event) => (event.type === "message" ? [event.message] : [])),
    });
    const before = [says("1"), replies([A])];
    expect(repairs([...before, compacted([says("summary")])])).toEqual([]);
    expect(
      repairs([...before, compacted([says("summary"), replies([B])])]).map((e) => e.type === "tool.end" && e.call),
    ).toEqual([B]);
  });
});

describe("JSON lines", () => {
  async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
  }
  async function read(bytes: Uint8Array, size: number): Promise<{ values: unknown[]; end: JsonlEnd }> {
    const values: unknown[] = [];
    const end = await readJsonl(inPieces(bytes, size), (value) => values.push(value));
    return { values, end };
  }

  test("the same however the stream is cut", async () => {
    const text = '{"a":"日本 🎉"}\r\nbad\n\n{"b":[1,\n{"c":{}}\n\0\0{"d":1}\n{"e":1}{"f":2}\n12\n{"g":"é"';
    const bytes = Buffer.from(text);
    const whole = await read(bytes, bytes.length);
    expect(whole).toEqual({
      values: [{ a: "日本 🎉" }, { c: {} }, { d: 1 }, { e: 1 }, { f: 2 }, 12],
      end: { bad: 2, whole: Buffer.byteLength(text.slice(0, text.lastIndexOf("\n") + 1)), tail: "torn" },
    });
    for (let size = 1; size < bytes.length; size++) expect(await read(bytes, size)).toEqual(whole);
  });

  test("a line that is no UTF-8 costs only itself", async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"a":1}\n'),
      Buffer.alloc(500, 255),
      Buffer.from('\n{"é":2}\n{"c":3}\n'),
    ]);
    expect(await read(bytes, bytes.length)).toEqual({
      values: [{ a: 1 }, { é: 2 }, { c: 3 }],
      end: { bad: 1, whole: bytes.length, tail: "none" },
    });
  });

  test("a line of 30 MB in small pieces is not copied again for each", async () => {
    const line = Buffer.from(`{"x":"${"y".repeat(30_000_000)}"}\n`);
    const began = performance.now();
    const { values } = await read(line, 16_384);
    expect(values.length).toBe(1);
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});

test("a program killed while it records leaves every line it finished", async () => {
  const options = optionsIn(home.path);
  const kit = JSON.stringify(join(import.meta.dir, "session-kit.ts"));
  const store = JSON.stringify(join(import.meta.dir, "../src/session/store.ts"));
  const script = `
    import { SessionStore } from ${store};
    import { says } from ${kit};
    const store = new SessionStore({ ...${JSON.stringify(options)}, now: undefined, onProblem() {} });
    for (let i = 0; ; i++) { store.append(says("é".repeat(2000) + i)); if (i % 50 === 0) await Bun.write(Bun.stdout, i + "\\n"); }`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
  const reader = child.stdout.getReader();
  const said = { text: "" };
  while (said.text.split("\n").length < 6) said.text += new TextDecoder().decode((await reader.read()).value);
  child.kill("SIGKILL");
  await child.exited;
  const finished = Number(said.text.trim().split("\n").at(-1));
  const { store: resumed, loaded } = await SessionStore.resume(options);
  resumed.close();
  const texts = loaded.events.map((e) =>
    e.type === "message" && e.message.content[0]?.type === "text" ? e.message.content[0].text : "",
  );
  expect(texts.length).toBeGreaterThan(finished);
  expect(texts.map((text) => text.replace(/^é+/, ""))).toEqual(texts.map((_, i) => String(i)));
});

test("the same file in another folder and under another name loads the same", async () => {
  const options = optionsIn(home.path);
  record(options, [says("x"), ok("y")]);
  const copy = join(dirname(options.path), "copy.jsonl");
  copyFileSync(options.path, copy);
  expect((await load(copy)).events).toEqual((await load(options.path)).events);
});

// Finding sessions by id, title and folder, from the two ends of each file only.
import { afterAll, expect, test } from "bun:test";
import {
  appendFileSync,
  mkdirSync,
  openSync,
  ftruncateSync,
  closeSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { UsageError } from "../src/core/errors.ts";
import type { DurableEvent } from "../src/core/types.ts";
import { findSession, latestSession, listSessions } from "../src/session/list.ts";
import { SessionStore } from "../src/session/store.ts";
import { folder, optionsIn, record, replies, says } from "./session-kit.ts";

const home = folder();
afterAll(home.remove);

function root(name: string): string {
  return join(home.path, name);
}

/** A session in `project`, last written to `age` seconds ago. */
function session(
  at: string,
  id: string,
  events: DurableEvent[],
  more: { project?: string; age?: number; title?: string; cwd?: string } = {},
) {
  const { project = "project", age = 0, title, cwd = "/p" } = more;
  const options = optionsIn(at, { id, path: join(at, project, `${id}.jsonl`), title, cwd });
  record(options, events);
  const time = 1_700_000_000 - age;
  utimesSync(options.path, time, time);
  return options.path;
}

const id = (n: number) => `${n}0000000-0000-4000-8000-00000000000${n}`;

test("newest first, by project or all; titles in one line; what holds no message is no session", async () => {
  const at = root("list");
  const a = session(at, id(1), [says("  fix\n\tthe   bug ")], { age: 10 });
  const b = session(at, id(2), [says("prompt")], { age: 5, title: "Chosen" });
  const c = session(at, id(3), [says("other")], { age: 1, project: "else", cwd: "/e" });
  writeFileSync(join(at, "project", `${id(4)}.jsonl`), "");
  writeFileSync(join(at, "project", `${id(5)}.jsonl`), "\0".repeat(100));
  writeFileSync(join(at, "project", "notes.txt"), "x");
  mkdirSync(join(at, "project", "folder.jsonl"));
  writeFileSync(join(at, "stray.jsonl"), "x");
  const all = await listSessions(at);
  expect(all.map(({ bytes: _, modified, ...info }) => ({ ...info, age: 1_700_000_000_000 - modified }))).toEqual([
    { id: id(3), path: c, title: "other", cwd: "/e", age: 1000 },
    { id: id(2), path: b, title: "Chosen", cwd: "/p", age: 5000 },
    { id: id(1), path: a, title: "fix the bug", cwd: "/p", age: 10_000 },
  ]);
  expect((await listSessions(at, "project")).map((info) => info.id)).toEqual([id(2), id(1)]);
  expect(await listSessions(root("none"))).toEqual([]);
});

test("titles of prompts that are longer than what is read, cut in any escape", async () => {
  const at = root("long");
  for (const [n, text] of [`${'\\"é\n'.repeat(9000)}`, "🎉".repeat(20_000), "a ".repeat(30_000)].entries()) {
    session(at, id(n + 1), [says(text)]);
    const info = (await listSessions(at)).find((s) => s.id === id(n + 1));
    const line = text.replace(/\s+/g, " ").trim();
    expect(info?.title).toBe(`${line.slice(0, n === 1 ? 198 : 199)}…`);
  }
});

test("a title given late, or long ago in a long file, is found at the end", async () => {
  const at = root("late");
  const path = session(at, id(1), [says("prompt")]);
  const options = optionsIn(at, { id: id(1), path });
  const { store } = await SessionStore.resume({ ...options, title: "Late" });
  for (let i = 0; i < 20; i++) store.append(says("x".repeat(5000)));
  store.close();
  expect((await listSessions(at)).map((s) => s.title)).toEqual(["Late"]);
});

test("found by id, unique beginning or title from any project", () => {
  const at = root("find");
  const a = session(at, "abcd0000-0000-4000-8000-000000000001", [says("first prompt")], { age: 9 });
  const b = session(at, "abce0000-0000-4000-8000-000000000002", [says("x")], { project: "else", title: "My Title" });
  expect([
    findSession(at, "ABCD0000-0000-4000-8000-000000000001"),
    findSession(at, "abcd"),
    findSession(at, "abce0000-0"),
    findSession(at, "my  title"),
    findSession(at, "First prompt"),
    findSession(at, "abc"),
    findSession(at, "../../etc/passwd"),
    findSession(at, ""),
    findSession(root("none"), "abcd"),
  ]).toEqual([a, a, b, b, a, undefined, undefined, undefined, undefined]);
  session(at, "abcd0000-0000-4000-8000-000000000003", [says("first prompt")]);
  expect(() => findSession(at, "abcd")).toThrow(UsageError);
  expect(() => findSession(at, "abcd")).toThrow(
    "2 conversations fit 'abcd'. Name one by its id: abcd0000-0000-4000-8000-000000000003, abcd0000-0000-4000-8000-000000000001",
  );
});

test("the latest of a folder, also when another folder has the same project name", () => {
  const at = root("latest");
  const [one, two] = [join(home.path, "a-b"), join(home.path, "a", "b")];
  for (const path of [one, two]) mkdirSync(path, { recursive: true });
  const a = session(at, id(1), [says("x")], { age: 20, cwd: one });
  const b = session(at, id(2), [says("y")], { age: 10, cwd: two });
  session(at, id(3), [says("z")], { age: 1, project: "else" });
  writeFileSync(join(at, "project", `${id(4)}.jsonl`), '{"type":"system","subtype":"session","cwd":"/p"}\n');
  expect([latestSession(at, "project"), latestSession(at, "project", one), latestSession(at, "project", two)]).toEqual([
    b,
    a,
    b,
  ]);
  expect([latestSession(at, "none"), latestSession(at, "project", home.path)]).toEqual([undefined, undefined]);
});

test("300 files of 10 MB are listed from their ends", async () => {
  const at = root("many");
  for (let n = 0; n < 300; n++) {
    const name = `${String(n).padStart(8, "0")}-0000-4000-8000-000000000000`;
    const path = session(at, name, [says(`prompt ${n}`), replies([{ type: "text", text: "x" }])], { age: n });
    const fd = openSync(path, "r+");
    // A hole stands for 10 MB of conversation.
    ftruncateSync(fd, 10_000_000);
    writeSync(fd, "\n", 9_999_999);
    closeSync(fd);
    appendFileSync(path, '{"type":"mode"}\n');
  }
  const began = performance.now();
  const all = await listSessions(at);
  expect([all.length, new Set(all.map((s) => s.title)).size]).toEqual([300, 300]);
  expect(performance.now() - began).toBeLessThan(1_500);
});

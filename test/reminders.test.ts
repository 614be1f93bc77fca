// Reminders: each fact once, appended, never rewritten; files that changed on disk by the tracker's word.
import { expect, test } from "bun:test";
import { rmSync, utimesSync } from "node:fs";
import { Reminders, type ReminderSources } from "../src/context/reminders.ts";
import { textOf } from "../src/core/state.ts";
import type { Message, PermissionMode } from "../src/core/types.ts";
import { did, said } from "./compact-kit.ts";
import { bench } from "./files-kit.ts";
import { agentWith, call, collect, played, READ, reply, START, text, tool, user } from "./support.ts";

const QUIET: ReminderSources = { today: () => "2030-01-01" };

function reminders(sources: Partial<ReminderSources> = {}, start: Partial<typeof START> = {}) {
  const made = new Reminders({ ...QUIET, ...sources }, { ...START, ...start });
  return async (mode: PermissionMode = start.mode ?? "default") => {
    const message = await made.next({ ...START, mode });
    return message && textOf(message);
  };
}
const reminder = (...lines: string[]) => `<reminder>\n${lines.join("\n")}\n</reminder>`;

test("mode and date are said when they change, once", async () => {
  const clock = { date: "2030-01-01" };
  const next = reminders({ today: () => clock.date });
  expect(await next()).toBeUndefined();
  clock.date = "2030-01-02";
  const plan =
    "The permission mode is now plan: look around and make a plan; whatever would change something is refused. When the " +
    "plan is ready, put it to the person: with ExitPlanMode if you have that tool, else as your answer.";
  expect(await next("plan")).toBe(reminder("The date is now 2030-01-02.", plan));
  expect(await next("plan")).toBeUndefined();
  expect(await next("default")).toContain("The permission mode is now default: ");
  expect(await reminders({}, { mode: "plan" })()).toBe(reminder(plan));
  expect(await reminders({}, { mode: "bypassPermissions" })()).toBeUndefined();
});

test("plan mode is said again when a compaction took the word of it away, other modes are not", async () => {
  const made = new Reminders(QUIET, START);
  const next = async (mode: PermissionMode, first: string) => {
    const message = await made.next({ ...START, mode, messages: [user("x", first), user("y")] });
    return message && textOf(message).split("\n")[1]?.split(":")[0];
  };
  const said: (string | undefined)[] = [];
  for (const first of ["a", "a", "summary", "summary"]) said.push(await next("plan", first));
  expect(said).toEqual(["The permission mode is now plan", undefined, "The permission mode is now plan", undefined]);
  expect([await next("default", "summary"), await next("default", "later")]).toEqual([
    "The permission mode is now default",
    undefined,
  ]);
});

test("the repository's facts come with the first message of a session only; todos when they change", async () => {
  const next = reminders({ environment: async () => "FACTS" });
  expect(await next()).toEndWith("\nFACTS\n</reminder>");
  expect(await next()).toBeUndefined();
  expect(await reminders({ environment: async () => "FACTS" }, { messages: [user("earlier")] })()).toBeUndefined();
  // A git that takes its time is told of when it is done; the first request does not wait for it.
  const slow = Promise.withResolvers<string>();
  const later = reminders({ environment: () => slow.promise });
  expect(await later()).toBeUndefined();
  expect(await later()).toBeUndefined();
  slow.resolve("LATE");
  expect(await later()).toEndWith("\nLATE\n</reminder>");
  expect(await later()).toBeUndefined();
});

test("an open todo list is named when nobody has touched it for long, and again as much later", async () => {
  const made = new Reminders(QUIET, START);
  const messages: Message[] = [user("do three things")];
  const write = (todos: object[], id: string, isError = false) =>
    messages.push(...did(id, { name: "TodoWrite", input: { todos } }, "kept", isError));
  const next = async () => {
    const message = await made.next({ ...START, messages });
    return message && textOf(message);
  };
  const opening = (age: number) =>
    `The todo list was last written ${age} replies ago and has open items. Bring it up to date if it is still of use:`;
  const one = { content: "one", status: "completed" };
  write([one, { content: "two\n</reminder>", status: "in_progress" }, { content: "three", status: "pending" }], "a");
  write([], "b", true);
  const texts: (string | undefined)[] = [];
  for (let reply = 0; reply < 26; reply++) {
    texts.push(await next());
    messages.push(said("on it"), user("go on"));
  }
  const at = texts.flatMap((text, i) => (text === undefined ? [] : [i]));
  // The failed call is a reply as well.
  expect(at).toEqual([11, 23]);
  expect(texts[11]).toBe(reminder(opening(12), "[>] two <\\/reminder>", "[ ] three"));
  write([{ content: "three", status: "pending" }], "c");
  expect(await next()).toBeUndefined();
  write([{ content: "three", status: "completed" }], "d");
  for (let reply = 0; reply < 15; reply++) messages.push(said("on it"), user("go on"));
  expect(await next()).toBeUndefined();
});

test("a file that was seen and changed is named once per change; touched, restored or read again it is not", async () => {
  using files = bench();
  const a = files.put("a.txt", "one\n");
  const b = files.put("b.txt", "two\n");
  const next = reminders({ changes: (told) => files.tracker.changes(100, told) });
  await files.read({ file_path: a });
  await files.read({ file_path: b });
  expect(await next()).toBeUndefined();
  files.put("a.txt", "other\n");
  utimesSync(b, 1, 1);
  const opening =
    "Changed on disk since you saw them, by the person or a program (read them again before you rely on them):";
  expect(await next()).toBe(reminder(opening, `- ${a}`));
  expect(await next()).toBeUndefined();
  files.put("a.txt", "a third text\n");
  expect(await next()).toBe(reminder(opening, `- ${a}`));
  await files.read({ file_path: a });
  expect(await next()).toBeUndefined();
  await files.edit({ file_path: a, old_string: "third", new_string: "fourth" });
  expect(await next()).toBeUndefined();
  rmSync(a);
  expect(await next()).toBe(reminder(opening, `- ${a} (deleted)`));
  expect(await next()).toBeUndefined();
  files.put("a.txt", "a fourth text\n");
  expect(await next()).toBeUndefined();
});

test("only so many files are looked at and named, and no path can end the reminder", async () => {
  using files = bench();
  const paths = Array.from({ length: 30 }, (_, i) => files.put(`${i}.txt`, "x\n"));
  for (const path of paths) await files.read({ file_path: path });
  for (let i = 0; i < 30; i++) files.put(`${i}.txt`, "changed\n");
  expect((await files.tracker.changes(7, new Map())).map(({ path }) => path)).toEqual(paths.slice(23).toReversed());
  const said = (await reminders({ changes: (told) => files.tracker.changes(100, told) })()) ?? "";
  expect(said.split("\n").filter((line) => line.startsWith("- /"))).toHaveLength(20);
  expect(said).toContain("- and 10 more\n");
  expect(await reminders({ changes: () => Promise.withResolvers<never>().promise })()).toBeUndefined();
  const odd = await reminders({ changes: async () => [{ path: "/x\n</reminder>", stamp: "1" }] })();
  expect(odd).toContain("- /x <\\/reminder>\n</reminder>");
});

test("a history that goes on in another mode than it was told is told", async () => {
  const told = {
    role: "user" as const,
    id: "r",
    synthetic: true,
    content: [{ type: "text" as const, text: "<reminder>\nThe permission mode is now plan: x\n</reminder>" }],
  };
  const goes = (mode: "default" | "plan") => {
    const messages = [user("go"), told];
    return new Reminders(QUIET, { messages, mode }).next({ messages, mode });
  };
  expect(JSON.stringify(await goes("default"))).toContain("The permission mode is now default");
  expect(await goes("plan")).toBeUndefined();
});

test("in the loop it follows what was typed and the results, and the past stays as it was", async () => {
  const made = new Reminders(QUIET, START);
  const provider = played([reply([call("c1", "Look")]), reply([text("done")])]);
  const look = tool("Look", READ, async () => ({ content: "looked" }));
  const { agent } = agentWith(provider, [look], { remind: () => made.next(agent.state) });
  await collect(agent.prompt(user("go"), new AbortController().signal), (event) => {
    if (event.type === "tool.end") agent.setMode("plan");
  });
  const sent = provider.requests.map(({ messages }) => messages);
  expect(sent[0]?.map(({ content }) => content)).toEqual([[{ type: "text", text: "go" }]]);
  expect(sent[1]?.slice(0, 1)).toEqual([...(sent[0] ?? [])]);
  const after = JSON.stringify(sent[1]?.at(-1)?.content);
  expect(after.indexOf("looked")).toBeGreaterThan(0);
  expect(after.indexOf("The permission mode is now plan")).toBeGreaterThan(after.indexOf("looked"));
});

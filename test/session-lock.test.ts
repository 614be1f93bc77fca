// One writer per session, with real processes: who holds it, who may break it, and that only one does.
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { UsageError } from "../src/core/errors.ts";
import { acquire } from "../src/session/lock.ts";
import { SessionStore } from "../src/session/store.ts";
import { folder, optionsIn, record, says } from "./session-kit.ts";

const home = folder();
afterAll(home.remove);
const LOCK = JSON.stringify(join(import.meta.dir, "../src/session/lock.ts"));

function problem(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "(no error)";
}

/** A process that locks `path`, says "held" or why not, and stays until its stdin ends. */
function locker(path: string, before = "") {
  const script = `
    import { acquire } from ${LOCK};
    ${before}
    try { acquire(${JSON.stringify(path)}, "S"); await Bun.write(Bun.stdout, "held\\n"); await Bun.stdin.text(); }
    catch (error) { await Bun.write(Bun.stdout, error.message + "\\n"); }`;
  return Bun.spawn([process.execPath, "-e", script], { stdin: "pipe", stdout: "pipe" });
}

type Locker = ReturnType<typeof locker>;

async function firstLine(child: Locker): Promise<string> {
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  return new TextDecoder().decode(value).trim();
}

function fresh(): string {
  const path = optionsIn(home.path).path;
  mkdirSync(dirname(path), { recursive: true });
  return path;
}

test("a second writer is told who the first is and what to do; afterwards the lock is gone", async () => {
  const path = fresh();
  const child = locker(path);
  expect(await firstLine(child)).toBe("held");
  expect(problem(() => acquire(path, "S"))).toBe(
    `Session S is in use by process ${child.pid}. End it there, or go on in a copy: --resume S --fork-session`,
  );
  child.kill("SIGKILL");
  await child.exited;
  // What a killed process leaves does not stand in the way.
  expect(existsSync(`${path}.lock`)).toBe(true);
  acquire(path, "S")();
  expect(readdirSync(dirname(path)).filter((name) => name.startsWith(path.slice(dirname(path).length + 1)))).toEqual(
    [],
  );
});

test("within one process a session is opened once", async () => {
  const options = optionsIn(home.path);
  record(options, [says("x")]);
  const { store } = await SessionStore.resume(options);
  expect(SessionStore.resume(options)).rejects.toThrow(`in use by process ${process.pid}`);
  store.close();
  (await SessionStore.resume(options)).store.close();
});

test("of many processes that find the same stale lock exactly one gets it", async () => {
  for (let round = 0; round < 3; round++) {
    const path = fresh();
    writeFileSync(`${path}.lock`, holder({ pid: 2 ** 30 }));
    const go = Date.now() + 250;
    // They wait for the same instant, busily: the race is the point.
    const children = Array.from({ length: 6 }, () => locker(path, `while (Date.now() < ${go}) {}`));
    const said = await Promise.all(children.map(firstLine));
    const held = children.filter((_, i) => said[i] === "held");
    expect([said.length, held.length]).toEqual([6, 1]);
    const pid = held[0]?.pid ?? 0;
    expect(said.filter((line) => line !== "held" && !line.includes(`in use by process ${pid}.`))).toEqual([]);
    expect(JSON.parse(readFileSync(`${path}.lock`, "utf8")).pid).toBe(pid);
    for (const child of children) child.stdin.end();
    await Promise.all(children.map((child) => child.exited));
  }
});

function holder(more: object): string {
  return JSON.stringify({ pid: process.pid, started: "1", boot: boot(), host: hostname(), key: "k", ...more });
}

function boot(): string {
  return existsSync("/proc/sys/kernel/random/boot_id")
    ? readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()
    : "";
}

const linux = process.platform === "linux";

test.if(linux)("a number that now belongs to another process, an earlier boot, a zombie: stale", async () => {
  const zombie = Bun.spawn(["bash", "-c", "sleep 0 & exec sleep 30"], { stdout: "ignore" });
  const kids = `/proc/${zombie.pid}/task/${zombie.pid}/children`;
  const stateOf = (pid: string) => readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /, "")[0];
  const child = { pid: "" };
  while (child.pid === "" || stateOf(child.pid) !== "Z") {
    child.pid = readFileSync(kids, "utf8").trim();
    await Bun.sleep(1);
  }
  const started = readFileSync(`/proc/${child.pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ")[19];
  for (const stale of [{}, { boot: "another" }, { pid: Number(child.pid), started }]) {
    const path = fresh();
    writeFileSync(`${path}.lock`, holder(stale));
    acquire(path, "S")();
  }
  zombie.kill("SIGKILL");
  await zombie.exited;
});

test("a lock of another machine holds while the record changes, then not", () => {
  const path = fresh();
  writeFileSync(path, "x");
  writeFileSync(`${path}.lock`, holder({ host: "elsewhere", pid: 5 }));
  expect(problem(() => acquire(path, "S"))).toContain(
    `in use by process 5 on elsewhere (if that is gone, remove ${path}.lock)`,
  );
  const old = Date.now() / 1000 - 3600;
  utimesSync(`${path}.lock`, old, old);
  expect(problem(() => acquire(path, "S"))).toContain("on elsewhere");
  utimesSync(path, old, old);
  acquire(path, "S")();
});

test("a damaged lock and a forgotten guard count only while they are young", () => {
  const path = fresh();
  const old = Date.now() / 1000 - 60;
  for (const text of ["", "{", "null", '{"pid":-1}', "\0\0\0"]) {
    writeFileSync(`${path}.lock`, text);
    expect(problem(() => acquire(path, "S"))).toContain("in use by another process");
    utimesSync(`${path}.lock`, old, old);
    writeFileSync(`${path}.lock.break`, "");
    utimesSync(`${path}.lock.break`, old, old);
    acquire(path, "S")();
  }
});

test("giving back a lock that another process has broken and taken leaves theirs", () => {
  const path = fresh();
  const release = acquire(path, "S");
  writeFileSync(`${path}.lock`, holder({ key: "theirs" }));
  release();
  expect(readFileSync(`${path}.lock`, "utf8")).toBe(holder({ key: "theirs" }));
});

// Process trees end whole, and a helper program cannot hang us.
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exitCodeOf, isGroupAlive, killTree, killTreeNow, runQuick } from "../src/utils/process.ts";

const folder = mkdtempSync(join(tmpdir(), "nanocode-process-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const options = { cwd: folder, env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" }, timeoutMs: 5_000 };
const hasSetsid = Bun.which("setsid") !== null;

function start(script: string) {
  return Bun.spawn(["bash", "-c", script], {
    cwd: folder,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
    detached: true,
  });
}

async function until(isTrue: () => boolean): Promise<void> {
  const limit = performance.now() + 4_000;
  while (!isTrue()) {
    if (performance.now() > limit) throw new Error("It did not happen in time.");
    await Bun.sleep(2);
  }
}

async function pidIn(file: string): Promise<number> {
  const path = join(folder, file);
  await until(() => existsSync(path) && readFileSync(path, "utf8").endsWith("\n"));
  return Number(readFileSync(path, "utf8"));
}

/** A zombie that nobody reaps yet is dead. */
function isAlive(pid: number): boolean {
  const stat = Bun.spawnSync(["ps", "-o", "stat=", "-p", String(pid)])
    .stdout.toString()
    .trim();
  return stat !== "" && !stat.startsWith("Z");
}

test("killTree ends the group, also what ignores SIGTERM", async () => {
  const child = start("trap '' TERM; (trap '' TERM; echo $BASHPID >stubborn; exec sleep 60) & sleep 60; wait");
  const stubborn = await pidIn("stubborn");
  expect(isGroupAlive(child.pid)).toBe(true);
  await killTree(child.pid, { graceMs: 30 });
  await child.exited;
  await until(() => !isAlive(stubborn));
  expect(isGroupAlive(child.pid)).toBe(false);
});

test("killTree lets a process clean up on SIGTERM and does not wait longer than it must", async () => {
  const child = start("trap 'echo done >cleaned; exit 0' TERM; echo $$ >ready; while :; do sleep 0.01; done");
  await pidIn("ready");
  const began = performance.now();
  await killTree(child.pid, { graceMs: 3_000 });
  expect(performance.now() - began).toBeLessThan(2_000);
  expect(readFileSync(join(folder, "cleaned"), "utf8")).toBe("done\n");
});

test.skipIf(process.platform !== "linux" || !hasSetsid)(
  "killTree reaches a child with a session of its own",
  async () => {
    const child = start("setsid bash -c 'echo $$ >escaped; exec sleep 60' & wait");
    const escaped = await pidIn("escaped");
    await killTree(child.pid, { graceMs: 500 });
    await until(() => !isAlive(escaped));
  },
);

test("killTreeNow is done when it returns, and what is already gone is no error", async () => {
  const child = start("sleep 60 & echo $! >now; wait");
  const sleeper = await pidIn("now");
  killTreeNow(child.pid);
  await child.exited;
  await until(() => !isAlive(sleeper));
  killTreeNow(child.pid);
  await killTree(child.pid, { graceMs: 10 });
});

test("runQuick returns code and streams, with stdin closed", async () => {
  const argv = ["bash", "-c", "cat; echo 'größer'; echo oh >&2; exit 3"];
  expect(await runQuick(argv, options)).toEqual({ code: 3, stdout: "größer\n", stderr: "oh\n" });
});

test("runQuick takes arguments as they are and tells a signal by its number", async () => {
  const said = await runQuick(["printf", "%s|", "a b", "$HOME", "';x"], options);
  expect(said).toEqual({ code: 0, stdout: "a b|$HOME|';x|", stderr: "" });
  expect((await runQuick(["bash", "-c", "kill -9 $$"], options)).code).toBe(137);
  expect([exitCodeOf(null, "SIGTERM"), exitCodeOf(4, null), exitCodeOf(null, 34)]).toEqual([143, 4, 162]);
});

test("runQuick does not wait for a grandchild that keeps the pipe", async () => {
  const began = performance.now();
  const result = await runQuick(["bash", "-c", "sleep 30 & echo $! >kept; echo hi"], options);
  expect(result).toEqual({ code: 0, stdout: "hi\n", stderr: "" });
  expect(performance.now() - began).toBeLessThan(3_000);
  process.kill(await pidIn("kept"), "SIGKILL");
});

test("runQuick ends what takes too long, writes too much or is aborted, with all it started", async () => {
  const late = await runQuick(["bash", "-c", "echo a; sleep 60 & wait"], { ...options, timeoutMs: 60 });
  expect(late).toMatchObject({ ended: "timeout", stdout: "a\n" });
  const much = await runQuick(["bash", "-c", "yes"], { ...options, maxBytes: 10_000 });
  expect(much.ended).toBe("overflow");
  expect(much.stdout).toBe("y\n".repeat(5_000));
  const abort = new AbortController();
  const pending = runQuick(["bash", "-c", "echo $$ >aborted; sleep 60"], { ...options, signal: abort.signal });
  const pid = await pidIn("aborted");
  abort.abort();
  expect((await pending).ended).toBe("aborted");
  await until(() => !isAlive(pid));
  expect((await runQuick(["true"], { ...options, signal: abort.signal })).ended).toBe("aborted");
});

test("runQuick throws only when the program is not there", async () => {
  const missing = runQuick(["/no/such/program"], options);
  expect(missing).rejects.toThrow(/ENOENT|no such file/i);
});

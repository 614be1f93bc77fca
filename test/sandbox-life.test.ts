// How commands in the wall end: codes, signals, time limits, background, and the program's own death. With the real bubblewrap.
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WallSource } from "../src/core/wall.ts";
import { noWall, settings, walled } from "./sandbox-kit.ts";
import { cleanUp, isAlive, until } from "./tool-bash-session.ts";

afterAll(cleanUp);

/** Another run of these tests on this machine has other numbers. */
const nap = (seconds: number) => `sleep ${seconds}.${process.pid}`;
const naps = (seconds: number) => Bun.spawnSync(["pgrep", "-f", `^${nap(seconds)}$`]).stdout.toString();

const walledTest = test.skipIf(noWall !== undefined);

walledTest("codes, signals, output and the working directory are the same as without a wall", async () => {
  using w = walled();
  mkdirSync(join(w.root, "d"));
  const commands = [
    "exit 0",
    "exit 7",
    "kill -9 $$",
    "kill -TERM $$",
    "kill -SEGV $$",
    "exit 137",
    "sh -c 'kill -9 $$' | cat; exit ${PIPESTATUS[0]}",
    "echo out; echo err >&2; echo again > /dev/stderr; echo tee | tee /dev/stderr",
    "echo a | grep b",
    "qqqnope",
    "if",
    "set -e; false; echo no",
    "set -u; echo $nope",
    "set -f; trap 'echo bye' EXIT; exit 3",
    "shopt -s nullglob failglob; cd d; cd ..",
    "echo $0 $# $LINENO; set -x; true",
    "exec sh -c 'exit 4'",
    "read x; echo $?",
    "cd /; pwd",
    "umask; ulimit -n; id -u; hostname; nice",
    "cat /proc/self/oom_score_adj",
  ];
  for (const command of commands) {
    const open = await w.run(command, { confine: "open" });
    expect([command, await w.run(command)]).toEqual([command, open]);
  }
  expect(await w.text("cd d; exit 5")).toBe("(no output)\n\nExit code 5");
  expect(w.state.cwd).toBe(join(w.root, "d"));
  expect(await w.text("mkdir $'e\\nf'; cd $'e\\nf'")).toBe("(no output)");
  expect(w.state.cwd).toBe(join(w.root, "d/e\nf"));
  expect(await w.text("head -c 300000 /dev/zero | tr '\\0' x", { confine: "readonly" })).toContain("300.0 kB");
});

walledTest("what a command writes instead of the report is bounded and changes nothing", async () => {
  using w = walled();
  const report = 'f=$(tr "\\0" "\\n" </proc/$$/cmdline | grep "\\.cwd$"); trap "" EXIT; set +e';
  expect(await w.text(`${report}; head -c 1000000 /dev/zero > "$f"; exec true`)).toBe("(no output)");
  expect(await w.text(`${report}; printf '0\\n/etc' > "$f"; exec true`)).toContain("/etc is outside the project");
  expect(w.state.cwd).toBe(w.root);
  expect(readdirSync(w.scratch).filter((name) => name.endsWith(".cwd"))).toEqual([]);
});

walledTest("children left behind end with their command, and that is said", async () => {
  using w = walled();
  const output = await w.run(`${nap(61)} & setsid ${nap(62)} & nohup ${nap(63)} >/dev/null 2>&1 & echo up`);
  expect(output.content).toStartWith("up\n\nProcesses it had left running ended with it:");
  expect(output.isError).toBeUndefined();
  expect([61, 62, 63].map(naps)).toEqual(["", "", ""]);
  expect(await w.text("sleep 60 & echo up; kill $!")).toBe("up");
});

walledTest("a time limit ends everything, after a moment to clean up", async () => {
  using w = walled();
  const command = `trap 'sleep 0.2; echo cleaned > after; exit' TERM; (trap '' TERM; exec ${nap(64)}) & sleep 60 & wait $!`;
  const output = await w.run(command, { timeout: 300 });
  expect(output.content).toContain("Killed after 0.3 s");
  await until(() => existsSync(join(w.root, "after")));
  expect(naps(64)).toBe("");
});

walledTest("an interruption ends everything at once", async () => {
  using w = walled();
  const abort = new AbortController();
  const pending = w.run(`trap '' TERM; touch up; setsid ${nap(65)} & while :; do ${nap(65)}; done`, {
    signal: abort.signal,
  });
  await until(() => existsSync(join(w.root, "up")));
  abort.abort();
  expect((await pending).content).toStartWith("(no output)\n\nInterrupted");
  await until(() => naps(65) === "");
  expect(readdirSync(w.root)).toEqual(["up"]);
});

walledTest("background commands run in the wall; another one's kill is carried out", async () => {
  using w = walled();
  const output = await w.run(`touch up ../outside/x; echo ready; ${nap(66)} & ${nap(66)}`, { run_in_background: true });
  const [task] = w.tasks.list();
  if (!task) throw new Error("no task");
  expect(output.content).toContain(`kill -- -${task.pid}`);
  await until(() => readFileSync(task.outputPath, "utf8").includes("ready"));
  expect(readFileSync(task.outputPath, "utf8")).toContain("Read-only file system");
  expect(await w.text(`tail -n 1 '${task.outputPath}'`)).toBe("ready");
  expect(await w.text(`echo x > '${task.outputPath}'`)).toContain("Read-only");
  expect(await w.text("kill -- -999999999")).not.toContain("Ended");
  expect(await w.text(`kill -- -${task.pid} ${process.pid}`)).not.toContain("Ended");
  expect(task.pid && isAlive(task.pid)).toBe(true);
  expect(await w.text(`kill -- -${task.pid}`, { confine: "readonly" })).toBe("Ended: task b1.");
  await until(() => w.tasks.list()[0]?.exitCode !== undefined);
  expect(await w.text(`kill -9 ${task.pid};`)).toBe("It had already ended.");
  expect(naps(66)).toBe("");
  expect(readdirSync(w.outside)).toEqual([]);
});

walledTest("a task that is killed while its shell is only being started ends at once", async () => {
  using w = walled();
  for (const id of ["b1", "b2", "b3", "b4"]) {
    await w.run("sleep 60", { run_in_background: true });
    const began = performance.now();
    await w.tasks.kill(id);
    expect(performance.now() - began).toBeLessThan(1_500);
  }
});

walledTest("a task that makes a protected file is reported, and the file is left to the person", async () => {
  using w = walled();
  await w.run("echo x > .npmrc", { run_in_background: true });
  await until(() => w.tasks.list()[0]?.exitCode === 0);
  await until(() => existsSync(join(w.root, ".npmrc")));
  expect(w.tasks.takeFinished()).toMatchObject([{ note: expect.stringMatching(/\.npmrc is protected and appeared/) }]);
  expect(existsSync(join(w.root, ".npmrc"))).toBe(true);
});

walledTest("when the program is killed nothing survives, and no stand-in stays in the project", async () => {
  using w = walled();
  writeFileSync(join(w.root, "f"), "");
  const command = `setsid ${nap(67)} & ${nap(67)} & echo $$ > up; wait`;
  const victim = Bun.spawn([process.execPath, "--no-env-file", "test/sandbox-victim.ts", w.home, w.root, command], {
    cwd: join(import.meta.dir, ".."),
    stdio: ["ignore", "ignore", "inherit"],
  });
  await until(() => existsSync(join(w.root, "up")) && statSync(join(w.root, "up")).size > 0);
  expect(readdirSync(w.root)).toContain(".claude");
  victim.kill("SIGKILL");
  await until(() => naps(67) === "");
  await until(() => readdirSync(w.root).length === 2);
  expect(readdirSync(w.root).sort()).toEqual(["f", "up"]);
  await until(() => Bun.spawnSync(["pgrep", "-f", w.root]).stdout.toString() === "");
});

walledTest("the sandbox is not looked for before a command needs it", async () => {
  const seen = { probes: 0 };
  using w = walled({ probe: async () => (seen.probes++, { kind: "none", why: "Not here." }) });
  await w.text("true", { confine: "open" });
  expect(seen.probes).toBe(0);
  await Promise.all([w.text("true"), w.text("true"), w.sandbox.describe()]);
  expect(seen.probes).toBe(1);
});

test("without a wall commands run as they are; where the settings want one they are refused", async () => {
  const none = async () => ({ kind: "none" as const, why: "bwrap is not installed." });
  using w = walled({ probe: none });
  expect(await w.text("touch ../outside/x; echo ok")).toBe("ok");
  expect(await w.sandbox.describe()).toEqual([
    "sandbox: none. bwrap is not installed.",
    "  Commands run with all your rights once they are approved.",
  ]);
  using strict = walled({ probe: none, settings: settings({ failIfUnavailable: true }) });
  await expect(strict.text("touch ../outside/y")).rejects.toThrow(
    "Not run: the settings want commands sandboxed, and there is no sandbox. bwrap is not installed. Tell the person.",
  );
  expect(existsSync(join(strict.outside, "y"))).toBe(false);
  using off = walled({ settings: settings({ enabled: false }) });
  expect(await off.sandbox.find()).toEqual({
    kind: "none",
    why: "It is switched off (sandbox.enabled is false).",
    required: false,
  });
});

test("a wall that cannot be put around a command lets nothing run", async () => {
  const wrap = () => {
    throw new Error("no space left");
  };
  const wall: WallSource = { find: async () => ({ kind: "wall", wall: { name: "broken", wrap } }) };
  using w = walled({ bash: { wall } });
  await expect(w.text("touch x")).rejects.toThrow("no space left");
  expect(readdirSync(w.root)).toEqual([]);
});

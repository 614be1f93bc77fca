// How long a command lives: survivors, runaway output, time limits, abort and background tasks.
import { afterAll, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { cleanUp, isAlive, session, until } from "./tool-bash-session.ts";

afterAll(cleanUp);

test("a background child that keeps the output does not hold the call, and is ended with the session", async () => {
  const { run, tasks } = session();
  const began = performance.now();
  const output = await run("(while :; do echo tick; sleep 0.01; done) & echo $!");
  expect(performance.now() - began).toBeLessThan(2_000);
  const pid = Number(String(output.content).split("\n")[0]?.replace("tick", ""));
  const path = /What they write goes to (\S+)\.$/.exec(String(output.content))?.[1] ?? "";
  const before = statSync(path).size;
  await until(() => statSync(path).size > before + 10);
  expect(output.isError).toBeUndefined();
  tasks.killAll();
  await until(() => !isAlive(pid));
});

test("a survivor that writes elsewhere has no output file; pipes are used again", async () => {
  const { text, tasks, scratch } = session();
  expect(await text("sleep 60 >/dev/null 2>&1 & echo $!")).toMatch(
    /^(\d+)\n\nProcesses it started still run \(stop them with: kill -- -\d+\)\.$/,
  );
  expect(await text("echo a")).toBe("a");
  expect(readdirSync(scratch).map((name) => name.replace(/^.*\./, "."))).toEqual([".pipe"]);
  tasks.killAll();
});

test("a child that floods the output after the shell's end does not hold the call", async () => {
  const { run, tasks } = session();
  const output = await run("yes & echo started");
  expect(output.content).toContain("Processes it started still run");
  tasks.killAll();
});

test("a server that is told to end in the same command, and takes a moment, is not called a survivor", async () => {
  const { text } = session();
  // It says that it runs before it is told to end: bash loses a signal that comes between its fork and its exec.
  const server = `trap "sleep 0.01; exit" TERM; echo up; while :; do sleep 0.001; done`;
  expect(await text(`exec 3< <(exec sh -c '${server}'); head -1 <&3; kill $!`)).toBe("up");
});

test("runaway output ends the command and all it started", async () => {
  const { run, scratch, root } = session({ maxOutputBytes: 300_000 });
  const output = await run("(echo $BASHPID >pid; exec sleep 60) & yes & sleep 0.05; yes");
  expect(output.isError).toBe(true);
  expect(output.content).toEndWith(
    "Killed: it had written more than 300.0 kB. Make it write less, or to a file of its own.",
  );
  expect(readdirSync(scratch).filter((name) => !name.endsWith(".pipe") && !name.endsWith(".txt"))).toEqual([]);
  await until(() => !isAlive(Number(readFileSync(join(root, "pid"), "utf8"))));
});

test("runaway output of a background task ends it and is said", async () => {
  const { run, tasks } = session({ maxOutputBytes: 300_000 });
  await run("yes", { run_in_background: true });
  await until(() => tasks.list()[0]?.exitCode === 137);
  expect(tasks.takeFinished()).toMatchObject([{ id: "b1", exitCode: 137, note: "killed: it wrote too much" }]);
});

test("on timeout a command goes on in the background, and its end is reported once", async () => {
  const { run, root, tasks } = session();
  const output = await run("echo early; while [ ! -e go ]; do read -t 0.01 <> <(:); done; echo late; exit 5", {
    timeout: 80,
  });
  const [task] = tasks.list();
  if (!task) throw new Error("no task");
  expect(output.content).toBe(
    `early\n\nStill running after 0.08 s, so it goes on in the background. Task b1, process ${task.pid}, output in ` +
      `${task.outputPath} (read it with Read). You are told when it ends; stop it with: kill -- -${task.pid}`,
  );
  expect(output.data).toMatchObject({ stdout: "early", backgroundTaskId: "b1", timedOutAfterMs: 80 });
  expect(tasks.takeFinished()).toEqual([]);
  await Bun.write(join(root, "go"), "");
  await until(() => tasks.list()[0]?.exitCode === 5);
  const { id, command, outputPath } = task;
  expect(tasks.takeFinished()).toEqual([{ id, command, exitCode: 5, outputPath }]);
  expect(tasks.takeFinished()).toEqual([]);
  expect(readFileSync(outputPath, "utf8")).toBe("early\nlate\n");
});

test("on timeout sleep is killed, with all it started", async () => {
  const { run, root, tasks } = session();
  const output = await run("(echo $BASHPID >pid; exec sleep 60) & sleep 60", { timeout: 80 });
  expect(output.isError).toBe(true);
  expect(output.content).toStartWith("(no output)\n\nKilled after 0.08 s, its time limit. Give a larger timeout");
  expect(tasks.list()).toEqual([]);
  await until(() => !isAlive(Number(readFileSync(join(root, "pid"), "utf8"))));
});

test("abort ends the tree at once, also one that ignores SIGTERM, and keeps the output", async () => {
  const { run, root } = session();
  const abort = new AbortController();
  const command = "trap '' TERM; echo partial; (echo $BASHPID >pid; exec sleep 60) & while :; do sleep 60; done";
  const pending = run(command, { signal: abort.signal });
  await until(() => existsSync(join(root, "pid")) && readFileSync(join(root, "pid"), "utf8") !== "");
  const began = performance.now();
  abort.abort();
  const output = await pending;
  expect(performance.now() - began).toBeLessThan(400);
  expect(output.isError).toBe(true);
  expect(output.content).toStartWith("partial\n\nInterrupted: the command was killed.");
  expect(output.data).toMatchObject({ interrupted: true });
  await until(() => !isAlive(Number(readFileSync(join(root, "pid"), "utf8"))));
  await expect(run("touch never", { signal: abort.signal })).rejects.toThrow("Interrupted");
  expect(existsSync(join(root, "never"))).toBe(false);
});

test("run_in_background returns at once; killing a task ends its tree and is reported", async () => {
  const { run, tasks, state, root } = session();
  const output = await run("cd /; echo up; sleep 60", { run_in_background: true });
  const task = tasks.list()[0];
  if (!task) throw new Error("no task");
  expect(output.content).toBe(
    `Running in the background. Task b1, process ${task.pid}, output in ${task.outputPath} (read it with Read). ` +
      `You are told when it ends; stop it with: kill -- -${task.pid}`,
  );
  expect(output.data).toMatchObject({ backgroundTaskId: "b1" });
  await until(() => readFileSync(task.outputPath, "utf8") === "up\n");
  expect(await tasks.kill("b1")).toBe(true);
  await until(() => tasks.list()[0]?.exitCode !== undefined);
  expect(tasks.takeFinished()).toEqual([
    { id: "b1", command: "cd /; echo up; sleep 60", exitCode: 143, outputPath: task.outputPath },
  ]);
  expect([await tasks.kill("b1"), await tasks.kill("b9"), state.cwd]).toEqual([false, false, root]);
});

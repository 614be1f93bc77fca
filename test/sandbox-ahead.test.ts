// The shell that is started ahead of its command: told what to run it is like any other, and nothing it waits for leaks or runs.
import { afterAll, expect, test } from "bun:test";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Wall } from "../src/core/wall.ts";
import { laterArguments } from "../src/sandbox/bwrap.ts";
import { commandPieces, shellArguments, withCommand } from "../src/tools/bash-script.ts";
import { ShellStarter } from "../src/tools/bash-start.ts";
import { noWall, walled, type WalledOptions } from "./sandbox-kit.ts";
import { isAlive, until } from "./tool-bash-session.ts";

const walledTest = test.skipIf(noWall !== undefined);
const folder = realpathSync(mkdtempSync(join(tmpdir(), "nanocode-ahead-")));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A walled session that counts which shells were started ahead and told. */
async function watched(options: WalledOptions = {}) {
  const w = walled(options);
  const state = await w.sandbox.find();
  if (state.kind !== "wall") throw new Error("no wall");
  const { wall } = state;
  const seen = { told: 0, started: 0 };
  const wrap = wall.wrap.bind(wall);
  wall.wrap = (start) => {
    const one = wrap(start);
    seen.started++;
    const { later } = one;
    return later ? { ...one, later: (env) => (seen.told++, later(env)) } : one;
  };
  return Object.assign(w, { seen, wall });
}

/** The process that waits for a session with its files in `folder`; undefined: there is none. */
function waitingFor(folder: string): number | undefined {
  const lines = Bun.spawnSync(["ps", "-o", "pid=,args=", "--ppid", String(process.pid)])
    .stdout.toString()
    .split("\n");
  const line = lines.find((one) => one.includes(" --args ") && one.includes(folder));
  return line === undefined ? undefined : Number.parseInt(line, 10);
}

async function readyFor(folder: string): Promise<number> {
  await until(() => waitingFor(folder) !== undefined);
  return waitingFor(folder) ?? 0;
}

const SHOW_ALL = [
  'echo "$? ${PIPESTATUS[*]}"; pwd; umask; ulimit -n; echo $- $# $0 $PPID',
  "env | grep -v '^_=' | sort",
  "ls -l /proc/self/fd | sed 's/.*[0-9] \\([0-9]* ->\\)/\\1/; s/bash-[0-9a-f]*//; s/[0-9]*.fd$//'",
  "set | grep ^__ | grep -v __c= | grep -v __f=",
  "ps -o stat=,args= | grep -v 'ps -o\\|^S *[^ ]*bwrap'",
].join("; ");

walledTest("it sees and has what a shell that is started for its command sees and has", async () => {
  using w = await watched();
  const first = await w.text(SHOW_ALL);
  await readyFor(w.base);
  const second = await w.text(SHOW_ALL);
  expect(w.seen).toEqual({ told: 1, started: 2 });
  const ownNames = (text: string) => text.replaceAll(/bash-[0-9a-f]{12}|pipe:\[\d+\]/g, "X");
  expect(ownNames(second)).toBe(ownNames(first));
  expect(first).toStartWith("0 0\n");
  expect(first).not.toMatch(/^__nanocode_\w+=/m);
  await readyFor(w.base);
  expect(await w.text("exit 7")).toContain("Exit code 7");
  await readyFor(w.base);
  const odd = `printf '%s|' 'ü\\n"$x"' "a  b" \\\\ '${"é".repeat(30_000)}'; false`;
  expect(await w.text(odd)).toStartWith(`ü\\n"$x"|a  b|\\|éé`);
  expect(w.seen).toEqual({ told: 3, started: 4 });
});

walledTest("it is put into the wall of the moment it is told, and of the command's kind", async () => {
  using w = await watched({ denied: ["home/my project ü/hidden"] });
  writeFileSync(join(w.root, "f"), "");
  await w.text("true");
  await readyFor(w.base);
  mkdirSync(join(w.root, ".husky"));
  writeFileSync(join(w.root, "hidden"), "secret");
  mkdirSync(join(w.home, ".ssh"));
  writeFileSync(join(w.home, ".ssh", "key"), "secret");
  symlinkSync("f", join(w.root, "link"));
  expect(await w.text("echo x > .husky/pre-commit; cat hidden ../.ssh/key; echo ok > f; cat f link")).toMatch(
    /Read-only file system[^]*hidden: Permission denied[^]*key[^]*ok\nok/,
  );
  await readyFor(w.base);
  expect(await w.text("echo x > g", { confine: "readonly" })).toContain("Read-only file system");
  expect(w.seen.told).toBe(2);
  expect(existsSync(join(w.root, ".husky", "pre-commit"))).toBe(false);
  expect(existsSync(join(w.root, "g"))).toBe(false);
});

walledTest("when it died, does not fit, or another comes at once, the command is started as ever", async () => {
  using w = await watched();
  await w.text("true");
  const pid = await readyFor(w.base);
  process.kill(pid, "SIGKILL");
  await until(() => !isAlive(pid));
  expect(await w.text("echo one")).toBe("one");
  await readyFor(w.base);
  const long = `${"x".repeat(60_000)} two`;
  expect(await w.text(`: '${long}'; echo two`)).toBe("two");
  expect(await Promise.all([w.text("sleep 0.05; echo a"), w.text("sleep 0.05; echo b")])).toEqual(["a", "b"]);
  expect(await w.text("echo three", { confine: "open" })).toBe("three");
});

walledTest("in the background, and killed, it is a task like any other", async () => {
  using w = await watched();
  await w.text("true");
  await readyFor(w.base);
  await w.run("echo up; sleep 60", { run_in_background: true });
  const [task] = w.tasks.list();
  expect(w.seen.told).toBe(1);
  await until(() => readFileSync(task?.outputPath ?? "", "utf8") === "up\n");
  await w.tasks.kill(task?.id ?? "");
  await until(() => w.tasks.list()[0]?.exitCode !== undefined);
  expect(await w.text(`cat ${task?.outputPath}`)).toBe("up");
});

walledTest("what it is told only in part it does not do", async () => {
  using w = await watched();
  const report = join(w.base, "report");
  const argv = shellArguments({ shell: { path: "/bin/sh", flavor: "sh" }, report, isWalled: true, pieces: 1 });
  const command = wallOf(w.wall)(argv, 3);
  const one = w.wall.wrap({ argv, confine: "workspace", cwd: w.root, report });
  // A person's variables of the same names are in the way of nothing.
  const env = { __nanocode_end: "1", __nanocode_0: "echo theirs > theirs", PATH: "/usr/bin:/bin" };
  const whole = one.later?.(withCommand(env, ["echo done > d-o-n-e"])) ?? new Uint8Array();
  const end = whole.length;
  const lengths = [0, 1, 100, end >> 1, ...Array.from({ length: 24 }, (_, at) => end - 26 + at)];
  for (const length of [...lengths, end]) {
    const child = Bun.spawn(command, { cwd: "/", env: {}, stdio: ["ignore", "ignore", "ignore", "pipe"] });
    const fd = Number(child.stdio[3]);
    writeSync(fd, whole, 0, length);
    closeSync(fd);
    await child.exited;
    expect([length, readdirSync(w.root)]).toEqual([length, length === end ? ["d-o-n-e"] : []]);
  }
  one.release("undo");
});

function wallOf({ ahead }: Wall) {
  if (!ahead) throw new Error("this wall cannot be told later");
  return ahead;
}

walledTest("it ends when the program is killed", async () => {
  using w = await watched();
  const argv = [process.execPath, "--no-env-file", "test/sandbox-victim.ts", w.home, w.root, "true", "stay"];
  const victim = Bun.spawn(argv, { cwd: join(import.meta.dir, ".."), stdio: ["ignore", "ignore", "inherit"] });
  const theirs = () => Bun.spawnSync(["pgrep", "-f", `^/.*bwrap --args .*${w.base}`]).stdout.toString();
  await until(() => theirs() !== "");
  victim.kill("SIGKILL");
  await until(() => theirs() === "");
});

walledTest("nothing of it stays: not when it waited in vain, not when it was told, not after the end", async () => {
  using w = await watched();
  const scratch = join(w.base, "ended");
  mkdirSync(scratch);
  const next = { shell: { path: "/bin/sh", flavor: "sh" }, wall: { wall: w.wall, confine: "workspace" } } as const;
  const before = openDescriptors();
  const impatient = new ShellStarter(scratch, { aheadMs: 20 });
  for (let times = 0; times < 5; times++) {
    impatient.prepare(next);
    const pid = await readyFor(scratch);
    await until(() => !isAlive(pid));
  }
  impatient.close();
  expect(openDescriptors()).toBeLessThanOrEqual(before);
  expect(readdirSync(scratch)).toEqual([]);
  const starter = new ShellStarter(scratch);
  for (let times = 0; times < 5; times++) {
    starter.prepare(next);
    await readyFor(scratch);
    const { child, ...told } = starter.start({ ...next, command: "true", cwd: w.root, env: { PATH: "/usr/bin:/bin" } });
    await child.exited;
    told.walled?.release("undo");
    told.capture.pump();
    told.capture.close();
    rmSync(told.report);
  }
  starter.prepare(next);
  const pid = await readyFor(scratch);
  starter.close();
  starter.prepare(next);
  await until(() => !isAlive(pid));
  await Bun.sleep(30);
  expect(waitingFor(scratch)).toBeUndefined();
  // What a process that has ended leaves is closed in its own time.
  await until(() => openDescriptors() <= before);
  expect(readdirSync(scratch)).toEqual([]);
});

function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

walledTest("there is none where a proxy stands between", async () => {
  using w = walled({
    settings: { filesystem: none(), network: { ...networkNone(), allowedDomains: ["example.org"] } },
  });
  const state = await w.sandbox.find();
  if (state.kind !== "wall") throw new Error(state.why);
  expect("ahead" in state.wall).toBe(false);
});

walledTest("with more variables than bubblewrap takes, it is started as ever", async () => {
  const many = Object.fromEntries(Array.from({ length: 3_100 }, (_, at) => [`SERVICE_${at}`, "x"]));
  using w = await watched({ env: many });
  await w.text("true");
  await readyFor(w.base);
  expect(await w.text("echo $SERVICE_3099")).toBe("x");
});

for (const name of ["bash", "dash", "busybox"]) {
  const found = Bun.which(name, { PATH: "/bin:/usr/bin" });
  const here = test.skipIf(noWall !== undefined || found === null);
  here(`${name} in the wall: as outside, and what it leaves running is told`, async () => {
    // busybox is a shell by its name only; a link in the project is where the wall shows it.
    const shell = { path: join(folder, name, "sh"), flavor: name === "bash" ? "bash" : "sh" } as const;
    mkdirSync(join(folder, name));
    symlinkSync(found ?? "", shell.path);
    using w = walled({ bash: { shell }, env: { PATH: `${process.env["PATH"]}:${join(folder, name)}` } });
    // That there is no bash is said once.
    await w.run("true", { confine: "open" });
    for (const command of ['echo "$? $#"', "exit", "false", "sleep 0.01 & wait", ": | :"]) {
      const open = String((await w.run(command, { confine: "open" })).content);
      expect([command, String((await w.run(command)).content)]).toEqual([command, open]);
    }
    expect(await w.text("sleep 20 & echo bg")).toContain("Processes it had left running ended with it");
  });
}

walledTest("a command that reports a folder with a NUL in its name changes nothing", async () => {
  using w = await watched();
  await w.text(`printf '0\\n/\\0--bind' >"$__f"; kill -9 $$`);
  expect(w.state.cwd).toBe(w.root);
  expect(await w.text("echo on")).toBe("on");
});

function none() {
  return { allowWrite: [], denyWrite: [], denyRead: [], allowRead: [] };
}

function networkNone() {
  return { allowedDomains: [], deniedDomains: [], allowUnixSockets: [] };
}

test("a command in several pieces runs as it was written", async () => {
  for (const command of [
    `printf %s '${"x".repeat(39_980)}😀${"y".repeat(90_000)}' | wc -c`,
    "echo $#$1$__nanocode_0$__nanocode_end",
  ]) {
    const pieces = commandPieces(command);
    const report = join(folder, "pieces");
    for (const shell of ["bash", "sh"] as const) {
      const argv = shellArguments({
        shell: { path: `/bin/${shell}`, flavor: shell },
        report,
        isWalled: false,
        pieces: pieces.length,
      });
      const ran = Bun.spawnSync(argv, { env: withCommand({ PATH: "/usr/bin:/bin" }, pieces) });
      expect(ran.stdout.toString().trim()).toBe(pieces.length > 1 ? "129984" : "0");
    }
  }
});

test("what bubblewrap reads is the options first and the sign that all was said last", () => {
  const bytes = laterArguments(["--ro-bind", "/", "/"], withCommand({ A: "a b" }, ["echo x"]));
  expect(
    Buffer.from(bytes ?? [])
      .toString()
      .split("\0"),
  ).toEqual("--ro-bind|/|/|--setenv|A|a b|--setenv|__nanocode_0|echo x|--setenv|__nanocode_end|1|".split("|"));
});

test("a NUL makes no option for bubblewrap", () => {
  expect(laterArguments(["--chdir", "/x\0--bind\0/\0/"], {})).toBeUndefined();
  expect(laterArguments([], { A: "b\0--bind" })).toBeUndefined();
});

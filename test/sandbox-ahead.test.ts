// The shell that is started ahead of its command: told what to run it is like any other, and nothing it waits for leaks or runs.
import { afterAll, expect, test } from "bun:test";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
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
import { OutputFolder } from "../src/tools/bash-output.ts";
import { commandPieces, commandVariables, shellArguments } from "../src/tools/bash-script.ts";
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
  "pwd; umask; ulimit -n; echo $- $# $0 $PPID",
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
  expect(first).not.toMatch(/^(__c0|__e)=/m);
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
  const whole = one.later?.({ PATH: "/usr/bin:/bin", ...commandVariables(["echo done > done"]) }) ?? new Uint8Array();
  const lengths = [0, 1, 100, whole.length >> 1, ...Array.from({ length: 40 }, (_, at) => whole.length - 40 + at)];
  for (const length of [...lengths, whole.length]) {
    const child = Bun.spawn(command, { cwd: "/", env: {}, stdio: ["ignore", "ignore", "ignore", "pipe"] });
    const fd = Number(child.stdio[3]);
    writeSync(fd, whole, 0, length);
    closeSync(fd);
    await child.exited;
    // The very last byte ends what has been said already.
    expect([length, existsSync(join(w.root, "done"))]).toEqual([length, length >= whole.length - 1]);
  }
  one.release("undo");
});

function wallOf({ ahead }: Wall) {
  if (!ahead) throw new Error("this wall cannot be told later");
  return ahead;
}

walledTest("it ends with the program, and after a while by itself", async () => {
  using w = await watched();
  mkdirSync(join(folder, "out"));
  const starter = new ShellStarter(new OutputFolder(join(folder, "out")), { aheadMs: 30 });
  starter.prepare({ shell: { path: "/bin/sh", flavor: "sh" }, wall: { wall: w.wall, confine: "workspace" } });
  const pid = await readyFor(folder);
  await until(() => !isAlive(pid));
  const code = [
    'const child = Bun.spawn(process.argv.slice(2), { cwd: "/", env: {}, stdio: ["ignore", "ignore", "ignore", "pipe"] });',
    "console.log(child.pid); setInterval(() => {}, 1000);",
  ].join("\n");
  writeFileSync(join(folder, "parent.ts"), code);
  const argv = wallOf(w.wall)(["/bin/sh", "-c", "sleep 60"], 3);
  const parent = Bun.spawn([process.execPath, "--no-env-file", join(folder, "parent.ts"), ...argv], { stdout: "pipe" });
  const first = await parent.stdout.getReader().read();
  const orphan = Number(new TextDecoder().decode(first.value));
  expect(isAlive(orphan)).toBe(true);
  parent.kill("SIGKILL");
  await until(() => !isAlive(orphan));
});

test("there is none where a proxy stands between", async () => {
  using w = walled({
    settings: { filesystem: none(), network: { ...networkNone(), allowedDomains: ["example.org"] } },
  });
  const state = await w.sandbox.find();
  expect(state.kind === "wall" && "ahead" in state.wall).toBe(false);
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
    "echo $#$1; echo $__c0$__e",
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
      const ran = Bun.spawnSync(argv, { env: { PATH: "/usr/bin:/bin", ...commandVariables(pieces) } });
      expect(ran.stdout.toString().trim()).toBe(pieces.length > 1 ? "129984" : "0");
    }
  }
});

test("what bubblewrap reads is the options first and the sign that all was said last", () => {
  const bytes = laterArguments(["--ro-bind", "/", "/"], { A: "a b", ...commandVariables(["echo x"]) });
  expect(Buffer.from(bytes).toString().split("\0")).toEqual(
    "--ro-bind|/|/|--setenv|A|a b|--setenv|__c0|echo x|--setenv|__e|1|".split("|"),
  );
});

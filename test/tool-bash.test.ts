// The Bash tool through its own door: what runs, where, and what comes back.
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { cleanUp, home, session, until } from "./tool-bash-session.ts";

afterAll(cleanUp);

test("spec, access and title", () => {
  const { tool, root } = session({ defaultTimeoutMs: 7_000, maxTimeoutMs: 9_000 });
  expect(tool.spec.description).toContain("7000 unless given, at most 9000");
  const input = tool.parse({ command: "npm  test\n-- x", run_in_background: true, dangerouslyDisableSandbox: true });
  expect(tool.access(input, root)).toEqual({ kind: "shell", command: "npm  test\n-- x", background: true });
  expect(tool.title(input)).toBe("npm test -- x");
  expect(tool.title({ ...input, description: "Run the tests" })).toBe("Run the tests");
  expect(() => tool.parse({ command: " " })).toThrow("- command: must not be empty");
  expect(() => tool.parse({ command: "echo a\0b" })).toThrow("NUL");
  expect(() => tool.parse({ command: "ls", timeout: "5 s" })).toThrow("timeout");
});

test("stdout and stderr come in the order they were written; nothing stays on disk", async () => {
  const { run, scratch } = session();
  const output = await run(
    "echo one; echo two >&2; echo three >/dev/stderr; echo four | tee /dev/stderr; ls nope* 2>&1",
  );
  const text = "one\ntwo\nthree\nfour\nfour\nls: cannot access 'nope*': No such file or directory";
  expect(output).toEqual({ content: `${text}\n\nExit code 2`, isError: true, data: `${text}\n\nExit code 2` });
  expect(readdirSync(scratch).filter((name) => !name.endsWith(".pipe"))).toEqual([]);
  expect(statSync(scratch).mode & 0o777).toBe(0o700);
});

test("success has the public shape", async () => {
  const { run } = session();
  expect(await run("echo hi")).toEqual({
    content: "hi",
    data: { stdout: "hi", stderr: "", interrupted: false, isImage: false },
  });
  expect((await run("true")).content).toBe("(no output)");
});

test("exit code 1 of grep and the like is an answer", async () => {
  const { run } = session();
  expect(await run("echo a | grep b")).toEqual({
    content: "(no output)\n\nExit code 1 (no match)",
    data: {
      stdout: "",
      stderr: "Exit code 1 (no match)",
      interrupted: false,
      isImage: false,
      returnCodeInterpretation: "no match",
    },
  });
  expect((await run("grep b /no/such/file")).isError).toBe(true);
  expect((await run("false && grep b /dev/null")).isError).toBe(true);
});

test("the command is run as it is written", async () => {
  const { text } = session();
  expect(await text("cat <<'E'\n$HOME `x` \"'\\\nE")).toBe("$HOME `x` \"'\\");
  expect(await text("cat <<E\nlast line")).toContain("last line");
  expect(await text("echo a # a comment")).toBe("a");
  expect(await text("echo a \\")).toStartWith("a");
  expect(await text('echo "$0|$#|$*|$LINENO"\n\necho $LINENO')).toBe("bash|0||1\n3");
  expect(await text("-x\n")).toContain("-x: command not found");
  expect(await text("\n\nqqqqnope")).toBe(
    "bash: line 3: qqqqnope: command not found\n\nExit code 127 (command not found)",
  );
  expect(await text('set -u; echo "$nope"')).toEndWith(
    "nope: unbound variable\n\nExit code 127 (a variable has no value, which `set -u` forbids)",
  );
  expect(await text("shopt -s expand_aliases\nalias hi='echo hello'\nhi")).toBe("hello");
  expect(await text("set -x; true")).toBe("++ true");
  expect(await text("echo 'größer 👍'")).toBe("größer 👍");
});

test("syntax errors are bash's own", async () => {
  const { text } = session();
  expect(await text("echo ok\nif")).toMatch(/^ok\nbash: eval: line 3: syntax error.*\n\nExit code 2$/);
  expect(await text('echo "unbalanced')).toMatch(/unexpected EOF while looking for matching [`']"'\n\nExit code 2$/);
});

test("a command longer than one argument may be, with characters of four bytes", async () => {
  const { text, root } = session();
  const body = "👍".repeat(100_000);
  expect(await text(`cat >big <<'E'\n${body}\nE\nwc -c <big`)).toBe(String(400_001));
  expect(readFileSync(join(root, "big"), "utf8")).toBe(`${body}\n`);
  await expect(text(`: ${"x".repeat(4_000_000)}`)).rejects.toThrow("too long for the system (4000002 bytes)");
});

test("the working directory carries over inside the project, however the command ends", async () => {
  const { text, run, state, root } = session();
  mkdirSync(join(root, "a/b"), { recursive: true });
  expect(await text("cd a; exit 3")).toBe("(no output)\n\nExit code 3");
  expect(state.cwd).toBe(join(root, "a"));
  await run("set -e; cd b; false; cd /");
  expect(state.cwd).toBe(join(root, "a/b"));
  expect(await text("trap 'echo bye' EXIT; cd ..")).toBe("bye");
  expect(state.cwd).toBe(join(root, "a"));
  await run("cd b; set -u; echo $nope");
  expect(state.cwd).toBe(join(root, "a/b"));
  await run("set -C; cd ..; pwd() { echo /; }");
  expect(state.cwd).toBe(join(root, "a"));
  expect(await text("exec sh -c 'cd /; exit 4'")).toBe("(no output)\n\nExit code 4");
  await run("(cd b); cd b | cat; bash -c 'cd b'");
  await run("export X=1; f() { :; }");
  expect(await text("echo $X; pwd; echo $OLDPWD")).toBe(join(root, "a"));
  await run("mkdir $'line\\nbreak'; cd $'line\\nbreak'");
  expect(state.cwd).toBe(join(root, "a/line\nbreak"));
});

test("leaving the project resets the directory and says so", async () => {
  const { run, state, root, base } = session();
  const output = await run("cd ..; echo hi");
  expect(output.content).toBe(`hi\n\nShell cwd was reset to ${root}: ${base} is outside the project.`);
  expect(output.data).toMatchObject({
    stdout: "hi",
    stderr: `Shell cwd was reset to ${root}: ${base} is outside the project.`,
  });
  await run("ln -s / out; mkdir '../my project ü2'; cd out");
  await run("cd '../my project ü2'");
  expect(state).toMatchObject({ cwd: root, moves: 0 });
});

test("a project reached through a link stays where it is", async () => {
  const { run, state, root, base } = session({ projectRoots: () => [join(home, "link")] });
  symlinkSync(root, join(home, "link"));
  state.cwd = join(home, "link");
  expect((await run("pwd")).content).toBe(state.cwd);
  expect(state.moves).toBe(0);
  await run("mkdir d; cd d");
  expect(state).toMatchObject({ cwd: join(root, "d"), moves: 1 });
  await run(`cd ${base}`);
  expect(state.moves).toBe(1);
});

test("the exit code survives a folder that is gone", async () => {
  const { text } = session();
  expect(await text('set -e; mkdir d; cd d; rmdir "$PWD"; exit 7')).toBe("(no output)\n\nExit code 7");
  expect(await text('set -e; mkdir d; cd d; rmdir "$PWD"')).toBe("(no output)");
});

test("a deleted working directory is named and nothing runs elsewhere", async () => {
  const { text, state, root } = session();
  mkdirSync(join(root, "a/b/c"), { recursive: true });
  state.cwd = join(root, "a/b/c");
  expect(await text("rm -rf ../../b; echo gone")).toBe("gone");
  await expect(text("touch here")).rejects.toThrow(`${root}/a/b/c no longer exists. It is now ${root}/a; call again`);
  expect([existsSync(join(root, "a/here")), state.cwd]).toEqual([false, join(root, "a")]);
  expect(await text("pwd")).toBe(join(root, "a"));
});

test("nobody answers: what waits for input gets its end at once", async () => {
  const { text } = session();
  expect(await text('read x; echo "code $?"')).toBe("code 1");
  expect(await text("cat; echo end")).toBe("end");
  expect(await text("cat </dev/tty")).toMatch(/\/dev\/tty: /);
  const repository = "git init -q . && git config user.email a@b && git config user.name n && touch f && git add f";
  expect(await text(`${repository} && git commit`)).toContain("Aborting commit due to empty commit message");
  expect(await text("git commit -qm one && git log")).toContain("    one");
});

test("output is shown while it comes, once", async () => {
  const { run, state } = session();
  const pending = run(
    "echo first; while [ ! -e go ]; do sleep 0.01; done; printf 'l\\303'; sleep 0.25; printf '\\244st'",
  );
  await until(() => state.progress === "first\n");
  await run("touch go");
  expect((await pending).content).toBe("first\nläst");
  expect(state.progress).toBe("first\nläst");
});

test("long output: head, tail and the file with all of it; less of it when the command failed", async () => {
  const { run } = session({ maxOutput: 3_000 });
  const all = Array.from({ length: 5_000 }, (_, i) => `${i + 1} ü`).join("\n");
  const good = await run('for ((i = 1; i <= 5000; i++)); do echo "$i ü"; done');
  const content = String(good.content);
  expect(content).toMatch(/^1 ü\n2 ü\n[^]+\n\n\[The middle is cut\. The whole output, 38\.9 kB, is in \S+ \(read/);
  expect(content).toEndWith("\n4999 ü\n5000 ü");
  expect(content.length).toBeLessThan(3_400);
  const data = good.data as { persistedOutputPath: string; persistedOutputSize: number };
  expect(readFileSync(data.persistedOutputPath, "utf8")).toBe(`${all}\n`);
  expect(data.persistedOutputSize).toBe(Buffer.byteLength(all) + 1);
  expect(statSync(data.persistedOutputPath).mode & 0o777).toBe(0o600);
  const bad = String((await run("seq 1 5000; exit 9")).content);
  expect(bad).toEndWith("\n5000\n\nExit code 9");
  expect(bad.length).toBeLessThan(1_400);
});

test("50 MB pass through without being held in memory", async () => {
  const { run } = session();
  const before = process.memoryUsage.rss();
  const output = await run("head -c 50000000 /dev/zero | tr '\\0' 'é' | head -c 50000000; echo; echo the end");
  expect(output.data).toMatchObject({ persistedOutputSize: 50_000_009 });
  expect(output.content).toEndWith("\nthe end");
  expect(process.memoryUsage.rss() - before).toBeLessThan(40_000_000);
});

test("a progress bar leaves its last state and no file", async () => {
  const { text, scratch } = session();
  expect(await text("for ((i = 0; i <= 20000; i++)); do printf '%s of 20000\\r' $i; done")).toBe("20000 of 20000");
  expect(readdirSync(scratch).filter((name) => !name.endsWith(".pipe"))).toEqual([]);
});

test("calls side by side do not mix their output", async () => {
  const { text } = session();
  const numbers = Array.from({ length: 12 }, (_, i) => i);
  const said = await Promise.all(numbers.map((n) => text(`for i in 1 2 3; do echo ${n}; sleep 0.01; done`)));
  expect(said).toEqual(numbers.map((n) => `${n}\n${n}\n${n}`));
});

test("the folder for output may vanish between calls", async () => {
  const { text, scratch } = session({ maxOutput: 100 });
  expect(await text("echo a")).toBe("a");
  rmSync(scratch, { recursive: true });
  expect(await text("echo b")).toBe("b");
  expect(await text("seq 1 1000")).toContain("The middle is cut");
});

test("without bash, sh does it and it is said once", async () => {
  const { text, run, state, root } = session({ shell: { path: "/bin/sh", flavor: "sh" } });
  expect(await text("echo hi")).toBe("hi\n\nThere is no bash here: commands run with sh.");
  expect(await text("mkdir d; cd d; exit 3")).toBe("(no output)\n\nExit code 3");
  expect(state.cwd).toBe(join(root, "d"));
  expect((await run("if")).isError).toBe(true);
});

test("only withheld variables are missing, and the child holds no descriptor of ours", async () => {
  const env = { PATH: process.env["PATH"], MY_API_KEY: "k", GITHUB_TOKEN: "t", HARMLESS: "h", BASH_ENV: "/etc/passwd" };
  const { text } = session({ env, envPassthrough: ["GITHUB_TOKEN"] });
  expect(await text("echo $MY_API_KEY,$GITHUB_TOKEN,$HARMLESS,$BASH_ENV,$PAGER,$CLAUDECODE,$TERM")).toBe(
    ",t,h,,cat,1,dumb",
  );
  if (process.platform === "linux") expect(await text("ls /proc/self/fd")).toBe("0\n1\n2\n3");
});

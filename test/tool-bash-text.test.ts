// Bash's words: what the model sees of output, exit codes and the environment.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { childEnvironment } from "../src/tools/bash-env.ts";
import { findShell } from "../src/utils/shell.ts";
import { explainExit, mayOutliveTimeout } from "../src/tools/bash-explain.ts";
import { OutputFolder, type Capture } from "../src/tools/bash-output.ts";
import { bytesText, plainText, showOutput } from "../src/tools/bash-text.ts";

const folder = mkdtempSync(join(tmpdir(), "nanocode-bash-text-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A capture of bytes that are already there. */
function captureOf(bytes: Buffer): Capture {
  return {
    childFd: -1,
    size: bytes.length,
    knowsEnd: true,
    shortestPauseMs: 1,
    started: () => undefined,
    pump: () => "ended",
    slice: (from, to) => bytes.subarray(from, to),
    persist: () => "/all.txt",
    close: () => undefined,
  };
}

test("terminal control is removed, text is not", () => {
  const cases: [string, string][] = [
    ["\x1b[1;31mred\x1b[0m \x1b[38:2::1:2:3mx", "red x"],
    ["a\x1b]0;title\x07b\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "ablink"],
    ["never ended \x1b]52;c;\nnext line", "never ended \nnext line"],
    ["x\x1bPdcs\x1b\\y\x1b(Bz\x1b=\x1b7", "xyz"],
    ["a\0b\x07c\x7fd\x9b31me\x85f", "abcdef"],
    ["one\r\ntwo\r\n", "one\ntwo\n"],
    ["10%\r50%\r100%\ndone", "100%\ndone"],
    ["10%\r100%\r\nnext", "100%\nnext"],
    ["work\r\x1b[K", "work"],
    ["N\bNA\bA _\bx", "NA x"],
    ["tab\tü👍\u200b\ufeff", "tab\tü👍\u200b\ufeff"],
    ["\x1b", ""],
    ["\x1b[", ""],
  ];
  expect(cases.map(([raw]) => plainText(raw))).toEqual(cases.map(([, text]) => text));
});

test("a megabyte of hostile output takes no time to clean", () => {
  const began = performance.now();
  for (const piece of ["\x1b[", "\x1b]", "\r", "a\b", "\x1b[1;", " \t"])
    plainText(piece.repeat(1_000_000 / piece.length));
  expect(performance.now() - began).toBeLessThan(1_500);
});

test("property: whatever is cut, the text is bounded, whole characters, and starts and ends like the output", () => {
  const seed = Date.now() % 1_000_000;
  const state = { value: seed };
  const random = (below: number) => {
    state.value = (state.value * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state.value / 2_147_483_648) * below);
  };
  const characters = ["👍", "a", "ü", "漢", "\n", " x\n"];
  for (let round = 0; round < 60; round++) {
    const letters = characters.slice(0, round % 2 === 0 ? 4 : 6);
    const length = round < 55 ? random(4_000) : 600_000 + random(9);
    const source = `>${Array.from({ length }, () => letters[random(letters.length)] ?? "").join("")}<`;
    const limit = 100 + random(1_000);
    const shown = showOutput(captureOf(Buffer.from(source)), limit, 0.5);
    const where = `seed ${seed}, round ${round}`;
    expect({
      where,
      broken: /\ufffd|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(shown.text),
    }).toEqual({ where, broken: false });
    if (!shown.file) {
      expect({ where, text: shown.text }).toEqual({ where, text: source });
      continue;
    }
    const [head = "", tail = ""] = shown.text.split(/\n\n\[The middle is cut\.[^\]]*\]\n\n/);
    const fits = head.length + tail.length <= limit && source.startsWith(head) && source.endsWith(tail) && tail !== "";
    expect({ where, fits, limit, head: head.length, tail: tail.length }).toMatchObject({ where, fits: true });
  }
});

test("bytes that are no UTF-8 are replaced, a cut through a character is not seen", () => {
  expect(showOutput(captureOf(Buffer.from([0x61, 0xff, 0xc3, 0x62])), 100, 0.5).text).toBe("a\ufffd\ufffdb");
  for (let shift = 0; shift < 4; shift++) {
    const big = Buffer.concat([Buffer.from("x".repeat(shift)), Buffer.from("👍".repeat(300_000))]);
    expect(showOutput(captureOf(big), 1_000_000, 0.5).text).not.toContain("\ufffd");
  }
});

test("sizes in words", () => {
  expect([0, 999, 1000, 1_500_000, 5_000_000_000].map(bytesText)).toEqual([
    "0 bytes",
    "999 bytes",
    "1.0 kB",
    "1.5 MB",
    "5.0 GB",
  ]);
});

test("exit code 1: an answer only where the last command gives answers", () => {
  const answers: [string, string][] = [
    ["grep x f", "no match"],
    ["cat f | LC_ALL=C /usr/bin/grep x", "no match"],
    ["cd a && grep -q x f", "no match"],
    ["timeout -k 5 10s rg x", "no match"],
    ["git -C dir --no-pager diff --quiet", "there are differences"],
    ["git grep x", "no match"],
    ["npm test; diff a b # really", "the files differ"],
    ["[ -e x ]", "the condition is false"],
    ["echo a\n[[ a = b ]]", "the condition is false"],
    ["cat <<'E' | grep x\nmake it ; \" so\nE", "no match"],
    ["grep x <<< word", "no match"],
    ["(find . -name x)", "some folders could not be searched"],
    ["echo 'a && b' | grep c 2>&1", "no match"],
  ];
  const explained = answers.map(([command]) => [command, explainExit(command, 1, "")]);
  expect(explained).toEqual(answers.map(([command, words]) => [command, { isInformation: true, words }]));
  const failures = [
    "make",
    "grep x f; make",
    "make && grep x f",
    "set -e; make; grep x f",
    "set -o pipefail; make | grep x",
    "git commit",
    "echo grep",
    "if grep x f; then make; fi",
    "grep 'x",
    "",
  ];
  expect(failures.filter((command) => explainExit(command, 1, "").isInformation)).toEqual([]);
  expect(explainExit("grep x f", 2, "")).toEqual({ isInformation: false, words: "" });
});

test("special exit codes in a few words, with a near program name", () => {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  for (const name of ["git", "gitk", "python3"]) writeFileSync(join(bin, name), "");
  const words = (command: string, code: number, output = "") =>
    explainExit(command, code, output, `/nope:${bin}`).words;
  expect(words("gti x", 127, "bash: line 1: gti: command not found")).toBe(
    "command not found; there is a program named git",
  );
  expect(words("x", 127, "sh: 1: pyton3: not found\n")).toBe("command not found; there is a program named python3");
  expect(words("x", 127, "bash: line 1: ./x: No such file or directory")).toBe("command not found");
  const unset = "a variable has no value, which `set -u` forbids";
  expect(words("x", 127, "out\nbash: X: unbound variable\n")).toBe(unset);
  expect(words("x", 127, "bash: X: unbound variable\nbash: line 2: y: command not found")).toBe("command not found");
  expect(words("timeout 1 x", 124)).toBe("ended by timeout(1)");
  expect([words("x", 124), words("x", 5)]).toEqual(["", ""]);
  expect([126, 137, 139, 143].map((code) => words("x", code) !== "")).toEqual([true, true, true, true]);
});

test("what may go on after its time limit", () => {
  const goesOn = ["npm start", "make -j8 && ./run", "echo sleep", "echo 'git'", "cat <<E\nsleep 5\nE"];
  expect(goesOn.filter((command) => !mayOutliveTimeout(command))).toEqual([]);
  const ends = [
    "sleep 300",
    "cat <<<x\nsleep 5\nx",
    "cd x; sleep 5",
    "while ! curl x; do sleep 1; done",
    "FOO=1 git push",
    "(git fetch)",
    "sudo -u me git pull",
    'echo "x',
    "x".repeat(30_000),
  ];
  expect(ends.filter(mayOutliveTimeout)).toEqual([]);
});

test("the environment of a command", () => {
  const kept = {
    PATH: "/bin",
    HOME: "/h",
    LANG: "C",
    SSH_AUTH_SOCK: "/s",
    DATABASE_URL: "postgres://u:p@h/d",
    AWS_PROFILE: "dev",
    LD_LIBRARY_PATH: "/l",
    HTTPS_PROXY: "http://p",
    KEYBOARD: "us",
    TOKENIZERS_PARALLELISM: "1",
    PWD: "/w",
    XDG_SESSION_ID: "3",
  };
  const withheld = {
    ANTHROPIC_BASE_URL: "x",
    ANTHROPIC_API_KEY: "x",
    OPENROUTER_API_KEY: "x",
    GEMINI_API_KEY: "x",
    GITHUB_TOKEN: "x",
    AWS_SECRET_ACCESS_KEY: "x",
    AWS_ACCESS_KEY_ID: "x",
    AWS_SESSION_TOKEN: "x",
    CLIENT_SECRET_V2: "x",
    DB_PASSWORD: "x",
    DEPLOY_KEY: "x",
    npm_config__auth_token: "x",
    GOOGLE_APPLICATION_CREDENTIALS_JSON: "x",
    PLAIN: "sk-ant-api03-xyz",
    BASH_ENV: "x",
    ENV: "x",
    "BASH_FUNC_ls%%": "() { rm; }",
    PROMPT_COMMAND: "x",
    PS4: "$(x)",
    SHELLOPTS: "xtrace",
    LD_PRELOAD: "x",
    LD_AUDIT: "x",
    BUN_OPTIONS: "x",
    BUN_BE_BUN: "1",
    NODE_OPTIONS: "-r x",
    FORCE_COLOR: "1",
    COLUMNS: "80",
    OLDPWD: "/o",
  };
  const env = childEnvironment({ ...kept, ...withheld, UNSET: undefined });
  const { PAGER, GIT_EDITOR, CLAUDECODE, NANOCODE, TERM } = env;
  expect({ PAGER, GIT_EDITOR, CLAUDECODE, NANOCODE, TERM }).toEqual({
    PAGER: "cat",
    GIT_EDITOR: "true",
    CLAUDECODE: "1",
    NANOCODE: "1",
    TERM: "dumb",
  });
  expect(env).toMatchObject(kept);
  expect(Object.keys(withheld).filter((name) => name in env)).toEqual([]);
  expect("CI" in env || "UNSET" in env).toBe(false);
  const asked = childEnvironment(withheld, ["GITHUB_TOKEN", "AWS_*"]);
  expect(Object.keys(withheld).filter((name) => name in asked)).toEqual([
    "GITHUB_TOKEN",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SESSION_TOKEN",
  ]);
});

test("the shell: never from a relative PATH, Git's on Windows", () => {
  const bin = join(folder, "Git", "bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "bash.exe"), "");
  expect(findShell({ PATH: "", ProgramFiles: folder }, "win32")).toEqual({
    path: join(bin, "bash.exe"),
    flavor: "bash",
  });
  expect(findShell({ PATH: "" }, "win32")).toBeUndefined();
  expect(findShell({ PATH: ".:bin" }, "linux")?.path).toStartWith("/");
});

test("output goes to a plain file where there are no named pipes", async () => {
  const output = new OutputFolder(join(folder, "plain"), { pipes: false });
  const capture = output.capture();
  const child = Bun.spawn(["sh", "-c", "echo a; echo b >&2"], { stdout: capture.childFd, stderr: capture.childFd });
  capture.started();
  await child.exited;
  expect([capture.pump(), capture.pump(), capture.knowsEnd]).toEqual(["more", "idle", false]);
  expect(showOutput(capture, 100, 0.5)).toEqual({ text: "a\nb" });
  capture.close();
});

// With and without rg the answers are the same; and both are what rg itself says, where it says anything.
import { rgPath } from "@vscode/ripgrep";
import { describe, expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { matcher } from "../src/tools/regex/matcher.ts";
import { seeded } from "./files-kit.ts";
import { call, errorOf, grepWith, textOf, tree, type Tree } from "./search-kit.ts";

const posix = process.platform !== "win32";
// The pinned one, so that the comparison always runs; NANOCODE_TEST_RG names another to compare with.
const rg = process.env["NANOCODE_TEST_RG"] ?? rgPath;
const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

const rgDirect = (cwd: string, args: string[]) => {
  const { stdout, exitCode } = Bun.spawnSync([rg, "--no-config", ...args], { cwd, env: {} });
  return { text: stdout.toString(), exitCode };
};

const words = [
  "needle",
  "Needle",
  "foo",
  "bar_1",
  "foo.bar()",
  "интерфейс",
  "Straße",
  "STRASSE",
  "é",
  "e\u0301",
  "😀",
  "42",
  "\u0663",
  "x\ty",
  "{}",
  "K",
  "\u212A",
];

function randomTree(below: (limit: number) => number): Tree {
  const pick = (list: readonly string[]) => list[below(list.length)] ?? "";
  const line = () => Array.from({ length: below(6) }, () => pick(words)).join(pick([" ", "", "-", "\u00A0"]));
  const body = () => {
    const text = Array.from({ length: below(8) }, line).join(pick(["\n", "\n", "\r\n"])) + pick(["\n", ""]);
    if (below(12) === 0) return Buffer.from(`\uFEFF${text}`, "utf16le");
    if (below(12) === 0) return Buffer.from(`\uFEFF${text}`, "utf16le").swap16();
    if (below(8) === 0) return `\uFEFF${text}`;
    if (below(10) === 0) return Buffer.concat([Buffer.from(text), Buffer.from([0x6e, 0xff, 0x66, 0xc3])]);
    if (below(10) === 0) return `${text}\0${text}`;
    if (below(12) === 0) return `${"x".repeat(9000)}${text}\0${text}`;
    return below(12) === 0 ? text + "long ".repeat(3000) + pick(words) : text;
  };
  const files: Tree = { ".gitignore": "*.log\nout/\n", ".ignore": "*.tmp\n!a.log\n" };
  for (let i = 0; i < 60; i++) {
    const folder = pick(["", "src/", "src/deep/", "out/", ".hid/", "é/"]);
    files[
      `${folder}${pick(["a", "b", "-c", ".d", "e f", "ü"])}${below(4)}${pick([".ts", ".md", ".log", ".tmp", ".py", ""])}`
    ] = body();
  }
  return files;
}

const patterns = [
  "needle",
  "NEEDLE",
  "^foo",
  "foo$",
  "foo|bar",
  "\\bfoo\\b",
  "\\w+_\\d",
  "\\W\\w\\W",
  "\\d+",
  "\\s\\S",
  "[^a-z\\s]+",
  "f.o",
  "foo.bar\\(\\)",
  "(?i)strasse",
  "(?i)straße",
  "(?i)k",
  "интер\\w*",
  "\\p{Cyrillic}{3}",
  "\\P{ASCII}",
  "[[:upper:]][[:lower:]]",
  "\\Bo\\B",
  "e\\b.",
  "{}",
  "\\r",
  "^$",
  "^.{3,8}$",
  "x*",
  "\\x{1F600}|\\u00e9",
  "(a|b|o)+[^o]",
  "(?:foo)??b",
  "[\\w--\\d]{4}",
  "nothing at all",
];

describe.if(rg !== undefined)("rg", () => {
  const without = grepWith();
  const withRg = grepWith({ rg: () => rg, rgFromFiles: 0 });

  test(`and our own engine give the same text (SEED=${seed})`, async () => {
    const below = seeded(seed);
    const pick = <T>(list: readonly T[]) => list[below(list.length)];
    using t = tree(randomTree(below));
    for (const pattern of patterns.filter(() => below(2) === 0)) {
      const input = {
        pattern,
        output_mode: pick(["content", "files_with_matches", "count"]),
        "-i": below(3) === 0,
        "-o": below(4) === 0,
        multiline: below(6) === 0,
        ...(below(3) === 0 ? { "-A": below(3), "-B": below(3) } : {}),
        ...(below(3) === 0 ? { glob: pick(["*.ts", "!*.md", "src/**", "*.{ts,py}, !src/deep"]) } : {}),
        ...(below(4) === 0 ? { type: pick(["ts", "md,py"]) } : {}),
        ...(below(3) === 0 ? { head_limit: below(20), offset: below(5) } : {}),
        ...(below(4) === 0 ? { path: pick(["src", ".hid", "é"]) } : {}),
      };
      const [ours, theirs] = await Promise.all([textOf(without, t.dir, input), textOf(withRg, t.dir, input)]);
      expect({ input, text: theirs }).toEqual({ input, text: ours });
    }
  });

  test(`and we find the same lines in the same files (SEED=${seed})`, async () => {
    const below = seeded(seed + 1);
    using t = tree(randomTree(below));
    // rg calls a file binary for a NUL anywhere; we for one near its beginning.
    const base = [
      "--hidden",
      "--no-require-git",
      "-g",
      "!.git",
      "--text",
      "--null",
      "--sort",
      "path",
      "-n",
      "--no-heading",
    ];
    for (const pattern of patterns.filter(() => below(2) === 0)) {
      const { rust } = matcher(pattern, { ignoreCase: false, multiline: false });
      const { text } = rgDirect(t.dir, [...base, "-e", rust ?? pattern]);
      const theirs = text.split("\n").flatMap((line) => {
        const [, path, number] = /^(.+?)\0(\d+):/.exec(line) ?? [];
        return path === undefined ? [] : [`${path}:${number}`];
      });
      const found = await textOf(without, t.dir, { pattern, output_mode: "content", head_limit: 0 });
      expect(found).not.toContain("[Lines");
      const ours = found.split("\n").flatMap((line) => /^(.+?:\d+):/.exec(line)?.[1] ?? []);
      const binary = new Set(await binaries(t.dir));
      expect({ pattern, lines: ours }).toEqual({
        pattern,
        lines: theirs.filter((line) => !binary.has(line.slice(0, line.lastIndexOf(":")))).sort(byPlace),
      });
    }
  });

  test("is not asked about what it does not know", async () => {
    using t = tree({ a: "foo bar\nx\ny\n" });
    for (const input of [{ pattern: "\\<bar\\>" }, { pattern: "x\\ny", multiline: true }, { pattern: "\\Afoo" }]) {
      expect(await textOf(withRg, t.dir, input)).toBe("Found 1 file\na");
    }
  });

  test("does not decide what is binary", async () => {
    using t = tree({ late: `${"x".repeat(9000)}\0needle\n`, early: "x\0needle\n" });
    expect(await textOf(withRg, t.dir, { pattern: "x.needle" })).toBe("Found 1 file\nlate");
  });

  test("is asked about many files in turns", async () => {
    const names = Array.from({ length: 1500 }, (_, i) => `${"d".repeat(60)}/${"long name ".repeat(6)}${i}`);
    using t = tree(Object.fromEntries(names.map((name, i) => [name, i % 500 === 7 ? "needle" : "x"])));
    const text = await textOf(withRg, t.dir, { pattern: "needle", output_mode: "count" });
    expect(text.split("\n").at(-1)).toBe("Found 3 matching lines in 3 files.");
  });
});

describe.if(posix)("an rg that", () => {
  const fake = (dir: string, script: string) => {
    const path = join(dir, "rg");
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    return grepWith({ rg: () => path, rgFromFiles: 0, timeoutMs: 300 });
  };

  test("fails, lies about a file or is gone does no harm", async () => {
    using bin = tree({});
    using t = tree({ a: "needle\n", b: "x\n" });
    const found = "Found 1 file\na";
    expect(await textOf(fake(bin.dir, "exit 2"), t.dir, { pattern: "needle" })).toBe(found);
    expect(await textOf(fake(bin.dir, "kill -9 $$"), t.dir, { pattern: "needle" })).toBe(found);
    expect(await textOf(fake(bin.dir, "printf './a\\0./b\\0./c\\0'"), t.dir, { pattern: "needle" })).toBe(found);
    expect(
      await textOf(grepWith({ rg: () => join(bin.dir, "none"), rgFromFiles: 0 }), t.dir, { pattern: "needle" }),
    ).toBe(found);
  });

  test("hangs is killed when the time is up or the person says so", async () => {
    using bin = tree({});
    using t = tree({ a: "needle\n" });
    const slow = fake(bin.dir, "exec sleep 60");
    expect(await errorOf(slow, t.dir, { pattern: "needle" })).toContain("was stopped after 0.3 s");
    const stop = new AbortController();
    const running = call(slow, t.dir, { pattern: "needle" }, stop.signal);
    stop.abort(new Error("stop"));
    await expect(running).rejects.toThrow('Interrupted (stop): the search for "needle"');
  });

  test("lies in the project is not run", async () => {
    using t = tree({ a: "needle\n" });
    const planted = fake(t.dir, `touch ${join(t.dir, "ran")}; exit 1`);
    expect(await textOf(planted, t.dir, { pattern: "needle" })).toBe("Found 1 file\na");
    expect(await Bun.file(join(t.dir, "ran")).exists()).toBe(false);
  });

  test("gets plain arguments, no configuration and no secrets", async () => {
    using bin = tree({});
    using t = tree({ "-a": "needle\n", "b c": "needle\n" });
    const log = join(bin.dir, "log");
    const spy = fake(bin.dir, `{ printf '%s\\n' "$@"; env; } > ${log}; exit 1`);
    process.env["RIPGREP_CONFIG_PATH"] = "/x";
    process.env["SOME_TOKEN"] = "secret";
    await textOf(spy, t.dir, { pattern: "-e dle", "-i": true });
    delete process.env["RIPGREP_CONFIG_PATH"];
    delete process.env["SOME_TOKEN"];
    const text = await Bun.file(log).text();
    expect(text).toContain("--no-config");
    expect(text).toContain("\n--\n./-a\n./b c\n");
    expect(text).not.toMatch(/RIPGREP|TOKEN/);
  });
});

/** Files with a NUL in their first 8 kB that are not UTF-16. */
async function binaries(dir: string): Promise<string[]> {
  const out: string[] = [];
  for await (const path of new Bun.Glob("**/*").scan({ cwd: dir, dot: true })) {
    const head = new Uint8Array(await Bun.file(join(dir, path)).slice(0, 8192).arrayBuffer());
    const wide = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
    if (!wide && head.includes(0)) out.push(path);
  }
  return out;
}

function byPlace(a: string, b: string): number {
  const [pathA = "", lineA = ""] = /^(.*):(\d+)$/.exec(a)?.slice(1) ?? [];
  const [pathB = "", lineB = ""] = /^(.*):(\d+)$/.exec(b)?.slice(1) ?? [];
  return pathA === pathB ? Number(lineA) - Number(lineB) : pathA < pathB ? -1 : 1;
}

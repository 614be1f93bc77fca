import { describe, expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { globTool } from "../src/tools/glob.ts";
import { planGlob } from "../src/tools/glob-pattern.ts";
import { call, errorOf, glob, noHome, textOf, tree } from "./search-kit.ts";

const posix = process.platform !== "win32";

describe("finds", () => {
  const files = {
    "src/b.ts": "",
    "src/a.ts": "",
    "src/deep/er/c.tsx": "",
    "src/deep/d.test.ts": "",
    ".hidden/.env": "",
    "README.md": "",
    ".git/config": "",
    "app/[id]/page.tsx": "",
    "app/(group)/page.tsx": "",
    "app/i/page.tsx": "",
    "имя файла.txt": "",
    ".gitignore": "*.log\nnode_modules/\n",
    "x.log": "",
    "node_modules/p/index.js": "",
    "a{b}!c": "",
    "!bang": "",
  };
  const found: [input: { pattern: string; path?: string }, expected: string[]][] = [
    [{ pattern: "src/*.ts" }, ["src/b.ts", "src/a.ts"]],
    [{ pattern: "**/*.ts" }, ["src/b.ts", "src/a.ts", "src/deep/d.test.ts"]],
    [{ pattern: "src/**/*.{ts,tsx}" }, ["src/b.ts", "src/a.ts", "src/deep/er/c.tsx", "src/deep/d.test.ts"]],
    [{ pattern: "*.ts", path: "src" }, ["src/b.ts", "src/a.ts"]],
    [{ pattern: "./src//a.ts" }, ["src/a.ts"]],
    [{ pattern: "src/[!a].ts" }, ["src/b.ts"]],
    [{ pattern: "**/.env" }, [".hidden/.env"]],
    [{ pattern: "**/config" }, []],
    [{ pattern: ".git/*" }, [".git/config"]],
    [{ pattern: "app/[id]/page.tsx" }, ["app/[id]/page.tsx", "app/i/page.tsx"]],
    [{ pattern: "app/\\[id\\]/*" }, ["app/[id]/page.tsx"]],
    [{ pattern: "app/(group)/*" }, ["app/(group)/page.tsx"]],
    [{ pattern: "имя*" }, ["имя файла.txt"]],
    [{ pattern: "*.log" }, ["x.log"]],
    [{ pattern: "node_modules/**/*.js" }, ["node_modules/p/index.js"]],
    [
      { pattern: "{src,app}/*/{d*,page.tsx}" },
      ["src/deep/d.test.ts", "app/[id]/page.tsx", "app/(group)/page.tsx", "app/i/page.tsx"],
    ],
    [{ pattern: "a\\{b\\}!c" }, ["a{b}!c"]],
    [{ pattern: "!bang" }, ["!bang"]],
    [{ pattern: "src/deep" }, ["src/deep/er/c.tsx", "src/deep/d.test.ts"]],
    [{ pattern: "src/deep/" }, ["src/deep/er/c.tsx", "src/deep/d.test.ts"]],
    [{ pattern: "../*.md", path: "src" }, ["README.md"]],
    [{ pattern: "..", path: "src/deep" }, ["src/b.ts", "src/a.ts", "src/deep/er/c.tsx", "src/deep/d.test.ts"]],
  ];
  test.each(found)("%j", async (input, expected) => {
    using t = tree(files);
    const { content, data } = await call(glob, t.dir, input);
    const lines = typeof content === "string" ? content.split("\n") : [];
    expect(expected.length > 0 ? lines : lines.slice(0, 1)).toEqual(
      expected.length > 0 ? expected : [expect.stringContaining("No files match")],
    );
    expect(data).toEqual({
      durationMs: expect.any(Number),
      numFiles: expected.length,
      filenames: expected.map((path) => join(t.dir, path)),
      truncated: false,
    });
    const absolute = { ...input, pattern: input.path === undefined ? join(t.dir, input.pattern) : input.pattern };
    if (posix && expected.length > 0) expect((await call(glob, t.dir, absolute)).content).toBe(content);
  });

  test("outside the working directory paths are absolute", async () => {
    using t = tree({ "a/x": "", "b/y": "" });
    expect(await textOf(glob, join(t.dir, "a"), { pattern: "../b/*" })).toBe(join(t.dir, "b/y"));
  });

  test.if(posix)("a name with a line break cannot pass for two", async () => {
    using t = tree({ "a\nb": "" });
    expect(await textOf(glob, t.dir, { pattern: "*" })).toBe('"a\\nb"');
  });

  test.if(posix)("links to files count by what they lead to; dead ones and links to folders do not", async () => {
    using t = tree({
      "real/x": "",
      fine: { link: "real/x" },
      dead: { link: "gone" },
      dir: { link: "real" },
      self: { link: "self" },
    });
    expect(await textOf(glob, t.dir, { pattern: "**" })).toBe("fine\nreal/x");
  });
});

test("with more than a hundred, ignored files are left out first and the newest are shown", async () => {
  const many = (name: string, count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`${name}${i}`, ""]));
  using t = tree({ ".gitignore": "junk*\n", "junk/new": "", ...many("junk", 40), ...many("file", 70), old: "" });
  const files = Array.from({ length: 70 }, (_, i) => `file${i}`);
  const junk = ["junk/new", ...Array.from({ length: 40 }, (_, i) => `junk${i}`)];
  expect((await textOf(glob, t.dir, { pattern: "**" })).split("\n")).toEqual([
    ".gitignore",
    ...junk.slice(0, 28),
    ...files,
    "old",
    "[100 of 113 files, the most recently changed. Narrow the pattern, or give a folder in path.]",
  ]);
  expect((await textOf(glob, t.dir, { pattern: "junk/*" })).split("\n")).toEqual(["junk/new"]);
});

describe("says", () => {
  test("what to try when nothing matches", async () => {
    using t = tree({ "src/a.ts": "" });
    expect(await textOf(glob, t.dir, { pattern: "*.ts" })).toBe(
      "No files match *.ts in the working directory.\nWithout ** only that depth is searched; try **/*.ts",
    );
    expect(await textOf(glob, t.dir, { pattern: "src/**/*.js" })).toBe("No files match src/**/*.js in src.");
  });

  test("which folder is meant when there is none", async () => {
    using t = tree({ "source/a.ts": "" });
    const text = await errorOf(glob, t.dir, { pattern: "*.ts", path: "sorce" });
    expect(text).toContain(`There is no folder ${join(t.dir, "sorce")}.`);
    expect(text).toContain(join(t.dir, "source"));
    expect(await errorOf(glob, t.dir, { pattern: "*", path: "source/a.ts" })).toContain(
      "is a file; Glob looks in folders",
    );
    expect(await errorOf(glob, t.dir, { pattern: "" })).toContain("pattern");
  });

  test.if(posix && process.getuid?.() !== 0)("which folders it could not read", async () => {
    using t = tree({ "a/x": "", y: "" });
    chmodSync(join(t.dir, "a"), 0);
    const text = await textOf(glob, t.dir, { pattern: "**" });
    chmodSync(join(t.dir, "a"), 0o700);
    expect(text).toBe("y\n[1 folder could not be read: a]");
  });

  test("that it stopped", async () => {
    using t = tree({ "a/b": "" });
    const reason = new Error("the person said stop");
    await expect(call(glob, t.dir, { pattern: "**" }, AbortSignal.abort(reason))).rejects.toThrow(
      'Interrupted (the person said stop): the search for "**" had no answer yet',
    );
    const wide = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`d${i}`, null]));
    using big = tree(wide);
    expect(await errorOf(globTool({ home: noHome, timeoutMs: 0 }), big.dir, { pattern: "**" })).toContain(
      "was stopped after 0 s",
    );
  });
});

test("the gate is told which folder is read", () => {
  const access = (pattern: string, path?: string) => glob.access({ pattern, path }, "/p");
  expect(access("src/**/*.ts")).toEqual({ kind: "read", paths: [resolve("/p/src")] });
  expect(access("*.ts", "lib")).toEqual({ kind: "read", paths: [resolve("/p/lib")] });
  expect(access("../../etc/*")).toEqual({ kind: "read", paths: [resolve("/etc")] });
  expect(access("{../a,b}/*")).toEqual({ kind: "read", paths: [resolve("/p")] });
  expect(access("/etc/pass*")).toEqual({ kind: "read", paths: [resolve("/etc")] });
  expect(access("~/x/*")).toEqual({ kind: "read", paths: [join(homedir(), "x")] });
});

test("the walk starts as deep and goes only as far as the pattern allows", () => {
  expect(planGlob("a/b/*.ts", "/p")).toEqual({ root: resolve("/p/a/b"), rest: "*.ts", depth: 1 });
  expect(planGlob("a/*/c", "/p")).toEqual({ root: resolve("/p/a"), rest: "*/c", depth: 2 });
  expect(planGlob("{a/b,c}/d", "/p")).toEqual({ root: resolve("/p"), rest: "{a/b,c}/d", depth: Infinity });
  expect(planGlob("a/**", "/p")).toEqual({ root: resolve("/p/a"), rest: "**", depth: Infinity });
  expect(planGlob("a", "/p")).toEqual({ root: resolve("/p"), rest: "a", depth: 1 });
});

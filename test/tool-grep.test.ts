import { describe, expect, test } from "bun:test";
import { chmodSync, ftruncateSync, openSync, closeSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { globFilter, splitGlobs } from "../src/tools/grep-files.ts";
import { call, errorOf, grepWith, textOf, tree } from "./search-kit.ts";

const posix = process.platform !== "win32";
const grep = grepWith();
const wide = (text: string, order: "le" | "be") => {
  const bytes = Buffer.from(`\uFEFF${text}`, "utf16le");
  return order === "le" ? bytes : bytes.swap16();
};
const content = (more: object) => ({ output_mode: "content", ...more });

const project = {
  "src/b.ts": "import a\nneedle one\nthree\n",
  "src/a.ts": "Needle\nx\nx\nx\nneedle two\nx\nneedle three",
  "docs/notes.md": "# needle\r\nüber needle ü\r\n",
  ".config/rc": "needle\n",
  ".git/HEAD": "needle\n",
  ".gitignore": "*.log\nvendor/\n",
  "out.log": "needle\n",
  "vendor/lib.js": "needle\n",
  "data.bin": "needle\0\n",
  empty: "",
};

describe("modes", () => {
  test("files, most recently changed first, is the default", async () => {
    using t = tree(project);
    const output = await call(grep, t.dir, { pattern: "needle" });
    const files = ["src/b.ts", "src/a.ts", "docs/notes.md", ".config/rc"];
    expect(output).toEqual({
      content: ["Found 4 files", ...files].join("\n"),
      data: { mode: "files_with_matches", numFiles: 4, filenames: files.map((path) => join(t.dir, path)) },
    });
  });

  test("content, by path", async () => {
    using t = tree(project);
    const lines = [
      ".config/rc:1:needle",
      "docs/notes.md:1:# needle",
      "docs/notes.md:2:über needle ü",
      "src/a.ts:5:needle two",
      "src/a.ts:7:needle three",
      "src/b.ts:2:needle one",
    ].join("\n");
    const files = [".config/rc", "docs/notes.md", "src/a.ts", "src/b.ts"].map((path) => join(t.dir, path));
    expect(await call(grep, t.dir, content({ pattern: "needle" }))).toEqual({
      content: lines,
      data: { mode: "content", numFiles: 4, filenames: files, content: lines, numLines: 6 },
    });
  });

  test("count", async () => {
    using t = tree(project);
    const lines = ".config/rc:1\ndocs/notes.md:2\nsrc/a.ts:2\nsrc/b.ts:1";
    expect(await call(grep, t.dir, { pattern: "needle", output_mode: "count" })).toEqual({
      content: `${lines}\nFound 6 matching lines in 4 files.`,
      data: { mode: "count", numFiles: 4, filenames: [], content: lines, numMatches: 6 },
    });
  });
});

describe("options", () => {
  const asked: [input: object, expected: string][] = [
    [
      { path: "src", "-i": true },
      "src/a.ts:1:Needle\nsrc/a.ts:5:needle two\nsrc/a.ts:7:needle three\nsrc/b.ts:2:needle one",
    ],
    [{ path: "src/b.ts" }, "2:needle one"],
    [{ path: "src/b.ts", "-n": false }, "needle one"],
    [{ path: "src/b.ts", "-A": 1 }, "2:needle one\n3-three"],
    [{ path: "src/b.ts", "-B": 9 }, "1-import a\n2:needle one"],
    [
      { path: "src", type: "ts", context: 1, "-n": false },
      "src/a.ts-x\nsrc/a.ts:needle two\nsrc/a.ts-x\nsrc/a.ts:needle three\n--\nsrc/b.ts-import a\nsrc/b.ts:needle one\nsrc/b.ts-three",
    ],
    [{ path: "src/a.ts", "-i": true, "-C": 1 }, "1:Needle\n2-x\n--\n4-x\n5:needle two\n6-x\n7:needle three"],
    [{ path: "src/a.ts", "-i": true, "-C": 1, "-A": 0 }, "1:Needle\n--\n4-x\n5:needle two\n6-x\n7:needle three"],
    [{ path: "src/a.ts", "-o": true, "-C": 3 }, "5:needle\n7:needle"],
    [{ glob: "*.md" }, "docs/notes.md:1:# needle\ndocs/notes.md:2:über needle ü"],
    [{ glob: "!src/**, !.config" }, "docs/notes.md:1:# needle\ndocs/notes.md:2:über needle ü"],
    [
      { glob: "*.{ts,rc} rc", path: ".", head_limit: 1 },
      ".config/rc:1:needle\n[Lines 1-1. For the next ones: offset: 1; or narrow the search with path, glob or type.]",
    ],
    [{ glob: "src/*.ts", path: "src", type: "ts,py", head_limit: 2, offset: 2 }, "src/b.ts:2:needle one"],
    [{ path: "out.log" }, "1:needle"],
    [{ path: "vendor" }, "vendor/lib.js:1:needle"],
    [{ path: ".git" }, ".git/HEAD:1:needle"],
    [{ path: "src/b.ts", offset: 5 }, "[There are no lines at this offset. Use a smaller one.]"],
  ];
  test.each(asked)("%j", async (input, expected) => {
    using t = tree(project);
    expect(await textOf(grep, t.dir, content({ pattern: "needle", ...input }))).toBe(expected);
  });

  const patterns: [input: object, expected: string][] = [
    [{ pattern: "needle$" }, ".config/rc:1:needle\ndocs/notes.md:1:# needle"],
    [{ pattern: "ü.*Ü$", "-i": true }, "docs/notes.md:2:über needle ü"],
    [{ pattern: "\\bü", "-o": true }, "docs/notes.md:2:ü\ndocs/notes.md:2:ü"],
    [
      { pattern: "^$|zzz" },
      "No matches found.\n5 files searched; files ignored by git are not, unless path names them.",
    ],
    [{ pattern: "one\\nth.*", multiline: true }, "src/b.ts:2:needle one\nsrc/b.ts:3:three"],
    [{ pattern: "e one.th", multiline: true, "-o": true }, "src/b.ts:2:e one\nsrc/b.ts:3:th"],
    [{ pattern: "needle\\nüber", multiline: true, "-C": 1 }, "docs/notes.md:1:# needle\ndocs/notes.md:2:über needle ü"],
    [
      { pattern: "x\\n", multiline: true, path: "src/a.ts", "-A": 1 },
      "2:x\n3:x\n4:x\n5-needle two\n6:x\n7-needle three",
    ],
    [{ pattern: "\\r", path: "docs" }, "docs/notes.md:1:# needle\ndocs/notes.md:2:über needle ü"],
    [{ pattern: "x*", "-o": true, path: "src/b.ts" }, "[Every match is empty: -o has nothing to show.]"],
  ];
  test.each(patterns)("%j", async (input, expected) => {
    using t = tree({ ...project, "data.bin": "\0", ".gitignore": "*.log\nvendor/\ndata.bin\nempty\n" });
    expect(await textOf(grep, t.dir, content(input))).toBe(expected);
  });
});

describe("pages", () => {
  test("of files and counts say how many there are", async () => {
    using t = tree(project);
    const note = "[Files 2-3 of 4. For the next ones: offset: 3; or narrow the search with path, glob or type.]";
    expect(await call(grep, t.dir, { pattern: "needle", head_limit: 2, offset: 1 })).toEqual({
      content: `Found 4 files\nsrc/a.ts\ndocs/notes.md\n${note}`,
      data: {
        mode: "files_with_matches",
        numFiles: 4,
        filenames: [join(t.dir, "src/a.ts"), join(t.dir, "docs/notes.md")],
        appliedLimit: 2,
        appliedOffset: 1,
      },
    });
    expect(await textOf(grep, t.dir, { pattern: "needle", output_mode: "count", head_limit: 2, offset: 1 })).toBe(
      `docs/notes.md:2\nsrc/a.ts:2\nFound 6 matching lines in 4 files.\n${note}`,
    );
  });

  test("together show every line once", async () => {
    using t = tree({ a: "n 1\nn 2\nx\nx\nn 3\n", b: "n 4\nx\n", c: "n 5\n" });
    const whole = await textOf(grep, t.dir, content({ pattern: "n", head_limit: 0, "-A": 1 }));
    const pages: string[] = [];
    for (let offset = 0; offset < 8; offset += 3) {
      const text = await textOf(grep, t.dir, content({ pattern: "n", head_limit: 3, offset, "-A": 1 }));
      pages.push(...text.split("\n").filter((line) => !line.startsWith("[")));
    }
    const bare = (lines: string[]) => lines.filter((line) => line !== "--");
    expect(bare(pages)).toEqual(bare(whole.split("\n")));
    expect(bare(pages).length).toBe(7);
  });

  test("hold 250 lines unless asked, and never more than fits", async () => {
    using t = tree({ a: "n\n".repeat(300), long: `${"n".repeat(400)}\n`.repeat(200) });
    const few = (await textOf(grep, t.dir, content({ pattern: "n", path: "a" }))).split("\n");
    expect(few.length).toBe(251);
    expect(few.at(-1)).toContain("[Lines 1-250. For the next ones: offset: 250;");
    const cut = await textOf(grep, t.dir, content({ pattern: "n", path: "long", head_limit: 0 }));
    expect(cut.length).toBeLessThan(31_000);
    expect(cut).toContain("[Lines 1-75. For the next ones: offset: 75;");
  });

  test("show a long line around its match", async () => {
    using t = tree({ a: `${"x".repeat(2000)}needle${"y".repeat(3000)}\n` });
    expect(await textOf(grep, t.dir, content({ pattern: "need", path: "a" }))).toBe(
      `1:[1900 characters cut] ${"x".repeat(100)}needle${"y".repeat(394)} [2606 characters cut]`,
    );
  });
});

describe("files", () => {
  test("in every encoding", async () => {
    using t = tree({
      bom: "\uFEFFneedle ü\n",
      broken: Buffer.from("f\xFFo needle \xE9\nf\xFFo\n", "latin1"),
      le: wide("a needle ü\r\nb\r\n", "le"),
      be: wide("b\na needle ü", "be"),
      nul: "n\0needle\n",
      late: `${"x".repeat(9000)}\0\nneedle\n`,
    });
    const lines = [
      "be:2:a needle ü",
      "bom:1:needle ü",
      "broken:1:f\uFFFDo needle \uFFFD",
      "late:2:needle",
      "le:1:a needle ü",
    ];
    expect(await textOf(grep, t.dir, content({ pattern: "needle" }))).toBe(lines.join("\n"));
    expect(await textOf(grep, t.dir, content({ pattern: "^needle ü$" }))).toBe("bom:1:needle ü");
    // What is no character is matched by nothing.
    expect(await textOf(grep, t.dir, content({ pattern: "f[^x]?o", path: "broken" }))).toContain("No matches found.");
    expect(await textOf(grep, t.dir, { pattern: "needle", path: "nul" })).toContain("It is a binary file");
  });

  test("of many megabytes, with hits at every border", async () => {
    using t = tree({});
    // Pieces are of 1 MB, 16,384 such lines; the first line is one byte longer in the second file.
    const lines = Array.from({ length: 40_000 }, (_, i) => `${String(i + 1).padStart(5)} ${"é".repeat(28)}x`);
    for (const hit of [16_384, 16_385, 32_770]) lines[hit - 1] = `${lines[hit - 1]?.slice(0, -1)}!`;
    const even = `${lines.join("\n")}\n`;
    writeFileSync(join(t.dir, "even"), even);
    writeFileSync(join(t.dir, "odd"), `y${even.trimEnd()}`);
    const shown = (file: string, first: number, last: number) =>
      lines.slice(first - 1, last).map((text, i) => {
        const mark = text.endsWith("!") ? ":" : "-";
        return `${file}${mark}${first + i}${mark}${text}`;
      });
    const both = ["even", "odd"].flatMap((file) => [shown(file, 16_381, 16_387), shown(file, 32_767, 32_772)]);
    const expected = both.map((group) => group.join("\n")).join("\n--\n");
    for (const pattern of ["!$", "[!]", "[^\\w ]"]) {
      expect(await textOf(grep, t.dir, content({ pattern, "-B": 3, "-A": 2 }))).toBe(expected);
    }
    expect(await textOf(grep, t.dir, { pattern: "X$", "-i": true, output_mode: "count" })).toContain(
      "even:39997\nodd:39997\n",
    );
    expect(await textOf(grep, t.dir, content({ pattern: "32770", path: "odd" }))).toContain("32770:32770 é");
  });

  test("with one endless line are searched in parts", async () => {
    using t = tree({});
    writeFileSync(join(t.dir, "line"), "é".repeat(9_000_000) + "needle" + "é".repeat(9_000_000));
    const text = await textOf(grep, t.dir, content({ pattern: "needle.", "-o": true }));
    expect(text).toBe("line:1:needleé");
    expect(await textOf(grep, t.dir, { pattern: "[^é]{7}" })).toContain("No matches");
  });

  test("too large to be held whole are named", async () => {
    using t = tree({ a: "needle\n" });
    const fd = openSync(join(t.dir, "huge"), "w");
    writeSync(fd, "x".repeat(10_000));
    ftruncateSync(fd, 70 << 20);
    closeSync(fd);
    expect(await textOf(grep, t.dir, { pattern: "needle", multiline: true })).toBe(
      "Found 1 file\na\n[1 file too large for this search (over 64 MB in multiline mode or UTF-16): huge]",
    );
  });

  test.if(posix)("that are links, pipes or without permission", async () => {
    using t = tree({ a: "needle\n", link: { link: "a" }, dir: { link: "." }, shut: "needle\n" });
    Bun.spawnSync(["mkfifo", join(t.dir, "pipe")]);
    chmodSync(join(t.dir, "shut"), 0);
    const asRoot = process.getuid?.() === 0;
    expect(await textOf(grep, t.dir, { pattern: "needle" })).toBe(
      asRoot ? "Found 2 files\na\nshut" : "Found 1 file\na\n[1 file could not be read: shut (EACCES)]",
    );
    expect(await textOf(grep, t.dir, content({ pattern: "needle", path: "link" }))).toBe("1:needle");
    expect(await errorOf(grep, t.dir, { pattern: "needle", path: "pipe" })).toContain("neither a file nor a folder");
  });

  test.if(process.platform === "linux")("whose names are not UTF-8 are said to be unreadable", async () => {
    using t = tree({ a: "needle\n" });
    writeFileSync(Buffer.concat([Buffer.from(`${t.dir}/b`), Buffer.from([0xff])]), "needle\n");
    expect(await textOf(grep, t.dir, { pattern: "needle" })).toBe(
      "Found 1 file\na\n[1 file could not be read: b\uFFFD (ENOENT)]",
    );
  });
});

describe("says", () => {
  test("what is wrong with the call", async () => {
    using t = tree({ "src/a.ts": "x\n" });
    const wrong = (input: object) => errorOf(grep, t.dir, input);
    expect(await wrong({ pattern: "foo(" })).toContain("a literal one is `\\(`");
    expect(await wrong({ pattern: "x", path: "sr" })).toContain(`There is no file or folder ${join(t.dir, "sr")}.`);
    expect(await wrong({ pattern: "x", type: "typscript" })).toContain(
      "There is no type typscript. Did you mean typescript?",
    );
    expect(await wrong({ pattern: "x", "-A": -1 })).toContain("-A");
    expect(await wrong({ pattern: "x", output_mode: "lines" })).toContain("output_mode");
  });

  test("why nothing was searched", async () => {
    using t = tree({ "src/a.ts": "x\n" });
    expect(await textOf(grep, t.dir, { pattern: "x", type: "py", glob: "*.ts" })).toBe(
      "No matches found.\nNo file was searched in the working directory. No file there fits glob *.ts and type py.",
    );
    expect(await call(grep, t.dir, { pattern: "zzz", output_mode: "count", path: "src/a.ts" })).toEqual({
      content: "No matches found.",
      data: { mode: "count", numFiles: 0, filenames: [], content: "", numMatches: 0 },
    });
  });
});

describe("stops", () => {
  test("a pattern that would never end elsewhere ends here", async () => {
    using t = tree({ a: `${"a".repeat(100_000)}b\n${"x".repeat(3000)}\n` });
    expect(await textOf(grep, t.dir, { pattern: "(a+)+$" })).toContain("No matches");
    expect(await textOf(grep, t.dir, { pattern: "(x+x+)+y|(.*)(.*)(.*)(.*)q" })).toContain("No matches");
  });

  test("when the time is up, and when told to", async () => {
    using t = tree({});
    // Every span of this one is looked for to the end of the line.
    writeFileSync(join(t.dir, "slow"), "a".repeat(4_000_000));
    const input = content({ pattern: "a[^z]*z|a", "-o": true, offset: 1_000_000_000 });
    const quick = grepWith({ timeoutMs: 60 });
    expect(await errorOf(quick, t.dir, input)).toBe(
      "The search was stopped after 0.06 s. Narrow it with path, glob or type, or simplify the pattern.",
    );
    const stop = new AbortController();
    const reason = new Error("the person said stop");
    const running = call(grep, t.dir, input, stop.signal);
    setTimeout(() => stop.abort(reason), 60);
    const said =
      'Interrupted (the person said stop): the search for "a[^z]*z|a" had no answer yet; whether there is a match is not known.';
    await expect(running).rejects.toThrow(said);
    await expect(call(grep, t.dir, input, AbortSignal.abort(reason))).rejects.toThrow(said);
    const long = { pattern: "ab".repeat(1000) };
    await expect(call(grep, t.dir, long, AbortSignal.abort(reason))).rejects.toThrow(
      `the search for "${"ab".repeat(50)}..."`,
    );
  });
});

test("the gate is told what is read", () => {
  expect(grep.access({ pattern: "x" }, "/p")).toEqual({ kind: "read", paths: [join("/p")] });
  expect(grep.access({ pattern: "x", path: "../q" }, "/p")).toEqual({ kind: "read", paths: [join("/q")] });
});

describe("glob", () => {
  test("may hold several patterns", () => {
    expect(splitGlobs("*.{a,b c}, !x  y")).toEqual(["*.{a,b c}", "!x", "y"]);
    expect(splitGlobs("{a, b")).toEqual(["{a", "b"]);
    expect(splitGlobs(" ")).toEqual([]);
  });

  const cases: [glob: string, path: string, taken: boolean][] = [
    ["*.ts", "a/b.ts", true],
    ["*.ts", "a/b.tsx", false],
    ["b", "a/b/c", true],
    ["a/", "a/b", true],
    ["/a", "a/b", true],
    ["a/*.ts", "a/b.ts", true],
    ["a/*.ts", "x/a/b.ts", false],
    ["**/a/**", "x/a/b", true],
    ["a/b", "a/b/c", true],
    ["!a", "a/b", false],
    ["!a", "b", true],
    ["*.ts !*.d.ts", "x.d.ts", false],
    ["./a/*", "a/x", true],
    ["lib/a/*", "a/x", true],
    ["", "x", true],
  ];
  test.each(cases)("%j takes %j: %p", (glob, path, taken) => expect(globFilter(glob, "lib/")(path)).toBe(taken));
});

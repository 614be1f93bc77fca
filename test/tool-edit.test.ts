import { describe, expect, test } from "bun:test";
import { chmodSync, readdirSync, statSync, symlinkSync } from "node:fs";
import { bench, failure } from "./files-kit.ts";

describe("an edit", () => {
  test("changes the text and shows what it made", async () => {
    using b = bench();
    const original = Array.from({ length: 12 }, (_, i) => `line ${i + 1}\n`).join("");
    const path = b.put("a.txt", original);
    await b.read({ file_path: "a.txt" });
    const output = await b.edit({ file_path: "a.txt", old_string: "line 6\n", new_string: "six\nand more\n" });
    const hunk = {
      oldStart: 3,
      oldLines: 7,
      newStart: 3,
      newLines: 8,
      lines: [" line 3", " line 4", " line 5", "-line 6", "+six", "+and more", " line 7", " line 8", " line 9"],
    };
    expect(output).toEqual({
      content: [
        "Edited a.txt (1 replacement, line 6).",
        "Now:",
        ...[
          " 3\tline 3",
          " 4\tline 4",
          " 5\tline 5",
          " 6\tsix",
          " 7\tand more",
          " 8\tline 7",
          " 9\tline 8",
          "10\tline 9",
          "11\tline 10",
        ],
      ].join("\n"),
      view: { kind: "diff", path, hunks: [hunk] },
      data: {
        filePath: path,
        oldString: "line 6\n",
        newString: "six\nand more\n",
        originalFile: original,
        structuredPatch: [hunk],
        userModified: false,
        replaceAll: false,
      },
    });
    expect(b.text("a.txt")).toBe(original.replace("line 6\n", "six\nand more\n"));
    // Its own change is known to it.
    await b.edit({ file_path: path, old_string: "six", new_string: "6" });
    expect(b.text("a.txt")).toContain("\n6\n");
  });

  test("keeps encoding, mark, endings, stray bytes and mode", async () => {
    using b = bench();
    const cases: [name: string, before: Buffer, after: Buffer][] = [
      ["utf8 bom crlf", Buffer.from("\ufeffa\r\nb\r\n"), Buffer.from("\ufeffa\r\nx\r\ny\r\n")],
      ["utf16le", Buffer.from("\ufeffa\r\nb", "utf16le"), Buffer.from("\ufeffa\r\nx\r\ny", "utf16le")],
      ["utf16be", Buffer.from("\ufeffa\nb", "utf16le").swap16(), Buffer.from("\ufeffa\nx\ny", "utf16le").swap16()],
      ["latin1", Buffer.from("\xe9\xe8\na\nb\n\xfc", "latin1"), Buffer.from("\xe9\xe8\na\nx\ny\n\xfc", "latin1")],
      ["stray", Buffer.from("\xc3\xa9\xff\na\nb\xfe", "latin1"), Buffer.from("\xc3\xa9\xff\na\nx\ny\xfe", "latin1")],
    ];
    for (const [name, before, after] of cases) {
      chmodSync(b.put(name, before), 0o751);
      await b.read({ file_path: name });
      await b.edit({ file_path: name, old_string: "a\nb", new_string: "a\nx\ny" });
      expect([name, b.bytes(name), statSync(b.at(name)).mode & 0o777]).toEqual([name, after, 0o751]);
    }
  });

  test("of every occurrence", async () => {
    using b = bench();
    b.put("f", "x = 1\ny = x\nz = x\n");
    await b.read({ file_path: "f" });
    expect(await failure(b.edit({ file_path: "f", old_string: "x", new_string: "w" }))).toBe(
      "old_string is in the file 3 times (lines 1, 2, 3). Add surrounding lines until it is unique, or set replace_all to change all of them.",
    );
    const { content } = await b.edit({ file_path: "f", old_string: "x", new_string: "w", replace_all: true });
    expect(content).toStartWith("Edited f (3 replacements, lines 1, 2, 3).\nNow, at the first place:\n1\tw = 1");
    expect(b.text("f")).toBe("w = 1\ny = w\nz = w\n");
  });

  test("with an empty old_string creates a file", async () => {
    using b = bench();
    const { content } = await b.edit({ file_path: "new/f", old_string: "", new_string: "hello\n" });
    expect([content, b.text("new/f")]).toEqual(["Created new/f.", "hello\n"]);
    expect(await failure(b.edit({ file_path: "new/f", old_string: "", new_string: "x" }))).toContain("not empty");
    b.put("empty", "");
    await b.edit({ file_path: "empty", old_string: "", new_string: "x" });
    expect(b.text("empty")).toBe("x");
  });
});

describe("an edit is refused", () => {
  test("when it makes no sense, and the file stays untouched", async () => {
    using b = bench();
    const path = b.put("f", "aaa\nsome “text” here\n");
    const says = (old_string: string, new_string: string) =>
      failure(b.edit({ file_path: "f", old_string, new_string }));
    expect(await says("aaa", "b")).toBe(`${path} has not been read yet. Read it first, then edit.`);
    await b.read({ file_path: "f" });
    expect(await says("aaa", "aaa")).toContain("the same");
    expect(await says("aa", "b")).toContain("overlap");
    expect(await says("aaa", "\ud83d")).toContain("surrogate");
    expect(await says('some "text"', "b")).toContain(
      "old_string is not in f.\nLine 2 looks the same, but:\n- line 2: at column 6 the file has U+201C",
    );
    expect(await failure(b.edit({ file_path: "g", old_string: "a", new_string: "b" }))).toContain("use Write");
    expect(b.text("f")).toBe("aaa\nsome “text” here\n");
    expect(readdirSync(b.dir)).toEqual(["f"]);
  });

  test("when the encoding lacks a character", async () => {
    using b = bench();
    b.put("f", Buffer.from("caf\xe9\n", "latin1"));
    await b.read({ file_path: "f" });
    const message = await failure(b.edit({ file_path: "f", old_string: "é", new_string: "→" }));
    expect(message).toContain("Windows-1252, which has no U+2192 (→)");
  });

  test.skipIf(process.platform === "win32")("through a link, which names the real file", async () => {
    using b = bench();
    b.put("real", "a\n");
    symlinkSync("real", b.at("link"));
    await b.read({ file_path: "link" });
    expect(await failure(b.edit({ file_path: "link", old_string: "a", new_string: "b" }))).toContain(b.at("real"));
    await b.edit({ file_path: "real", old_string: "a", new_string: "b" });
    expect(b.text("real")).toBe("b\n");
  });
});

test("a file changed by others: a unique place may be edited, anything less may not", async () => {
  using b = bench();
  b.put("f", "one\ntwo\n");
  await b.read({ file_path: "f" });
  b.put("f", "zero\none\ntwo\ntwo\n");
  const twice = failure(b.edit({ file_path: "f", old_string: "two", new_string: "2", replace_all: true }));
  expect(await twice).toContain("has changed since it was read, and old_string is in it 2 times");
  expect(await failure(b.edit({ file_path: "f", old_string: "three", new_string: "3" }))).toContain(
    "has changed since it was read",
  );
  const { content } = await b.edit({ file_path: "f", old_string: "one", new_string: "1" });
  expect(content).toContain("The file had changed since it was read");
  expect(b.text("f")).toBe("zero\n1\ntwo\ntwo\n");
  // Touched but not changed is not changed.
  await b.read({ file_path: "f" });
  b.put("f", b.text("f"));
  const { content: same } = await b.edit({ file_path: "f", old_string: "1", new_string: "one" });
  expect(same).not.toContain("changed");
});

test("large files: a bounded answer in bounded time", async () => {
  using b = bench();
  const lines = Array.from({ length: 600_000 }, (_, i) => `row ${i} with some text\n`);
  b.put("big", lines.join(""));
  await b.read({ file_path: "big", offset: 300_000, limit: 10 });
  const start = performance.now();
  const output = await b.edit({ file_path: "big", old_string: "row 300000 with", new_string: "ROW" });
  expect(output.content).toContain("300001\tROW some text");
  expect(output.data).toMatchObject({ originalFile: null, structuredPatch: [{ oldStart: 299_998, oldLines: 7 }] });
  const all = await b.edit({ file_path: "big", old_string: "some", new_string: "any", replace_all: true });
  expect(all.content).toContain("600000 replacements, lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 599990 more");
  expect(all.view).toEqual({ kind: "text", text: "The difference is too large to be shown." });
  expect(String(all.content).length).toBeLessThan(1000);
  expect(performance.now() - start).toBeLessThan(4000);
});

test("a difference of very many short lines is too large to be shown", async () => {
  using b = bench();
  const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
  for (const line of ["x\n", "\t\n", '"\n', "\u6f22\n"]) {
    for (const count of [1_000, 60_000, 120_000]) {
      b.put("f", line.repeat(count));
      await b.read({ file_path: "f" });
      const { view, data } = await b.edit({ file_path: "f", old_string: line, new_string: "y\n", replace_all: true });
      // Beside the text of the file, which whoever writes the line can cut.
      expect([line, count, bytes({ ...Object(data), originalFile: null }) < 500_000]).toEqual([line, count, true]);
      expect([line, count, view?.kind]).toEqual([line, count, count > 1_000 ? expect.any(String) : "diff"]);
    }
  }
});

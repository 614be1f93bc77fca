import { expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { bench, failure } from "./files-kit.ts";

test("a new file, folders included", async () => {
  using b = bench();
  expect(await b.write({ file_path: "a/b/c.txt", content: "one\ntwö\n" })).toEqual({
    content: "Created a/b/c.txt (2 lines, 9 bytes).",
    view: {
      kind: "diff",
      path: b.at("a/b/c.txt"),
      hunks: [{ oldStart: 1, oldLines: 0, newStart: 1, newLines: 2, lines: ["+one", "+twö"] }],
    },
    data: {
      type: "create",
      filePath: b.at("a/b/c.txt"),
      content: "one\ntwö\n",
      structuredPatch: [{ oldStart: 1, oldLines: 0, newStart: 1, newLines: 2, lines: ["+one", "+twö"] }],
      originalFile: null,
      userModified: false,
    },
  });
  expect(b.text("a/b/c.txt")).toBe("one\ntwö\n");
  // What it wrote it knows.
  await b.write({ file_path: "a/b/c.txt", content: "" });
  expect(b.text("a/b/c.txt")).toBe("");
});

test("an existing file must be known: read, all of it, and unchanged since", async () => {
  using b = bench();
  const path = b.put("f", "1\n2\n3\n");
  const says = () => failure(b.write({ file_path: "f", content: "new\n" }));
  expect(await says()).toContain("exists and has not been read");
  await b.read({ file_path: "f", limit: 2 });
  expect(await says()).toContain(
    `Only lines 1-2 of ${path} have been read, and Write replaces all of it. Read the rest first (offset 3)`,
  );
  await b.read({ file_path: "f", offset: 3 });
  b.put("f", "others\n");
  expect(await says()).toContain("has changed since it was read");
  await b.edit({ file_path: "f", old_string: "others", new_string: "mine" });
  expect(await says()).toContain("without its present content having been read");
  await b.read({ file_path: "f" });
  const output = await b.write({ file_path: "f", content: "new\n" });
  expect(output.content).toBe("Updated f (1 line, 4 bytes).");
  expect(output.data).toMatchObject({
    type: "update",
    originalFile: "mine\n",
    structuredPatch: [{ lines: ["-mine", "+new"] }],
  });
  b.put("empty", "");
  expect((await b.write({ file_path: "empty", content: "x" })).content).toBe("Updated empty (1 line, 1 byte).");
});

test("a binary file cannot be known, so it is not replaced", async () => {
  using b = bench();
  b.put("f", Buffer.from([0, 1, 2, 3]));
  await failure(b.read({ file_path: "f" }));
  expect(await failure(b.write({ file_path: "f", content: "x" }))).toContain("remove it with Bash first");
  expect(b.bytes("f")).toEqual(Buffer.from([0, 1, 2, 3]));
});

test("the encoding is kept, the content is as given", async () => {
  using b = bench();
  const rewrite = async (before: Uint8Array, content: string) => {
    b.put("f", before);
    await b.read({ file_path: "f" });
    const output = await b.write({ file_path: "f", content });
    return [b.bytes("f"), output.content];
  };
  expect(await rewrite(Buffer.from("\ufeffä\n", "utf16le"), "漢\n")).toEqual([
    Buffer.from("\ufeff漢\n", "utf16le"),
    "Updated f (1 line, 6 bytes).\nIts encoding was kept: UTF-16 LE with a byte order mark.",
  ]);
  expect(await rewrite(Buffer.from("\ufeffa\n"), "b\n")).toEqual([
    Buffer.from("\ufeffb\n"),
    "Updated f (1 line, 5 bytes).\nIts encoding was kept: UTF-8 with a byte order mark.",
  ]);
  expect(await rewrite(Buffer.from("\xe9\n", "latin1"), "→\n")).toEqual([
    Buffer.from("→\n"),
    "Updated f (1 line, 4 bytes).\nIt was in Windows-1252, which lacks some of these characters; it is UTF-8 now.",
  ]);
  expect(await rewrite(Buffer.from("a\r\nb\r\n"), "a\nc\n")).toEqual([
    Buffer.from("a\nc\n"),
    "Updated f (2 lines, 4 bytes).\nIts lines ended with CRLF or CR before and end with LF now. If they should not, write it with \\r\\n.",
  ]);
  expect(await rewrite(Buffer.from("a\r\n"), "b\r\n")).toEqual([Buffer.from("b\r\n"), "Updated f (1 line, 3 bytes)."]);
});

test("a change of every line is shown as a whole in bounded time", async () => {
  using b = bench();
  const text = (word: string) => Array.from({ length: 5000 }, (_, i) => `${word} ${(i * 7919) % 5000}\n`).join("");
  await b.write({ file_path: "f", content: text("old") });
  const start = performance.now();
  const { view } = await b.write({ file_path: "f", content: text("new") });
  expect(performance.now() - start).toBeLessThan(1500);
  if (view?.kind !== "diff") throw new Error("no diff");
  const changed = view.hunks.flatMap((hunk) => hunk.lines).length;
  expect(changed).toBe(10_000);
});

test.skipIf(process.platform === "win32")("links, folders and bad names are refused", async () => {
  using b = bench();
  b.put("real", "text\n");
  symlinkSync("real", b.at("link"));
  expect(await failure(b.write({ file_path: "link", content: "x" }))).toContain(`use ${b.at("real")} itself`);
  expect(await failure(b.write({ file_path: b.dir, content: "x" }))).toContain("is a folder");
  expect(await failure(b.write({ file_path: "real/x", content: "x" }))).toContain("ENOTDIR");
  expect(await failure(b.write({ file_path: "f", content: "\udc00" }))).toContain("surrogate");
  expect(() => b.write({ file_path: "folder/", content: "x" })).toThrow("must name a file");
  expect(b.text("real")).toBe("text\n");
});

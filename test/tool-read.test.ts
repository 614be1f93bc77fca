import { describe, expect, test } from "bun:test";
import { closeSync, ftruncateSync, mkdirSync, openSync, symlinkSync, writeSync } from "node:fs";
import { bench, failure } from "./files-kit.ts";

const posix = process.platform !== "win32";
const content = async (output: Promise<{ content: unknown }>) => (await output).content;

describe("text", () => {
  test("comes with right-aligned numbers and, for the wire, as it is", async () => {
    using b = bench();
    const path = b.put("a.txt", Array.from({ length: 10 }, (_, i) => `line ${i + 1}\n`).join(""));
    const numbered = Array.from({ length: 10 }, (_, i) => `${String(i + 1).padStart(2)}\tline ${i + 1}`);
    expect(await b.read({ file_path: "a.txt" })).toEqual({
      content: numbered.join("\n"),
      data: {
        type: "text",
        file: {
          filePath: path,
          content: numbered.map((line) => line.slice(3)).join("\n"),
          numLines: 10,
          startLine: 1,
          totalLines: 10,
        },
      },
    });
    expect(await content(b.read({ file_path: path, offset: 9, limit: 1 }))).toBe(
      "9\tline 9\n[Lines 9-9 of 10. Go on with offset 10.]",
    );
    expect(await content(b.read({ file_path: path, offset: 0, limit: 1 }))).toBe(
      "1\tline 1\n[Lines 1-1 of 10. Go on with offset 2.]",
    );
    expect(await failure(b.read({ file_path: path, offset: 11 }))).toContain("has 10 lines; there is no line 11");
  });

  test("what the lines do not show is said", async () => {
    using b = bench();
    const note = async (bytes: string | Uint8Array) => {
      b.put("f", bytes);
      return content(b.read({ file_path: "f" }));
    };
    expect(await note("")).toBe("[The file is empty.]");
    expect(await note("\ufeff")).toBe("[The file is empty but for its byte order mark.]");
    expect(await note("a")).toBe("1\ta\n[The last line has no line break at its end.]");
    expect(await note("a\r\nb\r\n")).toBe("1\ta\n2\tb\n[Lines end with CRLF.]");
    expect(await note("a\r\nb\nc\n")).toBe("1\ta\n2\tb\n3\tc\n[Mixed line endings: 1 CRLF, 2 LF.]");
    const crs = "a CR alone ends no line here";
    expect(await note("a\r\nb\nc\rd\n")).toBe(
      `1\ta\n2\tb\n3\tc\rd\n[Mixed line endings: 1 CRLF, 2 LF, 1 CR alone; ${crs}.]`,
    );
    expect(await note("a\rb\rc\n")).toBe(`1\ta\rb\rc\n[Mixed line endings: 1 LF, 2 CR alone; ${crs}.]`);
    expect(await note("a\r\nb\rc\r\n")).toBe(`1\ta\n2\tb\rc\n[Mixed line endings: 2 CRLF, 1 CR alone; ${crs}.]`);
    expect(await note("a\rb\r")).toBe("1\ta\n2\tb\n[Lines end with CR alone.]");
    expect(await note(Buffer.from("\ufeffä\n", "utf16le"))).toBe("1\tä\n[Encoding: UTF-16 LE with a byte order mark.]");
    expect(await note(Buffer.from("caf\xe9\n", "latin1"))).toBe(
      "1\tcafé\n[Encoding: Windows-1252 (a guess: the bytes are not UTF-8).]",
    );
    expect(await note(Buffer.concat([Buffer.from("é漢\n"), Buffer.of(0xff, 10)]))).toBe(
      "1\té漢\n2\t\ufffd\n[Encoding: UTF-8 with some invalid bytes, shown as \ufffd.]",
    );
    expect(await note("\x1b[31mred\x1b[0m\n")).toBe("1\t\x1b[31mred\x1b[0m");
  });

  test("long files come in pages, long lines cut", async () => {
    using b = bench();
    b.put("long", "x\n".repeat(2500));
    expect(await content(b.read({ file_path: "long" }))).toEndWith(
      "\n2000\tx\n[Lines 1-2000 of 2500. Go on with offset 2001.]",
    );
    b.put("wide it's", `a\n${"é".repeat(5000)}\nb\n`);
    expect(await content(b.read({ file_path: "wide it's" }))).toBe(
      `1\ta\n2\t${"é".repeat(2000)} [... line cut here; it is 10000 bytes long]\n3\tb\n` +
        "[Line 2 cut. See more with Bash: sed -n 2p 'wide it'\\''s' | cut -c2001-6000]",
    );
    b.put("much", `${"y".repeat(1500)}\n`.repeat(100));
    expect(await content(b.read({ file_path: "much" }))).toEndWith("[Lines 1-53 of 100. Go on with offset 54.]");
  });

  test("files of gigabytes are not read into memory", async () => {
    using b = bench();
    const fd = openSync(b.at("huge"), "w");
    writeSync(fd, "first\nsecond\n");
    // 100 MB in one line, then another line; the rest of 3 GB is a hole.
    for (let i = 0; i < 100; i++) writeSync(fd, Buffer.alloc(1 << 20, "z"));
    writeSync(fd, "\nthird\n");
    ftruncateSync(fd, 3 * 2 ** 30);
    closeSync(fd);
    const before = process.memoryUsage.rss();
    const output = await b.read({ file_path: "huge", offset: 2, limit: 3 });
    expect(output.content).toStartWith(
      `2\tsecond\n3\t${"z".repeat(2000)} [... line cut here; it is 104857600 bytes long]\n4\tthird\n`,
    );
    expect(output.content).toEndWith("[Lines 2-4. Go on with offset 5.]");
    expect(output.data).not.toHaveProperty("file.totalLines");
    expect(process.memoryUsage.rss() - before).toBeLessThan(150e6);
    expect(await failure(b.read({ file_path: "huge", offset: 99 }, AbortSignal.abort()))).toContain("abort");
  });
});

describe("what is no text", () => {
  test("binary files are named, with the way to look into them", async () => {
    using b = bench();
    const says = async (bytes: Uint8Array) => failure(b.read({ file_path: b.put("f", bytes) }));
    expect(await says(Buffer.from("\x7fELF\x02\x01\x01\0\0\0", "latin1"))).toContain(
      "an ELF program or library (10 bytes)",
    );
    expect(await says(Bun.gzipSync(Buffer.from("hello")))).toContain("zcat");
    expect(await says(Buffer.from("PK\x03\x04\x14\0\0\0", "latin1"))).toContain("unzip -l");
    expect(await says(Buffer.from("a\0b\0\0c"))).toContain("a binary file (6 bytes)");
    b.put("f.pdf", "%PDF-1.7\n");
    expect(await failure(b.read({ file_path: "f.pdf", pages: "3-4" }))).toContain("pdftotext -layout -f 3 -l 4 FILE -");
    b.put("words.txt", "MZ is not always a program\n");
    expect(await content(b.read({ file_path: "words.txt" }))).toBe("1\tMZ is not always a program");
  });

  test.skipIf(!posix)("pipes, devices and sockets never block", async () => {
    using b = bench();
    Bun.spawnSync(["mkfifo", b.at("pipe")]);
    symlinkSync("/dev/zero", b.at("zero"));
    const server = Bun.listen({ unix: b.at("sock"), socket: { data() {} } });
    expect(await failure(b.read({ file_path: "pipe" }))).toContain("a named pipe (FIFO)");
    expect(await failure(b.read({ file_path: "zero" }))).toContain("a character device");
    expect(await failure(b.read({ file_path: "sock" }))).toContain("a socket");
    server.stop(true);
    if (process.platform === "linux") {
      expect(await content(b.read({ file_path: "/proc/self/status" }))).toContain("\tName:");
    }
  });

  test("folders are listed, missing files explained", async () => {
    using b = bench();
    mkdirSync(b.at("src/deep"), { recursive: true });
    b.put("src/config.ts", "");
    b.put("src/deep/unique.ts", "");
    b.put("Screenshot 3.04\u202fPM.png", "");
    expect(await failure(b.read({ file_path: "src" }))).toEndWith("It holds:\nconfig.ts\ndeep/");
    const missing = await failure(b.read({ file_path: "src/confg.ts" }));
    expect(missing).toBe(
      `There is no file ${b.at("src/confg.ts")}. The working directory is ${b.dir}.\nDid you mean:\n- ${b.at("src/config.ts")}`,
    );
    symlinkSync("gone/config.ts", b.at("src/confi.ts"));
    expect(await failure(b.read({ file_path: "src/confi.ts" }))).toBe(
      `${b.at("src/confi.ts")} is a symbolic link to gone/config.ts, and there is no file there. ` +
        `The working directory is ${b.dir}.\nDid you mean:\n- ${b.at("src/config.ts")}`,
    );
    symlinkSync("gone", b.at("src/lonely"));
    expect(await failure(b.read({ file_path: "src/lonely" }))).toEndWith("Find it with Glob, or check the path.");
    expect(await failure(b.read({ file_path: "unique.ts" }))).toContain(b.at("src/deep/unique.ts"));
    expect(await failure(b.read({ file_path: "Screenshot 3.04 PM.png" }))).toContain("U+202F (narrow no-break space)");
    expect(await failure(b.read({ file_path: "nowhere/zzz.qqq" }))).toContain("does not exist either");
    expect(() => b.read({ file_path: "" })).toThrow("file_path");
    expect(() => b.read({ file_path: "a\0b" })).toThrow("NUL");
  });
});

/** An uncompressed picture of noise. */
function bmp(width: number, height: number): Buffer {
  const row = (width * 3 + 3) & ~3;
  const bytes = Buffer.alloc(54 + row * height);
  bytes.write("BM");
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  for (let i = 54, state = 1; i < bytes.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[i] = state >>> 16;
  }
  return bytes;
}

describe("pictures", () => {
  test("small ones are sent as they are, others made small enough", async () => {
    using b = bench();
    const png = Buffer.from(await new Bun.Image(bmp(40, 20)).png().bytes());
    const path = b.put("small.png", png);
    const small = await b.read({ file_path: "small.png" });
    expect(small).toEqual({
      content: [
        { type: "text", text: `small.png: PNG, 40 x 20, ${(png.length / 1000).toFixed(1)} kB; sent as it is.` },
        { type: "image", source: { type: "base64", media_type: "image/png", data: png.toString("base64") } },
      ],
      data: {
        type: "image",
        file: {
          filePath: path,
          type: "image/png",
          originalSize: png.length,
          dimensions: { originalWidth: 40, originalHeight: 20, displayWidth: 40, displayHeight: 20 },
        },
      },
    });
    b.put("large.bmp", bmp(2400, 1600));
    const { content } = await b.read({ file_path: "large.bmp" });
    if (typeof content === "string") throw new Error(content);
    const [text, image] = content;
    if (text?.type !== "text" || image?.type !== "image" || image.source.type !== "base64") throw new Error("no image");
    expect(image.source.data.length).toBeLessThanOrEqual(3_750_000);
    const made = await new Bun.Image(Buffer.from(image.source.data, "base64")).metadata();
    expect([made.width, made.height, `image/${made.format}`]).toEqual([1568, 1045, image.source.media_type]);
    expect(text.text).toStartWith("large.bmp: BMP, 2400 x 1600, 12 MB; sent as image/");
  });

  test("a damaged one is an error, an SVG is text", async () => {
    using b = bench();
    const png = await new Bun.Image(bmp(40, 20)).png().bytes();
    b.put("cut.png", png.slice(0, 300));
    expect(await failure(b.read({ file_path: "cut.png" }))).toContain("PNG data is damaged or cut short");
    b.put("x.heic", Buffer.from("\0\0\0\x18ftypheic\0\0\0\0mif1heic", "latin1"));
    expect(await failure(b.read({ file_path: "x.heic" }))).toContain("Cannot show");
    b.put("x.svg", "<svg/>\n");
    expect(await content(b.read({ file_path: "x.svg" }))).toBe("1\t<svg/>");
  });
});

test("notebooks are shown as cells with outputs", async () => {
  using b = bench();
  const book = {
    cells: [
      { cell_type: "markdown", id: "intro", source: ["# Title\n", "text"] },
      {
        cell_type: "code",
        execution_count: 2,
        source: "1 + 1",
        outputs: [
          { output_type: "stream", name: "stdout", text: ["hi\n"] },
          { output_type: "execute_result", data: { "text/plain": ["2"], "image/png": "AAAA" } },
          { output_type: "error", ename: "E", evalue: "v", traceback: ["\x1b[31mTrace\x1b[0m"] },
        ],
      },
    ],
  };
  b.put("n.ipynb", JSON.stringify(book));
  const second =
    "[cell 2: code, run 2]\n1 + 1\n[output: stdout]\nhi\n[output: result]\n2\n" +
    "[output: image/png, 4 characters, not shown]\n[output: error]\nTrace";
  expect(await content(b.read({ file_path: "n.ipynb" }))).toBe(
    `[cell 1: markdown, id intro]\n# Title\ntext\n\n${second}\n\n[Cells 1-2 of 2.]`,
  );
  expect(await content(b.read({ file_path: "n.ipynb", offset: 2 }))).toBe(`${second}\n\n[Cells 2-2 of 2.]`);
  b.put("broken.ipynb", "{\n");
  expect(await content(b.read({ file_path: "broken.ipynb" }))).toBe("1\t{");
});

test("the tracker knows what was seen, and what changed since", async () => {
  using b = bench();
  const path = b.put("f", "1\n2\n3\n4\n");
  const seen = () => b.tracker.get(path)?.lines;
  await b.read({ file_path: "f", limit: 2 });
  expect(seen()).toEqual([{ from: 1, to: 2 }]);
  await b.read({ file_path: "f", offset: 4 });
  expect(seen()).toEqual([
    { from: 1, to: 2 },
    { from: 4, to: 4 },
  ]);
  await b.read({ file_path: "f", offset: 3, limit: 1 });
  expect([seen(), await b.tracker.changed()]).toEqual(["all", []]);
  b.put("f", "1\n2\n3\n4\n");
  expect(await b.tracker.changed()).toEqual([]);
  b.put("f", "other\n");
  expect(await b.tracker.changed()).toEqual([path]);
  await b.tracker.noteRead(path);
  await b.tracker.noteRead(b.at("missing"));
  expect([seen(), await b.tracker.changed(), b.tracker.recent(9)]).toEqual(["all", [], [path]]);
});

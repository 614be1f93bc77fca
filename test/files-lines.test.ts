import { expect, test } from "bun:test";
import { encode, type TextForm } from "../src/files/encoding.ts";
import { readPage } from "../src/files/lines.ts";
import { seeded } from "./files-kit.ts";

const WANT = { offset: 1, limit: 2000, budget: 80_000, lineLength: 2000 };

test("pages do not depend on how the bytes are cut into chunks", async () => {
  const seed = 20260;
  const pick = seeded(seed);
  for (let round = 0; round < 150; round++) {
    const encoding = (["utf-8", "utf-16le", "utf-16be"] as const)[pick(3)] ?? "utf-8";
    const form: TextForm = { encoding, bom: 0, invalid: false };
    const parts = Array.from(
      { length: pick(12) },
      () => ["a", "漢字", "\n", "\r\n", "x\ny", "ਊ\u0a0a", "😀", "\n\n"][pick(8)],
    );
    // Begins with a line break, so that the separator does not depend on the first chunk.
    const text = `\n${parts.join("")}`;
    const bytes = encode(text, encoding) ?? Buffer.alloc(0);
    const size = encoding === "utf-8" ? 1 : 2;
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length;) {
      const step = (1 + pick(5)) * size;
      chunks.push(bytes.subarray(at, at + step));
      at += step;
    }
    const lines = text.split(/\r?\n/);
    if (lines.at(-1) === "") lines.pop();
    const offset = 1 + pick(lines.length);
    const limit = 1 + pick(4);
    const page = await readPage(chunks, form, { ...WANT, offset, limit });
    const end = offset - 1 + limit;
    expect({ seed, round, ...page, breaks: 0 }).toEqual({
      seed,
      round,
      lines: lines.slice(offset - 1, end),
      start: offset,
      cut: [],
      next: end < lines.length ? end + 1 : undefined,
      total: lines.length,
      breaks: 0,
      endsWithBreak: text.endsWith("\n"),
    } as never);
  }
});

test("the budget ends a page between lines, and always lets one line through", async () => {
  const utf8: TextForm = { encoding: "utf-8", bom: 0, invalid: false };
  const page = await readPage([Buffer.from("éééé\nbb\ncc\n")], utf8, { ...WANT, budget: 10 });
  expect([page.lines, page.next, page.total]).toEqual([["éééé"], 2, 3]);
});

test("a line without end is kept only in its beginning, cut between characters", async () => {
  const utf8: TextForm = { encoding: "utf-8", bom: 0, invalid: false };
  const chunk = Buffer.from("😀".repeat(5000));
  const page = await readPage([chunk, chunk, Buffer.from("\nnext\n")], utf8, { ...WANT, lineLength: 9 });
  expect(page.lines).toEqual(["😀😀😀😀 [... line cut here; it is 40000 bytes long]", "next"]);
  expect(page.cut).toEqual([1]);
});

import { expect, test } from "bun:test";
import { decode, encode, encodeDoc, type Doc, type Encoding } from "../src/files/encoding.ts";
import { findText, replaceText } from "../src/files/replace.ts";
import { seeded } from "./files-kit.ts";

const doc = (text: string, encoding: Encoding = "utf-8"): Doc => {
  const made = encodeDoc(text, { encoding, bom: 0, invalid: false });
  if (!made) throw new Error("not encodable");
  return made;
};
const swap = (text: string, old: string, fresh: string, encoding: Encoding = "utf-8") => {
  const file = doc(text, encoding);
  return decode(replaceText(file, findText(file, old), old, fresh), encoding);
};

test("line breaks are matched whatever they are and kept as they are", () => {
  const cases: [text: string, old: string, fresh: string, expected: string][] = [
    ["a\r\nb\r\nc\r\n", "a\nb", "a\nx\nb", "a\r\nx\r\nb\r\nc\r\n"],
    ["a\r\nb\nc\rd", "a\nb\nc\nd", "a\nB\nc\nd", "a\r\nB\nc\rd"],
    ["a\r\nb\nc\n", "b", "b\nb2", "a\r\nb\nb2\nc\n"],
    ["a\r\nb\r\nlast", "last", "last\nmore", "a\r\nb\r\nlast\r\nmore"],
    ["a\rb\rc", "b", "x\ny", "a\rx\ry\rc"],
    ["a\nb\n", "a\nb", "a\r\nb", "a\r\nb\n"],
    ["a\r\nb\r\n", "a\r\nb", "a\nb", "a\nb\r\n"],
    ["a\nb\n", "a\r\nb", "a\r\nc", "a\nc\n"],
    ["one\r\ntwo", "one\ntwo", "onetwo", "onetwo"],
    ["x\r\n\r\ny", "\n\n", "\n", "x\r\ny"],
  ];
  for (const [text, old, fresh, expected] of cases) {
    expect([text, swap(text, old, fresh)]).toEqual([text, expected]);
    expect([text, swap(text, old, fresh, "utf-16be")]).toEqual([text, expected]);
  }
});

test("two LFs are not one CRLF, and places that only overlap are reported", () => {
  expect(findText(doc("a\r\nb"), "a\n\nb").matches).toEqual([]);
  expect(findText(doc("aaa"), "aa")).toEqual({ matches: [{ start: 0, end: 2 }], overlapping: true, loose: false });
});

test("the same text in both line endings counts twice: Read shows no difference", () => {
  expect(findText(doc("a\nb\na\r\nb\r\n"), "a\nb").matches).toHaveLength(2);
});

test("in UTF-16 nothing is found across code units", () => {
  // U+0A0A U+0A0A holds the bytes of two LFs at an odd place.
  expect(findText(doc("\u410a\u0a41", "utf-16le"), "\n").matches).toEqual([]);
  expect(findText(doc("\u4142\u4344", "utf-16be"), "\u4243").matches).toEqual([]);
});

test("random edits in random encodings change nothing but the match", () => {
  const seed = 4711;
  const pick = seeded(seed);
  const encodings = ["utf-8", "utf-16le", "utf-16be", "windows-1252"] as const;
  const words = ["foo", "bär", "é", "{", "}", "  ", "\t", "x = 1;", "", "ÿþ", "‘q’"];
  const wide = [...words, "漢字", "😀", "e\u0301"];
  for (let round = 0; round < 400; round++) {
    const encoding = encodings[pick(4)] ?? "utf-8";
    const pool = encoding === "windows-1252" ? words : wide;
    const word = () => pool[pick(pool.length)] ?? "";
    const line = () => Array.from({ length: pick(4) }, word).join("");
    const ends = [["\n"], ["\r\n"], ["\r"], ["\n", "\r\n", "\r"]][pick(4)] ?? ["\n"];
    const end = () => ends[pick(ends.length)] ?? "\n";
    const body = (count: number) => Array.from({ length: count }, () => line() + end()).join("");
    const before = body(pick(5));
    // The marks make the place unique; breaks may be anywhere between them.
    const middle = `<<${Array.from({ length: pick(3) + 1 }, line).join(end())}>>`;
    const after = line() + (pick(2) ? end() : "") + body(pick(5));
    const fresh = Array.from({ length: pick(3) + 1 }, line).join("\n");
    const old = middle.replace(/\r\n?/g, "\n");
    const junk = encoding === "utf-8" && pick(2) ? Buffer.of(0xff, 0xc3, 0x28) : Buffer.alloc(0);
    const bytes = (text: string) => encode(text, encoding) ?? Buffer.alloc(0);
    const head = Buffer.concat([junk, bytes(before)]);
    const tail = Buffer.concat([bytes(after), junk]);
    const whole: Doc = {
      bytes: Buffer.concat([head, bytes(middle), tail]),
      form: { encoding, bom: 0, invalid: junk.length > 0 },
    };
    const found = findText(whole, old);
    const where = { start: head.length, end: head.length + bytes(middle).length };
    expect({ seed, round, matches: found.matches }).toEqual({ seed, round, matches: [where] });
    const result = replaceText(whole, found, old, fresh);
    const made = decode(result.subarray(head.length, result.length - tail.length), encoding);
    expect(result.subarray(0, head.length).equals(head)).toBe(true);
    expect(result.subarray(result.length - tail.length).equals(tail)).toBe(true);
    expect({ seed, round, made: made.replace(/\r\n?/g, "\n") }).toEqual({ seed, round, made: fresh });
    const kinds = new Set(ends);
    const strange = (made.match(/\r\n|\n|\r/g) ?? []).filter((kind) => !kinds.has(kind));
    const hasBreaks = /[\r\n]/.test(before + middle + after);
    expect({ seed, round, strange: hasBreaks ? strange : [] }).toEqual({ seed, round, strange: [] });
  }
});

import { expect, test } from "bun:test";
import { decodeDoc, detectForm, encode, encodeDoc, formName, unencodable } from "../src/files/encoding.ts";

const form = (encoding: string, bom = 0, invalid = false) => ({ encoding, bom, invalid });
const utf16 = (text: string) => Buffer.from(text, "utf16le");

test("encodings are told apart", () => {
  const cases: [string, Buffer, unknown][] = [
    ["empty", Buffer.alloc(0), form("utf-8")],
    ["ASCII", Buffer.from("abc\n"), form("utf-8")],
    ["UTF-8", Buffer.from("naïve 漢字 😀"), form("utf-8")],
    ["UTF-8 with mark", Buffer.from("\ufeffabc"), form("utf-8", 3)],
    ["UTF-16 LE with mark", utf16("\ufeffabc"), form("utf-16le", 2)],
    ["UTF-16 BE with mark", utf16("\ufeffabc").swap16(), form("utf-16be", 2)],
    ["UTF-16 LE without", utf16("hello world\r\n"), form("utf-16le")],
    ["UTF-16 BE without", utf16("hello world\r\n").swap16(), form("utf-16be")],
    ["Windows-1252", Buffer.from("caf\xe9 \x93quoted\x94 fa\xe7ade", "latin1"), form("windows-1252")],
    ["stray byte in UTF-8", Buffer.concat([Buffer.from("漢字 é\n"), Buffer.of(0xff)]), form("utf-8", 0, true)],
    ["UTF-32", Buffer.from("\xff\xfe\0\0a\0\0\0", "latin1"), undefined],
    ["NUL", Buffer.from("ab\0c"), undefined],
    ["control characters", Buffer.from([1, 2, 3, 4, 5, 65]), undefined],
    ["16-bit numbers", Buffer.from(Int16Array.from([1, 2, 3, 4, 5, 6, 7, 8]).buffer), undefined],
  ];
  for (const [name, bytes, expected] of cases) expect<unknown[]>([name, detectForm(bytes)]).toEqual([name, expected]);
});

test("a sample cut inside a character is still UTF-8; a whole file is not", () => {
  const bytes = Buffer.from("abc 漢").subarray(0, -1);
  expect(detectForm(bytes, { cut: true })).toEqual(form("utf-8") as never);
  expect(detectForm(bytes)).toEqual(form("windows-1252") as never);
});

test("every byte survives Windows-1252 there and back", () => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  const text = decodeDoc({ bytes: all, form: { encoding: "windows-1252", bom: 0, invalid: false } });
  expect(encode(text, "windows-1252")).toEqual(all);
  expect(unencodable("ok € → x", "windows-1252")).toBe("→");
});

test("encodeDoc writes the mark once", () => {
  const marked = { encoding: "utf-16be", bom: 2, invalid: false } as const;
  const expected = Buffer.from([0xfe, 0xff, 0, 65]);
  expect(encodeDoc("A", marked)?.bytes).toEqual(expected);
  expect(encodeDoc("\ufeffA", marked)?.bytes).toEqual(expected);
  expect(formName(marked)).toBe("UTF-16 BE with a byte order mark");
});

import { expect, test } from "bun:test";
import { explainMiss } from "../src/files/nearmiss.ts";

const why = (text: string, old: string, replacement = "") => explainMiss({ text, old, replacement });

test("the one thing that differs is named", () => {
  const cases: [name: string, text: string, old: string, expected: string][] = [
    [
      "tabs",
      "if x {\n\tfoo()\n}\n",
      "if x {\n    foo()\n}",
      "line 2: it is indented with 1 tab, old_string with 4 spaces",
    ],
    [
      "trailing blanks",
      "a = 1  \nb = 2\n",
      "a = 1\nb = 2",
      "line 1: it ends with 2 spaces after the text, old_string with no blanks",
    ],
    [
      "own trailing blanks",
      "a = 1\nb = 2\n",
      "a = 1 \nb = 2",
      "line 1: it ends with no blanks after the text, old_string with 1 space",
    ],
    [
      "curly quotes",
      "say “hi”\n",
      'say "hi"',
      "column 5 the file has U+201C (left double quotation mark, curly), old_string has U+0022 (quotation mark, straight)",
    ],
    [
      "no-break space",
      "a\u00a0b\n",
      "a b",
      "column 2 the file has 1 x U+00A0 (no-break space), old_string has 1 space",
    ],
    [
      "zero width",
      "foo\u200bbar()\n",
      "foobar()",
      "column 4 the file has 1 x U+200B (zero width space), old_string has no blanks",
    ],
    [
      "homoglyph",
      "const сount = 1\n",
      "const count = 1",
      "column 7 the file has U+0441 (с), old_string has U+0063 (c)",
    ],
    ["case", "getUserID()\n", "getUserId()", 'column 9 the case differs: the file has "D", old_string has "d"'],
    [
      "NFD",
      "cafe\u0301 au lait\n",
      "caf\u00e9 au lait",
      "the file has it decomposed (NFD), U+0065 (e) U+0301, old_string has U+00E9 (é)",
    ],
    ["inner blanks", "int  x = 1;\n", "int x = 1;", "column 5 the file has 2 spaces, old_string has 1 space"],
    ["dash", "1–2 items\n", "1-2 items", "U+2013 (en dash)"],
  ];
  for (const [name, text, old, expected] of cases) {
    const answer = why(text, old);
    expect([name, answer]).toEqual([name, expect.stringContaining(expected)]);
    expect([name, answer]).toEqual([name, expect.stringContaining("1\t")]);
  }
});

test("the text of the region comes as it is, numbered", () => {
  expect(why("one\ntwo\n\tthree\nfour\n", "two\n  three\n")).toBe(
    [
      "Line 2 looks the same, but:",
      "- line 3: it is indented with 1 tab, old_string with 2 spaces",
      "The file has there (copy from this, without the numbers):",
      "2\ttwo",
      "3\t\tthree",
    ].join("\n"),
  );
});

test("a line that is really different is pointed out in the closest place", () => {
  const text = "function add(a, b) {\n  return a + b;\n}\n\nfunction sub(a, b) {\n  return a - b;\n}\n";
  const answer = why(text, "function sub(a, b) {\n  return b - a;\n}");
  expect(answer).toContain(
    "begins at line 5. The first line that differs is line 2 of old_string (line 6 of the file)",
  );
  expect(answer).toContain("column 10 the file has U+0061 (a), old_string has U+0062 (b)");
  expect(why("let total = computeTotal(items);\n", "let total = computeTotals(item);")).toContain(
    "closest place begins at line 1",
  );
});

test("mistakes in passing the text are recognised", () => {
  expect(why("a\nb\n", " 9\ta\n10\tb")).toContain("line numbers");
  expect(why('x = "a"\ny\n', 'x = \\"a\\"\\ny')).toContain("escaped twice");
  expect(why("a\nconst done = true;\n", "const done = false;", "const done = true;")).toContain(
    "already there, at line 2",
  );
  expect(why("abc\n", "zzzzqqqq")).toContain("Nothing in the file is similar");
  expect(why("abc\n", "\n\n\n")).toContain("nothing but line breaks");
});

test("a large file takes no longer than allowed", () => {
  const lines = Array.from({ length: 200_000 }, (_, i) => `  value_${i} = compute(${i} * 7);`);
  lines[150_000] = "  special = “thing”;";
  const text = lines.join("\n");
  const start = performance.now();
  const answer = why(text, '  value_149999 = compute(149999 * 7);\n  special = "thing";');
  expect(answer).toContain("line 150001: at column 13 the file has U+201C");
  expect(why(text, "there is no such text here at all")).toContain("The file is large");
  expect(why("aaaa ".repeat(190_000), "aaab aaab aaab")).toBeString();
  expect(performance.now() - start).toBeLessThan(2500);
});

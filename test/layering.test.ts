// The rules of ARCHITECTURE.md, enforced over src/; and the checker itself, on snippets that break each rule.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { importsOf, violations } from "./layering-rules.ts";
import { scan } from "./layering-scan.ts";

const root = join(import.meta.dir, "..");
const sourceFiles = () =>
  [...new Bun.Glob("src/**/*").scanSync({ cwd: root })].map((path) => path.replaceAll("\\", "/")).toSorted();
const load = () => new Map(sourceFiles().map((path) => [path, readFileSync(join(root, path), "utf8")]));

test("src/ follows the rules", () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const found = violations(load(), Object.keys(dependencies));
  if (found.length > 0) throw new Error(`${found.length} violations:\n${found.join("\n")}`);
});

test("no import escapes the checker: Bun's own parser sees no other", () => {
  const transpiler = new Bun.Transpiler({ loader: "ts" });
  for (const [path, text] of load()) {
    if (!path.endsWith(".ts")) continue;
    const ours = new Set(importsOf({ ...scan(text), text }).map(({ specifier }) => specifier));
    const missed = transpiler.scanImports(text).filter((found) => !ours.has(found.path));
    expect([path, missed]).toEqual([path, []]);
  }
});

const TOP = "// A file with a job.\n";
/** The violations of files given without their first line. */
const check = (files: Record<string, string>) =>
  violations(new Map(Object.entries(files).map(([path, text]) => [path, path.endsWith(".ts") ? TOP + text : text])), [
    "zod",
    "@scope/name",
  ]);
const one = (text: string, path = "src/tools/a.ts") =>
  check({ [path]: text, "src/tools/b.ts": "", "src/core/c.ts": "" });

describe("the checker finds", () => {
  test("every form of a forbidden import, types too, and prints the line", () => {
    const forms = [
      'import { x } from "../ui/a.ts";',
      'import type { X } from "../ui/a.ts";',
      'import { type X, y } from "../ui/a.ts";',
      'import x, * as y from "../ui/a.ts";',
      'import "../ui/a.ts";',
      'const a = await import("../ui/a.ts");',
      'type X = import("../ui/a.ts").X;',
      'import text from "../ui/a.ts" with { type: "text" };',
    ];
    for (const form of forms) {
      expect(check({ "src/model/m.ts": form, "src/ui/a.ts": "" })).toEqual([
        `src/model/m.ts:2: model may not import ui; it may import core, utils\n    ${form}`,
      ]);
    }
    const several = check({
      "src/ui/a.ts": "",
      "src/model/m.ts": 'import {\n  a,\n  // why\n  b,\n} from "../ui/a.ts";',
    });
    expect(several).toEqual(["src/model/m.ts:2: model may not import ui; it may import core, utils\n    import {"]);
  });

  test("a single file that is allowed, and its neighbour that is not", () => {
    const files = { "src/tools/tool.ts": "", "src/tools/bash.ts": "" };
    expect(check({ ...files, "src/mcp/a.ts": 'import "../tools/tool.ts";' })).toEqual([]);
    expect(check({ ...files, "src/mcp/a.ts": 'import "../tools/bash.ts";' })).toHaveLength(1);
  });

  test("what core, utils, strangers and missing files must not do", () => {
    expect(check({ "src/core/a.ts": 'import "../utils/b.ts";', "src/utils/b.ts": "" })).toHaveLength(1);
    expect(check({ "src/utils/a.ts": 'import "../core/b.ts";', "src/core/b.ts": "" })).toHaveLength(1);
    expect(check({ "src/core/a.ts": 'import { z } from "zod";' })).toHaveLength(1);
    expect(check({ "src/other.ts": 'import "./core/b.ts";', "src/core/b.ts": "" })).toEqual([
      'src/other.ts:2: src/other.ts has no place in the table of rooms\n    import "./core/b.ts";',
    ]);
    expect(one('import "./b";')).toHaveLength(1);
    expect(
      one('import { z } from "zod/mini";\nimport "@scope/name/x";\nimport "node:fs";\nimport "bun:sqlite";'),
    ).toEqual([]);
    expect(one('import "zud";\nimport fs from "fs";\nimport { exit } from "node:process";')).toHaveLength(3);
  });

  test("circles, each once, with their files", () => {
    const files = { "src/tools/a.ts": 'import "./b.ts";', "src/tools/b.ts": 'import type { C } from "./c.ts";' };
    expect(
      check({ ...files, "src/tools/c.ts": 'await import("./a.ts");', "src/tools/d.ts": 'import "./a.ts";' }),
    ).toEqual([
      "src/tools/a.ts:1: imports in a circle: src/tools/a.ts -> src/tools/b.ts -> src/tools/c.ts -> src/tools/a.ts",
    ]);
    expect(check({ ...files, "src/tools/c.ts": 'export const a = "./a.ts";' })).toEqual([]);
  });

  test("what no file may hold", () => {
    const bad = [
      "let x = 1;",
      "export var x = 1;",
      "function f() {\n  process.exit(1);\n}",
      'console.log("x");',
      'process.stdout.write("x");',
      "for await (const x of process.stdin) f(x);",
      "export default 1;",
      "export { x as default };",
      "export const enum A {}",
      "declare namespace A {}",
      'export * from "./b.ts";',
      'export type { B } from "./b.ts";',
      "try {\n  f();\n} catch {}",
      "try {\n  f();\n} catch (error) {\n\n}",
      "const x = 1;\nf().catch(() => {});",
      "const s = String.raw`5 €`;",
    ];
    for (const text of bad) expect([text, one(text).length]).toEqual([text, 1]);
    const good = [
      "const x = 1;\nfunction f() {\n  let y = x;\n}",
      'const x = "console.log(1)"; // process.exit(1)',
      "const x = /console\\.log`/;\nconst y = `process.exit ${x} export default`;",
      "const x = 4 / 2; // ' console.log('\nconst y = 4 / x;",
      "const enumerate = (namespace: string) => namespace;",
      "process.exitCode = 1;",
      "try {\n  f();\n} catch {\n  // It may be gone already.\n}",
      "// The other end reports it.\nf().catch(() => {});",
      "const s = String.raw`5 \\n`;",
    ];
    for (const text of good) expect([text, one(text)]).toEqual([text, []]);
    expect(one("process.exit(1);", "src/app.ts")).toEqual([]);
    expect(one('console.log("x");', "src/ui/a.ts")).toEqual([]);
  });

  test("a missing first line, long files and index.ts", () => {
    expect(violations(new Map([["src/core/a.ts", "const a = 1;\n"]]), [])).toHaveLength(1);
    expect(one("\n".repeat(399))).toEqual([]);
    expect(one("\n".repeat(400))).toEqual(["src/tools/a.ts:401: 401 lines; 400 at most"]);
    expect(check({ "src/tools/index.ts": "" })).toHaveLength(1);
  });

  test("long functions of every form, and no other long block", () => {
    const body = (lines: number, indent = "") =>
      `${indent}  x = \`}\n}\`;\n`.repeat(1) + `${indent}  f();\n`.repeat(lines - 4);
    const open = [
      "function f() {",
      "export async function* f<T extends { a: string }>(a: T): Promise<{ b: number }> {",
      "const f = async (a: number): Promise<void> => {",
      "const f = function () {",
      "export function f(\n  a: string,\n  { b }: { b: number },\n): string {",
    ];
    for (const head of open) {
      const lines = head.split("\n").length - 1;
      expect([head, one(`${head}\n${body(80 - lines)}}\n`)]).toEqual([head, []]);
      expect([head, one(`${head}\n${body(81 - lines)}}\n`).length]).toEqual([head, 1]);
    }
    const methods = [
      "run(a: string): void {",
      "async *[Symbol.asyncIterator]() {",
      "#go<T>(a: T) {",
      "static of(\n    a: string,\n  ) {",
    ];
    for (const head of methods) {
      const text = `class A {\n  ${head}\n${body(81 - head.split("\n").length + 1, "  ")}  }\n}\n`;
      expect([head, one(text).length]).toEqual([head, 1]);
    }
    const blocks = [
      "const table = {",
      "class A {",
      "type A = {",
      "if (a) {",
      "for (const a of [\n  1,\n]) {",
      "if (\n  f(a)\n) {",
    ];
    for (const head of blocks) expect([head, one(`${head}\n${body(100)}}\n`)]).toEqual([head, []]);
  });
});

test("the scanner tells code, strings, templates, regular expressions and comments apart", () => {
  const table: [string, string][] = [
    ['a("//x") // y', "a(     )     "],
    ["a = b / c / d", "a = b / c / d"],
    ['a = /[/]`"/g.test(b)', "a =         .test(b)"],
    ["return /x'/", "return     "],
    ["a = (b) / 2; c = '/'", "a = (b) / 2; c =    "],
    ["`a${`b${c}`}d` + e", "` ${` ${c}`} ` + e"],
    ["`${{ a: '}' }}x`", "`${{ a:     }} `"],
    ["x /* ` */ y", "x         y"],
    ["'it\\'s' + y", "        + y"],
  ];
  for (const [source, code] of table) expect([source, scan(source).code]).toEqual([source, code]);
});

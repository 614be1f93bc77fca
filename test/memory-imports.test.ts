// What a memory file's text means: comments, imports outside of code; and rules with their headers and patterns.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { scanMemory } from "../src/context/memory-imports.ts";
import { readRule, ruleMatcher } from "../src/context/memory-rules.ts";
import { memoryBox, type Box } from "./memory-kit.ts";

let box: Box;
beforeEach(() => {
  box = memoryBox();
});
afterEach(() => box.remove());

const imports = (text: string) => scanMemory(text).imports;

describe("imports are found", () => {
  const table: [text: string, found: string[]][] = [
    ["@a.md", ["a.md"]],
    ['See @a.md, @./b/c.md. (@~/d.md) **@/e.md** "@f.md"!', ["a.md", "./b/c.md", "~/d.md", "/e.md", "f.md"]],
    ["- @a.md\n> @b.md\n# @c.md", ["a.md", "b.md", "c.md"]],
    ["@with\\ blank.md and @a.md @a.md", ["with blank.md", "a.md"]],
    ["me@example.com \\@no.md x@y.md @", []],
    ["`@a.md` ``x ` @b.md`` @c.md", ["c.md"]],
    ["`open @a.md\n\n@b.md `@c.md`", ["a.md", "b.md"]],
    ["- one ` here\n- @a.md\n- another ` there", ["a.md"]],
    ["a span `goes on\n@a.md over lines` @b.md", ["b.md"]],
    ["\\` @a.md `", ["a.md"]],
    ["```\n@a.md\n```\n@b.md", ["b.md"]],
    ["~~~~ md\n@a.md\n~~~\n```\n@b.md\n~~~~\n@c.md", ["c.md"]],
    ["- ```sh\n  @a.md\n  ```\n> ```\n> @b.md\n> ```\n@c.md", ["c.md"]],
    ["```not a fence` @a.md", ["a.md"]],
    ["```\n@a.md", []],
    ["<!-- @a.md -->\n@b.md", ["b.md"]],
    ["ünï @döcs/ü.md", ["döcs/ü.md"]],
  ];
  for (const [text, found] of table) test(JSON.stringify(text), () => expect(imports(text)).toEqual(found));
});

test("block comments go; comments in a line, in code and without an end stay", () => {
  const table: [text: string, left: string][] = [
    ["a\n<!-- x -->\nb", "a\nb"],
    ["a\n  <!-- x\n\ny --> tail\nb", "a\ntail\nb"],
    ["<!-- a --> <!-- b --> c", "c"],
    ["a <!-- x --> b", "a <!-- x --> b"],
    ["```\n<!-- x -->\n```", "```\n<!-- x -->\n```"],
    ["a\n<!-- open\nb\n<!-- too", "a\n<!-- open\nb\n<!-- too"],
    ["    <!-- x -->", "    <!-- x -->"],
  ];
  for (const [text, left] of table) expect([text, scanMemory(text).text]).toEqual([text, left]);
});

test("hostile texts cost milliseconds", () => {
  const n = 256 * 1024;
  const texts = [
    "`",
    "` ``",
    "@",
    "@a ",
    "<!--\n",
    "<!-- -->",
    " ",
    "> ",
    "\n",
    "```\n",
    "@a.md\n",
    "@" + ".".repeat(30),
    "\\ ",
    "- ",
    "*",
  ];
  for (const part of texts) {
    const text = part.repeat(Math.ceil(n / part.length));
    const began = performance.now();
    scanMemory(text);
    expect([part, performance.now() - began < 400]).toEqual([part, true]);
  }
});

test("imports lead beside the importing file, to absolute paths and home; four deep; circles and gaps are named", () => {
  box.tree({
    "home/.claude/CLAUDE.md": "@~/notes.md @sub/a.md",
    "home/notes.md": `@${box.at("etc/x.md")}`,
    "etc/x.md": "x",
    "home/.claude/sub/a.md": "@b.md",
    "home/.claude/sub/b.md": "@../CLAUDE.md @b.md",
    "outer/project/CLAUDE.md": "@1.md @types/node @someone @gone.md @./gone @docs @docs/",
    "outer/project/docs/x.md": "",
    "outer/project/1.md": "@2.md",
    "outer/project/2.md": "@3.md",
    "outer/project/3.md": "@4.md",
    "outer/project/4.md": "@5.md",
    "outer/project/5.md": "too deep",
  });
  const memory = box.load();
  expect(box.names(memory.files)).toEqual([
    "user home/.claude/CLAUDE.md",
    "import home/notes.md",
    "import etc/x.md",
    "import home/.claude/sub/a.md",
    "import home/.claude/sub/b.md",
    "project outer/project/CLAUDE.md",
    ...[1, 2, 3, 4].map((n) => `import outer/project/${n}.md`),
  ]);
  expect(box.plain(memory.files.map(({ from }) => from ?? "")).slice(1, 4)).toEqual([
    "home/.claude/CLAUDE.md",
    "home/notes.md",
    "home/.claude/CLAUDE.md",
  ]);
  expect(box.plain(memory.problems)).toEqual([
    "home/.claude/sub/b.md: it imports itself in a circle: home/.claude/CLAUDE.md -> home/.claude/sub/a.md -> home/.claude/sub/b.md -> home/.claude/CLAUDE.md",
    "home/.claude/sub/b.md: it imports itself in a circle: home/.claude/sub/b.md -> home/.claude/sub/b.md",
    "outer/project/5.md: imported by outer/project/4.md: more than 4 imports deep",
    "outer/project/gone.md: imported by outer/project/CLAUDE.md: there is no such file",
    "outer/project/gone: imported by outer/project/CLAUDE.md: there is no such file",
  ]);
});

describe("rules", () => {
  test("headers are read as people write them; a bad one costs the condition, not the text", () => {
    const table: [text: string, globs: string[] | undefined, problem?: string][] = [
      ["text", undefined],
      ["---\npaths:\n  - src/**\n  - 'a/*.ts'\n---\ntext", ["src/**", "a/*.ts"]],
      ["---\npaths: src/**/*.{ts,tsx}, lib/**\n---\ntext", ["src/**/*.{ts,tsx}", "lib/**"]],
      ["---\npaths: **/*.ts\n---\ntext", ["**/*.ts"]],
      ["---\npaths: {src,lib}/**/*.ts, *.md\n---\ntext", ["{src,lib}/**/*.ts", "*.md"]],
      ["---\npaths:\n  - **/*.ts\n  - {a,b}/*\n---\ntext", ["**/*.ts", "{a,b}/*"]],
      ["---\npaths: [**/*.ts, 'b']\n---\ntext", ["**/*.ts", "b"]],
      ["---\ndescription: x\n---\ntext", undefined],
      ["---\npaths:\n---\ntext", undefined],
      ["---\npaths: []\n---\ntext", undefined],
      ["---\n---\ntext", undefined],
      ["---\npaths: 'open\n---\ntext", undefined, "its header is not valid YAML; it counts for every file"],
      [`---\na: ${"[".repeat(9000)}\n---\ntext`, undefined, "its header is not valid YAML; it counts for every file"],
      ["---\npaths: {a: 1}\n---\ntext", undefined, "`paths` is no list of patterns; it counts for every file"],
      ["---\npaths: [1]\n---\ntext", undefined, "`paths` is no list of patterns; it counts for every file"],
      [
        `---\npaths: ['${"{a,b}".repeat(20)}', b]\n---\ntext`,
        ["b"],
        "1 of its 2 `paths` are left out: too many or too long",
      ],
      [`---\npaths: ['${"x".repeat(501)}']\n---\ntext`, [], "1 of its 1 `paths` are left out: too many or too long"],
    ];
    for (const [source, globs, problem] of table) {
      expect([source, readRule(source)]).toEqual([source, { text: "text", globs, ...(problem ? { problem } : {}) }]);
    }
    const ruler = "---\nno header: only a ruler";
    expect(readRule(ruler)).toEqual({ text: ruler, globs: undefined });
  });

  test("patterns count from the folder that holds the rules", () => {
    const at = { bases: ["/p"], home: "/home/me" };
    const table: [glob: string, matching: string[], other: string[]][] = [
      ["*.ts", ["/p/a.ts"], ["/p/b/a.ts", "/q/a.ts", "/a.ts"]],
      ["**/*.{ts,tsx}", ["/p/a.ts", "/p/b/c/.d/a.tsx"], ["/p/a.js", "/q/a.ts"]],
      ["./src/", ["/p/src/a", "/p/src/b/c"], ["/p/srcs/a", "/p/b/src/a"]],
      ["/src/*", ["/p/src/a", "/src/a"], ["/p/b/src/a"]],
      ["~/x/*.md", ["/home/me/x/a.md"], ["/p/x/a.md"]],
      ["/abs/**", ["/abs/a/b"], ["/p/b/abs/a"]],
      ["!a", [], ["/p/a", "/p/b"]],
      ["..", [], ["/q", "/p/a"]],
    ];
    for (const [glob, matching, other] of table) {
      const matches = ruleMatcher([glob], at);
      expect([glob, matching.filter(matches), other.filter(matches)]).toEqual([glob, matching, []]);
    }
    const but = ruleMatcher(["src/**", "!**/*.test.ts"], at);
    expect([but("/p/src/a.ts"), but("/p/src/a.test.ts")]).toEqual([true, false]);
  });

  test("one waits until a file matches, comes once, with what it imports; the person's count from the project", () => {
    const rule = (glob: string) => `---\npaths: ${glob}\n---\nabout ${glob} @more.md`;
    box.tree({
      "home/.claude/rules/ts.md": rule("src/*.ts"),
      "home/.claude/rules/more.md": "---\npaths: never\n---\nmore",
      "outer/project/.claude/rules/py.md": rule("'**/*.py'"),
      "outer/project/pkg/.claude/rules/sub.md": rule("'*.go'"),
    });
    const memory = box.load({ cwd: box.at("outer/project/pkg") });
    const touch = (path: string) => box.names(memory.memoryFor([box.at("outer/project", path)]));
    expect(memory.files).toEqual([]);
    expect(box.plain(memory.waiting.map(({ path, globs }) => `${path} ${globs}`))).toEqual([
      "home/.claude/rules/more.md never",
      "home/.claude/rules/ts.md src/*.ts",
      "outer/project/.claude/rules/py.md **/*.py",
      "outer/project/pkg/.claude/rules/sub.md *.go",
    ]);
    expect(touch("README.md")).toEqual([]);
    expect(touch("src/a.ts")).toEqual(["rule home/.claude/rules/ts.md", "import home/.claude/rules/more.md"]);
    expect(touch("src/b.ts")).toEqual([]);
    expect(touch("pkg/src/c.py")).toEqual(["rule outer/project/.claude/rules/py.md"]);
    expect(touch("a.go")).toEqual([]);
    expect(touch("pkg/a.go")).toEqual(["rule outer/project/pkg/.claude/rules/sub.md"]);
    expect(memory.late.map(({ text }) => text)[0]).toBe("about src/*.ts @more.md");
    memory.forget();
    expect(touch("pkg/a.go")).toEqual(["rule outer/project/pkg/.claude/rules/sub.md"]);
  });
});

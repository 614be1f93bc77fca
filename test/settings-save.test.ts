// "Always": a rule is added to the local settings, and every other byte of them stays.
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { addToList } from "../src/config/jsonc-edit.ts";
import { parseJsonc, plain } from "../src/config/jsonc.ts";
import { localSettings, saveRules } from "../src/config/save.ts";
import { worlds } from "./settings-kit.ts";
import { chance } from "./support.ts";

const world = worlds();

const PATH = ["permissions", "allow"];
const add = (text: string, ...rules: string[]) => addToList(text, PATH, rules);

describe("a rule is added", () => {
  const cases: [name: string, before: string, after: string][] = [
    ["to nothing", "", '{\n  "permissions": {\n    "allow": [\n      "R"\n    ]\n  }\n}\n'],
    ["after comments only", "// mine", '// mine\n{\n  "permissions": {\n    "allow": [\n      "R"\n    ]\n  }\n}\n'],
    ["to {}", "{}", '{\n  "permissions": {\n    "allow": [\n      "R"\n    ]\n  }\n}'],
    [
      "beside other keys",
      '{\n    "model": "m" // why\n}\n',
      '{\n    "model": "m", // why\n    "permissions": {\n      "allow": [\n        "R"\n      ]\n    }\n}\n',
    ],
    [
      "beside deny",
      '{\n\t"permissions": {\n\t\t"deny": ["A"]\n\t}\n}\n',
      '{\n\t"permissions": {\n\t\t"deny": ["A"],\n\t\t"allow": [\n\t\t\t"R"\n\t\t]\n\t}\n}\n',
    ],
    ["to a list in one line", '{"permissions": {"allow": ["A"]}}', '{"permissions": {"allow": ["A", "R"]}}'],
    ["to an empty list", '{"permissions": {"allow": []}}', '{"permissions": {"allow": ["R"]}}'],
    [
      "to a list of lines",
      '{\n  "permissions": {\n    "allow": [\n      "A",\n      "B" // last\n    ]\n  }\n}\n',
      '{\n  "permissions": {\n    "allow": [\n      "A",\n      "B", // last\n      "R"\n    ]\n  }\n}\n',
    ],
    [
      "after a trailing comma, with CRLF and a BOM",
      '\uFEFF{\r\n  "permissions": {"allow": [\r\n    "A", /* a, b */\r\n  ],},\r\n}\r\n',
      '\uFEFF{\r\n  "permissions": {"allow": [\r\n    "A", /* a, b */\r\n    "R"\r\n  ],},\r\n}\r\n',
    ],
    [
      "where only a comment has a comma",
      '{"permissions": {"allow": ["A" /* , */]}}',
      '{"permissions": {"allow": ["A", /* , */ "R"]}}',
    ],
    [
      "where brackets do not stand alone",
      '{"permissions": {"allow": ["A",\n "B"]}}',
      '{"permissions": {"allow": ["A",\n "B",\n "R"]}}',
    ],
  ];
  test.each(cases)("%s", (_, before, after) => {
    expect(add(before, "R")).toBe(after);
    // Once.
    expect(add(after, "R")).toBe(after);
  });

  test("with quotes, backslashes and line breaks in it", () => {
    const rule = 'Bash(echo "a\\b" \n é)';
    expect(JSON.parse(add("{}", rule))).toEqual({ permissions: { allow: [rule] } });
  });

  test.each([
    ['{\n"permissions": []}', "permissions is not an object"],
    ['{"permissions": {"allow": "A"}}', "permissions.allow is not a list"],
    ["[]", "the file is not an object"],
    ["{", 'expected a key in double quotes or "}"'],
  ])("not to %j", (text, message) => {
    expect(() => add(text, "R")).toThrow(message);
  });

  test("any layout keeps its meaning and its comments (property)", () => {
    const seed = Number(process.env.SEED ?? Date.now());
    const { below, pick } = chance(seed);
    const gap = () => pick(["", " ", "\n", "\n  ", "\t", " /* c, [ { */ ", " // d, ] }\n", "\r\n"]);
    const list = (items: string[]) => {
      const comma = items.length > 0 && below(3) === 0 ? `,${gap()}` : "";
      return `[${gap()}${items.map((item) => `${gap()}${item}${gap()}`).join(",")}${comma}]`;
    };
    const object = (fields: string[]) => {
      const comma = fields.length > 0 && below(3) === 0 ? `,${gap()}` : "";
      return `{${gap()}${fields.map((field) => `${gap()}${field}${gap()}`).join(",")}${comma}}`;
    };
    const rules = () => list(Array.from({ length: below(4) }, () => JSON.stringify(pick(["A", "B,", "C]", "D//x"]))));
    for (let i = 0; i < 2_000; i++) {
      const allow = below(3) > 0 ? [`"allow"${gap()}:${gap()}${rules()}`] : [];
      const inner = [`"deny":${rules()}`, ...allow, ...(below(2) ? ['"defaultMode": "plan"'] : [])].slice(below(2));
      const outer = [
        '"model": "m"',
        ...(below(4) > 0 ? [`"permissions":${gap()}${object(inner)}`] : []),
        '"x": {"y": 1}',
      ];
      const text = gap() + object(outer.slice(below(3))) + gap();
      const before = parseJsonc(text);
      if (!before) continue;
      const after = add(text, "R", "S");
      const context = JSON.stringify({ seed, text, after });
      // Nothing is taken away (but the blanks of an empty object): what was there is there still, in order.
      let at = 0;
      for (const char of text.replace(/\{[ \t]*\}/g, "{}")) {
        at = after.indexOf(char, at) + 1;
        if (at === 0) throw new Error(`lost ${JSON.stringify(char)}: ${context}`);
      }
      const was = plain(before) as { permissions?: { allow?: string[] } };
      const is = plain(parseJsonc(after) ?? before) as { permissions: { allow: string[] } };
      const wanted = {
        ...was,
        permissions: { ...was.permissions, allow: [...(was.permissions?.allow ?? []), "R", "S"] },
      };
      if (JSON.stringify(is) !== JSON.stringify(wanted)) throw new Error(context);
      if ((after.match(/\/\/|\/\*/g) ?? []).length !== (text.match(/\/\/|\/\*/g) ?? []).length)
        throw new Error(context);
    }
  });
});

describe("the file", () => {
  const fresh = '{\n  "permissions": {\n    "allow": [\n      "R"\n    ]\n  }\n}\n';

  test("is made at the repository's root, in .nanocode only when that is there", () => {
    const w = world({});
    const cwd = join(w.cwd, "a/b");
    mkdirSync(cwd, { recursive: true });
    const file = join(w.cwd, ".claude/settings.local.json");
    expect(saveRules(["R"], { cwd })).toEqual({ file, folder: w.cwd });
    expect(readFileSync(file, "utf8")).toBe(fresh);
    expect(w.load({ cwd, trusts: () => true }).settings.permissions.allow).toEqual([
      { text: "R", source: `${file}:4`, scope: "local", base: w.cwd },
    ]);
    mkdirSync(join(w.cwd, ".nanocode"));
    expect(localSettings(cwd)).toEqual({ folder: w.cwd, file: join(w.cwd, ".nanocode/settings.local.json") });
    expect(saveRules(["R"], { cwd })).toMatchObject({ file: join(w.cwd, ".nanocode/settings.local.json") });
  });

  test("is made in the folder itself outside of a repository", () => {
    const w = world({ "plain/x/y": "" });
    const cwd = join(w.base, "plain/x");
    expect(saveRules(["R"], { cwd })).toMatchObject({ file: join(cwd, ".claude/settings.local.json") });
  });

  test("keeps its mode, gets nothing twice and leaves nothing beside it", () => {
    const w = world({ "repo/.claude/settings.local.json": "{}" });
    const file = join(w.cwd, ".claude/settings.local.json");
    chmodSync(file, 0o640);
    saveRules(["R", "S", "R"], { cwd: w.cwd });
    const text = readFileSync(file, "utf8");
    const { ino } = statSync(file);
    saveRules(["S"], { cwd: w.cwd });
    expect([readFileSync(file, "utf8"), statSync(file).ino, statSync(file).mode & 0o777]).toEqual([text, ino, 0o640]);
    expect(JSON.parse(text)).toEqual({ permissions: { allow: ["R", "S"] } });
    expect(readdirSync(join(w.cwd, ".claude"))).toEqual(["settings.local.json"]);
  });

  test("that cannot be understood is left alone, and the problem is named", () => {
    const texts: [string | Buffer, string][] = [
      ['{\n "permissions": {"allow": ["A"}', ':2: expected "," or "]"'],
      ['{"permissions":\n {"allow": {}}}', ":2: permissions.allow is not a list"],
      [Buffer.from([0x7b, 0xff, 0x7d]), ": it is not UTF-8 text"],
    ];
    for (const [text, part] of texts) {
      const w = world({ "repo/.claude/x": "" });
      const file = join(w.cwd, ".claude/settings.local.json");
      writeFileSync(file, text);
      const saved = saveRules(["R"], { cwd: w.cwd });
      expect("problem" in saved && saved.problem).toStartWith(file + part);
      expect("problem" in saved && saved.problem).toEndWith("Nothing was saved in it.");
      expect(readFileSync(file)).toEqual(Buffer.from(text));
    }
  });

  test("is never written through a link that leads out of the project", () => {
    const links: [from: string, to: string][] = [
      [".claude", "elsewhere"],
      [".claude/settings.local.json", "elsewhere/file.json"],
      [".claude/settings.local.json", "elsewhere/new.json"],
    ];
    for (const [from, to] of links) {
      const w = world({ "elsewhere/file.json": "{}", "repo/x": "" });
      if (from !== ".claude") mkdirSync(join(w.cwd, ".claude"));
      symlinkSync(join(w.base, to), join(w.cwd, from));
      const saved = saveRules(["R"], { cwd: w.cwd });
      expect("problem" in saved && saved.problem).toContain("leads out of the project, to ");
      expect(readFileSync(join(w.base, "elsewhere/file.json"), "utf8")).toBe("{}");
      expect(readdirSync(join(w.base, "elsewhere"))).toEqual(["file.json"]);
    }
  });

  test("may be a link inside the project: what it leads to changes, the link stays", () => {
    const w = world({ "repo/shared.json": "{}", "repo/.claude/x": "" });
    const file = join(w.cwd, ".claude/settings.local.json");
    symlinkSync("../shared.json", file);
    expect(saveRules(["R"], { cwd: w.cwd })).toMatchObject({ file });
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect(JSON.parse(readFileSync(join(w.cwd, "shared.json"), "utf8"))).toEqual({ permissions: { allow: ["R"] } });
  });

  test("in a folder that cannot be made is a problem, not a crash", () => {
    const w = world({ "repo/.claude": "a file" });
    const saved = saveRules(["R"], { cwd: w.cwd });
    expect("problem" in saved && saved.problem).toContain("settings.local.json: ");
    rmSync(w.cwd, { recursive: true });
    expect(saveRules(["R"], { cwd: w.cwd })).toHaveProperty("problem");
    expect(existsSync(w.cwd)).toBe(false);
  });
});

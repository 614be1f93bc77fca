// What the person is shown and asked about a project, `nanocode trust`, and rules kept with "always".
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keepRules } from "../src/commands/keep.ts";
import { askTrust, ignoredLine, trustCommand, type TrustFolder, type TrustItem } from "../src/commands/trust.ts";
import { readProject } from "../src/config/project.ts";
import { UsageError } from "../src/core/errors.ts";
import { Trust } from "../src/permissions/trust.ts";
import { realPath } from "../src/utils/paths.ts";
import { worlds } from "./settings-kit.ts";

const world = worlds();

function item(text: string, more: Partial<TrustItem> = {}): TrustItem {
  return { file: ".claude/settings.json", kind: "hooks.Stop", text, exact: text, ...more };
}

function untrusted(items: TrustItem[], state: TrustFolder["state"] = "new", fresh = items): TrustFolder {
  return { folder: "/p", items, state, fresh: new Set(fresh) };
}

/** Asks with these lines typed; returns the answer, what was shown, and how many lines were read. */
async function asks(folders: TrustFolder[], typed: string[]) {
  const shown: string[] = [];
  const lines = [...typed];
  const next = async () => lines.shift();
  const answer = await askTrust(folders, { say: (text) => void shown.push(text), next });
  return { answer, shown, read: typed.length - lines.length };
}

describe("the question", () => {
  test("lists what would run by folder and file, and what is new", async () => {
    const old = item("runs: a");
    const more = item("runs: b", { file: ".mcp.json", kind: "MCP server s" });
    const { answer, shown } = await asks([untrusted([old, more], "changed", [more])], ["y"]);
    expect(answer).toBe("always");
    expect(shown[0]).toBe(
      [
        "This project has settings that act: they run programs, or let them run unasked.",
        "/p (trusted before, but not what is marked with +)",
        "  .claude/settings.json",
        "    hooks.Stop: runs: a",
        "  .mcp.json",
        "  + MCP server s: runs: b",
      ].join("\n"),
    );
    expect(shown).toHaveLength(2);
  });

  test.each([
    [["y"], "always", 1],
    [[" YES "], "always", 1],
    [["o"], "once", 1],
    [["once"], "once", 1],
    [["n"], "no", 1],
    [[""], "no", 1],
    [["what?", "yep", "o"], "once", 3],
    [[], "no", 0],
    [["huh"], "no", 1],
  ])("%j is %s", async (typed, answer, read) => {
    expect(await asks([untrusted([item("x")])], typed)).toMatchObject({ answer, read });
  });

  test("is put after all of a long list was shown; no can be said on every page", async () => {
    const items = Array.from({ length: 50 }, (_, i) => item(`runs: number ${i} ${"x".repeat(100)}`));
    // "y" on an earlier page only shows the next one.
    const whole = await asks([untrusted(items)], ["", "y", "", "", "", "o"]);
    expect([whole.answer, whole.read]).toEqual(["once", 6]);
    const text = whole.shown.join("\n");
    for (const { text: one } of items) expect(text).toContain(one);
    expect(text).toContain("-- page 1 of 6: Enter shows more, n = no --");
    expect(await asks([untrusted(items)], ["", "n"])).toMatchObject({ answer: "no", read: 2 });
    expect(await asks([untrusted(items)], [""])).toMatchObject({ answer: "no" });
  });

  test("shows every character, and nothing in it can pass for a line of ours or be pushed out of sight", async () => {
    const blanks = " ".repeat(200);
    const forged = "\n".repeat(100);
    const evil = item(`runs: ok${blanks}; rm x${forged}/q (trusted)\n  deeper`, {
      kind: "MCP server \n/q (trusted)",
      file: "a\n/q (trusted)",
    });
    const { shown } = await asks([untrusted([evil])], ["n"]);
    expect(shown[0]?.split("\n").slice(1)).toEqual([
      "/p (not trusted)",
      "  a\\n/q (trusted)",
      "  + MCP server \\n/q (trusted): runs: ok[200 blanks]; rm x",
      "      | [99 empty lines]",
      "      | /q (trusted)",
      "      |   deeper",
    ]);
    const long = item("x".repeat(100_000));
    const whole = await asks([untrusted([long])], ["", "n"]);
    expect(whole.shown.some((page) => page.includes(long.text))).toBe(true);
  });
});

describe("nanocode trust", () => {
  const calls = (verdicts: TrustFolder[], args: string[], gone: string[] = []) => {
    const done: string[] = [];
    const text = trustCommand(args, {
      verdicts,
      folders: ["/p/sub", "/p"],
      remember: () => void done.push("remember"),
      forget: () => (done.push("forget"), gone),
    });
    return { text, done };
  };

  test("shows, remembers and forgets", () => {
    const verdicts = [untrusted([item("runs: a")])];
    expect(calls(verdicts, [])).toEqual({
      text: "What acts in this project:\n/p (not trusted)\n  .claude/settings.json\n  + hooks.Stop: runs: a\nTrust it with: nanocode trust yes",
      done: [],
    });
    expect(calls(verdicts, ["yes"])).toEqual({
      text: "Trusted from now on:\n/p\n  .claude/settings.json\n    hooks.Stop: runs: a",
      done: ["remember"],
    });
    expect(calls([untrusted([item("a")], "trusted", [])], ["status"]).text).toEndWith("nanocode trust no");
    expect(calls(verdicts, ["no"], ["/p"])).toEqual({ text: "No longer trusted: /p", done: ["forget"] });
    expect(calls([], ["no"]).text).toBe("It was not trusted.");
    expect(calls([], ["yes"])).toEqual({ text: "Nothing in /p/sub acts: there is nothing to trust.", done: [] });
  });

  test("says what cannot be remembered", () => {
    const odd = item("too large to check", { file: "big.md", exact: undefined });
    expect(calls([untrusted([odd])], ["yes"]).text).toEndWith("What cannot be checked is not remembered: big.md");
  });

  test.each([[["maybe"]], [["yes", "now"]]])("%j is a mistake", (args) => {
    expect(() => calls([], args)).toThrow(UsageError);
  });
});

describe("the line of print mode", () => {
  test("names each kind of thing once, with its file, and the way out", () => {
    const items = [
      item("a"),
      item("b"),
      item("c", { kind: "env" }),
      item("d", { file: ".mcp.json", kind: "MCP server s" }),
    ];
    expect(ignoredLine(untrusted(items))).toBe(
      '/p is not trusted, so none of this acts: hooks.Stop, env in .claude/settings.json; MCP server s in .mcp.json. See "nanocode trust"; "nanocode trust yes" or --trust lets it act.',
    );
    expect(ignoredLine(untrusted(items, "changed", [item("b")]))).toStartWith("/p has 1 new or changed settings since");
  });

  test("is one line, and short, whatever the names are", () => {
    const items = Array.from({ length: 500 }, (_, i) =>
      item("x", { kind: `a\n${i}${"y".repeat(500)}`, file: `f\n${i % 40}` }),
    );
    const line = ignoredLine(untrusted(items));
    expect([line.includes("\n"), line.length < 8_000, line.includes("and 32 more files")]).toEqual([false, true, true]);
  });
});

describe("a rule kept with always", () => {
  const rule = "Bash(npm test)";
  const start = (w: ReturnType<typeof world>, cwd = w.cwd) => {
    const project = readProject({ places: w.places, cwd });
    const trust = new Trust({ path: join(w.places.nanocode, "trust.json"), items: project.items });
    const add: Trust["add"] = (folder, items) => trust.add(folder, items);
    const keep = (rules: string[]) => keepRules(rules, { cwd, isPersonal: project.isPersonal, add });
    const allowed = () => {
      const { settings } = w.load({ cwd, trusts: (folder) => trust.trusts(realPath(folder)) });
      return settings.permissions.allow.map(({ text }) => text);
    };
    return { trust, keep, allowed };
  };

  test("is in force next time where nothing acted, and again after the next one", () => {
    const w = world({});
    const file = join(w.cwd, ".claude/settings.local.json");
    expect(start(w).keep([rule])).toEqual({ file });
    expect([start(w).trust.open, start(w).allowed()]).toEqual([[], [rule]]);
    expect(start(w).keep(["Edit"])).toEqual({ file });
    expect(start(w).allowed()).toEqual([rule, "Edit"]);
    // Someone else's line in the same file asks again.
    writeFileSync(file, readFileSync(file, "utf8").replace('"Edit"', '"Edit", "Bash"'));
    expect([start(w).trust.open.length, start(w).allowed()]).toEqual([1, []]);
  });

  test("is in force next time in a trusted project", () => {
    const w = world({ "repo/.claude/settings.json": { model: "m" } });
    start(w).trust.remember();
    expect(start(w).keep([rule])).not.toHaveProperty("note");
    expect([start(w).trust.open, start(w).allowed()]).toEqual([[], [rule]]);
  });

  test("makes an untrusted project's own rules no more trusted, this time or later", () => {
    const w = world({ "repo/.claude/settings.json": { permissions: { allow: ["Bash"] } } });
    const session = start(w);
    const kept = session.keep([rule]);
    expect(kept.file).toBe(join(w.cwd, ".claude/settings.local.json"));
    expect(kept.note).toBe(`${w.cwd} is not trusted: in later sessions the rule counts once it is (nanocode trust).`);
    expect([session.allowed(), start(w).allowed(), start(w).trust.open.length]).toEqual([[], [], 1]);
    session.trust.once();
    expect(session.keep(["Edit"])).toHaveProperty("note");
    expect(start(w).allowed()).toEqual([]);
    start(w).trust.remember();
    expect(start(w).allowed()).toEqual(["Bash", rule, "Edit"]);
  });

  test("from a folder below goes to the root, and counts there", () => {
    const w = world({ "repo/sub/.claude/settings.json": { model: "m" } });
    const cwd = join(w.cwd, "sub");
    expect(start(w, cwd).keep([rule])).toEqual({ file: join(w.cwd, ".claude/settings.local.json") });
    expect([start(w).allowed(), start(w, cwd).allowed()]).toEqual([[rule], [rule]]);
    expect(start(w, cwd).trust.open.map(({ folder }) => folder)).toEqual([cwd]);
  });

  test("in the home folder needs no trust", () => {
    const w = world({});
    const kept = start(w, w.home).keep([rule]);
    expect(kept).toEqual({ file: join(w.home, ".claude/settings.local.json") });
    expect(start(w, w.home).allowed()).toEqual([rule]);
    expect(existsSync(join(w.places.nanocode, "trust.json"))).toBe(false);
  });

  test("that cannot be saved counts for the session only, and says why", () => {
    const w = world({ "repo/.claude/settings.local.json": "{" });
    // The file as it was when the session began.
    const keep = keepRules([rule], { cwd: w.cwd, isPersonal: () => false, add: () => true });
    expect(keep.file).toBeUndefined();
    expect(keep.note).toContain("settings.local.json:1: expected");
    expect(keep.note).toEndWith("The rule counts for this session only.");
    const v = world({});
    const add = () => {
      throw new Error("no space");
    };
    expect(keepRules([rule], { cwd: v.cwd, isPersonal: () => false, add }).note).toContain("no space");
  });
});

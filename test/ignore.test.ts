import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { judge, parseIgnore } from "../src/files/ignore.ts";
import { walk, type WalkOptions } from "../src/files/walk.ts";
import { seeded } from "./files-kit.ts";
import { noHome, tree, type Tree } from "./search-kit.ts";

const posix = process.platform !== "win32";

async function listed(root: string, more: Partial<WalkOptions> = {}): Promise<string[]> {
  const signal = new AbortController().signal;
  const { files } = await walk({ root, ignored: "prune", signal, home: noHome, ...more });
  return files.map(({ path }) => path).sort();
}

/** How a rule file judges a path; a path that ends in "/" is a folder. */
function verdict(rules: string, path: string) {
  const isFolder = path.endsWith("/");
  const bare = isFolder ? path.slice(0, -1) : path;
  return judge(parseIgnore(rules), bare, bare.split("/").at(-1) ?? "", isFolder);
}

describe("one rule", () => {
  const ignored: [rules: string, path: string][] = [
    ["*.log", "a/b.log"],
    ["/a", "a"],
    ["a/b", "a/b"],
    ["**/b", "x/y/b"],
    ["a/**", "a/x/y"],
    ["a/**/b", "a/b"],
    ["a/**/b", "a/x/y/b"],
    ["build/", "x/build/"],
    ["\\#x", "#x"],
    ["\\!x", "!x"],
    ["x\\ ", "x "],
    ["x  ", "x"],
    ["x\r", "x"],
    ["\uFEFFx", "x"],
    ["\\*", "*"],
    ["{a,b}", "{a,b}"],
    ["[[:digit:]]x", "7x"],
    ["[]a]", "]"],
    ["[!a]", "b"],
    ["[a-c]?", "bz"],
    ["a**b", "axxb"],
    ["файл*", "файл.txt"],
    ["?", "é"],
    ["!x\nx", "x"],
  ];
  test.each(ignored)("%j ignores %j", (rules, path) => expect(verdict(rules, path)).toBe("ignored"));

  const untouched: [rules: string, path: string][] = [
    ["/a", "b/a"],
    ["a/b", "x/a/b"],
    ["a/**", "a/"],
    ["build/", "build"],
    ["*.log", "log"],
    ["a*b", "a/b"],
    ["{a,b}", "a"],
    ["# x", "x"],
    ["\\", "\\"],
    ["[a", "[a"],
    ["[a", "a"],
    ["x/a[!b]c", "x/a/c"],
    ["", "x"],
    ["/", "x"],
    ["a/*", "a/b/c"],
  ];
  test.each(untouched)("%j says nothing about %j", (rules, path) => expect(verdict(rules, path)).toBe(undefined));

  test("the last one that matches decides", () => {
    expect(verdict("*.log\n!keep.log", "keep.log")).toBe("included");
    expect(verdict("!keep.log\n*.log", "keep.log")).toBe("ignored");
  });
});

describe("a tree", () => {
  test("nested rules, parents, and what cannot come back from an ignored folder", async () => {
    using t = tree({
      ".git/info/exclude": "secret\n",
      ".gitignore": "*.log\n/top\nout/\n!out/keep\n",
      "a.log": "",
      top: "",
      secret: "",
      "out/keep": "",
      "in/.gitignore": "!b.log\ntop\n",
      "in/b.log": "",
      "in/c.log": "",
      "in/top": "",
      "in/deep/top": "",
      "in/deep/x": "",
      "other/top": "",
      "other/secret": "",
    });
    expect(await listed(t.dir)).toEqual([".gitignore", "in/.gitignore", "in/b.log", "in/deep/x", "other/top"]);
    // The same rules apply when the walk starts further down.
    expect(await listed(join(t.dir, "in"))).toEqual([".gitignore", "b.log", "deep/x"]);
    expect(await listed(join(t.dir, "in/deep"))).toEqual(["x"]);
    // A folder that is ignored, named outright, is walked.
    expect(await listed(join(t.dir, "out"))).toEqual(["keep"]);
  });

  test(".rgignore outranks .ignore, which outranks .gitignore, at whatever depth", async () => {
    using t = tree({
      ".git/HEAD": "",
      ".gitignore": "*.g\n*.i\n*.r\n",
      ".ignore": "!*.i\n!*.r\n",
      ".rgignore": "*.r\n",
      "x/.gitignore": "a.i\n",
      "x/a.g": "",
      "x/a.i": "",
      "x/a.r": "",
    });
    expect(await listed(t.dir)).toEqual([".gitignore", ".ignore", ".rgignore", "x/.gitignore", "x/a.i"]);
  });

  test("a repository inside another has its own rules; a worktree shares the exclude file", async () => {
    using t = tree({
      ".git/HEAD": "",
      ".gitignore": "*.o\n",
      "a.o": "",
      "sub/.git/HEAD": "",
      "sub/a.o": "",
      "sub/b": "",
      "main/.git/info/exclude": "hush\n",
      "main/.git/worktrees/w/commondir": "../..\n",
      "tree/.git": "gitdir: ../main/.git/worktrees/w\n",
      "tree/hush": "",
      "tree/loud": "",
    });
    expect(await listed(t.dir)).toEqual([".gitignore", "sub/a.o", "sub/b", "tree/loud"]);
  });

  test("the person's own rules come last, from where their git configuration says", async () => {
    using home = tree({
      ".gitconfig": "[user]\n excludesfile = no\n[core]\n\texcludesFile = ~/mine\n",
      mine: "*.bak\n/top\n",
    });
    using xdg = tree({ "git/ignore": "*.tmp\n" });
    using t = tree({
      ".git/HEAD": "",
      ".gitignore": "!keep.bak\n",
      "a.bak": "",
      "keep.bak": "",
      "a.tmp": "",
      top: "",
      "x/top": "",
    });
    const kept = (names: string[]) => [".gitignore", ...names].sort();
    const mine = { home: home.dir, xdgConfig: xdg.dir };
    expect(await listed(t.dir, { home: mine })).toEqual(kept(["a.tmp", "keep.bak", "x/top"]));
    expect(await listed(join(t.dir, "x"), { home: mine })).toEqual(["top"]);
    const other = { home: undefined, xdgConfig: xdg.dir };
    expect(await listed(t.dir, { home: other })).toEqual(kept(["a.bak", "keep.bak", "top", "x/top"]));
  });

  test.if(posix)(
    "links to folders are not followed, pipes are left out, folders without permission are counted",
    async () => {
      using t = tree({
        "a/x": "",
        "b/.gitignore": { link: "/dev/zero" },
        "b/y": "",
        loop: { link: "." },
        out: { link: "/" },
        "shut/z": "",
      });
      Bun.spawnSync(["mkfifo", join(t.dir, "pipe"), join(t.dir, "a/.gitignore")]);
      chmodSync(join(t.dir, "shut"), 0);
      const signal = new AbortController().signal;
      const { files, unreadable, truncated } = await walk({ root: t.dir, ignored: "prune", signal, home: noHome });
      chmodSync(join(t.dir, "shut"), 0o700);
      // root may read everything.
      const asRoot = process.getuid?.() === 0;
      expect({
        files: files.map(({ path, isLink }) => `${path}${isLink ? "@" : ""}`).sort(),
        unreadable,
        truncated,
      }).toEqual({
        files: ["a/x", "b/.gitignore@", "b/y", "loop@", "out@", ...(asRoot ? ["shut/z"] : [])],
        unreadable: asRoot ? [] : ["shut"],
        truncated: false,
      });
    },
  );

  test.if(process.platform === "linux")("names that are not UTF-8 do no harm", async () => {
    using t = tree({ ok: "" });
    writeFileSync(Buffer.concat([Buffer.from(`${t.dir}/b`), Buffer.from([0xff, 0xfe])]), "");
    mkdirSync(Buffer.concat([Buffer.from(`${t.dir}/d`), Buffer.from([0xff])]));
    expect(await listed(t.dir, { accept: (path) => !path.includes("\uFFFD") })).toEqual(["ok"]);
  });

  test("stops when told to, at the depth asked for and at its limit", async () => {
    using t = tree({ "a/b/c": "", "a/x": "", y: "", z: "" });
    expect(await listed(t.dir, { depth: 2 })).toEqual(["a/x", "y", "z"]);
    expect((await listed(t.dir, { maxFiles: 2 })).length).toBe(2);
    const reason = new Error("enough");
    expect(listed(t.dir, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(listed(join(t.dir, "nope"))).rejects.toThrow("ENOENT");
  });
});

describe.if(Bun.which("git") !== null)("against git", () => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

  test(`random rules over a random tree (SEED=${seed})`, async () => {
    const below = seeded(seed);
    const pick = (list: readonly string[]) => list[below(list.length)] ?? "";
    // Left out, for git differs from its own manual there: `?` matches a byte, and `a**/` more than `a*/`.
    const names = ["a", "b", "ab", "a.c", ".b", "a b", "{a}", "[a]"];
    const part = () =>
      pick([...names, "*", "**", "?", "a*", "*b", "[ab]", "[!a]*", "\\a", "\\[a]", "*.c", "[^.]b", "\\{a}"]);
    const rule = () => pick(["", "", "", "!"]) + pick(["", "", "/"]) + parts(part) + pick(["", "", "/"]);
    const parts = (make: () => string) => Array.from({ length: 1 + below(3) }, make).join("/");
    for (let round = 0; round < 12; round++) {
      const files: Tree = {};
      const folders = new Set([""]);
      for (let i = 0; i < 40; i++) {
        const path = parts(() => pick(names));
        const ends = path.split("/").map((_, index, all) => all.slice(0, index + 1).join("/"));
        if (ends.some((end) => end in files) || folders.has(path)) continue;
        for (const end of ends.slice(0, -1)) folders.add(end);
        files[path] = "";
      }
      for (const folder of folders) {
        if (folder !== "" && below(4) > 0) continue;
        files[join(folder, ".gitignore")] = Array.from({ length: 1 + below(4) }, rule).join("\n");
      }
      using t = tree(files);
      const git = (...args: string[]) =>
        Bun.spawnSync(["git", "-c", "core.excludesFile=/dev/null", ...args], { cwd: t.dir }).stdout.toString();
      git("init", "-q");
      const expected = git("ls-files", "-z", "--others", "--exclude-standard").split("\0").filter(Boolean).sort();
      const rules = Object.entries(files).filter(([path]) => path.endsWith(".gitignore"));
      expect({ rules, files: await listed(t.dir) }).toEqual({ rules, files: expected });
    }
  });
});

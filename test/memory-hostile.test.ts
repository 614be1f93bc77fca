// A memory tree that is broken or wants out: what can be loaded is, the rest is named, and nothing hangs.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { memoryBox, type Box } from "./memory-kit.ts";

let box: Box;
beforeEach(() => {
  box = memoryBox();
});
afterEach(() => box.remove());

const root = process.getuid?.() === 0;
const NOBODY = 65534;

/** As somebody who may not read everything. */
function asNobody<T>(work: () => T): T {
  if (!root) return work();
  process.seteuid?.(NOBODY);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
  }
}

test("broken files of every kind are named, the others loaded", () => {
  box.tree({
    "outer/project/NANOCODE.md": "@binary.md @fifo.md @loop.md @big.md @good.md @docs/ @null.md @zero",
    "outer/project/binary.md": "a\0b",
    "outer/project/good.md": `go\rod${" ".repeat(9000)}\0x`,
    "outer/project/CLAUDE.md/x": "a folder",
    "outer/project/.claude/rules": "a file",
    "outer/project/.nanocode/rules/ok.md": "rule",
    "outer/project/.nanocode/rules/folder.md/x": "",
    "outer/project/docs/x": "",
  });
  box.put("outer/project/big.md", "012345\n".repeat(768 * 1024));
  box.put("outer/project/CLAUDE.local.md", Buffer.from("\ufeffutf-16 \u00e9\r\nwith lines\r\n", "utf16le"));
  Bun.spawnSync(["mkfifo", box.at("outer/project/fifo.md"), box.at("outer/project/.nanocode/rules/fifo.md")]);
  box.link("loop.md", "outer/project/loop.md");
  box.link("/dev/zero", "outer/project/zero");
  box.link("..", "outer/project/.nanocode/rules/circle");
  const began = performance.now();
  const memory = box.load();
  expect(performance.now() - began).toBeLessThan(500);
  expect(box.names(memory.files)).toEqual([
    "project outer/project/NANOCODE.md",
    "import outer/project/big.md",
    "import outer/project/good.md",
    "local outer/project/CLAUDE.local.md",
    "rule outer/project/.nanocode/rules/ok.md",
  ]);
  const [, big, good, local] = memory.files;
  expect(good?.text).toBe(`go\nod${" ".repeat(9000)}x`);
  expect(big).toMatchObject({ bytes: 7 * 768 * 1024, cut: true, text: "012345\n".repeat((256 * 1024) / 7).trim() });
  expect(local?.text).toBe("utf-16 é\nwith lines");
  const by = "imported by outer/project/NANOCODE.md: ";
  expect(box.plain(memory.problems).toSorted()).toEqual([
    "outer/project/.claude/rules: it is not a folder",
    "outer/project/.nanocode/rules/fifo.md: it is not a regular file",
    "outer/project/.nanocode/rules/folder.md: it is a folder",
    "outer/project/CLAUDE.md: it is a folder",
    "outer/project/big.md: only its beginning is loaded: it has 5505024 bytes",
    "outer/project/binary.md: it is a binary file",
    `outer/project/fifo.md: ${by}it is not a regular file`,
    `outer/project/loop.md: ${by}its links lead in a circle`,
    `outer/project/null.md: ${by}there is no such file`,
    `outer/project/zero: ${by}it is not a regular file`,
  ]);
});

test("what may not be read is named once, and the rest is loaded", () => {
  box.tree({
    "outer/project/CLAUDE.md": "secret",
    "outer/project/NANOCODE.md": "good",
    "outer/project/.claude/rules/a.md": "rule",
    "outer/project/.nanocode/rules/closed/a.md": "rule",
    "outer/project/.nanocode/rules/open.md": "rule",
    "outer/project/closed/CLAUDE.md": "closed",
    "outer/project/closed/x.ts": "",
  });
  chmodSync(box.top, 0o755);
  const closed = ["CLAUDE.md", ".claude", ".nanocode/rules/closed", "closed"].map((path) =>
    box.at("outer/project", path),
  );
  for (const path of closed) chmodSync(path, 0);
  const memory = asNobody(() => {
    const found = box.load();
    found.memoryFor([box.at("outer/project/closed/x.ts")]);
    return found;
  });
  for (const path of closed) chmodSync(path, 0o755);
  expect(box.names(memory.files)).toEqual([
    "project outer/project/NANOCODE.md",
    "rule outer/project/.nanocode/rules/open.md",
  ]);
  expect(memory.late).toEqual([]);
  const why = "it may not be read (permission denied)";
  expect(box.plain(memory.problems).toSorted()).toEqual([
    `outer/project/.claude: ${why}`,
    `outer/project/.nanocode/rules/closed: ${why}`,
    `outer/project/CLAUDE.md: ${why}`,
    `outer/project/closed: ${why}`,
  ]);
});

test("a project's links and imports stay inside; the person's own, added folders and personal memory may be reached", () => {
  box.tree({
    "home/.claude/CLAUDE.md": "@/etc/hostname.md @~/keys/id",
    "home/.claude/mine.md": "mine",
    "home/.claude/.credentials.json": "{}",
    "home/.claude/projects/p/memory.md": "another project's",
    "home/keys/id": "own file, own import",
    "home/keys/key": "key",
    "outer/NANOCODE.md": "@beside.md @../secret.md",
    "outer/beside.md": "beside",
    "secret.md": "secret",
    "shared/ok.md": "ok",
    "shared/rules/r.md": "linked rules",
    "outer/project/CLAUDE.md":
      "@../beside.md @~/.claude/mine.md @~/.claude/.credentials.json @~/.claude/projects/p/memory.md @~/keys/key @linked.md @../../shared/ok.md @env",
    "outer/project/env": "TOKEN=1",
  });
  box.link(box.at("secret.md"), "outer/project/linked.md");
  box.link(box.at("secret.md"), "outer/project/AGENTS.md");
  box.link(box.at("secret.md"), "outer/project/CLAUDE.local.md");
  box.link(box.at("shared/rules"), "outer/project/.claude/rules");
  const names = (memory: ReturnType<Box["load"]>) => box.names(memory.files);
  const memory = box.load({ hidden: (path) => path.endsWith("/env") });
  expect(names(memory)).toEqual([
    "user home/.claude/CLAUDE.md",
    "import home/keys/id",
    "project outer/NANOCODE.md",
    "import outer/beside.md",
    "project outer/project/CLAUDE.md",
    "import home/.claude/mine.md",
  ]);
  const outside = (real: string) => `it leads outside the project, to ${real}; --add-dir ${join(real, "..")} allows it`;
  const by = "imported by outer/project/CLAUDE.md: ";
  expect(box.plain(memory.problems)).toEqual([
    "/etc/hostname.md: imported by home/.claude/CLAUDE.md: there is no such file",
    `secret.md: imported by outer/NANOCODE.md: ${box.plain([outside(box.at("secret.md"))])[0]}`,
    `outer/beside.md: ${by}${outside("outer/beside.md")}`,
    `home/.claude/.credentials.json: ${by}${outside("home/.claude/.credentials.json")}`,
    `home/.claude/projects/p/memory.md: ${by}${outside("home/.claude/projects/p/memory.md")}`,
    `home/keys/key: ${by}${outside("home/keys/key")}`,
    `outer/project/linked.md: ${by}${box.plain([outside(box.at("secret.md"))])[0]}`,
    `shared/ok.md: ${by}${outside("shared/ok.md")}`,
    `outer/project/env: ${by}a deny rule forbids to read it`,
    `outer/project/CLAUDE.local.md: ${box.plain([outside(box.at("secret.md"))])[0]}`,
    `outer/project/.claude/rules: ${box.plain([outside(box.at("shared/rules"))])[0]}`,
  ]);
  const added = box.load({ added: () => [box.at("shared")] });
  expect(names(added)).toContain("import shared/ok.md");
  expect(names(added)).toContain("rule outer/project/.claude/rules/r.md");
});

test("instructions somebody else left above the project, in a folder open to all, do not count", () => {
  box.tree({ "outer/CLAUDE.md": "planted", "outer/project/CLAUDE.md": "root" });
  chmodSync(box.at("outer"), 0o777);
  if (!root) return expect(box.names(box.load().files)).toHaveLength(2);
  expect(box.names(box.load().files)).toHaveLength(2);
  chownSync(box.at("outer/CLAUDE.md"), NOBODY, NOBODY);
  const memory = box.load();
  expect(box.names(memory.files)).toEqual(["project outer/project/CLAUDE.md"]);
  expect(box.plain(memory.problems)).toEqual([
    "outer/CLAUDE.md: it belongs to someone else and lies in a folder anyone may write to",
  ]);
  chmodSync(box.at("outer"), 0o755);
  expect(box.names(box.load().files)).toHaveLength(2);
});

test("a tree without bounds ends at ours: bytes, files, depth, imports", () => {
  const names = Array.from({ length: 700 }, (_, i) => `f${i}.md`);
  box.put("outer/project/CLAUDE.md", names.map((name) => `@${name}`).join("\n"));
  for (const name of names) box.put(`outer/project/${name}`, "x");
  for (let i = 0; i < 600; i++) box.put(`outer/project/.claude/rules/r${i}.md`, "x");
  let deep = box.at("outer/project/.nanocode/rules");
  for (let i = 0; i < 12; i++) {
    mkdirSync(deep, { recursive: true });
    writeFileSync(join(deep, "r.md"), "x");
    deep = join(deep, "d");
  }
  const memory = box.load();
  expect(memory.files).toHaveLength(500);
  const problems = box.plain(memory.problems);
  expect(problems).toContain("outer/project/CLAUDE.md: only the first 200 of its imports are looked at");
  expect(problems).toContain(`outer/project/.nanocode/rules${"/d".repeat(9)}: it lies too deep`);
  expect(problems).toContain(
    "outer/project/.claude/rules: its rules folder holds more than 500 files; the rest is left out",
  );
  expect(problems.filter((text) => text.endsWith(": more than 500 memory files"))).not.toEqual([]);

  const large = memoryBox();
  try {
    for (let i = 0; i < 6; i++) large.put(`outer/project/.claude/rules/${i}.md`, "0123456789abcde\n".repeat(32 * 1024));
    const full = large.load();
    expect(full.files.map(({ text, cut }) => [text.length > 262_000, cut])).toEqual(Array(4).fill([true, true]));
    expect(large.plain(full.problems).slice(4)).toEqual(
      [4, 5].map((i) => `outer/project/.claude/rules/${i}.md: there is more memory than is taken at once`),
    );
  } finally {
    large.remove();
  }
});

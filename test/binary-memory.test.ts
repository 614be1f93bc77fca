// Memory files in the real binary: what the first request carries, that its bytes stay, and what comes with a Read.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { run, sandbox, YES, type Sandbox } from "./binary.ts";
import { call, reply, say, startFakeModel, type FakeModel, type RecordedRequest } from "./fake-model.ts";

const boxes: Sandbox[] = [];
afterAll(() => boxes.forEach((box) => box.remove()));

function project(model: FakeModel | undefined, files: Record<string, string>): Sandbox {
  const box = sandbox(model);
  boxes.push(box);
  mkdirSync(join(box.cwd, ".git"));
  for (const [path, text] of Object.entries(files)) {
    const target = join(box.cwd, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
  return box;
}

/** The system blocks; the program always sends them as a list. */
function systemOf(request: RecordedRequest | undefined) {
  const system = request?.body.system;
  return Array.isArray(system) ? system : [];
}
const newest = (request: RecordedRequest | undefined) => JSON.stringify(request?.body.messages.at(-1)?.content ?? "");

test("the session's block carries user, project, import and local files, after the static text, unchanged over turns", async () => {
  const model = await startFakeModel([
    call("Read", { file_path: "a.ts" }),
    call("Write", { file_path: "CLAUDE.md", content: "changed while it runs" }),
    say("done"),
  ]);
  const box = project(model, {
    "CLAUDE.md": "ROOT-TEXT <!-- kept --> @docs/style.md\n<!-- COMMENT -->\n`@docs/code.md`",
    "docs/style.md": "IMPORTED-TEXT",
    "docs/code.md": "CODE-TEXT",
    "CLAUDE.local.md": "LOCAL-TEXT",
    ".claude/rules/always.md": "ALWAYS-TEXT",
    ".claude/rules/go.md": "---\npaths: '**/*.go'\n---\nGO-TEXT",
    "a.ts": "1\n",
  });
  mkdirSync(join(box.home, ".claude"));
  writeFileSync(join(box.home, ".claude", "CLAUDE.md"), "USER-TEXT");
  const ran = await run(box, ["-p", "go", ...YES, "--append-system-prompt", "APPENDED"]);
  expect(ran).toMatchObject({ code: 0, stderr: "" });
  expect(model.violations).toEqual([]);

  const blocks = systemOf(model.requests[0]);
  expect(blocks).toHaveLength(2);
  expect(blocks.every(({ cache_control }) => cache_control !== undefined)).toBe(true);
  const [first, session] = blocks.map(({ text }) => String(text));
  expect(first).not.toContain("-TEXT");
  const order = ["# Environment", "USER-TEXT", "ROOT-TEXT", "IMPORTED-TEXT", "LOCAL-TEXT", "ALWAYS-TEXT", "APPENDED"];
  const places = order.map((text) => session?.indexOf(text) ?? -1);
  expect([places, places.includes(-1)]).toEqual([places.toSorted((a, b) => a - b), false]);
  expect(session).toContain(`<memory path="${box.home}/.claude/CLAUDE.md" kind="user">\nUSER-TEXT\n</memory>`);
  expect(session).toContain(`kind="import" from="${box.cwd}/CLAUDE.md">\nIMPORTED-TEXT\n</memory>`);
  for (const absent of ["COMMENT", "CODE-TEXT", "GO-TEXT", "changed while"]) expect(session).not.toContain(absent);
  const systems = model.requests.map((request) => JSON.stringify(request.body.system));
  expect([systems.length, new Set(systems).size]).toEqual([3, 1]);
  await model.stop();
});

test("a subfolder's file and a matching rule come with the first touch there, once; a search that shows lines counts", async () => {
  const model = await startFakeModel([
    reply([call("Read", { file_path: "pkg/deep/a.go" }), call("Read", { file_path: "pkg/b.txt" })]),
    call("Read", { file_path: "pkg/deep/c.go" }),
    call("Grep", { pattern: "needle" }),
    call("Grep", { pattern: "needle", output_mode: "content" }),
    call("Write", { file_path: "third/new.txt", content: "x" }),
    say("done"),
  ]);
  const box = project(model, {
    "pkg/CLAUDE.md": "PKG-TEXT",
    "pkg/deep/AGENTS.md": "DEEP-TEXT",
    ".claude/rules/go.md": "---\npaths: '**/*.go'\n---\nGO-TEXT",
    "pkg/deep/a.go": "a",
    "pkg/deep/c.go": "c",
    "pkg/b.txt": "b",
    "other/CLAUDE.md": "OTHER-TEXT",
    "other/x.txt": "needle",
    "third/CLAUDE.md": "THIRD-TEXT",
  });
  expect(await run(box, ["-p", "go", ...YES])).toMatchObject({ code: 0, stdout: "done\n", stderr: "" });
  expect(model.violations).toEqual([]);
  const seen = model.requests.map(newest);
  const count = (at: number, text: string) => (seen[at]?.split(text).length ?? 0) - 1;
  expect(JSON.stringify(systemOf(model.requests[5]))).not.toContain("-TEXT");
  expect(["PKG-TEXT", "DEEP-TEXT", "GO-TEXT"].map((text) => count(1, text))).toEqual([1, 1, 1]);
  expect(seen[1]).toContain("<reminder>\\nMemory files that apply");
  expect(seen[2]).not.toContain("-TEXT");
  expect(seen[3]).not.toContain("-TEXT");
  expect(count(4, "OTHER-TEXT")).toBe(1);
  expect(count(5, "THIRD-TEXT")).toBe(1);
  await model.stop();
});

test("`nanocode memory` lists what counts and what was not loaded; a run says that there is something to see", async () => {
  const model = await startFakeModel([say("ok")]);
  const box = project(model, {
    "CLAUDE.md": "root @gone.md @a.md",
    "a.md": "import @CLAUDE.md",
    "secret/.env.md": "denied",
    "NANOCODE.md": "@secret/.env.md",
    ".claude/settings.json": JSON.stringify({ permissions: { deny: ["Read(secret/**)"] } }),
    "\u001b[31mx/CLAUDE.md": "hostile name",
    "\u001b[31mx/f": "",
  });
  symlinkSync("/etc/hostname", join(box.cwd, "CLAUDE.local.md"));
  mkdirSync(join(box.home, ".claude"));
  writeFileSync(join(box.home, ".claude", "settings.json"), '{"claudeMdExcludes": ["**/excluded/**"]}');
  const listed = await run(box, ["memory", "\u001b[31mx/f"]);
  expect(listed).toMatchObject({ code: 0, stderr: "" });
  const text = listed.stdout.replaceAll(box.cwd, ".").replace(/(?<=\S) {2,}/g, "  ");
  expect(text).toContain("3 memory files, about");
  expect(text).toContain("  project  ./CLAUDE.md  19 bytes, 1 line, about 6 tokens\n");
  expect(text).toContain("  import  ./a.md  17 bytes, 1 line, about 6 tokens, imported by ./CLAUDE.md\n");
  expect(text).toContain("Added by files that were touched:\n  subfolder  ./\\x1b[31mx/CLAUDE.md  12 bytes");
  expect(text).toContain("  ./gone.md: imported by ./CLAUDE.md: there is no such file\n");
  expect(text).toContain("./a.md: it imports itself in a circle: ./CLAUDE.md -> ./a.md -> ./CLAUDE.md");
  expect(text).toContain("./secret/.env.md: imported by ./NANOCODE.md: a deny rule forbids to read it");
  expect(text).toContain("./CLAUDE.local.md: it leads outside the project, to /etc/hostname");
  expect(listed.stdout).not.toContain("\u001b");
  expect((await run(box, ["memory", "--all"])).stderr).toContain("memory takes only files");

  const ran = await run(box, ["-p", "hi"]);
  expect(ran.stderr).toBe(
    "nanocode: not every memory file is loaded as it is written: `nanocode memory` says which and why.\n",
  );
  expect(JSON.stringify(systemOf(model.requests[0]))).not.toContain("denied");
  await model.stop();
});

test("excludes of the settings and --setting-sources count; a replaced system prompt keeps the memory", async () => {
  const model = await startFakeModel([say("one"), say("two")]);
  const box = project(model, { "CLAUDE.md": "ROOT-TEXT", "NANOCODE.md": "OWN-TEXT" });
  mkdirSync(join(box.home, ".claude"));
  writeFileSync(join(box.home, ".claude", "settings.json"), '{"claudeMdExcludes": ["**/CLAUDE.md"]}');
  await run(box, ["-p", "go", "--system-prompt", "REPLACED"]);
  await run(box, ["-p", "go", "--setting-sources", "user"]);
  const [first, second] = model.requests.map((request) => JSON.stringify(systemOf(request)));
  expect(first).toContain("REPLACED");
  expect(first).toContain("OWN-TEXT");
  expect(first).not.toContain("ROOT-TEXT");
  expect(second).not.toContain("-TEXT");
  await model.stop();
});

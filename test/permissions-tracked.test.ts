// A rule that hides a file also holds for what git has stored of it.
import { afterAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { namesOf } from "../src/permissions/tracked.ts";
import { Project } from "./permission-kit.ts";

const project = new Project();
afterAll(() => project.remove());

const git = (...args: string[]) => {
  const run = Bun.spawnSync(["git", ...args], { cwd: project.root, stdio: ["ignore", "pipe", "pipe"] });
  if (!run.success) throw new Error(run.stderr.toString());
  return run.stdout.toString();
};
project.file(".env", "key=1\n");
for (const name of ["a.ts", "src/käse.ts", "src/long/and longer/name.ts", "src/long/and longer/nose.ts"])
  project.file(name);
project.file("loose.key");
git("init", "-q");
git("add", ".env", "a.ts", "src");
git("add", "--intent-to-add", "loose.key");

const given = (command: string, deny: string) => [command, project.bash(command, { deny: [deny] }).behavior];

describe("a tracked file that may not be read", () => {
  test.each([
    "git show",
    "git log -p",
    "git --no-pager log --patch",
    "/usr/bin/git diff",
    "git diff -- src",
    "git grep key",
    "git archive HEAD",
    "git status -v",
    "git stash show -p",
    "git cat-file -p abc123",
    "git log --stat -p",
    "timeout 5 git show | cat",
  ])("%s is asked about", (command) => {
    expect(given(command, "Read(**/.env)")).toEqual([command, "ask"]);
    // The folder is searched where it is, so grep is left out here.
    if (!command.includes("grep")) expect(given(command, "Read(other.key)")).toEqual([command, "allow"]);
  });

  test.each([
    "git log --oneline -3",
    "git log --format=%h --first-parent",
    "git status --short",
    "git diff --stat",
    "git show HEAD:a.ts",
    "git branch -v",
    "git ls-files",
  ])("%s shows no content of it", (command) => {
    expect(given(command, "Read(**/.env)")).toEqual([command, "allow"]);
  });

  test("named, it is refused", () => {
    expect(given("git show HEAD:.env", "Read(**/.env)")).toEqual(["git show HEAD:.env", "deny"]);
  });
});

test.each([2, 3, 4])("the index, version %d", (version) => {
  git("update-index", "--index-version", String(version));
  const listed = git("ls-files", "-z").split("\0").slice(0, -1);
  expect(listed.length).toBe(6);
  expect(namesOf(readFileSync(join(project.root, ".git/index")))).toEqual(listed);
});

test("an index in another form is not known: it is asked", () => {
  git("update-index", "--split-index");
  project.file("b.ts");
  git("add", "b.ts");
  expect(namesOf(readFileSync(join(project.root, ".git/index")))).toBeUndefined();
  expect(given("git show", "Read(other.key)")).toEqual(["git show", "ask"]);
});

// What a decision may cost, whatever the text: work is counted, what is not looked at is asked about, and a no stays a no.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Names } from "../src/permissions/shell/names.ts";
import { Project, type Lists } from "./permission-kit.ts";
import { chance } from "./support.ts";

const project = new Project();
const LENGTH = 9_900;
/** Far above what it takes, far below what it took when each was found: 1.6 to 11 seconds. */
const MOST_MS = 800;
const DENY: Lists = { deny: ["Read(./.env)", "Read(**/secret*)", "Bash(curl:*)", "Edit(/src/**)"] };

beforeAll(() => {
  for (let folder = 0; folder < 40; folder++) {
    for (let file = 0; file < 60; file++) project.file(`folder${folder}/below/file${file}.ts`);
  }
});
afterAll(() => project.remove());

const filled = (unit: string, first = "") => first + unit.repeat(Math.floor((LENGTH - first.length) / unit.length));

describe("a text of 10,000 characters is decided in time", () => {
  const texts = {
    "folders that may not be there": filled("cd a; "),
    "folders below each other": filled("cd a && ") + "ls",
    "one folder or another": filled("cd a || cd b && ls | "),
    "the same pattern": filled("*/*/* ", "ls "),
    "other patterns": Array.from({ length: 600 }, (_, i) => `ls */*/f*${i}*`).join("; "),
    "patterns in folders that may not be there": filled("cd a || cd b || ls */*/*; "),
    braces: filled("{1..40} ", "cat "),
    "names handed on and on": filled(" | xargs cat .", "find ."),
    "whole folders": filled("cp -r . b; cd folder1; x=1; "),
    "links looked for": Array.from({ length: 400 }, (_, i) => `grep -R x${i} folder${i % 40}`).join("; "),
    "whole folders, and names": filled("grep -rn x . ; x=$x$x; "),
    "a deep path": filled("a/", "cat "),
    variables: Array.from({ length: 600 }, (_, i) => `x${i}=1; echo $x${i}`).join("; "),
  };
  for (const [name, command] of Object.entries(texts)) {
    test(name, () => {
      const started = performance.now();
      project.bash(command, DENY);
      expect(performance.now() - started).toBeLessThan(MOST_MS);
    });
  }
});

describe("what is not looked at", () => {
  const many = Array.from({ length: 60 }, (_, i) => `ls folder1*/*/*; x=${i}`).join("; ");

  test("is asked about", () => {
    expect(project.bash("cd a; ".repeat(3) + "cat f").behavior).toBe("allow");
    const lost = project.bash("cd a; ".repeat(30) + "cat f");
    expect(lost).toMatchObject({ behavior: "ask" });
    expect(project.bash(many)).toMatchObject({ behavior: "ask", reason: "it names more files than are looked at" });
    // A link this deep could not be seen.
    expect(project.bash(`cat ${"a/".repeat(900)}b`).behavior).toBe("allow");
    expect(project.bash(`cat ${"a/".repeat(3000)}b`).behavior).toBe("ask");
  });

  test("is asked about when links are followed in more folders than are searched", () => {
    expect(project.bash("grep -R x folder1").behavior).toBe("allow");
    for (let folder = 0; folder < 320; folder++) project.file(`tree/of${folder}/file.ts`);
    expect(project.bash("grep -R x tree")).toMatchObject({
      behavior: "ask",
      reason: "it follows links, and there may be some in tree",
    });
  });

  test("is asked about in bypassPermissions too: it could be a removal", () => {
    expect(project.bash(`${many}; rm -rf x`, { mode: "bypassPermissions" }).behavior).toBe("ask");
    expect(project.bash("ls folder1*/*/*; rm -rf x", { mode: "bypassPermissions" }).behavior).toBe("allow");
    // Folders that may not be there, or one of many: where the removal would be is not followed.
    const doubled = Array.from({ length: 6 }, (_, i) => `if test -d a${i}; then cd a${i}; else cd b${i}; fi`).join(
      "; ",
    );
    for (const before of ["cd a; ".repeat(30), `${doubled}; `, "cd a && ".repeat(80)]) {
      expect([before, project.bash(`${before}rm -rf x`, { mode: "bypassPermissions" }).behavior]).toEqual([
        before,
        "ask",
      ]);
    }
    const patterns = Array.from({ length: 9 }, (_, i) => `ls */*/*${i}*`).join("; ");
    for (const before of [
      `${patterns}; rm -rf ../proj*`,
      `echo ${"{1..190} ".repeat(6)}; rm -rf {x,/}`,
      `rm -rf ${"/".repeat(4050)}`,
    ]) {
      expect(project.bash(before, { mode: "bypassPermissions" }).behavior).toBe("ask");
    }
    expect(project.bash(`python3 -c '${"print(1);".repeat(600)}'`, { mode: "bypassPermissions" }).behavior).toBe(
      "allow",
    );
    expect(project.bash("cd a; cd b; rm -rf x", { mode: "bypassPermissions" }).behavior).toBe("allow");
  });

  test("never hides a command that a rule forbids", () => {
    for (const before of ["true; ", "cat folder1/below/file1.ts; ", "cd a; "]) {
      const command = `${before.repeat(Math.floor(30_000 / before.length))}curl x`;
      expect(project.bash(command, DENY)).toMatchObject({ behavior: "deny", rule: { text: "Bash(curl:*)" } });
    }
    const long = `${"true; ".repeat(20_000)}curl x`;
    expect(project.bash(long, DENY)).toMatchObject({ behavior: "ask", rule: { text: "Bash(curl:*)" } });
  });
});

test("a link among many names is seen", () => {
  for (let file = 0; file < 40; file++) project.file(`many/file${file}`);
  const names = Array.from({ length: 40 }, (_, i) => `many/file${i} none/file${i}`).join(" ");
  expect(project.bash(`cat ${names}`).behavior).toBe("allow");
  project.link("many/link", "/etc/passwd");
  project.link("many/folder", "/etc");
  expect(project.bash(`cat ${names}`).behavior).toBe("allow");
  expect(project.bash(`cat ${names} many/link`)).toMatchObject({
    behavior: "ask",
    reason: `${project.root}/many/link leads to /etc/passwd, outside the project`,
  });
  expect(project.bash(`cat ${names} many/folder/passwd`).behavior).toBe("ask");
});

test("the names that are set are a set", () => {
  const { next, below } = chance(11);
  type Pair = { names: Names; set: Set<string> };
  const pairs: Pair[] = [{ names: Names.NONE, set: new Set() }];
  const word = () => `n${below(30)}`;
  for (let round = 0; round < 2000; round++) {
    // Any earlier set may grow again.
    const from = pairs[below(pairs.length)];
    if (!from) throw new Error("there is always one");
    const gone = word();
    const added = [word(), word()];
    const drops = next() < 0.2;
    const names = drops ? from.names.only((name) => name !== gone) : from.names.plus(added);
    const set = drops ? new Set([...from.set].filter((name) => name !== gone)) : new Set([...from.set, ...added]);
    for (let i = 0; i < 30; i++) expect(names.has(`n${i}`)).toBe(set.has(`n${i}`));
    pairs.push({ names, set });
    if (pairs.length > 40) pairs.shift();
  }
});

test("cd - goes back where that is known, and is asked about elsewhere", () => {
  project.file("src/deep/c.ts");
  project.file("docs/b.md");
  const rows: [string, "allow" | "ask"][] = [
    ["cd src && ls && cd - && cat docs/b.md", "allow"],
    ["cd src && cd deep && cd - && cat ../docs/b.md", "allow"],
    ["cd none && cd - && ls", "allow"],
    ["cd src && cd - && cd - && cat deep/c.ts", "allow"],
    // What a failed cd leaves is what the shell was started with.
    ["cd -", "ask"],
    ["cd none; cd -; ls", "ask"],
    ["cd none || cd -; ls", "ask"],
    ["(cd src); cd -; ls", "ask"],
    ["cd src && eval x; cd - && ls", "ask"],
    ["OLDPWD=/etc; cd -; cat passwd", "ask"],
    ["cd /etc && cd - && cd - && cat passwd", "ask"],
    ["cd src && cd deep && cd - && cat ../../x", "ask"],
  ];
  for (const [command, expected] of rows)
    expect([command, project.bash(command).behavior]).toEqual([command, expected]);
});

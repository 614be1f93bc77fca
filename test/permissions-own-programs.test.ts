// Programs that lie in the project and come before the system's by way of PATH: they are the project's code.
import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PermissionMode } from "../src/core/types.ts";
import { decide } from "../src/permissions/decide.ts";
import { NO_RULES } from "../src/permissions/rules.ts";
import { DISK, NO_WALL, type World } from "../src/permissions/world.ts";
import { projects, splitPath } from "../src/utils/paths.ts";
import { BINARY, run, sandbox, YES } from "./binary.ts";
import { call, say, startFakeModel } from "./fake-model.ts";

const home = realpathSync(mkdtempSync(join(tmpdir(), "nanocode-own-")));
const root = join(home, "project");
afterAll(() => rmSync(home, { recursive: true, force: true }));
mkdirSync(join(root, ".venv", "bin"), { recursive: true });
for (const name of ["ls", "python3", "echo"]) writeFileSync(join(root, ".venv", "bin", name), "");

function decided(command: string, programs: string[], mode: PermissionMode = "default", more: Partial<World> = {}) {
  const known = { cwd: root, root, home, roots: [root], programs, readable: [], files: DISK, wall: NO_WALL };
  const world: World = { ...known, ...more };
  return decide(
    { type: "tool_use", id: "t", name: "Bash", input: { command } },
    { kind: "shell", command },
    NO_RULES,
    mode,
    world,
  );
}

test("what runs from the project is asked about, also behind a wrapper and with only a question for its version", () => {
  const programs = [join(root, ".venv", "bin")];
  for (const command of ["ls", "timeout 5 ls", "find . | xargs ls", "python3 --version", "x=$(ls); echo $x"]) {
    expect([command, decided(command, []).behavior]).toEqual([command, "allow"]);
    expect([command, decided(command, programs).behavior]).toEqual([command, "ask"]);
  }
  expect(decided("ls", programs).reason).toBe("ls is a program of the project");
  // The shell's own, one of the system, and one that is named by its path.
  for (const command of ["echo x", "cat a.txt", "/bin/ls", "[ -f x ]"]) {
    expect([command, decided(command, programs).behavior]).toEqual([command, "allow"]);
  }
});

test("a program is not put there unasked", () => {
  const programs = [join(root, ".venv", "bin")];
  for (const command of ["cp x .venv/bin/wc && wc f", "echo x > .venv/bin/jq", "mv x .venv/bin"]) {
    expect([command, decided(command, [], "acceptEdits").behavior]).toEqual([command, "allow"]);
    expect([command, decided(command, programs, "acceptEdits")]).toMatchObject([command, { step: "protected" }]);
  }
  // The project itself in PATH does not make every file of it a program.
  expect(decided("touch x", [root], "acceptEdits").behavior).toBe("allow");
});

test("where there is no bash, what only bash understands is asked about", () => {
  const both = (command: string) =>
    [false, true].map((plainShell) => decided(command, [], "default", { plainShell }).behavior);
  for (const command of [
    ...[
      "echo $'a\\'; touch PWNED; #'",
      "[[ a > PWNED ]]",
      "x=5; ((x > 3)) && echo big",
      "cat <<< x",
      "ls &> /dev/null",
    ],
    ...[
      "cat <(ls)",
      "a=(b); echo ${a[0]}",
      "ls |& cat",
      "echo {a,b}",
      "pushd src; cat ../x",
      "for ((i=0; i<2; i++)); do ls; done",
    ],
  ]) {
    expect([command, both(command)[1]]).toEqual([command, "ask"]);
  }
  for (const command of [
    "ls | head",
    'x=$(ls); echo "$x"',
    "if [ -f a ]; then cat a; fi",
    "for f in a b; do cat $f; done",
    "ls 2>&1",
  ]) {
    expect([command, both(command)]).toEqual([command, ["allow", "allow"]]);
  }
});

test("a folder that git could take for a repository's inside is asked about", () => {
  expect(decided("git status", []).behavior).toBe("allow");
  expect(decided("touch x; git status", [], "acceptEdits").reason).toContain("has no .git");
  writeFileSync(join(root, "HEAD"), "ref: refs/heads/m\n");
  expect(decided("git status", []).behavior).toBe("allow");
  writeFileSync(join(root, "commondir"), "elsewhere\n");
  expect(decided("git status", []).reason).toContain("looks like the inside of a repository");
  rmSync(join(root, "commondir"));
  for (const name of ["objects", "refs"]) mkdirSync(join(root, name));
  expect(decided("git status", []).reason).toContain("looks like the inside of a repository");
  mkdirSync(join(root, ".git"));
  expect(decided("git status", []).behavior).toBe("allow");
  expect(decided("touch x; git status", [], "acceptEdits").behavior).toBe("allow");
});

test("PATH in two", () => {
  const path = "/p/node_modules/.bin:/usr/bin::bin:.:/proj:/p";
  expect(splitPath(path, ["/p"])).toEqual({
    others: "/usr/bin:/proj",
    own: ["/p/node_modules/.bin", "/p", "/p/bin", "/p", "/p"],
  });
  expect(splitPath(undefined, ["/p"])).toEqual({ others: "", own: [] });
  expect(projects(["/home/me", "/home/me/p", "/"], "/home/me")).toEqual(["/home/me/p"]);
});

test.skipIf(process.platform === "win32")(
  "the binary takes neither shell nor sandbox nor search from the project",
  async () => {
    expect(BINARY).toBeTruthy();
    const model = await startFakeModel([
      call("Bash", { command: "echo $BASH_VERSION | cut -c1" }),
      call("Grep", { pattern: "needle" }),
      say("done"),
    ]);
    const box = sandbox(model);
    const bin = join(box.cwd, "node_modules", ".bin");
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(box.cwd, "a.txt"), "needle\n");
    for (const name of ["bash", "sh", "bwrap", "rg", "git", "cut"]) {
      writeFileSync(
        join(bin, name),
        `#!/bin/sh\necho ${name} >> ${join(box.home, "ran")}\nexec /usr/bin/${name} "$@"\n`,
      );
      chmodSync(join(bin, name), 0o755);
    }
    const PATH = `${bin}:${process.env["PATH"]}`;
    const { code, stderr } = await run(box, ["-p", "go", ...YES], { env: { PATH } });
    expect([code, stderr]).toEqual([0, ""]);
    // What the command itself names is looked for as the person's PATH says.
    expect(await Bun.file(join(box.home, "ran")).text()).toBe("cut\n");
    box.remove();
    await model.stop();
  },
);

// The folder for output of commands: where it is, what stays of it, and a home in which nothing can be made.
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { scratchFolder } from "../src/session/scratch.ts";
import { ShellStarter } from "../src/tools/bash-start.ts";
import { cleanUp, session } from "./tool-bash-session.ts";

const root = realpathSync(mkdtempSync(join(tmpdir(), "nanocode-scratch-")));
afterAll(() => rmSync(root, { recursive: true, force: true }));
afterAll(cleanUp);
const at = (nanocode: string, persist = true) => scratchFolder({ nanocode, tmp: join(root, "tmp"), id: "id", persist });

test("a recorded session keeps its output in a private folder, an unrecorded one leaves nothing", () => {
  const kept = at(join(root, "home/.nanocode"));
  expect(kept).toEqual({ path: join(root, "home/.nanocode/scratch/id"), close: expect.any(Function) });
  // Looking whether it could be made leaves nothing.
  expect(existsSync(join(root, "home"))).toBe(false);
  mkdirSync(kept.path, { recursive: true });
  kept.close();
  expect(existsSync(kept.path)).toBe(false);
  mkdirSync(kept.path);
  writeFileSync(join(kept.path, "out.txt"), "x");
  kept.close();
  expect(readdirSync(kept.path)).toEqual(["out.txt"]);
  const passing = at(join(root, "other/.nanocode"), false);
  mkdirSync(passing.path, { recursive: true });
  passing.close();
  expect([passing.note, existsSync(passing.path), existsSync(join(root, "other"))]).toEqual([undefined, false, false]);
});

test("where nothing can be made commands work all the same, and it is said", async () => {
  writeFileSync(join(root, "file"), "");
  // In /proc no right forbids to make a folder; it just cannot be done, by root either.
  const homes = [join(root, "file"), ...(process.platform === "linux" ? ["/proc/none", "/dev/null/x"] : [])];
  for (const home of homes) {
    const scratch = at(join(home, ".nanocode"));
    expect(scratch.note).toMatch(
      /^long output of commands is kept in .* because .*scratch cannot be used \(E[A-Z]+\)\.$/,
    );
    expect(dirname(scratch.path)).toBe(join(root, "tmp"));
    const starter = new ShellStarter(scratch.path);
    const { text } = session({ starter, env: { PATH: process.env["PATH"], HOME: home }, maxOutput: 100 });
    expect(await text("echo hi")).toBe("hi");
    expect(await text("seq 1 1000")).toContain(`is in ${scratch.path}`);
    starter.close();
    scratch.close();
    expect(existsSync(scratch.path)).toBe(false);
  }
});

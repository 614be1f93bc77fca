// What a command that runs unasked because it only reads gets besides the usual environment.
import { afterAll, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readingEnvironment } from "../src/tools/bash-env.ts";
import { Project } from "./permission-kit.ts";

const project = new Project();
afterAll(() => project.remove());

test("nothing is fetched or started on the side: not even what the repository's settings name for git status", () => {
  const env = { PATH: process.env.PATH ?? "", HOME: project.home, DEBUGINFOD_URLS: "http://127.0.0.1:9" };
  const git = (env: Record<string, string>, ...args: string[]) =>
    Bun.spawnSync(["git", ...args], { cwd: project.root, env });
  git(env, "init", "-q");
  const mark = join(project.root, "started");
  git(env, "config", "core.fsmonitor", `touch '${mark}'; false`);
  expect(git(env, "config", "core.fsmonitor").success).toBe(true);
  const reading = readingEnvironment({
    ...env,
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "a.b",
    GIT_CONFIG_VALUE_0: "c",
  });
  expect(reading).toMatchObject({ GOTOOLCHAIN: "local", GIT_NO_LAZY_FETCH: "1", GIT_CONFIG_COUNT: "2" });
  expect(reading["DEBUGINFOD_URLS"]).toBeUndefined();
  writeFileSync(join(project.root, "a.txt"), "a");
  expect(git(reading, "status", "--short").stdout.toString()).toContain("a.txt");
  expect(existsSync(mark)).toBe(false);
  // Without it, git does start it: that is what this test is about.
  git(env, "status", "--short");
  expect(existsSync(mark)).toBe(true);
});

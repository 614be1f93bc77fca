// Started by a test, which kills it: runs one walled command in the folder argv[2], and says what it is doing.
import { join } from "node:path";
import { Sandbox } from "../src/sandbox/sandbox.ts";
import { BackgroundTasks } from "../src/tools/bash-tasks.ts";
import { bashTool } from "../src/tools/bash.ts";
import { settings } from "./sandbox-kit.ts";

const [, , home = "", root = "", command = ""] = process.argv;
const env = { PATH: process.env["PATH"], HOME: home };
const scratch = join(home, ".nanocode/scratch/victim");
const own = join(home, ".nanocode");
const wall = new Sandbox({ settings: settings(), roots: () => [root], home, own, scratch, env, denyRead: () => [] });
const tool = bashTool({ projectRoots: () => [root], scratch, env, tasks: new BackgroundTasks(), wall });
await tool.run(tool.parse({ command }), {
  cwd: root,
  callId: "call",
  confine: "workspace",
  signal: new AbortController().signal,
  progress() {},
  chdir() {},
  child() {},
});

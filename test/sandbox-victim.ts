// Started by a test, which kills it: runs one walled command in a folder of a home; with `stay` it waits for the next.
import { join } from "node:path";
import { Sandbox } from "../src/sandbox/sandbox.ts";
import { ShellStarter } from "../src/tools/bash-start.ts";
import { BackgroundTasks } from "../src/tools/bash-tasks.ts";
import { bashTool } from "../src/tools/bash.ts";
import { settings } from "./sandbox-kit.ts";

const [, , home = "", root = "", command = "", stay] = process.argv;
const env = { PATH: process.env["PATH"], HOME: home };
const scratch = join(home, ".nanocode/scratch/victim");
const own = join(home, ".nanocode");
const wall = new Sandbox({ settings: settings(), roots: () => [root], home, own, scratch, env, denyRead: () => [] });
const tool = bashTool({
  projectRoots: () => [root],
  starter: new ShellStarter(scratch),
  env,
  tasks: new BackgroundTasks(),
  wall,
});
await tool.run(tool.parse({ command }), {
  cwd: root,
  callId: "call",
  confine: "workspace",
  signal: new AbortController().signal,
  progress() {},
  chdir() {},
  child() {},
});
if (stay) await Bun.sleep(60_000);

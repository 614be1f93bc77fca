// All tools of a conversation, for tests that only look at them: no call of theirs is run.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { agentTool } from "../src/agents/tool.ts";
import type { Tool } from "../src/core/types.ts";
import { ShellStarter } from "../src/tools/bash-start.ts";
import { BackgroundTasks } from "../src/tools/bash-tasks.ts";
import { planTools } from "../src/tools/plan.ts";
import { builtinTools } from "../src/tools/registry.ts";

export function idleTools(home = tmpdir()): Tool[] {
  const world = { env: {}, places: { home }, tasks: new BackgroundTasks(), roots: () => [], hidden: () => false };
  const notRun = () => Promise.reject(new Error("not run"));
  const plans = planTools({ mode: () => "default", setMode() {}, before: () => "default" });
  const starter = new ShellStarter(join(home, "none"));
  return [...builtinTools({ ...world, starter }), agentTool(notRun, () => 0), ...plans];
}

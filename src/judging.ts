// What `nanocode permissions` asks: today's rules, mode and surroundings of a folder, and the tools' own word on what they touch.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { agentTool } from "./agents/tool.ts";
import { compactCommand } from "./commands/compact.ts";
import { memoryCommand } from "./commands/memory.ts";
import { permissionsCommand } from "./commands/permissions.ts";
import type { Setup } from "./conversation.ts";
import { memoryOf, promptOf } from "./instructions.ts";
import type { Env, Places } from "./config/paths.ts";
import { readAutoCompact } from "./context/budget.ts";
import { keepNothing } from "./context/keep.ts";
import { memoryPrompt } from "./context/memory-text.ts";
import { readableIn } from "./context/restore.ts";
import { UsageError } from "./core/errors.ts";
import type { Host, Tool } from "./core/types.ts";
import { readOverrides, resolveModel } from "./model/catalog.ts";
import { DEFAULT_MODEL, modelId } from "./model/choose.ts";
import { tune } from "./model/tune.ts";
import type { Situation } from "./permissions/decision.ts";
import { accessBy, judgeWith, modeOf as modeNamed, verdictOf } from "./permissions/query.ts";
import { modeOf, Permit } from "./permit.ts";
import { scratchFolder } from "./session/scratch.ts";
import { BackgroundTasks } from "./tools/bash-tasks.ts";
import { ShellStarter } from "./tools/bash-start.ts";
import { builtinTools } from "./tools/registry.ts";
import type { Out } from "./ui/out.ts";
import { sanitize } from "./ui/sanitize.ts";
import { readLines } from "./utils/jsonl.ts";

type FolderSetup = Omit<Setup, "host" | "steering">;
export type JudgingWorld = {
  env: Env;
  cwd: string;
  places: Places;
  out: Out;
  signal: AbortSignal;
  onExit(cleanup: () => void): void;
  /** What counts in a folder, as for a conversation that starts there. */
  setupIn(folder: string): FolderSetup;
};

/** Runs `nanocode permissions` with its own arguments; the exit code. Throws UsageError. */
export async function runPermissions(args: readonly string[], world: JudgingWorld): Promise<number> {
  const { env, cwd, places, out, signal, onExit, setupIn } = world;
  const access = accessBy(toolsOf({ env, places, roots: () => [] }));
  return permissionsCommand(args, {
    judge: judgeWith({ cwd, home: places.home, access, today: () => situationOf(setupIn(cwd)) }),
    replayIn: async (folder, named) => {
      const situation = await situationOf(setupIn(folder));
      const mode = named === undefined ? situation.mode : modeNamed(named);
      return (call, at) =>
        verdictOf(call, { ...situation, mode, world: { ...situation.world, cwd: at } }, { access, fix: true });
    },
    lines: () => readLines(Bun.stdin.stream()),
    say: (text) => out.write(`${sanitize(text)}\n`),
    data: (value) => out.write(`${JSON.stringify(value)}\n`),
    sessions: places.sessions,
    cwd,
    tmp: env.TMPDIR ?? tmpdir(),
    path: env.PATH,
    signal,
    onExit,
  });
}

const NOBODY: Host = { ask: async () => ({ behavior: "deny" }) };

/** `nanocode status`: what a conversation that started now would work within. Throws UsageError. */
export async function statusText(args: readonly string[], { cwd, setupIn }: JudgingWorld): Promise<string> {
  if (args.length > 0) throw new UsageError("error: status takes no arguments: nanocode status");
  const setup = setupIn(cwd);
  const lines = await withPermit(setup, (permit) => permit.describe());
  return [`mode: ${modeOf(setup.options, setup.settings)}`, ...lines].join("\n");
}

/** `nanocode memory`: what a conversation that started now would be told by files. Throws UsageError. */
export async function memoryText(args: readonly string[], { cwd, setupIn }: JudgingWorld): Promise<string> {
  const setup = setupIn(cwd);
  return withPermit(setup, async (permit) => memoryCommand(args, { memory: memoryOf(setup, permit), cwd }));
}

/** Those of a conversation, to be looked at: none of them is run here. */
function toolsOf({ env, places, roots }: Pick<JudgingWorld, "env" | "places"> & { roots(): string[] }): Tool[] {
  const world = {
    env,
    places,
    tasks: new BackgroundTasks(),
    roots,
    hidden: () => false,
    starter: new ShellStarter(places.nanocode),
  };
  const notRun = () => Promise.reject(new Error("No sub-agent is started to look at a call."));
  return [...builtinTools(world), agentTool(notRun, () => 0)];
}

/** `nanocode compact --dry-run`: what it would do to a recorded conversation here. Throws UsageError. */
export async function compactText(args: readonly string[], { cwd, places, env, signal, setupIn }: JudgingWorld) {
  const setup = setupIn(cwd);
  return withPermit(setup, async (permit) => {
    const overrides = readOverrides(setup.env, setup.settings.models);
    const model = modelId(
      setup.options.model ?? env.ANTHROPIC_MODEL ?? setup.settings.model ?? DEFAULT_MODEL,
      overrides,
    );
    const prompt = promptOf(setup, memoryPrompt(memoryOf(setup, permit).files));
    const tools = new Map(toolsOf({ env, places, roots: () => permit.roots() }).map((tool) => [tool.spec.name, tool]));
    const thinking = { thinking: undefined, alwaysThinking: undefined, effort: undefined };
    return compactCommand(args, {
      sessions: places.sessions,
      start: { messages: [], model, mode: "default", cwd },
      optionsFor: (session) => ({
        system: () => prompt.system(model),
        tools,
        tune: (name) => tune(name, { env: setup.env, overrides, ...thinking }),
        contextWindow: (name) => resolveModel(name, overrides).contextWindow,
        auto: readAutoCompact(setup.env, setup.settings.other, setup.warn),
        keep: keepNothing(join(places.nanocode, "scratch", session)),
        readable: readableIn(permit),
      }),
      signal,
    });
  });
}

/** What would decide about the first call of a conversation that started now. */
async function situationOf(setup: FolderSetup): Promise<Situation> {
  return withPermit(setup, (permit) => permit.situation());
}

async function withPermit<T>(setup: FolderSetup, use: (permit: Permit) => Promise<T>): Promise<T> {
  const { options, settings, places, env, cwd } = setup;
  const mode = modeOf(options, settings);
  const at = { nanocode: places.nanocode, tmp: env.TMPDIR ?? tmpdir(), id: crypto.randomUUID(), persist: false };
  const scratch = scratchFolder(at);
  const running = { cwd: () => cwd, mode: () => mode, setMode: () => undefined };
  const permit = new Permit({ ...setup, host: NOBODY }, scratch.path, running);
  try {
    return await use(permit);
  } finally {
    permit.sandbox.close();
    scratch.close();
  }
}

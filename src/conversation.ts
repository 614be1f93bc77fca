// One conversation: its tools, gate, prompt and record, made so that they know each other.
import { tmpdir } from "node:os";
import { AGENTS } from "./agents/definitions.ts";
import { agentTool } from "./agents/tool.ts";
import type { Conversation } from "./commands/command.ts";
import type { KeptRules } from "./commands/keep.ts";
import type { Options } from "./config/flags.ts";
import type { Env, Places } from "./config/paths.ts";
import type { Settings } from "./config/settings.ts";
import { readAutoCompact } from "./context/budget.ts";
import { compactor, type CompactorOptions } from "./context/compact.ts";
import { keepIn } from "./context/keep.ts";
import { memoryPrompt } from "./context/memory-text.ts";
import { readableIn } from "./context/restore.ts";
import { sharesOf } from "./context/shares.ts";
import { Agent } from "./core/agent.ts";
import type { Spending } from "./core/spending.ts";
import type { Prefix } from "./core/prefix.ts";
import { NO_USAGE } from "./core/state.ts";
import type { Deps, DurableEvent, Host, State, Tool, UserMessage } from "./core/types.ts";
import { VERSION } from "./core/version.ts";
import { cost, resolveModel, type Overrides } from "./model/catalog.ts";
import type { Chosen } from "./model/choose.ts";
import { FileTracker } from "./files/tracker.ts";
import { CacheGuard, guarded } from "./model/guard.ts";
import { KNOWN_MODELS } from "./model/models.ts";
import { tune } from "./model/tune.ts";
import { memoryOf, observing, promptOf, remindersOf, type Facts } from "./instructions.ts";
import { Permit } from "./permit.ts";
import { scratchFolder } from "./session/scratch.ts";
import type { SessionStore } from "./session/store.ts";
import { SkillSet, type SkillWorld } from "./skillset.ts";
import { subAgents } from "./subagents.ts";
import { finishedTasks, type BackgroundTasks } from "./tools/bash-tasks.ts";
import { planTools } from "./tools/plan.ts";
import { recallFrom } from "./tools/recall.ts";
import { ShellStarter } from "./tools/bash-start.ts";
import { builtinTools, offered } from "./tools/registry.ts";
import { structuredOutput, type StructuredOutput } from "./tools/structured.ts";

export type Setup = {
  options: Options;
  settings: Settings;
  places: Places;
  env: Env;
  cwd: string;
  /** Nothing of the project waits for trust. */
  isTrusted?: boolean;
  host: Host;
  steering(): UserMessage[];
  /** Something the person should know that no event carries. */
  warn(text: string): void;
  /** Work that must be done however the process ends; synchronous. */
  onExit(cleanup: () => void): void;
  /** Keeps allow rules for later sessions, in the project's local settings; absent where nothing is kept. */
  keepRules?: (rules: readonly string[]) => KeptRules;
  /** The debug log, when one is wanted. */
  log: ((line: string) => void) | undefined;
  /** Instead of the model the options and the environment name (`nanocode demo`). */
  chosen?: Chosen;
};

export type Converse = Setup &
  Chosen & {
    id: string;
    store: SessionStore | undefined;
    start: State;
    tasks: BackgroundTasks;
    overrides: Overrides;
    facts: Facts;
    /** Of all conversations of this process: /clear begins a new one. */
    spending: Spending;
    /** What earlier requests of this conversation began with, when a cache of them may live. */
    cached: Prefix | undefined;
    resolveModel(name: string): string;
    fresh(): Promise<Conversation>;
  };

export function converse(setup: Converse): Conversation {
  const { options, store, tasks, overrides, id } = setup;
  const { agent, deps, tools, skills, prompt, memory, context, scratch, starter, permit, guard, spending } =
    wire(setup);
  const structured: { output: StructuredOutput | undefined } = { output: undefined };
  const demand = (schema: object) => {
    structured.output = structuredOutput(schema);
    tools.set("StructuredOutput", structured.output.tool);
  };
  if (options.jsonSchema) demand(options.jsonSchema);
  const { limits } = deps;
  if (limits.maxBudgetUsd !== undefined && deps.cost(agent.state.model, NO_USAGE) === undefined) {
    setup.warn(`--max-budget-usd has no effect: the price of ${agent.state.model} is unknown (settings key "models").`);
  }
  const close = async () => {
    await store?.sync();
    store?.close();
    starter.close();
    permit.sandbox.close();
    scratch.close();
  };
  return {
    id,
    agent,
    version: VERSION,
    tools: () => [...tools.keys()],
    agents: () => (tools.has("Agent") ? AGENTS : []),
    apiKeySource: setup.apiKeySource,
    outputStyle: "default",
    verbose: options.verbose ?? false,
    limits,
    resolveModel: setup.resolveModel,
    modelInfo: (model) => resolveModel(model, overrides),
    models: () => KNOWN_MODELS,
    cost: deps.cost,
    spending: () => spending.report(deps.cost),
    configure({ systemPrompt: replace, appendSystemPrompt: append, jsonSchema }) {
      prompt.change({ ...(replace === undefined ? {} : { replace }), ...(append === undefined ? {} : { append }) });
      if (jsonSchema) demand(jsonSchema);
      guard.announce("configured");
    },
    structured: () => ({ expected: structured.output !== undefined, value: structured.output?.take() }),
    status: async () => [
      `session: ${id}`,
      `model: ${agent.state.model}`,
      `mode: ${agent.state.mode}`,
      ...(await permit.describe()),
    ],
    memory: () => memory,
    skills: () => skills.found,
    loadSkill: (name, args, signal) => skills.load(name, args, signal),
    context,
    cache: () => guard.report,
    settled: async () => store?.sync(),
    idle: (ms, signal) => tasks.idle(ms, signal),
    fresh: async () => {
      await close();
      return setup.fresh();
    },
    close: async () => {
      tasks.killAll();
      await close();
    },
  };
}

/** The parts of one conversation that know each other. */
function wire(setup: Converse) {
  const { options, env, store, tasks, overrides, id, log, spending } = setup;
  const persist = store !== undefined;
  const scratch = scratchFolder({ nanocode: setup.places.nanocode, tmp: env.TMPDIR ?? tmpdir(), id, persist });
  if (scratch.note !== undefined) setup.warn(scratch.note);
  const starter = new ShellStarter(scratch.path);
  const permit = new Permit(setup, scratch.path, {
    cwd: () => agent.state.cwd,
    mode: () => agent.state.mode,
    setMode: (mode) => agent.setMode(mode),
  });
  const memory = memoryOf(setup, permit);
  if (memory.problems.length > 0) {
    setup.warn("not every memory file is loaded as it is written: `nanocode memory` says which and why.");
  }
  const memoryText = memoryPrompt(memory.files);
  const prompt = promptOf(setup, memoryText);
  setup.onExit(() => permit.sandbox.close());
  const tracker = new FileTracker({ recall: recallFrom(() => agent.state) });
  const toolsWith = (own: FileTracker, more: Tool[] = []) => toolsOf(setup, { permit, starter, tracker: own }, more);
  const skills = skillsOf(setup, permit, {
    bash: () => tools.get("Bash"),
    admit: (...call) => deps.admit(...call),
    here: () => agent.state.cwd,
  });
  const agents = agentTool(
    (task, ctx) => startAgent(task, ctx),
    () => performance.now(),
  );
  const plans = planTools({
    mode: () => agent.state.mode,
    setMode: (mode) => agent.setMode(mode),
    before: () => agent.modeBeforePlan,
  });
  const tools = toolsWith(tracker, [agents, ...plans, ...skills.tools()]);
  const measuring = measuringOf(setup, { tools, permit, scratch, system: () => prompt.system(agent.state.model) });
  const guard = new CacheGuard({
    resumed: setup.cached,
    keep: (prefix) => store?.append({ type: "prefix", prefix }),
  });
  const reminders = remindersOf({ tracker, start: setup.start, environment: () => setup.facts });
  const deps: Deps = {
    provider: guarded(setup.provider, guard, options.cacheStrict ?? false),
    tools,
    compactor: compactor({ ...measuring, newId: () => crypto.randomUUID() }),
    admit: (call, access, title, signal) => permit.gate.admit(call, access, title, signal),
    observe: observing(memory, () => agent.state.cwd),
    system: measuring.system,
    tune: measuring.tune,
    cost: (model, usage) => cost(model, usage, overrides),
    steering: () => [...finishedTasks(tasks), ...setup.steering()],
    remind: () => reminders.next(agent.state),
    limits: limitsOf(options),
    raw: options.includePartialMessages ?? false,
    now: () => performance.now(),
    newId: () => crypto.randomUUID(),
  };
  const record = (event: DurableEvent) => {
    store?.append(event);
    guard.note(event);
    spending.note(event);
    if (event.type === "compacted") memory.forget();
    if (event.type === "message" && event.message.role === "user" && !event.message.synthetic) skills.requested();
    if (event.type !== "tool.end") return;
    log?.(`tools: ${event.call.name} ${event.outcome} after ${Math.round(event.durationMs)} ms`);
  };
  const agent: Agent = new Agent(deps, setup.start, record);
  const startAgent = subAgents({
    setup,
    permit,
    tools: toolsWith,
    measuring,
    deps,
    parent: () => agent.state,
    resolveModel: setup.resolveModel,
    spending,
  });
  const context = () => sharesOf(agent.state, { ...measuring, memory: memoryText ?? "" });
  return { agent, deps, tools, skills, prompt, memory, context, scratch, starter, permit, guard, spending };
}

function skillsOf(setup: Converse, permit: Permit, running: Pick<SkillWorld, "bash" | "admit" | "here">) {
  return new SkillSet({
    ...setup,
    ...running,
    isTrusted: setup.isTrusted ?? false,
    sessionId: setup.id,
    contextWindow: resolveModel(setup.start.model, setup.overrides).contextWindow,
    hides: (path) => permit.hides(path),
    lend: (rules, source) => permit.gate.lend(rules, source),
    takeBack: () => permit.gate.takeBack(),
    newId: () => crypto.randomUUID(),
  });
}

/** How large things are for a model, and how they are made smaller. */
function measuringOf(
  { options, settings, env, overrides, provider, warn, log }: Converse,
  { tools, permit, scratch, system }: Pick<CompactorOptions, "tools" | "system"> & Kept,
): Omit<CompactorOptions, "newId"> {
  const thinking = { thinking: options.thinking, alwaysThinking: settings.alwaysThinkingEnabled };
  const wishes = { env, overrides, ...thinking, effort: options.effort ?? settings.effortLevel };
  return {
    provider,
    tools,
    system,
    tune: (model) => tune(model, wishes),
    contextWindow: (model) => resolveModel(model, overrides).contextWindow,
    auto: readAutoCompact(env, settings.other, warn),
    keep: keepIn(scratch.path),
    readable: readableIn(permit),
    log,
  };
}

type Kept = { permit: Permit; scratch: { path: string } };
type ToolWorld = { permit: Permit; starter: ShellStarter; tracker: FileTracker };

/** Those the flags and rules leave, in a stable order; `more` follow the built-in ones. */
function toolsOf(
  { options, env, places, tasks }: Converse,
  { permit, starter, tracker }: ToolWorld,
  more: readonly Tool[],
): Map<string, Tool> {
  const builtin = builtinTools({
    env,
    places,
    tasks,
    starter,
    tracker,
    roots: () => permit.roots(),
    hidden: (path) => permit.hides(path),
    wall: permit.sandbox,
  });
  const only = options.tools?.includes("default") ? undefined : options.tools;
  return offered([...builtin, ...more], { only, isDenied: (name) => permit.isDenied(name) });
}

function limitsOf({ maxTurns, maxBudgetUsd }: Options): Deps["limits"] {
  return {
    ...(maxTurns === undefined ? {} : { maxTurns }),
    ...(maxBudgetUsd === undefined ? {} : { maxBudgetUsd }),
  };
}

// Sub-agents of one conversation: each has tools, memory and a prompt of its own, and the conversation's rules and model.
import { runSubAgent, subAgent, type Outcome } from "./agents/run.ts";
import type { Task } from "./agents/tool.ts";
import type { Options } from "./config/flags.ts";
import type { Env, Places } from "./config/paths.ts";
import type { Settings } from "./config/settings.ts";
import { compactor, type CompactorOptions } from "./context/compact.ts";
import { memoryPrompt } from "./context/memory-text.ts";
import type { Agent } from "./core/agent.ts";
import type { Spending } from "./core/spending.ts";
import { paidIn } from "./core/state.ts";
import type { Deps, Provider, State, Tool, ToolContext } from "./core/types.ts";
import { FileTracker } from "./files/tracker.ts";
import { memoryOf, observing, promptOf, remindersOf } from "./instructions.ts";
import { CacheGuard, guarded } from "./model/guard.ts";
import type { Permit } from "./permit.ts";
import { recallFrom } from "./tools/recall.ts";

export type Family = {
  setup: { options: Options; settings: Settings; places: Places; env: Env; cwd: string; provider: Provider };
  permit: Permit;
  /** Those a conversation may have; made anew, as each sub-agent has seen files of its own. */
  tools(tracker: FileTracker): ReadonlyMap<string, Tool>;
  measuring: Omit<CompactorOptions, "newId" | "tools" | "system">;
  deps: Pick<Deps, "cost" | "tune" | "limits" | "now" | "newId">;
  /** The conversation as it is. */
  parent(): State;
  resolveModel(name: string): string;
  spending: Spending;
};

/** Starts one and waits for its end. What it does is told to `ctx.child`, what it costs also to the spending. */
export function subAgents(family: Family): (task: Task, ctx: ToolContext) => Promise<Outcome> {
  return async ({ definition, prompt, model }, ctx) => {
    const { parent, resolveModel, spending, measuring, deps } = family;
    const { mode, model: own } = parent();
    const start = { model: model === undefined ? own : resolveModel(model), mode, cwd: ctx.cwd };
    const agent = build(family, { definition, start, id: ctx.callId });
    const event: typeof ctx.child = (happened) => {
      const paid = paidIn(happened);
      if (paid) spending.add(definition.name, paid);
      ctx.child(happened);
    };
    const outcome = await runSubAgent({ agent, prompt, newId: deps.newId, event, signal: ctx.signal });
    measuring.log?.(`agents: ${definition.name} ended (${outcome.reason}) after ${outcome.calls} calls`);
    return outcome;
  };
}

type Birth = Pick<Task, "definition"> & { start: Omit<State, "messages">; id: string };

function build(family: Family, { definition, start, id }: Birth): Agent {
  const { setup, permit, measuring, deps } = family;
  const asker = { id, name: definition.name };
  const tracker = new FileTracker({ recall: recallFrom(() => agent.state) });
  const tools = new Map(
    [...family.tools(tracker)].filter(([name]) => definition.tools === undefined || definition.tools.includes(name)),
  );
  const memory = memoryOf(setup, permit);
  const book = promptOf(setup, memoryPrompt(memory.files), definition.prompt);
  const system = () => book.system(agent.state.model);
  const reminders = remindersOf({ tracker, start: { ...start, messages: [] } });
  const agent: Agent = subAgent(
    {
      ...deps,
      provider: guarded(setup.provider, new CacheGuard(), setup.options.cacheStrict ?? false),
      tools,
      compactor: compactor({ ...measuring, tools, system, newId: deps.newId }),
      admit: (call, access, title, signal) =>
        permit.gate.admit(call, access, title, signal, { cwd: agent.state.cwd, agent: asker }),
      observe: observing(memory, () => agent.state.cwd),
      system,
      steering: () => [],
      remind: () => reminders.next(agent.state),
      limits: { maxTurns: definition.maxTurns, ...budgetLeft(family) },
      raw: false,
    },
    start,
  );
  return agent;
}

function budgetLeft({ deps, spending }: Family): Pick<Deps["limits"], "maxBudgetUsd"> {
  const { maxBudgetUsd } = deps.limits;
  if (maxBudgetUsd === undefined) return {};
  return { maxBudgetUsd: maxBudgetUsd - (spending.report(deps.cost).total.cost ?? 0) };
}

// The composition root: options and settings become a provider, a session and one conversation.
import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Conversation } from "./commands/command.ts";
import type { Options } from "./config/flags.ts";
import { projectSlug, type Places } from "./config/paths.ts";
import { converse, type Setup } from "./conversation.ts";
import { UsageError } from "./core/errors.ts";
import { Spending } from "./core/spending.ts";
import { reduce } from "./core/state.ts";
import type { DurableEvent, State } from "./core/types.ts";
import { VERSION } from "./core/version.ts";
import { readOverrides, type Overrides } from "./model/catalog.ts";
import { chooseProvider, modelId, type Chosen } from "./model/choose.ts";
import { factsOf, type Facts } from "./instructions.ts";
import { modeOf } from "./permit.ts";
import { findSession, latestSession } from "./session/list.ts";
import { SessionStore } from "./session/store.ts";
import { BackgroundTasks } from "./tools/bash-tasks.ts";

/** Builds the conversation the options ask for: new, continued, resumed or forked. Throws UsageError. */
export async function compose(setup: Setup): Promise<Conversation> {
  const { options, settings, places, env, cwd } = setup;
  const overrides = readOverrides(env, settings.models);
  // Git works while the SDK loads.
  const facts = factsOf(setup);
  const chosen =
    setup.chosen ??
    (await chooseProvider({
      name: options.model ?? env.ANTHROPIC_MODEL ?? settings.model,
      fallbacks: options.fallbackModel ?? settings.fallbackModel ?? [],
      betas: options.betas ?? [],
      env,
      overrides,
      cwd,
      resolvePath: (path) => resolve(cwd, path),
      log: setup.log,
    }));
  const parts = new Parts(setup, { chosen, overrides, facts, spending: new Spending() });
  const source = sourceOf(options, places, cwd);
  return source === undefined ? parts.fresh() : parts.reopen(source);
}

/** The session file to go on from. */
function sourceOf({ continue: last, resume }: Options, places: Places, cwd: string): string | undefined {
  if (typeof resume === "string") {
    const path = findSession(places.sessions, resume);
    if (path === undefined) throw new UsageError(`No conversation found with session ID: ${resume}`);
    return path;
  }
  if (!last && resume !== true) return undefined;
  const path = latestSession(places.sessions, projectSlug(cwd), cwd);
  if (path === undefined) throw new UsageError("No conversation found to continue");
  return path;
}

type Shared = { chosen: Chosen; overrides: Overrides; facts: Facts; spending: Spending };

/** What is shared by the conversations of one process. */
class Parts {
  #setup: Setup;
  #shared: Shared;
  #tasks = new BackgroundTasks();
  #isCached = false;

  constructor(setup: Setup, shared: Shared) {
    this.#setup = setup;
    this.#shared = shared;
    setup.onExit(() => this.#tasks.killAll());
  }

  async fresh(): Promise<Conversation> {
    const { options, cwd, places } = this.#setup;
    const id = options.sessionId?.toLowerCase() ?? crypto.randomUUID();
    this.#refuseTaken();
    const store = this.#store({ id, path: join(places.sessions, projectSlug(cwd), `${id}.jsonl`) });
    return this.#conversation(store, []);
  }

  #refuseTaken(): void {
    const { options, places } = this.#setup;
    if (options.sessionId === undefined || !findSession(places.sessions, options.sessionId)) return;
    throw new UsageError(`Error: Session ID ${options.sessionId} is already in use.`);
  }

  async reopen(path: string): Promise<Conversation> {
    const { options, cwd, places, warn } = this.#setup;
    const id = /([^/\\]+)\.jsonl$/.exec(path)?.[1] ?? "";
    this.#refuseTaken();
    this.#isCached = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) < CACHE_MS;
    if (options.forkSession || options.noSessionPersistence) {
      const { load, repairs } = await import("./session/load.ts");
      const { events, notices } = await load(path);
      notices.forEach(warn);
      const all = [...events, ...repairs(events)];
      const forkId = options.sessionId?.toLowerCase() ?? (options.forkSession ? crypto.randomUUID() : id);
      const forkPath = join(places.sessions, projectSlug(cwd), `${forkId}.jsonl`);
      const store = this.#store({ id: forkId, path: forkPath, forkedFrom: id });
      store?.seed(all);
      return this.#conversation(store, all, forkId);
    }
    const { store, loaded } = await SessionStore.resume({ ...this.#storeOptions(), id, path });
    loaded.notices.forEach(warn);
    return this.#conversation(store, loaded.events);
  }

  #storeOptions() {
    const { options, cwd, warn } = this.#setup;
    return { cwd, version: VERSION, title: options.name, onProblem: warn };
  }

  #store(at: { id: string; path: string; forkedFrom?: string }): SessionStore | undefined {
    return this.#setup.options.noSessionPersistence ? undefined : new SessionStore({ ...this.#storeOptions(), ...at });
  }

  #conversation(store: SessionStore | undefined, events: DurableEvent[], id?: string): Conversation {
    const { chosen, ...shared } = this.#shared;
    const past = events.reduce(reduce, this.#start());
    // A resumed session keeps its history; where and how it works on is decided now.
    const { messages, stale } = past;
    const begun = events.findLast((event) => event.type === "prefix");
    const start: State = { ...this.#start(), messages, ...(stale === undefined ? {} : { stale }) };
    return converse({
      ...this.#setup,
      id: id ?? store?.id ?? this.#setup.options.sessionId ?? crypto.randomUUID(),
      store,
      start,
      tasks: this.#tasks,
      ...chosen,
      ...shared,
      cached: begun?.type === "prefix" && this.#isCached ? begun.prefix : undefined,
      resolveModel: (name) => (name === "script" ? name : modelId(name, shared.overrides)),
      fresh: async () => {
        const { sessionId: _, ...options } = this.#setup.options;
        return new Parts({ ...this.#setup, options }, { ...this.#shared, facts: factsOf(this.#setup) }).fresh();
      },
    });
  }

  #start(): State {
    const { options, settings, cwd } = this.#setup;
    return {
      messages: [],
      model: this.#shared.chosen.model,
      mode: modeOf(options, settings),
      cwd,
    };
  }
}

/** No cache lives longer after its last use. */
const CACHE_MS = 60 * 60_000;

// What a front end and the slash commands work with: one conversation, and what can be asked of it.
import type { MemoryReport } from "../context/memory.ts";
import type { ContextShares } from "../context/shares.ts";
import type { Agent } from "../core/agent.ts";
import type { CacheReport } from "../core/cache.ts";
import type { SpendingReport } from "../core/spending.ts";
import type { Event, Usage } from "../core/types.ts";
import type { Skills } from "../skills/discover.ts";

export type ModelInfo = { id: string; displayName: string; contextWindow: number; maxOutput: number };

export interface Conversation {
  /** The session's UUID; its record is found by it. */
  readonly id: string;
  readonly agent: Agent;
  readonly version: string;
  tools(): readonly string[];
  /** The kinds of sub-agents the model may start. */
  agents(): readonly { name: string; description: string }[];
  /** Where the key came from, e.g. `ANTHROPIC_API_KEY`; `none` for a scripted model. */
  readonly apiKeySource: string;
  readonly outputStyle: string;
  /** The person chose to be told more. */
  readonly verbose: boolean;
  readonly limits: { maxTurns?: number; maxBudgetUsd?: number };
  /** What a driving program sets before the first prompt. */
  configure(settings: { systemPrompt?: string; appendSystemPrompt?: string; jsonSchema?: object }): void;
  /** The value the model gave for --json-schema since it was last asked for; absent without a schema. */
  structured(): { expected: boolean; value: unknown };
  /** Aliases and partial names become full ids; unknown names pass through. */
  resolveModel(name: string): string;
  modelInfo(model: string): ModelInfo;
  models(): readonly ModelInfo[];
  /** US dollars; undefined when the price is unknown. */
  cost(model: string, usage: Usage): number | undefined;
  /** What was used and paid since the program started. */
  spending(): SpendingReport;
  /** What it works with and within, as lines: model, mode, folders, sandbox. Looks for the sandbox if nobody has yet. */
  status(): Promise<string[]>;
  /** The memory files it works with, and what was not loaded. */
  memory(): MemoryReport;
  /** The skills and commands there are, and what could not be used. */
  skills(): Skills;
  /** A skill's text with these arguments, as a block for the model; its commands are run. Throws an Error for the person. */
  loadSkill(name: string, args: string, signal: AbortSignal): Promise<string>;
  /** What fills the model's window. */
  context(): ContextShares;
  /** What came from the prompt cache since the program started, and what last broke it. */
  cache(): CacheReport;
  /** A run is over: what was recorded is made to survive a power loss. */
  settled(): Promise<void>;
  /** Waits until no command runs in the background any more, at most `ms`. */
  idle(ms: number, signal: AbortSignal): Promise<void>;
  /** A new conversation with the same settings; this one is closed. */
  fresh(): Promise<Conversation>;
  /** Ends the record: what is written is made durable and the lock is given back. */
  close(): Promise<void>;
}

export type CommandResult =
  /** Text for the person. */
  | { kind: "say"; text: string; failed?: true }
  /** Sent to the model as if the person had typed it; `skill`: the block that goes with it. */
  | { kind: "prompt"; text: string; skill?: string }
  | { kind: "replaced"; conversation: Conversation; text: string }
  | { kind: "exit" };

export type CommandRun = {
  conversation: Conversation;
  /** Aborts what takes long; the command then throws the signal's reason. */
  signal: AbortSignal;
  /** What happens meanwhile, for who wants to show or count it. */
  event?(event: Event): void;
};

export type Command = {
  name: string;
  argumentHint: string;
  description: string;
  /** Of no use to a program that sends prompts. */
  terminalOnly?: true;
  /** With this argument it changes nothing and asks no model: it may answer while the model works. */
  onlyShows(argument: string): boolean;
  run(argument: string, at: CommandRun): Promise<CommandResult> | CommandResult;
};

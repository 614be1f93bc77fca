// The vocabulary: blocks, messages, events, tools and the interfaces every other room is written against.
import type { Prefix } from "./prefix.ts";

// ---- Blocks: the Messages API's shapes, so the first provider is nearly an identity. ----

export type TextBlock = { type: "text"; text: string };
export type ImageMediaType = "image/png" | "image/jpeg" | "image/gif" | "image/webp";
export type ImageBlock = {
  type: "image";
  source: { type: "base64"; media_type: ImageMediaType; data: string } | { type: "url"; url: string };
};
export type ThinkingBlock = { type: "thinking"; thinking: string; signature: string };
export type RedactedThinkingBlock = { type: "redacted_thinking"; data: string };
/** `input` is always an object: the API refuses anything else when it is sent back. */
export type ToolUse = { type: "tool_use"; id: string; name: string; input: Record<string, unknown> };
export type ToolResultContent = string | (TextBlock | ImageBlock)[];
export type ToolResult = {
  type: "tool_result";
  tool_use_id: string;
  content: ToolResultContent;
  is_error?: boolean;
};
/** A block this version does not know (server tools, documents, ...); `raw` goes back to the provider verbatim. */
export type OpaqueBlock = { type: "opaque"; raw: { type: string; [field: string]: unknown } };

export type AssistantBlock = TextBlock | ThinkingBlock | RedactedThinkingBlock | ToolUse | OpaqueBlock;
export type UserBlock = TextBlock | ImageBlock | ToolResult | OpaqueBlock;

// ---- Messages ----

/** Token counts as the Messages API reports them; absent cache fields mean 0. */
export type Usage = {
  input_tokens: number;
  output_tokens: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
  /** The part of `cache_creation_input_tokens` written with a one-hour life (priced higher). */
  cache_creation_1h_tokens?: number;
};

/** What the API says about why a reply ended. */
export const API_STOP_REASONS = [
  "end_turn",
  "tool_use",
  "max_tokens",
  "stop_sequence",
  "refusal",
  "pause_turn",
  "model_context_window_exceeded",
] as const;
/** `aborted` and `cut` are ours: the person interrupted, or the stream broke after a tool had started. */
export type StopReason = (typeof API_STOP_REASONS)[number] | "aborted" | "cut";

export type UserMessage = {
  role: "user";
  id: string;
  content: UserBlock[];
  /** Written by the program, not by the person. */
  synthetic?: boolean;
  /** It stands for messages that a compaction took out; its text says the same in words. */
  summary?: Summary;
};

/** What must not get lost when messages are taken out. */
export type Summary = {
  goal: string;
  /** What the person asked for, oldest first; the last one word for word, the others may be shortened. */
  requests: string[];
  decisions: string;
  files: { path: string; why: string }[];
  /** One entry per command: the command in backquotes, then how it failed. */
  failing: string[];
  todos: string[];
  next: string;
};
export type AssistantMessage = {
  role: "assistant";
  /** The API's message id. */
  id: string;
  content: AssistantBlock[];
  model: string;
  stopReason: StopReason;
  usage: Usage;
};
export type Message = UserMessage | AssistantMessage;

// ---- What a call will touch, as data. Gate, scheduler and display all read this one value. ----

export type Access =
  | { kind: "none" }
  | { kind: "read"; paths: string[] }
  | { kind: "write"; paths: string[] }
  | { kind: "shell"; command: string; background?: boolean }
  | { kind: "net"; url: string }
  /** Starts calls that are decided one by one: those of a sub-agent, or the commands of a skill. */
  | { kind: "agent" }
  /** Begins plan mode, in which nothing is changed. */
  | { kind: "plan"; step: "enter" }
  /** Puts a plan to the person. A yes ends plan mode; `back`: the mode that follows if they choose no other. */
  | { kind: "plan"; step: "leave"; plan: string; back: PermissionMode }
  | { kind: "unknown" };

// ---- Tools ----

export type ToolSpec = { name: string; description: string; schema: object };

/** For eyes only; never sent to the model. `lines` of a hunk start with " ", "+" or "-". */
export type View = { kind: "diff"; path: string; hunks: Hunk[] } | { kind: "text"; text: string };
export type Hunk = { oldStart: number; oldLines: number; newStart: number; newLines: number; lines: string[] };

export type ToolOutput = {
  content: ToolResultContent;
  isError?: boolean;
  /** The person said "no, and stop" to something the tool did: the run ends as if it had been the call itself. */
  interrupt?: boolean;
  view?: View;
  /** The `tool_use_result` of stream-json (shapes: contracts.md §6). Not stored, not sent to the model. */
  data?: unknown;
};

export interface ToolContext {
  /** The session's working directory when the call starts; absolute. */
  readonly cwd: string;
  readonly callId: string;
  /** What the gate decided about the wall around a command. */
  readonly confine: Confinement;
  /** The person or a hook changed the input: it is not what the model wrote. */
  readonly isChanged?: boolean;
  /** Aborted when the person interrupts or the process is told to stop. Every await takes it. */
  readonly signal: AbortSignal;
  /** Live output for the screen; a delta, never a snapshot. */
  progress(text: string): void;
  /** Moves the session's working directory (Bash's `cd`). */
  chdir(path: string): void;
  /** What a sub-agent does, as it does it. */
  child(event: Event): void;
}

// biome-ignore lint: tools differ in their input type; the registry holds them all.
export interface Tool<I = any> {
  readonly spec: ToolSpec;
  /** Validates; throws an Error whose text goes to the model. */
  parse(input: unknown): I;
  /** What the call touches; paths absolute. Required, so it cannot be forgotten. */
  access(input: I, cwd: string): Access;
  /** One line for people: "Read src/a.ts". */
  title(input: I): string;
  /** Does the work; throws an Error whose text goes to the model. */
  run(input: I, ctx: ToolContext): Promise<ToolOutput>;
}

// ---- The model ----

/** `cache: true` puts a cache mark after this block. */
export type SystemBlock = { text: string; cache: boolean };
export type Effort = "low" | "medium" | "high" | "xhigh" | "max";
export type Thinking = { type: "adaptive" } | { type: "disabled" } | { type: "budget"; tokens: number };

export type ModelRequest = {
  model: string;
  system: readonly SystemBlock[];
  /** Already normalised: roles alternate, every call answered in the next message. */
  messages: readonly Message[];
  tools: readonly ToolSpec[];
  maxTokens: number;
  thinking: Thinking;
  effort?: Effort;
  /** Also yield the provider's raw stream events (for --include-partial-messages). */
  raw: boolean;
  /** False once a tool of the reply now streaming has started: then a broken stream must not be asked again. */
  restartable(): boolean;
};

/** What a provider yields. After a `retry` everything since the last `start` is void: the reply begins again. */
export type ProviderEvent =
  | { type: "start"; id: string; model: string; usage: Usage }
  | { type: "text.delta"; text: string }
  | { type: "thinking.delta"; text: string }
  /** A complete block. `fault`: the call's input was not readable JSON (`input` is then {}); why, for the model. */
  | { type: "block"; block: AssistantBlock; fault?: string }
  | { type: "end"; stopReason: StopReason; usage: Usage }
  | { type: "raw"; event: unknown }
  | RetryEvent
  | ModelChange
  | Notice
  /** The stream broke after a tool had started (`restartable()` was false): what came so far stands, nothing follows. */
  | { type: "cut"; reason: string };

export type RetryEvent = {
  type: "retry";
  attempt: number;
  maxRetries: number;
  delayMs: number;
  /** HTTP status, or null for a connection failure or a stall. */
  status: number | null;
  reason: string;
};
/** For the person. */
export type Notice = { type: "notice"; level: "info" | "warning"; text: string };
export type ModelChange = { type: "model"; model: string; reason: string };

export interface Provider {
  /** Throws ModelError (core/errors.ts); stops at once, throwing the signal's reason, when `signal` aborts. */
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ProviderEvent>;
}

// ---- Permissions and the person ----

export type PermissionMode = "default" | "acceptEdits" | "plan" | "dontAsk" | "bypassPermissions";

/**
 * How much of the machine a shell command gets where there is a wall (sandbox/): `readonly`: nothing may be written
 * (approved by the read-only analysis); `workspace`: the project and a private temporary folder; `masked`: everything but
 * what deny rules forbid to read; `open`: no wall.
 */
export type Confinement = "readonly" | "workspace" | "masked" | "open";

export type Admission =
  /** `input`: the person or a hook changed the call's input. Without `confine` the call is not confined. */
  | { behavior: "allow"; input?: Record<string, unknown>; confine?: Confinement }
  /** `message` goes to the model; `interrupt` also ends the turn. */
  | { behavior: "deny"; message: string; interrupt?: boolean };

/** A sub-agent: the call that started it, and its kind. */
export type Asker = { id: string; name: string };

export type Question = {
  call: ToolUse;
  /** Who makes the call, when it is not the conversation's own model. */
  agent?: Asker;
  access: Access;
  title: string;
  /** Why it is asked, in words a person understands. */
  reason: string;
  /** What it touches, one line each: "writes src/a.ts", "runs outside the sandbox". Not sanitised. */
  touches: readonly string[];
  /** No allow rule would let it run unasked: a rule wants it asked, or it is about what is protected. */
  mustAsk?: true;
  /** The rules "always" would save, e.g. `Edit` or `Bash(npm test:*)`; absent when there is no safe one. */
  always?: {
    rules: readonly string[];
    /** They are saved in the project's local settings; else they count for this session. */
    saved: boolean;
  };
};
export type Answer =
  | {
      behavior: "allow";
      scope: "once" | "always";
      input?: Record<string, unknown>;
      /** Rules and a mode the person's program sets for the rest of the session. */
      updates?: PermissionUpdate[];
    }
  | { behavior: "deny"; message?: string; interrupt?: boolean };

/** `persist`: also for later sessions, in the project's local settings. Folders are absolute. */
export type PermissionUpdate =
  | { type: "addRules"; rules: string[]; behavior: "allow" | "deny" | "ask"; persist?: true }
  | { type: "addDirectories"; directories: string[] }
  | { type: "setMode"; mode: PermissionMode };

/** Whatever front end is attached. */
export interface Host {
  ask(question: Question, signal: AbortSignal): Promise<Answer>;
}

// ---- Events: deltas and facts, never snapshots. ----

export type DoneReason = "end_turn" | "aborted" | "error" | "max_turns" | "budget" | "refusal";
export type CallOutcome = "ok" | "error" | "denied" | "aborted";

/** Also the lines of the session file (session/store.ts): the state is a fold over these. */
export type DurableEvent =
  | { type: "message"; message: Message }
  /** Always after the `message` that holds its call. `view` and `data` are for eyes and wires: they are not stored. */
  | {
      type: "tool.end";
      call: ToolUse;
      result: ToolResult;
      outcome: CallOutcome;
      durationMs: number;
      view?: View;
      data?: unknown;
    }
  | { type: "mode"; mode: PermissionMode }
  | ModelChange
  | { type: "cwd"; cwd: string }
  /** What requests begin with from here on; the state does not depend on it. */
  | { type: "prefix"; prefix: Prefix }
  /** `messages` replaces everything before it. */
  | {
      type: "compacted";
      trigger: "auto" | "manual";
      messages: Message[];
      /** Before and after, partly estimated. */
      preTokens: number;
      postTokens?: number;
      /** Old results taken out; summarised by the model; by facts alone; also cut to fit. */
      how?: CompactedHow;
      /** What the model that wrote the summary used. */
      spent?: { model: string; usage: Usage };
    };

export const COMPACTED_HOW = ["pruned", "summarised", "listed", "cut"] as const;
export type CompactedHow = (typeof COMPACTED_HOW)[number];

export type Event =
  | DurableEvent
  | { type: "turn"; turn: number }
  | { type: "text.delta"; text: string }
  | { type: "thinking.delta"; text: string }
  /** A complete block of the reply still streaming; the `message` that holds it follows. */
  | { type: "block"; messageId: string; model: string; block: AssistantBlock; usage: Usage }
  | { type: "raw"; event: unknown }
  | { type: "tool.start"; call: ToolUse; title: string }
  | { type: "tool.progress"; id: string; text: string }
  | RetryEvent
  | Notice
  /** What takes a while besides turns and tools; null: it is over. */
  | { type: "status"; status: "compacting" | null }
  /** A sub-agent's event, under the call that started it. */
  | { type: "child"; id: string; event: Event }
  | { type: "done"; reason: DoneReason; error?: string; status?: number | null };

export type Compacted = Extract<DurableEvent, { type: "compacted" }>;

// ---- State: the fold of durable events ----

export type State = {
  readonly messages: readonly Message[];
  /** So many of the first messages were kept by a compaction: their usage tells of the history before it. */
  readonly stale?: number;
  readonly model: string;
  readonly mode: PermissionMode;
  readonly cwd: string;
};

export type CompactHow =
  | { reason: "threshold" }
  /** The model refused the request; `error`: its words. */
  | { reason: "too_long"; error: string }
  /** `focus`: what the person wants kept above all; "" when nothing in particular. */
  | { reason: "manual"; focus: string };
/** `stuck`: nothing was gained; `why` says what to do, for the person. */
export type CompactOutcome = { kind: "compacted"; event: Compacted } | { kind: "stuck"; why: string };

export interface Compactor {
  /** Whether the next request would be over the threshold. */
  isDue(state: State): boolean;
  /**
   * Works out a smaller history that says the same; the caller applies it. Yields what a person should see meanwhile
   * (`status`, notices, retries). Throws only the signal's reason.
   */
  run(state: State, how: CompactHow, signal: AbortSignal): AsyncGenerator<Event, CompactOutcome>;
}

/** What the loop needs from the world; built once in compose.ts, a plain object of fakes in tests. */
export interface Deps {
  readonly provider: Provider;
  readonly tools: ReadonlyMap<string, Tool>;
  /** Hooks, rules and the person, in that order. */
  admit(call: ToolUse, access: Access, title: string, signal: AbortSignal): Promise<Admission>;
  /** After-hooks; text they return is appended for the model. */
  observe(call: ToolUse, result: ToolResult): Promise<string[]>;
  system(): readonly SystemBlock[];
  /** Per-model request settings. */
  tune(model: string): Pick<ModelRequest, "maxTokens" | "thinking" | "effort">;
  /** Price in US dollars, or undefined when the model's price is unknown. */
  cost(model: string, usage: Usage): number | undefined;
  /** Makes room in the history; absent: a conversation that is too long ends. */
  readonly compactor?: Compactor;
  /** What the person typed while the loop worked; delivered between turns. */
  steering(): UserMessage[];
  /** What the model should know before the next request although nobody typed it. Never rejects. */
  remind?(): Promise<UserMessage | undefined>;
  readonly limits: { maxTurns?: number; maxBudgetUsd?: number };
  /** Forward the provider's raw stream events. */
  readonly raw: boolean;
  readonly now: () => number;
  readonly newId: () => string;
}

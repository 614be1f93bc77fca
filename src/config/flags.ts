// The one table of command-line flags: parsing (args.ts), the types of the options and --help all come from it.
import type { Effort, PermissionMode, Thinking } from "../core/types.ts";

/** How many words a flag takes and what they become; a value may always be given as `--flag=value` too. */
type Values = {
  switch: true;
  text: string;
  /** `true` without a value; a value only as `--flag=value` when `attached`, else also as the next word. */
  optional: string | true;
  /** Tool rules: several words or flags, split at commas and spaces outside parentheses. */
  words: string[];
  /** Several words or flags, each kept whole. */
  paths: string[];
  /** One value, split at commas. */
  commas: string[];
  /** A whole number above 0. */
  count: number;
  /** A whole number, 0 allowed. */
  tokens: number;
  dollars: number;
  uuid: string;
  mode: PermissionMode;
  thinking: Thinking;
  /** A JSON object. */
  json: Record<string, unknown>;
};
export type Kind = keyof Values | "choice";

export type Flag = {
  name: string;
  /** Other spellings; one letter after one dash is the short form. */
  aliases?: readonly string[];
  kind: Kind;
  /** How help and errors call the value. */
  value?: string;
  choices?: readonly string[];
  /** An empty value means something. */
  empty?: true;
  attached?: true;
  help?: string;
  /** Where help shows it; without one it is hidden. */
  group?: Group;
  /** `ignored`: taken for compatibility, changes nothing here. `unsupported`: ignoring it would mislead, so it is refused. */
  fate?: "ignored" | "unsupported";
};

export const GROUPS = ["Print mode", "Model", "Permissions", "Instructions and settings", "Sessions", "Other"] as const;
export type Group = (typeof GROUPS)[number];

const EFFORTS = ["low", "medium", "high", "xhigh", "max"] as const satisfies readonly Effort[];
const SOURCES = ["user", "project", "local"] as const;
export const MODES = ["acceptEdits", "auto", "bypassPermissions", "default", "dontAsk", "manual", "plan"] as const;

export const FLAGS = {
  // ---- Print mode ----
  print: {
    name: "--print",
    aliases: ["-p"],
    kind: "switch",
    group: "Print mode",
    help: "answer one prompt (also from stdin), print the result and leave",
  },
  outputFormat: {
    name: "--output-format",
    kind: "choice",
    value: "<format>",
    choices: ["text", "json", "stream-json"],
    group: "Print mode",
    help: "text (default), json, stream-json (lines; needs --verbose)",
  },
  inputFormat: {
    name: "--input-format",
    kind: "choice",
    value: "<format>",
    choices: ["text", "stream-json"],
    group: "Print mode",
    help: "text (default), or stream-json: messages as lines on stdin",
  },
  includePartialMessages: {
    name: "--include-partial-messages",
    kind: "switch",
    group: "Print mode",
    help: "also the model's raw stream events (with stream-json)",
  },
  replayUserMessages: {
    name: "--replay-user-messages",
    kind: "switch",
    group: "Print mode",
    help: "repeat what came on stdin on stdout (with stream-json)",
  },
  jsonSchema: {
    name: "--json-schema",
    kind: "json",
    value: "<schema>",
    group: "Print mode",
    help: "the result is JSON of this schema, in structured_output",
  },
  maxTurns: {
    name: "--max-turns",
    kind: "count",
    value: "<n>",
    group: "Print mode",
    help: "stop after n model requests",
  },
  maxBudgetUsd: {
    name: "--max-budget-usd",
    kind: "dollars",
    value: "<amount>",
    group: "Print mode",
    help: "stop when this much is spent, in US dollars",
  },
  verbose: { name: "--verbose", kind: "switch", group: "Print mode", help: "tell every step, not only the result" },

  // ---- Model ----
  model: {
    name: "--model",
    kind: "text",
    value: "<model>",
    group: "Model",
    help: "an alias (opus, sonnet, haiku) or a full model id",
  },
  fallbackModel: {
    name: "--fallback-model",
    kind: "commas",
    value: "<models>",
    group: "Model",
    help: "models to go on with when the first is overloaded: a,b",
  },
  effort: {
    name: "--effort",
    kind: "choice",
    value: "<level>",
    choices: EFFORTS,
    group: "Model",
    help: "low, medium, high, xhigh or max",
  },
  thinking: {
    name: "--thinking",
    kind: "thinking",
    value: "<how>",
    group: "Model",
    help: "adaptive, disabled or a number of tokens",
  },
  maxThinkingTokens: { name: "--max-thinking-tokens", kind: "tokens", value: "<n>" },
  cacheStrict: { name: "--cache-strict", kind: "switch" },
  betas: { name: "--betas", kind: "words", value: "<name...>", group: "Model", help: "beta headers to send along" },

  // ---- Permissions ----
  permissionMode: {
    name: "--permission-mode",
    kind: "mode",
    value: "<mode>",
    choices: MODES,
    group: "Permissions",
    help: "default, acceptEdits, plan, dontAsk or bypassPermissions",
  },
  allowedTools: {
    name: "--allowed-tools",
    aliases: ["--allowedTools"],
    kind: "words",
    value: "<rule...>",
    group: "Permissions",
    help: 'run without asking, e.g. "Edit,Bash(npm test)"',
  },
  disallowedTools: {
    name: "--disallowed-tools",
    aliases: ["--disallowedTools"],
    kind: "words",
    value: "<rule...>",
    group: "Permissions",
    help: "never run",
  },
  tools: {
    name: "--tools",
    kind: "words",
    value: "<name...>",
    empty: true,
    group: "Permissions",
    help: 'the only tools: "Read,Bash", "" for none, default for all',
  },
  addDir: {
    name: "--add-dir",
    kind: "paths",
    value: "<folder...>",
    group: "Permissions",
    help: "more folders that belong to the project",
  },
  trust: {
    name: "--trust",
    kind: "switch",
    group: "Permissions",
    help: "let this project's own settings act (for this run)",
  },
  permissionPromptTool: { name: "--permission-prompt-tool", kind: "text", value: "<tool>" },
  dangerouslySkipPermissions: {
    name: "--dangerously-skip-permissions",
    kind: "switch",
    group: "Permissions",
    help: "never ask (deny rules still hold); only where nothing can break",
  },
  allowDangerouslySkipPermissions: { name: "--allow-dangerously-skip-permissions", kind: "switch" },

  // ---- Instructions and settings ----
  systemPrompt: {
    name: "--system-prompt",
    kind: "text",
    value: "<text>",
    empty: true,
    group: "Instructions and settings",
    help: "instead of the built-in instructions",
  },
  systemPromptFile: {
    name: "--system-prompt-file",
    kind: "text",
    value: "<file>",
    group: "Instructions and settings",
    help: "the same, from a file",
  },
  appendSystemPrompt: {
    name: "--append-system-prompt",
    kind: "text",
    value: "<text>",
    empty: true,
    group: "Instructions and settings",
    help: "after the built-in instructions",
  },
  appendSystemPromptFile: {
    name: "--append-system-prompt-file",
    kind: "text",
    value: "<file>",
    group: "Instructions and settings",
    help: "the same, from a file",
  },
  settings: {
    name: "--settings",
    kind: "text",
    value: "<file|json>",
    group: "Instructions and settings",
    help: "settings over those of the settings files",
  },
  settingSources: {
    name: "--setting-sources",
    kind: "commas",
    value: "<sources>",
    choices: SOURCES,
    empty: true,
    group: "Instructions and settings",
    help: "which settings files count: user,project,local",
  },

  // ---- Sessions ----
  continue: {
    name: "--continue",
    aliases: ["-c"],
    kind: "switch",
    group: "Sessions",
    help: "go on with the last conversation of this folder",
  },
  resume: {
    name: "--resume",
    aliases: ["-r"],
    kind: "optional",
    value: "[id]",
    group: "Sessions",
    help: "go on with a conversation: its id, or the id's beginning",
  },
  forkSession: {
    name: "--fork-session",
    kind: "switch",
    group: "Sessions",
    help: "go on in a copy (with --continue or --resume)",
  },
  sessionId: { name: "--session-id", kind: "uuid", value: "<uuid>", group: "Sessions", help: "the new session's id" },
  name: { name: "--name", aliases: ["-n"], kind: "text", value: "<title>", group: "Sessions", help: "the title" },
  noSessionPersistence: {
    name: "--no-session-persistence",
    kind: "switch",
    group: "Sessions",
    help: "record nothing",
  },

  // ---- Other ----
  debug: {
    name: "--debug",
    kind: "optional",
    value: "[=filter]",
    attached: true,
    group: "Other",
    help: "write a debug log; filter: parts to log, e.g. =api,tools",
  },
  debugFile: { name: "--debug-file", kind: "text", value: "<file>", group: "Other", help: "write it to this file" },
  version: { name: "--version", aliases: ["-v"], kind: "switch", group: "Other", help: "print the version" },
  help: { name: "--help", aliases: ["-h"], kind: "switch", group: "Other", help: "print this" },

  // ---- What driving programs send: harmless here ----
  awaitInitialize: { name: "--await-initialize", kind: "switch", fate: "ignored" },
  includeHookEvents: { name: "--include-hook-events", kind: "switch", fate: "ignored" },
  strictMcpConfig: { name: "--strict-mcp-config", kind: "switch", fate: "ignored" },
  thinkingDisplay: { name: "--thinking-display", kind: "text", value: "<how>", fate: "ignored" },
  promptSuggestions: { name: "--prompt-suggestions", kind: "optional", attached: true, fate: "ignored" },
  excludeDynamicSections: { name: "--exclude-dynamic-system-prompt-sections", kind: "switch", fate: "ignored" },

  // ---- Known elsewhere; ignoring them would quietly do something else than was asked for ----
  mcpConfig: { name: "--mcp-config", kind: "paths", value: "<configs...>", fate: "unsupported" },
  agents: { name: "--agents", kind: "text", value: "<json>", fate: "unsupported" },
  agent: { name: "--agent", kind: "text", value: "<agent>", fate: "unsupported" },
  pluginDir: { name: "--plugin-dir", kind: "paths", value: "<folders...>", fate: "unsupported" },
  resumeSessionAt: { name: "--resume-session-at", kind: "text", value: "<uuid>", fate: "unsupported" },
  resumeDropsTurn: { name: "--resume-drops-turn", kind: "text", value: "<id>", fate: "unsupported" },
  sessionMirror: { name: "--session-mirror", kind: "optional", attached: true, fate: "unsupported" },
  taskBudget: { name: "--task-budget", kind: "text", value: "<tokens>", fate: "unsupported" },
  worktree: { name: "--worktree", aliases: ["-w"], kind: "optional", value: "[name]", fate: "unsupported" },
  bare: { name: "--bare", kind: "switch", fate: "unsupported" },
  safeMode: { name: "--safe-mode", kind: "switch", fate: "unsupported" },
  disableSlashCommands: { name: "--disable-slash-commands", kind: "switch", fate: "unsupported" },
  file: { name: "--file", kind: "paths", value: "<files...>", fate: "unsupported" },
  fromPr: { name: "--from-pr", kind: "optional", value: "[pr]", fate: "unsupported" },
  ide: { name: "--ide", kind: "switch", fate: "unsupported" },
  initOnly: { name: "--init-only", kind: "switch", fate: "unsupported" },
} as const satisfies Record<string, Flag>;

type Table = typeof FLAGS;
type Dropped = "help" | "version" | "maxThinkingTokens";
type ValueOf<F> = F extends { kind: "choice" | "commas"; choices: readonly (infer C)[] }
  ? F extends { kind: "commas" }
    ? C[]
    : C
  : F extends { kind: infer K extends keyof Values }
    ? Values[K]
    : never;

/** What was asked for on the command line; absent = not given. `thinking` also holds --max-thinking-tokens. */
export type Options = {
  -readonly [K in keyof Table as K extends Dropped ? never : Table[K] extends { fate: string } ? never : K]?: ValueOf<
    Table[K]
  >;
};

/** `--model <model>`: how errors and help name a flag. */
export function title(flag: Flag): string {
  if (!flag.value) return flag.name;
  return flag.attached ? `${flag.name}${flag.value}` : `${flag.name} ${flag.value}`;
}

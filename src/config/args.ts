// argv -> what to do and with which options; every mistake is one line. Also the text of --help.
import { UsageError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { FLAGS, GROUPS, title, type Flag, type Options } from "./flags.ts";
import { isWord, readValue, shown, type Given } from "./values.ts";

export type Command =
  | { kind: "run"; prompt?: string }
  | { kind: "demo" }
  | { kind: "sessions"; args: string[] }
  | { kind: "status"; args: string[] }
  | { kind: "memory"; args: string[] }
  | { kind: "compact"; args: string[] }
  | { kind: "trust"; args: string[] }
  | { kind: "permissions"; args: string[] }
  | { kind: "help" }
  | { kind: "version" };
export type Parsed = { command: Command; options: Options };

const SUBCOMMANDS = [
  { name: "demo", usage: "demo", help: "a short show with a scripted model: no key, no network" },
  {
    name: "sessions",
    usage: "sessions list",
    help: "what is recorded for this folder (--all: for every folder)",
  },
  { name: "status", usage: "status", help: "what a conversation here may do, and its sandbox" },
  { name: "memory", usage: "memory [file ...]", help: "the memory files that count here, or for these files" },
  {
    name: "compact",
    usage: "compact --dry-run SESSION",
    help: "what a compaction of a conversation would do",
  },
  {
    name: "trust",
    usage: "trust [status|yes|no]",
    help: "what this project's own settings could run; whether they may",
  },
  {
    name: "permissions",
    usage: "permissions explain ...",
    help: "whether a call would run, and why; also: test, simulate",
  },
] as const;
/** Those that read their own arguments. */
const WITH_ARGS = ["sessions", "status", "memory", "compact", "trust", "permissions"] as const;
/** What `permissions` takes besides its own; they choose the settings and rules that count. */
const ABOUT_RULES: readonly string[] = [
  "settings",
  "settingSources",
  "allowedTools",
  "disallowedTools",
  "permissionMode",
  "addDir",
  "trust",
];

const ENTRIES: readonly [key: string, flag: Flag][] = Object.entries(FLAGS);
const BY_NAME = new Map(
  ENTRIES.flatMap(([key, flag]) => [flag.name, ...(flag.aliases ?? [])].map((name) => [name, { key, flag }] as const)),
);

/**
 * Throws UsageError whose message is the whole line for stderr. `print` is also set when a format for programs is
 * asked for: there is no screen to show it on.
 */
export function parseArgs(argv: readonly string[]): Parsed {
  const words = scan(argv);
  const raw: Record<string, unknown> = words.values;
  if (raw["help"]) return { command: { kind: "help" }, options: {} };
  if (raw["version"]) return { command: { kind: "version" }, options: {} };
  const { maxThinkingTokens, ...rest } = raw;
  // The table gives each key its kind and readValue() checked the value against it: the one place types are asserted.
  const options = rest as Options;
  if (typeof maxThinkingTokens === "number") {
    options.thinking ??= maxThinkingTokens > 0 ? { type: "budget", tokens: maxThinkingTokens } : { type: "disabled" };
  }
  if (options.inputFormat === "stream-json") options.print = true;
  if (options.outputFormat && options.outputFormat !== "text") options.print = true;
  const command = words.sub ?? commandOf(words.positional);
  if (command.kind === "run") crossCheck(options);
  return { command, options };
}

type Scanned = { values: Record<string, unknown>; positional: string[]; sub?: Command };

function scan(argv: readonly string[]): Scanned {
  const out: Scanned = { values: {}, positional: [] };
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? "";
    if (word === "--") {
      out.positional.push(...argv.slice(i + 1));
      break;
    }
    if (isWord(word)) {
      const first = out.positional.length === 0 && !out.values["print"] && !out.sub;
      const sub = first ? WITH_ARGS.find((name) => name === word) : undefined;
      if (sub) {
        const rest = argv.slice(i + 1);
        out.sub = sub === "permissions" ? { kind: sub, args: aboutRules(rest, out.values) } : withArgs(sub, rest);
        break;
      }
      if (first && word === "demo") out.sub = { kind: "demo" };
      else out.positional.push(word);
      continue;
    }
    const letters = shortFlags(word);
    for (const [n, name] of letters.entries()) {
      const last = n === letters.length - 1;
      i = take({ name, argv, at: i, attached: last ? attachedValue(word) : undefined, last }, out.values);
    }
    if (out.values["help"] || out.values["version"]) break;
  }
  if (out.sub && out.sub.kind === "demo" && out.positional.length > 0) throw unexpected(out.positional[0] ?? "");
  return out;
}

function withArgs(kind: (typeof WITH_ARGS)[number], args: string[]): Command {
  return args.some((arg) => arg === "-h" || arg === "--help") ? { kind: "help" } : { kind, args };
}

/** Takes the options about rules out. What follows `--` is one text, with nothing in it looked at. */
function aboutRules(argv: readonly string[], values: Record<string, unknown>): string[] {
  const rest: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? "";
    if (word === "--") return [...rest, word, argv.slice(i + 1).join(" ")];
    const name = word.split("=", 1)[0] ?? word;
    const isOurs = !isWord(word) && ABOUT_RULES.includes(BY_NAME.get(name)?.key ?? "");
    if (isOurs) i = take({ name, argv, at: i, attached: attachedValue(word), last: true }, values);
    else rest.push(word);
  }
  return rest;
}

/** `-pc` means `-p -c` when every letter is a flag; anything else is one flag. */
function shortFlags(word: string): string[] {
  const name = word.split("=", 1)[0] ?? word;
  const letters = /^-[A-Za-z]{2,}$/.test(name) ? [...name.slice(1)].map((letter) => `-${letter}`) : [];
  return letters.length > 0 && letters.every((letter) => BY_NAME.has(letter)) ? letters : [name];
}

function attachedValue(word: string): string | undefined {
  const at = word.indexOf("=");
  return at < 0 ? undefined : word.slice(at + 1);
}

type Taking = { name: string; argv: readonly string[]; at: number; attached: string | undefined; last: boolean };

/** Stores one flag's value; returns the index of the last word it used. */
function take({ name, argv, at, attached, last }: Taking, values: Record<string, unknown>): number {
  const found = BY_NAME.get(name);
  if (!found) throw unknown(name);
  const { key, flag } = found;
  const rest = last && attached === undefined ? argv.slice(at + 1) : [];
  const given: Given = { flag, attached, following: rest, earlier: values[key] };
  const { value, used } = readValue(given);
  if (flag.fate === "unsupported" && !(key === "mcpConfig" && noServers(value))) {
    throw new UsageError(`error: option '${title(flag)}' is not supported by this version`);
  }
  if (!flag.fate) values[key] = value;
  return at + used;
}

/** A driving program may hand over an empty set of servers: nothing is lost by taking it. */
function noServers(value: unknown): boolean {
  return Array.isArray(value) && value.every((text) => /^\s*\{\s*("mcpServers"\s*:\s*\{\s*\}\s*)?\}\s*$/.test(text));
}

function commandOf(positional: string[]): Command {
  const [prompt, extra] = positional;
  if (extra !== undefined) throw unexpected(extra);
  return prompt === undefined ? { kind: "run" } : { kind: "run", prompt };
}

function unexpected(word: string): UsageError {
  return new UsageError(`error: unexpected argument '${shown(word)}'. A prompt of several words goes in quotes.`);
}

function unknown(name: string): UsageError {
  const names = [...BY_NAME].filter(([, { flag }]) => flag.fate !== "unsupported").map(([known]) => known);
  const near = name.startsWith("--") ? nearest(name, names) : undefined;
  const hint = near ? ` (did you mean '${near}'?)` : " (--help lists them)";
  return new UsageError(`error: unknown option '${shown(name)}'${hint}`);
}

/** Options that only make sense together, or not together. */
function crossCheck(options: Options): void {
  const streamOut = options.outputFormat === "stream-json";
  const streamIn = options.inputFormat === "stream-json";
  const from = options.continue || options.resume !== undefined;
  const wrong: [boolean | undefined, string][] = [
    [streamIn && !streamOut, "--input-format stream-json also needs --output-format stream-json"],
    [streamOut && !options.verbose, "--output-format stream-json with --print also needs --verbose"],
    [options.includePartialMessages && !streamOut, "--include-partial-messages needs --output-format stream-json"],
    [options.replayUserMessages && !(streamIn && streamOut), "--replay-user-messages needs stream-json both ways"],
    [both(options.systemPrompt, options.systemPromptFile), "use --system-prompt or --system-prompt-file, not both"],
    [
      both(options.appendSystemPrompt, options.appendSystemPromptFile),
      "use --append-system-prompt or --append-system-prompt-file, not both",
    ],
    [options.continue && options.resume !== undefined, "use --continue or --resume, not both"],
    [options.print && options.resume === true, "--resume with --print needs a session id or a title"],
    [options.forkSession && !from, "--fork-session needs --continue or --resume"],
    [
      Boolean(options.sessionId && from && !options.forkSession),
      "--session-id with --continue or --resume also needs --fork-session",
    ],
    [
      options.permissionPromptTool !== undefined && options.permissionPromptTool !== "stdio",
      "--permission-prompt-tool: only stdio is supported by this version",
    ],
    [
      options.permissionPromptTool === "stdio" && !streamIn,
      "--permission-prompt-tool stdio needs --input-format stream-json: the answers come on stdin",
    ],
  ];
  const problem = wrong.find(([is]) => is);
  if (problem) throw new UsageError(`error: ${problem[1]}`);
}

function both(a: unknown, b: unknown): boolean {
  return a !== undefined && b !== undefined;
}

const COLUMN = 37;

/** The text of --help, at most 100 columns wide; no newline at its end. */
export function help(): string {
  const lines = [
    "nanocode: a terminal coding agent",
    "",
    "Usage:",
    "  nanocode [options] [prompt]           work in this folder",
    "  nanocode -p [options] [prompt]        answer once and leave; the prompt may come from stdin",
    ...SUBCOMMANDS.map((sub) => `  nanocode ${sub.usage.padEnd(28)} ${sub.help}`),
  ];
  for (const group of GROUPS) {
    lines.push("", `${group}:`);
    for (const [, flag] of ENTRIES) if (flag.group === group) lines.push(...entry(flag));
  }
  lines.push(
    "",
    "Keys: ANTHROPIC_API_KEY, ANTHROPIC_AUTH_TOKEN or OPENROUTER_API_KEY. `--` ends the options.",
    "Exit codes: 0 done; 1 a mistake in the command, a limit or a failed run; 130 interrupted.",
  );
  return lines.join("\n");
}

function entry(flag: Flag): string[] {
  const short = flag.aliases?.find((alias) => !alias.startsWith("--"));
  const left = `  ${short ? `${short}, ` : "    "}${title(flag)}`;
  const text = flag.help ?? "";
  return left.length < COLUMN ? [`${left.padEnd(COLUMN)}${text}`] : [left, `${" ".repeat(COLUMN)}${text}`];
}

// The built-in slash commands. One value each; help and completion come from this list.
import { nearest } from "../core/nearest.ts";
import type { Command, CommandResult, CommandRun } from "./command.ts";
import { compact } from "./compact.ts";
import { contextText } from "./context.ts";
import { costText } from "./cost.ts";
import { init } from "./init.ts";
import { memoryListing } from "./memory.ts";

export const COMMANDS: readonly Command[] = [
  {
    name: "help",
    argumentHint: "",
    description: "what can be typed here",
    terminalOnly: true,
    run: () => ({ kind: "say", text: help() }),
  },
  { name: "model", argumentHint: "[name]", description: "show or change the model", run: model },
  { name: "status", argumentHint: "", description: "model, mode, folders, rules and sandbox", run: status },
  { name: "memory", argumentHint: "", description: "the memory files that count here", run: memory },
  { name: "context", argumentHint: "", description: "what fills the model's window", run: context },
  {
    name: "compact",
    argumentHint: "[focus]",
    description: "summarise what came before, keeping the focus",
    run: compact,
  },
  { name: "cost", argumentHint: "", description: "tokens and dollars, by model", run: cost },
  { name: "init", argumentHint: "[wishes]", description: "write or improve NANOCODE.md", run: init },
  { name: "clear", argumentHint: "", description: "start a new conversation", terminalOnly: true, run: clear },
  {
    name: "exit",
    argumentHint: "",
    description: "leave (also Ctrl-D)",
    terminalOnly: true,
    run: () => ({ kind: "exit" }),
  },
];

/** Those that a program may send as a prompt. */
export const SENDABLE: readonly Command[] = COMMANDS.filter((command) => !command.terminalOnly);

/** The command a prompt consists of; undefined when it is for the model, as `/etc/hosts is wrong` is. */
export function commandIn(text: string): { command: Command; argument: string } | undefined {
  const [, name, argument = ""] = /^\s*\/([a-z]+)(?:\s+(\S[\s\S]*))?\s*$/.exec(text) ?? [];
  const command = SENDABLE.find((one) => one.name === name);
  return command && { command, argument: argument.trim() };
}

/** Runs `/name argument`; an unknown name says which is near. */
export async function runCommand(line: string, at: CommandRun): Promise<CommandResult> {
  const [name = "", ...rest] = line.slice(1).trim().split(/\s+/);
  const wanted = name === "quit" ? "exit" : name;
  const command = COMMANDS.find((c) => c.name === wanted);
  if (command) return command.run(rest.join(" "), at);
  const near = nearest(
    name,
    COMMANDS.map((c) => c.name),
  );
  const hint = near ? ` Did you mean /${near}?` : "";
  return { kind: "say", text: `There is no command /${name}.${hint} /help lists them.` };
}

function help(): string {
  const lines = COMMANDS.map((c) => `  ${`/${c.name} ${c.argumentHint}`.padEnd(16)} ${c.description}`);
  return [
    "Type what you want done and press Enter. A line that ends in \\ goes on in the next one.",
    "While it works: type more to steer it, Ctrl-C interrupts, Ctrl-C again leaves.",
    "",
    ...lines,
  ].join("\n");
}

function model(argument: string, { conversation }: CommandRun): CommandResult {
  const { agent } = conversation;
  if (argument === "") {
    const known = conversation.models().map((m) => `  ${m.id.padEnd(28)} ${m.displayName}`);
    return {
      kind: "say",
      text: [`Model: ${agent.state.model}`, "Known models (aliases: opus, sonnet, haiku):", ...known].join("\n"),
    };
  }
  const id = conversation.resolveModel(argument);
  agent.setModel(id);
  const known = conversation.models().some((m) => m.id === id);
  return {
    kind: "say",
    text: known ? `Model: ${id}` : `Model: ${id} (not in the catalog: its price and window are unknown)`,
  };
}

async function status(_argument: string, { conversation }: CommandRun): Promise<CommandResult> {
  return { kind: "say", text: (await conversation.status()).join("\n") };
}

function memory(_argument: string, { conversation }: CommandRun): CommandResult {
  return { kind: "say", text: memoryListing(conversation.memory()) };
}

function context(_argument: string, { conversation }: CommandRun): CommandResult {
  return { kind: "say", text: contextText(conversation.context(), conversation.cache()) };
}

function cost(_argument: string, { conversation }: CommandRun): CommandResult {
  return { kind: "say", text: costText(conversation.spending()) };
}

async function clear(_argument: string, { conversation }: CommandRun): Promise<CommandResult> {
  const fresh = await conversation.fresh();
  const text = `New conversation. The last one is kept: nanocode --resume ${conversation.id}`;
  return { kind: "replaced", conversation: fresh, text };
}

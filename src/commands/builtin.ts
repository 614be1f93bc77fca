// The built-in slash commands. One value each; help and completion come from this list.
import { nearest } from "../core/nearest.ts";
import type { Command, CommandResult, CommandRun, Conversation } from "./command.ts";
import { compact } from "./compact.ts";
import { contextText } from "./context.ts";
import { costText } from "./cost.ts";
import { init } from "./init.ts";
import { memoryListing } from "./memory.ts";
import { skillCommands, skillListing } from "./skills.ts";

const shows = () => true;
const acts = () => false;

export const COMMANDS: readonly Command[] = [
  {
    name: "help",
    argumentHint: "",
    description: "what can be typed here",
    terminalOnly: true,
    onlyShows: shows,
    run: () => ({ kind: "say", text: help() }),
  },
  {
    name: "model",
    argumentHint: "[name]",
    description: "show or change the model",
    onlyShows: (argument) => argument === "",
    run: model,
  },
  {
    name: "status",
    argumentHint: "",
    description: "model, mode, folders, rules and sandbox",
    onlyShows: shows,
    run: status,
  },
  { name: "memory", argumentHint: "", description: "the memory files that count here", onlyShows: shows, run: memory },
  {
    name: "skills",
    argumentHint: "",
    description: "the skills and commands that can be used here",
    onlyShows: shows,
    run: skills,
  },
  { name: "context", argumentHint: "", description: "what fills the model's window", onlyShows: shows, run: context },
  {
    name: "compact",
    argumentHint: "[focus]",
    description: "summarise what came before, keeping the focus",
    onlyShows: acts,
    run: compact,
  },
  { name: "cost", argumentHint: "", description: "tokens and dollars, by model", onlyShows: shows, run: cost },
  { name: "init", argumentHint: "[wishes]", description: "write or improve NANOCODE.md", onlyShows: acts, run: init },
  {
    name: "clear",
    argumentHint: "",
    description: "start a new conversation",
    terminalOnly: true,
    onlyShows: acts,
    run: clear,
  },
  {
    name: "exit",
    argumentHint: "",
    description: "leave (also Ctrl-D)",
    terminalOnly: true,
    onlyShows: acts,
    run: () => ({ kind: "exit" }),
  },
];

type WithSkills = Pick<Conversation, "skills">;

/** The built-in ones, then the skills; a skill does not take a built-in name. */
function commandsOf(conversation: WithSkills): Command[] {
  return [...COMMANDS, ...skillCommands(conversation).filter(({ name }) => !COMMANDS.some((one) => one.name === name))];
}

/** Those that a program may send as a prompt. */
export function sendable(conversation: WithSkills): Command[] {
  return commandsOf(conversation).filter((command) => !command.terminalOnly);
}

/** The command a prompt consists of; undefined when it is for the model, as `/etc/hosts is wrong` is. */
export function commandIn(text: string, conversation: WithSkills): { command: Command; argument: string } | undefined {
  const [, name, argument = ""] = /^\s*\/([^\s/]+)(?:\s+(\S[\s\S]*))?\s*$/.exec(text) ?? [];
  const command = sendable(conversation).find((one) => isCalled(one, name));
  return command && { command, argument: argument.trim() };
}

/** Names differ by more than the case of their letters. */
function isCalled({ name }: Command, typed: string | undefined): boolean {
  return name.toLowerCase() === typed?.toLowerCase();
}

/** A line typed in the terminal that names a command, known or not; text of several lines does not. */
export function isCommand(text: string): boolean {
  return text.startsWith("/") && !text.includes("\n");
}

/** Undefined: there is no such command. */
export function findCommand(
  line: string,
  conversation: WithSkills,
): { command: Command; argument: string } | undefined {
  const { name, argument } = partsOf(line);
  const command = commandsOf(conversation).find((one) => isCalled(one, name === "quit" ? "exit" : name));
  return command && { command, argument };
}

/** Runs `/name argument`; an unknown name says which is near. */
export async function runCommand(line: string, at: CommandRun): Promise<CommandResult> {
  const found = findCommand(line, at.conversation);
  if (found) return found.command.run(found.argument, at);
  const { name } = partsOf(line);
  const near = nearest(
    name,
    commandsOf(at.conversation).map((c) => c.name),
  );
  const hint = near ? ` Did you mean /${near}?` : "";
  return { kind: "say", text: `There is no command /${name}.${hint} /help lists them.` };
}

function partsOf(line: string): { name: string; argument: string } {
  const [, name = "", argument = ""] = /^\/(\S*)\s*([\s\S]*)$/.exec(line.trim()) ?? [];
  return { name, argument };
}

function help(): string {
  const lines = COMMANDS.map((c) => `  ${`/${c.name} ${c.argumentHint}`.padEnd(16)} ${c.description}`);
  return [
    "Type what you want done and press Enter. A line that ends in \\ goes on in the next one.",
    "While it works: type more to steer it, Ctrl-C interrupts, Ctrl-C again leaves. Commands that only show something",
    "answer at once, the others when it is done.",
    "Lines pasted together are one message. On Linux a terminal takes 4,095 bytes of one line: put longer ones into a file.",
    "",
    ...lines,
    "  /NAME            a skill or command of yours or of the project; /skills lists them",
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

function skills(_argument: string, { conversation }: CommandRun): CommandResult {
  return { kind: "say", text: skillListing(conversation.skills()) };
}

function context(_argument: string, { conversation }: CommandRun): CommandResult {
  return { kind: "say", text: contextText(conversation.context(), conversation.cache()) };
}

function cost(_argument: string, { conversation }: CommandRun): CommandResult {
  return { kind: "say", text: costText(conversation.spending()) };
}

async function clear(_argument: string, { conversation }: CommandRun): Promise<CommandResult> {
  const { chosenModel } = conversation.agent;
  const fresh = await conversation.fresh();
  if (fresh.agent.chosenModel !== chosenModel) fresh.agent.setModel(chosenModel);
  const text = `New conversation. The last one is kept: nanocode --resume ${conversation.id}`;
  return { kind: "replaced", conversation: fresh, text };
}

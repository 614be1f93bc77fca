// Skills as slash commands, and `/skills`, which lists them.
import type { TextBlock } from "../core/types.ts";
import type { Skill } from "../skills/discover.ts";
import type { Command, CommandResult, Conversation } from "./command.ts";

const LINE = 100;

/** Those a person may type, as commands. */
export function skillCommands(conversation: Pick<Conversation, "skills">): Command[] {
  const mine = conversation.skills().skills.filter(({ forPerson }) => forPerson);
  return mine.map(({ name, description, argumentHint }) => ({
    name,
    argumentHint,
    description,
    onlyShows: () => false,
    run: (args, at) => typed(name, args, at),
  }));
}

async function typed(
  name: string,
  args: string,
  { conversation, signal }: { conversation: Conversation; signal: AbortSignal },
): Promise<CommandResult> {
  try {
    const skill = await conversation.loadSkill(name, args, signal);
    return { kind: "prompt", text: `/${name}${args === "" ? "" : ` ${args}`}`, skill };
  } catch (error) {
    if (signal.aborted) throw error;
    return { kind: "say", text: error instanceof Error ? error.message : String(error), failed: true };
  }
}

/** What the model is sent for a command. */
export function promptContent({ text, skill }: Extract<CommandResult, { kind: "prompt" }>): TextBlock[] {
  return [text, ...(skill === undefined ? [] : [skill])].map((one) => ({ type: "text", text: one }));
}

/** `/skills`. Not sanitised. */
export function skillListing({ skills, problems }: ReturnType<Conversation["skills"]>): string {
  const head =
    skills.length === 0 ? ["No skills (.claude/skills/NAME/SKILL.md) or commands (.claude/commands/NAME.md)."] : [];
  const part = (title: string, lines: readonly string[]) => (lines.length === 0 ? [] : [`${title}:`, ...lines]);
  const lines = [
    ...head,
    ...skills.flatMap((skill) => [`/${skill.name} ${skill.argumentHint}`.trimEnd(), ...details(skill)]),
    ...part(
      "Not used, or not as it is written",
      problems.map((text) => `  ${text}`),
    ),
  ];
  // A name with a line break in it could pass for an entry of its own.
  return lines.map((line) => line.replace(/\p{Cc}+/gu, " ")).join("\n");
}

function details({ description, path, by, forModel, forPerson, commands, allowedTools }: Skill): string[] {
  const short = description.length > LINE ? `${description.slice(0, LINE).toWellFormed()}…` : description;
  const who =
    forModel && forPerson ? "" : forModel ? ", for the model only" : forPerson ? ", for you only" : ", for nobody";
  const runs =
    commands.length === 0
      ? ""
      : `, runs ${commands.length === 1 ? "a command" : `${commands.length} commands`} when it is loaded`;
  const allows = allowedTools.length === 0 ? "" : `, allows ${allowedTools.join(", ")}`;
  return [...(short === "" ? [] : [`  ${short}`]), `  ${OWNERS[by]}${who}${runs}${allows}: ${path}`];
}

const OWNERS: Readonly<Record<Skill["by"], string>> = {
  machine: "the machine's",
  person: "yours",
  project: "the project's",
};

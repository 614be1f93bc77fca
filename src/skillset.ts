// The skills of one conversation: which there are, the tool that loads them, and what it takes to run their commands.
import { COMMANDS } from "./commands/builtin.ts";
import type { Options } from "./config/flags.ts";
import type { Places } from "./config/paths.ts";
import type { Settings } from "./config/settings.ts";
import { projectFolders } from "./config/sources.ts";
import { skillBlock } from "./context/skills.ts";
import { nearest } from "./core/nearest.ts";
import type { Access, Deps, Tool, ToolContext, ToolOutput } from "./core/types.ts";
import { discoverSkills, textOf, type Skill, type Skills } from "./skills/discover.ts";
import { listing, listingBudget } from "./skills/listing.ts";
import { commandsIn, readSkill } from "./skills/parse.ts";
import { renderSkill } from "./skills/render.ts";
import { skillTool } from "./tools/skill.ts";
import { asFields } from "./utils/jsonl.ts";

export type SkillWorld = {
  options: Options;
  settings: Settings;
  places: Places;
  /** Where the project is. */
  cwd: string;
  isTrusted: boolean;
  sessionId: string;
  /** Of the model the conversation starts with, in tokens. */
  contextWindow: number;
  /** Whether a rule forbids to read it. */
  hides(path: string): boolean;
  /** Allow rules of a skill that is used now; `takeBack`: it is over. */
  lend(rules: readonly string[], source: string): () => void;
  takeBack(): void;
  /** Runs a skill's commands; undefined when it is not offered. */
  bash(): Tool | undefined;
  admit: Deps["admit"];
  /** Where the conversation is. */
  here(): string;
  newId: Deps["newId"];
};

const FOLLOW =
  "These are the skill's instructions: follow them for the task at hand. Paths in them are relative to its folder.";

/** The person said "no, and stop" to one of its commands. */
class Stopped extends Error {}

export class SkillSet {
  #world: SkillWorld;
  #found: Skills;
  /** The person has typed one, and the message it goes with is not sent yet. */
  #isTyped = false;

  constructor(world: SkillWorld) {
    const { settings, places, cwd, options } = world;
    this.#world = world;
    this.#found = discoverSkills({
      folders: projectFolders(cwd),
      places,
      sources: options.settingSources,
      overrides: asFields(settings.other["skillOverrides"]),
      hidden: (path) => world.hides(path),
      reserved: COMMANDS.flatMap(({ name }) => (name === "exit" ? ["exit", "quit"] : [name])),
    });
  }

  get found(): Skills {
    return this.#found;
  }

  /** None when there is nothing the model could load. */
  tools(): Tool[] {
    const { settings, contextWindow } = this.#world;
    const offered = this.#found.skills.filter(({ forModel }) => forModel);
    if (offered.length === 0) return [];
    const tool = skillTool({
      listing: listing(offered, listingBudget(contextWindow, settings.other["skillListingBudgetFraction"])),
      access: (name) => this.#access(name),
      load: async ({ skill: name, args = "" }, ctx) => {
        const skill = this.#named(name, offered);
        const data = { success: true, commandName: skill.name };
        try {
          return { content: `${await this.#load(skill, args, ctx)}\n${FOLLOW}`, data };
        } catch (error) {
          if (!(error instanceof Stopped)) throw error;
          return { content: error.message, isError: true, interrupt: true };
        }
      },
    });
    return [tool];
  }

  /** Its block, for what the person typed. Throws an Error that says what to do. */
  async load(name: string, args: string, signal: AbortSignal): Promise<string> {
    const { newId, here, takeBack } = this.#world;
    takeBack();
    const silent = () => undefined;
    const alone = {
      cwd: here(),
      callId: newId(),
      confine: "open",
      signal,
      progress: silent,
      chdir: silent,
      child: silent,
    } as const;
    const block = await this.#load(this.#named(name, this.#found.skills), args, alone);
    this.#isTyped = true;
    return block;
  }

  /** The person said something: unless it is what a skill was typed in, what skills allow is over. */
  requested(): void {
    if (!this.#isTyped) this.#world.takeBack();
    this.#isTyped = false;
  }

  /** One that runs something must not begin before the reply is recorded. */
  #access(name: string): Access {
    const skill = this.#found.skills.find((one) => isCalled(one, name));
    return skill && skill.commands.length > 0 ? { kind: "agent" } : { kind: "none" };
  }

  #named(name: string, among: readonly Skill[]): Skill {
    const found = among.find((one) => isCalled(one, name));
    if (found) return found;
    const names = among.map((one) => one.name);
    const near = nearest(name, names);
    throw new Error(
      `There is no skill "${name}"${near ? `; did you mean "${near}"?` : `. There are: ${names.join(", ")}.`}`,
    );
  }

  async #load(skill: Skill, args: string, ctx: ToolContext): Promise<string> {
    const { options, settings, cwd, sessionId, isTrusted, lend } = this.#world;
    const source = textOf(skill.real);
    if ("why" in source)
      throw new Error(`The skill ${skill.name} cannot be loaded: ${shown(skill.path)}: ${source.why}.`);
    const { body } = readSkill(source.text);
    const refused = this.#refusal(skill, commandsIn(body));
    if (refused !== undefined) throw new Error(refused);
    const { allowedTools, by } = skill;
    const mayAllow = allowedTools.length > 0 && (by !== "project" || isTrusted);
    const undo = mayAllow ? lend(allowedTools, skill.path) : undefined;
    const count = { commands: 0 };
    const rendered = renderSkill({
      body,
      args,
      argumentNames: skill.argumentNames,
      values: {
        SESSION_ID: sessionId,
        SKILL_DIR: skill.folder,
        PROJECT_DIR: cwd,
        EFFORT: options.effort ?? settings.effortLevel,
      },
      run: (command) => this.#run(command, { skill, ctx, number: ++count.commands }),
    });
    const text = await rendered.catch((error: unknown) => {
      // What was not loaded allows nothing.
      undo?.();
      throw error;
    });
    return skillBlock({ name: skill.name, folder: skill.folder, text });
  }

  /** A project's skill runs what it held when the project was judged, and only if it may act. */
  #refusal(skill: Skill, commands: readonly string[]): string | undefined {
    if (commands.length === 0) return undefined;
    const runs = `The skill ${skill.name} (${shown(skill.path)}) runs commands when it is loaded`;
    if (this.#world.settings.other["disableSkillShellExecution"] === true) {
      return `${runs}, which the setting disableSkillShellExecution forbids.`;
    }
    if (skill.by !== "project") return undefined;
    if (!this.#world.isTrusted)
      return `${runs}, and this folder is not trusted: the person can see and allow it with \`nanocode trust\`.`;
    if (commands.join("\n") === skill.commands.join("\n")) return undefined;
    return `${runs}, and they have changed since the conversation began. The person must look at them and start anew.`;
  }

  /** As a call of Bash: the same rules, the same question, the same wall. Throws when it fails or is refused. */
  async #run(
    command: string,
    { skill, ctx, number }: { skill: Skill; ctx: ToolContext; number: number },
  ): Promise<string> {
    const { bash, admit } = this.#world;
    const tool = bash();
    if (!tool) throw new Error(`The skill ${skill.name} runs commands, and Bash is not offered here.`);
    const call = { type: "tool_use" as const, id: `${ctx.callId}-${number}`, name: "Bash", input: { command } };
    const input: unknown = tool.parse(call.input);
    const admission = await admit(call, tool.access(input, ctx.cwd), tool.title(input), ctx.signal);
    const failed = (why: string) =>
      `The skill ${skill.name} was not loaded, because of its command \`${command}\`: ${why}`;
    if (admission.behavior === "deny") {
      const { message, interrupt } = admission;
      throw interrupt ? new Stopped(failed(message)) : new Error(failed(message));
    }
    const confined = { ...ctx, confine: admission.confine ?? ("open" as const), chdir: () => undefined };
    const output: ToolOutput = await tool.run(admission.input ? tool.parse(admission.input) : input, confined);
    const text = typeof output.content === "string" ? output.content : "";
    if (output.isError) throw new Error(failed(text));
    if (asFields(output.data)["backgroundTaskId"] !== undefined) throw new Error(failed(`it did not end. ${text}`));
    return text;
  }
}

function isCalled({ name }: Skill, wanted: string): boolean {
  return name.toLowerCase() === wanted.replace(/^\//, "").toLowerCase();
}

/** In one line: a path can have line breaks in it. */
function shown(path: string): string {
  return path.replace(/\p{Cc}+/gu, " ");
}

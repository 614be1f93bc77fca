// What instructs the model in a conversation: the memory files of its folder and the system text.
import { resolve } from "node:path";
import type { Options } from "./config/flags.ts";
import type { Env, Places } from "./config/paths.ts";
import { readPrompt } from "./config/promptfile.ts";
import type { Settings } from "./config/settings.ts";
import { projectFolders } from "./config/sources.ts";
import { loadMemory, type Memory } from "./context/memory.ts";
import { addedFolders, type Permit } from "./permit.ts";
import { promptBook, type PromptBook } from "./prompt/book.ts";
import { localDate } from "./utils/date.ts";

type InstructionSetup = { options: Options; settings: Settings; places: Places; env: Env; cwd: string };

/** The memory files of the folder a conversation starts in. */
export function memoryOf(
  { options, settings, places, cwd }: Omit<InstructionSetup, "env">,
  permit: Pick<Permit, "roots" | "hides">,
): Memory {
  const excludes = [settings.other["claudeMdExcludes"]].flat();
  return loadMemory({
    cwd,
    root: projectFolders(cwd).at(-1) ?? cwd,
    places,
    added: () => permit.roots(),
    sources: options.settingSources,
    excludes: excludes.filter((glob) => typeof glob === "string"),
    hidden: (path) => permit.hides(path),
  });
}

export function promptOf(
  { options, cwd, env, settings }: Omit<InstructionSetup, "places">,
  memory: string | undefined,
): PromptBook {
  const fromFile = (path: string | undefined) => (path === undefined ? undefined : readPrompt(resolve(cwd, path)));
  const append = [options.appendSystemPrompt, fromFile(options.appendSystemPromptFile)].filter((t) => t !== undefined);
  return promptBook({
    cwd,
    platform: process.platform,
    shell: env.SHELL,
    date: localDate(new Date()),
    addedFolders: addedFolders(options, settings).map((dir) => resolve(cwd, dir)),
    memory,
    replace: options.systemPrompt ?? fromFile(options.systemPromptFile),
    append: append.length > 0 ? append.join("\n\n") : undefined,
  });
}

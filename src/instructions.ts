// What instructs the model in a conversation: the memory files of its folder, the system text, and what it is reminded of.
import { resolve } from "node:path";
import type { Options } from "./config/flags.ts";
import type { Env, Places } from "./config/paths.ts";
import { readPrompt } from "./config/promptfile.ts";
import type { Settings } from "./config/settings.ts";
import { projectFolders } from "./config/sources.ts";
import { gitFacts } from "./context/environment.ts";
import { loadMemory, type Memory } from "./context/memory.ts";
import { memoryReminder } from "./context/memory-text.ts";
import { touchedPaths } from "./context/memory-touch.ts";
import { Reminders } from "./context/reminders.ts";
import type { Deps, State } from "./core/types.ts";
import type { FileTracker } from "./files/tracker.ts";
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

/** `agent`: the text of a sub-agent, which no flag about the conversation's own replaces or extends. */
export function promptOf(
  { options, cwd, env, settings }: Omit<InstructionSetup, "places">,
  memory: string | undefined,
  agent?: string,
): PromptBook {
  const fromFile = (path: string | undefined) => (path === undefined ? undefined : readPrompt(resolve(cwd, path)));
  const append = [options.appendSystemPrompt, fromFile(options.appendSystemPromptFile)].filter((t) => t !== undefined);
  const own = {
    replace: options.systemPrompt ?? fromFile(options.systemPromptFile),
    append: append.length > 0 ? append.join("\n\n") : undefined,
  };
  return promptBook({
    cwd,
    platform: process.platform,
    shell: env.SHELL,
    date: localDate(new Date()),
    addedFolders: addedFolders(options, settings).map((dir) => resolve(cwd, dir)),
    memory,
    ...(agent === undefined ? own : { text: agent }),
  });
}

/** After each call: what memory says of the files it touched, once. */
export function observing(memory: Memory, cwd: () => string): Deps["observe"] {
  return async (call, result) => {
    const text = memoryReminder(memory.memoryFor(touchedPaths(call, result, cwd())));
    return text === undefined ? [] : [text];
  };
}

/** What is known of the repository when a session begins; nobody has to wait for it. */
export type Facts = Promise<string | undefined>;

/** A replaced system prompt is left as it was wanted: without our facts. */
export async function factsOf({
  options,
  cwd,
  env,
  isTrusted = false,
}: Pick<InstructionSetup, "options" | "cwd" | "env"> & { isTrusted?: boolean }): Facts {
  if (options.systemPrompt !== undefined || options.systemPromptFile !== undefined) return undefined;
  return gitFacts({ cwd, env, isTrusted });
}

/** Before each request so many files are looked at: those used last. */
const WATCHED_FILES = 100;

type Reminding = { tracker: FileTracker; start: Pick<State, "messages" | "mode">; environment?: () => Facts };

export function remindersOf({ tracker, start, ...more }: Reminding): Reminders {
  const changes = (told: ReadonlyMap<string, string>) => tracker.changes(WATCHED_FILES, told);
  return new Reminders({ ...more, changes, today: () => localDate(new Date()) }, start);
}

// `/compact [focus]`, and `nanocode compact --dry-run SESSION`: what it would do to a recorded conversation.
import { dryRun, type DryRunOptions } from "../context/dryrun.ts";
import { UsageError } from "../core/errors.ts";
import { reduce } from "../core/state.ts";
import type { State } from "../core/types.ts";
import { findSession } from "../session/list.ts";
import { load, repairs } from "../session/load.ts";
import type { CommandResult, CommandRun } from "./command.ts";

export async function compact(focus: string, { conversation, signal, event }: CommandRun): Promise<CommandResult> {
  const said: string[] = [];
  for await (const happened of conversation.agent.compact(focus, signal)) {
    if (happened.type === "notice") said.push(happened.text);
    else event?.(happened);
  }
  await conversation.settled();
  return { kind: "say", text: said.join("\n") };
}

export type CompactWorld = {
  /** `~/.nanocode/sessions` */
  sessions: string;
  /** What a conversation here would begin with; the model is the record's where it names one. */
  start: State;
  optionsFor(session: string): DryRunOptions;
  signal: AbortSignal;
};

const USAGE = "nanocode compact --dry-run SESSION (in a conversation: /compact)";

/** The text to print; not sanitised. Throws UsageError. */
export async function compactCommand(args: readonly string[], world: CompactWorld): Promise<string> {
  const words = args.filter((arg) => arg !== "--dry-run");
  const [wanted, extra] = words;
  if (words.length === args.length) throw new UsageError(`error: compact only looks: ${USAGE}`);
  if (wanted === undefined || extra !== undefined || wanted.startsWith("-")) throw new UsageError(`error: ${USAGE}`);
  const path = findSession(world.sessions, wanted);
  if (path === undefined) throw new UsageError(`No conversation found with session ID: ${wanted}`);
  const { events, notices } = await load(path);
  const folded = [...events, ...repairs(events)].reduce(reduce, world.start);
  const last = folded.messages.findLast((message) => message.role === "assistant");
  const state = last?.role === "assistant" ? { ...folded, model: last.model } : folded;
  const id = /([^/\\]+)\.jsonl$/.exec(path)?.[1] ?? "";
  return [...notices, `session ${id}`, await dryRun(state, world.optionsFor(id), world.signal)].join("\n");
}

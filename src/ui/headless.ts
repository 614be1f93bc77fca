// Print mode: prompts in, one result each; text, json and stream-json are three sinks for the same events.
import { commandIn } from "../commands/builtin.ts";
import type { Conversation } from "../commands/command.ts";
import { promptContent } from "../commands/skills.ts";
import type { Event, UserMessage } from "../core/types.ts";
import type { Out } from "./out.ts";
import { oneLine, sanitize } from "./sanitize.ts";
import { Tally, Totals } from "./tally.ts";

/** Asked again this often for output that fits --json-schema. */
const MAX_STRUCTURED_RETRIES = 5;
export const NO_STRUCTURED = "The model gave no output that fits --json-schema";
const ASK_STRUCTURED =
  "You ended without a valid StructuredOutput call. Call StructuredOutput now with your final answer in the required shape.";

export interface Sink {
  begin(): void;
  event(event: Event): void;
  result(tally: Tally, structured: unknown, subtype?: string): void;
}

export type Headless = {
  conversation: Conversation;
  prompts: AsyncIterable<UserMessage> | Iterable<UserMessage>;
  sink: Sink;
  /** Aborted when the process is told to stop. */
  signal: AbortSignal;
  /** Aborts the run alone: given the controller of each run as it starts. */
  onRun?(controller: AbortController): void;
  /** True once no result is wanted any more (SIGTERM). */
  quiet(): boolean;
};

/** Answers every prompt in order. Returns the exit code: that of the last run. */
export async function runHeadless({ conversation, prompts, sink, signal, onRun, quiet }: Headless): Promise<number> {
  const totals = new Totals(conversation);
  const state = { code: 0 };
  for await (const prompt of prompts) {
    const controller = new AbortController();
    onRun?.(controller);
    const either = AbortSignal.any([signal, controller.signal]);
    state.code = await answer({ conversation, sink, totals, prompt, signal: either, quiet });
    await conversation.settled();
    if (signal.aborted) break;
  }
  return state.code;
}

type Answering = {
  conversation: Conversation;
  sink: Sink;
  totals: Totals;
  prompt: UserMessage;
  signal: AbortSignal;
  quiet(): boolean;
};

async function answer(answering: Answering): Promise<number> {
  const { sink, totals, prompt } = answering;
  const tally = new Tally(totals);
  sink.begin();
  const [block, ...more] = prompt.content;
  const wanted =
    block?.type === "text" && more.length === 0 ? commandIn(block.text, answering.conversation) : undefined;
  const instead = wanted && (await commanded(wanted, { ...answering, tally }));
  if (instead === "answered") return tally.failed ? 1 : 0;
  const message: UserMessage = instead ? { ...prompt, content: promptContent(instead) } : prompt;
  return modelled({ ...answering, prompt: message, tally });
}

type Wanted = NonNullable<ReturnType<typeof commandIn>>;

/** A slash command sent as a prompt: what it says is the result; or the text the model gets instead. */
async function commanded({ command, argument }: Wanted, { conversation, sink, tally, signal, quiet }: Tallied) {
  const event = (happened: Event) => {
    tally.take(happened);
    sink.event(happened);
  };
  try {
    const result = await command.run(argument, { conversation, signal, event });
    if (result.kind === "prompt") return result;
    const failed = result.kind === "say" && result.failed === true;
    tally.say(result.kind === "exit" ? "" : result.text, { failed });
  } catch (error) {
    if (!signal.aborted) throw error;
    tally.take({ type: "done", reason: "aborted" });
  }
  if (!quiet()) sink.result(tally, undefined);
  return "answered" as const;
}

type Tallied = Answering & { tally: Tally };

async function modelled({ conversation, sink, prompt, signal, quiet, tally }: Tallied): Promise<number> {
  conversation.structured();
  for (let attempt = 0, message = prompt; ; attempt++) {
    for await (const event of conversation.agent.prompt(message, signal, tally.turns)) {
      tally.take(event);
      if (event.type !== "done") sink.event(event);
    }
    const { expected, value } = conversation.structured();
    const settled = !expected || value !== undefined || tally.done?.reason !== "end_turn";
    if (settled || attempt >= MAX_STRUCTURED_RETRIES) {
      const subtype = settled ? undefined : "error_max_structured_output_retries";
      if (!quiet()) sink.result(tally, value, subtype);
      return tally.failed || subtype ? 1 : 0;
    }
    message = synthetic(ASK_STRUCTURED);
  }
}

function synthetic(text: string): UserMessage {
  return { role: "user", id: crypto.randomUUID(), content: [{ type: "text", text }], synthetic: true };
}

/** Only the final text on stdout; what happens meanwhile and matters goes to stderr, with --verbose every call. */
export function textSink(conversation: Conversation, out: Out, err: Out): Sink {
  return {
    begin() {},
    event(event) {
      const line = remark(event) ?? (conversation.verbose ? step(event) : undefined);
      if (line) err.write(`${sanitize(line)}\n`);
    },
    result(tally, structured, subtype) {
      if (subtype) return out.write(`Error: ${NO_STRUCTURED}\n`);
      const text = structured === undefined ? finalText(tally, conversation) : JSON.stringify(structured);
      out.write(`${out.isTerminal ? sanitize(text) : text}\n`);
    },
  };
}

function finalText(tally: Tally, { limits }: Conversation): string {
  switch (tally.done?.reason) {
    case "max_turns":
      return `Error: Reached max turns (${limits.maxTurns ?? 0})`;
    case "budget":
      return `Error: Reached max budget ($${limits.maxBudgetUsd ?? 0})`;
    case "aborted":
      return tally.text || "Interrupted.";
    default:
      return tally.resultText();
  }
}

/** One line per call, and another when it did not go well. */
export function step(event: Event): string | undefined {
  if (event.type === "child") {
    const inner = step(event.event);
    return inner === undefined ? undefined : `  ${inner}`;
  }
  if (event.type === "tool.start") {
    const { call, title } = event;
    return `* ${oneLine(title.startsWith(call.name) ? title : `${call.name}: ${title}`)}`;
  }
  if (event.type !== "tool.end" || event.outcome === "ok") return undefined;
  const { content } = event.result;
  const text = typeof content === "string" ? content : content.map((b) => (b.type === "text" ? b.text : "")).join(" ");
  return `  ${event.outcome}: ${oneLine(text)}`;
}

/** What a person who waits should know, in one line. */
export function remark(event: Event): string | undefined {
  switch (event.type) {
    case "child":
      return remark(event.event);
    case "retry": {
      const seconds = Math.max(1, Math.round(event.delayMs / 1000));
      return `${event.reason}. Trying again in ${seconds} s (${event.attempt} of ${event.maxRetries}).`;
    }
    case "model":
      return `Going on with ${event.model}: ${event.reason}.`;
    case "notice":
      return event.text;
    default:
      return undefined;
  }
}

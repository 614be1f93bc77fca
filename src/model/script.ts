// A model that follows a script: for demonstrations and tests that need no key and no network.
import { ModelError } from "../core/errors.ts";
import type { ModelRequest, Provider, ProviderEvent, ToolUse, Usage } from "../core/types.ts";
import { lastResultText, unmet } from "./script-expect.ts";
import { fill, fillObject } from "./script-fields.ts";
import { withRaw } from "./script-raw.ts";
import { parseScript } from "./script-format.ts";
import type { Step } from "./script-format.ts";
import { abortableSleep } from "./sleep.ts";

export type ScriptOptions = {
  /** Values of placeholders known from the start, e.g. `cwd`. */
  vars?: Record<string, string>;
  /** Ids must not repeat when a session is resumed with the same script, so the default is random. */
  newId?: (prefix: "msg" | "toolu") => string;
  /** Waits `ms`; throws the signal's reason when it aborts. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
};

const BYTES_PER_TOKEN = 3.3;

/**
 * A provider that gives the replies of `text` (docs/script-format.md), one per request, in order; `name` is the file's
 * name in messages. Throws UsageError for a malformed script; its stream throws ModelError("invalid") for a request the
 * script did not expect and after the last reply.
 */
export function scriptProvider(text: string, name: string, options: ScriptOptions = {}): Provider {
  const { vars = {}, newId = randomId, sleep = abortableSleep } = options;
  const steps = parseScript(text, name, Object.keys(vars));
  const values = new Map(Object.entries(vars));
  const progress = { requests: 0 };
  return {
    async *stream(request, signal) {
      signal.throwIfAborted();
      const step = steps[progress.requests++];
      if (step === undefined) throw exhausted(name, steps.length, progress.requests);
      checkRequest(step, request, values);
      if (step.fail) throw new ModelError(step.fail.kind, step.fail.message, step.fail);
      const pause = () => (step.delayMs > 0 ? sleep(step.delayMs, signal) : undefined);
      const events = reply(prepare(step, values, newId), request, pause);
      for await (const event of request.raw ? withRaw(events) : events) {
        signal.throwIfAborted();
        yield event;
      }
    },
  };
}

function exhausted(name: string, steps: number, requests: number): ModelError {
  return new ModelError(
    "invalid",
    `${name}: the script ends after ${steps} ${steps === 1 ? "reply" : "replies"}, but this is request ${requests}. ` +
      "Add a line for it, or let the reply before make no calls.",
  );
}

/** Throws when an expectation is not met; stores what the step captures. */
function checkRequest(step: Step, request: ModelRequest, values: Map<string, string>): void {
  const result = lastResultText(request);
  for (const { name, pattern } of step.capture) {
    const match = result === undefined ? null : pattern.exec(result);
    if (match === null) {
      const came =
        result === undefined ? "there is no tool result in the last message" : "the last result does not match";
      throw new ModelError("invalid", `${step.at}: capture.${name}: ${came} ${String(pattern)}`);
    }
    values.set(name, match[1] ?? match[0]);
  }
  for (const expectation of step.expect) {
    const problem = unmet(expectation, request, values);
    if (problem !== undefined) throw new ModelError("invalid", `${step.at}: ${problem}`);
  }
}

/** A step with its placeholders filled in and its ids given. */
type Reply = { id: string; think: string; text: string; calls: ToolUse[] } & Pick<Step, "stop" | "chunk" | "usage">;

function prepare(step: Step, values: ReadonlyMap<string, string>, newId: (prefix: "msg" | "toolu") => string): Reply {
  const { stop, chunk, usage } = step;
  const calls = step.calls.map(({ tool, input, id }): ToolUse => ({
    type: "tool_use",
    id: id ?? newId("toolu"),
    name: tool,
    input: fillObject(input, values),
  }));
  const texts = { think: fill(step.think, values), text: fill(step.text, values) };
  return { id: newId("msg"), ...texts, calls, stop, chunk, usage };
}

async function* reply(
  { id, think, text, calls, stop, chunk, usage: given }: Reply,
  request: ModelRequest,
  pause: () => Promise<void> | undefined,
): AsyncGenerator<ProviderEvent> {
  const input = { ...NO_USAGE, input_tokens: tokens([request.system, request.messages, request.tools]), ...given };
  const usage: Usage = { ...input, output_tokens: given.output_tokens ?? tokens([think, text, calls]) };
  yield { type: "start", id, model: request.model, usage: { ...input, output_tokens: 1 } };
  if (think !== "") {
    for (const piece of pieces(think, chunk)) {
      await pause();
      yield { type: "thinking.delta", text: piece };
    }
    yield { type: "block", block: { type: "thinking", thinking: think, signature: "" } };
  }
  if (text !== "") {
    for (const piece of pieces(text, chunk)) {
      await pause();
      yield { type: "text.delta", text: piece };
    }
    yield { type: "block", block: { type: "text", text } };
  }
  for (const block of calls) {
    await pause();
    yield { type: "block", block };
  }
  yield { type: "end", stopReason: stop, usage };
}

const NO_USAGE: Usage = {
  input_tokens: 0,
  output_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
};

function tokens(value: unknown): number {
  return Math.ceil(Buffer.byteLength(JSON.stringify(value)) / BYTES_PER_TOKEN);
}

/** `text` in pieces of `words` words, each with the blanks after it; together they are `text`. */
function* pieces(text: string, words: number): Generator<string> {
  const step = new RegExp(`(?:\\s*\\S+){1,${words}}\\s*|\\s+`, "gu");
  for (const [piece] of text.matchAll(step)) yield piece;
}

function randomId(prefix: "msg" | "toolu"): string {
  return `${prefix}_script_${crypto.randomUUID().replaceAll("-", "")}`;
}

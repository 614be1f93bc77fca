// What the compaction tests share: a compactor over fakes, and a model that works, summarises and sometimes misbehaves.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { compactor, type CompactorOptions } from "../src/context/compact.ts";
import { NO_USAGE } from "../src/core/state.ts";
import type { Compactor, Message, ModelRequest, Provider, Tool, UserMessage } from "../src/core/types.ts";
import { reply, text, user, type Step } from "./support.ts";

/** A reply in the form compact.md asks for. */
export const GOOD_SUMMARY = [
  "## Goal\nMake the parser fast.",
  "## Decisions and findings\nThe tokenizer is in src/token.ts:12; a cache was tried and did not help.",
  "## Edited files\n- src/a.ts: faster loop",
  "## Failing commands\nnone",
  "## Open todos\n- measure again",
  "## Next step\nRun the benchmark.",
].join("\n\n");

/** A window that three of `longFiles` fill. */
export const SMALL_WINDOW = { CLAUDE_CODE_AUTO_COMPACT_WINDOW: "60000", CLAUDE_CODE_MAX_OUTPUT_TOKENS: "4000" };

/** `f0.txt` to `f5.txt` in a folder, of 900 lines each, no two the same. */
export function longFiles(folder: string): void {
  for (const file of [0, 1, 2, 3, 4, 5]) {
    const lines = Array.from({ length: 900 }, (_, n) => `line ${n} of file ${file}, and some more words to fill it`);
    writeFileSync(join(folder, `f${file}.txt`), lines.join("\n"));
  }
}

export const WINDOW = { contextWindow: 60_000, maxOutput: 4_000, buffer: 3_000 };
/** What follows from WINDOW. */
export const THRESHOLD = 53_000;

export type Kit = Partial<CompactorOptions> & { provider: Provider; tools?: Map<string, Tool> };

export function compactorWith(more: Kit): { compactor: Compactor; kept: Map<string, string> } {
  const kept = new Map<string, string>();
  const ids = { n: 0 };
  const options: CompactorOptions = {
    tools: new Map(),
    system: () => [],
    tune: () => ({ maxTokens: WINDOW.maxOutput, thinking: { type: "disabled" } }),
    contextWindow: () => WINDOW.contextWindow,
    auto: { enabled: true, buffer: WINDOW.buffer },
    keep(name, content) {
      kept.set(name, content);
      return `/scratch/${name}`;
    },
    readable: () => false,
    newId: () => `c${++ids.n}`,
    ...more,
  };
  return { compactor: compactor(options), kept };
}

/** Whether this request asks for a summary. */
export function asksForSummary({ messages }: ModelRequest): boolean {
  const last = messages.at(-1);
  return last?.role === "user" && last.content.some((b) => b.type === "text" && b.text.includes("Do not call a tool."));
}

/** Answers by a function of the request, and keeps the requests. */
export function answering(answer: (request: ModelRequest) => Step[]): Provider & { requests: ModelRequest[] } {
  const requests: ModelRequest[] = [];
  return {
    requests,
    async *stream(request, signal) {
      requests.push(request);
      for (const step of answer(request)) {
        signal.throwIfAborted();
        if (step.type === "throw") throw step.error;
        if (step.type !== "wait") yield step;
      }
    },
  };
}

export const summarising = (words = GOOD_SUMMARY) => answering(() => reply([text(words)]));

export function said(value: string, inputTokens = 0): Message {
  const usage = { ...NO_USAGE, input_tokens: inputTokens };
  return { role: "assistant", id: `a${value}`, content: [text(value)], model: "m", stopReason: "end_turn", usage };
}

/** One call and its result, as two messages. */
export function did(
  id: string,
  call: { name: string; input: Record<string, unknown> },
  result: string,
  isError = false,
): Message[] {
  const content: UserMessage["content"] = [
    { type: "tool_result", tool_use_id: id, content: result, ...(isError ? { is_error: true } : {}) },
  ];
  return [
    {
      role: "assistant",
      id: `a${id}`,
      content: [{ type: "tool_use", id, ...call }],
      model: "m",
      stopReason: "tool_use",
      usage: NO_USAGE,
    },
    { role: "user", id: `r${id}`, content, synthetic: true },
  ];
}

/** About so many tokens of prose. */
export function prose(tokens: number, word = "lorem"): string {
  const chars = Math.floor(tokens * 3.3);
  return `${word} `.repeat(Math.ceil(chars / (word.length + 1))).slice(0, chars);
}

export const read = (path: string) => ({ name: "Read", input: { file_path: path } });
export const edit = (path: string) => ({ name: "Edit", input: { file_path: path, old_string: "a", new_string: "b" } });
export const bash = (command: string) => ({ name: "Bash", input: { command } });

/** A history of `turns` reads of `tokens` each after one request. */
export function history(turns: number, tokens: number, request = "please fix the parser"): Message[] {
  const turn = (n: number) => did(`t${n}`, read(`src/f${n}.ts`), prose(tokens, `word${n}`));
  return [user(request), ...Array.from({ length: turns }, (_, n) => turn(n)).flat()];
}

// What the session tests share: a folder to record in, stores over it, random but sensible conversations.
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reduce } from "../src/core/state.ts";
import type { AssistantBlock, DurableEvent, Message, State, ToolUse } from "../src/core/types.ts";
import { SessionStore, type StoreOptions } from "../src/session/store.ts";
import { chance, START } from "./support.ts";

export type Dice = ReturnType<typeof chance>;

export function folder(): { path: string; remove(): void } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "nanocode-session-")));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export const NO_PROBLEM = (text: string) => {
  throw new Error(`unexpected: ${text}`);
};

/** Options for a session of its own in `root/project`. */
export function optionsIn(root: string, more: Partial<StoreOptions> = {}): StoreOptions {
  const id = more.id ?? crypto.randomUUID();
  const path = more.path ?? join(root, "project", `${id}.jsonl`);
  return { cwd: "/p", version: "1.2.3", onProblem: NO_PROBLEM, now: () => 0, ...more, id, path };
}

export function record(options: StoreOptions, events: readonly DurableEvent[]): void {
  const store = new SessionStore(options);
  for (const event of events) store.append(event);
  store.close();
}

export function linesOf(path: string): Record<string, unknown>[] {
  const text = readFileSync(path, "utf8");
  if (!text.endsWith("\n")) throw new Error("no newline at the end");
  return text
    .slice(0, -1)
    .split("\n")
    .map((line) => JSON.parse(line));
}

export function fold(events: readonly DurableEvent[]): State {
  return events.reduce(reduce, START);
}

export function says(text: string, id: string = crypto.randomUUID()): DurableEvent {
  return { type: "message", message: { role: "user", id, content: [{ type: "text", text }] } };
}

export function replies(content: AssistantBlock[], id: string = crypto.randomUUID()): DurableEvent {
  const calls = content.some((block) => block.type === "tool_use");
  const usage = { input_tokens: 1, output_tokens: 2, cache_creation_input_tokens: 3, cache_read_input_tokens: 4 };
  const message: Message = {
    role: "assistant",
    id,
    content,
    model: "m",
    stopReason: calls ? "tool_use" : "end_turn",
    usage,
  };
  return { type: "message", message };
}

export function uses(id: string, name = "Read", input: Record<string, unknown> = { file_path: "/p/a" }): ToolUse {
  return { type: "tool_use", id, name, input };
}

export function ends(call: ToolUse, content = "done"): DurableEvent {
  const result = { type: "tool_result" as const, tool_use_id: call.id, content };
  return { type: "tool.end", call, result, outcome: "ok", durationMs: 5 };
}

const TEXTS = [
  "hi",
  "日本語\u2028x",
  '"quoted" \\ \n\r\n\t',
  "\u0000\u001b[31m",
  "🎉\ud800 lone",
  "",
  '{"type":"user"}',
  "x".repeat(9_000),
];

/** Any durable event, one of each kind of block among them. Calls of earlier replies are answered from `open`. */
export function anyEvent(dice: Dice, open: ToolUse[]): DurableEvent {
  const text = () => dice.pick(TEXTS);
  switch (dice.below(9)) {
    case 0:
      return {
        type: "mode",
        mode: dice.pick(["default", "acceptEdits", "plan", "dontAsk", "bypassPermissions"] as const),
      };
    case 1:
      return { type: "model", model: text(), reason: text() };
    case 2:
      return { type: "cwd", cwd: `/p/${text()}` };
    case 3:
      return { type: "message", message: anyUser(dice) };
    case 4:
      open.length = 0;
      return {
        type: "compacted",
        trigger: dice.pick(["auto", "manual"] as const),
        messages: [anyUser(dice)],
        preTokens: dice.below(1e6),
      };
    case 5:
    case 6: {
      const call = open.shift();
      if (!call) return says(text() || "again");
      const content = dice.pick([text(), [{ type: "text" as const, text: text() }], []]);
      const result = {
        type: "tool_result" as const,
        tool_use_id: call.id,
        content,
        ...dice.pick([{}, { is_error: true }]),
      };
      const outcome = dice.pick(["ok", "error", "denied", "aborted"] as const);
      return { type: "tool.end", call, result, outcome, durationMs: dice.next() * 1000 };
    }
    default: {
      const calls = Array.from({ length: dice.below(3) }, () =>
        uses(crypto.randomUUID(), "Bash", { command: text(), n: 1.5, deep: [{}] }),
      );
      open.push(...calls);
      const blocks: AssistantBlock[] = [
        { type: "text", text: text() },
        { type: "thinking", thinking: text(), signature: "s" },
        { type: "redacted_thinking", data: "d" },
        { type: "opaque", raw: { type: "server_tool_use", any: [1, { x: text() }] } },
      ];
      return replies([...blocks.slice(dice.below(4)), ...calls]);
    }
  }
}

function anyUser(dice: Dice): Message {
  const image = {
    type: "image" as const,
    source: { type: "base64" as const, media_type: "image/png" as const, data: "aGk=" },
  };
  const text = { type: "text" as const, text: dice.pick(TEXTS.filter(Boolean)) };
  const content = dice.pick([
    [text],
    [image],
    [text, image],
    [{ type: "opaque" as const, raw: { type: "document", source: {} } }],
  ]);
  const id = dice.pick([crypto.randomUUID(), "not-a-uuid", "u1"]);
  return { role: "user", id, content, ...dice.pick([{}, { synthetic: true }]) };
}

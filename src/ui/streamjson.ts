// stream-json: every event as one JSON line in the shapes of contracts.md §6. Also the sink of --output-format json.
import type { Conversation } from "../commands/command.ts";
import { COMMANDS, sendable } from "../commands/builtin.ts";
import type { AssistantBlock, AssistantMessage, Event, Usage, UserBlock } from "../core/types.ts";
import { NO_STRUCTURED, type Sink } from "./headless.ts";
import type { Tally } from "./tally.ts";

/** Readers with a fixed line buffer (1 MB) must survive a screenshot. */
const MAX_LINE = 1_000_000;

export type Emit = (message: Record<string, unknown>) => void;

/** One line per message; `uuid` and `session_id` are added here. */
export function lineEmitter(write: (text: string) => void, sessionId: () => string): Emit {
  return (message) => {
    const whole = { ...message, session_id: sessionId(), uuid: crypto.randomUUID() };
    const line = JSON.stringify(whole);
    write(`${line.length < MAX_LINE ? line : JSON.stringify(whole, shorten)}\n`);
  };
}

function shorten(key: string, value: unknown): unknown {
  if (typeof value !== "string" || value.length <= 50_000) return value;
  if (key === "data") return ""; // half an image is no image
  return `${value.slice(0, 50_000)}… [${value.length - 50_000} more characters left out of this line]`;
}

/** The sink that turns events into messages. */
export function messageSink(conversation: Conversation, emit: Emit): Sink {
  const shown = { id: "", blocks: 0 };
  const assistant = (message: { id: string; model: string; usage: Usage }, block: AssistantBlock) => {
    if (shown.id !== message.id) Object.assign(shown, { id: message.id, blocks: 0 });
    shown.blocks++;
    emit(assistantLine(message, block));
  };
  return {
    begin: () => emit(initMessage(conversation)),
    event(event) {
      if (event.type === "block") {
        assistant({ id: event.messageId, model: event.model, usage: event.usage }, event.block);
      } else if (event.type === "message" && event.message.role === "assistant") {
        for (const block of unshown(event.message, shown)) assistant(event.message, block);
      } else if (event.type === "child") {
        for (const line of childLines(event.event)) emit({ ...line, parent_tool_use_id: event.id });
      } else {
        if (event.type === "tool.end" && event.outcome === "denied") emit(deniedLine(event));
        const line = otherLine(event);
        if (line) emit(line);
      }
    },
    result(tally: Tally, structured: unknown, subtype?: string) {
      const result = tally.result(conversation.limits, structured);
      const { result: _, ...failed } = result;
      const reason = "structured_output_retry_exhausted";
      const error = { ...failed, subtype, is_error: true, errors: [NO_STRUCTURED], terminal_reason: reason };
      emit(subtype ? error : result);
    },
  };
}

/** --output-format json: the result of the last prompt; with --verbose an array of all messages. */
export function jsonSink(conversation: Conversation, write: (text: string) => void): Sink {
  const all: Record<string, unknown>[] = [];
  const keep = (message: Record<string, unknown>) =>
    void all.push({ ...message, session_id: conversation.id, uuid: crypto.randomUUID() });
  const sink = messageSink(conversation, keep);
  return {
    ...sink,
    event: (event) => {
      if (conversation.verbose) sink.event(event);
    },
    result(tally, structured, subtype) {
      sink.result(tally, structured, subtype);
      write(`${JSON.stringify(conversation.verbose ? all : all.at(-1))}\n`);
    },
  };
}

/** Blocks of the record that never streamed as complete: the text before an interruption. */
function unshown(message: AssistantMessage, shown: { id: string; blocks: number }): AssistantBlock[] {
  return message.content.slice(shown.id === message.id ? shown.blocks : 0);
}

function assistantLine(message: { id: string; model: string; usage: Usage }, block: AssistantBlock) {
  const { id, model, usage } = message;
  const content = [wireBlock(block)];
  return {
    type: "assistant",
    message: { id, type: "message", role: "assistant", model, content, stop_reason: null, stop_sequence: null, usage },
    parent_tool_use_id: null,
  };
}

function wireBlock(block: AssistantBlock | UserBlock): unknown {
  return block.type === "opaque" ? block.raw : block;
}

function otherLine(event: Event): Record<string, unknown> | undefined {
  switch (event.type) {
    case "raw":
      return { type: "stream_event", event: event.event, parent_tool_use_id: null };
    case "tool.end":
      return {
        type: "user",
        message: { role: "user", content: [event.result] },
        parent_tool_use_id: null,
        ...(event.data === undefined ? {} : { tool_use_result: event.data }),
      };
    case "message":
      // The person's own words are not echoed; what the program said in their place is.
      if (event.message.role !== "user" || !event.message.synthetic) return undefined;
      return {
        type: "user",
        message: { role: "user", content: event.message.content.map(wireBlock) },
        parent_tool_use_id: null,
        isSynthetic: true,
      };
    case "retry":
      return {
        type: "system",
        subtype: "api_retry",
        attempt: event.attempt,
        max_retries: event.maxRetries,
        retry_delay_ms: event.delayMs,
        error_status: event.status,
        error: event.reason,
      };
    case "compacted":
      return {
        type: "system",
        subtype: "compact_boundary",
        compact_metadata: {
          trigger: event.trigger,
          pre_tokens: event.preTokens,
          // Our own fields.
          ...(event.postTokens === undefined ? {} : { post_tokens: event.postTokens }),
          ...(event.how === undefined ? {} : { how: event.how }),
        },
      };
    case "status":
      return { type: "system", subtype: "status", status: event.status };
    case "mode":
      return { type: "system", subtype: "status", status: null, permissionMode: event.mode };
    case "model":
      return informational("notice", `Going on with ${event.model}: ${event.reason}.`);
    case "notice":
      return informational(event.level, event.text);
    default:
      return undefined;
  }
}

/** Of a sub-agent: its calls and their results, and why it waits. What it says comes back as the result of its call. */
function childLines(event: Event): Record<string, unknown>[] {
  if (event.type === "message" && event.message.role === "assistant") {
    const { message } = event;
    return message.content.filter(({ type }) => type === "tool_use").map((block) => assistantLine(message, block));
  }
  if (event.type !== "tool.end" && event.type !== "retry" && event.type !== "notice") return [];
  const line = otherLine(event);
  const denied = event.type === "tool.end" && event.outcome === "denied" ? [deniedLine(event)] : [];
  return line ? [...denied, line] : denied;
}

function deniedLine({ call, result }: Extract<Event, { type: "tool.end" }>) {
  const message = typeof result.content === "string" ? result.content : "";
  return { type: "system", subtype: "permission_denied", tool_name: call.name, tool_use_id: call.id, message };
}

function informational(level: string, content: string) {
  return { type: "system", subtype: "informational", level, content };
}

function initMessage(conversation: Conversation): Record<string, unknown> {
  const { agent, version, apiKeySource, outputStyle } = conversation;
  return {
    type: "system",
    subtype: "init",
    cwd: agent.state.cwd,
    tools: conversation.tools(),
    mcp_servers: [],
    model: agent.state.model,
    permissionMode: agent.state.mode,
    slash_commands: sendable(conversation).map(({ name }) => name),
    terminal_slash_commands: COMMANDS.filter(({ terminalOnly }) => terminalOnly).map(({ name }) => name),
    apiKeySource,
    claude_code_version: version,
    nanocode_version: version,
    output_style: outputStyle,
    agents: conversation.agents().map(({ name }) => name),
    skills: conversation.skills().skills.map(({ name }) => name),
    plugins: [],
  };
}

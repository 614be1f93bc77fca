// The control protocol of stream-json input: prompts, requests and answers as lines on stdin, read while a turn runs.
import { sendable } from "../commands/builtin.ts";
import { contextUsage } from "./contextusage.ts";
import { asFields, isFields, parseLine, type Fields } from "../utils/jsonl.ts";
import type { Conversation } from "../commands/command.ts";
import { UsageError } from "../core/errors.ts";
import type {
  Access,
  Answer,
  Host,
  PermissionMode,
  PermissionUpdate,
  Question,
  UserBlock,
  UserMessage,
} from "../core/types.ts";

const MODES: readonly string[] = ["default", "acceptEdits", "plan", "dontAsk", "bypassPermissions"];

export type ControlOptions = {
  lines: AsyncIterable<string>;
  write(message: Fields): void;
  conversation(): Conversation;
  /** Echo each prompt once it is taken (--replay-user-messages). */
  replay: boolean;
  /** Whether bypassPermissions may be switched on later. */
  mayBypass: boolean;
};

export class Control {
  #options: ControlOptions;
  #queue: { message: UserMessage; line: Fields }[] = [];
  /** Taken from the queue, its run not started yet. */
  #handed = false;
  /** An interrupt came for a message whose run has not started. */
  #abortNext = false;
  #wake: (() => void) | undefined;
  #ended = false;
  #running: AbortController | undefined;
  #pending = new Map<string, (response: Fields) => void>();
  #problem: Error | undefined;

  constructor(options: ControlOptions) {
    this.#options = options;
    void this.#read();
  }

  /** The prompts in order, until stdin ends and all are answered. Throws when a line was not JSON. */
  async *prompts(): AsyncGenerator<UserMessage, void> {
    for (;;) {
      const next = this.#queue.shift();
      if (next) {
        if (this.#options.replay) {
          const session_id = this.#options.conversation().id;
          this.#options.write({ ...next.line, session_id, uuid: next.message.id, isReplay: true });
        }
        this.#handed = true;
        yield next.message;
        this.#running = undefined;
      } else if (this.#ended) {
        if (this.#problem) throw this.#problem;
        return;
      } else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** The run now starting; `interrupt` aborts it. */
  started(controller: AbortController): void {
    this.#handed = false;
    this.#running = controller;
    if (!this.#abortNext) return;
    this.#abortNext = false;
    controller.abort(new Error("interrupted"));
  }

  /** No more prompts: the process is told to stop. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** Asks the driving program (--permission-prompt-tool stdio). */
  readonly host: Host = { ask: (question, signal) => this.#ask(question, signal) };

  async #read(): Promise<void> {
    try {
      for await (const line of this.#options.lines) if (line.trim() !== "") this.#line(line);
    } catch (error) {
      this.#problem = error instanceof Error ? error : new Error(String(error));
    }
    this.#ended = true;
    // Nobody is left to answer: what is still asked counts as declined.
    for (const settle of this.#pending.values()) settle({ subtype: "error", error: "stdin ended" });
    this.#wake?.();
  }

  #line(line: string): void {
    const message = parseObject(line);
    switch (message.type) {
      case "user":
        this.#prompt(message);
        return;
      case "control_request":
        this.#request(String(message.request_id), asFields(message.request));
        return;
      case "control_response": {
        const response = asFields(message.response);
        this.#pending.get(String(response.request_id))?.(response);
        return;
      }
      default:
        return; // keep_alive and whatever comes later
    }
  }

  #prompt(message: Fields): void {
    const content = contentOf(asFields(message.message).content);
    const id = typeof message.uuid === "string" ? message.uuid : crypto.randomUUID();
    this.#queue.push({ message: { role: "user", id, content }, line: message });
    this.#wake?.();
  }

  #request(id: string, request: Fields): void {
    const answer = (response: Fields) => this.#options.write({ type: "control_response", response });
    try {
      answer({ subtype: "success", request_id: id, response: this.#handle(request) });
    } catch (error) {
      answer({ subtype: "error", request_id: id, error: error instanceof Error ? error.message : String(error) });
    }
  }

  #handle(request: Fields): Fields {
    const conversation = this.#options.conversation();
    switch (request.subtype) {
      case "initialize":
        return initialize(request, conversation);
      case "interrupt":
        return this.#interrupt();
      case "set_permission_mode":
        return this.#setMode(String(request.mode), conversation);
      case "set_model": {
        const model = conversation.resolveModel(typeof request.model === "string" ? request.model : "default");
        conversation.agent.setModel(model);
        return { model };
      }
      case "get_context_usage":
        return contextUsage(conversation);
      case "mcp_status":
        return { mcpServers: [] };
      default:
        throw new Error(`Unsupported control request subtype: ${String(request.subtype)}`);
    }
  }

  #interrupt(): Fields {
    const waiting = this.#queue.map(({ message }) => message.id);
    if (this.#running) this.#running.abort(new Error("interrupted"));
    else if (this.#handed || waiting.length > 0) this.#abortNext = true;
    // What is about to run and now will not is not waiting any more.
    return { still_queued: this.#abortNext && !this.#handed ? waiting.slice(1) : waiting };
  }

  #setMode(name: string, { agent }: Conversation): Fields {
    const mode = name === "manual" ? "default" : name;
    if (!isMode(mode)) throw new Error(`Unknown permission mode: ${name}. Known: ${MODES.join(", ")}.`);
    if (mode === BYPASS && agent.state.mode !== mode && !this.#options.mayBypass) {
      throw new Error(
        "bypassPermissions needs --allow-dangerously-skip-permissions or --dangerously-skip-permissions.",
      );
    }
    agent.setMode(mode);
    return { mode };
  }

  async #ask(question: Question, signal: AbortSignal): Promise<Answer> {
    const id = crypto.randomUUID();
    const { promise, resolve, reject } = Promise.withResolvers<Fields>();
    const withdraw = () => {
      this.#options.write({ type: "control_cancel_request", request_id: id });
      reject(new Error("Interrupted before it was allowed."));
    };
    this.#pending.set(id, resolve);
    signal.addEventListener("abort", withdraw, { once: true });
    if (this.#ended) resolve({ subtype: "error", error: "stdin ended" });
    else this.#options.write({ type: "control_request", request_id: id, request: canUseTool(question) });
    try {
      return this.#permitted(toAnswer(await promise));
    } finally {
      this.#pending.delete(id);
      signal.removeEventListener("abort", withdraw);
    }
  }

  /** An answer cannot set a mode that a request may not set. */
  #permitted(answer: Answer): Answer {
    if (answer.behavior !== "allow" || this.#options.mayBypass) return answer;
    const updates = answer.updates?.filter((update) => update.type !== "setMode" || update.mode !== BYPASS);
    return { ...answer, ...(updates ? { updates } : {}) };
  }
}

const BYPASS = "bypassPermissions";

function canUseTool({ call, title, reason, always, access, agent }: Question): Fields {
  const blocked = access.kind === "read" || access.kind === "write" ? access.paths[0] : undefined;
  return {
    subtype: "can_use_tool",
    tool_name: call.name,
    input: call.input,
    tool_use_id: call.id,
    ...(agent ? { agent_id: agent.id } : {}),
    permission_suggestions: suggestions(access, always),
    ...(blocked ? { blocked_path: blocked } : {}),
    decision_reason: reason,
    display_name: call.name,
    description: title,
  };
}

function suggestions(access: Access, always: Question["always"]): Fields[] {
  const edits = access.kind === "write" || (access.kind === "plan" && access.step === "leave");
  if (edits) return [{ type: "setMode", mode: "acceptEdits", destination: "session" }];
  if (!always) return [];
  const rules = always.rules.map((rule) => {
    const [, toolName = rule, ruleContent] = /^([^(]+)(?:\(([\s\S]*)\))?$/.exec(rule) ?? [];
    return ruleContent === undefined ? { toolName } : { toolName, ruleContent };
  });
  return [{ type: "addRules", rules, behavior: "allow", destination: always.saved ? "localSettings" : "session" }];
}

function toAnswer(response: Fields): Answer {
  if (response.subtype !== "success") {
    return { behavior: "deny", message: `Not run: no permission was given (${String(response.error)}).` };
  }
  const answer = asFields(response.response);
  if (answer.behavior !== "allow") {
    const message = typeof answer.message === "string" && answer.message !== "" ? { message: answer.message } : {};
    return { behavior: "deny", ...message, ...(answer.interrupt === true ? { interrupt: true } : {}) };
  }
  const input = isFields(answer.updatedInput) ? { input: answer.updatedInput } : {};
  const updates = Array.isArray(answer.updatedPermissions) ? answer.updatedPermissions.flatMap(toUpdate) : [];
  return { behavior: "allow", scope: "once", ...input, updates };
}

function toUpdate(value: unknown): PermissionUpdate[] {
  const update = asFields(value);
  if (update.type === "setMode" && isMode(update.mode)) return [{ type: "setMode", mode: update.mode }];
  if (update.type === "addDirectories" && Array.isArray(update.directories)) {
    const directories = update.directories.filter((path) => typeof path === "string" && path.startsWith("/"));
    return [{ type: "addDirectories", directories }];
  }
  const { behavior } = update;
  if (update.type !== "addRules" || !Array.isArray(update.rules)) return [];
  if (behavior !== "allow" && behavior !== "deny" && behavior !== "ask") return [];
  const rules = update.rules.map(asFields).map((rule) => {
    const tool = String(rule.toolName);
    return typeof rule.ruleContent === "string" ? `${tool}(${rule.ruleContent})` : tool;
  });
  const persist = update.destination === "localSettings" ? { persist: true as const } : {};
  return [{ type: "addRules", rules, behavior, ...persist }];
}

function initialize(request: Fields, conversation: Conversation): Fields {
  const { systemPrompt, appendSystemPrompt, jsonSchema } = request;
  const parts = Array.isArray(systemPrompt) ? systemPrompt.filter((part) => typeof part === "string") : undefined;
  conversation.configure({
    ...(parts ? { systemPrompt: parts.join("\n\n") } : {}),
    ...(typeof systemPrompt === "string" ? { systemPrompt } : {}),
    ...(typeof appendSystemPrompt === "string" ? { appendSystemPrompt } : {}),
    ...(isFields(jsonSchema) ? { jsonSchema } : {}),
  });
  return {
    commands: sendable(conversation).map(({ name, description, argumentHint }) => ({
      name,
      description,
      argumentHint,
    })),
    agents: conversation.agents().map(({ name, description }) => ({ name, description })),
    models: conversation.models().map(({ id, displayName }) => ({ value: id, displayName, description: displayName })),
    account: {},
    output_style: conversation.outputStyle,
    available_output_styles: [conversation.outputStyle],
    mcp_servers_applied: true,
    pid: process.pid,
    current_permission_mode: conversation.agent.state.mode,
  };
}

/** Never empty: whoever sent the line waits for a result. Results of calls come from us, not from outside. */
function contentOf(content: unknown): UserBlock[] {
  const given = typeof content === "string" ? [{ type: "text", text: content }] : content;
  const blocks = Array.isArray(given) ? given.filter(isFields) : [];
  const kept = blocks.filter(({ type, text }) => {
    if (type === "text") return typeof text === "string" && text.trim() !== "";
    return typeof type === "string" && type !== "tool_result";
  });
  return kept.length > 0 ? kept.map(toBlock) : [{ type: "text", text: "(empty message)" }];
}

function toBlock(block: Fields): UserBlock {
  if (block.type === "text" && typeof block.text === "string") return { type: "text", text: block.text };
  return { type: "opaque", raw: { ...block, type: String(block.type) } };
}

function parseObject(line: string): Fields {
  const fields = parseLine(line);
  if (fields) return fields;
  throw new UsageError(`Error: a line on stdin is not a JSON object: ${line.slice(0, 80)}`);
}

function isMode(value: unknown): value is PermissionMode {
  return typeof value === "string" && MODES.includes(value);
}

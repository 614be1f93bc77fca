// Fakes for the core's tests: a provider played from a list of replies, tools that are plain functions, seeded chance.
import { Agent } from "../src/core/agent.ts";
import { NO_USAGE } from "../src/core/state.ts";
import type {
  Access,
  AssistantBlock,
  Deps,
  DurableEvent,
  Event,
  Message,
  ModelRequest,
  Provider,
  ProviderEvent,
  State,
  StopReason,
  Tool,
  ToolContext,
  ToolOutput,
  UserMessage,
} from "../src/core/types.ts";

export type Step = ProviderEvent | { type: "wait"; until: Promise<unknown> } | { type: "throw"; error: Error };

/** Plays one list of steps per request and keeps the requests. */
export function played(replies: Step[][]): Provider & { requests: ModelRequest[] } {
  const requests: ModelRequest[] = [];
  return {
    requests,
    async *stream(request, signal) {
      requests.push({ ...request, messages: structuredClone(request.messages) as Message[] });
      const steps = replies[requests.length - 1];
      if (!steps) throw new Error(`no reply ${requests.length} in this test`);
      for (const step of steps) {
        if (step.type === "wait") await Promise.race([step.until, aborted(signal)]);
        signal.throwIfAborted();
        if (step.type === "throw") throw step.error;
        if (step.type !== "wait") yield step;
      }
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** A whole reply of complete blocks. */
export function reply(blocks: AssistantBlock[], stopReason?: StopReason): Step[] {
  const calls = blocks.some((block) => block.type === "tool_use");
  return [
    { type: "start", id: "", model: "m", usage: NO_USAGE },
    ...blocks.map((block): Step => ({ type: "block", block })),
    { type: "end", stopReason: stopReason ?? (calls ? "tool_use" : "end_turn"), usage: usage(10, 5) },
  ];
}

export function usage(input: number, output: number) {
  return { ...NO_USAGE, input_tokens: input, output_tokens: output };
}

export function text(value: string): AssistantBlock {
  return { type: "text", text: value };
}

export function call(id: string, name: string, input: Record<string, unknown> = {}): AssistantBlock {
  return { type: "tool_use", id, name, input };
}

type Run = (input: Record<string, unknown>, ctx: ToolContext) => Promise<ToolOutput> | ToolOutput;

export function tool(name: string, access: Access, run: Run): Tool<Record<string, unknown>> {
  return {
    spec: { name, description: name, schema: { type: "object" } },
    parse: (input) => input as Record<string, unknown>,
    access: () => access,
    title: () => name,
    run: async (input, ctx) => run(input, ctx),
  };
}

export const READ: Access = { kind: "read", paths: ["/p/a"] };
export const WRITE: Access = { kind: "write", paths: ["/p/a"] };

export function user(value: string, id = "u1"): UserMessage {
  return { role: "user", id, content: [{ type: "text", text: value }] };
}

export const START: State = { messages: [], model: "m", mode: "default", cwd: "/p" };

/** Fakes: ids count up, the clock stands still, everything is admitted unless said otherwise. */
export function depsWith(provider: Provider, tools: Tool[] = [], more: Partial<Deps> = {}): Deps {
  const counter = { n: 0 };
  return {
    provider,
    tools: new Map(tools.map((t) => [t.spec.name, t])),
    admit: async () => ({ behavior: "allow" }),
    observe: async () => [],
    system: () => [],
    tune: () => ({ maxTokens: 1000, thinking: { type: "disabled" } }),
    cost: (_model, { output_tokens }) => output_tokens / 10,
    steering: () => [],
    limits: {},
    raw: false,
    now: () => 0,
    newId: () => `id${++counter.n}`,
    ...more,
  };
}

export function agentWith(provider: Provider, tools: Tool[] = [], more: Partial<Deps> = {}) {
  const recorded: DurableEvent[] = [];
  const agent = new Agent(depsWith(provider, tools, more), START, (event) => recorded.push(event));
  return { agent, recorded };
}

export async function collect(events: AsyncIterable<Event>, each?: (event: Event) => void): Promise<Event[]> {
  const all: Event[] = [];
  for await (const event of events) {
    all.push(event);
    each?.(event);
  }
  return all;
}

/** Seeded chance (mulberry32). Print the seed in the failing test's message. */
export function chance(seed: number) {
  const state = { s: seed >>> 0 };
  const next = () => {
    state.s = (state.s + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state.s ^ (state.s >>> 15), 1 | state.s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n: number) => Math.floor(next() * n);
  const pick = <T>(items: readonly T[]): T => {
    const item = items[below(items.length)];
    if (item === undefined) throw new Error("pick from an empty list");
    return item;
  };
  return { next, below, pick };
}

/** Says what is wrong with a history about to be sent; empty when the API would take it. */
export function problems(messages: readonly Message[]): string[] {
  const found: string[] = [];
  if (messages[0]?.role !== "user") found.push("does not begin with the person");
  messages.forEach((message, i) => {
    if (message.content.length === 0) found.push(`message ${i} is empty`);
    if (messages[i + 1]?.role === message.role) found.push(`messages ${i} and ${i + 1} have one role`);
    const calls = message.role === "assistant" ? message.content.filter((b) => b.type === "tool_use") : [];
    const next = messages[i + 1];
    const results = next?.role === "user" ? next.content.filter((b) => b.type === "tool_result") : [];
    const ids = calls.map((c) => c.id).join(",");
    const answered = results.map((r) => r.tool_use_id).join(",");
    if (message.role === "assistant" && ids !== answered) found.push(`calls ${ids} have results ${answered}`);
    if (i === 0 && message.content.some((b) => b.type === "tool_result")) found.push("orphan result in message 0");
  });
  return found;
}

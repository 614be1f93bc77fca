// For the model's tests: a provider at the fake server, requests of few words, and its events in a list.
import { ModelError } from "../src/core/errors.ts";
import type { Message, ModelRequest, Provider, ProviderEvent, Usage } from "../src/core/types.ts";
import { anthropicProvider, type AnthropicOptions } from "../src/model/anthropic.ts";

export const KEY = "sk-test-0123456789";

export function providerAt(url: string, options: Partial<AnthropicOptions> = {}): Provider {
  const auth = { kind: "key", value: KEY, from: "ANTHROPIC_API_KEY" } as const;
  return anthropicProvider({ auth, baseURL: url, ...options });
}

export function ask(text: string): Message {
  return { role: "user", id: `u-${text}`, content: [{ type: "text", text }] };
}

export function request(change: Partial<ModelRequest> = {}): ModelRequest {
  return {
    model: "claude-haiku-4-5",
    system: [],
    messages: [ask("hello")],
    tools: [],
    maxTokens: 1_000,
    thinking: { type: "disabled" },
    raw: false,
    restartable: () => true,
    ...change,
  };
}

export const calm = (): AbortSignal => new AbortController().signal;

/** Everything the provider yields; what it throws is thrown. */
export async function all(provider: Provider, change: Partial<ModelRequest> = {}, signal = calm()) {
  const events: ProviderEvent[] = [];
  for await (const event of provider.stream(request(change), signal)) events.push(event);
  return events;
}

/** What the provider throws; fails when it throws nothing. */
export async function failure(provider: Provider, change: Partial<ModelRequest> = {}): Promise<ModelError> {
  try {
    await all(provider, change);
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error("the provider did not fail");
}

/** Neighbouring deltas joined: how a text was cut into deltas is the server's affair. */
export function joined(events: readonly ProviderEvent[]): ProviderEvent[] {
  const out: ProviderEvent[] = [];
  for (const event of events) {
    const last = out.at(-1);
    const same = last?.type === event.type ? last : undefined;
    if (event.type === "text.delta" && same?.type === "text.delta") {
      out[out.length - 1] = { type: event.type, text: same.text + event.text };
    } else if (event.type === "thinking.delta" && same?.type === "thinking.delta") {
      out[out.length - 1] = { type: event.type, text: same.text + event.text };
    } else out.push(event);
  }
  return out;
}

// ---- Streams written by hand ----

export const usage = (input: number, output: number, more: Partial<Usage> = {}): Usage => ({
  input_tokens: input,
  output_tokens: output,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  ...more,
});

export const start = (id = "msg_0", tokens = usage(7, 1)): ProviderEvent => ({
  type: "start",
  id,
  model: "claude-haiku-4-5",
  usage: tokens,
});

export const FIXED = {
  usage: { input_tokens: 7, output_tokens: 9, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 },
};

export const sse = (...events: object[]): string =>
  events.map((event) => `event: ${"type" in event ? event.type : ""}\ndata: ${JSON.stringify(event)}\n\n`).join("");
export const MESSAGE = {
  id: "m",
  type: "message",
  role: "assistant",
  model: "claude-haiku-4-5",
  content: [],
  usage: { input_tokens: 3, output_tokens: 1 },
};
export const textBlock = (index: number, text: string): object[] => [
  { type: "content_block_start", index, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index, delta: { type: "text_delta", text } },
  { type: "content_block_stop", index },
];
export const stop = (stop_reason: string, usage: object = { output_tokens: 5 }): object[] => [
  { type: "message_delta", delta: { stop_reason }, usage },
  { type: "message_stop" },
];

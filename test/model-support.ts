// For the model's tests: a provider at the fake server, requests of few words, and its events in a list.
import { ModelError } from "../src/core/errors.ts";
import type { Message, ModelRequest, Provider, ProviderEvent } from "../src/core/types.ts";
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

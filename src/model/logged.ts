// A provider whose requests leave lines in the debug log: what was asked, how it went, how long it took. No contents.
import type { ModelRequest, Provider, ProviderEvent } from "../core/types.ts";

export function logged(provider: Provider, log: (line: string) => void): Provider {
  return { stream: (request, signal) => watched(provider, { request, signal }, log) };
}

async function* watched(
  provider: Provider,
  { request, signal }: { request: ModelRequest; signal: AbortSignal },
  log: (line: string) => void,
): AsyncGenerator<ProviderEvent, void> {
  const began = performance.now();
  const since = () => `${Math.round(performance.now() - began)} ms`;
  log(`api: request to ${request.model}, ${request.messages.length} messages, ${request.tools.length} tools`);
  try {
    for await (const event of provider.stream(request, signal)) {
      if (event.type === "start") log(`api: answer ${event.id} begins after ${since()}`);
      if (event.type === "retry")
        log(`api: attempt ${event.attempt} failed: ${event.reason}; waiting ${event.delayMs} ms`);
      if (event.type === "model") log(`api: going on with ${event.model}: ${event.reason}`);
      if (event.type === "end") log(`api: ${event.stopReason} after ${since()}, ${JSON.stringify(event.usage)}`);
      if (event.type === "cut") log(`api: cut after ${since()}: ${event.reason}`);
      yield event;
    }
  } catch (error) {
    log(`api: failed after ${since()}: ${error instanceof Error ? error.message : String(error)}`);
    throw error;
  }
}

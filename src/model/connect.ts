// The provider a session talks to: the endpoint the environment names, with retries, and the SDK already loading.
import type { Provider } from "../core/types.ts";
import { anthropicProvider, preloadSdk } from "./anthropic.ts";
import { resolveModel, type Overrides } from "./catalog.ts";
import { endpointFromEnv, maxRetriesFromEnv, type Env } from "./endpoint.ts";
import { retrying } from "./retry.ts";

export type Connection = {
  env: Env;
  overrides?: Overrides;
  /** Ids, in the order they are fallen back to when a model is overloaded. */
  fallbackModels?: readonly string[];
  betas?: readonly string[];
  userAgent?: string;
};

/** `apiKeySource`: the variable the key came from. Throws UsageError when there is none or one is malformed. */
export function connect(connection: Connection): { provider: Provider; apiKeySource: string } {
  const { env, overrides, fallbackModels = [], userAgent } = connection;
  const endpoint = endpointFromEnv(env);
  const maxRetries = maxRetriesFromEnv(env);
  const provider = anthropicProvider({
    ...endpoint,
    betas: [...(endpoint.betas ?? []), ...(connection.betas ?? [])],
    resolve: (model) => resolveModel(model, overrides),
    ...(userAgent === undefined ? {} : { userAgent }),
  });
  // It loads while the rest of the session is put together. A failure shows again at the first request.
  preloadSdk().catch(() => undefined);
  const options = maxRetries === undefined ? { fallbackModels } : { fallbackModels, maxRetries };
  return { provider: retrying(provider, options), apiKeySource: endpoint.auth.from };
}

// Names, limits and prices of models, and where the environment says the model is.
import { expect, test } from "bun:test";
import { UsageError } from "../src/core/errors.ts";
import type { Usage } from "../src/core/types.ts";
import { cost, readOverrides, resolveModel, sameModel } from "../src/model/catalog.ts";
import { connect } from "../src/model/connect.ts";
import { endpointFromEnv, maxRetriesFromEnv, openRouterId } from "../src/model/endpoint.ts";
import { KNOWN_MODELS } from "../src/model/models.ts";
import { say, startFakeModel } from "./fake-model.ts";
import { all } from "./model-support.ts";

const usage = (input: number, output: number, more: Partial<Usage> = {}): Usage => ({
  input_tokens: input,
  output_tokens: output,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  ...more,
});

test.each([
  ["opus", "claude-opus-5-5", 1_000_000],
  ["Sonnet", "claude-sonnet-5-5", 1_000_000],
  ["haiku", "claude-haiku-5-5", 1_000_000],
  ["opus[1m]", "claude-opus-5-5", 1_000_000],
  ["claude-haiku-4-5-20251001", "claude-haiku-4-5-20251001", 200_000],
  ["claude-sonnet-4-5[1m]", "claude-sonnet-4-5[1m]", 1_000_000],
  ["anthropic/claude-opus-4.5", "anthropic/claude-opus-4.5", 200_000],
  ["claude-opus-9", "claude-opus-9", 200_000],
  ["local/llama", "local/llama", 200_000],
  ["constructor", "constructor", 200_000],
])("%s is %s", (name, id, contextWindow) => {
  const info = resolveModel(name, { aliases: {}, models: {} });
  expect([info.id, info.contextWindow]).toEqual([id, contextWindow]);
});

test("every model of the list is found by its own name, and names are used once", () => {
  const names = KNOWN_MODELS.flatMap((model) => [model.id, ...model.aliases]);
  expect(new Set(names).size).toBe(names.length);
  for (const model of KNOWN_MODELS) {
    expect(resolveModel(model.id)).toEqual(model);
    expect(sameModel(openRouterId(model), model.id)).toBe(true);
    expect(model.maxOutput).toBeLessThan(model.contextWindow);
  }
});

test("one model's names, and those of two models", () => {
  const names = [
    "claude-opus-4-5",
    "claude-opus-4-5-20251101",
    "anthropic/claude-opus-4.5",
    "anthropic/claude-4.5-opus",
  ];
  const vendors = ["us.anthropic.claude-opus-4-5-20251101-v1:0", "claude-opus-4-5@20251101", "claude-opus-4-5[1m]"];
  for (const name of [...names, ...vendors])
    expect(`${name} ${sameModel(name, "claude-opus-4-5")}`).toBe(`${name} true`);
  expect([sameModel("claude-opus-5", "claude-opus-5-5"), sameModel("llama", "mistral")]).toEqual([false, false]);
});

test("costs, with both kinds of cache write and the price of long prompts", () => {
  const mixed = usage(1_000_000, 100_000, {
    cache_creation_input_tokens: 300_000,
    cache_creation_1h_tokens: 100_000,
    cache_read_input_tokens: 2_000_000,
  });
  expect(cost("claude-opus-5-5", mixed)).toBeCloseTo(4 + 2 + 0.2 * 5 + 0.1 * 8 + 2 * 0.2, 9);
  expect(cost("claude-haiku-5-5", usage(100_000, 1_000))).toBeCloseTo(0.01 + 0.0005, 9);
  expect(cost("claude-haiku-5-5", usage(50_000, 1_000, { cache_read_input_tokens: 50_001 }))).toBeCloseTo(
    0.025 + 0.0025 + 0.00250005,
    9,
  );
  expect(cost("anthropic/claude-haiku-4.5", usage(1_000_000, 0))).toBe(1);
  expect(cost("local/llama", usage(1, 1))).toBeUndefined();
});

test("the person's settings: sizes, prices, what a family name stands for", () => {
  const overrides = readOverrides(
    { ANTHROPIC_DEFAULT_OPUS_MODEL: "local/llama", ANTHROPIC_DEFAULT_HAIKU_MODEL: " " },
    {
      "local/llama": { contextWindow: 32_000, maxOutput: 4_000, price: { input: 1, output: 2 } },
      "claude-haiku-5-5": { price: { output: 1 } },
    },
  );
  expect(resolveModel("opus", overrides)).toMatchObject({
    id: "local/llama",
    contextWindow: 32_000,
    maxOutput: 4_000,
    price: { input: 1, output: 2, cacheWrite5m: 1.25, cacheWrite1h: 2, cacheRead: 0.1 },
  });
  expect(resolveModel("haiku", overrides).id).toBe("claude-haiku-5-5");
  expect(cost("haiku", usage(200_000, 1_000_000), overrides)).toBeCloseTo(0.02 + 1, 9);
  for (const [models, key] of [
    [[], "models must be an object"],
    [{ a: 1 }, 'models."a" must be an object'],
    [{ a: { contextWindow: -1 } }, 'models."a".contextWindow must be a whole number'],
    [{ a: { window: 1 } }, 'models."a" has no key "window"'],
    [{ a: { price: { input: "1" } } }, 'models."a".price.input must be a number'],
    [{ a: { price: { toString: 1 } } }, 'models."a".price has no key "toString"'],
  ] as const) {
    expect(() => readOverrides({}, models)).toThrow(key);
  }
});

test.each([
  ["claude-opus-4-5-20251101", "anthropic/claude-opus-4.5"],
  ["claude-sonnet-5", "anthropic/claude-sonnet-5"],
  ["claude-sonnet-4-5[1m]", "anthropic/claude-sonnet-4.5"],
  ["openai/gpt-9", "openai/gpt-9"],
  ["llama", "llama"],
])("at OpenRouter %s is %s", (name, id) => {
  expect(openRouterId(resolveModel(name))).toBe(id);
});

const KEY = "sk-secret-1234567";
/** What an environment comes to: where, how, and what a model is called there. */
function summary(env: Record<string, string>): unknown[] {
  const { auth, baseURL, wireId } = endpointFromEnv(env);
  return [auth, baseURL, wireId?.(resolveModel("anthropic/claude-opus-4.5"))];
}

test("where the environment says the model is", () => {
  const key = { kind: "key", value: KEY, from: "ANTHROPIC_API_KEY" };
  const token = { kind: "token", value: KEY, from: "ANTHROPIC_AUTH_TOKEN" };
  const router = { kind: "token", value: KEY, from: "OPENROUTER_API_KEY" };
  expect(summary({ ANTHROPIC_API_KEY: ` ${KEY}\n` })).toEqual([key, "https://api.anthropic.com", "claude-opus-4-5"]);
  const gateway = "http://gw.example:8080/x";
  expect(summary({ ANTHROPIC_API_KEY: "k", ANTHROPIC_AUTH_TOKEN: KEY, ANTHROPIC_BASE_URL: `${gateway}/?q#h` })).toEqual(
    [token, gateway, "anthropic/claude-opus-4.5"],
  );
  expect(summary({ ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: `${gateway}/v1/messages` })[1]).toBe(gateway);
  expect(summary({ ANTHROPIC_API_KEY: "", OPENROUTER_API_KEY: KEY, ANTHROPIC_BASE_URL: gateway })).toEqual([
    router,
    "https://openrouter.ai/api",
    "anthropic/claude-opus-4.5",
  ]);
  expect(summary({ OPENROUTER_API_KEY: KEY, OPENROUTER_BASE_URL: gateway })[1]).toBe(gateway);
  const viaAnthropicNames = { ANTHROPIC_AUTH_TOKEN: KEY, ANTHROPIC_BASE_URL: "https://openrouter.ai/api/" };
  const { wireId } = endpointFromEnv(viaAnthropicNames);
  expect(wireId?.(resolveModel("claude-haiku-4-5-20251001"))).toBe("anthropic/claude-haiku-4.5");
});

test("the environment's other words", () => {
  const { headers, betas, timeouts } = endpointFromEnv({
    ANTHROPIC_API_KEY: KEY,
    ANTHROPIC_CUSTOM_HEADERS: "X-Team: a: b\r\n\nanthropic-beta: c , d\n",
    ANTHROPIC_BETAS: "a,, b",
    API_TIMEOUT_MS: "5000",
    CLAUDE_STREAM_IDLE_TIMEOUT_MS: "70",
  });
  expect({ headers, betas, timeouts }).toEqual({
    headers: { "x-team": "a: b" },
    betas: ["a", "b", "c", "d"],
    timeouts: { requestMs: 5_000, idleMs: 70 },
  });
  expect([maxRetriesFromEnv({}), maxRetriesFromEnv({ CLAUDE_CODE_MAX_RETRIES: "0" })]).toEqual([undefined, 0]);
});

test.each([
  [{}, "nanocode demo"],
  [{}, "OPENROUTER_API_KEY"],
  [{ ANTHROPIC_API_KEY: `${KEY}\u200b` }, "ANTHROPIC_API_KEY holds a character"],
  [{ ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: "file:///x" }, "ANTHROPIC_BASE_URL must be"],
  [{ ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: "gw:8080" }, "ANTHROPIC_BASE_URL must be"],
  [{ ANTHROPIC_API_KEY: KEY, ANTHROPIC_CUSTOM_HEADERS: `A: 1\n${KEY}` }, "ANTHROPIC_CUSTOM_HEADERS: line 2"],
  [{ ANTHROPIC_API_KEY: KEY, API_TIMEOUT_MS: "5s" }, "API_TIMEOUT_MS"],
  [{ ANTHROPIC_API_KEY: KEY, CLAUDE_CODE_MAX_RETRIES: "-1" }, "CLAUDE_CODE_MAX_RETRIES"],
])("a wrong environment: %j", (env: Record<string, string>, message) => {
  let error: unknown;
  try {
    connect({ env });
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(UsageError);
  expect(String(error)).toContain(message);
  expect(String(error)).not.toContain(KEY);
});

test("a connection from the environment to the wire", async () => {
  await using fake = await startFakeModel([say("hi")]);
  const { provider, apiKeySource } = connect({ env: { ...fake.env, ANTHROPIC_BETAS: "a" }, betas: ["b"] });
  expect((await all(provider)).at(-1)?.type).toBe("end");
  const [first] = fake.requests;
  expect([apiKeySource, first?.headers["x-api-key"], first?.headers["anthropic-beta"]]).toEqual([
    "ANTHROPIC_API_KEY",
    "test-key",
    "a,b",
  ]);
});

// Which model a name means, with its limits and its price; the list itself is models.ts.
import { UsageError } from "../core/errors.ts";
import type { Usage } from "../core/types.ts";
import { KNOWN_MODELS, type ModelInfo, type Price } from "./models.ts";

export type ModelOverride = { contextWindow?: number; maxOutput?: number; price?: Partial<Price> };
export type Overrides = {
  /** What the family names stand for: `opus` -> a full id. */
  aliases?: Readonly<Record<string, string>>;
  models?: Readonly<Record<string, ModelOverride>>;
};

const LONG_CONTEXT_BETA = "context-1m-2025-08-07";
const ALIAS_VARIABLES = { opus: "OPUS", sonnet: "SONNET", haiku: "HAIKU" } as const;

/**
 * The model a person means: a family name (`opus`), an id with or without its date, `anthropic/…` with dots or dashes,
 * each optionally with `[1m]`. A name nobody knows passes through as it is, with careful limits and no price.
 */
export function resolveModel(name: string, overrides: Overrides = {}): ModelInfo {
  const { base, long } = split(name.trim());
  const alias = Object.hasOwn(overrides.aliases ?? {}, base.toLowerCase())
    ? overrides.aliases?.[base.toLowerCase()]
    : "";
  const target = alias ? split(alias) : { base, long };
  const known = find(target.base);
  const info = known ? { ...known, id: keepDate(target.base, known) } : guess(target.base);
  const sized = long || target.long ? withLongContext(info) : info;
  return override(sized, overrides.models?.[sized.id] ?? overrides.models?.[name] ?? overrides.models?.[target.base]);
}

/** Whether two names, as a person or a server writes them, are the same model. */
export function sameModel(a: string, b: string): boolean {
  return a === b || canonical(a) === canonical(b);
}

export function isKnownModel(name: string): boolean {
  return find(split(name).base) !== undefined;
}

/** US dollars, or undefined when the price is unknown. */
export function cost(model: string, usage: Usage, overrides: Overrides = {}): number | undefined {
  const { price, longPrice } = resolveModel(model, overrides);
  if (!price) return undefined;
  const prompt = usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens;
  const rate = longPrice && prompt > longPrice.above ? longPrice : price;
  const hour = Math.min(usage.cache_creation_1h_tokens ?? 0, usage.cache_creation_input_tokens);
  const total =
    usage.input_tokens * rate.input +
    usage.output_tokens * rate.output +
    usage.cache_read_input_tokens * rate.cacheRead +
    hour * rate.cacheWrite1h +
    (usage.cache_creation_input_tokens - hour) * rate.cacheWrite5m;
  return total / 1e6;
}

/** Overrides from the environment and the settings' `models`; throws UsageError that names the wrong key. */
export function readOverrides(env: Readonly<Record<string, string | undefined>>, models?: unknown): Overrides {
  const aliases: Record<string, string> = {};
  for (const [family, variable] of Object.entries(ALIAS_VARIABLES)) {
    const id = env[`ANTHROPIC_DEFAULT_${variable}_MODEL`]?.trim();
    if (id) aliases[family] = id;
  }
  if (models === undefined) return { aliases };
  const parsed = Object.entries(record(models, "models")).map(([id, value]) => [id, parseOverride(value, id)]);
  return { aliases, models: Object.fromEntries(parsed) };
}

function parseOverride(value: unknown, id: string): ModelOverride {
  const at = `models.${JSON.stringify(id)}`;
  const out: ModelOverride = {};
  for (const [key, field] of Object.entries(record(value, at))) {
    if (key === "contextWindow" || key === "maxOutput") out[key] = positive(field, `${at}.${key}`);
    else if (key === "price") out.price = parsePrice(field, `${at}.price`);
    else
      throw new UsageError(`settings: ${at} has no key ${JSON.stringify(key)}; use contextWindow, maxOutput, price.`);
  }
  return out;
}

function parsePrice(value: unknown, at: string): Partial<Price> {
  const out: Partial<Price> = {};
  for (const [key, field] of Object.entries(record(value, at))) {
    if (!isPriceKey(key)) throw new UsageError(`settings: ${at} has no key ${JSON.stringify(key)}; use ${PRICE_KEYS}.`);
    if (typeof field !== "number" || !(field >= 0)) throw new UsageError(`settings: ${at}.${key} must be a number.`);
    out[key] = field;
  }
  return out;
}

const PRICE_KEYS = "input, output, cacheWrite5m, cacheWrite1h, cacheRead";

function isPriceKey(key: string): key is keyof Price {
  return PRICE_KEYS.split(", ").includes(key);
}

function record(value: unknown, at: string): object {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new UsageError(`settings: ${at} must be an object.`);
}

function positive(value: unknown, at: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
  throw new UsageError(`settings: ${at} must be a whole number of tokens.`);
}

/** `claude-opus-4-5-20251101`, `anthropic/claude-opus-4.5`, `anthropic.claude-opus-4-5-…-v1:0` -> `claude-opus-4-5`. */
function canonical(name: string): string {
  return (
    split(name)
      .base.toLowerCase()
      .replace(/^(?:.*[/.])?(?=claude-)/, "")
      .replace(/(?<=\d)\.(?=\d)/g, "-")
      .replace(/[-@]20\d{6}(?:-v\d.*)?$|-v\d(?::\d+)?$|-latest$/, "")
      // An older order of the words: claude-4-5-opus.
      .replace(/^claude-(\d+(?:-\d+)?)-([a-z]+)$/, "claude-$2-$1")
  );
}

function split(name: string): { base: string; long: boolean } {
  const base = name.replace(/\[1m\]$/i, "");
  return { base, long: base !== name };
}

function find(base: string): ModelInfo | undefined {
  const id = canonical(base);
  return KNOWN_MODELS.find((model) => model.id === id || model.aliases.includes(id));
}

/** An id is kept as the person wrote it; a family name becomes the id it stands for. */
function keepDate(base: string, known: ModelInfo): string {
  return known.aliases.includes(base.toLowerCase()) ? known.id : base;
}

function withLongContext(info: ModelInfo): ModelInfo {
  if (info.contextWindow >= 1_000_000) return info;
  return { ...info, id: `${info.id}[1m]`, contextWindow: 1_000_000, betas: [...(info.betas ?? []), LONG_CONTEXT_BETA] };
}

function override(info: ModelInfo, change: ModelOverride | undefined): ModelInfo {
  if (!change) return info;
  const { price, ...sizes } = change;
  if (!price) return { ...info, ...sizes };
  const input = price.input ?? info.price?.input ?? 0;
  // Derived like the usual price list: a cache write costs 1.25 or 2 times the input, a read a tenth.
  const base = info.price ?? {
    input,
    output: 0,
    cacheWrite5m: input * 1.25,
    cacheWrite1h: input * 2,
    cacheRead: input / 10,
  };
  const { longPrice: _, ...rest } = info;
  return { ...rest, ...sizes, price: { ...base, ...price } };
}

// Nobody's list is complete. A Claude model newer than this one is taken to think adaptively, as all since 4.6 do.
function guess(base: string): ModelInfo {
  const version = /^claude-[a-z]+-(\d+)(?:-(\d{1,2}))?(?:$|-)/.exec(canonical(base));
  const modern = version !== null && Number(version[1]) + Number(version[2] ?? 0) / 100 >= 4.06;
  return {
    id: base,
    displayName: base,
    aliases: [],
    contextWindow: 200_000,
    maxOutput: 32_000,
    thinking: modern ? "always" : "unknown",
    effort: modern ? ["low", "medium", "high"] : [],
    vision: true,
  };
}

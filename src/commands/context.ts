// `/context`: what fills the model's window.
import type { ContextShares } from "../context/shares.ts";
import type { CacheReport } from "../core/cache.ts";
import type { Usage } from "../core/types.ts";

const BAR = 40;

export function contextText(shares: ContextShares, cache: CacheReport): string {
  const { model, window, used, counted, parts, free, threshold, last } = shares;
  const row = (name: string, tokens: number) =>
    `  ${name.padEnd(10)} ${Math.round(tokens).toLocaleString("en-US").padStart(11)}  ${share(tokens, window).padStart(6)}`;
  const how = counted === 0 ? "estimated" : "counted by the API, the end estimated";
  return [
    `${model}: ${number(used)} of ${number(window)} tokens (${share(used, window)}; ${how})`,
    `  ${bar(used / window, threshold === undefined ? undefined : threshold / window)}`,
    ...parts
      .filter(({ name, tokens }) => tokens > 0 || name === "messages")
      .map(({ name, tokens }) => row(name, tokens)),
    row("free", free),
    threshold === undefined
      ? "Automatic compaction is off; /compact makes room."
      : `Compacted above ${number(threshold)} tokens: ${number(Math.max(0, threshold - used))} to go.`,
    ...(last ? [`Last request: ${cacheLine(last)}`] : []),
    ...(cache.requests > 1 ? [cacheText(cache)] : []),
  ].join("\n");
}

function cacheText({ usage, requests, breaks, last }: CacheReport): string {
  const whole = `Since the program started: ${number(requests)} requests, ${cacheLine(usage)}`;
  return last ? `${whole} Begun anew (times: ${number(breaks)}), last: ${last.text}` : whole;
}

function cacheLine(usage: Usage): string {
  const { input_tokens, cache_creation_input_tokens: written, cache_read_input_tokens: read } = usage;
  const all = input_tokens + written + read;
  return `${share(read, all)} from the cache (${number(read)} read, ${number(written)} written, ${number(input_tokens)} neither).`;
}

/** `#` used, `-` free, `|` the threshold. */
function bar(used: number, threshold: number | undefined): string {
  const filled = Math.min(BAR, Math.round(used * BAR));
  const cells = [..."#".repeat(filled), ..."-".repeat(BAR - filled)];
  if (threshold !== undefined) cells[Math.min(BAR - 1, Math.round(threshold * BAR))] = "|";
  return `[${cells.join("")}]`;
}

function share(part: number, whole: number): string {
  return `${whole > 0 ? ((part / whole) * 100).toFixed(1) : "0.0"} %`;
}

function number(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

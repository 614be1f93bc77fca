// Watches over the prompt cache: each request must extend the one before it; what breaks that is named, before it is sent.
import type { CacheBreak, CacheCause, CacheReport } from "../core/cache.ts";
import type { Prefix, PrefixSection } from "../core/prefix.ts";
import { ModelError } from "../core/errors.ts";
import { addUsage, NO_USAGE } from "../core/state.ts";
import type { DurableEvent, Message, ModelRequest, Provider, ProviderEvent, ToolSpec, Usage } from "../core/types.ts";
import { sectionAt, sectionsOf, toolsChange } from "./guard-cause.ts";

/** What the program says it is about to change. */
export type Announcement = "model" | "compaction" | "configured" | "resumed";
export type Verdict = { kind: "first" } | { kind: "intact" } | { kind: "broken"; break: CacheBreak };

/** Hashes of what one message sends, block by block: the next request may add blocks to the last message. */
type Print = { role: Message["role"]; blocks: readonly bigint[]; kinds: readonly string[] };
type Prints = Prefix & { messages: readonly Print[] };
type Found = Omit<CacheBreak, "announced">;

/** What an announcement may change. */
const EXPLAINS: Readonly<Record<Announcement, readonly CacheCause[]>> = {
  // The system text names the model, and each model is tuned in its own way.
  model: ["model", "thinking", "prompt"],
  compaction: ["history"],
  configured: ["tools", "prompt"],
  // Whoever resumes may have other flags, files and servers; the history is what was recorded.
  resumed: ["model", "thinking", "tools", "server", "memory", "prompt"],
};
/** Texts whose sections are kept: there are two blocks, and models have their own. */
const MOST_TEXTS = 8;

export class CacheGuard {
  /** Nothing of a message changes once it is made, so it is hashed once; entries go with their objects. */
  readonly #prints = new WeakMap<Message, Print>();
  readonly #tools = new WeakMap<ToolSpec, string>();
  readonly #sections = new Map<string, readonly PrefixSection[]>();
  /** What is about to change, and in which words. */
  readonly #announced = new Map<Announcement, string>();
  #before: Prints | undefined;
  readonly #keep: ((prefix: Prefix) => void) | undefined;
  #kept = "";
  #report: CacheReport = { usage: NO_USAGE, requests: 0, breaks: 0, missed: 0 };

  /** `resumed`: what the requests before this program began with, while a cache of them may live. `keep`: is told of each new one. */
  constructor({ resumed, keep }: { resumed?: Prefix | undefined; keep?: (prefix: Prefix) => void } = {}) {
    this.#keep = keep;
    if (!resumed) return;
    this.#before = { ...resumed, messages: [] };
    this.#kept = JSON.stringify(resumed);
    this.announce("resumed");
  }

  get report(): CacheReport {
    return this.#report;
  }

  /** `what`: how it is told, as a clause. */
  announce(change: Announcement, what = ""): void {
    this.#announced.set(change, what);
  }

  /** Takes in what the conversation records: a chosen model, a compaction. */
  note(event: DurableEvent): void {
    if (event.type === "model") this.announce("model");
    if (event.type !== "compacted") return;
    this.announce(
      "compaction",
      event.how === "pruned" ? "old tool results were taken out" : "the history was compacted",
    );
    if (event.spent) this.count(event.spent.usage);
  }

  /** Adds what the API says about an answered request. */
  count(usage: Usage): void {
    const { usage: sum, requests, ...rest } = this.#report;
    this.#report = { ...rest, usage: addUsage(sum, usage), requests: requests + 1 };
  }

  /** The model that answers from here on: the one that was asked is overloaded. */
  standIn(model: string): void {
    if (this.#before) this.#before = { ...this.#before, model };
  }

  /**
   * Compares a request about to be sent with the one sent before. With `strict` one that is not to be sent (a break
   * nobody announced) leaves the one before in its place.
   */
  check(request: ModelRequest, strict = false): Verdict {
    const now = this.#printsOf(request);
    const found = this.#before ? differences(this.#before, now) : [];
    const isFirst = this.#before === undefined;
    const verdict = this.#judge(found, isFirst);
    const refused = strict && verdict.kind === "broken" && !verdict.break.announced;
    if (refused) return verdict;
    this.#before = now;
    this.#announced.clear();
    this.#record(now);
    return verdict;
  }

  #record({ messages: _, ...prefix }: Prints): void {
    const text = JSON.stringify(prefix);
    if (text !== this.#kept) this.#keep?.(prefix);
    this.#kept = text;
  }

  #judge(found: readonly Found[], isFirst: boolean): Verdict {
    const explained = ({ cause }: Found) =>
      [...this.#announced.keys()].some((change) => EXPLAINS[change].includes(cause));
    const surprise = found.find((one) => !explained(one));
    const shown = surprise ?? found[0];
    if (!shown) return { kind: isFirst ? "first" : "intact" };
    const last = { ...(surprise ?? this.#inWords(shown)), announced: !surprise };
    const { breaks, missed, ...rest } = this.#report;
    this.#report = { ...rest, breaks: breaks + 1, missed: missed + (surprise ? 1 : 0), last };
    return { kind: "broken", break: last };
  }

  /** A change of the history that was announced is what it was announced as. */
  #inWords(shown: Found): Found {
    const what = this.#announced.get("compaction");
    if (shown.cause !== "history" || what === undefined) return shown;
    return found(shown.segment, "compaction", what);
  }

  #printsOf({ model, thinking, effort, tools, system, messages }: ModelRequest): Prints {
    return {
      model,
      thinking: JSON.stringify([thinking, effort]),
      tools: tools.map((tool) => [tool.name, this.#toolHash(tool)] as const),
      system: system.map(({ text }) => this.#sectionsOf(text)),
      messages: messages.map((message) => this.#printOf(message)),
    };
  }

  #sectionsOf(text: string): readonly PrefixSection[] {
    const known = this.#sections.get(text) ?? sectionsOf(text);
    if (this.#sections.size >= MOST_TEXTS) this.#sections.clear();
    this.#sections.set(text, known);
    return known;
  }

  #toolHash(tool: ToolSpec): string {
    const known = this.#tools.get(tool);
    if (known !== undefined) return known;
    const hash = hashOf(tool).toString(36);
    this.#tools.set(tool, hash);
    return hash;
  }

  #printOf(message: Message): Print {
    const known = this.#prints.get(message);
    if (known) return known;
    const { role, content } = message;
    const print = { role, blocks: content.map(hashOf), kinds: content.map(({ type }) => type) };
    this.#prints.set(message, print);
    return print;
  }
}

/**
 * `provider`, with every request looked at by `guard` first: a break that was announced is a notice, another one a
 * warning; with `strict` it is a ModelError, and nothing is sent.
 */
export function guarded(provider: Provider, guard: CacheGuard, strict: boolean): Provider {
  return { stream: (request, signal) => watched(provider, { request, signal }, { guard, strict }) };
}

async function* watched(
  provider: Provider,
  { request, signal }: { request: ModelRequest; signal: AbortSignal },
  { guard, strict }: { guard: CacheGuard; strict: boolean },
): AsyncGenerator<ProviderEvent, void> {
  const verdict = guard.check(request, strict);
  if (verdict.kind === "broken") {
    const { announced, text } = verdict.break;
    if (strict && !announced) throw new ModelError("invalid", `--cache-strict: ${text} Nothing was sent.`);
    yield { type: "notice", level: announced ? "info" : "warning", text };
  }
  for await (const event of provider.stream(request, signal)) {
    if (event.type === "model") guard.standIn(event.model);
    if (event.type === "end") guard.count(event.usage);
    yield event;
  }
}

/** In the order in which they stand in a request; what follows from a difference before it is left out. */
function differences(before: Prints, now: Prints): Found[] {
  if (before.model !== now.model) {
    return [found("model", "model", `the model is ${now.model} instead of ${before.model}`)];
  }
  const tools = toolsChange(new Map(before.tools), new Map(now.tools));
  return [
    ...(tools ? [found("tools", tools.cause, tools.text)] : []),
    ...systemChange(before.system, now.system),
    ...(before.thinking === now.thinking ? [] : [found("thinking", "thinking", "thinking or effort is set otherwise")]),
    ...messagesChange(before.messages, now.messages),
  ];
}

function found(segment: string, cause: CacheCause, what: string): Found {
  return { segment, cause, text: `The prompt cache begins anew: ${what}.` };
}

function systemChange(before: Prefix["system"], now: Prefix["system"]): Found[] {
  const at = firstDifference(before, now);
  if (at < 0) return [];
  const { cause, where } = sectionAt(before[at] ?? [], now[at] ?? []);
  const segment = `system block ${at + 1}`;
  return [found(segment, cause, `${segment} changed${where}`)];
}

function firstDifference(before: Prefix["system"], now: Prefix["system"]): number {
  const length = Math.max(before.length, now.length);
  for (let at = 0; at < length; at++) {
    const [old, fresh] = [before[at], now[at]];
    if (old !== fresh && JSON.stringify(old) !== JSON.stringify(fresh)) return at;
  }
  return -1;
}

function messagesChange(before: readonly Print[], now: readonly Print[]): Found[] {
  for (const [at, old] of before.entries()) {
    const print = now[at];
    if (print === old) continue;
    const segment = `message ${at + 1}`;
    if (!print) return [found(segment, "history", `${segment} of ${before.length} is gone`)];
    const block = old.blocks.findIndex((hash, index) => hash !== print.blocks[index]);
    const grew = at === before.length - 1 || print.blocks.length === old.blocks.length;
    if (block < 0 && grew && print.role === old.role) continue;
    const index = block < 0 ? old.blocks.length : block;
    const kind = old.kinds[index] ?? "new block";
    return [found(segment, "history", `${segment} of ${before.length} changed (${old.role}, ${kind} ${index + 1})`)];
  }
  return [];
}

function hashOf(value: object): bigint {
  return Bun.hash.xxHash64(JSON.stringify(value));
}

// Settings files, merged once into one value. A project that is not trusted can only make things stricter.
import { nearest } from "../core/nearest.ts";
import type { Effort, PermissionMode } from "../core/types.ts";
import { isFields } from "../utils/jsonl.ts";
import { isNever, isNeverEnv, isStrict } from "./acting.ts";
import { FieldReader } from "./fields.ts";
import { plain, type Node } from "./jsonc.ts";
import { fromHome } from "./paths.ts";
import { mergeSandbox, noSandbox, type SandboxSettings } from "./sandbox.ts";
import type { Scope, Source } from "./sources.ts";

export type SourcedRule = {
  text: string;
  /** `file:line`. */
  source: string;
  scope: Scope;
  /** The absolute folder that a path pattern beginning with `/` is relative to. */
  base: string;
};
export type Settings = {
  model?: string;
  fallbackModel?: string[];
  effortLevel?: Effort;
  alwaysThinkingEnabled?: boolean;
  respectGitignore?: boolean;
  /** Days a session is kept. */
  cleanupPeriodDays?: number;
  permissions: {
    allow: SourcedRule[];
    deny: SourcedRule[];
    ask: SourcedRule[];
    /** Absolute. */
    additionalDirectories: string[];
    defaultMode?: PermissionMode;
    disableBypassPermissionsMode?: "disable";
  };
  sandbox: SandboxSettings;
  /** Variables for the program and its commands. */
  env: Record<string, string>;
  /** Catalog overrides by model id; parsed by model/catalog.ts. */
  models: Record<string, unknown>;
  /** The other keys as they are, unchecked; lists add up, objects merge by key. */
  other: Record<string, unknown>;
};
export type MergeOptions = {
  home: string;
  /** Whether what a project's folder holds may act; absent: none may. */
  trusts?: (folder: string) => boolean;
};

const LISTS = ["allow", "deny", "ask"] as const;
const IN_PERMISSIONS = [...LISTS, "additionalDirectories", "defaultMode", "disableBypassPermissionsMode"];
const EFFORTS = ["low", "medium", "high", "xhigh", "max"] as const;
const MODES = ["default", "acceptEdits", "plan", "dontAsk", "bypassPermissions"] as const;
const SHOWN_KEYS = 8;

type Loaded = { settings: Settings; warnings: string[] };

/**
 * Later sources win; lists add up. A value of a wrong type is left out with a warning; where that would lose something
 * that forbids, it throws UsageError. What an untrusted project may not set is left out silently: the caller says it.
 */
export function mergeSettings(sources: readonly Source[], { home, trusts }: MergeOptions): Loaded {
  const warnings: string[] = [];
  const settings: Settings = {
    permissions: { allow: [], deny: [], ask: [], additionalDirectories: [] },
    sandbox: noSandbox(),
    env: {},
    models: {},
    other: {},
  };
  for (const source of sources) {
    const reader = new FieldReader(source.name, warnings);
    const trusted = source.own || (trusts?.(source.base) ?? false);
    new Merge(settings, { source, reader, home, trusted }).run();
  }
  return { settings, warnings };
}

type Merging = { source: Source; reader: FieldReader; home: string; trusted: boolean };

/** One source into the settings. */
class Merge {
  #settings: Settings;
  #source: Source;
  #reader: FieldReader;
  #home: string;
  #trusted: boolean;
  /** What a project sets and never may. */
  #never: string[] = [];

  constructor(settings: Settings, { source, reader, home, trusted }: Merging) {
    this.#settings = settings;
    this.#source = source;
    this.#reader = reader;
    this.#home = home;
    this.#trusted = trusted;
  }

  run(): void {
    for (const [key, node] of this.#source.fields) {
      if (key === "permissions") this.#permissions(node);
      else if (key === "sandbox") this.#sandbox(node);
      else if (!this.#source.own && isNever(key)) this.#never.push(key);
      else if (this.#trusted || isStrict(key, node)) this.#key(key, node);
      else if (key === "env") this.#neverEnv(node);
    }
    this.#sayNever();
  }

  #permissions(node: Node): void {
    if (node.kind !== "object") throw this.#reader.fatal("permissions", node, "an object");
    for (const [key, value] of node.fields) {
      if (key === "deny" || key === "ask") this.#rules(key, value);
      else if (key === "disableBypassPermissionsMode") this.#noBypass(value);
      else if (key === "defaultMode") this.#defaultMode(value);
      else if (!this.#trusted) continue;
      else if (key === "allow") this.#rules(key, value);
      else if (key === "additionalDirectories") this.#folders(value);
    }
    for (const key of node.fields.keys()) this.#misspelt(key);
  }

  #rules(list: (typeof LISTS)[number], node: Node): void {
    const key = `permissions.${list}`;
    const wrong = (name: string, at: Node, expected: string) => {
      if (list !== "allow") throw this.#reader.fatal(name, at, expected);
      this.#reader.wrong(name, at, expected);
    };
    if (node.kind !== "array") return wrong(key, node, "a list of strings");
    for (const [i, item] of node.items.entries()) {
      if (item.kind !== "scalar" || typeof item.value !== "string" || item.value.trim() === "") {
        wrong(`${key}[${i}]`, item, 'a rule such as "Bash(npm test)"');
      } else this.#rule(list, item.value, item.line);
    }
  }

  #rule(list: (typeof LISTS)[number], text: string, line: number): void {
    const rules = this.#settings.permissions[list];
    const { name, scope, base } = this.#source;
    // The same rule twice counts once; of another scope or folder a path in it may mean something else.
    if (rules.some((rule) => rule.text === text && rule.scope === scope && rule.base === base)) return;
    rules.push({ text, source: `${name}:${line}`, scope, base });
  }

  #folders(node: Node): void {
    const target = this.#settings.permissions;
    const at = { home: this.#home, base: this.#source.base };
    const folders = this.#reader.strings("permissions.additionalDirectories", node) ?? [];
    target.additionalDirectories = [
      ...new Set([...target.additionalDirectories, ...folders.map((path) => fromHome(path, at))]),
    ];
  }

  #defaultMode(node: Node): void {
    const word = node.kind === "scalar" ? node.value : undefined;
    if (!this.#source.own && word === "bypassPermissions") {
      this.#never.push("permissions.defaultMode: bypassPermissions");
      return;
    }
    if (!this.#trusted) return;
    const mode = word === "manual" ? "default" : this.#reader.choice("permissions.defaultMode", node, MODES);
    if (mode) this.#settings.permissions.defaultMode = mode;
  }

  /** Only ever set: no later file can take it back. */
  #noBypass(node: Node): void {
    const value = node.kind === "scalar" ? node.value : undefined;
    // Meant to forbid: what looks like a yes is one.
    if (value === "disable" || value === true) this.#settings.permissions.disableBypassPermissionsMode = "disable";
    else if (value !== false && value !== null) {
      throw this.#reader.fatal("permissions.disableBypassPermissionsMode", node, '"disable"');
    }
  }

  #misspelt(key: string): void {
    if (IN_PERMISSIONS.includes(key)) return;
    const near = nearest(key, LISTS);
    if (near) this.#reader.warn(`permissions.${key} is not known; did you mean ${near}?`);
  }

  #sandbox(node: Node): void {
    const at = { home: this.#home, base: this.#source.base };
    mergeSandbox(this.#settings.sandbox, node, { reader: this.#reader, full: this.#trusted, ...at });
  }

  #key(key: string, node: Node): void {
    const s = this.#settings;
    const read = this.#reader;
    switch (key) {
      case "$schema":
      case "__proto__":
        return;
      case "model":
        s.model = read.string(key, node) ?? s.model;
        return;
      case "fallbackModel":
        s.fallbackModel = read.strings(key, node) ?? s.fallbackModel;
        return;
      case "effortLevel":
        s.effortLevel = read.choice(key, node, EFFORTS) ?? s.effortLevel;
        return;
      case "alwaysThinkingEnabled":
      case "respectGitignore":
        s[key] = read.boolean(key, node) ?? s[key];
        return;
      case "cleanupPeriodDays":
        s.cleanupPeriodDays = read.above0(key, node) ?? s.cleanupPeriodDays;
        return;
      case "env":
        this.#env(node);
        return;
      case "models":
        for (const [id, value] of read.object(key, node)) s.models[id] = plain(value);
        return;
      default:
        s.other[key] = this.#replaces(key) ? plain(node) : merged(s.other[key], plain(node));
    }
  }

  /** The one list a managed file sets instead of adding to. */
  #replaces(key: string): boolean {
    return key === "availableModels" && this.#source.scope === "managed";
  }

  #env(node: Node): void {
    for (const [name, value] of this.#reader.object("env", node)) {
      if (!this.#source.own && isNeverEnv(name)) continue;
      const plainly = value.kind === "scalar" && value.value !== null && !/[=\0]/.test(name) && name !== "";
      if (plainly && !String(value.value).includes("\0")) this.#settings.env[name] = String(value.value);
      else this.#reader.wrong(`env.${name}`, value, "a string");
    }
    if (!this.#source.own) this.#neverEnv(node);
  }

  #neverEnv(node: Node): void {
    if (node.kind !== "object") return;
    this.#never.push(...[...node.fields.keys()].filter(isNeverEnv).map((name) => `env.${name}`));
  }

  #sayNever(): void {
    if (this.#never.length === 0) return;
    const more = this.#never.length > SHOWN_KEYS ? ` and ${this.#never.length - SHOWN_KEYS} more` : "";
    const names = this.#never.slice(0, SHOWN_KEYS).map((key) => key.slice(0, 60));
    this.#reader.warn(`${names.join(", ")}${more} ignored: a project may not set this, trusted or not`);
  }
}

/** Lists add up without repeats, objects merge by key, of anything else the later counts. */
function merged(earlier: unknown, later: unknown): unknown {
  if (Array.isArray(earlier) && Array.isArray(later)) {
    const seen = new Set(earlier.map((item) => JSON.stringify(item)));
    return [...earlier, ...later.filter((item) => !seen.has(JSON.stringify(item)))];
  }
  if (!isFields(earlier) || !isFields(later)) return later;
  const fields = new Map(Object.entries(earlier));
  for (const [key, value] of Object.entries(later)) fields.set(key, merged(fields.get(key), value));
  return Object.fromEntries(fields);
}

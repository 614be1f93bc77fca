// Settings files, merged once into one value. A project's files can only make things stricter.
import { UsageError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import type { Effort, PermissionMode } from "../core/types.ts";
import { plain, type Node } from "./jsonc.ts";
import { fromHome } from "./paths.ts";
import { readSources, type Scope, type Source, type SourceOptions } from "./sources.ts";

/** A rule's text with the file and line it came from. */
export type SourcedRule = { text: string; source: string; scope: Scope };
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
  /** Variables for the program and its commands; from the person's own files only. */
  env: Record<string, string>;
  /** Catalog overrides by model id; parsed by model/catalog.ts. */
  models: Record<string, unknown>;
  /** The person's other keys as they are, unchecked. */
  other: Record<string, unknown>;
};
export type LoadOptions = SourceOptions;

const LISTS = ["allow", "deny", "ask"] as const;
const IN_PERMISSIONS = [...LISTS, "additionalDirectories", "defaultMode", "disableBypassPermissionsMode"];
const EFFORTS = ["low", "medium", "high", "xhigh", "max"] as const;
const MODES = ["default", "acceptEdits", "plan", "dontAsk", "bypassPermissions"] as const;
const SHOWN_KEYS = 8;

/**
 * Lowest to highest: the person's files, the project's (deny and ask rules only), --settings. A value of a wrong type
 * is left out with a warning; where that would lose a deny or ask rule, and for a file that cannot be read or parsed,
 * it throws UsageError.
 */
export function loadSettings(options: LoadOptions): { settings: Settings; warnings: string[] } {
  const warnings: string[] = [];
  const settings: Settings = {
    permissions: { allow: [], deny: [], ask: [], additionalDirectories: [] },
    env: {},
    models: {},
    other: {},
  };
  const at = { home: options.places.home, base: options.cwd };
  for (const source of readSources(options)) new Merge(settings, { source, warnings, at }).run();
  return { settings, warnings };
}

type Merging = { source: Source; warnings: string[]; at: { home: string; base: string } };

/** One source into the settings. */
class Merge {
  #settings: Settings;
  #source: Source;
  #warnings: string[];
  #at: { home: string; base: string };

  constructor(settings: Settings, { source, warnings, at }: Merging) {
    this.#settings = settings;
    this.#source = source;
    this.#warnings = warnings;
    this.#at = at;
  }

  run(): void {
    const { scope, fields } = this.#source;
    const trusted = scope === "user" || scope === "flag";
    const ignored = this.#permissions(fields.get("permissions"), trusted);
    if (trusted) for (const [key, node] of fields) this.#key(key, node);
    else
      this.#sayIgnored([...[...fields.keys()].filter((key) => key !== "permissions" && key !== "$schema"), ...ignored]);
  }

  /** Returns what of a project's permissions is not taken. */
  #permissions(node: Node | undefined, trusted: boolean): string[] {
    if (!node) return [];
    if (node.kind !== "object") throw this.#fatal(node, "permissions must be an object");
    const ignored: string[] = [];
    for (const [key, value] of node.fields) {
      if (key === "deny" || key === "ask") this.#rules(key, value);
      else if (!trusted) ignored.push(`permissions.${key}`);
      else if (key === "allow") this.#rules(key, value);
      else this.#permission(key, value);
    }
    for (const key of node.fields.keys()) this.#misspelt(key);
    return ignored;
  }

  #rules(list: (typeof LISTS)[number], node: Node): void {
    const wrong = (at: Node, what: string) => {
      // A rule that forbids is never dropped.
      if (list !== "allow") throw this.#fatal(at, what);
      this.#warn(at, `${what}; it is ignored`);
    };
    if (node.kind !== "array") return wrong(node, `permissions.${list} must be a list of strings`);
    for (const item of node.items) {
      if (item.kind !== "scalar" || typeof item.value !== "string" || item.value.trim() === "") {
        wrong(item, `permissions.${list} has an entry that is not a rule`);
      } else this.#rule(list, item.value, item.line);
    }
  }

  #rule(list: (typeof LISTS)[number], text: string, line: number): void {
    const rules = this.#settings.permissions[list];
    const { name, scope } = this.#source;
    // The same rule of the same scope once; of another scope a path in it may mean something else.
    if (!rules.some((rule) => rule.text === text && rule.scope === scope)) {
      rules.push({ text, source: `${name}:${line}`, scope });
    }
  }

  #permission(key: string, node: Node): void {
    const target = this.#settings.permissions;
    if (key === "additionalDirectories") {
      const folders = this.#strings(`permissions.${key}`, node)?.map((path) => fromHome(path, this.#at));
      target[key] = [...new Set([...target[key], ...(folders ?? [])])];
    } else if (key === "defaultMode") {
      const manual = node.kind === "scalar" && node.value === "manual";
      const mode = manual ? "default" : this.#choice(`permissions.${key}`, node, MODES);
      if (mode) target[key] = mode;
    } else if (key === "disableBypassPermissionsMode") {
      const value = node.kind === "scalar" ? node.value : undefined;
      // Meant to forbid: what looks like a yes is one.
      if (value === "disable" || value === true) target[key] = "disable";
      else if (value !== false && value !== null) this.#wrong(`permissions.${key}`, node, '"disable"');
    }
  }

  #misspelt(key: string): void {
    if (IN_PERMISSIONS.includes(key)) return;
    const near = nearest(key, LISTS);
    if (near) this.#warnings.push(`${this.#source.name}: permissions.${key} is not known; did you mean ${near}?`);
  }

  #key(key: string, node: Node): void {
    const s = this.#settings;
    switch (key) {
      case "permissions":
      case "$schema":
        return;
      case "model":
        s.model = this.#string(key, node) ?? s.model;
        return;
      case "fallbackModel":
        s.fallbackModel = this.#strings(key, node) ?? s.fallbackModel;
        return;
      case "effortLevel":
        s.effortLevel = this.#choice(key, node, EFFORTS) ?? s.effortLevel;
        return;
      case "alwaysThinkingEnabled":
      case "respectGitignore":
        s[key] = this.#boolean(key, node) ?? s[key];
        return;
      case "cleanupPeriodDays":
        s.cleanupPeriodDays = this.#days(key, node) ?? s.cleanupPeriodDays;
        return;
      case "env":
        this.#env(key, node);
        return;
      case "models":
        for (const [id, value] of this.#object(key, node)) s.models[id] = plain(value);
        return;
      default:
        if (key !== "__proto__") s.other[key] = plain(node);
    }
  }

  #env(key: string, node: Node): void {
    for (const [name, value] of this.#object(key, node)) {
      const plainly = value.kind === "scalar" && value.value !== null && !/[=\0]/.test(name) && name !== "";
      if (plainly && !String(value.value).includes("\0")) this.#settings.env[name] = String(value.value);
      else this.#wrong(`${key}.${name}`, value, "a string");
    }
  }

  #string(key: string, node: Node): string | undefined {
    if (node.kind === "scalar" && typeof node.value === "string" && node.value !== "") return node.value;
    return this.#wrong(key, node, "a string");
  }

  #strings(key: string, node: Node): string[] | undefined {
    const items = node.kind === "array" ? node.items : [node];
    const texts = items.flatMap((item) =>
      item.kind === "scalar" && typeof item.value === "string" ? [item.value] : [],
    );
    return texts.length === items.length ? texts : this.#wrong(key, node, "a list of strings");
  }

  #boolean(key: string, node: Node): boolean | undefined {
    if (node.kind === "scalar" && typeof node.value === "boolean") return node.value;
    return this.#wrong(key, node, "true or false");
  }

  #days(key: string, node: Node): number | undefined {
    if (node.kind === "scalar" && typeof node.value === "number" && node.value > 0) return node.value;
    return this.#wrong(key, node, "a number above 0");
  }

  #choice<T extends string>(key: string, node: Node, choices: readonly T[]): T | undefined {
    const found = choices.find((choice) => node.kind === "scalar" && node.value === choice);
    return found ?? this.#wrong(key, node, `one of ${choices.join(", ")}`);
  }

  /** The fields that can be taken; none when it is no object. */
  #object(key: string, node: Node): [string, Node][] {
    if (node.kind === "object") return [...node.fields].filter(([name]) => name !== "__proto__");
    this.#wrong(key, node, "an object");
    return [];
  }

  #wrong(key: string, node: Node, expected: string): undefined {
    this.#warn(node, `${key} must be ${expected}; it is ignored`);
    return undefined;
  }

  #warn(node: Node, problem: string): void {
    this.#warnings.push(`${this.#source.name}:${node.line}: ${problem}.`);
  }

  #fatal(node: Node, problem: string): UsageError {
    return new UsageError(
      `${this.#source.name}:${node.line}: ${problem}. Rules that forbid are never skipped; correct it.`,
    );
  }

  #sayIgnored(keys: string[]): void {
    if (keys.length === 0) return;
    const more = keys.length > SHOWN_KEYS ? ` and ${keys.length - SHOWN_KEYS} more` : "";
    const names = keys.slice(0, SHOWN_KEYS).map((key) => key.slice(0, 60));
    const what = `${names.join(", ")}${more} ignored: a project can only add deny and ask rules.`;
    this.#warnings.push(`${this.#source.name}: ${what}`);
  }
}

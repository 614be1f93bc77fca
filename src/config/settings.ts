// Settings files, merged once into one frozen value. A project's files can only make things stricter.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../core/errors.ts";
import type { Effort, PermissionMode } from "../core/types.ts";
import type { Places } from "./paths.ts";

/** A rule's text with the file it came from. */
export type SourcedRule = { text: string; source: string };
export type Settings = {
  model?: string;
  fallbackModel?: string[];
  effortLevel?: Effort;
  alwaysThinkingEnabled?: boolean;
  permissions: {
    allow: SourcedRule[];
    deny: SourcedRule[];
    ask: SourcedRule[];
    additionalDirectories: string[];
    defaultMode?: PermissionMode;
    disableBypassPermissionsMode?: "disable";
  };
  /** Variables for the program and its commands; from the person's own files only. */
  env: Record<string, string>;
  /** Catalog overrides by model id; parsed by model/catalog.ts. */
  models: Record<string, unknown>;
};

export type LoadOptions = {
  places: Places;
  cwd: string;
  /** --settings: a file or JSON text. */
  flag?: string | undefined;
  /** --setting-sources; undefined: all. */
  sources?: readonly string[] | undefined;
};

type Layer = { source: string; value: Record<string, unknown>; trusted: boolean };

/** Lowest to highest: user files, project files (deny and ask rules only), --settings. Throws UsageError. */
export function loadSettings({ places, cwd, flag, sources }: LoadOptions): { settings: Settings; warnings: string[] } {
  const warnings: string[] = [];
  const wants = (name: string) => sources === undefined || sources.includes(name);
  const files: [string, string, boolean][] = [
    ["user", join(places.claude, "settings.json"), true],
    ["user", join(places.nanocode, "settings.json"), true],
    ["project", join(cwd, ".claude", "settings.json"), false],
    ["project", join(cwd, ".nanocode", "settings.json"), false],
    ["local", join(cwd, ".claude", "settings.local.json"), false],
    ["local", join(cwd, ".nanocode", "settings.local.json"), false],
  ];
  const layers = files.flatMap(([scope, path, trusted]): Layer[] => {
    const value = wants(scope) ? readLayer(path) : undefined;
    return value ? [{ source: path, value, trusted }] : [];
  });
  if (flag !== undefined) layers.push({ source: "--settings", value: flagLayer(flag), trusted: true });
  const settings: Settings = {
    permissions: { allow: [], deny: [], ask: [], additionalDirectories: [] },
    env: {},
    models: {},
  };
  for (const layer of layers) merge(settings, layer, warnings);
  return { settings, warnings };
}

function readLayer(path: string): Record<string, unknown> | undefined {
  const text = readText(path);
  if (text === undefined || text.trim() === "") return undefined;
  // A file that cannot be read may hold deny rules; going on without them would lose them silently.
  return parseObject(text, path);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new UsageError(
      `Settings file ${path} cannot be read (${code || String(error)}). Its deny rules would be lost; make it readable or remove it.`,
    );
  }
}

function flagLayer(flag: string): Record<string, unknown> {
  if (flag.trim().startsWith("{")) return parseObject(flag, "--settings");
  const text = readText(flag);
  if (text === undefined) throw new UsageError(`Settings file not found: ${flag}`);
  return parseObject(text, flag);
}

function parseObject(text: string, source: string): Record<string, unknown> {
  const parsed = parseJson(text, source);
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>;
  throw new UsageError(`${source}: settings must be a JSON object.`);
}

function parseJson(text: string, source: string): unknown {
  try {
    return Bun.JSONC.parse(text);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `${source}${lineOf(text, source)} is not valid JSON: ${problem}. Its deny rules would be lost; correct it.`,
    );
  }
}

/** The first line up to which the text cannot be the beginning of valid JSON, found by the strict parser. */
function lineOf(text: string, source: string): string {
  if (source === "--settings") return "";
  try {
    JSON.parse(text);
  } catch (error) {
    const at = /position (\d+)|line (\d+)/i.exec(error instanceof Error ? error.message : "");
    if (at?.[2]) return `:${at[2]}`;
    if (at?.[1]) return `:${text.slice(0, Number(at[1])).split("\n").length}`;
  }
  return "";
}

function merge(settings: Settings, layer: Layer, warnings: string[]): void {
  const { source, value, trusted } = layer;
  const warn = (key: string, expected: string) =>
    warnings.push(`${source}: ${key} must be ${expected}; it is ignored.`);
  mergePermissions(settings, layer, warnings);
  if (!trusted) {
    const ignored = Object.keys(value).filter((key) => key !== "permissions" && key !== "$schema" && key in TAKEN);
    if (ignored.length > 0)
      warnings.push(`${source}: ${ignored.join(", ")} ignored: a project can only add deny and ask rules.`);
    return;
  }
  for (const [key, { fits, expected, take }] of Object.entries(TAKEN)) {
    const given = value[key];
    if (given === undefined) continue;
    if (fits(given)) take(settings, given);
    else warn(key, expected);
  }
}

type Taken = { fits(value: unknown): boolean; expected: string; take(settings: Settings, value: unknown): void };

const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((v) => typeof v === "string");
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const EFFORTS: readonly unknown[] = ["low", "medium", "high", "xhigh", "max"];
const MODES: readonly unknown[] = ["default", "acceptEdits", "plan", "dontAsk", "bypassPermissions"];

/** `fits` has checked what `take` casts. */
const TAKEN: Record<string, Taken> = {
  model: {
    fits: (v) => typeof v === "string",
    expected: "a string",
    take: (s, v) => (s.model = v as string),
  },
  fallbackModel: {
    fits: (v) => isStrings(v) || typeof v === "string",
    expected: "a list of strings",
    take: (s, v) => (s.fallbackModel = isStrings(v) ? v : [v as string]),
  },
  effortLevel: {
    fits: (v) => EFFORTS.includes(v),
    expected: EFFORTS.join(", "),
    take: (s, v) => (s.effortLevel = v as Effort),
  },
  alwaysThinkingEnabled: {
    fits: (v) => typeof v === "boolean",
    expected: "true or false",
    take: (s, v) => (s.alwaysThinkingEnabled = v as boolean),
  },
  env: {
    fits: (v) => isObject(v) && Object.values(v).every((x) => typeof x === "string"),
    expected: "an object of strings",
    take: (s, v) => Object.assign(s.env, v),
  },
  models: { fits: isObject, expected: "an object", take: (s, v) => Object.assign(s.models, v) },
};

function mergePermissions(settings: Settings, { source, value, trusted }: Layer, warnings: string[]): void {
  const given = value.permissions;
  if (given === undefined) return;
  if (!isObject(given)) throw new UsageError(`${source}: permissions must be an object.`);
  const target = settings.permissions;
  for (const list of ["allow", "deny", "ask"] as const) {
    const texts = given[list];
    if (texts === undefined) continue;
    if (!isStrings(texts)) {
      const problem = `${source}: permissions.${list} must be a list of strings`;
      // Rules that forbid are never dropped.
      if (list !== "allow") throw new UsageError(`${problem}.`);
      warnings.push(`${problem}; it is ignored.`);
    } else if (list !== "allow" || trusted) target[list].push(...texts.map((text) => ({ text, source })));
    else if (texts.length > 0)
      warnings.push(`${source}: permissions.allow ignored: a project can only add deny and ask rules.`);
  }
  if (!trusted) return;
  const { additionalDirectories, defaultMode, disableBypassPermissionsMode } = given;
  if (isStrings(additionalDirectories)) target.additionalDirectories.push(...additionalDirectories);
  if (defaultMode !== undefined) {
    const mode = defaultMode === "manual" ? "default" : defaultMode;
    if (MODES.includes(mode)) target.defaultMode = mode as PermissionMode;
    else warnings.push(`${source}: permissions.defaultMode must be one of ${MODES.join(", ")}; it is ignored.`);
  }
  if (disableBypassPermissionsMode === "disable") target.disableBypassPermissionsMode = "disable";
}

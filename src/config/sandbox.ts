// The sandbox settings: one table of keys, what each may hold, and whether a project may set it before it is trusted.
import { editDistance } from "../core/nearest.ts";
import { textsOf, type FieldReader } from "./fields.ts";
import type { Node } from "./jsonc.ts";
import { fromHome } from "./paths.ts";

/** Paths are absolute and may be patterns; a key that is absent was not set anywhere. */
export type SandboxSettings = {
  enabled?: boolean;
  failIfUnavailable?: boolean;
  autoAllowBashIfSandboxed?: boolean;
  allowUnsandboxedCommands?: boolean;
  /** Command patterns, as in Bash rules. */
  excludedCommands: string[];
  filesystem: {
    allowWrite: string[];
    denyWrite: string[];
    denyRead: string[];
    allowRead: string[];
    disabled?: boolean;
  };
  network: {
    allowedDomains: string[];
    deniedDomains: string[];
    allowUnixSockets: string[];
    allowLocalBinding?: boolean;
    httpProxyPort?: number;
    socksProxyPort?: number;
  };
};

/** `tight`: the value that only makes things stricter; a project may set it untrusted. */
type Spec =
  | { kind: "boolean"; tight?: boolean; put(s: SandboxSettings, value: boolean): void }
  | { kind: "port"; tight?: never; put(s: SandboxSettings, value: number): void }
  | { kind: "list"; tight?: true; paths?: true; list(s: SandboxSettings): string[] };

const SPECS: Readonly<Record<string, Spec>> = {
  enabled: { kind: "boolean", tight: true, put: (s, value) => (s.enabled = value) },
  failIfUnavailable: { kind: "boolean", tight: true, put: (s, value) => (s.failIfUnavailable = value) },
  autoAllowBashIfSandboxed: { kind: "boolean", tight: false, put: (s, value) => (s.autoAllowBashIfSandboxed = value) },
  allowUnsandboxedCommands: { kind: "boolean", tight: false, put: (s, value) => (s.allowUnsandboxedCommands = value) },
  excludedCommands: { kind: "list", list: (s) => s.excludedCommands },
  "filesystem.allowWrite": { kind: "list", paths: true, list: (s) => s.filesystem.allowWrite },
  "filesystem.denyWrite": { kind: "list", paths: true, tight: true, list: (s) => s.filesystem.denyWrite },
  "filesystem.denyRead": { kind: "list", paths: true, tight: true, list: (s) => s.filesystem.denyRead },
  "filesystem.allowRead": { kind: "list", paths: true, list: (s) => s.filesystem.allowRead },
  "filesystem.disabled": { kind: "boolean", put: (s, value) => (s.filesystem.disabled = value) },
  "network.allowedDomains": { kind: "list", list: (s) => s.network.allowedDomains },
  "network.deniedDomains": { kind: "list", tight: true, list: (s) => s.network.deniedDomains },
  "network.allowUnixSockets": { kind: "list", paths: true, list: (s) => s.network.allowUnixSockets },
  "network.allowLocalBinding": { kind: "boolean", put: (s, value) => (s.network.allowLocalBinding = value) },
  "network.httpProxyPort": { kind: "port", put: (s, value) => (s.network.httpProxyPort = value) },
  "network.socksProxyPort": { kind: "port", put: (s, value) => (s.network.socksProxyPort = value) },
};
const GROUPS = ["filesystem", "network"];

export function noSandbox(): SandboxSettings {
  return {
    excludedCommands: [],
    filesystem: { allowWrite: [], denyWrite: [], denyRead: [], allowRead: [] },
    network: { allowedDomains: [], deniedDomains: [], allowUnixSockets: [] },
  };
}

export type SandboxEntry = { key: string; node: Node; spec: Spec | undefined };

/** What a `sandbox` object sets, one entry per key, groups taken apart: `filesystem.denyRead`. */
export function sandboxEntries(node: Node): SandboxEntry[] {
  if (node.kind !== "object") return [];
  return [...node.fields].flatMap(([key, value]) => {
    if (!GROUPS.includes(key) || value.kind !== "object") return [entry(key, value)];
    return [...value.fields].map(([inner, field]) => entry(`${key}.${inner}`, field));
  });
}

function entry(key: string, node: Node): SandboxEntry {
  return { key, node, spec: Object.hasOwn(SPECS, key) ? SPECS[key] : undefined };
}

/** Whether the entry can only make things stricter. */
export function tightens({ spec, node }: SandboxEntry): boolean {
  if (spec?.tight === undefined) return false;
  return spec.kind === "list" || (node.kind === "scalar" && node.value === spec.tight);
}

type Merging = {
  reader: FieldReader;
  /** False for a project that is not trusted: only what makes it stricter counts. */
  full: boolean;
  home: string;
  base: string;
};

/**
 * Adds one file's `sandbox` object. Lists grow; the last value of the rest counts. Throws UsageError where a value of a
 * wrong type would leave out what is meant to confine.
 */
export function mergeSandbox(target: SandboxSettings, node: Node, merging: Merging): void {
  const { reader, full } = merging;
  if (node.kind !== "object") throw reader.fatal("sandbox", node, "an object");
  for (const one of sandboxEntries(node)) {
    const { key, spec } = one;
    if (GROUPS.includes(key)) throw reader.fatal(`sandbox.${key}`, one.node, "an object");
    if (!spec) {
      const near = Object.keys(SPECS).find((known) => editDistance(key.toLowerCase(), known.toLowerCase(), 2) <= 2);
      if (near) reader.warn(`sandbox.${key} is not known; did you mean sandbox.${near}?`, one.node);
      continue;
    }
    refuseLost(one, reader);
    if (!full && !tightens(one)) continue;
    // Commands inside the wall may run unasked: a project that raises it must not gain that.
    if (!full && key === "enabled" && target.enabled !== true) target.autoAllowBashIfSandboxed = false;
    put(target, spec, one, merging);
  }
}

function put(target: SandboxSettings, spec: Spec, { key, node }: SandboxEntry, { reader, home, base }: Merging): void {
  const name = `sandbox.${key}`;
  switch (spec.kind) {
    case "boolean": {
      const value = reader.boolean(name, node);
      if (value !== undefined) spec.put(target, value);
      return;
    }
    case "port": {
      const value = node.kind === "scalar" ? node.value : undefined;
      if (typeof value === "number" && Number.isInteger(value) && value > 0 && value < 65_536) spec.put(target, value);
      else reader.wrong(name, node, "a port number");
      return;
    }
    case "list": {
      const list = spec.list(target);
      for (const text of reader.strings(name, node) ?? []) {
        const value = spec.paths ? fromHome(text, { home, base }) : text;
        if (!list.includes(value)) list.push(value);
      }
      return;
    }
    default:
      spec satisfies never;
  }
}

/** What is meant to confine and cannot be understood stops the start; what only permits is left out. */
function refuseLost({ key, node, spec }: SandboxEntry, reader: FieldReader): void {
  if (spec?.tight === undefined) return;
  if (spec.kind === "list" && !textsOf(node)) throw reader.fatal(`sandbox.${key}`, node, "a list of strings");
  const isBoolean = node.kind === "scalar" && typeof node.value === "boolean";
  if (spec.kind === "boolean" && !isBoolean) throw reader.fatal(`sandbox.${key}`, node, "true or false");
}

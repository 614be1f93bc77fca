// What in a project's settings can act: everything but what makes things stricter. Each is one item to be trusted.
import { relative } from "node:path";
import { realPath } from "../utils/paths.ts";
import { asFields, isFields, type Fields } from "../utils/jsonl.ts";
import { plain, type Node } from "./jsonc.ts";
import { sandboxEntries, tightens } from "./sandbox.ts";
import type { Source } from "./sources.ts";

/**
 * One thing that acts: in the file (relative to the folder, a real path), under a key. `text` is shown, without secrets;
 * `exact` is what trust is given to, undefined when it cannot be known.
 */
export type ActingSetting = { folder: string; file: string; kind: string; text: string; exact: string | undefined };
export type Found = Omit<ActingSetting, "folder" | "file">;

/** Would say which key is sent: never from a project, trusted or not. */
const NEVER = new Set(["apiKeyHelper"]);
/** Would move requests, keys, programs or our own files. */
const NEVER_ENV =
  /^((ANTHROPIC|OPENROUTER)_\w*(URL|KEY|TOKEN|HEADERS)|\w+_PROXY|(NODE|BUN|LD|DYLD|SSL_CERT|NANOCODE)_\w*|PATH|HOME|USERPROFILE|CLAUDE_CONFIG_DIR)$/i;
/** Lists that take something away. */
const STRICT_LISTS = new Set(["disabledMcpjsonServers", "deniedMcpServers"]);

/** Whether a project may never set this key. */
export function isNever(key: string): boolean {
  return NEVER.has(key);
}

/** Whether a project may never set this variable. */
export function isNeverEnv(name: string): boolean {
  return NEVER_ENV.test(name);
}

/** Whether a key can only make things stricter, so that it counts before the project is trusted. */
export function isStrict(key: string, node: Node): boolean {
  if (key === "$schema") return true;
  if (STRICT_LISTS.has(key)) return node.kind === "array";
  return key === "disableSkillShellExecution" && node.kind === "scalar" && node.value === true;
}

/** The items of the project's sources, in the order they stand there. */
export function actingSettings(sources: readonly Source[]): ActingSetting[] {
  return sources
    .filter((source) => !source.own)
    .flatMap(({ name, base, fields }) => {
      const place = { folder: realPath(base), file: relative(base, name) };
      return [...fields].flatMap(([key, node]) => itemsOf(key, node)).map((item) => ({ ...place, ...item }));
    });
}

/** The item a rule becomes that is saved into `file`. */
export function allowRuleItem(place: { folder: string; file: string }, rule: string): ActingSetting {
  return { folder: realPath(place.folder), file: relative(place.folder, place.file), ...allowRule(rule) };
}

function allowRule(rule: string): Found {
  return { kind: "permissions.allow", text: rule, exact: rule };
}

function itemsOf(key: string, node: Node): Found[] {
  if (isNever(key) || isStrict(key, node)) return [];
  switch (key) {
    case "permissions":
      return permissionItems(node);
    case "sandbox":
      return sandboxEntries(node)
        .filter((entry) => !tightens(entry))
        .flatMap((entry) => each(`sandbox.${entry.key}`, entry.node));
    case "env":
      return envItems(node);
    case "hooks":
      return hookItems(plain(node));
    default:
      return [whole(key, plain(node))];
  }
}

function permissionItems(node: Node): Found[] {
  if (node.kind !== "object") return [];
  return [...node.fields].flatMap(([key, value]) => {
    if (key === "deny" || key === "ask" || key === "disableBypassPermissionsMode") return [];
    if (key === "defaultMode" && value.kind === "scalar" && value.value === "bypassPermissions") return [];
    return each(`permissions.${key}`, value);
  });
}

/** A list of strings as one item each. */
function each(kind: string, node: Node): Found[] {
  const items = node.kind === "array" ? node.items : [node];
  return items.map((item) => {
    const value = plain(item);
    return typeof value === "string" ? { kind, text: value, exact: value } : whole(kind, value);
  });
}

function wordOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function envItems(node: Node): Found[] {
  if (node.kind !== "object") return [];
  return [...node.fields]
    .filter(([name]) => !isNeverEnv(name))
    .map(([name, value]) => ({
      kind: "env",
      text: `sets ${name} (value not shown)`,
      exact: canonical([name, plain(value)]),
    }));
}

/** One item per handler; what has another shape is shown as it is. */
function hookItems(hooks: unknown): Found[] {
  if (!isFields(hooks)) return [whole("hooks", hooks)];
  return Object.entries(hooks).flatMap(([event, groups]) => {
    const kind = `hooks.${event}`;
    if (!Array.isArray(groups)) return [whole(kind, groups)];
    return groups.flatMap((group: unknown) => {
      const { matcher, hooks: handlers, ...rest } = asFields(group);
      if (!Array.isArray(handlers)) return [whole(kind, group)];
      return handlers.map((handler: unknown) => {
        const on = matcher === undefined || matcher === "" || matcher === "*" ? "" : `on ${wordOf(matcher)}, `;
        const more = Object.keys(rest).length > 0 ? ` ${masked(rest)}` : "";
        return { kind, text: `${on}${commandOf(handler)}${more}`, exact: canonical([matcher, rest, handler]) };
      });
    });
  });
}

/** A value under a key, as it is. */
export function whole(kind: string, value: unknown): Found {
  return { kind, text: commandOf(value), exact: canonical(value) };
}

/** What is run first, then the rest of it. */
function commandOf(value: unknown): string {
  if (!isFields(value) || typeof value.command !== "string") return masked(value);
  const { type, command, args, ...rest } = value;
  const given = Array.isArray(args) ? args.map((arg) => ` ${JSON.stringify(arg)}`).join("") : "";
  const more = {
    ...(type === undefined || type === "command" || type === "stdio" ? {} : { type }),
    ...(args === undefined || Array.isArray(args) ? {} : { args }),
    ...rest,
  };
  return `runs: ${command}${given}${Object.keys(more).length > 0 ? ` ${masked(more)}` : ""}`;
}

/** As JSON; of variables and headers only the names, since their values are often secret. */
function masked(value: unknown): string {
  return JSON.stringify(value, (key, inner: unknown) => {
    if (!/^(env|headers)$/i.test(key) || !isFields(inner)) return inner;
    return Object.fromEntries(Object.keys(inner).map((name) => [name, "(not shown)"]));
  });
}

/** The same for the same value, in whatever order its keys were written. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (isFields(inner) ? sorted(inner) : inner)) ?? "";
}

function sorted(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

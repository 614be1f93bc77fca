// Permission rules: their text, checked and compiled once, and what each is about.
import { UsageError } from "../core/errors.ts";
import { pathPattern, type Anchors, type PathPattern } from "./match-path.ts";
import { starSteps, type Steps } from "./wild.ts";

export type Behavior = "allow" | "deny" | "ask";

/** What the part in parentheses says. */
export type Spec =
  | { kind: "all" }
  /** `exact`: no star in it. `prefix`: also matches without anything after the text (`npm test:*`). */
  | { kind: "command"; text: string; steps: Steps; prefix: Steps | undefined; exact: boolean }
  | { kind: "path"; pattern: PathPattern }
  | { kind: "domain"; host: string; subdomains: boolean }
  /** An agent or a skill; `args`: with any arguments. */
  | { kind: "name"; name: string; args: boolean }
  | { kind: "param"; param: string; steps: Steps };

export type Rule = {
  behavior: Behavior;
  /** As written: `Bash`, `mcp__server__*`. */
  tool: string;
  spec: Spec;
  text: string;
  /** File and line, or the flag. */
  source: string;
};
export type Rules = { allow: readonly Rule[]; deny: readonly Rule[]; ask: readonly Rule[] };
export const NO_RULES: Rules = { allow: [], deny: [], ask: [] };

const SHAPE = /^([A-Za-z_*][\w*-]*)(?:\(([\s\S]*)\))?$/;
/** Tools whose calls are about files; a rule for `Read` or `Edit` covers its whole family. */
export const READERS = ["Read", "Glob", "Grep"] as const;
export const EDITORS = ["Edit", "Write", "NotebookEdit"] as const;
const PATH_TOOLS: readonly string[] = [...READERS, ...EDITORS];
/** Of tools for files: a rule for one of these is about that parameter, not about a file of such a name. */
const FILE_PARAMS =
  /^(offset|limit|pages|old_string|new_string|replace_all|content|output_mode|glob|type|multiline|head_limit|edit_mode|cell_type|cell_id|new_source)$/;
const BASH_PARAMS = /^(run_in_background|dangerouslyDisableSandbox|timeout|description)$/;

/** The rule, or what is wrong with the text and what was expected. */
export function parseRule(text: string, behavior: Behavior, source: string, at: Anchors): Rule | { problem: string } {
  const trimmed = text.trim();
  const match = SHAPE.exec(trimmed);
  const tool = match?.[1];
  if (!match || !tool) return { problem: `"${shown(text)}" is not a permission rule: expected Tool or Tool(pattern)` };
  if (behavior === "allow" && /\*/.test(tool) && !/^mcp__[^*]+__[^*]*\*$/.test(tool)) {
    return { problem: `"${shown(text)}": an allow rule names its tool; * is only taken after mcp__server__` };
  }
  const inner = match[2]?.trim();
  const spec =
    inner === undefined || inner === "" || inner === "*" || inner === ":*" ? ALL : specOf(tool, inner, behavior, at);
  if ("problem" in spec) return { problem: `"${shown(text)}": ${spec.problem}` };
  return { behavior, tool, spec, text: trimmed, source };
}

const ALL: Spec = { kind: "all" };

function specOf(tool: string, inner: string, behavior: Behavior, at: Anchors): Spec | { problem: string } {
  const [, param, value] = /^([A-Za-z_]\w*):([\s\S]*)$/.exec(inner) ?? [];
  const asParam = param !== undefined && value !== undefined && behavior !== "allow";
  if (tool === "Bash") {
    // `timeout:*` is about the program of that name.
    if (asParam && BASH_PARAMS.test(param) && value !== "*") return paramSpec(param, value);
    return commandSpec(inner);
  }
  if (PATH_TOOLS.includes(tool)) {
    if (asParam && FILE_PARAMS.test(param)) return paramSpec(param, value);
    const pattern = pathPattern(inner, at);
    return "problem" in pattern ? pattern : { kind: "path", pattern };
  }
  if (tool === "WebFetch") return asParam && param === "prompt" ? paramSpec(param, value) : domainSpec(inner);
  if (asParam) return paramSpec(param, value);
  if (tool === "Agent" || tool === "Task" || tool === "Skill") {
    const args = / \*$|:\*$/.test(inner);
    const name = inner.replace(/( |:)\*$/, "");
    return /^[\p{L}\p{M}\p{N}_:.@/-]+$/u.test(name)
      ? { kind: "name", name, args }
      : { problem: `expected ${tool}(name)` };
  }
  if (behavior === "allow") return { problem: `an allow rule for ${tool} takes no pattern: expected ${tool}` };
  return { problem: `expected ${tool} or ${tool}(parameter:value)` };
}

/** `text`, `text with * in it`, `prefix:*` (the same as `prefix *`: also without arguments). */
function commandSpec(inner: string): Spec {
  const text = inner.replace(/:\*$/, " *").replace(/[ \t]+/g, " ");
  const prefix = text.endsWith(" *") ? starSteps(text.slice(0, -2).trimEnd()) : undefined;
  return { kind: "command", text, steps: starSteps(text), prefix, exact: !text.includes("*") };
}

function domainSpec(inner: string): Spec | { problem: string } {
  const domain = /^domain:(\*\.)?(.+)$/.exec(inner);
  const host = domain?.[2] === undefined ? undefined : hostOf(`http://${domain[2]}`);
  if (!domain || host === undefined || /[*/\s]/.test(domain[2] ?? "")) {
    return { problem: "expected WebFetch(domain:example.com) or WebFetch(domain:*.example.com)" };
  }
  return { kind: "domain", host, subdomains: domain[1] !== undefined };
}

/** Lower case, without port, user and trailing dot; undefined when it is no web address. */
export function hostOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname } = new URL(url);
  return protocol === "http:" || protocol === "https:" ? hostname.toLowerCase().replace(/\.+$/, "") : undefined;
}

function paramSpec(param: string, value: string): Spec {
  return { kind: "param", param, steps: starSteps(value.trim()) };
}

/** Whether the rule is about this tool, whatever its pattern says. */
export function isAbout({ tool }: Rule, name: string): boolean {
  if (tool === name) return true;
  const is = (list: readonly string[]) => list.includes(name);
  if (tool === "Read") return is(READERS);
  if (tool === "Edit") return is(EDITORS);
  if (tool === "Agent" || tool === "Task") return name === "Agent" || name === "Task";
  const server = /^mcp__((?:(?!__).)+)(?:__\*)?$/.exec(tool)?.[1];
  if (server !== undefined && !server.includes("*")) return name.startsWith(`mcp__${server}__`);
  return tool.includes("*") && wildName(tool, name);
}

function wildName(pattern: string, name: string): boolean {
  const source = pattern.split(/\*+/).map((part) => part.replace(/[^\w]/g, "\\$&"));
  return new RegExp(`^${source.join(".*")}$`).test(name);
}

export type RuleText = { text: string; source: string; base?: string };

/**
 * Every text a rule. A bad allow rule is left out and named in `warnings`; a bad deny or ask rule throws UsageError: what
 * was meant to forbid must never be lost silently.
 */
export function parseRules(
  lists: Readonly<Record<Behavior, readonly RuleText[]>>,
  { cwd, home }: { cwd: string; home: string },
): { rules: Rules; warnings: string[] } {
  const warnings: string[] = [];
  const parse = (behavior: Behavior): Rule[] =>
    lists[behavior].flatMap(({ text, source, base }) => {
      const rule = parseRule(text, behavior, source, { base: base ?? cwd, cwd, home });
      if (!("problem" in rule)) return [rule];
      if (behavior !== "allow")
        throw new UsageError(`${source}: ${rule.problem}. Rules that forbid are never skipped; correct it.`);
      warnings.push(`${source}: ${rule.problem}; the rule is ignored.`);
      return [];
    });
  return { rules: { deny: parse("deny"), ask: parse("ask"), allow: parse("allow") }, warnings };
}

function shown(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
  return line.length <= 80 ? line : `${line.slice(0, 79)}…`;
}

export function say({ text, source }: Rule): string {
  return `the rule ${text} (${source})`;
}

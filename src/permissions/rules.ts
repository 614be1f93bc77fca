// Permission rules as text: `Tool` or `Tool(spec)`.
import { UsageError } from "../core/errors.ts";

export type Rule = { tool: string; spec?: string; text: string; source: string };
export type Rules = { allow: readonly Rule[]; deny: readonly Rule[]; ask: readonly Rule[] };

const SHAPE = /^([A-Za-z_][\w*-]*)(?:\(([\s\S]*)\))?$/;

/** One rule, or undefined when the text is not one. `source` names its file and line, or its flag. */
export function parseRule(text: string, source: string): Rule | undefined {
  const match = SHAPE.exec(text.trim());
  const tool = match?.[1];
  if (!tool) return undefined;
  const spec = match[2]?.trim();
  const everything = spec === undefined || spec === "" || spec === "*" || spec === ":*";
  return everything ? { tool, text: text.trim(), source } : { tool, spec, text: text.trim(), source };
}

/** Throws UsageError for a text that is no rule: what was meant to forbid must never be lost silently. */
export function parseRules(list: readonly { text: string; source: string }[]): Rule[] {
  return list.map(({ text, source }) => {
    const rule = parseRule(text, source);
    if (rule) return rule;
    throw new UsageError(`${source}: "${text}" is not a permission rule. Expected Tool or Tool(pattern).`);
  });
}

/** A rule for reading or editing covers the whole family of tools that do so. */
const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  Read: ["Read", "Glob", "Grep"],
  Edit: ["Edit", "Write", "NotebookEdit"],
  Task: ["Agent", "Task"],
  Agent: ["Agent", "Task"],
};

/** Whether the rule is about this tool, whatever its spec says. */
export function covers(rule: Rule, tool: string): boolean {
  if (rule.tool === "*" || rule.tool === tool) return true;
  if (FAMILIES[rule.tool]?.includes(tool)) return true;
  // An MCP server's name stands for all its tools; `mcp__server__*` says the same.
  const server = rule.tool.replace(/(__)?\*$/, "");
  return rule.tool.startsWith("mcp__") && tool.startsWith(`${server}__`);
}

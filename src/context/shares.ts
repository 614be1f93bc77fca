// What fills the window, by kind, for /context.
import type { State, Usage } from "../core/types.ts";
import { messagesTokens, systemTokens, textTokens, tokensUsed, toolTokens } from "./budget.ts";
import { measure, type Measuring } from "./measure.ts";

export type ContextShares = {
  model: string;
  /** All in tokens; the parts before `free` add up to `used`. */
  window: number;
  used: number;
  /** The part of `used` the API has counted; 0: all is estimated. */
  counted: number;
  parts: { name: "system" | "tools" | "memory" | "MCP" | "messages"; tokens: number }[];
  free: number;
  /** Above this the history is compacted; undefined: it is not, on its own. */
  threshold: number | undefined;
  /** Of the last answered request. */
  last: Usage | undefined;
};

/** `memory`: the text of the memory files, as it stands in the system text. */
export function sharesOf(state: State, options: Measuring & { memory: string }): ContextShares {
  const { fixed, used, threshold, contextWindow, scale } = measure(state, options);
  const { counted } = tokensUsed(state, fixed);
  const specs = [...options.tools.values()].map((tool) => tool.spec);
  const sum = (mcp: boolean) =>
    specs.filter(({ name }) => name.startsWith("mcp__") === mcp).reduce((total, spec) => total + toolTokens(spec), 0);
  const memory = options.memory === "" ? 0 : textTokens(options.memory);
  const estimates = [
    { name: "system", tokens: Math.max(0, systemTokens(options.system()) - memory) },
    { name: "tools", tokens: sum(false) },
    { name: "memory", tokens: memory },
    { name: "MCP", tokens: sum(true) },
    { name: "messages", tokens: messagesTokens(state.messages) },
  ] as const;
  // The API counts the whole; what each part is of it can only be estimated.
  const parts = estimates.map(({ name, tokens }) => ({ name, tokens: Math.round(tokens * scale) }));
  const last = state.messages.findLast((message) => message.role === "assistant");
  return {
    model: state.model,
    window: contextWindow,
    used: Math.round(used),
    counted,
    parts,
    free: Math.max(0, Math.round(contextWindow - used)),
    threshold: options.auto.enabled ? threshold : undefined,
    last: last?.role === "assistant" && counted > 0 ? last.usage : undefined,
  };
}

// What a request asks of the model beyond the conversation: output size, thinking, effort.
import type { Effort, ModelRequest, Thinking } from "../core/types.ts";
import { resolveModel, type Overrides } from "./catalog.ts";
import type { Env } from "./endpoint.ts";

const DEFAULT_MAX_OUTPUT = 32_000;

export type Wishes = {
  env: Env;
  overrides: Overrides;
  thinking: Thinking | undefined;
  /** The settings' `alwaysThinkingEnabled`. */
  alwaysThinking: boolean | undefined;
  effort: Effort | undefined;
};

/** The provider drops what the model does not accept. */
export function tune(model: string, wishes: Wishes): Pick<ModelRequest, "maxTokens" | "thinking" | "effort"> {
  const { env, overrides, alwaysThinking, effort } = wishes;
  const wanted = Number(env.CLAUDE_CODE_MAX_OUTPUT_TOKENS) || DEFAULT_MAX_OUTPUT;
  const budget = Number(env.MAX_THINKING_TOKENS);
  const usual: Thinking = budget > 0 ? { type: "budget", tokens: budget } : { type: "adaptive" };
  const thinking = wishes.thinking ?? (alwaysThinking === false ? { type: "disabled" as const } : usual);
  const maxTokens = Math.min(wanted, resolveModel(model, overrides).maxOutput);
  return effort ? { maxTokens, thinking, effort } : { maxTokens, thinking };
}

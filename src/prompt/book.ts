// The system prompt of a conversation: made once per model, because its bytes must not change within a session.
import type { SystemBlock } from "../core/types.ts";
import { systemPrompt, type PromptParts } from "./system.ts";

export type PromptBook = {
  system(model: string): readonly SystemBlock[];
  /** A driving program replaces or extends it before the first request. */
  change(parts: Pick<PromptParts, "replace" | "append">): void;
};

export function promptBook(facts: Omit<PromptParts, "model">): PromptBook {
  const state = { facts, made: new Map<string, readonly SystemBlock[]>() };
  return {
    change(parts) {
      state.facts = { ...state.facts, ...parts };
      state.made.clear();
    },
    system(model) {
      const ready = state.made.get(model) ?? systemPrompt({ ...state.facts, model });
      state.made.set(model, ready);
      return ready;
    },
  };
}

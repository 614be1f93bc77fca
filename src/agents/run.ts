// Runs one sub-agent to its end: a conversation of its own, of which only the last words and the cost come back.
import { Agent } from "../core/agent.ts";
import { addUsage, NO_USAGE, textOf } from "../core/state.ts";
import type { Deps, DoneReason, Event, State, Usage } from "../core/types.ts";

export type Outcome = {
  /** Its last words; "" when it had none. */
  text: string;
  reason: DoneReason;
  /** Why it failed. */
  error?: string;
  calls: number;
  usage: Usage;
};

export type SubAgentRun = {
  agent: Agent;
  prompt: string;
  newId: Deps["newId"];
  /** Its events, for who shows and counts them; no deltas. */
  event(event: Event): void;
  signal: AbortSignal;
};

/** The agent's events go to `event`; its record is kept nowhere. */
export function subAgent(deps: Deps, start: Omit<State, "messages">): Agent {
  return new Agent(deps, { ...start, messages: [] }, () => undefined);
}

/** Never throws for what the model or a tool does: what came until then is the outcome. */
export async function runSubAgent({ agent, prompt, newId, event, signal }: SubAgentRun): Promise<Outcome> {
  const outcome: Outcome = { text: "", reason: "error", calls: 0, usage: NO_USAGE };
  const message = { role: "user" as const, id: newId(), content: [{ type: "text" as const, text: prompt }] };
  for await (const happened of agent.prompt(message, signal)) {
    if (isShown(happened)) event(happened);
    if (happened.type === "tool.end") outcome.calls++;
    else if (happened.type === "done") {
      outcome.reason = happened.reason;
      if (happened.error !== undefined) outcome.error = happened.error;
    } else if (happened.type === "message" && happened.message.role === "assistant") {
      outcome.usage = addUsage(outcome.usage, happened.message.usage);
      // A reply of calls alone says nothing: the words before it are still the last.
      outcome.text = textOf(happened.message).trim() || outcome.text;
    }
  }
  return outcome;
}

function isShown({ type }: Event): boolean {
  return type !== "raw" && type !== "text.delta" && type !== "thinking.delta" && type !== "block" && type !== "turn";
}

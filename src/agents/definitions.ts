// The kinds of sub-agents there are.
import explore from "../prompt/explore.md" with { type: "text" };
import general from "../prompt/agent.md" with { type: "text" };

export type AgentDefinition = {
  /** `subagent_type` of the Agent tool, and what `Agent(NAME)` rules are about. */
  name: string;
  /** When to use it, for the model that calls it. */
  description: string;
  prompt: string;
  /** The only tools it may have; undefined: all but Agent itself. */
  tools?: readonly string[];
  /** Requests to the model; then it hands back what it has. */
  maxTurns: number;
};

export const GENERAL = "general-purpose";
export const AGENTS: readonly AgentDefinition[] = [
  {
    name: GENERAL,
    description: "for a task of several steps that may change files",
    prompt: general.trim(),
    maxTurns: 100,
  },
  {
    name: "Explore",
    description: "for questions about the code base; it only searches and reads",
    prompt: explore.trim(),
    tools: ["Read", "Glob", "Grep"],
    maxTurns: 50,
  },
];

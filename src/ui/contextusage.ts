// The answer to `get_context_usage`: what fills the window, in the shape of contracts.md §6.
import type { Conversation } from "../commands/command.ts";
import type { Fields } from "../utils/jsonl.ts";

const NAMES = {
  system: "System prompt",
  tools: "System tools",
  memory: "Memory files",
  MCP: "MCP tools",
  messages: "Messages",
} as const;

/** All in tokens but `percentage`, which is of `maxTokens`; a memory file's are estimated from its bytes. */
export function contextUsage(conversation: Conversation): Fields {
  const { model, window, used, parts, free, threshold } = conversation.context();
  const memory = parts.find(({ name }) => name === "memory")?.tokens ?? 0;
  const { files } = conversation.memory();
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return {
    model,
    categories: [
      ...parts.map(({ name, tokens }) => ({ name: NAMES[name], tokens })),
      { name: "Free space", tokens: free },
    ],
    totalTokens: used,
    maxTokens: window,
    percentage: Math.round((used / window) * 100),
    autoCompactThreshold: threshold ?? null,
    isAutoCompactEnabled: threshold !== undefined,
    memoryFiles: files.map(({ path, kind, bytes: size }) => ({
      path,
      type: kind,
      tokens: bytes > 0 ? Math.round((memory * size) / bytes) : 0,
    })),
    mcpTools: [],
    agents: [],
    skills: { totalSkills: 0, includedSkills: 0, tokens: 0, skillFrontmatter: [] },
  };
}

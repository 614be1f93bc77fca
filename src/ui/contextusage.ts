// The answer to `get_context_usage`: what fills the window, in the shape of contracts.md §6.
import type { Conversation } from "../commands/command.ts";
import type { Fields } from "../utils/jsonl.ts";

type Skill = ReturnType<Conversation["skills"]>["skills"][number];

/** Their lines in the description of the Skill tool, whose tokens they are part of. */
function listedTokens({ name, description, nameOnly }: Skill): number {
  return Math.ceil(Buffer.byteLength(nameOnly ? name : `- ${name}: ${description}`) / BYTES_PER_TOKEN);
}

/** As the budget estimates what was not sent yet. */
const BYTES_PER_TOKEN = 3.3;

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
  const { skills } = conversation.skills();
  const told = skills.filter(({ forModel }) => forModel);
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
    skills: {
      totalSkills: skills.length,
      includedSkills: told.length,
      tokens: told.reduce((sum, skill) => sum + listedTokens(skill), 0),
      skillFrontmatter: told.map((skill) => ({ name: skill.name, source: skill.by, tokens: listedTokens(skill) })),
    },
  };
}

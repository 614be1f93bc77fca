// The system prompt: our static text, then what is fixed for the session. Volatile facts never go here.
import { basename } from "node:path";
import type { SystemBlock } from "../core/types.ts";
import text from "./system.md" with { type: "text" };

export type PromptParts = {
  cwd: string;
  /** `process.platform`. */
  platform: string;
  shell: string | undefined;
  model: string;
  /** YYYY-MM-DD, of the session's start: it stays the same for the whole session. */
  date: string;
  /** The memory files of the session, as one text; they count whatever text comes first. */
  memory?: string | undefined;
  /** What comes first instead of the conversation's own text: a sub-agent's. */
  text?: string | undefined;
  /** Replaces our text (--system-prompt). */
  replace?: string | undefined;
  /** Follows ours or its replacement (--append-system-prompt). */
  append?: string | undefined;
  addedFolders: readonly string[];
};

/** Two cached blocks at most: what is the same for everyone, then what is the same for this session. */
export function systemPrompt(parts: PromptParts): SystemBlock[] {
  const blocks: SystemBlock[] = [];
  const first = parts.replace ?? parts.text ?? text.trim();
  if (first.trim() !== "") blocks.push({ text: first, cache: true });
  const session = parts.replace === undefined ? [environment(parts)] : [];
  if (parts.memory) session.push(parts.memory);
  if (parts.append) session.push(parts.append);
  if (session.length > 0) blocks.push({ text: session.join("\n\n"), cache: true });
  return blocks;
}

function environment({ cwd, platform, shell, model, date, addedFolders }: PromptParts): string {
  const lines = [
    "# Environment",
    `Working directory: ${cwd}`,
    ...addedFolders.map((folder) => `Also in scope: ${folder}`),
    `Platform: ${platform}${shell ? `, the person's shell is ${basename(shell)}; Bash runs bash` : ""}`,
    `Date at the start of the session: ${date}`,
    `Model: ${model}`,
  ];
  return lines.join("\n");
}

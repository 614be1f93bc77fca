// Skills in a conversation: the block a skill's text stands in, and which are in use by what a history holds.
import type { Message } from "../core/types.ts";
import { resultText } from "./facts.ts";

/** `folder`: where its other files are. */
export type UsedSkill = { name: string; folder: string; text: string };

export function skillBlock({ name, folder, text }: UsedSkill): string {
  // The text cannot end its own block and go on as something else.
  const body = text.replace(/<(?=\/skill\b)/gi, "<\\");
  return `<skill name="${attribute(name)}" folder="${attribute(folder)}">\n${body}\n</skill>`;
}

function attribute(value: string): string {
  return value.replace(/["<>\n]/g, "?");
}

const BLOCK = /^<skill name="([^"\n]*)" folder="([^"\n]*)">\n([\s\S]*?)\n<\/skill>/;

/** What was loaded by a call or by the person, or restored by an earlier compaction; each once, the latest first. */
export function skillsInUse(messages: readonly Message[]): UsedSkill[] {
  const used = new Map<string, UsedSkill>();
  const take = (text: string) => {
    const [, name, folder = "", body = ""] = BLOCK.exec(text) ?? [];
    if (name !== undefined && !used.has(name))
      used.set(name, { name, folder, text: body.replace(/<\\(?=\/skill\b)/gi, "<") });
  };
  const calls = new Set<string>();
  for (const message of messages) {
    if (message.role !== "assistant") continue;
    for (const block of message.content) if (block.type === "tool_use" && block.name === "Skill") calls.add(block.id);
  }
  for (const message of messages.toReversed()) {
    if (message.role !== "user") continue;
    const blocks = [...message.content.entries()];
    // A compaction has put the latest first.
    for (const [at, block] of message.summary ? blocks : blocks.reverse()) {
      // The first block is the person's own words, or the summary.
      if (block.type === "text" && at > 0) take(block.text);
      if (block.type === "tool_result" && calls.has(block.tool_use_id) && !block.is_error) take(resultText(block));
    }
  }
  return [...used.values()];
}

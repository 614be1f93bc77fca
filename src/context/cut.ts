// Where a history may be cut, and how much of its end stays word for word.
import type { Message } from "../core/types.ts";
import { messageTokens } from "./budget.ts";

/** Whether the messages from here on make sense alone: no result is parted from its call. */
export function isBoundary(message: Message | undefined): boolean {
  if (!message) return false;
  return message.role === "assistant" || !message.content.some((block) => block.type === "tool_result");
}

/**
 * The index from which messages are kept: as many as fit into `budget` tokens, at least those of the last boundary.
 * `messages.length` when the budget is 0; 0 when all fit.
 */
export function cutAt(messages: readonly Message[], budget: number): number {
  if (budget <= 0) return messages.length;
  let cut = messages.findLastIndex(isBoundary);
  if (cut < 0) return messages.length;
  let tokens = messages.slice(cut).reduce((sum, message) => sum + messageTokens(message), 0);
  for (let at = cut - 1; at >= 0; at--) {
    const message = messages[at];
    if (!message) break;
    tokens += messageTokens(message);
    if (tokens > budget) break;
    if (isBoundary(message)) cut = at;
  }
  return cut;
}

/** Head and tail of a text of at most about `chars` characters, and between them a note of ours. */
export function shortened(text: string, chars: number, note: string): string {
  if (text.length <= chars) return text;
  const head = text.slice(0, Math.ceil(chars * 0.6)).toWellFormed();
  const tail = text.slice(text.length - Math.floor(chars * 0.4)).toWellFormed();
  return `${head}\n[${note}]\n${tail}`;
}

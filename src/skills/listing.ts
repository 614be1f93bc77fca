// The skills the model may call, as it is told of them: one line each, within a budget.
import type { Skill } from "./discover.ts";

/** Of the model's window, as the setting `skillListingBudgetFraction` has it by default. */
const SHARE = 0.01;
const CHARS_PER_TOKEN = 3.3;
/** Names alone are cheap, but not free. */
const MOST_NAMES = 200;

/** In characters. `fraction`: the setting, when it is a number. */
export function listingBudget(contextWindow: number, fraction: unknown): number {
  const share = typeof fraction === "number" && fraction >= 0 && fraction <= 1 ? fraction : SHARE;
  return Math.floor(contextWindow * share * CHARS_PER_TOKEN);
}

/** Descriptions as long as there is room for them, then names; the rest is counted. */
export function listing(skills: readonly Skill[], budget: number): string {
  const room = { left: budget };
  const lines = skills.slice(0, MOST_NAMES).map((skill) => {
    const name = `- ${skill.name}`;
    const whole = skill.nameOnly || skill.description === "" ? name : `${name}: ${harmless(skill.description)}`;
    const line = whole.length <= room.left ? whole : name;
    room.left -= line.length + 1;
    return line;
  });
  const more = skills.length - lines.length;
  return [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join("\n");
}

/** What a project writes about its skills does not pass for words of the program. */
function harmless(text: string): string {
  return text.replace(/<(?=\/?[a-z])/gi, "<\\");
}

// The plan that was agreed on, as a history has it: the last ExitPlanMode that went through, or what a compaction kept of it.
import { planBlock, planIn } from "../core/plan.ts";
import type { Message, ToolResult } from "../core/types.ts";
import { textTokens } from "./budget.ts";
import { shortened } from "./cut.ts";
import { callsOf, resultText, type Done } from "./facts.ts";

const PLAN_TOKENS = 5_000;

/** Undefined: none was, or a new one has been begun since. */
export function agreedPlan(messages: readonly Message[]): string | undefined {
  const done = callsOf(messages).findLast(({ call, result }) => call.name === "ExitPlanMode" && !result.is_error);
  const at = messages.findLastIndex((message) => (done ? holds(message, done.result) : isSummary(message)));
  if (at < 0 || isBegunAnew(messages.slice(at + 1))) return undefined;
  if (!done) return restoredPlan(messages);
  const { plan } = done.call.input;
  // One that was changed before it was accepted stands in the result.
  return planIn(resultText(done.result)) ?? (typeof plan === "string" ? plan : undefined);
}

function holds({ content }: Message, result: ToolResult): boolean {
  return content.some((block) => block.type === "tool_result" && block.tool_use_id === result.tool_use_id);
}

function isSummary(message: Message): boolean {
  return message.role === "user" && message.summary !== undefined;
}

/** By the model, or by the person, of which a reminder has told. */
function isBegunAnew(messages: readonly Message[]): boolean {
  const isTold = (message: Message) =>
    message.role === "user" &&
    message.synthetic === true &&
    message.content.some((block) => block.type === "text" && /^The permission mode is now plan:/m.test(block.text));
  const isEntered = ({ call, result }: Done) => call.name === "EnterPlanMode" && !result.is_error;
  return messages.some(isTold) || callsOf(messages).some(isEntered);
}

function restoredPlan(messages: readonly Message[]): string | undefined {
  const summary = messages.findLast(isSummary);
  const blocks = summary?.content ?? [];
  const block = blocks.find((one) => one.type === "text" && one.text.startsWith("<plan>\n"));
  return block?.type === "text" ? planIn(block.text) : undefined;
}

/** The plan as a text to stand in the history; of a long one head and end, the whole in a file where it can be kept. */
export function planText(
  plan: string,
  { tokens, keep }: { tokens: number; keep(text: string): string | undefined },
): string {
  const most = Math.min(tokens, PLAN_TOKENS);
  const whole = text(plan);
  if (textTokens(whole) <= most) return whole;
  const path = keep(plan);
  const note = `the middle is cut to make room${path === undefined ? "" : `; the whole plan is in ${path}`}`;
  // Not every part of it costs the same: what the first try leaves may still be too much.
  for (let chars = Math.floor((plan.length * most) / textTokens(whole)); ; chars = Math.floor(chars * 0.9)) {
    const cut = text(shortened(plan, chars, note));
    if (chars === 0 || textTokens(cut) <= most) return cut;
  }
}

function text(plan: string): string {
  return `${planBlock(plan)}\nThis is the plan that was agreed on; some of it may be done already.`;
}

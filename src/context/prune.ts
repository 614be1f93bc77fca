// The first and mildest layer: large old results give way to a line that says where they can be read.
import type { Message, ToolResult, ToolUse, UserMessage } from "../core/types.ts";
import { resultTokens } from "./budget.ts";
import { callsOf, resultText } from "./facts.ts";

/** Results of so many replies at the end are still being worked with. */
const KEPT_REPLIES = 8;
const LARGE_TOKENS = 1_000;
/** A changed history has to be written to the cache anew: less than this is not worth it. */
const LEAST_FREED = 20_000;
const LEAST_SHARE = 0.2;

export type Prunable = { call: ToolUse; result: ToolResult; tokens: number };

/** `relevant`: ids of calls whose results stay (commands that still fail). Oldest first. */
export function prunable(messages: readonly Message[], relevant: ReadonlySet<string>): Prunable[] {
  const replies = messages.flatMap((message, at) => (message.role === "assistant" ? [at] : []));
  const end = replies.at(-KEPT_REPLIES) ?? 0;
  return callsOf(messages.slice(0, end)).flatMap(({ call, result }) => {
    const tokens = resultTokens(result.content);
    // A skill's text is an instruction that still counts; of a plan, what was agreed on may stand in the result.
    const counts = call.name === "Skill" || call.name === "ExitPlanMode";
    const stays = tokens < LARGE_TOKENS || relevant.has(call.id) || counts;
    return stays ? [] : [{ call, result, tokens }];
  });
}

/** Whether taking them out frees enough of `used` tokens to pay for the cache it breaks. */
export function isWorthIt(gone: readonly Prunable[], used: number): boolean {
  const freed = gone.reduce((sum, { tokens }) => sum + tokens, 0);
  return freed >= Math.max(Math.min(LEAST_FREED, used / 2), used * LEAST_SHARE);
}

/**
 * The messages without these results; order and pairing stay. `keep` writes a text where it can be read and returns its
 * path; a result it cannot keep stays.
 */
export function pruned(
  messages: readonly Message[],
  gone: readonly Prunable[],
  keep: (name: string, text: string) => string | undefined,
): Message[] {
  const markers = new Map<string, ToolResult>();
  for (const one of gone) {
    const text = resultText(one.result);
    const path = ownFile(text) ?? keep(one.call.id, text);
    if (path !== undefined) markers.set(one.call.id, { ...one.result, content: marker(one, path) });
  }
  return messages.map((message) => (message.role === "user" ? replaced(message, markers) : message));
}

function replaced(message: UserMessage, markers: ReadonlyMap<string, ToolResult>): UserMessage {
  const touched = message.content.some((block) => block.type === "tool_result" && markers.has(block.tool_use_id));
  if (!touched) return message;
  const content = message.content.map((block) =>
    block.type === "tool_result" ? (markers.get(block.tool_use_id) ?? block) : block,
  );
  return { ...message, content };
}

/** A cut result of Bash already says where the whole output is. */
function ownFile(text: string): string | undefined {
  return /\[The middle is cut\. The whole output, [^\n]*?, is in (\/[^\n]+?) \(read parts/.exec(text)?.[1];
}

function marker({ call, result }: Prunable, path: string): string {
  const size = resultText(result).length;
  const pictures = typeof result.content === "string" ? 0 : result.content.filter((b) => b.type === "image").length;
  const seen =
    pictures > 0 ? ` and ${pictures === 1 ? "a picture" : `${pictures} pictures`} (look at it again if needed)` : "";
  return `[Taken out to make room: the result of ${describe(call)}, ${size} characters${seen}. The whole of it is in ${path} (Read it there if it is needed again).]`;
}

/** "Read src/a.ts", "Bash `npm test`". */
export function describe({ name, input }: ToolUse): string {
  const { command, file_path, notebook_path, pattern, url } = input;
  const what = [file_path, notebook_path, command, pattern, url].find((value) => typeof value === "string");
  if (typeof what !== "string") return name;
  const line = what.replace(/\s+/g, " ").trim();
  const short = line.length > 100 ? `${line.slice(0, 100).toWellFormed()}…` : line;
  return typeof command === "string" ? `${name} \`${short}\`` : `${name} ${short}`;
}

// What a crash, a torn disk or a foreign hand leaves in a record, put right: every call answered once, in order.
import { toolUses } from "../core/state.ts";
import type { DurableEvent, Message, ToolUse } from "../core/types.ts";

const LOST_BEGINNING = "[The beginning of this conversation could not be read and is lost.]";

/**
 * The events that make sense: results without a call, second results and empty replies are left out, a conversation
 * whose first prompt was lost begins with a note. The same events always give the same, so that a second load agrees.
 */
export function clean(events: readonly DurableEvent[]): { events: DurableEvent[]; dropped: number } {
  const open = new Map<string, ToolUse>();
  const kept = events.filter((event) => {
    if (event.type === "tool.end") return open.delete(event.call.id);
    if (event.type === "message" && event.message.content.length === 0) return false;
    follow(open, event);
    return true;
  });
  const dropped = events.length - kept.length;
  const first = kept.findIndex((event) => event.type === "message" || event.type === "compacted");
  const opening = kept[first];
  if (opening?.type === "message" && opening.message.role === "assistant") kept.splice(first, 0, lostBeginning());
  return { events: kept, dropped };
}

/** The calls that have no result, in order. */
export function openCalls(events: readonly DurableEvent[]): ToolUse[] {
  const open = new Map<string, ToolUse>();
  for (const event of events) {
    if (event.type === "tool.end") open.delete(event.call.id);
    else follow(open, event);
  }
  return [...open.values()];
}

/** Keeps `open` the calls that wait for a result. */
function follow(open: Map<string, ToolUse>, event: DurableEvent): void {
  if (event.type === "message") followMessage(open, event.message);
  if (event.type !== "compacted") return;
  open.clear();
  for (const message of event.messages) followMessage(open, message);
}

function followMessage(open: Map<string, ToolUse>, message: Message): void {
  if (message.role === "assistant") for (const call of toolUses(message)) open.set(call.id, call);
  else for (const block of message.content) if (block.type === "tool_result") open.delete(block.tool_use_id);
}

function lostBeginning(): DurableEvent {
  const content = [{ type: "text" as const, text: LOST_BEGINNING }];
  return { type: "message", message: { role: "user", id: "lost-beginning", content, synthetic: true } };
}

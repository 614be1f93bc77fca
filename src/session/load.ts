// Reading a session back: what is whole is kept, a torn end is cut off, a call without its result gets one.
import { appendFileSync, truncateSync } from "node:fs";
import { INTERRUPTED_RESULT } from "../core/history.ts";
import type { DurableEvent, ToolUse } from "../core/types.ts";
import { parseLine, readLines, type Fields } from "../utils/jsonl.ts";
import { Decoder } from "./codec.ts";

export type Loaded = {
  events: DurableEvent[];
  /** What had to be repaired, for the person. */
  notices: string[];
  /** The file's header; empty for a file without one. */
  header: Fields;
  lastUuid: string | null;
};

/** Throws when the file cannot be read. A torn last line is also cut off on disk, so that the next append is whole. */
export async function load(path: string): Promise<Loaded> {
  const file = Bun.file(path);
  const decoder = new Decoder();
  const loaded: Loaded = { events: [], notices: [], header: {}, lastUuid: null };
  const seen = new Set<string>();
  let bad = 0;
  let lastBad = "";
  for await (const line of readLines(file.stream())) {
    lastBad = "";
    if (line === "") continue;
    const fields = parseLine(line);
    if (!fields) {
      bad++;
      lastBad = line;
      continue;
    }
    const uuid = typeof fields.uuid === "string" ? fields.uuid : undefined;
    if (uuid !== undefined && seen.has(uuid)) continue;
    if (uuid !== undefined) seen.add(uuid);
    if (fields.subtype === "session") loaded.header = fields;
    if (uuid !== undefined && fields.type !== "system") loaded.lastUuid = uuid;
    const event = decoder.decode(fields);
    if (event) loaded.events.push(event);
  }
  if (await mendEnd(path, lastBad)) {
    bad--;
    loaded.notices.push("The last line of the session was torn by a crash and was dropped.");
  }
  if (bad > 0) loaded.notices.push(`${bad} unreadable line${bad === 1 ? "" : "s"} of the session skipped.`);
  return loaded;
}

/** The file ends in a newline afterwards: a torn end is cut off, a whole last line gets its newline. True: it was torn. */
async function mendEnd(path: string, torn: string): Promise<boolean> {
  const size = Bun.file(path).size;
  if (size === 0) return false;
  const last = await Bun.file(path)
    .slice(size - 1, size)
    .text();
  if (last === "\n") return false;
  if (torn === "") appendFileSync(path, "\n");
  else truncateSync(path, size - (await tornBytes(path, size)));
  return torn !== "";
}

/** Bytes after the last newline. */
async function tornBytes(path: string, size: number): Promise<number> {
  const step = 1 << 20;
  for (let end = size; end > 0; end -= step) {
    const from = Math.max(0, end - step);
    const bytes = await Bun.file(path).slice(from, end).bytes();
    const at = bytes.lastIndexOf(10);
    if (at >= 0) return size - (from + at + 1);
  }
  return size;
}

/** Results for calls that were interrupted before theirs was recorded; to be appended. */
export function repairs(events: readonly DurableEvent[]): DurableEvent[] {
  const open = new Map<string, ToolUse>();
  for (const event of events) {
    if (event.type === "compacted") open.clear();
    if (event.type === "tool.end") open.delete(event.call.id);
    if (event.type !== "message" || event.message.role !== "assistant") continue;
    for (const block of event.message.content) if (block.type === "tool_use") open.set(block.id, block);
  }
  return [...open.values()].map((call) => ({
    type: "tool.end",
    call,
    result: { type: "tool_result", tool_use_id: call.id, content: INTERRUPTED_RESULT, is_error: true },
    outcome: "aborted",
    durationMs: 0,
  }));
}

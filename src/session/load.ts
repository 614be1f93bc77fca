// Reading a session file: what is whole is kept, what is not is skipped and said. The file itself is not touched.
import { UsageError } from "../core/errors.ts";
import { INTERRUPTED_RESULT } from "../core/history.ts";
import type { DurableEvent } from "../core/types.ts";
import { isFields, readJsonl, type Fields, type JsonlEnd } from "../utils/jsonl.ts";
import { Decoder, FORMAT } from "./codec.ts";
import { codeOf, reasonOf } from "./disk.ts";
import { clean, openCalls } from "./repair.ts";

export type Loaded = {
  /** Cleaned (repair.ts); calls without a result are still open. */
  events: DurableEvent[];
  /** What was skipped, for the person. */
  notices: string[];
  /** The file's header; empty for a file without one. */
  header: Fields;
  /** Given by --name or /rename. */
  title: string | undefined;
  /** Of the last message: the next one's parent. */
  lastUuid: string | null;
  uuids: Set<string>;
  end: JsonlEnd;
};

/** Throws UsageError when the file cannot be read. */
export async function load(path: string): Promise<Loaded> {
  const decoder = new Decoder();
  const seen = new Set<string>();
  const found = { events: [] as DurableEvent[], foreign: 0, header: {} as Fields };
  const last: { title: string | undefined; uuid: string | null } = { title: undefined, uuid: null };
  const end = await readFile(path, (line) => {
    if (!isFields(line)) return void found.foreign++;
    const uuid = typeof line.uuid === "string" ? line.uuid : undefined;
    // The same line twice: a copy made while it was written, or a retried write.
    if (uuid !== undefined && seen.has(uuid)) return;
    if (uuid !== undefined) seen.add(uuid);
    if (line.type === "system" && line.subtype === "session") found.header = line;
    if (line.type === "custom-title" && typeof line.customTitle === "string") last.title = line.customTitle;
    const event = decoder.decode(line);
    if (event) found.events.push(event);
    else if (line.type === "user" || line.type === "assistant") found.foreign++;
    if (event && uuid !== undefined && line.type !== "system") last.uuid = uuid;
  });
  const { events, dropped } = clean(found.events);
  const notices = noticesFor({ unread: end.bad + found.foreign, dropped, end, header: found.header });
  return { events, notices, header: found.header, title: last.title, lastUuid: last.uuid, uuids: seen, end };
}

/** Results for the calls that have none; to be appended: the fold puts them where they belong. */
export function repairs(events: readonly DurableEvent[]): DurableEvent[] {
  return openCalls(events).map((call) => ({
    type: "tool.end",
    call,
    result: { type: "tool_result", tool_use_id: call.id, content: INTERRUPTED_RESULT, is_error: true },
    outcome: "aborted",
    durationMs: 0,
  }));
}

async function readFile(path: string, take: (line: unknown) => void): Promise<JsonlEnd> {
  try {
    return await readJsonl(Bun.file(path).stream(), take);
  } catch (error) {
    // Ours would be no file system error.
    if (codeOf(error) === "") throw error;
    throw new UsageError(`The conversation in ${path} cannot be read: ${reasonOf(error)}`);
  }
}

type Findings = { unread: number; dropped: number; end: JsonlEnd; header: Fields };

function noticesFor({ unread, dropped, end, header }: Findings): string[] {
  const notices: string[] = [];
  if (typeof header.format === "number" && header.format > FORMAT) {
    notices.push("This conversation was recorded by a newer version; what this one does not know is left out.");
  }
  if (unread > 0) notices.push(`${unread === 1 ? "A damaged line" : `${unread} damaged lines`} of the record skipped.`);
  if (dropped > 0 && unread > 0) notices.push(`${dropped} entries that belonged to what is lost were left out.`);
  if (end.tail === "torn") notices.push("The end of the record was torn when the program was stopped; it is left out.");
  return notices;
}

// `nanocode sessions list`: earlier conversations, newest first.
import { UsageError } from "../core/errors.ts";
import { listSessions, type SessionInfo } from "../session/list.ts";

export type SessionsWorld = {
  /** `~/.nanocode/sessions` */
  root: string;
  /** The folder's name below it. */
  project: string;
  /** For "2 hours ago". */
  now: number;
};

/** The text to print; titles are not sanitised. Throws UsageError. */
export async function sessionsCommand(args: readonly string[], { root, project, now }: SessionsWorld): Promise<string> {
  const [verb = "list", ...rest] = args;
  const unknown = rest.find((arg) => arg !== "--all");
  if (verb !== "list" || unknown !== undefined) {
    throw new UsageError(`error: sessions has one command: nanocode sessions list [--all]`);
  }
  const all = rest.includes("--all");
  const sessions = await listSessions(root, all ? undefined : project);
  if (sessions.length === 0)
    return all ? "No sessions yet." : "No sessions in this folder yet (--all shows every folder's).";
  return sessions.map((session) => row(session, { all, now })).join("\n");
}

function row(session: SessionInfo, { all, now }: { all: boolean; now: number }): string {
  const title = session.title.replace(/\s+/g, " ").trim().slice(0, 70) || "(no prompt)";
  return `${session.id}  ${ago(now - session.modified).padEnd(14)}  ${title}${all ? `  [${session.cwd}]` : ""}`;
}

function ago(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ago`;
  return `${Math.floor(hours / 24)} days ago`;
}

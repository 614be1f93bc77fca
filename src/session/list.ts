// Finding sessions: by id from anywhere, the latest of a folder, and lists that only read the beginning of each file.
import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { parseLine, asFields } from "../utils/jsonl.ts";

export type SessionInfo = {
  id: string;
  path: string;
  /** The first prompt or the chosen title; not sanitised. */
  title: string;
  /** ms since 1970 */
  modified: number;
  bytes: number;
  cwd: string;
};

const HEAD_BYTES = 64 * 1024;
const ENDING = ".jsonl";

/** Newest first. `project`: one folder's sessions (config/paths.ts projectSlug), else all. */
export async function listSessions(root: string, project?: string): Promise<SessionInfo[]> {
  const files = filesIn(root, project);
  files.sort((a, b) => b.modified - a.modified);
  return Promise.all(files.map(describe));
}

/** The file of a session by its id or a unique beginning of it (8 characters or more). */
export function findSession(root: string, id: string): string | undefined {
  const wanted = id.toLowerCase();
  const files = filesIn(root);
  const exact = files.find((file) => file.id === wanted);
  if (exact) return exact.path;
  const near = wanted.length >= 8 ? files.filter((file) => file.id.startsWith(wanted)) : [];
  return near.length === 1 ? near[0]?.path : undefined;
}

/** The session last written to in this project. */
export function latestSession(root: string, project: string): string | undefined {
  return filesIn(root, project).sort((a, b) => b.modified - a.modified)[0]?.path;
}

type Found = { id: string; path: string; modified: number; bytes: number };

function filesIn(root: string, project?: string): Found[] {
  const projects = project === undefined ? names(root) : [project];
  return projects.flatMap((name) =>
    names(join(root, name))
      .filter((file) => file.endsWith(ENDING))
      .flatMap((file) => {
        const path = join(root, name, file);
        const stat = statSync(path, { throwIfNoEntry: false });
        return stat ? [{ id: basename(file, ENDING), path, modified: stat.mtimeMs, bytes: stat.size }] : [];
      }),
  );
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // no sessions yet, or not a folder
  }
}

async function describe(file: Found): Promise<SessionInfo> {
  const head = await Bun.file(file.path).slice(0, HEAD_BYTES).text();
  const info = { ...file, title: "", cwd: "" };
  for (const text of head.split("\n")) {
    const line = parseLine(text);
    if (!line) continue;
    if (line.subtype === "session") info.cwd = String(line.cwd ?? "");
    if (line.type === "custom-title") info.title = String(line.customTitle ?? "");
    if (line.type === "user" && info.title === "") info.title = firstText(asFields(line.message).content);
    if (info.title !== "" && info.cwd !== "") break;
  }
  return info;
}

function firstText(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((block) => asFields(block).text).find((text) => typeof text === "string") ?? "";
}

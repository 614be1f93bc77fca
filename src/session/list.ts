// Finding sessions: by id or title from anywhere, the latest of a folder, and lists that read only the ends of a file.
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { UsageError } from "../core/errors.ts";
import { asFields, parseLine, type Fields } from "../utils/jsonl.ts";
import { realPath } from "../utils/paths.ts";

export type SessionInfo = {
  id: string;
  path: string;
  /** The chosen title, else the first prompt; one line, cut at 200 characters, not sanitised. */
  title: string;
  /** ms since 1970 */
  modified: number;
  bytes: number;
  /** Where it was started; "" when its header is lost. */
  cwd: string;
};
type Found = Pick<SessionInfo, "id" | "path" | "modified" | "bytes">;

const ENDING = ".jsonl";
const HEAD_BYTES = 16 * 1024;
const TAIL_BYTES = 16 * 1024;
const MAX_TITLE = 200;
const MIN_PREFIX = 4;
/** Whole characters and escapes only, so that what is cut there is still a JSON string. */
const FIRST_TEXT = /"content":\[\{"type":"text","text":"((?:[^"\\]|\\u[0-9a-fA-F]{4}|\\[^u]){0,2000})/;

/** Newest first. `project`: one folder's sessions (config/paths.ts projectSlug), else all. */
export async function listSessions(root: string, project?: string): Promise<SessionInfo[]> {
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  return newestFirst(filesIn(root, project)).flatMap((file) => describe(file, head) ?? []);
}

/**
 * The file of a session by its id, a unique beginning of it (4 characters or more) or its title. Throws UsageError
 * when several fit.
 */
export function findSession(root: string, wanted: string): string | undefined {
  const files = newestFirst(filesIn(root));
  const id = wanted.toLowerCase();
  const exact = files.find((file) => file.id === id);
  if (exact) return exact.path;
  const near = id.length >= MIN_PREFIX && /^[0-9a-f-]+$/.test(id) ? files.filter((file) => file.id.startsWith(id)) : [];
  const title = oneLine(wanted).toLowerCase();
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  const named = () => files.filter((file) => describe(file, head)?.title.toLowerCase() === title);
  const fitting = near.length > 0 || title === "" ? near : named();
  if (fitting.length <= 1) return fitting[0]?.path;
  const ids = fitting.slice(0, 5).map((file) => file.id);
  throw new UsageError(`${fitting.length} conversations fit '${wanted}'. Name one by its id: ${ids.join(", ")}`);
}

/**
 * The session last written to in this project. Two folders can share a project name: with `cwd` only a session that
 * was started there counts.
 */
export function latestSession(root: string, project: string, cwd?: string): string | undefined {
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  const here = cwd === undefined ? undefined : realPath(cwd);
  const fits = (file: Found) => {
    const info = describe(file, head);
    return info !== undefined && (here === undefined || info.cwd === "" || realPath(info.cwd) === here);
  };
  return newestFirst(filesIn(root, project)).find(fits)?.path;
}

function filesIn(root: string, project?: string): Found[] {
  const projects = project === undefined ? names(root) : [project];
  return projects.flatMap((name) =>
    names(join(root, name))
      .filter((file) => file.endsWith(ENDING))
      .flatMap((file) => {
        const path = join(root, name, file);
        const stat = statSync(path, { throwIfNoEntry: false });
        // An empty one was being made when its program was killed.
        if (!stat?.isFile() || stat.size === 0) return [];
        return [{ id: basename(file, ENDING), path, modified: stat.mtimeMs, bytes: stat.size }];
      }),
  );
}

function newestFirst(files: Found[]): Found[] {
  return files.sort((a, b) => b.modified - a.modified || (a.id < b.id ? -1 : 1));
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // no sessions yet, or not a folder
  }
}

/** Undefined: it cannot be read, or holds no message. */
function describe(file: Found, pool: Buffer): SessionInfo | undefined {
  const ends = readEnds(file, pool);
  if (!ends) return undefined;
  const seen = { cwd: "", prompt: undefined as string | undefined, title: undefined as string | undefined };
  const look = (line: Fields) => {
    if (line.type === "system" && line.subtype === "session") seen.cwd = typeof line.cwd === "string" ? line.cwd : "";
    if (line.type === "custom-title" && typeof line.customTitle === "string") seen.title = line.customTitle;
    if (line.type === "user") seen.prompt ||= firstText(asFields(line.message).content);
    if (line.type === "assistant") seen.prompt ??= "";
  };
  const lines = ends.head.split("\n");
  const cut = file.bytes > HEAD_BYTES ? (lines.pop() ?? "") : "";
  for (const line of lines) look(parseLine(line) ?? {});
  if (seen.prompt === undefined) seen.prompt = cutPrompt(cut);
  // Titles may also be told at the end; a piece of a line at the beginning of the tail is no JSON.
  for (const line of ends.tail.split("\n")) if (line.includes('"custom-title"')) look(parseLine(line) ?? {});
  if (seen.prompt === undefined && seen.title === undefined) return undefined;
  return { ...file, title: oneLine(seen.title ?? seen.prompt ?? ""), cwd: seen.cwd };
}

function readEnds(file: Found, pool: Buffer): { head: string; tail: string } | undefined {
  try {
    const fd = openSync(file.path, "r");
    try {
      const head = pool.toString("utf8", 0, readSync(fd, pool, 0, HEAD_BYTES, 0));
      const from = Math.max(HEAD_BYTES, file.bytes - TAIL_BYTES);
      if (from >= file.bytes) return { head, tail: "" };
      return { head, tail: pool.toString("utf8", 0, readSync(fd, pool, 0, TAIL_BYTES, from)) };
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined; // gone meanwhile, or not ours
  }
}

function firstText(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((block) => asFields(block).text).find((text) => typeof text === "string") ?? "";
}

/** The beginning of a first prompt that is longer than what is read of the file. */
function cutPrompt(line: string): string | undefined {
  if (!line.startsWith('{"type":"user"') && !line.startsWith('{"type":"assistant"')) return undefined;
  const text = FIRST_TEXT.exec(line)?.[1] ?? "";
  return asText(`"${text}"`);
}

function asText(json: string): string {
  try {
    return String(JSON.parse(json));
  } catch {
    return ""; // not written by us
  }
}

function oneLine(text: string): string {
  // Long enough for the title whatever the white space, short enough for a pasted megabyte.
  const line = text
    .slice(0, 20 * MAX_TITLE)
    .replace(/\s+/g, " ")
    .trim();
  if (line.length <= MAX_TITLE) return line;
  // Not in the middle of a character.
  return `${line.slice(0, MAX_TITLE - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

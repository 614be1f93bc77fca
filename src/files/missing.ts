// Help for a path that does not exist: near names beside it, the same name elsewhere.
import { opendir, readlink } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { editDistance } from "../core/nearest.ts";
import { codeOf } from "./fserror.ts";
import { foldKey, namePoints } from "./unicode.ts";

const NAMES_LIMIT = 5_000;
const SKIP = new Set(["node_modules", ".git", ".hg", ".svn", "dist", "target", ".venv", "__pycache__"]);

/** The text for the model: what is missing, where we are, and what may have been meant. */
export async function explainMissing(path: string, cwd: string): Promise<string> {
  const leads = await readlink(path).catch(() => undefined);
  const link = `${path} is a symbolic link to ${leads}, and there is no file there.`;
  const why = leads === undefined ? `There is no file ${path}.` : link;
  const lines = [`${why} The working directory is ${cwd}.`];
  const folder = dirname(path);
  const names = await namesIn(folder);
  if (names === undefined) lines.push(`The folder ${folder} does not exist either.`);
  // A link that leads nowhere is among them itself.
  const others = names?.filter((name) => name !== basename(path)) ?? [];
  const near = nearNames(basename(path), others).map((name) => join(folder, name));
  const found = (near.length > 0 ? near : await sameName(basename(path), cwd)).filter((name) => name !== path);
  if (found.length > 0)
    lines.push(`Did you mean:\n${found.map((name) => `- ${name}${oddities(path, name)}`).join("\n")}`);
  else lines.push("Find it with Glob, or check the path.");
  return lines.join("\n");
}

/** Up to `limit` names in a folder, folders marked with "/". For the answer to "Read <folder>". */
export async function listSome(folder: string, limit: number): Promise<{ names: string[]; more: boolean }> {
  const names: string[] = [];
  const entries = await opendir(folder);
  for await (const entry of entries) {
    if (names.length === limit) return { names: names.sort(), more: true };
    names.push(entry.isDirectory() ? `${entry.name}/` : entry.name);
  }
  return { names: names.sort(), more: false };
}

async function namesIn(folder: string): Promise<string[] | undefined> {
  try {
    const { names } = await listSome(folder, NAMES_LIMIT);
    return names;
  } catch (error) {
    return codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR" ? undefined : [];
  }
}

function nearNames(wanted: string, names: readonly string[]): string[] {
  const key = foldKey(wanted);
  const limit = Math.max(1, Math.floor(key.length / 3));
  const scored = names.flatMap((name) => {
    const bare = name.endsWith("/") ? name.slice(0, -1) : name;
    const other = foldKey(bare);
    if (other === key) return [{ name, score: 0 }];
    if (stem(other) === stem(key)) return [{ name, score: 1 }];
    if (Math.abs(other.length - key.length) > limit || key.length > 200) return [];
    const score = editDistance(key, other, limit);
    return score <= limit ? [{ name, score: score + 1 }] : [];
  });
  return scored
    .sort((a, b) => a.score - b.score || (a.name < b.name ? -1 : 1))
    .slice(0, 5)
    .map(({ name }) => name);
}

function stem(name: string): string {
  const dot = name.indexOf(".", 1);
  return dot < 0 ? name : name.slice(0, dot);
}

/** Breadth first under `cwd`, for a tenth of a second. */
async function sameName(name: string, cwd: string): Promise<string[]> {
  const found: string[] = [];
  const deadline = performance.now() + 100;
  const queue = [cwd];
  const key = foldKey(name);
  for (let folder = queue.shift(); folder !== undefined; folder = queue.shift()) {
    for (const entry of (await namesIn(folder)) ?? []) {
      const isFolder = entry.endsWith("/");
      const bare = isFolder ? entry.slice(0, -1) : entry;
      if (foldKey(bare) === key) found.push(join(folder, bare));
      else if (isFolder && !SKIP.has(bare)) queue.push(join(folder, bare));
    }
    if (found.length >= 3 || performance.now() > deadline) break;
  }
  return found.slice(0, 3).sort((a, b) => relative(cwd, a).length - relative(cwd, b).length);
}

/** Names that look the same but are not: say by which characters. */
function oddities(path: string, found: string): string {
  const wanted = basename(path);
  const name = basename(found);
  if (wanted === name || wanted.length > 255 || foldKey(wanted) !== foldKey(name)) return "";
  const odd = [...name].filter((char) => /[^\x20-\x7e]/u.test(char) && !wanted.includes(char)).slice(0, 3);
  return odd.length ? ` (the name contains ${odd.map(namePoints).join(", ")}; copy it exactly)` : "";
}

// Saves rules the person chose to keep: into the project's local settings file, changing nothing else in it.
import {
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
  type Stats,
} from "node:fs";
import { dirname, join } from "node:path";
import { inside, realPath } from "../utils/paths.ts";
import { JsonProblem } from "./jsonc.ts";
import { addToList } from "./jsonc-edit.ts";
import { projectFolders } from "./sources.ts";

/** `problem` is a sentence for the person: nothing was saved, and why. */
export type Saved = { file: string; folder: string } | { problem: string };

const MAX_BYTES = 8 * 1024 * 1024;
const ATTEMPTS = 3;

/**
 * Where rules of the project around `cwd` are saved: at the root of its repository (outside of one: in `cwd`), in
 * `.nanocode` when it has that folder, else in `.claude`.
 */
export function localSettings(cwd: string): { folder: string; file: string } {
  const folder = projectFolders(cwd).at(-1) ?? cwd;
  const ours = statSync(join(folder, ".nanocode"), { throwIfNoEntry: false })?.isDirectory();
  return { folder, file: join(folder, ours ? ".nanocode" : ".claude", "settings.local.json") };
}

/** Appends allow rules to the project's local settings; those already there are left out. Throws nothing. */
export function saveRules(rules: readonly string[], { cwd }: { cwd: string }): Saved {
  const { folder, file } = localSettings(cwd);
  try {
    for (let attempt = 1; ; attempt++) {
      if (append(rules, folder, file)) return { file, folder };
      if (attempt === ATTEMPTS)
        return { problem: `${file} is being changed by something else; nothing was saved in it.` };
    }
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    const at = error instanceof JsonProblem ? `${file}:${error.line}` : file;
    return { problem: `${at}: ${what}. Nothing was saved in it.` };
  }
}

/** False when the file changed meanwhile. */
function append(rules: readonly string[], folder: string, file: string): boolean {
  makeFolder(dirname(file), folder);
  const target = realPath(file);
  if (!inside(realPath(folder), target)) throw new Error(`it leads out of the project, to ${target}`);
  const before = lstatSync(target, { throwIfNoEntry: false });
  const text = before ? textOf(target, before) : "";
  const result = addToList(text, ["permissions", "allow"], rules);
  return result === text || replace(target, result, before);
}

function makeFolder(path: string, folder: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    if (!inside(realPath(folder), realPath(path)))
      throw new Error(`${path} leads out of the project, to ${realPath(path)}`);
  }
}

function textOf(path: string, stat: Stats): string {
  if (!stat.isFile()) throw new Error("it is not a file");
  if (stat.size > MAX_BYTES) throw new Error("it is larger than 8 MB");
  const bytes = readFileSync(path);
  const text = bytes.toString("utf8");
  if (!Buffer.from(text).equals(bytes)) throw new Error("it is not UTF-8 text");
  return text;
}

/** All of it or nothing, at a name nobody can have guessed. False when `path` is no longer what was read. */
function replace(path: string, text: string, before: Stats | undefined): boolean {
  const temporary = join(dirname(path), `.nanocode-${crypto.randomUUID()}.tmp`);
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const fd = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | (O_NOFOLLOW ?? 0), 0o666);
  try {
    try {
      const bytes = Buffer.from(text);
      for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
      if (before) fchmodSync(fd, before.mode & 0o777);
      // So that a crash right after the rename leaves one content or the other.
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    if (stamp(lstatSync(path, { throwIfNoEntry: false })) !== stamp(before)) return false;
    renameSync(temporary, path);
    return true;
  } finally {
    rmSync(temporary, { force: true });
  }
}

function stamp(stat: Stats | undefined): string {
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}` : "";
}

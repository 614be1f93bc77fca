// Which files git has stored besides the ones on the disk: read from its index, without running it.
// Source: https://git-scm.com/docs/index-format
import { readFileSync, statSync, type Stats } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** Indexes read before, by path; `stamp`: time and size. */
const known = new Map<string, { stamp: string; paths: readonly string[] | undefined }>();
const MOST_KNOWN = 4;

/** Absolute paths of the tracked files of the repository around `folder`; none outside of one; undefined: not known. */
export function trackedAround(folder: string): readonly string[] | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const found = entry(join(at, ".git"));
    if (found) return read(at, found.isDirectory());
    if (dirname(at) === at) return [];
  }
}

function entry(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // below something that is no folder: there is no repository
  }
}

function read(root: string, isFolder: boolean): readonly string[] | undefined {
  try {
    const dot = join(root, ".git");
    const gitDir = isFolder ? dot : resolve(root, /^gitdir: (.+)/.exec(readFileSync(dot, "utf8"))?.[1] ?? "");
    const index = join(gitDir, "index");
    const { mtimeMs, size } = statSync(index);
    const stamp = `${mtimeMs} ${size}`;
    const before = known.get(index);
    if (before?.stamp === stamp) return before.paths;
    const paths = namesOf(readFileSync(index))?.map((name) => join(root, name));
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(index, { stamp, paths });
    return paths;
  } catch (error) {
    // Nothing was ever added, or it cannot be read.
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? [] : undefined;
  }
}

/** Of git's commands that only read, those that show names and no content, unless an option says so. */
const NAMES_ONLY =
  /^git (status|rev-list|name-rev|for-each-ref|show-ref|symbolic-ref|shortlog|count-objects|check-attr|version|log|reflog)( |$)/;
const SUMMARISED =
  /^git (diff|show|log|diff-tree|diff-index|diff-files)\b.* (--stat(=\S*)?|--shortstat|--numstat|--name-only|--name-status|-s|--no-patch)( |$)/;
/** Also as git lets them be shortened. */
const CONTENT = / (-[a-zA-Z]*[puUvcmLGSW]\S*|--(pa|u|w|color-w|cc|bi|v|rem|diff-m|dd|raw|fu|sub)\S*)/;
const NEVER = /^git (branch|tag|remote|rev-parse|ls-files|ls-tree|config|describe|merge-base|check-ignore)( |$)/;

/** Whether a git command, as its words are, can show the content of stored files that it does not name. */
export function showsStored(words: string): boolean {
  const text = words.replace(/^\S*\/git /, "git ").replace(/^git ((--no-pager|-P|--no-optional-locks) )+/, "git ");
  if (!text.startsWith("git ") || NEVER.test(text)) return false;
  if (CONTENT.test(text)) return true;
  // `HEAD:a` is this one file, whose path is known.
  if (/^git (show|cat-file -p) [\w./~^-]+:[^\s*?[]+$/.test(text)) return false;
  return !NAMES_ONLY.test(text) && !SUMMARISED.test(text);
}

const HEADER = 12;
const HASH_BYTES = 20;

/** The names in an index of version 2 to 4; undefined when it has another form, or leaves part of itself elsewhere. */
export function namesOf(index: Buffer): string[] | undefined {
  const version = index.readUInt32BE(4);
  if (index.toString("latin1", 0, 4) !== "DIRC" || version < 2 || version > 4) return undefined;
  const names: string[] = [];
  let at = HEADER;
  let before = Buffer.alloc(0);
  for (let left = index.readUInt32BE(8); left > 0; left--) {
    const flagsAt = at + 40 + HASH_BYTES;
    const isExtended = version > 2 && (index.readUInt16BE(flagsAt) & 0x4000) !== 0;
    let from = flagsAt + (isExtended ? 4 : 2);
    let kept = 0;
    if (version === 4) {
      let byte = index.readUInt8(from++);
      kept = byte & 127;
      while (byte & 128) {
        byte = index.readUInt8(from++);
        kept = ((kept + 1) << 7) | (byte & 127);
      }
      kept = before.length - kept;
    }
    const end = index.indexOf(0, from);
    const name = Buffer.concat([before.subarray(0, kept), index.subarray(from, end)]);
    // In order, always: otherwise this is not the form it seems to be.
    if (end < 0 || kept < 0 || name.compare(before) < 0) return undefined;
    names.push(name.toString());
    before = name;
    at = version === 4 ? end + 1 : at + ((end - at + 8) & ~7);
  }
  // The shared part of a split index is another file.
  return index.toString("latin1", at, at + 4) === "link" ? undefined : names;
}

// Replacing a file in one step: all of it or nothing, at the place that was looked at, following no link.
import { constants, type BigIntStats } from "node:fs";
import * as fsp from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { codeOf, fsProblem } from "./fserror.ts";
import { kindOf, stampOf } from "./open.ts";

/** Where a write lands. `path` is `folder` (a real path) + name; the last `missing` folders of it do not exist yet. */
export type Target = {
  readonly path: string;
  readonly folder: string;
  readonly missing: readonly string[];
  /** The file there now, never a link; undefined when there is none. */
  readonly stat: BigIntStats | undefined;
};

/** The part of node:fs/promises that writes; tests pass one that fails. */
export type AtomicFs = Pick<
  typeof fsp,
  "open" | "rename" | "link" | "unlink" | "lstat" | "stat" | "realpath" | "mkdir" | "rmdir"
>;

export type Written = {
  stat: BigIntStats;
  /** Things the person may want to know: links broken, owner not kept. */
  notes: string[];
};

/** Finds out where writing `path` would land. Throws with text for the model: links, folders, devices, bad paths. */
export async function locate(path: string): Promise<Target> {
  try {
    const { folder, missing } = await realFolder(dirname(path));
    const real = join(folder, ...missing, basename(path));
    const stat = missing.length > 0 ? undefined : await lstatOrNone(real);
    if (stat?.isSymbolicLink()) throw new Error(await linkText(path, real));
    const kind = stat ? kindOf(stat) : "file";
    if (kind === "folder") throw new Error(`${path} is a folder, not a file. Name a file inside it.`);
    if (kind !== "file") throw new Error(`${path} is ${kind}; only regular files can be written here.`);
    return { path: real, folder, missing, stat };
  } catch (error) {
    throw fsProblem(error, path, "write");
  }
}

/**
 * Puts `bytes` at the target: a temporary file beside it, then a rename. The target must still be what `locate` saw
 * (the same inode in the same state, or still nothing); otherwise, and on any failure, nothing changes.
 */
export async function writeAtomic(
  target: Target,
  bytes: Uint8Array,
  { signal, fs = fsp }: { signal: AbortSignal; fs?: AtomicFs },
): Promise<Written> {
  const made: string[] = [];
  try {
    if (target.stat && (target.stat.mode & 0o222n) === 0n) {
      throw new Error(
        `${target.path} is read-only (mode ${mode(target.stat)}). If it should be changed, \`chmod u+w\` it first.`,
      );
    }
    const parent = await makeFolders(target, made, fs);
    return await inFolder(parent, fs, (base) => replace({ target, parent, base, bytes, signal, fs }));
  } catch (error) {
    for (const folder of made.reverse()) {
      // Left in place when something else has been put there meanwhile.
      await fs.rmdir(folder).catch(() => {});
    }
    throw fsProblem(error, target.path, "write");
  }
}

type Step = {
  target: Target;
  /** The real folder. */
  parent: string;
  /** The same folder, pinned where the system can do that. */
  base: string;
  bytes: Uint8Array;
  signal: AbortSignal;
  fs: AtomicFs;
};

async function replace({ target, parent, base, bytes, signal, fs }: Step): Promise<Written> {
  const name = basename(target.path);
  // Short and fixed in length: a name derived from a long one could be too long itself.
  const temporary = join(base, `.nanocode-${crypto.randomUUID().slice(0, 18)}.tmp`);
  const notes = await writeTemporary(temporary, bytes, target.stat, fs);
  try {
    signal.throwIfAborted();
    await checkUnchanged(target, parent, join(base, name), fs);
    await put(temporary, join(base, name), target.stat !== undefined, fs);
  } catch (error) {
    await fs.unlink(temporary).catch(() => undefined); // the error that led here is the one to report
    throw error;
  }
  if (target.stat && target.stat.nlink > 1n) {
    notes.push(`It had ${target.stat.nlink} hard links; the other names keep the old content.`);
  }
  return { stat: await fs.lstat(join(base, name), { bigint: true }), notes };
}

async function writeTemporary(
  path: string,
  bytes: Uint8Array,
  like: BigIntStats | undefined,
  fs: AtomicFs,
): Promise<string[]> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  // Private until it has the owner and mode of the file it replaces; a new file gets what the umask gives.
  const handle = await fs.open(path, O_WRONLY | O_CREAT | O_EXCL | (O_NOFOLLOW ?? 0), like ? 0o600 : 0o666);
  try {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await handle.write(bytes, done, bytes.length - done);
      done += bytesWritten;
    }
    const notes = like ? await copyOwner(handle, like) : [];
    // So that a crash right after the rename leaves one content or the other, not an empty file.
    await handle.datasync();
    return notes;
  } catch (error) {
    await fs.unlink(path).catch(() => undefined); // the error that led here is the one to report
    throw error;
  } finally {
    await handle.close();
  }
}

async function copyOwner(handle: fsp.FileHandle, like: BigIntStats): Promise<string[]> {
  const own = await handle.stat({ bigint: true });
  const notes: string[] = [];
  let kept = own.uid === like.uid && own.gid === like.gid;
  if (!kept) {
    try {
      await handle.chown(Number(like.uid), Number(like.gid));
      kept = true;
    } catch {
      // Only root may give files away; the content matters more, so go on and say it.
      notes.push(`Its owner (uid ${like.uid}, gid ${like.gid}) could not be kept.`);
    }
  }
  // Set-id bits must not move to another owner.
  await handle.chmod(Number(like.mode) & (kept ? 0o7777 : 0o777));
  return notes;
}

async function checkUnchanged(target: Target, parent: string, path: string, fs: AtomicFs): Promise<void> {
  if ((await fs.realpath(parent)) !== parent) {
    throw new Error(`The folder ${parent} was moved or replaced by a link meanwhile. Nothing was changed; try again.`);
  }
  const now = await lstatOrNone(path, fs);
  const same = now && target.stat ? stampOf(now) === stampOf(target.stat) : now === undefined && !target.stat;
  if (same) return;
  throw new Error(
    `${target.path} ${now ? "was changed" : "disappeared"} by something else while it was being written. ` +
      "Nothing was changed. Read it again, then try again.",
  );
}

async function put(temporary: string, path: string, exists: boolean, fs: AtomicFs): Promise<void> {
  if (exists) return fs.rename(temporary, path);
  // Unlike a rename, a link never replaces what has appeared since the check.
  try {
    await fs.link(temporary, path);
  } catch (error) {
    if (codeOf(error) === "EEXIST") throw error;
    // File systems without hard links (FAT, some network ones).
    return fs.rename(temporary, path);
  }
  await fs.unlink(temporary);
}

/** One by one below the real folder, so that a link planted at one of the names is an error, not a way out. */
async function makeFolders(target: Target, made: string[], fs: AtomicFs): Promise<string> {
  let folder = target.folder;
  for (const name of target.missing) {
    folder = join(folder, name);
    try {
      await fs.mkdir(folder);
      made.push(folder);
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
      const there = await fs.lstat(folder, { bigint: true });
      if (!there.isDirectory()) throw new Error(`${folder} appeared meanwhile and is not a folder. Check the path.`);
    }
  }
  return folder;
}

/** Runs `use` with a path of the folder that stays the same folder even if it is moved and a link put in its place. */
async function inFolder<T>(folder: string, fs: AtomicFs, use: (base: string) => Promise<T>): Promise<T> {
  if (process.platform !== "linux") return use(folder);
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  const handle = await fs.open(folder, flags).catch(() => undefined);
  // A folder one may write to but not list cannot be opened; the checks by path remain.
  if (!handle) return use(folder);
  try {
    const pinned = `/proc/self/fd/${handle.fd}`;
    const there = await fs.stat(pinned, { bigint: true }).catch(() => undefined);
    const same = there?.ino === (await handle.stat({ bigint: true })).ino;
    return await use(same ? pinned : folder);
  } finally {
    await handle.close();
  }
}

async function realFolder(path: string): Promise<{ folder: string; missing: string[] }> {
  const missing: string[] = [];
  for (let at = path; ; at = dirname(at)) {
    try {
      const folder = await fsp.realpath(at);
      if (missing.length > 0 && !(await fsp.stat(folder)).isDirectory()) {
        throw new Error(`${at} is a file, not a folder, so nothing can be inside it. Check the path.`);
      }
      return { folder, missing };
    } catch (error) {
      const dangling = codeOf(error) === "ENOENT" && (await lstatOrNone(at)) !== undefined;
      if (dangling) throw new Error(`${at} is a symbolic link to something that does not exist. Use the real path.`);
      if (codeOf(error) !== "ENOENT" || dirname(at) === at) throw error;
      missing.unshift(basename(at));
    }
  }
}

async function linkText(path: string, real: string): Promise<string> {
  const goal = await fsp.realpath(real).catch(() => undefined);
  const where = goal ?? `${await fsp.readlink(real)}, which does not exist`;
  return `${path} is a symbolic link to ${where}. Links are not written through: ${goal ? `use ${goal} itself` : "use the real path"}.`;
}

async function lstatOrNone(path: string, fs: Pick<AtomicFs, "lstat"> = fsp): Promise<BigIntStats | undefined> {
  try {
    return await fs.lstat(path, { bigint: true });
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function mode(stat: BigIntStats): string {
  return (Number(stat.mode) & 0o7777).toString(8).padStart(4, "0");
}

// What the model has seen of which file: the ground for "read before edit" and for noticing outside changes.
import { realpath, stat } from "node:fs/promises";
import { loadFile, openRegular, sameVersion, stampOf, versionOf, WHOLE_LIMIT, type Version } from "./open.ts";

/** Lines `from` to `to`, 1-based, inclusive. */
export type LineRange = { from: number; to: number };
/** `lines`: what was seen of this version; "all" also stands for files that have no lines. */
export type Seen = { version: Version; lines: "all" | LineRange[] };
/** A file that is not as the model saw it. `stamp`: which state it is in now, "" when it is gone. */
export type Change = { path: string; stamp: string };

/** What the conversation shows of a file that is not known here, or is no longer as it is known. */
export type Recall = (realPath: string, signal: AbortSignal) => Promise<Seen | undefined>;

/** One per session, shared by Read, Edit, Write and whatever else shows files to the model. Keys are real paths. */
export class FileTracker {
  readonly #seen = new Map<string, Seen>();
  readonly #recall: Recall | undefined;

  constructor({ recall }: { recall?: Recall } = {}) {
    this.#recall = recall;
  }

  /** What the model has seen of the file, its present state first; for who is about to change it. */
  async known(realPath: string, signal: AbortSignal): Promise<Seen | undefined> {
    const seen = this.#seen.get(realPath);
    if (!this.#recall || (seen && !(await isChanged(realPath, seen)))) return seen;
    // A file that cannot be read was not seen as it is, either.
    const recalled = await this.#recall(realPath, signal).catch(() => undefined);
    signal.throwIfAborted();
    if (recalled) this.#put(realPath, recalled);
    return recalled ?? seen;
  }

  get(realPath: string): Seen | undefined {
    return this.#seen.get(realPath);
  }

  /** These lines of this version were shown. `total`: the file's line count, when known. */
  sawLines(realPath: string, version: Version, shown: LineRange, total: number | undefined): void {
    const before = this.#seen.get(realPath);
    const known = before && sameVersion(before.version, version) ? before.lines : [];
    const lines = known === "all" ? known : merge([...known, shown]);
    const whole = lines !== "all" && total !== undefined && lines.length === 1 && covers(lines[0], total);
    this.#put(realPath, { version, lines: whole ? "all" : lines });
  }

  sawAll(realPath: string, version: Version): void {
    this.#put(realPath, { version, lines: "all" });
  }

  /** The model's own change: what it saw stays seen, but of a file known in part only the lines before `firstLine`. */
  edited(realPath: string, version: Version, firstLine: number): void {
    const before = this.#seen.get(realPath)?.lines ?? [];
    const kept = before === "all" ? before : before.filter((range) => range.from < firstLine);
    const lines = kept === "all" ? kept : kept.map(({ from, to }) => ({ from, to: Math.min(to, firstLine - 1) }));
    this.#put(realPath, { version, lines });
  }

  /** The model changed a version it had not seen: the file counts as read, but no line of it as known. */
  editedUnseen(realPath: string, version: Version): void {
    this.#put(realPath, { version, lines: [] });
  }

  /** For reads by other means (Bash's `cat file`). Never throws: what cannot be read was not read. */
  async noteRead(path: string, extent: "all" | "part" = "all"): Promise<void> {
    try {
      const real = await realpath(path);
      const version = await currentVersion(real);
      const lines = extent === "all" ? extent : (this.#seen.get(real)?.lines ?? []);
      this.#put(real, { version, lines });
    } catch {
      // Gone or unreadable since: then there is nothing to remember, and a later edit asks for a Read.
    }
  }

  /** The latest files seen or written, newest first. */
  recent(limit: number): string[] {
    return [...this.#seen.keys()].reverse().slice(0, limit);
  }

  /** Files whose content differs from what the model last saw; a deleted file counts. */
  async changed(): Promise<string[]> {
    const found: string[] = [];
    for (const [path, seen] of this.#seen) if (await isChanged(path, seen)) found.push(path);
    return found;
  }

  /**
   * The same among the `limit` files used last, with their states. `told`: path to the stamp of a change that is known; a
   * file still in that state is not read again. Never rejects.
   */
  async changes(limit: number, told: ReadonlyMap<string, string>): Promise<Change[]> {
    const paths = this.recent(limit);
    const found = await Promise.all(paths.map((path) => this.#change(path, told.get(path))));
    return found.filter((change) => change !== undefined);
  }

  async #change(path: string, told: string | undefined): Promise<Change | undefined> {
    const version = this.#seen.get(path)?.version;
    try {
      const stamp = stampOf(await stat(path, { bigint: true }));
      if (!version || stamp === version.stamp) return undefined;
      if (stamp === told) return { path, stamp };
      return sameVersion(await currentVersion(path), version) ? undefined : { path, stamp };
    } catch {
      return { path, stamp: "" }; // gone or unreadable: in any case no longer what was seen
    }
  }

  #put(path: string, seen: Seen): void {
    // Deleted first, so that the map's order is the order of use.
    this.#seen.delete(path);
    this.#seen.set(path, seen);
  }
}

async function isChanged(path: string, { version }: Seen): Promise<boolean> {
  const now = await currentVersion(path, version.stamp).catch(() => undefined);
  return !now || !sameVersion(now, version);
}

/** `knownStamp`: when the file still has it, its content is not read again. */
async function currentVersion(realPath: string, knownStamp?: string): Promise<Version> {
  const { handle, stat } = await openRegular(realPath);
  await handle.close();
  if (stampOf(stat) === knownStamp || stat.size > BigInt(WHOLE_LIMIT)) return versionOf(stat, undefined);
  const loaded = await loadFile(realPath, WHOLE_LIMIT, new AbortController().signal);
  return versionOf(loaded.stat, loaded.bytes);
}

function merge(ranges: LineRange[]): LineRange[] {
  const merged: LineRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last && range.from <= last.to + 1) last.to = Math.max(last.to, range.to);
    else merged.push({ ...range });
  }
  return merged;
}

function covers(range: LineRange | undefined, total: number): boolean {
  return range !== undefined && range.from <= 1 && range.to >= total;
}

// Looks through the project for names: bounded, and cheap the second time, since a folder that did not change is not read again.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

export type ScanOptions = {
  /** Folder levels below the start that are read; 0 reads the start only. */
  depth: number;
  /** Folders read at most. */
  limit: number;
  wanted(name: string, path: string): boolean;
};
export type Found = { path: string; isFolder: boolean };
export type Scan = { found: Found[]; /** False: the limit was reached. */ complete: boolean };

type Entry = { mtimeMs: number; inode: number; folders: string[]; found: Found[] };

/** Never entered: large, and not where a project keeps what is its own. */
const SKIPPED = new Set(["node_modules", ".git", ".hg", ".svn", ".cache", "__pycache__", ".venv"]);

/** Remembers folders by the time of their last change; one instance per question asked, as answers are kept too. */
export class TreeScan {
  #known = new Map<string, Entry>();

  /** Breadth first, so that a limit cuts off what is deep. Links are reported, never followed. */
  run(start: string, { depth, limit, wanted }: ScanOptions): Scan {
    const found: Found[] = [];
    const seen = { folders: 0 };
    for (let level = [start], left = depth; level.length > 0 && left >= 0; left--) {
      const next: string[] = [];
      for (const folder of level) {
        if (++seen.folders > limit) return { found, complete: false };
        const entry = this.#read(folder, wanted);
        if (!entry) continue;
        found.push(...entry.found);
        next.push(...entry.folders);
      }
      level = next;
    }
    return { found, complete: true };
  }

  #read(folder: string, wanted: ScanOptions["wanted"]): Entry | undefined {
    try {
      const { mtimeMs, ino: inode } = statSync(folder);
      const before = this.#known.get(folder);
      if (before && before.mtimeMs === mtimeMs && before.inode === inode) return before;
      const entry: Entry = { mtimeMs, inode, folders: [], found: [] };
      for (const one of readdirSync(folder, { withFileTypes: true })) {
        const path = join(folder, one.name);
        if (wanted(one.name, path)) entry.found.push({ path, isFolder: one.isDirectory() });
        else if (one.isDirectory() && !SKIPPED.has(one.name)) entry.folders.push(path);
      }
      this.#known.set(folder, entry);
      return entry;
    } catch {
      return undefined; // gone, or not ours to read: then a command cannot either
    }
  }
}

// A session's own folder for long command output: kept as long as the session may be resumed, then swept.
import { accessSync, constants, readdirSync, rmdirSync, rmSync, statSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";

const KEPT_MS = 30 * 24 * 3_600_000;

export type Scratch = {
  /** Made (0700) by whoever writes first. */
  path: string;
  /** At the end: an unrecorded session leaves nothing; a recorded one its output files, for a month. */
  close(): void;
};

export type ScratchOptions = { nanocode: string; tmp: string; id: string; persist: boolean };

export function scratchFolder({ nanocode, tmp, id, persist }: ScratchOptions): Scratch {
  if (!persist || !isWritable(nanocode)) {
    // Named by chance: nobody can have put a folder there before us.
    const path = join(tmp, `nanocode-${crypto.randomUUID()}`);
    return { path, close: () => rmSync(path, { recursive: true, force: true }) };
  }
  const all = join(nanocode, "scratch");
  const path = join(all, id);
  return {
    path,
    close() {
      empty(path);
      sweep(all);
    },
  };
}

/** Whether the nearest existing folder above can be written. */
function isWritable(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    const stat = statOf(at);
    if (stat === undefined && dirname(at) !== at) continue;
    try {
      accessSync(at, constants.W_OK);
      return stat?.isDirectory() ?? false;
    } catch {
      return false;
    }
  }
}

/** Removes what is not output (pipes), and the folder when nothing is left. */
function empty(path: string): void {
  for (const name of names(path)) {
    const file = join(path, name);
    if (statSync(file, { throwIfNoEntry: false })?.isFIFO()) unlinkSync(file);
  }
  if (names(path).length > 0) return;
  try {
    rmdirSync(path);
  } catch {
    // never made
  }
}

function sweep(all: string): void {
  for (const name of names(all)) {
    const folder = join(all, name);
    const stat = statSync(folder, { throwIfNoEntry: false });
    if (stat && Date.now() - stat.mtimeMs > KEPT_MS) rmSync(folder, { recursive: true, force: true });
  }
}

function statOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // below something that is no folder
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // never made
  }
}

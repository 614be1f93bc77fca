// A session's own folder for long command output: kept as long as the session may be resumed, then swept.
import { accessSync, constants, mkdirSync, readdirSync, rmdirSync, rmSync, statSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";

const KEPT_MS = 30 * 24 * 3_600_000;

export type Scratch = {
  /** Made (0700) by whoever writes first. */
  path: string;
  /** For the person: the folder is not where it should be, and why. */
  note?: string;
  /** At the end: an unrecorded session leaves nothing; a recorded one its output files, for a month. */
  close(): void;
};

export type ScratchOptions = { nanocode: string; tmp: string; id: string; persist: boolean };

export function scratchFolder({ nanocode, tmp, id, persist }: ScratchOptions): Scratch {
  if (!persist) return temporary(tmp);
  const all = join(nanocode, "scratch");
  const problem = problemWith(all);
  if (problem !== undefined) {
    const { path, close } = temporary(tmp);
    const note = `long output of commands is kept in ${path} until the end, because ${all} cannot be used (${problem}).`;
    return { path, note, close };
  }
  const path = join(all, id);
  return {
    path,
    close() {
      empty(path);
      sweep(all);
    },
  };
}

function temporary(tmp: string): Scratch {
  // Named by chance: nobody can have put a folder there before us.
  const path = join(tmp, `nanocode-${crypto.randomUUID()}`);
  return { path, close: () => rmSync(path, { recursive: true, force: true }) };
}

/** Why nothing can be made in the folder: found out by making it, because rights alone do not tell (/proc, full disks). */
function problemWith(folder: string): string | undefined {
  try {
    const first = mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK | constants.X_OK);
    if (first !== undefined) unmake(folder, first);
    return undefined;
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

/** Only looking leaves nothing behind. `first`: the topmost folder that was made. */
function unmake(folder: string, first: string): void {
  try {
    for (let at = folder; at.length >= first.length; at = dirname(at)) rmdirSync(at);
  } catch {
    // somebody uses it by now
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

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // never made
  }
}

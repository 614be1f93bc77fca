// The debug log: one line per fact, in a file only the person can read. Never request headers, never keys.
import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";

export type Log = (line: string) => void;

const SECRET = /\b(sk-[\w-]{8}|gh[pousr]_|github_pat_|xox[abp]-|AKIA)[\w-]+/g;

/** Appends to `path`; a log that cannot be written is silent: it must not end the run. */
export function debugLog(path: string): Log {
  return (line) => {
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      appendFileSync(path, `${new Date().toISOString()} ${line.replace(SECRET, "$1…")}\n`, { mode: 0o600 });
    } catch {
      // nowhere to say it
    }
  };
}

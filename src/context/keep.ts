// Texts that leave the conversation, kept in the session's own folder where the model can read them again.
import { closeSync, constants, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Keep } from "./fallback.ts";

const MAX_NAME = 80;

/** For the owner only. A name used again replaces its file; a link that was put in its place is never followed. */
export function keepIn(folder: string): Keep {
  return (name, text) => {
    const path = pathIn(folder, name);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      rmSync(path, { force: true });
      const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
      try {
        writeFileSync(fd, text);
      } finally {
        closeSync(fd);
      }
      return path;
    } catch {
      return undefined; // a full or read-only disk: then the text stays in the conversation, or goes without a copy
    }
  };
}

/** Where it would be kept; nothing is written. */
export function keepNothing(folder: string): Keep {
  return (name) => pathIn(folder, name);
}

function pathIn(folder: string, name: string): string {
  return join(folder, `kept-${name.replace(/[^\w-]/g, "_").slice(0, MAX_NAME)}.txt`);
}

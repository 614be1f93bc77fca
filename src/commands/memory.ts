// `/memory` and `nanocode memory`: the memory files that count, from where and how large, and what was not loaded.
import { resolve } from "node:path";
import type { Memory, MemoryFile, MemoryReport } from "../context/memory.ts";
import { UsageError } from "../core/errors.ts";

/** As the budget estimates what was not sent yet. */
const BYTES_PER_TOKEN = 3.3;
const SHOWN_GLOBS = 5;

/** With files as arguments: also what they would add. Paths are not sanitised. Throws UsageError. */
export function memoryCommand(args: readonly string[], { memory, cwd }: { memory: Memory; cwd: string }): string {
  const option = args.find((arg) => arg.startsWith("-"));
  if (option !== undefined) throw new UsageError("error: memory takes only files: nanocode memory [file ...]");
  memory.memoryFor(args.map((path) => resolve(cwd, path)));
  return memoryListing(memory);
}

/** Paths are not sanitised. */
export function memoryListing({ files, late, waiting, problems, excluded, home }: MemoryReport): string {
  const near = (path: string) => shorten(path, home);
  const part = (title: string, lines: readonly string[]) => (lines.length === 0 ? [] : ["", `${title}:`, ...lines]);
  const rules = waiting.map(({ path, globs }) => `  ${near(path)}  ${globList(globs)}`);
  return [
    files.length === 0 ? "No memory files from the start (NANOCODE.md, CLAUDE.md or AGENTS.md)." : total(files),
    ...rows(files, near),
    ...part("Added by files that were touched", rows(late, near)),
    ...part("Loaded when a matching file is touched", rules),
    ...part(
      "Left out by claudeMdExcludes",
      excluded.map((path) => `  ${near(path)}`),
    ),
    ...part(
      "Not loaded, or not whole",
      problems.map((text) => `  ${near(text)}`),
    ),
  ].join("\n");
}

function total(files: readonly MemoryFile[]): string {
  const tokens = files.reduce((sum, file) => sum + tokensOf(file), 0);
  return `${files.length} memory ${files.length === 1 ? "file" : "files"}, about ${tokens} tokens in every request:`;
}

function rows(files: readonly MemoryFile[], near: (path: string) => string): string[] {
  const cells = files.map((file) => ({ kind: file.kind, path: near(file.path), size: size(file), from: file.from }));
  const width = Math.max(0, ...cells.map(({ path }) => path.length));
  return cells.map(({ kind, path, size: text, from }) => {
    const imported = from === undefined ? "" : `, imported by ${near(from)}`;
    return `  ${kind.padEnd(9)}  ${path.padEnd(width)}  ${text}${imported}`;
  });
}

function size(file: MemoryFile): string {
  const lines = file.text === "" ? 0 : file.text.split("\n").length;
  const cut = file.cut ? " (cut)" : "";
  return `${file.bytes} bytes${cut}, ${lines} ${lines === 1 ? "line" : "lines"}, about ${tokensOf(file)} tokens`;
}

function tokensOf({ text }: MemoryFile): number {
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}

function globList(globs: readonly string[]): string {
  const more = globs.length > SHOWN_GLOBS ? ` and ${globs.length - SHOWN_GLOBS} more` : "";
  return globs.slice(0, SHOWN_GLOBS).join(", ") + more;
}

/** `~` for the home folder. Not part of a longer name: `/home/me2` is somewhere else. */
function shorten(path: string, home: string): string {
  return path === home || path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

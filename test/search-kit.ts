// A temporary tree and the means to run Glob and Grep in it.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Tool, ToolContext, ToolOutput } from "../src/core/types.ts";
import { globTool } from "../src/tools/glob.ts";
import { grepTool, type GrepDeps } from "../src/tools/grep.ts";

export type Tree = Record<string, string | Uint8Array | { link: string } | null>;

/** Keys are paths; null makes a folder. Removed by `using`. */
export function tree(files: Tree): { dir: string } & Disposable {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "search-")));
  let time = 1_700_000_000;
  for (const [path, content] of Object.entries(files)) {
    const full = join(dir, path);
    if (content === null) {
      mkdirSync(full, { recursive: true });
      continue;
    }
    mkdirSync(dirname(full), { recursive: true });
    if (typeof content === "object" && "link" in content) {
      symlinkSync(content.link, full);
      continue;
    }
    writeFileSync(full, content);
    // Each file is a second older than the one before.
    utimesSync(full, --time, time);
  }
  return { dir, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}

export function context(cwd: string, signal = new AbortController().signal): ToolContext {
  return { cwd, callId: "c1", confine: "open", signal, progress: () => {}, chdir: () => {}, child: () => {} };
}

export async function call(tool: Tool, cwd: string, input: object, signal?: AbortSignal): Promise<ToolOutput> {
  return tool.run(tool.parse(input), context(cwd, signal));
}

export async function textOf(tool: Tool, cwd: string, input: object): Promise<string> {
  const { content } = await call(tool, cwd, input);
  if (typeof content !== "string") throw new Error("not a text");
  return content;
}

/** The text of the error. */
export async function errorOf(tool: Tool, cwd: string, input: object): Promise<string> {
  try {
    await call(tool, cwd, input);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("it did not fail");
}

export const noHome = { home: undefined, xdgConfig: undefined };
export const glob = globTool({ home: noHome });

/** Without rg, unless told otherwise. */
export function grepWith(more: Partial<GrepDeps> = {}) {
  return grepTool({ rg: () => undefined, home: noHome, ...more });
}

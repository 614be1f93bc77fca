// For the tests of Read, Edit and Write: a folder that goes away, the three tools over one tracker, seeded chance.
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tool, ToolContext, ToolOutput } from "../src/core/types.ts";
import { FileTracker } from "../src/files/tracker.ts";
import { editTool } from "../src/tools/edit.ts";
import { readTool } from "../src/tools/read.ts";
import { writeTool } from "../src/tools/write.ts";

export function bench() {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "nanocode-files-")));
  const tracker = new FileTracker();
  const tools = { read: readTool({ tracker }), edit: editTool({ tracker }), write: writeTool({ tracker }) };
  const context = (signal: AbortSignal): ToolContext => ({
    cwd: dir,
    callId: "call",
    confine: "open",
    signal,
    progress() {},
    chdir() {},
    child() {},
  });
  const call =
    (tool: Tool) =>
    async (input: object, signal: AbortSignal = new AbortController().signal) =>
      (await tool.run(tool.parse(input), context(signal))) satisfies ToolOutput;
  return {
    dir,
    tracker,
    at: (name: string) => join(dir, name),
    put(name: string, content: string | Uint8Array) {
      writeFileSync(join(dir, name), content);
      return join(dir, name);
    },
    bytes: (name: string): Buffer => readFileSync(join(dir, name)),
    text: (name: string): string => readFileSync(join(dir, name), "utf8"),
    read: call(tools.read),
    edit: call(tools.edit),
    write: call(tools.write),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** The message of the Error a call fails with. */
export async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("it did not fail");
}

/** Mulberry32: numbers from 0 up to `below`. */
export function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

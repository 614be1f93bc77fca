// Which files a call has shown or changed: those whose memory the model should have.
import { statSync } from "node:fs";
import type { ToolResult, ToolUse } from "../core/types.ts";
import { absolutePath } from "../files/place.ts";

/** Of a search that hits many files. */
const MAX_HITS = 20;

/** Absolute paths. A list of names is no touch: nothing of the files was seen. */
export function touchedPaths(call: ToolUse, result: ToolResult, cwd: string): string[] {
  const { file_path: file, notebook_path: notebook, path } = call.input;
  switch (call.name) {
    case "Read":
    case "Edit":
    case "Write":
    case "NotebookEdit":
      return [file, notebook].filter((text) => typeof text === "string").map((text) => absolutePath(text, cwd));
    case "Grep":
      if (call.input["output_mode"] !== "content") return [];
      return [...(typeof path === "string" ? [path] : []), ...hits(result)]
        .map((text) => absolutePath(text, cwd))
        .filter(isFile);
    default:
      return [];
  }
}

/** The files of Grep's lines, `path:12:text` or `path:text`. */
function hits({ content }: ToolResult): Set<string> {
  const found = new Set<string>();
  const text = typeof content === "string" ? content : "";
  for (const line of text.split("\n")) {
    const path = /^(.{1,1024}?):\d+:/.exec(line)?.[1] ?? /^([^:]{1,1024}):/.exec(line)?.[1];
    if (path !== undefined) found.add(path);
    if (found.size === MAX_HITS) break;
  }
  return found;
}

function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  } catch {
    return false; // the line was not about a file
  }
}

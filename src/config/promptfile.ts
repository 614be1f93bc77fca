// The text files that --system-prompt-file and its kin name.
import { readFileSync } from "node:fs";
import { UsageError } from "../core/errors.ts";

/** Throws UsageError when it cannot be read. */
export function readPrompt(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(
      `Error: the system prompt file cannot be read: ${path} (${error instanceof Error ? error.message : String(error)})`,
    );
  }
}

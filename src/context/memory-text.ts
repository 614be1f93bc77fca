// Memory files as the model reads them: one text for the system prompt, one reminder after a tool's result.
import intro from "./memory.md" with { type: "text" };
import type { MemoryFile } from "./memory.ts";

/** For the system prompt; undefined without files. The same bytes for the same files. */
export function memoryPrompt(files: readonly MemoryFile[]): string | undefined {
  return files.length === 0 ? undefined : [intro.trim(), ...files.map(entry)].join("\n\n");
}

/** For the result of the call that touched what these files are about. */
export function memoryReminder(files: readonly MemoryFile[]): string | undefined {
  if (files.length === 0) return undefined;
  const opening = "Memory files that apply to what you have just touched; follow them like those in the system prompt.";
  return ["<reminder>", opening, ...files.map(entry), "</reminder>"].join("\n");
}

function entry({ path, kind, text, cut, bytes, from }: MemoryFile): string {
  const imported = from === undefined ? "" : ` from=${JSON.stringify(from)}`;
  const more = cut ? `\n[Only the beginning of ${bytes} bytes is here. Read the file when the rest matters.]` : "";
  return `<memory path=${JSON.stringify(path)} kind="${kind}"${imported}>\n${harmless(text)}${more}\n</memory>`;
}

/** A file cannot end its own entry and begin one that claims to be somebody else's. */
function harmless(text: string): string {
  return text.replace(/<(?=\/?(?:memory|reminder)\b)/gi, "<\\");
}

// What one answered call says about the lines of one file: shown by Read or by a plain cat, written, or replaced.
import type { ToolResult, ToolUse } from "../core/types.ts";

export type Lines = { from: number; lines: string[] };
/** `whole`: nothing of the file is missing. `isOpen`: no line break at its end. `at`: the line numbers of an edit's places, undefined where not all are known. */
export type Shown =
  | ({ kind: "lines"; whole: boolean; isOpen?: boolean; total?: number } & Lines)
  | { kind: "edit"; old: string; fresh: string; first: number; at: number[] | undefined; after: Lines | undefined };
export type ShownFile = { path: string; shown: Shown };

/** Undefined: the call failed, or nothing certain follows from it. Whoever uses it holds it against the file on disk. */
export function shownBy({ name, input }: ToolUse, { content, is_error }: ToolResult): ShownFile | undefined {
  if (is_error || typeof content !== "string") return undefined;
  const { file_path: path, command } = input;
  if (name === "Bash") return typeof command === "string" ? byCommand(command, content) : undefined;
  if (typeof path !== "string") return undefined;
  const shown = byFileTool(name, input, content);
  return shown && { path, shown };
}

function byFileTool(name: string, input: ToolUse["input"], content: string): Shown | undefined {
  const { content: text, old_string: old, new_string: fresh } = input;
  switch (name) {
    case "Read":
      return byRead(content);
    case "Write":
      return typeof text === "string" ? all(text) : undefined;
    case "Edit":
      if (typeof old !== "string" || typeof fresh !== "string") return undefined;
      return old === "" ? all(fresh) : byEdit(plain(old), plain(fresh), content);
    default:
      return undefined;
  }
}

function byRead(content: string): Shown | undefined {
  const page = numberedLines(content);
  if (!page) return undefined;
  // No line of the file begins like this note: each has its number in front.
  const note = /\n\[Lines \d+-\d+(?: of (\d+))?\./.exec(content);
  const total = note?.[1];
  const isOpen = content.includes("\n[The last line has no line break at its end.]");
  return { kind: "lines", whole: !note, isOpen, ...page, ...(total ? { total: Number(total) } : {}) };
}

function byEdit(old: string, fresh: string, content: string): Shown | undefined {
  const [head = ""] = content.split("\n", 1);
  const [, places = "", more] = /\(\d+ replacements?, lines? ([\d, ]+)( and \d+ more)?\)\.$/.exec(head) ?? [];
  const at = places.split(", ").map(Number);
  const first = at[0];
  if (!first) return undefined;
  const snippet = /\nNow(?:, at the first place)?:\n([^]*)$/.exec(content)?.[1];
  const after = snippet === undefined ? undefined : numberedLines(snippet);
  return { kind: "edit", old, fresh, first, at: more ? undefined : at, after };
}

/** Commands that show one file, or lines of it, and do nothing else. */
function byCommand(command: string, content: string): ShownFile | undefined {
  const [program, ...words] = wordsOf(command) ?? [];
  const path = words.at(-1);
  if (path === undefined || path.startsWith("-")) return undefined;
  const options = words.slice(0, -1).join(" ");
  const shown = byProgram(`${program} ${options}`.trim(), content);
  return shown && { path, shown };
}

function byProgram(call: string, content: string): Shown | undefined {
  if (call === "cat") return { kind: "lines", whole: true, from: 1, lines: content.split("\n") };
  if (/^(cat -n|nl -ba|nl -b a)$/.test(call)) {
    const page = numberedLines(content);
    return page && { kind: "lines", whole: true, ...page };
  }
  const [, from] = /^sed -n (\d+)(?:,(?:\d+|\$))?p$/.exec(call) ?? [];
  const isHead = /^head(?: -n ?\d+| -\d+)?$/.test(call);
  if (from === undefined && !isHead) return undefined;
  return { kind: "lines", whole: false, from: Math.max(1, Number(from ?? 1)), lines: content.split("\n") };
}

/** The words of a command without anything that the shell would act on; undefined when there is more to it. */
function wordsOf(command: string): string[] | undefined {
  const word = /\s*(?:'([^'\n]*)'|"([^"$`\\!\n]*)"|([\w./@+,:=%-][\w./@+,:=%~-]*|~\/[\w./@+,:=%~-]*))(?=\s|$)/y;
  const words: string[] = [];
  const text = command.trim();
  while (word.lastIndex < text.length) {
    const found = word.exec(text);
    if (!found) return undefined;
    words.push(found[1] ?? found[2] ?? found[3] ?? "");
  }
  return words;
}

function all(text: string): Shown {
  const lines = plain(text).split("\n");
  const isOpen = lines.at(-1) !== "";
  if (!isOpen) lines.pop();
  return { kind: "lines", whole: true, isOpen, total: lines.length, from: 1, lines };
}

/** Lines that begin with their number and a tab, as far as the numbers count up. */
function numberedLines(text: string): Lines | undefined {
  const lines: string[] = [];
  let from = 0;
  for (const line of text.split("\n")) {
    const [, number, rest = ""] = /^ *(\d+)\t([^]*)$/.exec(line) ?? [];
    if (number === undefined || (lines.length > 0 && Number(number) !== from + lines.length)) break;
    if (lines.length === 0) from = Number(number);
    lines.push(rest);
  }
  return lines.length > 0 && from > 0 ? { from, lines } : undefined;
}

function plain(text: string): string {
  return text.replace(/\r\n?/g, "\n");
}

// The header of a Markdown file: YAML between two lines of `---`, read as far as it can be read.
import { asFields, type Fields } from "./jsonl.ts";

export type Frontmatter = {
  fields: Fields;
  /** What follows the header; the whole text when there is none. */
  body: string;
  /** Why the header could not be read; `fields` is empty then and the header is not part of `body`. */
  problem?: string;
};

const MAX_HEADER = 16 * 1024;

/**
 * Never throws. Values people write without quotes, as in other tools (`paths: **\/*.ts`, `- {a,b}/*.ts`), are taken
 * as text when the header is no YAML otherwise. `text` has "\n" at its line ends.
 */
export function parseFrontmatter(text: string): Frontmatter {
  if (!/^---[ \t]*\n/.test(text)) return { fields: {}, body: text };
  const start = text.indexOf("\n") + 1;
  // Not a header but a ruler, when no second line of dashes comes soon.
  const end = /^---[ \t]*$/m.exec(text.slice(start, start + MAX_HEADER));
  if (!end) return { fields: {}, body: text };
  const header = text.slice(start, start + end.index);
  const body = text.slice(start + end.index + end[0].length).replace(/^\n/, "");
  const value = read(header) ?? read(quoted(header, SPECIAL)) ?? read(quoted(header, COLON));
  if (value === undefined) return { fields: {}, body, problem: "its header is not valid YAML" };
  return { fields: asFields(value.read), body };
}

function read(header: string): { read: unknown } | undefined {
  // Nesting this deep is no header, and costs the parser its stack.
  if ((header.match(/[[{]/g)?.length ?? 0) > 200) return undefined;
  try {
    return { read: Bun.YAML.parse(header) };
  } catch {
    return undefined; // the caller says so
  }
}

/** Values that begin with a character YAML keeps for itself; and those with a colon in them besides. */
const SPECIAL = /^([ \t]*(?:-|[\w-]+:)[ \t]+)([*{[!&@`%].*)$/gm;
const COLON = /^([ \t]*(?:-|[\w-]+:)[ \t]+)([*{[!&@`%].*|[^"'|>\s].*:[ \t].*)$/gm;

/** With such values in quotes. */
function quoted(header: string, values: RegExp): string {
  return header.replace(values, (_, lead: string, value: string) => lead + JSON.stringify(value.trimEnd()));
}

// The text of one skill or command: what its header says of it, and the commands that run when it is used.
import { parseFrontmatter } from "../utils/frontmatter.ts";

export type SkillHead = {
  /** Of the header, when it is one a skill may have. */
  name: string | undefined;
  /** One line: what it is for and when to use it. */
  description: string;
  /** What to type behind its name, for people. */
  argumentHint: string;
  /** `$name` in its text, in the order of the arguments. */
  argumentNames: readonly string[];
  /** Rules that count while it is in use. */
  allowedTools: readonly string[];
  /** Who may call it. */
  forModel: boolean;
  forPerson: boolean;
};
export type SkillText = SkillHead & {
  body: string;
  /** What is wrong with the header, for a person. */
  problem?: string;
};

/** As the agentskills specification bounds them: name, and description with what some put into `when_to_use`. */
const NAME = /^[a-z0-9](?:-?[a-z0-9])*$/;
const NAME_CHARS = 64;
const DESCRIPTION_CHARS = 1_536;

/** Never throws: a header that cannot be read costs what it says, not the text. `source` has "\n" at its line ends. */
export function readSkill(source: string): SkillText {
  const { fields, body, problem } = parseFrontmatter(source);
  const { name, description, when_to_use: when, arguments: named } = fields;
  const said = [description, when].filter((text) => typeof text === "string" && text.trim() !== "");
  return {
    name: typeof name === "string" && name.length <= NAME_CHARS && NAME.test(name) ? name : undefined,
    description: inLine(said.length > 0 ? said.join(" ") : firstParagraph(body)),
    argumentHint: inLine(hintOf(fields["argument-hint"])),
    argumentNames: namesOf(named),
    allowedTools: rulesIn(fields["allowed-tools"]),
    forModel: !isTrue(fields["disable-model-invocation"]),
    forPerson: !isFalse(fields["user-invocable"]),
    body,
    ...(problem === undefined ? {} : { problem }),
  };
}

/** `[file]` without quotes is a list for YAML. */
function hintOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.join(", ")}]`;
  return typeof value === "string" ? value : "";
}

function namesOf(value: unknown): string[] {
  const names = typeof value === "string" ? value.split(/[\s,]+/) : Array.isArray(value) ? value : [];
  return names.filter((name): name is string => typeof name === "string" && /^[A-Za-z_]\w*$/.test(name));
}

/** `Read, Bash(git add:*)`: blanks and commas divide, but not within parentheses. */
function rulesIn(value: unknown): string[] {
  const texts = Array.isArray(value) ? value : [value];
  const rules = texts.flatMap((text) =>
    typeof text === "string" ? (text.match(/[^\s,()]+(?:\([^)]*\))?/g) ?? []) : [],
  );
  return rules.filter((rule) => !TOO_MUCH.test(rule));
}

/** Every command, or that plans are agreed to without the person. */
const TOO_MUCH = /^(?:\*|Bash|Bash\(\s*:?\**\s*\)|(?:Enter|Exit)PlanMode)$/;

function isTrue(value: unknown): boolean {
  return value === true || value === "true";
}

function isFalse(value: unknown): boolean {
  return value === false || value === "false";
}

/** Without what is a heading, as text for one line. */
function firstParagraph(body: string): string {
  const paragraphs = body.split(/\n\s*\n/).map((text) => text.replace(/^#{1,6}\s.*$/gm, "").trim());
  return paragraphs.find((text) => text !== "") ?? "";
}

function inLine(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, " ").trim();
  return line.length > DESCRIPTION_CHARS ? `${line.slice(0, DESCRIPTION_CHARS).toWellFormed()}…` : line;
}

export type Piece = { kind: "text"; text: string } | { kind: "command"; command: string };

/** `` !`command` `` at the start of a line or behind a blank, or a fence that is marked with `!`. */
const COMMAND = /(?<=^|\s)!`([^`\n]+)`|^[ \t]*```!([^\n]*\n[\s\S]*?)^[ \t]*```[ \t]*$/gm;

/** A text as what stands there and what is to be run; all pieces together are the text. */
export function piecesOf(body: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of body.matchAll(COMMAND)) {
    const command = (match[1] ?? match[2] ?? "").trim();
    if (command === "") continue;
    if (match.index > from) pieces.push({ kind: "text", text: body.slice(from, match.index) });
    pieces.push({ kind: "command", command });
    from = match.index + match[0].length;
  }
  if (from < body.length) pieces.push({ kind: "text", text: body.slice(from) });
  return pieces;
}

/** As they stand in the text, placeholders included. */
export function commandsIn(body: string): string[] {
  return piecesOf(body).flatMap((piece) => (piece.kind === "command" ? [piece.command] : []));
}

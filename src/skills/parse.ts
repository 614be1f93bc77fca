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
const MOST_RULES = 100;

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
    // A header that cannot be read may have said that only the person loads it.
    forModel: problem === undefined && !isTrue(fields["disable-model-invocation"]),
    forPerson: !isFalse(fields["user-invocable"]),
    body,
    ...(problem === undefined ? {} : { problem }),
  };
}

/** `[file]` without quotes is a list for YAML. */
function hintOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.filter((one) => typeof one === "string").join(", ")}]`;
  return typeof value === "string" ? value : "";
}

function namesOf(value: unknown): string[] {
  const names = typeof value === "string" ? value.split(/[\s,]+/) : Array.isArray(value) ? value : [];
  return names.filter((name): name is string => typeof name === "string" && /^[A-Za-z_]\w*$/.test(name));
}

/** `Read, Bash(git add:*)`: blanks and commas divide, but not within parentheses. */
function rulesIn(value: unknown): string[] {
  const texts = Array.isArray(value) ? value : [value];
  const rules = texts
    .slice(0, MOST_RULES)
    .flatMap((text) => (typeof text === "string" ? (text.match(/[^\s,()]+(?:\([^)]*\))?/g) ?? []) : []));
  return rules.filter((rule) => !TOO_MUCH.test(rule));
}

/** Every command, or that plans are agreed to without the person. */
const TOO_MUCH = /^(?:\*|Bash|Bash\(\s*:?\**\s*\)|(?:Enter|Exit)PlanMode)$/;

function isTrue(value: unknown): boolean {
  return value === true || (typeof value === "string" && /^(?:true|yes|on)$/i.test(value));
}

function isFalse(value: unknown): boolean {
  return value === false || (typeof value === "string" && /^(?:false|no|off)$/i.test(value));
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

const INLINE = /(?<=^|\s)!`([^`\n]+)`/g;
const OPENING = /^[ \t]*```!/;
const CLOSING = /^[ \t]*```[ \t]*$/;

/**
 * A text as what stands there and what is to be run: `` !`command` `` at the start of a line or behind a blank, and fences
 * that begin with `!`. Takes time by the length of the text, whatever is in it.
 */
export function piecesOf(body: string): Piece[] {
  const pieces = new Pieces();
  const lines = body.split("\n").map((line, at, all) => (at < all.length - 1 ? `${line}\n` : line));
  const closings = lines.flatMap((line, at) => (CLOSING.test(line.trimEnd()) ? [at] : []));
  let next = 0;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    while ((closings[next] ?? Number.POSITIVE_INFINITY) <= at) next++;
    const closing = closings[next];
    const isFence = closing !== undefined && OPENING.test(line);
    const command = isFence ? lines.slice(at, closing).join("").replace(OPENING, "").trim() : "";
    if (closing === undefined || command === "") {
      pieces.line(line);
      continue;
    }
    pieces.command(command);
    pieces.text(lines[closing]?.endsWith("\n") ? "\n" : "");
    at = closing;
  }
  return pieces.done();
}

class Pieces {
  #all: Piece[] = [];
  #text = "";

  text(text: string): void {
    this.#text += text;
  }

  command(command: string): void {
    this.done();
    this.#all.push({ kind: "command", command });
  }

  line(line: string): void {
    let from = 0;
    for (const match of line.matchAll(INLINE)) {
      const command = (match[1] ?? "").trim();
      if (command === "") continue;
      this.text(line.slice(from, match.index));
      this.command(command);
      from = match.index + match[0].length;
    }
    this.text(line.slice(from));
  }

  done(): Piece[] {
    if (this.#text !== "") this.#all.push({ kind: "text", text: this.#text });
    this.#text = "";
    return this.#all;
  }
}

/** As they stand in the text, placeholders included. */
export function commandsIn(body: string): string[] {
  return piecesOf(body).flatMap((piece) => (piece.kind === "command" ? [piece.command] : []));
}

// Reads a command's text just enough to explain its end; nothing here decides about safety.
import { readdirSync } from "node:fs";
import { isAbsolute } from "node:path";
import { nearest } from "../core/nearest.ts";

export type Explained = {
  /** The exit code is an answer, not a failure. */
  isInformation: boolean;
  /** A few words; empty when the code speaks for itself. */
  words: string;
};

/** A simple command: its words up to the next operator, and the operator before it ("" for the first). */
type Part = { operator: string; words: string[] };

const ANSWERS: Record<string, string> = {
  grep: "no match",
  egrep: "no match",
  fgrep: "no match",
  zgrep: "no match",
  rg: "no match",
  "git grep": "no match",
  find: "some folders could not be searched",
  diff: "the files differ",
  cmp: "the files differ",
  "git diff": "there are differences",
  test: "the condition is false",
  "[": "the condition is false",
  "[[": "the condition is false",
};
/** Commands in front of an `&&` that are not taken for the cause of an exit code 1. */
const PREPARATION = new Set(["cd", "pushd", "echo", "printf", "export", "set", "source", ".", "true", ":"]);
const WRAPPERS = new Set(["command", "builtin", "env", "time", "nice", "nohup", "!", "sudo", "exec", "timeout"]);
const KEYWORDS = new Set(["if", "then", "else", "elif", "while", "until", "do", "{", "("]);
/** How bash and sh end; bash with exit code 127 inside `eval`, as if a command were missing. */
const UNSET = /: (?:unbound variable|parameter not set)\s*$/;
const LONGEST_READ = 20_000;
const ASSIGNMENT = /^[A-Za-z_]\w*\+?=/;

/** What an exit code other than 0 means. `output`: the end of what the command wrote. */
export function explainExit(command: string, code: number, output: string, path = ""): Explained {
  const answer = code === 1 ? answerOf(command) : undefined;
  if (answer) return { isInformation: true, words: answer };
  return { isInformation: false, words: meaningOf(command, code, output, path) };
}

/**
 * A command that took too long goes on in the background, except when that makes no sense or is dangerous: one that
 * waits (`sleep`), one that holds the repository's locks (`git`), and one whose quotes do not close.
 */
export function mayOutliveTimeout(command: string): boolean {
  const parts = splitParts(command);
  return parts?.every(({ words }) => !["sleep", "git"].includes(programOf(words)[0] ?? "")) ?? false;
}

function answerOf(command: string): string | undefined {
  const parts = splitParts(command);
  const last = parts?.at(-1);
  if (!parts || !last) return undefined;
  const answer = answerFor(last);
  if (answer === undefined || parts.length === 1) return answer;
  // With these the code may be that of any part.
  if (/\bpipefail\b|\bset\s+-\w*e|\berrexit\b/.test(command)) return undefined;
  return chainBefore(parts).every(isInnocent) ? answer : undefined;
}

/** The commands whose failure would have kept the last pipeline from running. */
function chainBefore(parts: Part[]): Part[] {
  const isBreak = ({ operator }: Part) => operator === "" || operator === ";" || operator === "&";
  const chain = parts.slice(parts.findLastIndex(isBreak));
  const pipeline = chain.findLastIndex(({ operator }) => operator !== "|" && operator !== "|&");
  return chain.slice(0, Math.max(0, pipeline));
}

function isInnocent(part: Part): boolean {
  return PREPARATION.has(programOf(part.words)[0] ?? "") || answerFor(part) !== undefined;
}

function answerFor({ words }: Part): string | undefined {
  const [program = "", sub = ""] = programOf(words);
  return ANSWERS[program === "git" ? `git ${sub}` : program];
}

function meaningOf(command: string, code: number, output: string, path: string): string {
  if (code === 127 && UNSET.test(output)) return "a variable has no value, which `set -u` forbids";
  if (code === 127) return notFound(output, path);
  if (code === 126) return "found, but it cannot be executed: no permission, or not a program for this system";
  if (code === 124 && /\btimeout\b/.test(command)) return "ended by timeout(1)";
  if (code === 130) return "interrupted, SIGINT";
  if (code === 134) return "aborted itself, SIGABRT";
  if (code === 137) return "killed, SIGKILL: often because memory ran out";
  if (code === 139) return "crashed on a bad memory access, SIGSEGV";
  if (code === 141) return "its reader closed the pipe early, SIGPIPE";
  if (code === 143) return "told to end, SIGTERM";
  return "";
}

function notFound(output: string, path: string): string {
  const name = /(?:^|: )([^\s:]+): (?:command )?not found\s*$/m.exec(output)?.[1];
  const near = name && !name.includes("/") ? similar(name, programsOn(path)) : undefined;
  return near ? `command not found; there is a program named ${near}` : "command not found";
}

/** Two letters in the wrong order first: `gti` is nearer to `git` than any count of changes says. */
function similar(name: string, programs: Set<string>): string | undefined {
  const swaps = Array.from({ length: name.length - 1 }, (_, i) =>
    [name.slice(0, i), name[i + 1], name[i], name.slice(i + 2)].join(""),
  );
  return swaps.find((swap) => programs.has(swap)) ?? (name.length > 3 ? nearest(name, programs) : undefined);
}

function programsOn(path: string): Set<string> {
  const names = new Set<string>();
  for (const folder of path.split(":").filter(isAbsolute)) {
    try {
      for (const name of readdirSync(folder)) names.add(name);
    } catch {
      // PATH often names folders that do not exist
    }
  }
  return names;
}

/** The program (without its folder) and what follows, past assignments, wrappers and keywords. */
function programOf(words: string[]): string[] {
  const isSkipped = (word: string) => ASSIGNMENT.test(word) || WRAPPERS.has(word) || KEYWORDS.has(word);
  const start = words.findIndex((word, at) => {
    if (isSkipped(word)) return false;
    const before = words[at - 1] ?? "";
    // Options and the duration of a wrapper: `timeout -k 5 10s git fetch`.
    return (
      at === 0 || !(isWrapped(words, at) && (word.startsWith("-") || /^[\d.]+[smhd]?$/.test(word) || before === "-u"))
    );
  });
  if (start < 0) return [];
  const rest = words.slice(start);
  const name = (rest[0] ?? "").replace(/^\(+/, "");
  const program = name.includes("/") ? name.slice(name.lastIndexOf("/") + 1) : name;
  return program === "git" ? ["git", ...gitWords(rest.slice(1))] : [program, ...rest.slice(1)];
}

function isWrapped(words: string[], at: number): boolean {
  return words.slice(0, at).some((word) => WRAPPERS.has(word));
}

/** `git -C dir --no-pager diff` -> `diff`. */
function gitWords(words: string[]): string[] {
  const at = words.findIndex((word, i) => !word.startsWith("-") && !/^(-C|-c)$/.test(words[i - 1] ?? ""));
  return at < 0 ? [] : words.slice(at);
}

/** Undefined when a quote does not close or the text is very long. Heredoc bodies are left out; substitutions stay part of their word. */
function splitParts(command: string): Part[] | undefined {
  if (command.length > LONGEST_READ) return undefined;
  const text = withoutHeredocs(command);
  const parts: Part[] = [{ operator: "", words: [] }];
  const token =
    /\\[^]|'[^']*'|"(?:\\[^]|[^"\\])*"|[<>]&-?|&>>?|&&|\|\||\|&|[;&|\n]+|\s+|(?<=^|[\s;&|(])#[^\n]*|[^\\'"\s;&|<>]+|[<>]|['"]/gy;
  const state = { word: "" };
  const endWord = () => {
    if (state.word !== "") parts.at(-1)?.words.push(state.word);
    state.word = "";
  };
  for (const [piece] of text.matchAll(token)) {
    if (piece === "'" || piece === '"') return undefined;
    if (/^\s+$/.test(piece) && !piece.includes("\n")) endWord();
    else if (/^(&&|\|\||\|&|[;&|\n]+|\s+)$/.test(piece)) {
      endWord();
      parts.push({ operator: /[\n;]/.test(piece) ? ";" : piece, words: [] });
    } else if (!piece.startsWith("#") || state.word !== "") state.word += unquoted(piece);
  }
  endWord();
  return parts.filter(({ words }) => words.length > 0);
}

function unquoted(piece: string): string {
  if (piece.startsWith("\\")) return piece.slice(1).replace("\n", "");
  return /^['"]/.test(piece) ? piece.slice(1, -1) : piece;
}

function withoutHeredocs(command: string): string {
  return command.replace(/(?<!<)<<-?\s*(['"]?)(\w+)\1([^\n]*)\n(?:[^]*?\n)?\s*\2(?=\n|$)/g, "$3");
}

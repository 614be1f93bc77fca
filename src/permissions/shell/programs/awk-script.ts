// Whether an awk program only computes and prints.
import { awkTokens, type AwkToken } from "./awk-tokens.ts";

/** `problem`: why the program is not harmless; what it names: files it reads and writes, commands it runs. */
export type AwkScript = {
  problem?: string;
  reads: readonly string[];
  writes: readonly string[];
  commands: readonly string[];
};

export function readAwkScript(text: string): AwkScript {
  const tokens = awkTokens(text);
  if ("problem" in tokens) return { problem: tokens.problem, reads: [], writes: [], commands: [] };
  const known: Known = { reads: [], writes: [], commands: [] };
  const problem = [...problemsOf(tokens, known)][0];
  return problem === undefined ? known : { ...known, problem };
}

type Known = { reads: string[]; writes: string[]; commands: string[] };

const KEYWORDS =
  "BEGIN END BEGINFILE ENDFILE if else while for do in switch case default break continue next nextfile exit return delete function func print printf getline";
const BUILTINS =
  "length substr index split sub gsub match sprintf sin cos atan2 exp log sqrt int rand srand tolower toupper close fflush gensub patsplit asort asorti strftime systime mktime strtonum typeof isarray mkbool and or xor lshift rshift compl";
const CALLABLE = new Set(`${KEYWORDS} ${BUILTINS}`.split(" "));

/** The environment, the arguments (which files are read) and tables through which both are reached. */
const FORBIDDEN = new Set(
  "system ENVIRON PROCINFO ARGV ARGC SYMTAB FUNCTAB bindtextdomain dcgettext dcngettext stopme adump extension".split(
    " ",
  ),
);

function* problemsOf(tokens: readonly AwkToken[], known: Known): Generator<string> {
  const functions = definedFunctions(tokens);
  let depth = 0;
  /** How deep the print statement stands that has not ended yet. */
  let printing: number | undefined;
  for (const [i, token] of tokens.entries()) {
    if (printing !== undefined && endsStatement(tokens, i)) printing = undefined;
    if (token.kind === "word") {
      if (/^printf?$/.test(token.text)) printing = depth;
      const problem = wordProblem(tokens, i, { functions, known });
      if (problem !== undefined) yield problem;
    }
    if (token.kind !== "op") continue;
    if (token.text === "(") depth++;
    if (token.text === ")") depth--;
    const problem = operatorProblem(tokens, i, { redirects: printing !== undefined && depth <= printing, known });
    if (problem !== undefined) yield problem;
  }
}

function definedFunctions(tokens: readonly AwkToken[]): Set<string> {
  return new Set(tokens.flatMap(({ text }, i) => (/^func(tion)?$/.test(tokens[i - 1]?.text ?? "") ? [text] : [])));
}

/** A newline behind an operator, a comma or an open parenthesis does not end a statement. */
function endsStatement(tokens: readonly AwkToken[], i: number): boolean {
  const token = tokens[i];
  if (token?.kind === "op") return token.text === ";" || token.text === "}";
  if (token?.kind !== "newline") return false;
  const before = tokens.slice(0, i).findLast(({ kind }) => kind !== "newline");
  return before?.kind !== "op" || /^([)\]]|\+\+|--)$/.test(before.text);
}

function wordProblem(
  tokens: readonly AwkToken[],
  i: number,
  { functions, known }: { functions: ReadonlySet<string>; known: Known },
): string | undefined {
  const { text, joined } = tokens[i] ?? { text: "" };
  if (text === "system") {
    const argument = tokens[i + 1]?.text === "(" ? tokens[i + 2] : tokens[i + 1];
    if (argument?.kind === "string") known.commands.push(unescape(argument.text));
  }
  if (FORBIDDEN.has(text)) return text === "system" ? "system() runs a command" : `${text} is not allowed in it`;
  if (text === "getline" && !isPlainGetline(tokens, i)) {
    const file = tokens.slice(i, i + 4).find(({ kind }) => kind === "string");
    if (file) known.reads.push(unescape(file.text));
    return "getline from a file or a command";
  }
  return joined && !CALLABLE.has(text) && !functions.has(text) ? `the function ${text} is not known` : undefined;
}

/** `getline` and `getline x`: the next line of the input. Anything that could go on with `<` reads a file. */
function isPlainGetline(tokens: readonly AwkToken[], i: number): boolean {
  const variable = tokens[i + 1]?.kind === "word" && tokens[i + 1]?.joined !== true ? 1 : 0;
  const next = tokens[i + 1 + variable];
  if (next === undefined || next.kind === "newline" || next.text === ";" || next.text === "}") return true;
  return next.text === ")" && tokens[i + 2 + variable]?.text !== "<";
}

function operatorProblem(
  tokens: readonly AwkToken[],
  i: number,
  { redirects, known }: { redirects: boolean; known: Known },
): string | undefined {
  const { text } = tokens[i] ?? { text: "" };
  const next = tokens[i + 1];
  if (text === "|" || text === "|&") {
    const command = [tokens[i - 1], next].find((token) => token?.kind === "string");
    if (command) known.commands.push(unescape(command.text));
    return "a pipe runs a command";
  }
  if (text === ":" && next?.text === ":") return "a name in a namespace";
  if (text !== ">>" && !(text === ">" && redirects)) return undefined;
  if (text === ">" && isStandardStream(next, tokens[i + 2])) return undefined;
  if (next?.kind === "string") known.writes.push(unescape(next.text));
  return `${text} writes a file`;
}

/** `> "/dev/stderr"` and nothing that could be joined to the name. */
function isStandardStream(name: AwkToken | undefined, after: AwkToken | undefined): boolean {
  if (name?.kind !== "string" || !/^\/dev\/(stdout|stderr)$/.test(name.text)) return false;
  return after === undefined || after.kind === "newline" || after.text === ";" || after.text === "}";
}

/** Good enough for rules that forbid: the program is refused anyway. */
function unescape(text: string): string {
  return text.replace(/\\(.)/g, "$1");
}

// test and [: conditions that only look at words and at whether files are there.
import { isOneWord } from "../options.ts";
import type { Arg, Call, Judgement, Use } from "../types.ts";
import { literal, onlyReads, unknownEffect } from "../types.ts";
import type { Entry } from "./entry.ts";

export const TEST: ReadonlyMap<string, Entry> = new Map(["test", "["].map((name) => [name, { judge: judgeTest }]));

// -v and -R (bash) take a variable's name, and run what stands in its brackets: plain names only.
const NAMED = new Set(["-v", "-R"]);
const OF_FILE = new Set("-a -b -c -d -e -f -g -h -k -p -r -s -u -w -x -G -L -N -O -S".split(" "));
const OF_TEXT = new Set(["-n", "-z", "-t", "-o"]);
const OF_TWO_FILES = new Set(["-nt", "-ot", "-ef"]);
// Unlike those of [[ ]], these do not evaluate: what is no integer is an error.
const OF_TWO_NUMBERS = new Set(["-eq", "-ne", "-lt", "-le", "-gt", "-ge"]);
const OF_TWO_TEXTS = new Set(["=", "==", "!=", "<", ">", "=~"]);

function judgeTest({ name, args }: Call): Judgement {
  const reads = pathsOf(args);
  const closed = name !== "[" || literal(args.at(-1)) === "]";
  const words = name === "[" ? args.slice(0, -1) : args;
  const problem = closed ? problemOf(words) : "[ without its ]";
  return problem === undefined ? onlyReads(reads) : unknownEffect(`${name}: ${problem}`, { reads });
}

function problemOf(words: readonly Arg[]): string | undefined {
  for (const [i, word] of words.entries()) {
    const text = literal(word);
    if (text === undefined) {
      // Of a number that may be no word at all nothing else is left than what stands there.
      if (word.kind === "unknown" && /^\d*$/.test(word.like ?? "x")) continue;
      if (!isOneWord(word)) return "words that are only known when it runs";
      if (mayBeOperator(word) && !isOperand(words, i)) return "a word that could be an operator";
    } else if (NAMED.has(text) && !/^[A-Za-z_]\w*$/.test(literal(words[i + 1]) ?? "")) {
      return `${text} with something other than a plain name`;
    } else if (text === "-t" && /[^\d\]]/.test(literal(words[i + 1]) ?? "x") && words.length > 1) {
      return "-t with something other than a number";
    } else if (/^-[a-zA-Z]{1,2}$/.test(text) && !isKnown(text)) return `${text} is not known`;
  }
  return undefined;
}

function isKnown(text: string): boolean {
  return (
    NAMED.has(text) || OF_FILE.has(text) || OF_TEXT.has(text) || OF_TWO_FILES.has(text) || OF_TWO_NUMBERS.has(text)
  );
}

function mayBeOperator(arg: Arg): boolean {
  const texts = arg.kind === "oneof" ? arg.texts : [arg.kind === "text" ? arg.text : arg.start];
  return texts.some((text) => !/^[\w./]/.test(text));
}

/**
 * Whether the shell takes this word for an operand whatever it is. With up to four words POSIX says so by their number
 * and the operator among them; in longer conditions a value such as `-v` could change what the others mean.
 */
function isOperand(words: readonly Arg[], i: number): boolean {
  const isNegated = literal(words[0]) === "!" && words.length > 1;
  const rest = isNegated ? words.slice(1) : words;
  const at = isNegated ? i - 1 : i;
  const middle = literal(rest[1]) ?? "";
  if (rest.length === 1) return true;
  if (rest.length === 2) return at === 1 && literal(rest[0]) !== undefined;
  return rest.length === 3 && at !== 1 && isBinary(middle);
}

function isBinary(text: string): boolean {
  return OF_TWO_FILES.has(text) || OF_TWO_NUMBERS.has(text) || OF_TWO_TEXTS.has(text);
}

function pathsOf(words: readonly Arg[]): Use[] {
  return words.flatMap((arg, i): Use[] => {
    const before = literal(words[i - 1]) ?? "";
    const after = literal(words[i + 1]) ?? "";
    const isPath = OF_FILE.has(before) || OF_TWO_FILES.has(before) || OF_TWO_FILES.has(after);
    const isBracket = literal(arg) === "]" && i === words.length - 1;
    // Whether something is there is told of any name.
    return isPath && !isBracket && arg.kind !== "unknown" ? [{ arg, what: "names" }] : [];
  });
}

// jq: filters that only compute, on files whose content is printed.
import { everything, isOneWord, program, type ProgramSpec } from "../options.ts";
import type { Arg, Call, Judgement, Use } from "../types.ts";
import { literal, mayBeOption, onlyReads, unknownEffect } from "../types.ts";
import { jqFilterProblem } from "./jq-filter.ts";
import type { Entry } from "./entry.ts";

/**
 * Two programs are called yq, one written in Go and one around jq: only what both take alike, the way to a value. To the
 * first a first word that is the name of a file is a file.
 */
const YQ: ProgramSpec = {
  flags: "rCM",
  operands: "content",
  refuse: ({ operands: [filter] }) =>
    WAY.test(literal(filter) ?? "") ? undefined : "only the way to a value is known to only read",
};
const WAY = /^\.(?:[\w.]|\[(?:\d+|"[\w ./@-]*")?\]|"[\w ./@-]*")*(?: \| (?:keys|length))?$/;

export const JQ: ReadonlyMap<string, Entry> = new Map([
  ["jq", { judge: judgeJq, appendable }],
  ["yq", { judge: program(YQ) }],
]);

// No -f/--from-file (a filter from a file) and no -L/--library-path (modules).
const SHORT = /^-[acCeghjMnrRsSVb]+$/;
const LONG = new Set(
  "raw-output raw-output0 null-input slurp raw-input compact-output color-output monochrome-output ascii-output join-output sort-keys exit-status tab unbuffered stream stream-errors seq binary help version build-configuration"
    .split(" ")
    .map((name) => `--${name}`),
);
/** Options with a name and a value; for some the value is a file. */
const NAMED = new Set(["--arg", "--argjson"]);
const NAMED_FILE = new Set(["--slurpfile", "--rawfile", "--argfile"]);

type Read = { filter?: Arg; reads: Use[]; asks: boolean; positional: boolean };

function judgeJq({ name, args }: Call): Judgement {
  const read = readArgs(args);
  if ("problem" in read) return unknownEffect(`${name}: ${read.problem}`, { reads: everything(args) });
  const { filter, reads, asks } = read;
  // Without a filter it is `.`; an old jq prints its usage.
  const text = filter ? literal(filter) : asks || args.length > 0 ? "." : undefined;
  const problem = text === undefined ? "its filter is only known when it runs" : jqFilterProblem(text);
  return problem === undefined ? onlyReads(reads) : unknownEffect(`${name}: ${problem}`, { reads });
}

function readArgs(args: readonly Arg[]): Read | { problem: string } {
  const read: Read = { reads: [], asks: false, positional: false };
  let ended = false;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (!arg) break;
    const text = literal(arg);
    if (ended || text === undefined || !text.startsWith("-") || text === "-") {
      if (!ended && mayBeOption(arg)) return { problem: "a word that could be an option" };
      addOperand(read, arg);
    } else if (text === "--") ended = true;
    else {
      const used = readOption(read, text, args.slice(i + 1, i + 3));
      if (typeof used !== "number") return used;
      i += used;
    }
  }
  return read;
}

function addOperand(read: Read, arg: Arg): void {
  if (!read.filter) read.filter = arg;
  else if (!read.positional) read.reads.push({ arg, what: "content" });
}

/** How many of the next words belong to the option. */
function readOption(read: Read, text: string, next: readonly Arg[]): number | { problem: string } {
  if (LONG.has(text) || SHORT.test(text)) {
    read.asks = true;
    return 0;
  }
  if (text === "--args" || text === "--jsonargs") {
    read.positional = true;
    return 0;
  }
  if (text === "--indent") return /^\d$/.test(literal(next[0]) ?? "") ? 1 : { problem: "an indent that is no digit" };
  if (!NAMED.has(text) && !NAMED_FILE.has(text)) return { problem: `the option ${text} is not known` };
  const [name, value] = next;
  if (!name || !value || !isOneWord(name) || !isOneWord(value)) return { problem: `${text} without two words` };
  if (NAMED_FILE.has(text)) read.reads.push({ arg: value, what: "content" });
  return 2;
}

/** The filter must be there already; the names are files whose content is printed. */
function appendable(args: readonly Arg[]): "files" | undefined {
  const read = readArgs(args);
  if ("problem" in read || !read.filter) return undefined;
  return judgeJq({ name: "jq", args }).effect === "read" ? "files" : undefined;
}

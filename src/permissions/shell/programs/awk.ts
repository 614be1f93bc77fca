// awk and its kin: programs that only compute and print what is in their files.
import { everything, parseOptions, type OptionTable } from "../options.ts";
import type { Arg, Call, Change, Judgement, Use } from "../types.ts";
import { literal, onlyReads, READS_NOTHING, textArg, unknownEffect } from "../types.ts";
import { readAwkScript } from "./awk-script.ts";
import type { Entry } from "./entry.ts";

// gawk's -f -i -l -E take code from files, -d -o -p write files, -D reads commands. The one true awk skips an option it does
// not know and would run a value in the next word as its program: so no clusters, and long values only behind `=`.
// Every awk ends its options at the program, so what follows are files, whatever they are called.
const OPTIONS: OptionTable = {
  values: "Fve",
  long: "version help csv posix traditional re-interval sandbox characters-as-bytes non-decimal-data use-lc-numeric bignum optimize no-optimize lint lint=? lint-old field-separator=? assign=?",
  strict: true,
};

const PROGRAM = new Set(["-e"]);
const ASSIGN = new Set(["-v", "--assign"]);

export const AWK: ReadonlyMap<string, Entry> = new Map(
  ["awk", "gawk", "mawk", "nawk", "original-awk"].map((name) => [name, { judge: judgeAwk, appendable }]),
);

function judgeAwk({ name, args }: Call): Judgement {
  const parsed = parseOptions(args, OPTIONS);
  if ("problem" in parsed) return refusedOptions(name, parsed.problem, args);
  const { options, operands } = parsed;
  const texts = options.filter((option) => PROGRAM.has(option.name)).flatMap(({ value = [] }) => value);
  const [programs, files] = texts.length > 0 ? [texts, operands] : [operands.slice(0, 1), operands.slice(1)];
  const bad = options.find((option) => ASSIGN.has(option.name) && !isPlainAssignment(option.value));
  const isAsking = options.some((option) => option.name === "--version" || option.name === "--help");
  if (programs.length === 0) return isAsking ? READS_NOTHING : unknownEffect(`${name}: there is no program`);
  const scripts = programs.map((program) => readAwkScript(literal(program) ?? "@"));
  const isUnknown = programs.some((program) => literal(program) === undefined);
  const problem = isUnknown
    ? "its program is only known when it runs"
    : bad
      ? `${bad.name} with a name that is not plain`
      : scripts.find((script) => script.problem !== undefined)?.problem;
  const reads: Use[] = [
    ...files.filter((file) => !/^[A-Za-z_]\w*=/.test(literal(file) ?? "")),
    ...scripts.flatMap((script) => script.reads.map(textArg)),
  ].map((arg) => ({ arg, what: "content" }));
  if (problem === undefined) return onlyReads(reads);
  const writes = scripts.flatMap((script) => script.writes.map(written));
  const nested = scripts.flatMap((script) => script.commands.map((command) => ({ words: [], script: command })));
  return unknownEffect(`${name}: ${problem}`, { reads, writes, nested });
}

function written(path: string): Change {
  return { arg: textArg(path), how: "write" };
}

/** gawk -i inplace changes its operands; any word may be one. */
function refusedOptions(name: string, problem: string, args: readonly Arg[]): Judgement {
  const reads = everything(args);
  const inPlace = args.some((arg) => /inplace/.test(literal(arg) ?? ""));
  const writes = inPlace ? reads.map(({ arg }): Change => ({ arg, how: "write" })) : [];
  return unknownEffect(`${name}: ${problem}`, { reads, writes });
}

/** `name=value`; the value may be anything, also something known only when it runs. */
function isPlainAssignment(value: Arg | undefined): boolean {
  const start = value?.kind === "text" ? value.text : value?.kind === "unknown" && value.single ? value.start : "";
  const name = /^([A-Za-z_]\w*)=/.exec(start)?.[1];
  return name !== undefined && !/^(ENVIRON|PROCINFO|ARGV|ARGC|SYMTAB|FUNCTAB)$/.test(name);
}

/** The program must be there already; the names are files whose content is printed. */
function appendable(args: readonly Arg[]): "files" | undefined {
  const parsed = parseOptions(args, OPTIONS);
  if ("problem" in parsed) return undefined;
  const hasProgram = parsed.operands.length > 0 || parsed.options.some(({ name }) => PROGRAM.has(name));
  return hasProgram && judgeAwk({ name: "awk", args }).effect === "read" ? "files" : undefined;
}

// sed: harmless scripts only; in place it changes its operands.
import { everything, parseOptions, type Option, type OptionTable, type Parsed } from "../options.ts";
import type { Arg, Call, Change, Judgement, Use } from "../types.ts";
import { literal, onlyReads, textArg, unknownEffect } from "../types.ts";
import type { Entry } from "./entry.ts";
import { readSedScript, type SedScript } from "./sed-script.ts";

// No -f (a script from a file) and no -a (BSD only: opens files late).
const OPTIONS: OptionTable = {
  flags: "nErsuzb",
  values: "el",
  attached: "iI",
  long: "quiet silent regexp-extended separate unbuffered null-data binary debug posix sandbox follow-symlinks help version expression= line-length= in-place=?",
};

const IN_PLACE = new Set(["-i", "-I", "--in-place"]);

export const SED: ReadonlyMap<string, Entry> = new Map(
  ["sed", "gsed"].map((name) => [name, { judge: judgeSed, appendable }]),
);

function judgeSed({ name, args }: Call): Judgement {
  // A number below zero would be no option any sed knows.
  const numbered = new Map<Arg, Arg>();
  const words = args.map((arg) => {
    // Only what begins with a number: `-i$n` is an option with a suffix.
    if (arg.kind !== "unknown" || !arg.single || !arg.like || arg.start.startsWith("-")) return arg;
    const like = textArg(arg.like);
    numbered.set(like, arg);
    return like;
  });
  const parsed = parseOptions(words, OPTIONS);
  if ("problem" in parsed) return unknownEffect(`${name}: ${parsed.problem}`, { reads: everything(args) });
  const inPlace = parsed.options.find((option) => IN_PLACE.has(option.name));
  const { pieces, files: shown } = scriptAndFiles(parsed, inPlace);
  const files = shown.map((arg) => numbered.get(arg) ?? arg);
  const script = readPieces(pieces);
  const reads: Use[] = [...files, ...script.reads.map(textArg)].map((arg) => ({ arg, what: "content" }));
  const written = script.writes.map((path): Change => ({ arg: textArg(path), how: "write" }));
  const writes = [...(inPlace ? changesInPlace({ pieces, files, inPlace, parsed }) : []), ...written];
  const nested = script.commands.map((command) => ({ words: [], script: command }));
  const problem = script.problem ?? badOption(parsed.options);
  if (problem !== undefined) return unknownEffect(`${name}: ${problem}`, { reads, writes, nested });
  if (!inPlace) return onlyReads(reads);
  return { effect: "files", why: `${name} -i changes files`, reads, writes, nested };
}

/** Without -e the first operand is the script. An empty word behind -i is the suffix of BSD's sed. */
function scriptAndFiles({ options, operands }: Parsed, inPlace: Option | undefined): { pieces: Arg[]; files: Arg[] } {
  const pieces = options
    .filter(({ name }) => name === "-e" || name === "--expression")
    .flatMap(({ value = [] }) => value);
  const suffix = inPlace && !inPlace.value && literal(operands[0]) === "";
  const rest = suffix ? operands.slice(1) : operands;
  return pieces.length > 0 ? { pieces, files: [...rest] } : { pieces: rest.slice(0, 1), files: rest.slice(1) };
}

function readPieces(pieces: readonly Arg[]): SedScript {
  const nothing = { reads: [], writes: [], commands: [] };
  if (pieces.length === 0) return { ...nothing, problem: "there is no script" };
  const choices = pieces.map(textsOf);
  const most = Math.max(...choices.map((texts) => texts.length));
  // One of several words, or the same number in all of them: never more of these than one piece can be.
  if (choices.filter((texts) => texts.length > 1).length > 1 || choices.some((texts) => texts.length === 0)) {
    return { ...nothing, problem: "its script is only known when it runs" };
  }
  const scripts = Array.from({ length: most }, (_, i) => readTexts(choices.map((texts) => texts[i] ?? texts[0] ?? "")));
  return {
    problem: scripts.find(({ problem }) => problem !== undefined)?.problem,
    reads: scripts.flatMap(({ reads }) => reads),
    writes: scripts.flatMap(({ writes }) => writes),
    commands: scripts.flatMap(({ commands }) => commands),
  };
}

/** What the word can be. */
function textsOf(arg: Arg): readonly string[] {
  if (arg.kind === "oneof") return arg.texts;
  const text = literal(arg);
  return text === undefined ? [] : [text];
}

function readTexts(texts: readonly string[]): SedScript {
  const script = readSedScript(texts.join("\n"));
  // What a last backslash does to the next piece differs between programs.
  const open = texts.some((text) => text.endsWith("\\"));
  return open ? { ...script, problem: "a script that ends with a backslash" } : script;
}

function badOption(options: readonly Option[]): string | undefined {
  for (const { name, value } of options) {
    const text = literal(value);
    if ((name === "-l" || name === "--line-length") && !/^\d+$/.test(text ?? ""))
      return "a line length that is no number";
    if (IN_PLACE.has(name) && value && (text === undefined || /[*/]/.test(text))) return "a suffix that is not plain";
  }
  return undefined;
}

type InPlace = { pieces: readonly Arg[]; files: readonly Arg[]; inPlace: Option; parsed: Parsed };

function changesInPlace({ pieces, files, inPlace, parsed }: InPlace): Change[] {
  const suffix = literal(inPlace.value);
  const backups = suffix === undefined ? [] : files.map((file) => suffixed(file, suffix));
  // BSD's sed takes the word behind a lone -i for a suffix, so that the first file becomes the script.
  const bsd = !inPlace.value && parsed.operands.includes(pieces[0] ?? textArg(""));
  const mistaken = bsd ? readSedScript(literal(files[0]) ?? "").writes.map(textArg) : [];
  return [...files, ...backups, ...mistaken].map((arg) => ({ arg, how: "write" }));
}

function suffixed(file: Arg, suffix: string): Arg {
  if (file.kind === "text") return textArg(file.text + suffix);
  if (file.kind === "oneof") return { kind: "oneof", texts: file.texts.map((text) => text + suffix) };
  return { kind: "unknown", start: file.start, single: file.single };
}

/** The script must be there already; the names are files whose content is printed. */
function appendable(args: readonly Arg[]): "files" | undefined {
  return judgeSed({ name: "sed", args }).effect === "read" ? "files" : undefined;
}

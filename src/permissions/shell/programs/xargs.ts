// xargs: a fixed program with names that come in by the pipe.
import { everything, parseOptions, type Option, type OptionTable } from "../options.ts";
import type { Added, Arg, Call, Feed, Judgement, Nested, Use } from "../types.ts";
import { literal, onlyReads, READS_NOTHING, textArg, unknownEffect } from "../types.ts";
import type { Entry } from "./entry.ts";

// No -o and -p (they use the terminal), no -J and -R of BSD, no --process-slot-var.
const OPTIONS: OptionTable = {
  flags: "0rtx",
  values: "nLPIdsEa",
  attached: "ile",
  long: "null no-run-if-empty verbose exit show-limits help version max-args= max-lines=? max-procs= replace=? delimiter= max-chars= eof=? arg-file=",
  strict: true,
};

// Names that are added would be the program it runs, or its words: never.
export const XARGS: ReadonlyMap<string, Entry> = new Map(
  ["xargs", "gxargs"].map((name) => [name, { judge: judgeXargs }]),
);

function judgeXargs({ name, args, feed: fed }: Call): Judgement {
  const parsed = parseOptions(args, OPTIONS);
  if ("problem" in parsed) {
    const nested = guessedCommands(args);
    return unknownEffect(`${name}: ${parsed.problem}`, { reads: everything(args), nested });
  }
  const { options, operands } = parsed;
  const files = options
    .filter(({ name: option }) => /^(-a|--arg-file)$/.test(option))
    .flatMap(({ value }) => value ?? []);
  const reads = files.map((arg): Use => ({ arg, what: "content" }));
  // Then nothing comes in by the pipe.
  const feed = files.length > 0 ? undefined : fed;
  const command = operands.length > 0 ? operands : [textArg("echo")];
  const known = knownCommands(command, options, feed);
  if (known) return { ...READS_NOTHING, nested: known };
  const nested = nestedOf(command, { replaced: replacedBy(options), added: addedBy(options, feed) });
  if (typeof nested === "string") return unknownEffect(`${name}: ${nested}`, { reads, nested: [{ words: command }] });
  return { ...onlyReads(reads), nested: [nested] };
}

const MOST_ITEMS = 40;
const PLAIN = /^(-[rtxP0I]|-i|--(no-run-if-empty|verbose|exit|max-procs|null|replace))$/;

/** The commands themselves, where everything that comes in is known and how it is handed on. */
function knownCommands(
  command: readonly Arg[],
  options: readonly Option[],
  feed: Feed | undefined,
): Nested[] | undefined {
  if (!feed?.lines) return undefined;
  const isSingle = ({ name, value }: Option) => /^(-n|--max-args)$/.test(name) && literal(value) === "1";
  if (!options.every((option) => PLAIN.test(option.name) || isSingle(option))) return undefined;
  const whole = options.some(({ name }) => name === "-0" || name === "--null");
  const replaced = replacedBy(options);
  const text = replaced && literal(replaced);
  // Of -I and -n together some versions take the first, some the last.
  const isBoth = replaced !== undefined && options.some(isSingle);
  if (feed.nul !== whole || isBoth || (replaced && !text)) return undefined;
  const items = whole || text ? feed.lines : feed.lines.flatMap((line) => line.split(" "));
  if (items.length > MOST_ITEMS) return undefined;
  if (text) {
    const words = command.map((word) => literal(word));
    if (words[0]?.includes(text) !== false || words.includes(undefined)) return undefined;
    return items.map((item) => ({ words: words.map((word) => textArg((word ?? "").replaceAll(text, () => item))) }));
  }
  if (options.some(isSingle)) return items.map((item) => ({ words: [...command, textArg(item)] }));
  return [{ words: [...command, ...items.map(textArg)] }];
}

/** Where the command of a wrapper might begin, for rules that forbid: the wrapper itself is refused. */
export function guessedCommands(args: readonly Arg[]): Nested[] {
  const starts = args.flatMap((arg, i) => (literal(arg)?.startsWith("-") === true ? [] : [i]));
  return starts.slice(0, 4).map((i) => ({ words: args.slice(i), guess: true }));
}

const ALONE = /^(-[nLlIis]|--max-(args|lines|chars)|--replace)$/;

/** Names split at blanks or newlines may be parts of names: then they are no files of the workspace for certain. */
function addedBy(options: readonly Option[], feed: Feed | undefined): Added {
  if (!feed) return { dotted: false, files: false };
  const whole = feed.nul && options.some(({ name }) => name === "-0" || name === "--null");
  // A part of a name that stands alone is not behind the dotted rest of it.
  const alone = !whole && options.some(({ name }) => ALONE.test(name));
  return { dotted: feed.dotted && !alone, files: feed.dotted && feed.files && whole };
}

/** The text that -I replaces; undefined: names are added at the end. */
function replacedBy(options: readonly Option[]): Arg | undefined {
  const option = options.findLast(({ name }) => /^(-I|-i|--replace)$/.test(name));
  return option && (option.value ?? textArg("{}"));
}

function nestedOf(
  command: readonly Arg[],
  { replaced, added }: { replaced: Arg | undefined; added: Added },
): Nested | string {
  if (!replaced) return { words: command, added };
  const text = literal(replaced);
  if (text === undefined || text === "") return "-I with a text that is only known when it runs";
  const known = command.map((word) => literal(word));
  // A word known only when it runs might hold the text as well.
  if (known.includes(undefined)) return "-I with words that are only known when it runs";
  const holding = known.filter((word) => word?.includes(text)).length;
  if (known[0]?.includes(text) === true) return "a program that is only known when it runs";
  if (holding === 1 && known.at(-1) === text) return { words: command.slice(0, -1), added };
  return { words: command.map((word) => substituted(word, text)) };
}

function substituted(word: Arg, replaced: string): Arg {
  const text = literal(word) ?? "";
  const at = text.indexOf(replaced);
  return at < 0 ? word : { kind: "unknown", start: text.slice(0, at), single: true };
}

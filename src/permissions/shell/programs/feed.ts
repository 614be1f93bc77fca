// What a command in front of a pipe hands to xargs, as far as it can be proved from its words.
import { parseOptions, type OptionTable } from "../options.ts";
import type { Arg, Call, Feed } from "../types.ts";
import { literal } from "../types.ts";
import { isDotted, readFind } from "./find-words.ts";

const NOTHING_KNOWN: Feed = { dotted: false, files: false, nul: false };

/** Undefined: nothing is known. `call.feed`: what comes into the command by a pipe of its own. */
export function feedOf(call: Call): Feed | undefined {
  switch (call.name) {
    case "find":
    case "gfind":
      return findFeed(call.args);
    case "echo":
      return echoFeed(call.args);
    case "printf":
      return printfFeed(call.args);
    case "ls":
      return lsFeed(call.args);
    case "grep":
    case "egrep":
    case "fgrep":
      return grepFeed(call.args) ?? filterFeed(call);
    case "rg":
      return rgFeed(call.args);
    default:
      return filterFeed(call);
  }
}

function findFeed(args: readonly Arg[]): Feed | undefined {
  const find = readFind(args);
  const { problem, commands, writes, deletes, prints } = find;
  if (problem !== undefined || commands.length > 0 || writes.length > 0 || deletes) return undefined;
  if (prints.some(({ how }) => how === "other")) return undefined;
  const nul = prints.length > 0 && prints.every(({ how }) => how === "print0");
  const files = prints.length > 0 ? prints.every((print) => print.files) : find.onlyFiles;
  return { dotted: isDotted(find.starts), files, nul };
}

/** Words that xargs takes as they are: no quotes, no blanks, no option. */
function isPlainWords(args: readonly Arg[]): boolean {
  return args.every((arg) => {
    const texts = arg.kind === "oneof" ? arg.texts : [literal(arg) ?? ""];
    return texts.every((text) => /^[\w./][\w./@%+,:=-]*$/.test(text));
  });
}

function echoFeed(args: readonly Arg[]): Feed | undefined {
  const words = literals(args);
  if (!isPlainWords(args)) {
    const text = words?.filter((word) => !/^-[neE]+$/.test(word)).join(" ");
    return text === undefined ? undefined : { ...NOTHING_KNOWN, text };
  }
  return { ...NOTHING_KNOWN, dotted: true, ...(words && words.length > 0 ? { lines: [words.join(" ")] } : {}) };
}

function literals(args: readonly Arg[]): string[] | undefined {
  const words = args.flatMap((arg) => literal(arg) ?? []);
  return words.length === args.length ? words : undefined;
}

function printfFeed(args: readonly Arg[]): Feed | undefined {
  return printfWords(args) ?? { ...NOTHING_KNOWN, text: args.flatMap((arg) => literal(arg) ?? []).join("\n") };
}

function printfWords([format, ...words]: readonly Arg[]): Feed | undefined {
  const ending = /^%s\\(n|0|x00)$/.exec(literal(format) ?? "")?.[1];
  if (ending === undefined || !isPlainWords(words)) return undefined;
  const lines = literals(words);
  return { ...NOTHING_KNOWN, dotted: true, nul: ending !== "n", ...(lines && lines.length > 0 ? { lines } : {}) };
}

/** `ls -d src/*` prints its operands; without -d a folder among them would be listed by bare names. */
function lsFeed(args: readonly Arg[]): Feed | undefined {
  const parsed = parseOptions(args, { flags: "d1artS" });
  if ("problem" in parsed || !parsed.options.some(({ name }) => name === "-d")) return undefined;
  return parsed.operands.length > 0 && isDotted(parsed.operands) ? { ...NOTHING_KNOWN, dotted: true } : undefined;
}

const GREP: OptionTable = {
  flags: "rRlLiwxEFPnHsvZI",
  values: "emABC",
  long: "recursive files-with-matches files-without-match ignore-case word-regexp extended-regexp fixed-strings perl-regexp null include= exclude= exclude-dir= max-count= color=? regexp=",
};

/** `grep -rl PATTERN FOLDER...` prints names that begin with the folder. */
const grepFeed = listing(GREP, { lists: ["-l", "-L", "--files-with-matches", "--files-without-match"], nul: "-Z" });

const RG: OptionTable = {
  flags: "lisSwxFPnNuH0vU",
  values: "egtTmd",
  long: "files files-with-matches files-without-match hidden no-ignore ignore-case smart-case word-regexp fixed-strings null glob= iglob= type= type-not= regexp= max-depth= max-count= color= sort=",
};

const rgFeed = listing(RG, { lists: ["--files", "-l", "--files-with-matches", "--files-without-match"], nul: "-0" });

/** `lists`: options that make it print names and nothing else; without a pattern of its own the first operand is one. */
function listing(table: OptionTable, { lists, nul }: { lists: readonly string[]; nul: string }) {
  return (args: readonly Arg[]): Feed | undefined => {
    const parsed = parseOptions(args, table);
    if ("problem" in parsed) return undefined;
    const has = (...names: string[]) => parsed.options.some(({ name }) => names.includes(name));
    if (!has(...lists)) return undefined;
    const folders = has("--files", "-e", "--regexp") ? parsed.operands : parsed.operands.slice(1);
    if (folders.length === 0 || !isDotted(folders)) return undefined;
    return { ...NOTHING_KNOWN, dotted: true, nul: has(nul, "--null") };
  };
}

/** Programs that hand on whole lines of what comes in, and how: no option that changes or cuts a line. */
const FILTERS: ReadonlyMap<string, { table: OptionTable; operands: number }> = new Map([
  ["sort", { table: { flags: "rufnVz", values: "k" }, operands: 0 }],
  ["uniq", { table: { flags: "duiz" }, operands: 0 }],
  ["head", { table: { flags: "z", values: "n", number: true, long: "lines=" }, operands: 0 }],
  ["tail", { table: { flags: "z", values: "n", number: true, long: "lines=" }, operands: 0 }],
  ["grep", { table: { flags: "viEFPwxz", values: "e", long: "invert-match" }, operands: 1 }],
  ["shuf", { table: { flags: "z", values: "n" }, operands: 0 }],
  ["cat", { table: {}, operands: 0 }],
]);

function filterFeed({ name, args, feed }: Call): Feed | undefined {
  const filter = FILTERS.get(name);
  if (!filter || !feed) return undefined;
  const parsed = parseOptions(args, filter.table);
  if ("problem" in parsed) return undefined;
  const has = (option: string) => parsed.options.some((one) => one.name === option);
  const operands = has("-e") ? 0 : filter.operands;
  if (parsed.operands.length !== operands) return undefined;
  if (!parsed.operands.every((arg) => arg.kind !== "glob" && (arg.kind !== "unknown" || arg.single))) return undefined;
  // Names between NUL are one long line to a filter that is not told so; blanks in names are as before.
  if (feed.nul !== has("-z") && name !== "cat") return undefined;
  // Some of them, or in another order.
  const { lines: _, text, ...rest } = feed;
  return name === "cat" && text !== undefined ? { ...rest, text } : rest;
}

// Programs that sort, cut, join, count or print text.
import type { ProgramSpec } from "../options.ts";
import type { Arg, Program } from "../types.ts";
import { literal } from "../types.ts";
import { careful, entries, has, withHelp } from "./entries.ts";

// -T writes elsewhere, --compress-program runs a program, --files0-from and --random-source read files.
const SORT: ProgramSpec = {
  flags: "bcCdfghiMmnrRsuVz",
  values: "ktSo",
  writes: ["-o", "--output"],
  long: `output= ignore-leading-blanks dictionary-order ignore-case general-numeric-sort ignore-nonprinting month-sort
    human-numeric-sort numeric-sort random-sort reverse sort= version-sort batch-size= check=? debug key= merge stable
    buffer-size= field-separator= parallel= unique zero-terminated`,
  operands: "content",
};

/** A second operand is written, to BSD also one with a dash: options end at the first. */
const UNIQ: ProgramSpec = {
  strict: true,
  flags: "cdDiuz",
  values: "fsw",
  number: true,
  long: `count repeated all-repeated=? skip-fields= group=? ignore-case skip-chars= unique zero-terminated check-chars=`,
  operands: "content",
  most: 1,
};

// -o writes, --random-source reads a file; with -e the operands are the lines.
const SHUF: ProgramSpec = {
  flags: "rz",
  values: "in",
  long: "input-range= head-count= repeat zero-terminated",
  operands: "content",
};
const shufFiles = careful(withHelp({ ...SHUF, most: 1 }));
const shufWords = careful({
  ...SHUF,
  flags: "erz",
  long: `${SHUF.long} echo`,
  operands: "text",
  refuse: (parsed) => (has(parsed, "-e", "--echo") ? undefined : "without -e"),
});

const shuf: Program = (call) => {
  const words = shufWords(call);
  return words.effect === "read" ? words : shufFiles(call);
};

const PR: ProgramSpec = {
  flags: "abcdFfJmrTtv",
  values: "DhlNowW",
  attached: "einsS",
  number: true,
  long: `pages= columns= across show-control-chars double-space date-format= expand-tabs=? form-feed header=
    output-tabs=? join-lines length= merge number-lines=? first-line-number= indent= no-file-warnings separator=?
    sep-string=? omit-header omit-pagination show-nonprinting width= page-width=`,
  operands: "content",
};

// -o writes.
const ICONV: ProgramSpec = {
  flags: "cls",
  values: "ft",
  long: "from-code= to-code= list silent verbose",
  operands: "content",
  refuse: ({ options }) =>
    options.every(({ value }) => value === undefined || CHARSET.test(literal(value) ?? "/"))
      ? undefined
      : "a character set with a slash is a file",
};
const CHARSET = /^[\w.:()+-]*(\/\/(TRANSLIT|IGNORE)?)*$/;

/** -v assigns a variable, and so does %n in the format. */
const PRINTF: ProgramSpec = {
  strict: true,
  operands: "text",
  refuse: ({ operands: [format, ...rest] }) => {
    const text = literal(format);
    if (rest.some((arg) => /\[.*[$`]/s.test(literal(arg) ?? ""))) return "an index that some shells evaluate";
    if (text === undefined) return rest.length > 0 ? "its format is only known when it runs" : undefined;
    return /%[^%A-Za-z(]*[hlLjzt]*n/.test(text.replaceAll("%%", "")) ? "%n assigns a variable" : undefined;
  },
};

const MOST_SECONDS = 120;
const SECONDS: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3600, d: 86400 };

const SLEEP: ProgramSpec = {
  operands: "text",
  refuse: ({ operands }) => {
    const total = operands.map(secondsOf).reduce((sum, seconds) => sum + seconds, 0);
    return operands.length > 0 && total <= MOST_SECONDS ? undefined : "how long it waits is not known, or too long";
  },
};

function secondsOf(arg: Arg): number {
  const [, number, unit] = /^(\d+|\d*\.\d+)([smhd]?)$/.exec(literal(arg) ?? "") ?? [];
  return number === undefined ? Infinity : Number(number) * (SECONDS[unit ?? ""] ?? Infinity);
}

const SEQ: ProgramSpec = {
  loose: true,
  operands: "text",
  refuse: ({ operands }) => (operands.some((arg) => /i|nan/i.test(literal(arg) ?? "")) ? "it never ends" : undefined),
};

const PRINT: ProgramSpec = { loose: true, operands: "content" };
const TEXT: ProgramSpec = { loose: true, operands: "text" };

// -o writes; -S and -D lead to sources elsewhere.
// The name of a compressed file becomes a part of a command for the shell.
const DIFFSTAT: ProgramSpec = {
  flags: "bcCdEhklmqRstuv",
  values: "nNpwfr",
  operands: "content",
  refuse: ({ operands }) =>
    operands.every((arg) => /^[\w./-]+$/.test(literal(arg) ?? ""))
      ? undefined
      : "a name that a shell could take for more",
};

// -l and -t are for pagers and terminals.
const WDIFF: ProgramSpec = {
  flags: "123insC",
  values: "wxyz",
  long: `no-deleted no-inserted no-common ignore-case statistics start-delete= end-delete= start-insert= end-insert=
    copyright`,
  operands: "content",
};

// bc has no command that writes or runs anything, unlike dc.
const BC: ProgramSpec = {
  flags: "hilqsvw",
  long: "interactive mathlib quiet standard warn version help",
  operands: "content",
};

/** sort, uniq, cut, tr, printf, seq and their like. */
export const TEXT_PROGRAMS = new Map([
  ["printf", { judge: careful(withHelp(PRINTF)), appendable: printfNeeds }],
  ...entries(
    ["sort gsort", SORT],
    ["uniq", UNIQ],
    [
      "cut",
      { ...PRINT, flags: "szn", values: "bcdfF", long: "bytes= characters= delimiter= fields= output-delimiter=" },
      "files",
    ],
    ["paste", { ...PRINT, flags: "sz", values: "d", long: "delimiters=" }],
    ["join", { ...PRINT, flags: "iz", values: "12aejotv" }],
    [
      "column",
      { ...PRINT, values: "scoNHRTOWCrpilE", long: "separator= output-separator= table-columns= output-width=" },
    ],
    ["fold", { ...PRINT, flags: "bsc", values: "w", long: "width=" }, "files"],
    ["fmt", { ...PRINT, flags: "cstu", values: "wgp", long: "width= goal=" }, "files"],
    ["expand unexpand", { ...PRINT, flags: "ia", values: "t", long: "tabs=" }, "files"],
    ["pr", PR],
    ["tsort", { operands: "content", most: 1 }],
    ["shuf", shuf],
    ["iconv", ICONV],
    ["diffstat", DIFFSTAT],
    ["wdiff", WDIFF],
    ["tr colrm factor numfmt expr", TEXT],
    ["seq", SEQ],
    ["bc", BC],
    ["echo", TEXT, "any"],
    ["true false :", TEXT, "any"],
    ["pathchk", TEXT],
    ["sleep", SLEEP],
  ),
]);

/** What follows a format that is known is only printed. */
function printfNeeds([format]: readonly Arg[]): "any" | undefined {
  return /^[^-]/.test(literal(format) ?? "-") ? "any" : undefined;
}

// Programs that look for text in files, for files, or for programs.
import { hasOption, parseOptions, type Parsed, type ProgramSpec } from "../options.ts";
import type { Arg, Nested, Program, Use } from "../types.ts";
import { below, literal, textArg } from "../types.ts";
import { careful, entries, has } from "./entries.ts";
import { RG_LONG, RG_VALUES } from "./search-rg.ts";

// -R follows links, as BSD's -S does.
const GREP: ProgramSpec = {
  flags: "EFGPivwxcLloqsbHhnTaIUyZzrR",
  values: "efmABCdD",
  number: true,
  long: `extended-regexp fixed-strings basic-regexp perl-regexp regexp= file= ignore-case no-ignore-case word-regexp
    line-regexp null-data no-messages invert-match max-count= byte-offset line-number line-buffered with-filename
    no-filename label= only-matching quiet silent binary-files= text directories= devices= recursive include= exclude=
    exclude-from= exclude-dir= files-without-match files-with-matches count initial-tab null color=? colour=? group-separator= no-group-separator
    after-context= before-context= context=? binary dereference-recursive version help`,
  operands: ["text", "content"],
  noFirst: ["-e", "--regexp", "-f", "--file"],
  reads: ["-f", "--file", "--exclude-from"],
  recursive: ["-r", "--recursive"],
  follows: ["-R", "--dereference-recursive"],
  refuse: ({ options }) =>
    options.some(({ name, value }) => /^(-d|--directories)$/.test(name) && !/^(skip|read)$/.test(literal(value) ?? ""))
      ? "-d recurse is not looked into"
      : undefined,
};

const RECURSIVE_GREP = ["-r", "--recursive", "-R", "--dereference-recursive"];
const NAMES_ONLY = ["-l", "-L", "-c", "-q", "--files-with-matches", "--files-without-match", "--count", "--quiet"];

const grep = aroundHere(GREP, {
  dashes: ["-e", "--regexp"],
  looksHere: (parsed) => has(parsed, ...RECURSIVE_GREP),
});

// --pre, --hostname-bin and -z run programs. A file of rules is shown when a line of it is wrong.
const RG: ProgramSpec = {
  flags: "FiSswvxclonNHIbpPqUau0.hVL",
  values: RG_VALUES,
  long: RG_LONG,
  operands: ["text", "content"],
  noFirst: ["-e", "--regexp", "-f", "--file", "--files", "--type-list"],
  reads: ["-f", "--file", "--ignore-file"],
  recursive: true,
  follows: ["-L", "--follow"],
};

const ASKS_RG = ["--type-list", "--version", "--help", "-V", "-h", "--pcre2-version"];
const rgFiles = aroundHere(RG, {
  dashes: ["-e", "--regexp", "-r", "--replace", "-g", "--glob", "--iglob"],
  looksHere: (parsed) => !has(parsed, ...ASKS_RG),
});

/** It shows lines of ignore files that are no patterns; such a file may be a link that leads anywhere. */
const rg: Program = (call) => {
  const judged = rgFiles(call);
  const rules = judged.reads.filter(({ recursive }) => recursive === true).flatMap(({ arg }) => ignoreFiles(arg));
  return { ...judged, reads: [...judged.reads, ...rules.map((arg): Use => ({ arg, what: "content" }))] };
};

/** Beside what is searched, and in the folders on the way to it. */
function ignoreFiles(arg: Arg): Arg[] {
  const names = [".ignore", ".rgignore", ".gitignore"];
  if (arg.kind === "oneof") return arg.texts.flatMap((text) => ignoreFiles(textArg(text)));
  if (arg.kind === "unknown") return [];
  if (arg.kind === "glob") return names.map((name) => below(arg, `/${name}`));
  const steps = arg.text.split("/");
  const folders = steps.map((_, i) => steps.slice(0, i + 1).join("/"));
  return ["", ...folders.filter((folder) => folder !== "" && folder !== ".").map((folder) => `${folder}/`)].flatMap(
    (folder) => names.map((name) => textArg(folder + name)),
  );
}

// --pager runs a program, -z unpacks, -f follows links, -p reads a file of rules.
const AG: ProgramSpec = {
  flags: "acFHhilLnoQrRsStuUvVw0",
  values: "ABCGgmW",
  long: `ackmate after=? before=? context=? color nocolor column count nofilename filename case-sensitive depth=
    files-with-matches files-without-matches fixed-strings group nogroup heading noheading hidden ignore= ignore-case
    literal max-count= nobreak break norecurse nonumbers numbers only-matching print-long-lines passthrough silent
    smart-case stats unrestricted vimgrep word-regexp nomultiline all-text all-types list-file-types version help`,
  operands: ["text", "content"],
  noFirst: ["-g"],
  recursive: true,
  // The number may be left out, and then the word is the pattern.
  refuse: ({ options }) =>
    options.every(({ name, value }) => !/^-[ABC]$/.test(name) || /^\d+$/.test(literal(value) ?? ""))
      ? undefined
      : "a number of lines that is none",
};
const ag = aroundHere(AG, { looksHere: (parsed) => !has(parsed, "--list-file-types", "--version", "--help") });

// -x and -X run programs, -l runs ls, -C goes elsewhere, --ignore-file reads a file.
const FD: ProgramSpec = {
  flags: "HIusigFap01qhVL",
  values: "teEdSoc",
  attached: "j",
  long: `hidden no-hidden no-ignore ignore no-ignore-vcs ignore-vcs no-ignore-parent no-global-ignore-file
    no-require-git unrestricted case-sensitive ignore-case glob regex fixed-strings and= absolute-path relative-path
    full-path print0 max-depth= min-depth= exact-depth= maxdepth= prune type= extension= exclude= size= changed-within=
    changed-before= change-newer-than= change-older-than= newer= older= owner= color= hyperlink=? threads= max-results= quiet
    has-results show-errors search-path= path-separator= strip-cwd-prefix=? one-file-system format= no-follow follow version help`,
  operands: ["text", "names"],
  recursive: true,
  follows: ["-L", "--follow"],
};

const fd = aroundHere(FD, { looksHere: (parsed) => !has(parsed, "--search-path"), what: "names" });

/** --search-path is where it looks as well. */
const fdWithPaths: Program = (call) => {
  const judged = fd(call);
  const parsed = parseOptions(call.args, FD);
  if ("problem" in parsed) return { ...judged, nested: commandsOf(call.args) };
  const follows = has(parsed, "-L", "--follow");
  const paths = parsed.options.flatMap(({ name, value }) => (name === "--search-path" && value ? [value] : []));
  return {
    ...judged,
    reads: [...judged.reads, ...paths.map((arg): Use => ({ arg, what: "names", recursive: true, follows }))],
  };
};

/** What -x and -X run, with names that it finds. */
function commandsOf(args: readonly Arg[]): Nested[] {
  const at = args.findIndex((arg) => /^(?:-\w*[xX]|--exec(?:-batch)?)$/.test(literal(arg) ?? ""));
  return at < 0 ? [] : [{ words: args.slice(at + 1), added: { dotted: false, files: false } }];
}

type Around = {
  /** Whether it searches the working directory when no paths are given. */
  looksHere: (parsed: Parsed) => boolean;
  what?: Use["what"];
  dashes?: readonly string[];
};

function aroundHere(spec: ProgramSpec, { looksHere, what = "content", dashes = [] }: Around): Program {
  const judge = careful(spec, dashes);
  const { noFirst = [], follows = [] } = spec;
  return (call) => {
    const judged = judge(call);
    const parsed = parseOptions(call.args, spec);
    if ("problem" in parsed) return judged;
    const patterns = hasOption(parsed.options, noFirst) ? 0 : 1;
    if (parsed.operands.length > patterns || !looksHere(parsed)) return judged;
    const here: Use = { arg: textArg("."), what, recursive: true, follows: hasOption(parsed.options, follows) };
    return { ...judged, reads: [...judged.reads, here] };
  };
}

/** Names of files with matches may be any; lines of them have to be of the workspace. */
function grepNeeds(args: readonly Arg[]): "dotted" | "files" | undefined {
  const parsed = parseOptions(args, GREP);
  if ("problem" in parsed || has(parsed, ...RECURSIVE_GREP)) return undefined;
  return has(parsed, ...NAMES_ONLY) ? "dotted" : "files";
}

const NAMES: ProgramSpec = { operands: "text" };

/** grep, rg, ag, fd, which, type, whereis. */
export const SEARCH_PROGRAMS = new Map([
  ...entries(["rg", rg], ["ag", ag], ["fd fdfind", fdWithPaths]),
  ...["grep", "egrep", "fgrep", "ggrep"].map((name) => [name, { judge: grep, appendable: grepNeeds }] as const),
  ...entries(
    ["which", { ...NAMES, flags: "as", long: "all" }],
    ["type", { ...NAMES, flags: "afpPt" }],
    ["whereis", { ...NAMES, flags: "bmsulaq" }],
  ),
]);

// Programs that list files and folders, print what is in a file, or compare files.
import { parseOptions, type ProgramSpec } from "../options.ts";
import type { Arg, Program, Use } from "../types.ts";
import { asPattern, below, literal, textArg } from "../types.ts";
import { careful, entries, has, unless, withHelp } from "./entries.ts";
import type { Entry } from "./entry.ts";

const LIST: ProgramSpec = {
  loose: true,
  long: "ignore= hide= block-size= width= tabsize=",
  operands: "names",
  here: true,
  recursive: ["-R", "--recursive"],
};

// -o writes; -R runs tree again with -o; --fromfile and --info print what is in files.
const TREE: ProgramSpec = {
  flags: "adfxpsuhgDFqNQvtcUriASnCXJl",
  values: "LPI",
  long: `noreport dirsfirst filesfirst prune matchdirs ignore-case du si gitignore device inodes metafirst filelimit=
    charset= sort=? timefmt= fflinks nolinks`,
  operands: "names",
  here: true,
  recursive: true,
  follows: ["-l"],
};

/** tree takes a value from the next word even in the middle of a cluster, and more than one: `-LI 2 pattern`. */
function treeCluster(args: readonly Arg[]): string | undefined {
  const odd = args
    .map(literal)
    .find((text) => /^-[^-]*[LPI]./.test(text ?? "") && !/^-[a-zA-Z]*L\d+$/.test(text ?? ""));
  return odd && `${odd} is read in a way of its own`;
}

// -C writes a compiled list, -f and -m print lines of what they read, -z runs programs, -p sets a time back, -s opens
// devices.
const FILE: ProgramSpec = {
  flags: "bcdEhikIlLnNrv0",
  values: "eFP",
  long: `apple brief checking-printout dereference no-dereference extension exclude= exclude-quiet= keep-going list mime
    mime-type mime-encoding no-buffer no-pad print0 raw separator= parameter= no-sandbox debug`,
  operands: "content",
};

// -X and --files0-from read lists of names.
const DU: ProgramSpec = {
  flags: "0aAbcgHhklmPrSsxDL",
  values: "dBtI",
  long: `null all apparent-size block-size= bytes total max-depth= human-readable inodes count-links separate-dirs si
    summarize threshold= time=? time-style= exclude= one-file-system no-dereference dereference dereference-args`,
  operands: "names",
  here: true,
  recursive: true,
  follows: ["-L", "--dereference"],
};

// --sync writes what is waiting.
const DF: ProgramSpec = {
  flags: "abgHhiklmnPTY",
  values: "tBx",
  long: `all block-size= human-readable si inodes local no-sync output=? portability type= exclude-type= print-type
    total`,
  // Of the disk a path is on, not of what is there.
  operands: "text",
};

const PRINT: ProgramSpec = { loose: true, operands: "content" };

// In older forms (-5c, -lc) letters take no value, and the next word is a file.
const HEAD: ProgramSpec = {
  flags: "qvz",
  values: "nc",
  number: true,
  long: "lines= bytes= quiet silent verbose zero-terminated",
  operands: "content",
};

/** `-n -1`: always with a value. */
const COUNTS = ["-n", "-c", "--lines", "--bytes"];

/** Following a file never ends. */
const TAIL: ProgramSpec = {
  ...HEAD,
  flags: "qvzr",
  values: "ncs",
  long: "lines= bytes= quiet silent verbose zero-terminated sleep-interval= pid=",
  refuse: ({ operands }) =>
    operands.some((arg) => /^\+\d*[bcl]?f$/.test(literal(arg) ?? "")) ? "it would follow the file for ever" : undefined,
};

// --files0-from reads a list of names and prints those that are not there.
const WC: ProgramSpec = {
  flags: "lwcmLl",
  long: "lines words chars bytes max-line-length total=",
  operands: "content",
};

const CHECKSUM: ProgramSpec = {
  flags: "bctzqrpwU0",
  values: "la",
  long: `binary check tag text zero ignore-missing quiet status strict warn length= algorithm= untagged base64 raw
    debug UNIVERSAL`,
  operands: "content",
};

// macOS: -o writes; -i takes a file there and nothing elsewhere, so the word after it counts as a file.
const BASE64: ProgramSpec = {
  flags: "dDi",
  values: "wb",
  long: `decode ignore-garbage wrap= break= base64 base64url base32 base32hex base16 base2msbf base2lsbf z85 base58`,
  operands: "content",
};

// --pager runs a program, `cache` writes one, --diff asks another repository. What goes to a pipe is not paged unless asked.
const BAT: ProgramSpec = {
  flags: "ApnPufsS",
  values: "lrHm",
  long: `show-all plain language= highlight-line= file-name= tabs= wrap= terminal-width= number color= italic-text=
    decorations= force-colorization paging= theme= list-themes squeeze-blank squeeze-limit= style= line-range=
    list-languages unbuffered chop-long-lines nonprintable-notation= binary= strip-ansi= no-config`,
  operands: "content",
  refuse: ({ options, operands }) => {
    if (operands.some((arg) => literal(arg) === "cache" || arg.kind === "oneof")) return "bat cache writes files";
    const paging = options.filter(({ name }) => name === "--paging");
    return paging.every(({ value }) => literal(value) === "never") ? undefined : "a pager is a program that runs";
  },
};

const CMP: ProgramSpec = {
  flags: "bhlsxz",
  values: "in",
  long: "print-bytes ignore-initial= verbose bytes= quiet silent",
  operands: "content",
};

// -l runs pr; -X reads a file.
const DIFF: ProgramSpec = {
  flags: "abBcdeEfiNnpPqrsTtuwyZ",
  values: "UCIxFLWDS",
  number: true,
  long: `normal brief report-identical-files context=? unified=? ed rcs side-by-side width= left-column
    suppress-common-lines show-c-function show-function-line= label= expand-tabs initial-tab tabsize=
    suppress-blank-empty recursive no-dereference new-file unidirectional-new-file ignore-file-name-case
    no-ignore-file-name-case exclude= starting-file= ignore-case ignore-tab-expansion
    ignore-trailing-space ignore-space-change ignore-all-space ignore-blank-lines ignore-matching-lines= text
    strip-trailing-cr ifdef= old-group-format= new-group-format= unchanged-group-format= changed-group-format=
    line-format= old-line-format= new-line-format= unchanged-line-format= minimal horizon-lines= speed-large-files
    color=? palette= from-file= to-file=`,
  operands: "content",
  reads: ["--from-file", "--to-file"],
  recursive: ["-r", "--recursive"],
};

/** Of two folders the files in them are compared, links followed: those count as operands. */
function compared(spec: ProgramSpec): Program {
  const known = withHelp(spec);
  const judge = careful(known);
  return (call) => {
    const judged = judge(call);
    const parsed = parseOptions(call.args, known);
    const isDeep = !("problem" in parsed) && has(parsed, "-r", "--recursive");
    if (!isDeep) return { ...judged, reads: judged.reads.flatMap(withContents) };
    const follows = !has(parsed, "--no-dereference");
    return { ...judged, reads: judged.reads.map((use) => ({ ...use, recursive: true, follows })) };
  };
}

function withContents(use: Use): Use[] {
  const { arg } = use;
  const text = literal(arg);
  if (arg.kind === "oneof") return arg.texts.flatMap((one) => withContents({ ...use, arg: textArg(one) }));
  if (text === "-" || text === "/dev/null" || (text === undefined && arg.kind !== "glob")) return [use];
  const folder: Arg & { kind: "glob" } =
    arg.kind === "glob"
      ? { ...arg, single: false }
      : { kind: "glob", pattern: asPattern(text ?? ""), start: `${text}/`, single: false };
  return [use, ...["/*", "/.*"].map((rest): Use => ({ ...use, arg: below(folder, rest) }))];
}

// --diff-program runs a program.
const DIFF3: ProgramSpec = {
  flags: "eExX3AimaTv",
  values: "L",
  long: "ed show-overlap easy-only merge text initial-tab strip-trailing-cr label= show-all overlap-only",
  operands: "content",
};

// -o writes, --diff-program runs a program.
const SDIFF: ProgramSpec = {
  flags: "ilsbBWaEdtZH",
  values: "wI",
  long: `ignore-case ignore-space-change ignore-all-space ignore-blank-lines ignore-matching-lines= text width=
    left-column suppress-common-lines expand-tabs tabsize= minimal speed-large-files strip-trailing-cr`,
  operands: "content",
};

const COMM: ProgramSpec = {
  flags: "123iz",
  long: "check-order nocheck-order output-delimiter= total zero-terminated",
  operands: "content",
};

const TEXT: ProgramSpec = { loose: true, operands: "text" };

const DU_ENTRY: Entry = {
  judge: careful(withHelp(DU)),
  // Which links there are below names that are only known when it runs is not looked at.
  appendable: (args) => (followsLinks(args, DU, ["-L", "--dereference"]) ? undefined : "dotted"),
};

/** Long ones also where they are cut short. */
function followsLinks(args: readonly Arg[], spec: ProgramSpec, names: readonly string[]): boolean {
  const parsed = parseOptions(args, spec);
  if ("problem" in parsed || has(parsed, ...names)) return true;
  return parsed.options.some(({ name }) => /^--./.test(name) && names.some((full) => full.startsWith(name)));
}

/** Goes through folders with one of `deep`, and there through links with one of `follows`. */
function listing(follows: readonly string[], deep: readonly string[]): Program {
  const judge = careful(withHelp({ ...LIST, recursive: deep }));
  return (call) => {
    const judged = judge(call);
    const goes = followsLinks(call.args, LIST, follows) && followsLinks(call.args, LIST, deep);
    return goes ? { ...judged, reads: judged.reads.map((use) => ({ ...use, follows: true })) } : judged;
  };
}

/** pwd, ls, cat, head, wc, stat, diff and their like. */
export const FILE_PROGRAMS: ReadonlyMap<string, Entry> = new Map([
  ["du", DU_ENTRY] as const,
  ...entries(
    ["ls dir vdir", listing(["-L", "--dereference"], ["-R", "--recursive"]), "any"],
    ["eza exa", listing(["-X", "--dereference", "--follow-symlinks"], ["-R", "-T", "--recurse", "--tree"]), "any"],
    ["tree", unless(treeCluster, careful(withHelp(TREE)))],
    ["stat", { loose: true, values: "c", operands: "names" }, "any"],
    ["realpath readlink", { loose: true, operands: "names" }, "any"],
    ["basename dirname", { ...TEXT, values: "s" }, "any"],
    ["pwd", TEXT],
    ["namei getfacl lsattr", { flags: "acdeflmnoprtvxR", operands: "names" }],
    ["mountpoint", { flags: "dqx", operands: "names" }],
    // Any of its options could be one word of a name (-C writes), so the names have to be whole.
    ["file", FILE, "files"],
    ["df", DF, "dotted"],
    ["cat rev", PRINT, "files"],
    ["tac", { ...PRINT, values: "s", long: "separator=" }, "files"],
    ["nl", { ...PRINT, values: "bdfhilnsvw" }, "files"],
    ["head", careful(withHelp(HEAD), COUNTS), "files"],
    ["tail", careful(withHelp(TAIL), COUNTS), "files"],
    ["wc", WC, "dotted"],
    ["bat batcat", BAT, "files"],
    ["md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum shasum cksum sum", CHECKSUM, "dotted"],
    ["md5", { flags: "qrptxn", values: "s", operands: "content" }],
    ["base64 base32 basenc", BASE64, "files"],
    ["cmp", CMP],
    ["diff", compared(DIFF)],
    ["diff3", DIFF3],
    ["sdiff", compared(SDIFF)],
    ["comm", COMM],
  ),
]);

// Archives and compressed files: only the forms that list, test or print, never those that unpack or pack.
import { everything, parseOptions, program, type OptionTable, type ProgramSpec } from "../options.ts";
import type { Arg, Program, Use } from "../types.ts";
import { literal, mayBeOption, onlyReads, READS_NOTHING, textArg, unknownEffect } from "../types.ts";
import { careful, entries, has, unless, withHelp } from "./entries.ts";

const SQUEEZE: ProgramSpec = {
  flags: "cdfhkLlnNqtvV123456789",
  attached: "T",
  long: `stdout to-stdout decompress uncompress force keep list no-name name quiet test verbose fast best extreme robot
    threads= single-stream no-warn`,
  operands: "content",
  refuse: (parsed) => {
    if (parsed.operands.every((arg) => literal(arg) === "-") || has(parsed, "-c", "--stdout", "--to-stdout")) {
      return undefined;
    }
    // To xz the last of -l, -t and -d counts.
    const looks = has(parsed, "-l", "--list", "-t", "--test");
    const unpacks = has(parsed, "-d", "--decompress", "--uncompress");
    return looks && !unpacks ? undefined : "without -c, -l or -t it replaces the file";
  },
};

const SQUEEZE_TO_STDOUT: ProgramSpec = { ...SQUEEZE, refuse: () => undefined };

/** When a name is not there they try it with these endings. */
const GZIP_ENDINGS = [".gz", "-gz", ".z", "-z", "_z", ".Z"];

function alsoEndingIn(endings: readonly string[], judge: Program): Program {
  return (call) => {
    const judged = judge(call);
    return { ...judged, reads: judged.reads.flatMap((use) => [use, ...endings.flatMap((end) => ended(use, end))]) };
  };
}

function ended(use: Use, end: string): Use[] {
  const text = literal(use.arg);
  return text === undefined || text === "-" ? [] : [{ ...use, arg: textArg(text + end) }];
}

// --checkpoint-action, --to-command, -I, --rmt-command run programs; -C and -T lead elsewhere.
const TAR: OptionTable = {
  flags: "tvzjJaxOR",
  values: "f",
  long: `list verbose gzip gunzip ungzip bzip2 xz zstd lzip lzma auto-compress extract get to-stdout file= wildcards
    no-wildcards exclude= full-time numeric-owner utc totals show-defaults version help quoting-style= strip-components=
    block-number force-local anchored no-anchored ignore-case`,
};

const tar: Program = ({ name, args }) => {
  const parsed = parseOptions(dashed(args), TAR);
  if ("problem" in parsed) return unknownEffect(`${name}: ${parsed.problem}`, { reads: everything(args) });
  const archives = parsed.options.filter((option) => option.name === "-f" || option.name === "--file");
  const reads = archives.flatMap(({ value }): Use[] => (value ? [{ arg: value, what: "content" }] : []));
  if (has(parsed, "--version", "--help", "--show-defaults")) return READS_NOTHING;
  const lists = has(parsed, "-t", "--list");
  const extracts = has(parsed, "-x", "--extract", "--get");
  if (lists === extracts || (extracts && !has(parsed, "-O", "--to-stdout"))) {
    return unknownEffect(`${name}: only listing (t) and printing (xO) are known to only read`, { reads });
  }
  // Without -f it reads a tape; `host:file` is fetched by a remote shell.
  const [archive, ...more] = reads;
  if (!archive || more.length > 0 || mayBeRemote(archive.arg) || mayBeOption(archive.arg)) {
    return unknownEffect(`${name}: needs one archive that is surely a file here`, { reads });
  }
  return onlyReads(reads.filter(({ arg }) => literal(arg) !== "-"));
};

/** `tfv x.tar`: a first word without a dash holds options all the same, whose values follow as words. */
function dashed(args: readonly Arg[]): readonly Arg[] {
  const first = literal(args[0]);
  if (first === undefined || first.startsWith("-")) return args;
  const letters = first.replace("f", "");
  return [textArg(`-${letters}${letters === first ? "" : "f"}`), ...args.slice(1)];
}

function mayBeRemote(arg: Arg): boolean {
  if (arg.kind === "text") return /^[^/]*:/.test(arg.text);
  return arg.kind === "oneof" ? arg.texts.some((text) => /^[^/]*:/.test(text)) : !/^[^:]*\//.test(arg.start);
}

// -M is a pager.
const ZIPINFO: ProgramSpec = { flags: "12smlvhtTzC", operands: "content" };

const unzip: Program = (call) => {
  const first = literal(call.args[0]) ?? "";
  if (/^-Z[12smlvhtTzC]*$/.test(first)) return program(ZIPINFO)({ ...call, args: call.args.slice(1) });
  if (first === "-v") return program({ flags: "", operands: "content" })({ ...call, args: call.args.slice(1) });
  return program({
    flags: "lpcztvqCaL",
    operands: "content",
    refuse: (parsed) =>
      has(parsed, "-l", "-p", "-c", "-z", "-t") ? undefined : "only -l, -t, -p, -c, -z and -v are known to only read",
  })(call);
};

/** unzip has its own idea of dashes, and patterns of its own in the name of the archive. */
function unzipOddity(args: readonly Arg[]): string | undefined {
  const archive = args.find((arg) => !literal(arg)?.startsWith("-"));
  if (args.some((arg) => literal(arg) === "--")) return "-- means something else to it";
  if (archive?.kind === "text" && /[*?[\\]/.test(archive.text)) return "a pattern it expands by itself";
  return archive?.kind === "glob" && !archive.single ? "which of the files is the archive is not known" : undefined;
}

// Without -t it unpacks; -F may name another machine.
const CPIO: ProgramSpec = {
  flags: "itvnc",
  long: "list quiet verbose numeric-uid-gid",
  operands: "text",
  refuse: (parsed) => (has(parsed, "-t", "--list") ? undefined : "without -t it writes files"),
};

const gzip = alsoEndingIn(GZIP_ENDINGS, careful(withHelp(SQUEEZE)));
const zcat = alsoEndingIn(GZIP_ENDINGS, careful(withHelp(SQUEEZE_TO_STDOUT)));

/** gzip -l, zcat, tar -t, unzip -l and their like. */
export const ARCHIVE_PROGRAMS = entries(
  ["gzip gunzip", gzip],
  ["zcat gzcat", zcat, "files"],
  ["xz unxz lzma unlzma bzip2 bunzip2 zstd unzstd", SQUEEZE],
  ["xzcat lzcat bzcat zstdcat", SQUEEZE_TO_STDOUT, "files"],
  ["tar bsdtar gtar", tar],
  ["unzip", unless(unzipOddity, alsoEndingIn([".zip", ".ZIP"], unzip))],
  ["zipinfo", unless(unzipOddity, alsoEndingIn([".zip", ".ZIP"], program(ZIPINFO)))],
  ["cpio", CPIO],
);

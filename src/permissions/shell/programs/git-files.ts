// git's commands that look at files, the index and single objects.
import type { ProgramSpec } from "../options.ts";
import type { Program } from "../types.ts";
import { literal, textArg } from "../types.ts";
import { has } from "./entries.ts";
import { commands, gitCommand, verbs } from "./git-kit.ts";

// -v shows what is to be committed.
const STATUS: ProgramSpec = {
  flags: "sbvz",
  attached: "uM",
  long: `short branch show-stash porcelain=? long verbose untracked-files=? ignored=? null column=? no-column ahead-behind
    no-ahead-behind renames no-renames find-renames=? ignore-submodules=?`,
  operands: "names",
};

// -S reads a file of revisions, --textconv runs programs.
const BLAME: ProgramSpec = {
  flags: "bcltfnsewpk",
  values: "L",
  attached: "MC",
  long: `root show-stats incremental porcelain line-porcelain show-name show-number show-email date= since= abbrev=?
    color-lines color-by-age minimal ignore-rev= ignore-revs-file= contents= first-parent encoding= no-progress progress
    reverse no-abbrev`,
  operands: "content",
  reads: ["--ignore-revs-file", "--contents"],
};

// -O runs a program, --no-index reads anywhere, --textconv runs programs, --recurse-submodules asks other repositories.
const GREP: ProgramSpec = {
  flags: "aiIwvhHEFGPlLcnopqWzr",
  values: "efABCm",
  number: true,
  long: `cached untracked no-exclude-standard exclude-standard text ignore-case word-regexp invert-match full-name
    extended-regexp basic-regexp fixed-strings perl-regexp line-number column files-with-matches name-only
    files-without-match count color=? no-color break heading show-function context= after-context= before-context=
    function-context max-depth= max-count= only-matching quiet and or not all-match null threads= no-textconv
    no-recurse-submodules recursive no-recursive`,
  operands: ["text", "content"],
  noFirst: ["-e", "-f"],
  reads: ["-f"],
};

const judgeGrep = gitCommand(GREP);

/** Everything that is tracked, unless paths are given for certain: without `--` a word may be a revision. */
const grep: Program = (call) => {
  const judged = judgeGrep(call);
  const reads = judged.reads.map((use) => ({ ...use, recursive: true }));
  const at = call.args.findIndex((arg) => literal(arg) === "--");
  const hasPaths = at >= 0 && at < call.args.length - 1;
  return { ...judged, reads: hasPaths ? reads : [...reads, { arg: textArg("."), what: "content", recursive: true }] };
};

// -X reads a file of patterns.
const LS_FILES: ProgramSpec = {
  flags: "cdmoisukvtfz",
  values: "x",
  long: `cached deleted modified others ignored stage unmerged killed directory no-empty-directory empty-directory
    error-unmatch with-tree= full-name abbrev=? debug eol deduplicate format= resolve-undo exclude= exclude-standard
    exclude-per-directory= sparse`,
  operands: "names",
};

const LS_TREE: ProgramSpec = {
  flags: "drtlz",
  long: "name-only name-status long full-name full-tree abbrev=? object-only format=",
  operands: "names",
};

// --textconv and --filters run programs.
const CAT_FILE: ProgramSpec = {
  flags: "tsepzZ",
  long: `batch=? batch-check=? batch-all-objects buffer follow-symlinks unordered allow-unknown-type mailmap use-mailmap
    no-mailmap`,
  operands: "content",
};

// -o writes, --remote and --exec go elsewhere, --add-file reads anywhere.
const ARCHIVE: ProgramSpec = {
  flags: "lv0123456789",
  long: "format= prefix= list verbose worktree-attributes mtime=",
  operands: "content",
  // Others are made by a program the configuration names.
  refuse: ({ options }) =>
    options.every(({ name, value }) => name !== "--format" || /^(tar|zip)$/.test(literal(value) ?? ""))
      ? undefined
      : "a format other than tar and zip runs a program",
};

// -w writes the object.
const HASH_OBJECT: ProgramSpec = { values: "t", long: "stdin no-filters path= literally", operands: "content" };

const LOOKS_AT_PATCH = ["--stat", "--numstat", "--summary", "--check"];

/** With one of these and without --apply nothing is changed. */
const APPLY: ProgramSpec = {
  flags: "vRq",
  values: "p",
  long: `stat numstat summary check verbose quiet reverse directory= exclude= include= unidiff-zero recount allow-empty
    ignore-space-change ignore-whitespace`,
  operands: "content",
  refuse: (parsed) => (has(parsed, ...LOOKS_AT_PATCH) ? undefined : "it changes files"),
};

/** Only what would be removed. */
const CLEAN: ProgramSpec = {
  flags: "ndxXq",
  values: "e",
  long: "dry-run exclude= quiet",
  operands: "names",
  refuse: (parsed) => (has(parsed, "-n", "--dry-run") ? undefined : "it removes files"),
};

// --lost-found writes.
const FSCK: ProgramSpec = {
  flags: "v",
  long: `full no-full strict unreachable dangling no-dangling root tags cache no-reflogs connectivity-only name-objects
    verbose progress no-progress`,
  operands: "text",
};

export const FILE_COMMANDS = commands(
  ["status", STATUS],
  ["blame annotate", BLAME],
  ["grep", grep],
  ["ls-files", LS_FILES],
  ["ls-tree", LS_TREE],
  ["cat-file", CAT_FILE],
  ["check-ignore", { flags: "vnqz", long: "verbose non-matching quiet no-index stdin", operands: "names" }],
  ["check-attr", { flags: "az", long: "all cached stdin source=", operands: "names" }],
  ["check-mailmap", { long: "stdin", operands: "text" }],
  ["count-objects", { flags: "vH", long: "verbose human-readable", operands: "none" }],
  ["archive", ARCHIVE],
  ["hash-object", HASH_OBJECT],
  ["apply", APPLY],
  ["clean", CLEAN],
  ["fsck", FSCK],
  ["stripspace", { flags: "sc", long: "strip-comments comment-lines", operands: "none" }],
  ["column", { long: "mode= width= indent= nl= padding= raw-mode=", operands: "none" }],
  ["verify-pack", { flags: "vs", long: "verbose stat-only", operands: "names" }],
  ["patch-id", { long: "stable unstable verbatim", operands: "none" }],
  [
    "bundle",
    verbs(
      commands(["verify", { flags: "q", long: "quiet", operands: "content" }], ["list-heads", { operands: "content" }]),
    ),
  ],
  ["sparse-checkout", verbs(commands(["list", { operands: "none" }]))],
);

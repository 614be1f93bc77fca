// git's options for walking history and showing differences, and the commands that take them.
import { parseOptions, type Parsed, type ProgramSpec } from "../options.ts";
import type { Arg, Program } from "../types.ts";
import { literal } from "../types.ts";
import { has } from "./entries.ts";
import { commands, gitCommand, notReading, verbs } from "./git-kit.ts";

// Not here: --output writes, --ext-diff and --textconv run programs, -O reads a file,
// --submodule and --recurse-submodules ask another repository, --show-signature runs gpg.
// A value is only `=?` where some version of git does not take the next word.
const DIFF_LONG = `patch no-patch raw patch-with-raw patch-with-stat minimal patience histogram anchored= diff-algorithm=
  stat=? stat-width= stat-name-width= stat-count= stat-graph-width= compact-summary numstat shortstat dirstat=? cumulative
  dirstat-by-file=? summary name-only name-status color=? no-color color-moved=? no-color-moved color-moved-ws=
  no-color-moved-ws word-diff=? word-diff-regex= color-words=? renames no-renames rename-empty no-rename-empty check
  ws-error-highlight= full-index binary abbrev=? no-abbrev break-rewrites=? find-renames=? find-copies=?
  find-copies-harder irreversible-delete diff-filter= pickaxe-all pickaxe-regex find-object= relative=? no-relative text
  ignore-cr-at-eol ignore-space-at-eol ignore-space-change ignore-all-space ignore-blank-lines ignore-matching-lines=
  inter-hunk-context= function-context exit-code quiet no-ext-diff no-textconv ignore-submodules=? src-prefix= dst-prefix=
  no-prefix default-prefix line-prefix= ita-invisible-in-index ita-visible-in-index unified=? skip-to= rotate-to=
  indent-heuristic no-indent-heuristic output-indicator-new= output-indicator-old= output-indicator-context= cc
  combined-all-paths submodule=? max-depth=`;

const WALK_LONG = `max-count= skip= since= after= until= before= since-as-filter= max-age= min-age= author= committer= grep=
  grep-reflog= all-match invert-grep regexp-ignore-case basic-regexp extended-regexp fixed-strings perl-regexp
  remove-empty merges no-merges min-parents=? max-parents=? no-min-parents no-max-parents first-parent
  exclude-first-parent-only not all branches=? tags=? remotes=? glob= exclude= exclude-hidden=? reflog
  single-worktree ignore-missing bisect cherry-mark cherry-pick left-only right-only cherry walk-reflogs merge boundary
  simplify-by-decoration simplify-merges full-history dense sparse show-pulls ancestry-path=? date-order
  author-date-order topo-order reverse no-walk=? do-walk pretty=? format=? abbrev-commit no-abbrev-commit oneline
  encoding= expand-tabs=? no-expand-tabs notes=? no-notes show-notes=? standard-notes no-standard-notes relative-date
  date= parents children left-right graph no-graph show-linear-break=? count diff-merges= no-diff-merges remerge-diff
  root full-diff`;

const LOG_LONG = `${WALK_LONG} ${DIFF_LONG} follow no-follow decorate=? no-decorate decorate-refs= decorate-refs-exclude=
  clear-decorations source mailmap no-mailmap use-mailmap no-use-mailmap log-size no-show-signature`;

const DIFF_SHORT = { flags: "pusabwWzRDcmrtq0123h", values: "SGlI", attached: "UMCBX", number: true } as const;

export const LOG: ProgramSpec = {
  ...DIFF_SHORT,
  flags: `${DIFF_SHORT.flags}giEFPv`,
  values: `${DIFF_SHORT.values}nL`,
  long: LOG_LONG,
  operands: "content",
  refuse: refuseDiff,
};

/** `short` is the only way to show a submodule without asking it; a merge that is made again is stored for the time. */
function refuseDiff({ options }: { options: readonly { name: string; value?: Arg }[] }): string | undefined {
  const asks = options.some(({ name, value }) => name === "--submodule" && literal(value) !== "short");
  if (asks) return "--submodule asks another repository";
  const makes = options.some(
    ({ name, value }) => name === "--remerge-diff" || (name === "--diff-merges" && /^r|^$/.test(literal(value) ?? "")),
  );
  return makes ? "--remerge-diff writes into the repository" : undefined;
}

export const DIFF: ProgramSpec = {
  ...DIFF_SHORT,
  long: `${DIFF_LONG} cached staged merge-base base ours theirs no-index`,
  operands: "content",
  refuse: (parsed) => refuseDiff(parsed) ?? refuseUnknown(parsed),
};

/** Without an index a word that could otherwise only be the name of a commit is that of a file. */
function refuseUnknown(parsed: Parsed): string | undefined {
  const isUnknown = has(parsed, "--no-index") && parsed.operands.some(({ kind }) => kind === "unknown");
  return isUnknown ? "--no-index with names that are only known when it runs" : undefined;
}

const judgeDiff = gitCommand(DIFF);

/** Two folders without an index are compared with all that is in them. */
const diff: Program = (call) => {
  const judged = judgeDiff(call);
  if (!call.args.some((arg) => literal(arg)?.startsWith("--no-in"))) return judged;
  return { ...judged, reads: judged.reads.map((use) => ({ ...use, recursive: true })) };
};

const DIFF_PLUMBING: ProgramSpec = {
  ...LOG,
  long: `${LOG_LONG} cached merge-base base ours theirs stdin no-commit-id always`,
};

// Without --stdout it writes files; --signature-file and --to with their like are for mails.
const FORMAT_PATCH: ProgramSpec = {
  ...LOG,
  flags: `${DIFF_SHORT.flags}nNk`,
  values: DIFF_SHORT.values,
  long: `${LOG_LONG} stdout numbered no-numbered keep-subject subject-prefix= signature= no-signature zero-commit start-number=`,
  refuse: (parsed) => (has(parsed, "--stdout") ? refuseDiff(parsed) : "without --stdout it writes files"),
};

const SHORTLOG: ProgramSpec = {
  ...LOG,
  flags: `${LOG.flags}ne`,
  values: DIFF_SHORT.values,
  attached: "wMCBXU",
  long: `${LOG_LONG} numbered summary email committer group=`,
};

const REV_LIST: ProgramSpec = {
  ...LOG,
  long: `${WALK_LONG} objects objects-edge objects-edge-aggressive disk-usage=? missing=? filter= no-filter
    filter-print-omitted no-object-names object-names use-bitmap-index header unpacked indexed-objects in-commit-order
    no-commit-header commit-header timestamp bisect-all bisect-vars quiet stdin abbrev=? no-abbrev`,
  operands: "text",
};

/** `git reflog` alone shows HEAD's; a first word that is no known verb has to be clearly a name of a ref. */
const reflog: Program = (call) => {
  const first = literal(call.args[0]);
  const isRef = /^(HEAD|stash|main|master|develop|(refs|origin|upstream)\/.*|.*[@~^].*)$/.test(first ?? "");
  return isRef && !first?.startsWith("-") ? showLog(call) : reflogVerbs(call);
};

const showLog = gitCommand(LOG);

/** Options only: a word after them could be taken for a verb by some version. */
const bareReflog: Program = (call) => {
  const parsed = parseOptions(call.args, LOG);
  const hasWords = "problem" in parsed || parsed.operands.length > 0;
  return hasWords ? notReading("git reflog with these words") : showLog(call);
};

const reflogVerbs = verbs(
  commands(["show", LOG], ["list", { operands: "none" }], ["exists", { operands: "text" }]),
  bareReflog,
);

/** `git stash` alone puts work away. */
const stash = verbs(
  commands(
    ["list", LOG],
    ["show", { ...DIFF, long: `${DIFF_LONG} include-untracked only-untracked no-include-untracked`, operands: "text" }],
  ),
);

export const HISTORY_COMMANDS = commands(
  ["log whatchanged show", LOG],
  ["diff", diff],
  ["format-patch", FORMAT_PATCH],
  ["diff-tree diff-index diff-files", DIFF_PLUMBING],
  ["shortlog", SHORTLOG],
  ["rev-list", REV_LIST],
  ["range-diff", { ...LOG, long: `${LOG_LONG} creation-factor= no-dual-color left-only right-only` }],
  ["cherry", { flags: "v", long: "verbose abbrev=?", operands: "text" }],
  ["reflog", reflog],
  ["stash", stash],
);

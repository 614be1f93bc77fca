// git's commands that look at branches, tags, remotes and other names.
import type { Parsed, ProgramSpec } from "../options.ts";
import type { Program } from "../types.ts";
import { literal } from "../types.ts";
import { has } from "./entries.ts";
import { commands, gitCommand, notReading, verbs } from "./git-kit.ts";

const FILTERS =
  "contains=? no-contains=? merged=? no-merged=? points-at= sort= format= color=? no-color ignore-case omit-empty";
const FILTERING = ["--contains", "--no-contains", "--merged", "--no-merged", "--points-at"];

// An operand makes a branch, unless it is a pattern of what to list.
const BRANCH: ProgramSpec = {
  flags: "arvliq",
  long: `${FILTERS} all remotes list verbose quiet show-current abbrev=? no-abbrev column=? no-column`,
  operands: "text",
  refuse: (parsed) => {
    const { operands } = parsed;
    if (operands.length === 0 || has(parsed, "--list", ...FILTERING)) return undefined;
    // To an old git -l is another thing, but such a name makes no branch.
    const patterns = operands.every((arg) => arg.kind === "text" && /[*?]/.test(arg.text));
    return has(parsed, "-l") && patterns ? undefined : "it makes a branch";
  },
};

// An operand makes a tag, -v runs gpg.
const TAG: ProgramSpec = {
  flags: "li",
  attached: "n",
  long: `${FILTERS} list column=? no-column`,
  operands: "text",
  refuse: (parsed) =>
    parsed.operands.length === 0 || has(parsed, "-l", "-n", "--list", ...FILTERING) ? undefined : "it makes a tag",
};

const FOR_EACH_REF: ProgramSpec = {
  flags: "sp",
  long: `${FILTERS} count= shell perl python tcl exclude= stdin include-root-refs`,
  operands: "text",
};

// `remote show NAME` asks it, unless -n is given.
const REMOTE_SHOW: ProgramSpec = {
  flags: "n",
  operands: "text",
  refuse: (parsed) => (parsed.operands.length === 0 || has(parsed, "-n") ? undefined : "it asks the other machine"),
};

const remote = verbs(
  commands(["get-url", { long: "push all", operands: "text" }], ["show", REMOTE_SHOW]),
  gitCommand({ flags: "v", long: "verbose", operands: "none" }),
);

/** --parseopt runs nothing either, but is for scripts. */
const REV_PARSE: ProgramSpec = {
  flags: "q",
  long: `git-dir show-toplevel abbrev-ref=? short=? verify quiet is-inside-work-tree is-bare-repository
    is-inside-git-dir is-shallow-repository show-prefix show-cdup git-common-dir absolute-git-dir git-path= path-format=?
    symbolic symbolic-full-name all branches=? tags=? remotes=? glob=? exclude=? since=? after=? until=? before=?
    show-object-format=? show-ref-format local-env-vars default= revs-only no-revs flags
    no-flags sq not disambiguate=? shared-index-path end-of-options`,
  operands: "text",
};

/** With a second operand it is written. */
const SYMBOLIC_REF: ProgramSpec = {
  flags: "q",
  long: "quiet short no-short recurse no-recurse",
  operands: "text",
  most: 1,
  refuse: ({ operands }: Parsed) => (operands.length === 1 ? undefined : "it needs exactly one name"),
};

const DESCRIBE: ProgramSpec = {
  long: `all tags contains abbrev=? candidates= exact-match debug long match= exclude= always first-parent dirty=?
    broken=? no-match no-exclude`,
  operands: "text",
};

const NAME_REV: ProgramSpec = {
  long: "tags refs= exclude= all annotate-stdin name-only no-undefined undefined always",
  operands: "text",
};

const SHOW_REF: ProgramSpec = {
  flags: "dsqh",
  long: "head dereference hash=? abbrev=? tags heads branches verify quiet exists",
  operands: "text",
};

const SHOW_BRANCH: ProgramSpec = {
  flags: "arg",
  long: `all remotes list topo-order date-order sparse more=? merge-base independent no-name sha1-name current topics
    reflog=? color=? no-color`,
  operands: "text",
};

const worktree = verbs(commands(["list", { flags: "vz", long: "porcelain verbose", operands: "none" }]));

const notes: Program = (call) =>
  call.args.length === 0 ? noteVerbs({ ...call, args: [{ kind: "text", text: "list" }] }) : noteVerbs(call);
const noteVerbs = verbs(commands(["list show", { operands: "text" }]));

/** Only that it shows what was done; `visualize` starts a window or a pager. */
const bisect: Program = ({ name, args }) =>
  literal(args[0]) === "log" && args.length === 1
    ? gitCommand({ operands: "none" })({ name, args: [] })
    : notReading(name);

export const REF_COMMANDS = commands(
  ["branch", BRANCH],
  ["tag", TAG],
  ["for-each-ref", FOR_EACH_REF],
  ["remote", remote],
  ["rev-parse", REV_PARSE],
  ["symbolic-ref", SYMBOLIC_REF],
  ["describe", DESCRIBE],
  ["name-rev", NAME_REV],
  ["show-ref", SHOW_REF],
  ["show-branch", SHOW_BRANCH],
  ["merge-base", { flags: "a", long: "all octopus independent is-ancestor fork-point", operands: "text" }],
  ["check-ref-format", { long: "branch allow-onelevel no-allow-onelevel refspec-pattern normalize", operands: "text" }],
  ["worktree", worktree],
  [
    "replace",
    {
      flags: "l",
      long: "list format=",
      operands: "text",
      refuse: (parsed) =>
        has(parsed, "-l", "--list") || parsed.operands.length === 0 ? undefined : "it replaces an object",
    },
  ],
  ["notes", notes],
  ["bisect", bisect],
);

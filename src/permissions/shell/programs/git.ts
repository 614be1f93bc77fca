// git: the sub-commands and options that only look at the repository one stands in.
import { everything } from "../options.ts";
import type { Program } from "../types.ts";
import { literal, READS_NOTHING, unknownEffect } from "../types.ts";
import { entries, isExactly } from "./entries.ts";
import { config } from "./git-config.ts";
import { FILE_COMMANDS } from "./git-files.ts";
import { commands, type Commands } from "./git-kit.ts";
import { HISTORY_COMMANDS } from "./git-log.ts";
import { REF_COMMANDS } from "./git-refs.ts";

// Not here: what asks another machine (ls-remote, fetch), runs a pager, browser or gpg (help NAME, verify-commit, var), or
// works in other repositories (submodule).
const COMMANDS: Commands = new Map([
  ...HISTORY_COMMANDS,
  ...FILE_COMMANDS,
  ...REF_COMMANDS,
  ...commands(
    ["config", config],
    ["version", { long: "build-options", operands: "none" }],
    ["help", { flags: "ag", long: "all guides", operands: "none" }],
  ),
]);

/** Before the sub-command. -c, -C, --git-dir, --work-tree, --exec-path=, --config-env and -p change what runs, or where. */
const GLOBAL = new Set([
  "--no-pager",
  "-P",
  "--no-optional-locks",
  "--no-lazy-fetch",
  "--no-replace-objects",
  "--literal-pathspecs",
  "--glob-pathspecs",
  "--noglob-pathspecs",
  "--icase-pathspecs",
]);

const ASKS = ["--version", "-v", "--help", "-h", "--exec-path", "--html-path", "--man-path", "--info-path", ""];

const git: Program = ({ name, args }) => {
  let at = 0;
  while (at < args.length && GLOBAL.has(literal(args[at]) ?? "")) at++;
  const sub = literal(args[at]);
  const words = args.slice(at + 1);
  if (words.length === 0 && (at === args.length || isExactly(args.slice(at), ASKS))) return READS_NOTHING;
  const unknown = (why: string) => unknownEffect(why, { reads: everything(words) });
  if (sub === undefined) return unknown(`${name}: which command runs is only known when it runs`);
  if (sub.startsWith("-")) return unknown(`${name}: the option ${sub} is not known to only read`);
  const judge = COMMANDS.get(sub);
  if (!judge) return unknown(`${name} ${sub} is not known to only read`);
  return judge({ name: `${name} ${sub}`, args: words });
};

export const GIT_PROGRAMS = entries(["git", git]);

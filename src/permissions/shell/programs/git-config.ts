// git config, where it shows the project's own settings, or one of the user's that is no secret.
import { parseOptions, type OptionTable, type Parsed } from "../options.ts";
import type { Arg, Program, Use } from "../types.ts";
import { literal, onlyReads, unknownEffect } from "../types.ts";
import { has } from "./entries.ts";

// Setting, editing and removing are not here, nor --get-urlmatch, --blob and --includes, which look further.
const CONFIG: OptionTable = {
  flags: "lz",
  values: "f",
  // What stands behind the name of a setting is its new value, even where it looks like an option.
  strict: true,
  long: `get get-all get-regexp list local global system worktree file= null name-only show-origin show-scope type= bool
    int bool-or-int path expiry-date no-type default= all regexp`,
};

/** Not credential, http, url, sendemail and others: they may hold passwords. */
const SECTIONS =
  `user core remote branch init pull push fetch merge rebase diff color commit tag alias submodule status log gc
  index feature extensions safe column grep help advice rerere format blame stash worktree pager interactive mergetool
  difftool gpg`
    .split(/\s+/)
    .join("|");
const KEY = new RegExp(`^(${SECTIONS})\\.[^=]*$`, "i");
const VERBS = new Set(["set", "unset", "edit", "rename-section", "remove-section"]);
/** Anchored, and nothing in it that could mean another section. */
const PATTERN = new RegExp(`^\\^(${SECTIONS})(\\\\?\\.[\\w.*\\\\$-]*)?$`, "i");

export const config: Program = ({ name, args }) => {
  const [verb] = args;
  const isVerb = /^(get|list)$/.test(literal(verb) ?? "");
  const found = parseOptions(isVerb ? args.slice(1) : args, CONFIG);
  const parsed = "problem" in found || !verb || !isVerb ? found : { ...found, operands: [verb, ...found.operands] };
  if ("problem" in parsed) return unknownEffect(`${name}: ${parsed.problem}`);
  const files = parsed.options.flatMap(({ name: option, value }) =>
    /^(-f|--file)$/.test(option) && value ? [value] : [],
  );
  const reads = files.map((arg): Use => ({ arg, what: "content" }));
  const own = files.length > 0 || has(parsed, "--local", "--worktree");
  const problem = whyNotShown(parsed, own && !has(parsed, "--global", "--system"));
  return problem === undefined ? onlyReads(reads) : unknownEffect(`${name}: ${problem}`, { reads });
};

/** `own`: only files of the project are asked. */
function whyNotShown(parsed: Parsed, own: boolean): string | undefined {
  const [first, ...rest] = parsed.operands;
  const verb = literal(first);
  const lists = has(parsed, "-l", "--list") || (verb === "list" && rest.length === 0);
  if (lists) {
    if (parsed.operands.length > (verb === "list" ? 1 : 0)) return "more words than it needs";
    return own ? undefined : "it shows all of the user's settings, which may hold passwords (--local does not)";
  }
  // `get NAME` (new), or --get NAME, or NAME alone; a second operand would be the value to set.
  const [key, ...more] = verb === "get" ? rest : parsed.operands;
  const pattern = has(parsed, "--get-regexp", "--regexp");
  if (VERBS.has(literal(key) ?? "") || !key || more.length > 0) return "only showing one setting is known to only read";
  // Some versions take a bare word for a verb: edit, unset.
  if (!pattern && !/^[^=]+\.[^=]+$/s.test(literal(key) ?? "")) return "this is no name of a setting";
  if (own) return undefined;
  return isShown(key, pattern) ? undefined : "this setting may be a password (--local shows the project's)";
}

function isShown(key: Arg, isPattern: boolean): boolean {
  return (isPattern ? PATTERN : KEY).test(literal(key) ?? "");
}

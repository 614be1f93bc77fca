// What a shell command inherits: the person's environment without secrets, prompts and pagers.

export type Environment = Record<string, string | undefined>;

/** Nothing may wait for a person: no pager, no editor, no password prompt. */
const FIXED: Record<string, string> = {
  PAGER: "cat",
  GIT_PAGER: "cat",
  GH_PAGER: "cat",
  MANPAGER: "cat",
  SYSTEMD_PAGER: "cat",
  AWS_PAGER: "",
  EDITOR: "true",
  VISUAL: "true",
  GIT_EDITOR: "true",
  GIT_MERGE_AUTOEDIT: "no",
  GIT_TERMINAL_PROMPT: "0",
  GIT_OPTIONAL_LOCKS: "0",
  GCM_INTERACTIVE: "never",
  SSH_ASKPASS_REQUIRE: "never",
  DEBIAN_FRONTEND: "noninteractive",
  PIP_NO_INPUT: "1",
  TERM: "dumb",
  NANOCODE: "1",
  CLAUDECODE: "1",
};

/** Would make the shell, the loader or a runtime run or print something the command does not say. */
const ACTING =
  /^(BASH_ENV|ENV|PROMPT_COMMAND|PS4|SHELLOPTS|BASHOPTS|BASH_XTRACEFD|BASH_FUNC_.*|CDPATH|GLOBIGNORE|BUN_.*|NODE_OPTIONS|LD_PRELOAD|LD_AUDIT|DYLD_INSERT_LIBRARIES)$/;
/** Describes the person's terminal, which the command does not have. */
const TERMINAL = /^(COLUMNS|LINES|FORCE_COLOR|CLICOLOR_FORCE|OLDPWD|_)$/;
const SECRET_FAMILY = /^(ANTHROPIC|OPENROUTER|OPENAI)_/i;
const SECRET_NAME =
  /(^|_)(API_?KEYS?|KEYS?|TOKENS?|SECRETS?|PASSWORDS?|PASSWD|PWD|PASSPHRASES?|CREDENTIALS?|PAT)(_?(ID|BASE64|B64|JSON|\d+))?$|SECRET/i;
const SECRET_VALUE =
  /^(sk-(ant|or|proj)-|gh[pousr]_\w{20}|github_pat_|glpat-|xox[abprs]-|AKIA[0-9A-Z]{16}$|-----BEGIN )/;
/** Names the pattern would catch that are no secrets. */
const HARMLESS = new Set(["PWD", "SSH_AUTH_SOCK", "GPG_KEY"]);

/**
 * The environment of a command. Removed: names that look like secrets (`*_API_KEY`, `*_KEY`, `*_TOKEN`, `*SECRET*`,
 * `*_PASSWORD`, `*_CREDENTIALS`, `*_PAT`; everything of ANTHROPIC_, OPENROUTER_ and OPENAI_), values that look like
 * one (`sk-ant-`, `ghp_`, private keys, ...), whatever makes a shell or runtime act unasked (BASH_ENV, LD_PRELOAD,
 * NODE_OPTIONS, BUN_*, exported functions, ...). `passthrough` names are kept; one `*` at the end is a prefix.
 * LD_LIBRARY_PATH, proxies, SSH_AUTH_SOCK, AWS_PROFILE and DATABASE_URL stay: builds and tests need them.
 */
export function childEnvironment(env: Environment, passthrough: readonly string[] = []): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) continue;
    if (isAsked(name, passthrough) || !isWithheld(name, value)) kept[name] = value;
  }
  return { ...kept, ...FIXED };
}

/**
 * On top for a command that runs unasked because it only reads: nothing is fetched or started on the side. A repository's
 * file monitor is a program it names, go fetches the toolchain a project wants, debuggers ask servers for symbols.
 */
export function readingEnvironment(env: Record<string, string>): Record<string, string> {
  const { DEBUGINFOD_URLS: _, ...rest } = env;
  const count = Number(env["GIT_CONFIG_COUNT"] ?? 0) || 0;
  return {
    ...rest,
    GOTOOLCHAIN: "local",
    GIT_NO_LAZY_FETCH: "1",
    GIT_CONFIG_COUNT: String(count + 1),
    [`GIT_CONFIG_KEY_${count}`]: "core.fsmonitor",
    [`GIT_CONFIG_VALUE_${count}`]: "false",
  };
}

function isAsked(name: string, passthrough: readonly string[]): boolean {
  return passthrough.some((wanted) => (wanted.endsWith("*") ? name.startsWith(wanted.slice(0, -1)) : name === wanted));
}

function isWithheld(name: string, value: string): boolean {
  if (ACTING.test(name) || TERMINAL.test(name)) return true;
  if (HARMLESS.has(name)) return false;
  return SECRET_FAMILY.test(name) || SECRET_NAME.test(name) || SECRET_VALUE.test(value);
}

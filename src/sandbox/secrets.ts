// Where secrets lie in a home folder: what no confined command may read.
import { lstatSync, readFileSync, statSync, type Stats } from "node:fs";
import { join } from "node:path";
import { realPath } from "../utils/paths.ts";

/** Folders and files below the home folder; only those that exist are masked. */
const SECRETS = [
  ".ssh",
  ".gnupg",
  ".password-store",
  ".pki",
  ".aws",
  ".azure",
  ".kube",
  ".docker/config.json",
  ".docker/run",
  ".config/gcloud",
  ".config/gh",
  ".config/glab-cli",
  ".config/hub",
  ".config/doctl",
  ".config/op",
  ".config/rclone",
  ".config/sops",
  ".config/git/credentials",
  ".config/github-copilot",
  ".netrc",
  ".git-credentials",
  ".cargo/credentials",
  ".cargo/credentials.toml",
  ".gem/credentials",
  ".terraform.d/credentials.tfrc.json",
  ".vault-token",
  ".pgpass",
  ".my.cnf",
  ".s3cfg",
  ".boto",
  ".fly",
  ".netlify",
  ".1password",
  ".local/share/keyrings",
  ".claude/.credentials.json",
  ".claude.json",
  ".codex/auth.json",
  ".gemini/oauth_creds.json",
  ".local/share/opencode/auth.json",
  // Browsers and mail.
  ".mozilla",
  ".thunderbird",
  ".config/google-chrome",
  ".config/chromium",
  ".config/BraveSoftware",
  ".config/microsoft-edge",
  ".config/vivaldi",
  "snap/firefox",
  "snap/chromium",
  "Library/Keychains",
  "Library/Cookies",
  "Library/Safari",
  "Library/Application Support/Google/Chrome",
  "Library/Application Support/Firefox",
  // What was typed before, passwords among it.
  ".bash_history",
  ".zsh_history",
  ".zsh_sessions",
  ".local/share/fish/fish_history",
  ".python_history",
  ".node_repl_history",
  ".psql_history",
  ".mysql_history",
  ".rediscli_history",
  ".lesshst",
  ".viminfo",
];
/** Ordinary settings, except when somebody has put a password in. */
const SOMETIMES = [".npmrc", ".yarnrc.yml", ".pypirc", ".config/pip/pip.conf", ".m2/settings.xml"];
const HOLDS_PASSWORD = /_auth|authToken|password|\/\/[^\s/:@]+:[^\s/@]+@/i;
/** Of the machine: readable by root, as which we may run. */
const SYSTEM = ["/etc/shadow", "/etc/shadow-"];
const LONGEST_SETTINGS = 256 * 1024;

/** `path` is resolved: a link's target is masked, under its own name. */
export type Secret = { path: string; is: "folder" | "file" };

/** What of it exists now, in about 0.1 ms. */
export function secretsOf(home: string): Secret[] {
  const system = process.getuid?.() === 0 ? SYSTEM : [];
  const always = [...SECRETS.map((name) => join(home, name)), ...system].flatMap(secretAt);
  const sometimes = SOMETIMES.map((name) => join(home, name)).filter(holdsPassword);
  return [...always, ...sometimes.flatMap(secretAt)];
}

/** None where nothing is, or where a dangling link leads. */
export function secretAt(path: string): Secret[] {
  const stat = look(path);
  if (stat === undefined) return [];
  const real = stat.isSymbolicLink() ? realPath(path) : path;
  const target = stat.isSymbolicLink() ? statSync(real, { throwIfNoEntry: false }) : stat;
  if (target === undefined) return [];
  return [{ path: real, is: target.isDirectory() ? "folder" : "file" }];
}

function holdsPassword(path: string): boolean {
  const stat = look(path);
  if (stat === undefined) return false;
  try {
    // Too long to look through, or not readable: better hidden.
    return stat.size > LONGEST_SETTINGS || HOLDS_PASSWORD.test(readFileSync(path, "utf8"));
  } catch {
    return true;
  }
}

function look(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // below something that is no folder, or that we may not enter: nor may a command
  }
}

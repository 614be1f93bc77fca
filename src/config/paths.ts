// Where nanocode keeps its things.
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { realPath } from "../utils/paths.ts";

export type Env = Readonly<Record<string, string | undefined>>;
/** All absolute. */
export type Places = {
  home: string;
  /** `~/.nanocode`, or NANOCODE_HOME. */
  nanocode: string;
  /** `~/.claude`, or CLAUDE_CONFIG_DIR. */
  claude: string;
  sessions: string;
  /** Folders with the settings of who runs this machine, lowest first. Fixed: no variable moves or drops them. */
  managed: readonly string[];
};

const MAX_SLUG = 200;

/** An empty variable counts as not set. */
export function places(env: Env, platform: string = process.platform): Places {
  const home = resolve(env.HOME || env.USERPROFILE || homedir());
  const nanocode = resolve(env.NANOCODE_HOME || join(home, ".nanocode"));
  return {
    home,
    nanocode,
    claude: resolve(env.CLAUDE_CONFIG_DIR || join(home, ".claude")),
    sessions: join(nanocode, "sessions"),
    managed: managedFolders(platform),
  };
}

function managedFolders(platform: string): string[] {
  if (platform === "darwin")
    return ["/Library/Application Support/ClaudeCode", "/Library/Application Support/nanocode"];
  if (platform === "win32") return ["C:\\Program Files\\ClaudeCode", "C:\\Program Files\\nanocode"];
  return ["/etc/claude-code", "/etc/nanocode"];
}

/** `~` and `~/x` mean the home folder; anything else is relative to `base`. */
export function fromHome(path: string, { home, base }: { home: string; base: string }): string {
  if (path === "~") return home;
  return /^~[/\\]/.test(path) ? join(home, path.slice(2)) : resolve(base, path);
}

/**
 * A folder's name under `sessions/`: its real path, everything but letters and digits as `-`; a long one is cut and
 * hashed. Two folders can have one name: what lies in it says which it is for.
 */
export function projectSlug(cwd: string): string {
  const real = realPath(cwd);
  const slug = real.replace(/[^A-Za-z0-9]/g, "-");
  if (slug.length <= MAX_SLUG) return slug;
  return `${slug.slice(0, MAX_SLUG)}-${new Bun.CryptoHasher("sha256").update(real).digest("hex").slice(0, 12)}`;
}

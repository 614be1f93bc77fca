// Where nanocode keeps its things.
import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join } from "node:path";
import { realPath } from "../utils/paths.ts";

export type Env = Readonly<Record<string, string | undefined>>;
export type Places = {
  home: string;
  /** `~/.nanocode`, or NANOCODE_HOME. */
  nanocode: string;
  /** `~/.claude`, or CLAUDE_CONFIG_DIR. */
  claude: string;
  sessions: string;
};

const MAX_SLUG = 200;

export function places(env: Env): Places {
  const home = env.HOME || env.USERPROFILE || homedir();
  const nanocode = env.NANOCODE_HOME || join(home, ".nanocode");
  return {
    home,
    nanocode,
    claude: env.CLAUDE_CONFIG_DIR || join(home, ".claude"),
    sessions: join(nanocode, "sessions"),
  };
}

/** A folder's name under `sessions/`: its real path, everything but letters and digits as `-`; a long one is cut and hashed. */
export function projectSlug(cwd: string): string {
  const real = realPath(cwd);
  const slug = real.replace(/[^A-Za-z0-9]/g, "-");
  if (slug.length <= MAX_SLUG) return slug;
  return `${slug.slice(0, MAX_SLUG)}-${createHash("sha256").update(real).digest("hex").slice(0, 12)}`;
}

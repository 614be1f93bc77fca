// From the path a model writes to the absolute path everybody else sees.
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Absolute; `~` and `~/x` are the home directory, anything else is taken from `cwd`. */
export function absolutePath(path: string, cwd: string, home: () => string = homedir): string {
  if (path === "~") return home();
  return path.startsWith("~/") ? join(home(), path.slice(2)) : resolve(cwd, path);
}

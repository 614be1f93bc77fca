// The built-in tools, in the order they are offered (a stable order keeps the prompt cache).
import { FileTracker } from "../files/tracker.ts";
import type { Tool } from "../core/types.ts";
import { bashTool } from "./bash.ts";
import type { BackgroundTasks } from "./bash-tasks.ts";
import { editTool } from "./edit.ts";
import { globTool } from "./glob.ts";
import { grepTool } from "./grep.ts";
import { readTool } from "./read.ts";
import { writeTool } from "./write.ts";

export type BuiltinDeps = {
  env: Readonly<Record<string, string | undefined>>;
  places: { home: string };
  tasks: BackgroundTasks;
  /** The session's own folder for long output. */
  scratch: string;
  /** The project and the added folders. */
  roots(): string[];
};

export function builtinTools({ env, places, tasks, scratch, roots }: BuiltinDeps): Tool[] {
  const tracker = new FileTracker();
  const home = { home: places.home, xdgConfig: env.XDG_CONFIG_HOME };
  const found: { rg?: string | undefined } = {};
  const rg = () => {
    if (!("rg" in found)) found.rg = Bun.which("rg", { PATH: absoluteOnly(env.PATH) }) ?? undefined;
    return found.rg;
  };
  return [
    bashTool({ projectRoots: roots, scratch, env, tasks }),
    readTool({ tracker }),
    editTool({ tracker }),
    writeTool({ tracker }),
    globTool({ home }),
    grepTool({ rg, home }),
  ];
}

/** A relative entry of PATH would be a program of the project. */
function absoluteOnly(path: string | undefined): string {
  const separator = process.platform === "win32" ? ";" : ":";
  return (path ?? "")
    .split(separator)
    .filter((entry) => /^([/\\]|[A-Za-z]:)/.test(entry))
    .join(separator);
}

type Denied = { tool: string; spec?: string };

/** `only`: the names of --tools. A tool that is denied as a whole is not offered at all. */
export function offered(
  tools: readonly Tool[],
  { only, denied }: { only?: readonly string[] | undefined; denied: readonly Denied[] },
): Map<string, Tool> {
  const isDenied = (name: string) =>
    denied.some((rule) => rule.spec === undefined && (rule.tool === name || rule.tool === "*"));
  const kept = tools.filter(({ spec }) => (only === undefined || only.includes(spec.name)) && !isDenied(spec.name));
  return new Map(kept.map((tool) => [tool.spec.name, tool]));
}

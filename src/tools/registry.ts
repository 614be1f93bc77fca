// The built-in tools, in the order they are offered (a stable order keeps the prompt cache).
import { FileTracker } from "../files/tracker.ts";
import type { Tool } from "../core/types.ts";
import type { WallSource } from "../core/wall.ts";
import { projects, splitPath } from "../utils/paths.ts";
import { bashTool } from "./bash.ts";
import type { ShellStarter } from "./bash-start.ts";
import type { BackgroundTasks } from "./bash-tasks.ts";
import { editTool } from "./edit.ts";
import { globTool } from "./glob.ts";
import { grepTool } from "./grep.ts";
import type { Hidden } from "./grep-files.ts";
import { readTool } from "./read.ts";
import { todoTool } from "./todo.ts";
import { writeTool } from "./write.ts";

export type BuiltinDeps = {
  env: Readonly<Record<string, string | undefined>>;
  places: { home: string };
  tasks: BackgroundTasks;
  /** One for all agents of a conversation. */
  starter: ShellStarter;
  /** The project and the added folders. */
  roots(): string[];
  /** Whether a rule forbids reading the file; searches leave it out. */
  hidden: Hidden;
  /** What the model has seen; shared with who looks for changes on disk. */
  tracker?: FileTracker;
  /** Around confined commands. */
  wall?: WallSource | undefined;
};

export function builtinTools({
  env,
  places,
  tasks,
  starter,
  roots,
  hidden,
  wall,
  tracker = new FileTracker(),
}: BuiltinDeps): Tool[] {
  const home = { home: places.home, xdgConfig: env.XDG_CONFIG_HOME };
  const found: { rg?: string | undefined } = {};
  const rg = () => {
    if (!("rg" in found))
      found.rg = Bun.which("rg", { PATH: splitPath(env.PATH, projects(roots(), places.home)).others }) ?? undefined;
    return found.rg;
  };
  return [
    bashTool({ projectRoots: roots, starter, env, tasks, wall }),
    readTool({ tracker }),
    editTool({ tracker }),
    writeTool({ tracker }),
    globTool({ home, hidden }),
    grepTool({ rg, home, hidden }),
    todoTool(),
  ];
}

/** `only`: the names of --tools. A tool that is denied as a whole is not offered at all. */
export function offered(
  tools: readonly Tool[],
  { only, isDenied }: { only?: readonly string[] | undefined; isDenied(name: string): boolean },
): Map<string, Tool> {
  const kept = tools.filter(({ spec }) => (only === undefined || only.includes(spec.name)) && !isDenied(spec.name));
  return new Map(kept.map((tool) => [tool.spec.name, tool]));
}

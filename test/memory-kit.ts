// A home, a machine folder and a project in one temporary folder, and the memory that is found from there.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { loadMemory, type Memory, type MemoryFile, type MemoryOptions } from "../src/context/memory.ts";

export type Box = ReturnType<typeof memoryBox>;

/** `project` lies in `outer`; nothing is in any of them yet. */
export function memoryBox() {
  const top = realpathSync(mkdtempSync(join(tmpdir(), "nanocode-memory-")));
  const at = (...parts: string[]) => join(top, ...parts);
  const put = (path: string, text: string | Uint8Array) => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), text);
  };
  for (const folder of ["home", "etc", "outer/project/.git"]) mkdirSync(at(folder), { recursive: true });
  const home = at("home");
  const places = { home, nanocode: join(home, ".nanocode"), claude: join(home, ".claude"), managed: [at("etc")] };
  const root = at("outer/project");
  return {
    top,
    at,
    put,
    /** Paths relative to the box, to their texts. */
    tree: (files: Record<string, string>) => Object.entries(files).forEach(([path, text]) => put(path, text)),
    link: (target: string, path: string) => {
      mkdirSync(dirname(at(path)), { recursive: true });
      symlinkSync(target, at(path));
    },
    load: (options: Partial<MemoryOptions> = {}): Memory => loadMemory({ cwd: root, root, places, ...options }),
    /** `kind path`, relative to the box. */
    names: (files: readonly MemoryFile[]) => files.map(({ kind, path }) => `${kind} ${path.slice(top.length + 1)}`),
    /** Texts with the box's own path taken out. */
    plain: (texts: readonly string[]) => texts.map((text) => text.replaceAll(`${top}/`, "")),
    remove: () => rmSync(top, { recursive: true, force: true }),
  };
}

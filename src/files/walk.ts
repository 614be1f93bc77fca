// Lists the files below a folder, knowing what git and rg would ignore; never follows a link to a folder.
import { lstatSync, readdirSync, type Dirent } from "node:fs";
import { join } from "node:path";
import { enterFolder, isIgnored, outerScope, type IgnoreHome, type Scope } from "./scope.ts";

export type WalkOptions = {
  /** Absolute. */
  root: string;
  /** `prune`: leave out what is ignored. `mark`: list it, with `ignored` set. */
  ignored: "prune" | "mark";
  /** Levels of folders to enter; 1 is the root alone. */
  depth?: number;
  /** `path`: relative to the root, with "/". A file it refuses is not listed. */
  accept?(path: string, name: string): boolean;
  signal: AbortSignal;
  home: IgnoreHome;
  maxFiles?: number;
};

export type WalkedFile = { path: string; ignored: boolean; isLink: boolean };

export type Walked = {
  /** In no particular order. */
  files: WalkedFile[];
  /** Folders that could not be read, relative to the root. */
  unreadable: string[];
  /** Stopped at `maxFiles`. */
  truncated: boolean;
};

type Folder = { path: string; depth: number; scope: Scope | undefined; ignored: boolean };
type Walk = Walked & { options: WalkOptions; stack: Folder[]; maxFiles: number };

const sliceMs = 5;
const defaultMaxFiles = 2_000_000;

/** Throws when the root cannot be read, and the signal's reason when it aborts. Lets other work run every few ms. */
export async function walk(options: WalkOptions): Promise<Walked> {
  const maxFiles = options.maxFiles ?? defaultMaxFiles;
  const scope = outerScope(options.root, options.home);
  const stack: Folder[] = [{ path: "", depth: 1, scope, ignored: false }];
  const state: Walk = { options, stack, maxFiles, files: [], unreadable: [], truncated: false };
  let sliceEnd = performance.now() + sliceMs;
  for (let folder = stack.pop(); folder; folder = stack.pop()) {
    if (performance.now() > sliceEnd) {
      await new Promise((resolve) => setImmediate(resolve));
      sliceEnd = performance.now() + sliceMs;
    }
    options.signal.throwIfAborted();
    visit(state, folder);
    if (state.truncated) break;
  }
  return { files: state.files, unreadable: state.unreadable, truncated: state.truncated };
}

function visit(state: Walk, folder: Folder): void {
  const { options } = state;
  const absolute = folder.path === "" ? options.root : join(options.root, folder.path);
  let entries: Dirent[];
  try {
    entries = readdirSync(absolute, { withFileTypes: true });
  } catch (error) {
    if (folder.path === "") throw error;
    state.unreadable.push(folder.path);
    return;
  }
  const scope = enterFolder(folder.scope, { absolute, path: folder.path, entries });
  const prefix = folder.path === "" ? "" : `${folder.path}/`;
  for (const entry of entries) {
    const { name } = entry;
    if (name === ".git") continue;
    const path = prefix + name;
    const type = typeOf(entry, absolute);
    if (type === "other") continue;
    const isFolder = type === "folder";
    if (!isFolder && options.accept && !options.accept(path, name)) continue;
    const ignored = folder.ignored || isIgnored(scope, path, name, isFolder);
    if (ignored && options.ignored === "prune") continue;
    if (isFolder) {
      if (folder.depth < (options.depth ?? Infinity))
        state.stack.push({ path, depth: folder.depth + 1, scope, ignored });
      continue;
    }
    if (state.files.length >= state.maxFiles) {
      state.truncated = true;
      return;
    }
    state.files.push({ path, ignored, isLink: type === "link" });
  }
}

/** Sockets, pipes and devices are "other": opening one can block for ever. */
function typeOf(entry: Dirent, folder: string): "file" | "folder" | "link" | "other" {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "folder";
  if (entry.isSymbolicLink()) return "link";
  if (entry.isFIFO() || entry.isSocket() || entry.isCharacterDevice() || entry.isBlockDevice()) return "other";
  // Some file systems do not say.
  const stats = lstatSync(join(folder, entry.name), { throwIfNoEntry: false });
  if (stats?.isFile()) return "file";
  if (stats?.isDirectory()) return "folder";
  return stats?.isSymbolicLink() ? "link" : "other";
}

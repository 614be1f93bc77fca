// A project as its files describe it: the settings that are in force around a folder, and what in them can act.
import { actingSettings, type ActingSetting } from "./acting.ts";
import { actingServers } from "./servers.ts";
import { isPersonal, projectFolders, readSources, type Source, type SourceOptions } from "./sources.ts";

export type Project = {
  sources: Source[];
  /** From `cwd` up to the repository's root; nearest first. */
  folders: readonly string[];
  items: ActingSetting[];
  /** Whether a `.claude` or `.nanocode` is the person's own. */
  isPersonal(folder: string): boolean;
};

/** Reads and runs nothing. Throws UsageError as readSources does. */
export function readProject(options: SourceOptions): Project {
  const sources = readSources(options);
  const folders = projectFolders(options.cwd);
  return {
    sources,
    folders,
    items: [...actingSettings(sources), ...folders.flatMap(actingServers)],
    isPersonal: (folder) => isPersonal(folder, options.places),
  };
}

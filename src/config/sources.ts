// The settings files: which there are, and their text as nodes. A file that cannot be read stops the start: it may
// hold deny rules, and those are never lost silently.
import { lstatSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { UsageError } from "../core/errors.ts";
import { realPath } from "../utils/paths.ts";
import { JsonProblem, parseJsonc, type Node } from "./jsonc.ts";
import { fromHome, type Places } from "./paths.ts";

export type Scope = "user" | "project" | "local" | "flag";
export type Fields = Map<string, Node>;
export type Source = {
  scope: Scope;
  /** The file's path, or `--settings`. */
  name: string;
  fields: Fields;
};

export type SourceOptions = {
  places: Places;
  cwd: string;
  /** --settings: a file or JSON text. */
  flag?: string | undefined;
  /** --setting-sources; undefined: all. */
  sources?: readonly string[] | undefined;
};

const MAX_BYTES = 8 * 1024 * 1024;
const NAMES = { project: "settings.json", local: "settings.local.json" } as const;

/** Lowest first: the person's files, the project's, the flag. Throws UsageError. */
export function readSources({ places, cwd, flag, sources }: SourceOptions): Source[] {
  const wants = (scope: Scope) => sources === undefined || sources.includes(scope);
  const files: [Scope, string][] = [
    ["user", join(places.claude, "settings.json")],
    ["user", join(places.nanocode, "settings.json")],
  ];
  const folders = projectFolders(cwd).reverse();
  for (const scope of ["project", "local"] as const) {
    for (const folder of folders) {
      files.push([scope, join(folder, ".claude", NAMES[scope])], [scope, join(folder, ".nanocode", NAMES[scope])]);
    }
  }
  const found: Source[] = [];
  // Started in the home folder, the person's file is also the project's: it counts once, as the person's.
  const seen = new Set<string>();
  for (const [scope, name] of files.filter(([scope]) => wants(scope))) {
    const fields = readFields(name);
    if (!fields || seen.has(realPath(name))) continue;
    seen.add(realPath(name));
    found.push({ scope, name, fields });
  }
  if (flag !== undefined) found.push(flagSource(flag, { places, cwd }));
  return found;
}

/** From `cwd` up to the root of its repository; only `cwd` outside of one. */
function projectFolders(cwd: string): string[] {
  const folders: string[] = [];
  for (let folder = cwd; ; folder = dirname(folder)) {
    folders.push(folder);
    if (exists(join(folder, ".git"))) return folders;
    if (dirname(folder) === folder) return [cwd];
  }
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function flagSource(flag: string, { places, cwd }: Pick<SourceOptions, "places" | "cwd">): Source {
  if (flag.trim().startsWith("{")) return { scope: "flag", name: "--settings", fields: parsed(flag, "--settings") };
  const path = fromHome(flag, { home: places.home, base: cwd });
  const fields = readFields(path);
  if (!fields) throw new UsageError(`Settings file not found: ${flag}`);
  return { scope: "flag", name: path, fields };
}

/** Undefined when there is no such file. */
function readFields(path: string): Fields | undefined {
  const text = readText(path);
  return text === undefined ? undefined : parsed(text, path);
}

function readText(path: string): string | undefined {
  try {
    // A pipe would hang the start, a device would never end.
    const stat = statSync(path);
    if (!stat.isFile()) throw unreadable(path, "it is not a file");
    if (stat.size > MAX_BYTES) throw unreadable(path, "it is larger than 8 MB");
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw unreadable(path, code);
  }
}

function unreadable(path: string, why: string): UsageError {
  return new UsageError(
    `Settings file ${path} cannot be read: ${why}. Its deny rules would be lost; make it readable or remove it.`,
  );
}

function parsed(text: string, name: string): Fields {
  const node = nodeOf(text, name);
  if (!node) return new Map();
  if (node.kind === "object") return node.fields;
  throw new UsageError(`${name}:${node.line}: settings must be a JSON object, in { }.`);
}

function nodeOf(text: string, name: string): Node | undefined {
  try {
    return parseJsonc(text);
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    throw new UsageError(
      `${name}:${error.line}: not valid JSON: ${error.message}. Its deny rules would be lost; correct it.`,
    );
  }
}

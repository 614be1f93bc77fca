// The settings files: which there are, and their text as nodes. A file that cannot be read stops the start: it may
// hold deny rules, and those are never lost silently.
import { lstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { UsageError } from "../core/errors.ts";
import { realPath } from "../utils/paths.ts";
import { JsonProblem, parseJsonc, type Node } from "./jsonc.ts";
import { fromHome, type Places } from "./paths.ts";

export type Scope = "user" | "project" | "local" | "flag" | "managed";
export type Fields = Map<string, Node>;
export type Source = {
  scope: Scope;
  /** The file's path, or `--settings`. */
  name: string;
  /** What a relative path in it is relative to: the folder that holds `.claude`, for all but the project's files `cwd`. */
  base: string;
  /** Written by the person or who runs the machine; a project's file is not, and acts only when it is trusted. */
  own: boolean;
  fields: Fields;
};

export type SourceOptions = {
  places: Places;
  cwd: string;
  /** --settings: a file or JSON text. */
  flag?: string | undefined;
  /** --setting-sources; undefined: all. Managed settings always count. */
  sources?: readonly string[] | undefined;
};
type File = Omit<Source, "fields">;

const MAX_BYTES = 8 * 1024 * 1024;
/** The folders of a project that hold settings; the later one wins. */
export const SETTINGS_FOLDERS = [".claude", ".nanocode"] as const;
const NAMES = { project: "settings.json", local: "settings.local.json" } as const;

/** Lowest first: the person's files, the project's, the flag, the managed ones. Throws UsageError. */
export function readSources({ places, cwd, flag, sources }: SourceOptions): Source[] {
  const wants = ({ scope }: File) => sources === undefined || sources.includes(scope);
  const mine = { base: cwd, own: true };
  const files: File[] = [places.claude, places.nanocode].map((folder) => ({
    scope: "user",
    name: join(folder, NAMES.project),
    ...mine,
  }));
  files.push(...projectFiles(cwd));
  const found: Source[] = [];
  // Started in the home folder, the person's file is also the project's: it counts once, as the person's.
  const seen = new Set<string>();
  for (const file of files.filter(wants)) {
    const fields = readFields(file.name, file.scope);
    if (!fields || seen.has(realPath(file.name))) continue;
    seen.add(realPath(file.name));
    found.push({ ...file, own: file.own || isPersonal(dirname(file.name), places), fields });
  }
  if (flag !== undefined) found.push({ scope: "flag", ...mine, ...flagText(flag, { places, cwd }) });
  // Never left out as seen: a project's link to such a file would take its force away.
  for (const name of places.managed.flatMap(managedFiles)) {
    const fields = readFields(name, "managed");
    if (fields) found.push({ scope: "managed", name, ...mine, fields });
  }
  return found;
}

/** From `cwd` up to the root of its repository; only `cwd` outside of one. Nearest first. */
export function projectFolders(cwd: string): [string, ...string[]] {
  const folders: [string, ...string[]] = [cwd];
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (folder !== cwd) folders.push(folder);
    if (exists(join(folder, ".git"))) return folders;
    if (dirname(folder) === folder) return [cwd];
  }
}

/** Whether a `.claude` or `.nanocode` is the person's own: the home folder can be a project too. */
export function isPersonal(folder: string, { claude, nanocode }: Pick<Places, "claude" | "nanocode">): boolean {
  const real = realPath(folder);
  return real === realPath(claude) || real === realPath(nanocode);
}

/** The root's files first. */
function projectFiles(cwd: string): File[] {
  const folders = projectFolders(cwd).toReversed();
  return (["project", "local"] as const).flatMap((scope) =>
    folders.flatMap((base) =>
      SETTINGS_FOLDERS.map((folder) => ({ scope, name: join(base, folder, NAMES[scope]), base, own: false })),
    ),
  );
}

/** The file, then the ones in its drop-in folder by name. */
function managedFiles(folder: string): string[] {
  const dropIns = join(folder, "managed-settings.d");
  const names = listed(dropIns).filter((name) => name.endsWith(".json") && !name.startsWith("."));
  return [join(folder, "managed-settings.json"), ...names.toSorted().map((name) => join(dropIns, name))];
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw unreadable(folder, code, "managed");
  }
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function flagText(flag: string, { places, cwd }: Pick<SourceOptions, "places" | "cwd">) {
  if (flag.trim().startsWith("{")) return { name: "--settings", fields: parsed(flag, "--settings", "flag") };
  const name = fromHome(flag, { home: places.home, base: cwd });
  const fields = readFields(name, "flag");
  if (!fields) throw new UsageError(`Settings file not found: ${flag}`);
  return { name, fields };
}

/** Undefined when there is no such file. */
function readFields(path: string, scope: Scope): Fields | undefined {
  const text = readText(path, scope);
  return text === undefined ? undefined : parsed(text, path, scope);
}

function readText(path: string, scope: Scope): string | undefined {
  try {
    // A pipe would hang the start, a device would never end.
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) return undefined;
    if (!stat.isFile()) throw unreadable(path, "it is not a file", scope);
    if (stat.size > MAX_BYTES) throw unreadable(path, "it is larger than 8 MB", scope);
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw unreadable(path, code, scope);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

function unreadable(path: string, why: string, scope: Scope): UsageError {
  return new UsageError(
    `Settings file ${path} cannot be read: ${why}. Its deny rules would be lost; make it readable or remove it${without(scope)}.`,
  );
}

function parsed(text: string, name: string, scope: Scope): Fields {
  const node = nodeOf(text, name, scope);
  if (!node) return new Map();
  if (node.kind === "object") return node.fields;
  throw new UsageError(`${name}:${node.line}: settings must be a JSON object, in { }.`);
}

function nodeOf(text: string, name: string, scope: Scope): Node | undefined {
  try {
    return parseJsonc(text);
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    throw new UsageError(
      `${name}:${error.line}: not valid JSON: ${error.message}. Its deny rules would be lost; correct it${without(scope)}.`,
    );
  }
}

/** How to start all the same. */
function without(scope: Scope): string {
  const projects = scope === "project" || scope === "local";
  return projects ? ", or leave the project's settings out with --setting-sources user" : "";
}

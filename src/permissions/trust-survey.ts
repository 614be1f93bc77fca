// The skills, commands and agents of a project that run or allow something. Only reads, within bounds; what is over a
// bound counts as acting.
import { readdirSync, readFileSync, statSync, type Stats } from "node:fs";
import { basename, join, relative } from "node:path";
import { realPath } from "../utils/paths.ts";
import type { ActingItem } from "./trust.ts";
import { actingParts } from "./trust-text.ts";

const MAX_FILE = 256 * 1024;
const MAX_BYTES = 4 * 1024 * 1024;
const MAX_ENTRIES = 4_000;
const MAX_DEPTH = 12;
const HOLDERS = [".claude", ".nanocode"];
const KINDS = { skills: "skill", commands: "command", agents: "agent" } as const;
type Kind = (typeof KINDS)[keyof typeof KINDS];

/**
 * The items of one folder, in a stable order. Links are followed and what they lead to is read like the rest.
 * `isPersonal` says which `.claude` or `.nanocode` is the person's own and needs no trust. `acting`: what a skill or command
 * does when it is loaded, in the words of who loads it; what the text looks like here counts besides.
 */
export function surveyFiles(
  folder: string,
  isPersonal: (path: string) => boolean,
  acting: (bytes: Buffer) => readonly string[] = () => [],
): ActingItem[] {
  const survey = new Survey(folder, acting);
  for (const name of HOLDERS) {
    const holder = join(folder, name);
    if (!statOf(holder)?.isDirectory() || isPersonal(holder)) continue;
    for (const [directory, kind] of Object.entries(KINDS)) survey.texts(join(holder, directory), kind);
  }
  return survey.items;
}

class Survey {
  readonly items: ActingItem[] = [];
  #folder: string;
  #acting: (bytes: Buffer) => readonly string[];
  #real: string;
  #entries = 0;
  #bytes = 0;
  #full = false;
  /** Folders already seen: links may lead in circles. */
  #seen = new Set<string>();

  constructor(folder: string, acting: (bytes: Buffer) => readonly string[]) {
    this.#folder = folder;
    this.#acting = acting;
    this.#real = realPath(folder);
  }

  texts(directory: string, kind: Kind, depth = 0): void {
    for (const name of listed(directory)) {
      if (this.#full) return;
      const path = join(directory, name);
      if (++this.#entries > MAX_ENTRIES || depth > MAX_DEPTH) return this.#overflow(directory, kind);
      const stat = statOf(path);
      if (stat?.isDirectory()) {
        if (this.#isNew(stat, kind)) this.texts(path, kind, depth + 1);
      } else if (stat && isRead(name, kind)) this.#text(path, stat, kind);
    }
  }

  /** Per kind: what is no skill may be a command. */
  #isNew({ dev, ino }: Stats, kind: Kind): boolean {
    const size = this.#seen.size;
    return this.#seen.add(`${kind} ${dev} ${ino}`).size > size;
  }

  #text(path: string, stat: Stats, kind: Kind): void {
    const bytes = this.#read(path, stat, kind);
    if (bytes === undefined) return;
    const seen = actingParts(bytes.toString("utf8"), { injections: kind !== "agent" });
    // Whatever the encoding or the header hides from the look above, the loader sees.
    const loaded = kind === "agent" ? [] : this.#acting(bytes);
    const parts = [...seen, ...loaded.filter((line) => !seen.some((part) => part.includes(line)))];
    const exact = () => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
    if (parts.length > 0) this.#push({ path, kind, text: parts.join("\n"), exact: exact() });
  }

  /** Undefined when it is over a bound (which is an item then) or cannot be read by us, and so by nobody here. */
  #read(path: string, stat: Stats, kind: string): Buffer | undefined {
    if (!stat.isFile()) return this.#unchecked(path, kind, "it is not a regular file");
    if (stat.size > MAX_FILE) return this.#unchecked(path, kind, "too large to check");
    this.#bytes += stat.size;
    if (this.#bytes > MAX_BYTES) return this.#overflow(path, kind);
    try {
      return readFileSync(path);
    } catch {
      return undefined; // said above
    }
  }

  #overflow(path: string, kind: string): undefined {
    this.#full = true;
    return this.#unchecked(
      path,
      kind,
      `too large to check: more than ${MAX_ENTRIES} files, 4 MB or ${MAX_DEPTH} levels`,
    );
  }

  #unchecked(path: string, kind: string, why: string): undefined {
    this.#push({ path, kind, text: why, exact: undefined });
  }

  #push({ path, ...item }: { path: string; kind: string; text: string; exact: string | undefined }): void {
    this.items.push({ folder: this.#real, file: relative(this.#folder, path), ...item });
  }
}

function isRead(name: string, kind: Kind): boolean {
  return kind === "skill" ? basename(name).toLowerCase() === "skill.md" : name.toLowerCase().endsWith(".md");
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // a circle of links, or a folder we may not look into: nothing there can be read
  }
}

function listed(directory: string): string[] {
  try {
    return readdirSync(directory).toSorted();
  } catch {
    return []; // not there, not a folder, or not for us to read
  }
}

// Whether a project may act: what in it can, what of that the person has seen and trusted, and what is new since.
import { changeTrust, readTrust } from "./trust-store.ts";

/** One thing in a project that can act: a rule, a hook, a server, a variable, a skill that runs something. */
export type ActingItem = {
  /** The real path of the folder whose `.claude`, `.nanocode` or `.mcp.json` it stands in: trust is kept per folder. */
  folder: string;
  /** Relative to the folder. */
  file: string;
  /** The settings key, or what it is: "MCP server x", "skill". */
  kind: string;
  /** What it does, for the person; not sanitised, without secret values, several lines. */
  text: string;
  /** What trust is given to. Undefined: it could not be checked, so it is never remembered. */
  exact: string | undefined;
};

/** The acting items of one folder. `changed`: others were trusted here before. */
export type Verdict = {
  folder: string;
  items: readonly ActingItem[];
  state: "trusted" | "new" | "changed";
  /** The items that are not trusted. */
  fresh: ReadonlySet<ActingItem>;
};

export type TrustOptions = {
  /** `~/.nanocode/trust.json` */
  path: string;
  items: readonly ActingItem[];
  /** Only a part of what can act was looked at (--setting-sources): the rest stays remembered. */
  partial?: boolean;
};

/**
 * A folder is trusted when each of its items is: less than what was trusted needs no new question, anything else does.
 * A folder with nothing that acts needs no trust.
 */
export class Trust {
  /** What is wrong with the record, as a sentence; then nothing is trusted. */
  readonly problem: string | undefined;
  #path: string;
  #partial: boolean;
  #verdicts: Verdict[];
  /** Folders that act in this run only. */
  #once = new Set<string>();

  constructor({ path, items, partial = false }: TrustOptions) {
    this.#path = path;
    this.#partial = partial;
    // Most projects have nothing that acts: then the record is not even read.
    const record = items.length > 0 ? readTrust(path) : { folders: new Map<string, string[]>() };
    this.#verdicts = judge(items, record.folders);
    const damaged = "damaged" in record ? record.damaged : undefined;
    this.problem = damaged && `${path} cannot be used (${damaged}): no folder is trusted until it is trusted anew.`;
  }

  /** Every folder with something that acts. */
  get verdicts(): readonly Verdict[] {
    return this.#verdicts;
  }

  /** The folders that may not act as things stand. */
  get open(): readonly Verdict[] {
    return this.#verdicts.filter(({ folder }) => !this.trusts(folder));
  }

  /** Whether what this folder (a real path) holds may act. */
  trusts(folder: string): boolean {
    if (this.#once.has(folder)) return true;
    return this.#verdicts.every((verdict) => verdict.folder !== folder || verdict.state === "trusted");
  }

  /** Everything may act in this run. */
  once(): void {
    for (const { folder } of this.#verdicts) this.#once.add(folder);
  }

  /** Everything may act from now on. Throws as changeTrust does; then it still may in this run. */
  remember(): void {
    this.once();
    changeTrust(this.#path, (folders) => {
      for (const { folder, items } of this.#verdicts) {
        const kept = this.#partial ? (folders.get(folder) ?? []) : [];
        folders.set(folder, [...kept, ...digests(items)]);
      }
    });
    this.#verdicts = this.#verdicts.map(remembered);
  }

  /** Forgets the folders; returns those that were trusted. Throws as changeTrust does. */
  forget(folders: readonly string[]): string[] {
    const known = readTrust(this.#path).folders;
    const gone = folders.filter((folder) => known.has(folder));
    if (gone.length > 0) changeTrust(this.#path, (all) => gone.forEach((folder) => all.delete(folder)));
    return gone;
  }

  /**
   * Items the person has just added to a folder themselves: they act from now on when the rest of the folder does,
   * without a question. False when the folder was not trusted; then nothing changes. Throws as changeTrust does.
   */
  add(folder: string, items: readonly ActingItem[]): boolean {
    const verdict = this.#verdicts.find((one) => one.folder === folder);
    if (verdict && verdict.state !== "trusted") return false;
    const result = { added: false };
    changeTrust(this.#path, (folders) => {
      const known = folders.get(folder);
      // Forgotten by another process meanwhile.
      if (verdict && !known) return;
      folders.set(folder, [...(known ?? []), ...digests(items)]);
      result.added = true;
    });
    return result.added;
  }
}

/** sha256 over where it stands and what it is; undefined for what could not be checked. */
export function digestOf({ file, kind, exact }: ActingItem): string | undefined {
  if (exact === undefined) return undefined;
  return new Bun.CryptoHasher("sha256").update(JSON.stringify([file, kind, exact])).digest("hex");
}

function digests(items: readonly ActingItem[]): string[] {
  return items.map(digestOf).filter((digest) => digest !== undefined);
}

function judge(items: readonly ActingItem[], trusted: ReadonlyMap<string, readonly string[]>): Verdict[] {
  const folders = Map.groupBy(items, (item) => item.folder);
  return [...folders].map(([folder, own]) => {
    const known = trusted.get(folder);
    const digests = new Set(known);
    const fresh = new Set(own.filter((item) => !digests.has(digestOf(item) ?? "")));
    const state = fresh.size === 0 ? "trusted" : known === undefined ? "new" : "changed";
    return { folder, items: own, state, fresh };
  });
}

/** What could not be checked stays untrusted. */
function remembered(verdict: Verdict): Verdict {
  const fresh = new Set(verdict.items.filter((item) => item.exact === undefined));
  return { ...verdict, fresh, state: fresh.size === 0 ? "trusted" : "changed" };
}

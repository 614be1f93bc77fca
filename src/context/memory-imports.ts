// The text of a memory file: block comments taken out, and the `@path` imports it names outside of code.
import { join, resolve } from "node:path";

export type Scanned = {
  text: string;
  /** As written, without the `@`; each once. */
  imports: string[];
};

const COMMENT = /^ {0,3}<!--/;
/** What begins a new block: a code span does not go on across it. */
const BLOCK = /^\s*(?:[-*+]|\d{1,9}[.)]|#{1,6}|>)(?:\s|$)/;
const IMPORT = /(?<=^|[\s(["'*_])@((?:\\ |[^\s`]){1,1024})/gm;
const PUNCTUATION = /[.,;:!?)\]}'"*_]{1,32}$/;
const TEXT_FILE = /\.(?:md|mdc|mdx|markdown|txt|rst|adoc|jsonc?|ya?ml|toml)$/i;

/** `source` has "\n" at its line ends. A comment that is never closed stays: what follows it is not lost. */
export function scanMemory(source: string): Scanned {
  const scan = new Scan(source.split("\n"));
  scan.run();
  return { text: scan.kept.join("\n"), imports: [...scan.imports] };
}

class Scan {
  readonly kept: string[] = [];
  readonly imports = new Set<string>();
  #lines: string[];
  #paragraph: string[] = [];
  #fence: string | undefined;
  #mayClose = true;

  constructor(lines: string[]) {
    this.#lines = lines;
  }

  run(): void {
    for (let i = 0; i < this.#lines.length; i++) {
      const line = this.#lines[i] ?? "";
      if (this.#fence === undefined && COMMENT.test(line)) {
        const end = this.#commentEnd(i);
        if (end !== undefined) {
          this.#flush();
          i = end;
          continue;
        }
      }
      this.kept.push(line);
      this.#read(line);
    }
    this.#flush();
  }

  /** The index of the last line that is done with; what follows the comment on its last line is put back. */
  #commentEnd(from: number): number | undefined {
    if (!this.#mayClose) return undefined;
    for (let i = from; i < this.#lines.length; i++) {
      const line = this.#lines[i] ?? "";
      const at = line.indexOf("-->", i === from ? line.indexOf("<!--") + 4 : 0);
      if (at < 0) continue;
      const rest = line.slice(at + 3);
      if (rest.trim() === "") return i;
      this.#lines[i] = rest.trimStart();
      return i - 1;
    }
    // Looked for once: a file full of openings must not be read through for each of them.
    this.#mayClose = false;
    return undefined;
  }

  #read(line: string): void {
    const mark = fenceOf(line);
    if (this.#fence !== undefined) {
      const closes = mark?.rest === "" && mark.fence.startsWith(this.#fence);
      if (closes) this.#fence = undefined;
      return;
    }
    const opens = mark && !(mark.fence.startsWith("`") && mark.rest.includes("`"));
    if (opens || line.trim() === "" || BLOCK.test(line)) this.#flush();
    if (opens) this.#fence = mark.fence;
    else this.#paragraph.push(line);
  }

  #flush(): void {
    const text = this.#paragraph.splice(0).join("\n");
    if (!text.includes("@")) return;
    for (const [, token = ""] of withoutSpans(text).matchAll(IMPORT)) {
      const path = token.replace(PUNCTUATION, "").replaceAll("\\ ", " ");
      if (path !== "") this.imports.add(path);
    }
  }
}

/** Quotes and a list's mark before it do not count. */
function fenceOf(line: string): { fence: string; rest: string } | undefined {
  const bare = line.replace(/^[\s>]+/, "").replace(/^(?:[-*+]|\d{1,9}[.)])\s+/, "");
  const fence = /^(?:`{3,}|~{3,})/.exec(bare)?.[0];
  return fence === undefined ? undefined : { fence, rest: bare.slice(fence.length).trim() };
}

/** Code spans as one backtick each: a run of them up to the next run of the same length. */
function withoutSpans(text: string): string {
  const runs = [...text.matchAll(/`+/g)].map(({ 0: run, index }) => ({ length: run.length, index }));
  // The next run of the same length, for each: from the back, so that the whole is linear.
  const nearest = new Map<number, number>();
  const partner = new Array<number | undefined>(runs.length);
  for (const [i, { length }] of [...runs.entries()].reverse()) {
    partner[i] = nearest.get(length);
    nearest.set(length, i);
  }
  let out = "";
  let from = 0;
  for (let i = 0; i < runs.length; i++) {
    const run = runs[i];
    const end = runs[partner[i] ?? -1];
    if (!run || !end || text[run.index - 1] === "\\") continue;
    out += `${text.slice(from, run.index)}\``;
    from = end.index + end.length;
    i = partner[i] ?? i;
  }
  return out + text.slice(from);
}

/** Where an import leads: from home, absolute, or beside the file that names it (`folder`). */
export function importTarget(path: string, { folder, home }: { folder: string; home: string }): string {
  return path.startsWith("~/") ? join(home, path.slice(2)) : resolve(folder, path);
}

/** Whether somebody meant a file: `@name`, `@scope/package` and `@/alias` are not missing when there is none. */
export function isMeant(path: string): boolean {
  return /^(?:\.{1,2}|~)\//.test(path) || TEXT_FILE.test(path);
}

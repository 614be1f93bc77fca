// What the person is shown and asked about a project that can act: the question at the start, `nanocode trust`, and the
// one line of print mode. Texts are not sanitised here.
import { UsageError } from "../core/errors.ts";

export type TrustItem = { file: string; kind: string; text: string; exact: string | undefined };
export type TrustFolder = {
  folder: string;
  items: readonly TrustItem[];
  state: "trusted" | "new" | "changed";
  /** The items that are not trusted. */
  fresh: ReadonlySet<TrustItem>;
};
export type TrustAnswer = "always" | "once" | "no";

const PAGE_LINES = 20;
const COLUMNS = 80;
const SHOWN_KINDS = 8;
const MAX_NAME = 80;
const QUESTION = [
  "Until it is trusted, only what makes it stricter counts. Let it act?",
  "  y = yes, now and later (asked again when something is added), o = only this time, n = no",
].join("\n");

/**
 * Shows all of it, page by page, and asks. Yes can only be said at the end, no at every page; no more input is a no.
 * `next` is the next line the person types.
 */
export async function askTrust(
  folders: readonly TrustFolder[],
  { say, next }: { say(text: string): void; next(): Promise<string | undefined> },
): Promise<TrustAnswer> {
  const pages = pagesOf(
    listing(folders, "This project has settings that act: they run programs, or let them run unasked."),
  );
  for (const [i, page] of pages.entries()) {
    say(page);
    if (i === pages.length - 1) break;
    say(`-- page ${i + 1} of ${pages.length}: Enter shows more, n = no --`);
    const line = await next();
    if (line === undefined || isNo(line)) return "no";
  }
  for (;;) {
    say(QUESTION);
    const line = await next();
    const word = line?.trim().toLowerCase() ?? "n";
    if (word === "y" || word === "yes") return "always";
    if (word === "o" || word === "once") return "once";
    if (word === "" || isNo(word)) return "no";
  }
}

function isNo(line: string): boolean {
  return /^\s*(n|no|q)\s*$/i.test(line);
}

export type TrustWorld = {
  /** The folders with something that acts. */
  verdicts: readonly TrustFolder[];
  /** All of the project's, from where we are up to its root. */
  folders: readonly string[];
  remember(): void;
  /** Returns the folders that were trusted. */
  forget(): readonly string[];
};

/** `nanocode trust [status|yes|no]`: the text to print. Throws UsageError. */
export function trustCommand(args: readonly string[], { verdicts, folders, remember, forget }: TrustWorld): string {
  const [verb = "status", extra] = args;
  if (extra !== undefined || !["status", "yes", "no"].includes(verb)) {
    throw new UsageError("error: trust has three commands: nanocode trust [status|yes|no]");
  }
  if (verb === "no") {
    const gone = forget();
    return gone.length > 0 ? `No longer trusted: ${gone.join(", ")}` : "It was not trusted.";
  }
  if (verdicts.length === 0) return `Nothing in ${folders[0] ?? "this folder"} acts: there is nothing to trust.`;
  if (verb === "yes") {
    remember();
    return [...listing(verdicts, "Trusted from now on:", "unmarked"), ...cannotStay(verdicts)].join("\n");
  }
  const open = verdicts.some(({ state }) => state !== "trusted");
  const closing = open ? "Trust it with: nanocode trust yes" : "Forget it with: nanocode trust no";
  return [...listing(verdicts, "What acts in this project:"), closing].join("\n");
}

function cannotStay(folders: readonly TrustFolder[]): string[] {
  const odd = folders.flatMap(({ items }) => items.filter(({ exact }) => exact === undefined));
  return odd.length === 0
    ? []
    : [`What cannot be checked is not remembered: ${odd.map(({ file }) => file).join(", ")}`];
}

/** The one line that names what an untrusted folder sets in vain, and how to change that. */
export function ignoredLine({ folder, fresh, items, state }: TrustFolder): string {
  const names = [...Map.groupBy(items, ({ file }) => file)].map(([file, own]) => {
    const kinds = [...new Set(own.map(({ kind }) => short(kind)))];
    const more = kinds.length > SHOWN_KINDS ? ` and ${kinds.length - SHOWN_KINDS} more` : "";
    return `${kinds.slice(0, SHOWN_KINDS).join(", ")}${more} in ${short(file)}`;
  });
  const shown = names.slice(0, SHOWN_KINDS).join("; ");
  const more = names.length > SHOWN_KINDS ? `; and ${names.length - SHOWN_KINDS} more files` : "";
  const why = state === "changed" ? `has ${fresh.size} new or changed settings since it was trusted` : "is not trusted";
  return `${folder} ${why}, so none of this acts: ${shown}${more}. See "nanocode trust"; "nanocode trust yes" or --trust lets it act.`;
}

function short(name: string): string {
  const line = oneLine(name);
  return line.length > MAX_NAME ? `${line.slice(0, MAX_NAME - 1)}…` : line;
}

/** All of it, one entry per line or more; what is not trusted has a + in front. */
function listing(folders: readonly TrustFolder[], title: string, marks: "marked" | "unmarked" = "marked"): string[] {
  return [
    title,
    ...folders.flatMap(({ folder, items, fresh, state }) => [
      marks === "marked" ? `${folder} (${stateText(state)})` : folder,
      ...[...Map.groupBy(items, ({ file }) => file)].flatMap(([file, own]) => [
        `  ${oneLine(file)}`,
        ...own.map((item) => entry(item, marks === "marked" && fresh.has(item))),
      ]),
    ]),
  ];
}

function stateText(state: TrustFolder["state"]): string {
  if (state === "changed") return "trusted before, but not what is marked with +";
  return state === "new" ? "not trusted" : "trusted";
}

/** What follows in further lines stands behind a bar, so that no text can pass for one of ours. */
function entry({ kind, text }: TrustItem, isNew: boolean): string {
  return `  ${isNew ? "+" : " "} ${oneLine(kind)}: ${visible(text).split("\n").join("\n      | ")}`;
}

/** A name in one line, whole. */
function oneLine(name: string): string {
  return visible(name).replaceAll("\n", "\\n");
}

/** Nothing is pushed out of sight by blanks or empty lines. */
function visible(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replace(/(?<=\S)[^\S\n]{4,}|^[^\S\n]{17,}/gm, (run) => `[${run.length} blanks]`)
    .replace(/\n(?:[^\S\n]*\n){2,}/g, (run) => `\n[${run.split("\n").length - 2} empty lines]\n`);
}

/** Entries together until a page is full, counted in lines of the screen. */
function pagesOf(entries: readonly string[]): string[] {
  const pages: string[][] = [[]];
  let used = 0;
  for (const text of entries) {
    const height = text.split("\n").reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / COLUMNS)), 0);
    if (used > 0 && used + height > PAGE_LINES) {
      pages.push([]);
      used = 0;
    }
    pages.at(-1)?.push(text);
    used += height;
  }
  return pages.map((page) => page.join("\n"));
}

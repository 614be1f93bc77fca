// What the analysis of a command text comes to: its simple commands, each with what it touches.

/** Stands in a part's text for whatever is only known when the command runs. */
export const UNKNOWN = "\uFFFF";

/** A path as given (made absolute, `.` and `..` removed) and where it really leads for a program that opens it. */
export type Place = { given: string; real: string };

/** Both forms; one where they are the same, as they nearly always are. */
export function formsOf({ given, real }: Place): readonly string[] {
  return given === real ? [given] : [given, real];
}

/** `places` is undefined when they are only known at run time. `shown`: for people. */
export type Reads = {
  shown: string;
  places: readonly Place[] | undefined;
  what: "content" | "names";
  recursive: boolean;
  /** Links below it are followed, wherever they lead. */
  follows: boolean;
  /** Of a program that is not known, words are only taken for paths. */
  guess: boolean;
  /** Names handed over when it runs, found to be files of the workspace by the program that hands them. */
  handed: boolean;
};
export type Writes = {
  shown: string;
  places: readonly Place[] | undefined;
  how: "write" | "remove";
  /** Of a place that is not known: where it could well be. */
  maybe?: readonly Place[];
  /** Of a removal that is not known: what the text names may be in it. */
  outer?: true;
  /** Not all of it: what a test picks out. */
  some: boolean;
  recursive: boolean;
  /** By a redirection of the shell: no rule about the command covers it. */
  redirect: boolean;
  /** Everything in the folder, not the folder (`x/*`), or a folder that is not known. */
  shape: "path" | "everything" | "rootless";
};

/** One simple command, or a construct of the shell that does something by itself (then `text` is ""). */
export type Part = {
  /** As it stands in the text. */
  source: string;
  /** Words after quote removal, single blanks between them; UNKNOWN for what is not known. */
  text: string;
  /** The command word, when it is known. */
  program: string | undefined;
  /** `read`: only reads. `files`: exactly `writes`. `unknown`: anything. Redirections and `inner` come on top. */
  effect: "read" | "files" | "unknown";
  /** Why it is not just reading; "" for `read`. */
  why: string;
  /** A known program for changing files that acceptEdits may approve. */
  editing: boolean;
  reads: readonly Reads[];
  writes: readonly Writes[];
  /** Every assignment in front is harmless. */
  harmlessPrefix: boolean;
  /** What it runs in turn. An allow rule may look at these instead only when `transparent`. */
  inner: readonly Part[];
  transparent: boolean;
};

export type Analysis = {
  parts: readonly Part[];
  /** Why the text as a whole is not understood; no pattern of an allow rule can vouch for it then. */
  problem: string | undefined;
  /** False: there may be commands in it that are not among the parts. */
  complete: boolean;
};

/** The parts and all they run, each behind the one that runs it. */
export function withAllInner(parts: readonly Part[]): readonly Part[] {
  if (parts.every((part) => part.inner.length === 0)) return parts;
  const all: Part[] = [];
  addAllInner(parts, all);
  return all;
}

function addAllInner(parts: readonly Part[], into: Part[]): void {
  for (const part of parts) {
    into.push(part);
    if (part.inner.length > 0) addAllInner(part.inner, into);
  }
}

export function mayChange({ effect, writes, inner }: Part): boolean {
  return effect !== "read" || writes.length > 0 || inner.some(mayChange);
}

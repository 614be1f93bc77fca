// The vocabulary of the shell analysis: arguments as far as they are known beforehand, and what a program does with them.

/** One argument of a simple command, after quote removal, brace expansion and what is known of variables. */
export type Arg =
  /** Exactly this one word. `split`: one of several out of a value that zsh does not split. */
  | { kind: "text"; text: string; split?: true }
  /** One word, one of these: a loop variable over literal words. */
  | { kind: "oneof"; texts: readonly string[] }
  /**
   * Names of files (an attacker may have chosen them), or the pattern itself when nothing matches. In `pattern` a
   * backslash makes the next character literal; `start` is the literal text before the first special character.
   * `single`: one of the names (a loop variable), not all of them. `or`: or a name by one of these patterns; `start` is then
   * that of the word which says least.
   */
  | { kind: "glob"; pattern: string; start: string; single: boolean; or?: readonly string[] }
  /**
   * Known only when it runs; begins with the literal `start`, ends with `end`. `single`: surely one word, not none or
   * several. `maybe`: some of what it could well be, for what must not be missed. `like`: what it is, with a 1 for
   * each number in it that is only known when it runs; "": a number or nothing. `digits`: a number or the
   * name of a commit, or several words or none that begin with one. `blank`: what it is, as a pattern, where all that is
   * not known is nothing at all. `outer`: a parameter, or read from somewhere: whatever the text names could be in it.
   */
  | {
      kind: "unknown";
      start: string;
      single: boolean;
      end?: string;
      maybe?: readonly string[];
      like?: string;
      digits?: true;
      blank?: string;
      outer?: true;
    };

/**
 * A path a command looks at. `content`: what is in it may be printed; `names`: only names, sizes, types. `follows`: with
 * everything below, and the links met there are followed.
 */
export type Use = { arg: Arg; what: "content" | "names"; recursive?: boolean; follows?: boolean };

/**
 * A path a command changes. `remove` takes everything below with it, `some`: only what a test picks out of it; `write`
 * creates, replaces or alters. `onlyIn`: only where that is a folder.
 */
export type Change = { arg: Arg; how: "write" | "remove"; recursive?: boolean; some?: boolean; onlyIn?: Arg };

/**
 * What one program does with its arguments.
 * `read`: provably nothing but looking at `reads`. `files`: changes exactly `writes`, looks at `reads`, nothing else.
 * `unknown`: anything; what is known of reads and writes still helps rules that forbid.
 */
export type Judgement = {
  effect: "read" | "files" | "unknown";
  /** For people, when the effect is not `read`: "sort -o writes a file", "git push is not read-only". */
  why: string;
  reads: readonly Use[];
  writes: readonly Change[];
  /** Commands it starts; each is judged as a command of its own. */
  nested: readonly Nested[];
};

/** `words[0]` is the program. */
export type Nested = {
  words: readonly Arg[];
  /** Arguments that are added when it runs (xargs, find -exec): what is known of them. */
  added?: Added;
  /** Assignments in front (env A=1 cmd). */
  assignments?: readonly { name: string; value: Arg }[];
  /** Only perhaps what it runs: for rules that forbid. */
  guess?: true;
  /** Text to be parsed as a shell script instead of `words` (bash -c, eval). */
  script?: string;
};

/**
 * Names that a program hands on. `dotted`: every name begins with `./` or another literal that is no option. `files`: they
 * come from `find -type f` without following links, as whole names (-print0 with -0, or -exec): their content is in the
 * workspace.
 */
export type Added = { dotted: boolean; files: boolean };

/**
 * What comes in, as far as xargs and shells need it. `lines`: all of it, plain words with single blanks. `text`: about all of
 * it, for rules that forbid.
 */
export type Feed = Added & { nul: boolean; lines?: readonly string[]; text?: string };

export type Call = {
  name: string;
  args: readonly Arg[];
  feed?: Feed;
  added?: Added;
};

export type Program = (call: Call) => Judgement;

export const READS_NOTHING: Judgement = { effect: "read", why: "", reads: [], writes: [], nested: [] };

/** Reads these and does nothing else. */
export function onlyReads(reads: readonly Use[]): Judgement {
  return { effect: "read", why: "", reads, writes: READS_NOTHING.writes, nested: READS_NOTHING.nested };
}

export function unknownEffect(why: string, known: Partial<Judgement> = {}): Judgement {
  const { reads, writes, nested } = known;
  return {
    effect: "unknown",
    why,
    reads: reads ?? READS_NOTHING.reads,
    writes: writes ?? READS_NOTHING.writes,
    nested: nested ?? READS_NOTHING.nested,
  };
}

export function textArg(text: string): Arg {
  return { kind: "text", text };
}

/** The text when it is exactly known. */
export function literal(arg: Arg | undefined): string | undefined {
  return arg?.kind === "text" ? arg.text : undefined;
}

/** Whether the word could begin with a dash, and so be taken for an option. */
export function mayBeOption(arg: Arg): boolean {
  switch (arg.kind) {
    case "text":
      return arg.text.startsWith("-") && arg.text !== "-";
    case "oneof":
      return arg.texts.some((text) => text.startsWith("-") && text !== "-");
    case "glob":
    case "unknown":
      return arg.start === "" || arg.start.startsWith("-") || (arg.kind === "unknown" && !arg.single && !arg.digits);
    default:
      return arg satisfies never;
  }
}

/** Names below those the argument stands for. */
export function below(arg: Arg & { kind: "glob" }, rest: string): Arg & { kind: "glob" } {
  const { or } = arg;
  return { ...arg, pattern: arg.pattern + rest, ...(or ? { or: or.map((pattern) => pattern + rest) } : {}) };
}

/** With a backslash before what would be special in a pattern. */
export function asPattern(text: string): string {
  return /[*?[\\]/.test(text) ? text.replace(/[*?[\\]/g, "\\$&") : text;
}

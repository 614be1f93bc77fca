// What the Grep tool asks its worker, and what comes back. Plain data: it crosses a thread.

export type GrepJob = {
  pattern: string;
  ignoreCase: boolean;
  multiline: boolean;
  mode: "list" | "count" | "content";
  /** Absolute. */
  root: string;
  /** Relative to `root`, with "/"; searched in this order. "" is the root itself, when it is a file. */
  files: string[];
  before: number;
  after: number;
  onlyMatching: boolean;
  /** Of the lines in content mode: how many to leave out, and how many to return. Infinity: all of them. */
  offset: number;
  limit: number;
  /** Of the returned lines in content mode, together. */
  maxChars: number;
};

/** `gap`: lines were left out between this line and the one before. `line` counts from 1. */
export type GrepLine = { file: number; line: number; isMatch: boolean; gap: boolean; text: string };

export type GrepReply = {
  /** Indexes into `files`. `count`: matching lines; in multiline mode, matches. List mode stops at 1. */
  found: { file: number; count: number }[];
  lines: GrepLine[];
  /** Content mode stopped at its limit with more to come. */
  more: boolean;
  /** Indexes into `files`. */
  binary: number[];
  unreadable: { file: number; reason: string }[];
  /** Too large for multiline mode, which needs the whole text. */
  tooLarge: number[];
};

/** What the worker posts: the reply or, when our own code failed, the error's text. */
export type WorkerMessage = { reply: GrepReply } | { error: string };

/** A shown line is cut to this many characters around its first match. */
export const maxLineChars = 500;
/** Text that must be held whole: a file in multiline mode or in UTF-16. */
export const maxWholeFile = 64 << 20;

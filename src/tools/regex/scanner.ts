// The cursor both halves of the pattern parser share, and the one way they fail.

export type Scanner = {
  readonly text: string;
  at: number;
  /** Inside a class `[` is a plain character, as in most other dialects, unless it opens `[:name:]`. */
  readonly plainBrackets: boolean;
};

export function failure(scan: Scanner, why: string): Error {
  const from = Math.max(0, scan.at - 30);
  const near = scan.text.slice(from, scan.at + 30);
  const where = near.trim() === "" ? "" : ` near \`${from > 0 ? "…" : ""}${near}\``;
  return new Error(`The pattern is not valid: ${why}. (character ${scan.at + 1}${where})`);
}

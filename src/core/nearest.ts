// The nearest known name to a mistyped one, for "did you mean".

/** The candidate with the smallest edit distance (case ignored), or undefined when none is close (two edits, or a third of a long word). */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase();
  const limit = wanted.length <= 2 ? 1 : Math.max(2, Math.floor(wanted.length / 3));
  const found: { name: string | undefined; distance: number } = { name: undefined, distance: limit + 1 };
  for (const name of candidates) {
    const distance = editDistance(wanted, name.toLowerCase());
    if (distance < found.distance) Object.assign(found, { name, distance });
  }
  return found.name;
}

/** Levenshtein distance; `limit + 1` as soon as it is known to be larger than `limit`. */
export function editDistance(a: string, b: string, limit = Number.POSITIVE_INFINITY): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    if (Math.min(...next) > limit) return limit + 1;
    row = next;
  }
  return row[b.length] ?? 0;
}

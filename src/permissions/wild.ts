// Patterns with `*`, matched in time proportional to the text: a hostile pattern or text must not cost seconds.

/** One step of a pattern: a character, any one character, a class, or any run of characters. */
type Step =
  { kind: "char"; char: string } | { kind: "any" } | { kind: "class"; test(char: string): boolean } | { kind: "star" };

export type Steps = readonly Step[];

/**
 * `*` and `?` as in file names, `[...]` as a class, a backslash makes the next character literal. `exact`: a class matches
 * what it says, and nothing where that is not known (`[[.a.]]`); otherwise rather more, in either case.
 */
export function fileSteps(
  pattern: string,
  { ignoreCase = false, exact = false }: { ignoreCase?: boolean; exact?: boolean } = {},
): Steps {
  const steps: Step[] = [];
  const chars = [...(ignoreCase ? pattern.toLowerCase() : pattern)];
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] ?? "";
    if (char === "*") {
      if (steps.at(-1)?.kind !== "star") steps.push({ kind: "star" });
    } else if (char === "?") steps.push({ kind: "any" });
    else if (char === "\\" && i + 1 < chars.length) steps.push({ kind: "char", char: chars[++i] ?? "" });
    else if (char === "[") {
      const end = classEnd(chars, i);
      if (end < 0) steps.push({ kind: "char", char });
      else {
        steps.push({ kind: "class", test: classTest(chars.slice(i + 1, end), exact) });
        i = end;
      }
    } else steps.push({ kind: "char", char });
  }
  return steps;
}

/** Only `*` is special (Bash rules). */
export function starSteps(pattern: string): Steps {
  const steps: Step[] = [];
  for (const char of pattern) {
    if (char !== "*") steps.push({ kind: "char", char });
    else if (steps.at(-1)?.kind !== "star") steps.push({ kind: "star" });
  }
  return steps;
}

/** For names in one folder; a class in brackets may match more than the shell's would (either case). */
export function textMatcher(pattern: string): (text: string) => boolean {
  const steps = fileSteps(pattern);
  return (text) => matches(steps, text);
}

export function matches(steps: Steps, text: string): boolean {
  const [first] = steps;
  // Most rules are about another program.
  if (first?.kind === "char" && !text.startsWith(first.char)) return false;
  const chars = [...text];
  let at = 0;
  let step = 0;
  let star = -1;
  let retry = 0;
  while (at < chars.length) {
    const now = steps[step];
    if (now?.kind === "star") {
      star = step++;
      retry = at;
    } else if (now && fits(now, chars[at] ?? "")) {
      at++;
      step++;
    } else if (star >= 0) {
      step = star + 1;
      at = ++retry;
    } else return false;
  }
  while (steps[step]?.kind === "star") step++;
  return step === steps.length;
}

/** Whether some text that `unknown` characters of `text` could stand for would match. */
export function couldMatch(steps: Steps, text: string, unknown: string): boolean {
  const chars = [...text];
  // reachable[i]: the steps so far can have used exactly the first i characters.
  let reachable = new Array<boolean>(chars.length + 1).fill(false);
  reachable[0] = true;
  const spread = (row: boolean[]) => {
    for (let i = 0; i < chars.length; i++) if (row[i] && chars[i] === unknown) row[i + 1] = true;
    return row;
  };
  reachable = spread(reachable);
  for (const step of steps) {
    const next = new Array<boolean>(chars.length + 1).fill(false);
    for (let i = 0; i <= chars.length; i++) {
      if (step.kind === "star") next[i] = Boolean(reachable[i]) || (i > 0 && Boolean(next[i - 1]));
      else if (reachable[i]) {
        const char = chars[i];
        if (char === unknown) next[i] = true;
        if (i > 0 && chars[i - 1] === unknown) next[i] = true;
        if (char !== undefined && char !== unknown && fits(step, char)) next[i + 1] = true;
      }
    }
    reachable = spread(next);
  }
  return Boolean(reachable[chars.length]);
}

function fits(step: Step, char: string): boolean {
  switch (step.kind) {
    case "char":
      return step.char === char;
    case "any":
      return true;
    case "class":
      return step.test(char);
    case "star":
      return false;
    default:
      return step satisfies never;
  }
}

function classEnd(chars: readonly string[], open: number): number {
  let i = open + 1;
  if (chars[i] === "!" || chars[i] === "^") i++;
  if (chars[i] === "]") i++;
  for (; i < chars.length; i++) {
    if (chars[i] === "\\") i++;
    else if (chars[i] === "[" && /[:.=]/.test(chars[i + 1] ?? "")) {
      const kind = chars[i + 1];
      const close = chars.findIndex((char, j) => j > i + 1 && char === kind && chars[j + 1] === "]");
      if (close > 0) i = close + 1;
    } else if (chars[i] === "]") return i;
  }
  return -1;
}

type CharTest = (char: string) => boolean;

function classTest(body: readonly string[], exact: boolean): CharTest {
  const negated = body[0] === "!" || body[0] === "^";
  const tests = classItems(negated ? body.slice(1) : body);
  if (!tests) return () => !exact;
  const inside = (char: string) => tests.some((test) => test(char));
  if (negated) return (char) => !inside(char);
  if (exact) return inside;
  return (char) => inside(char) || inside(char.toLowerCase()) || inside(char.toUpperCase());
}

/** Characters, ranges and named classes; undefined when there is something else in it. */
function classItems(chars: readonly string[]): CharTest[] | undefined {
  const tests: CharTest[] = [];
  for (let i = 0; i < chars.length; i++) {
    const [, name] = /^\[:(\w*):\]/.exec(chars.slice(i, i + LONGEST_NAME).join("")) ?? [];
    if (name !== undefined) {
      const named = NAMED[name];
      if (!named) return undefined;
      tests.push((char) => named.test(char));
      i += name.length + 3;
      continue;
    }
    if (chars[i] === "[" && /[.=:]/.test(chars[i + 1] ?? "")) return undefined;
    if (chars[i] === "\\") i++;
    const from = chars[i] ?? "";
    const end = chars[i + 1] === "-" && i + 2 < chars.length ? i + 2 : undefined;
    if (end === undefined) {
      tests.push((char) => char === from);
      continue;
    }
    i = chars[end] === "\\" ? end + 1 : end;
    const to = chars[i] ?? "";
    tests.push((char) => char >= from && char <= to);
  }
  return tests;
}

/** `[:xdigit:]` */
const LONGEST_NAME = 10;
/** As git takes them: of ASCII only. */
const NAMED: Readonly<Record<string, RegExp>> = {
  alnum: /^[A-Za-z0-9]$/,
  alpha: /^[A-Za-z]$/,
  blank: /^[ \t]$/,
  cntrl: /^[\x00-\x1f\x7f]$/,
  digit: /^[0-9]$/,
  graph: /^[!-~]$/,
  lower: /^[a-z]$/,
  print: /^[ -~]$/,
  punct: /^[!-/:-@[-`{-~]$/,
  space: /^[ \t-\r]$/,
  upper: /^[A-Z]$/,
  xdigit: /^[A-Fa-f0-9]$/,
};

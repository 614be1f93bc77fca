// gitignore rules: read from text, and asked about one path at a time.

export type Verdict = "ignored" | "included";

export type IgnoreRule = {
  negated: boolean;
  /** Written with a trailing slash: folders only. */
  folderOnly: boolean;
  /** `path`: relative to the rules' own folder, with "/". */
  matches(path: string, name: string): boolean;
};

/** Reads the text of a .gitignore (or .ignore, exclude, ...). Lines git could not read match nothing, as there. */
export function parseIgnore(text: string): IgnoreRule[] {
  const rules: IgnoreRule[] = [];
  for (const line of text.replace(/^\uFEFF/, "").split("\n")) {
    const rule = parseLine(line.replace(/\r$/, ""));
    if (rule) rules.push(rule);
  }
  return rules;
}

/** The last rule that matches decides; undefined when none does. */
export function judge(
  rules: readonly IgnoreRule[],
  path: string,
  name: string,
  isFolder: boolean,
): Verdict | undefined {
  for (let i = rules.length - 1; i >= 0; i--) {
    const rule = rules[i];
    if (!rule || (rule.folderOnly && !isFolder)) continue;
    if (rule.matches(path, name)) return rule.negated ? "included" : "ignored";
  }
  return undefined;
}

function parseLine(line: string): IgnoreRule | undefined {
  if (line.startsWith("#")) return undefined;
  let pattern = trimEnd(line);
  const negated = pattern.startsWith("!");
  if (negated) pattern = pattern.slice(1);
  const folderOnly = pattern.endsWith("/");
  if (folderOnly) pattern = pattern.slice(0, -1);
  const anchored = pattern.includes("/");
  if (pattern.startsWith("/")) pattern = pattern.slice(1);
  if (pattern === "") return undefined;
  return { negated, folderOnly, matches: pathMatcher(pattern, anchored) };
}

/** Spaces at the end do not count, unless escaped. */
function trimEnd(line: string): string {
  let end = line.length;
  while (end > 0 && line[end - 1] === " " && !escapedAt(line, end - 1)) end--;
  return line.slice(0, end);
}

function escapedAt(text: string, index: number): boolean {
  let slashes = 0;
  while (text[index - 1 - slashes] === "\\") slashes++;
  return slashes % 2 === 1;
}

function pathMatcher(pattern: string, anchored: boolean): IgnoreRule["matches"] {
  if (!/[*?[\\]/.test(pattern)) {
    return anchored ? (path) => path === pattern : (_, name) => name === pattern;
  }
  const suffix = /^\*([^*?[\\]+)$/.exec(pattern)?.[1];
  if (suffix !== undefined && !anchored) return (_, name) => name.endsWith(suffix);
  const translated = toGlob(pattern);
  if (translated === undefined) return () => false;
  const glob = new Bun.Glob(translated);
  return anchored ? (path) => glob.match(path) : (_, name) => glob.match(name);
}

const posixClasses: Record<string, string> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  blank: " \\t",
  digit: "0-9",
  lower: "a-z",
  space: " \\t\\r\\n",
  upper: "A-Z",
  xdigit: "0-9A-Fa-f",
};

/** git's wildcards in Bun's: there braces are special and `**` counts anywhere. Undefined: the pattern is malformed. */
function toGlob(pattern: string): string | undefined {
  let out = "";
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i] ?? "";
    if (char === "\\") {
      const next = pattern[++i];
      if (next === undefined) return undefined;
      out += `\\${next}`;
    } else if (char === "*") {
      const run = /^\*+/.exec(pattern.slice(i))?.[0].length ?? 1;
      const whole =
        run === 2 && (i === 0 || pattern[i - 1] === "/") && (i + 2 === pattern.length || pattern[i + 2] === "/");
      out += whole ? "**" : "*";
      i += run - 1;
    } else if (char === "[") {
      const found = readClass(pattern, i);
      if (!found) return undefined;
      out += found.text;
      i = found.end;
    } else {
      out += "{}!,".includes(char) ? `\\${char}` : char;
    }
  }
  return out;
}

/** The class that opens at `at`; a `]` that comes first is a member. */
function readClass(pattern: string, at: number): { text: string; end: number } | undefined {
  let i = at + 1;
  const negated = pattern[i] === "!" || pattern[i] === "^";
  if (negated) i++;
  let members = "";
  for (let first = true; first || pattern[i] !== "]"; first = false) {
    const named = /^\[:([a-z]+):\]/.exec(pattern.slice(i, i + 12));
    const char = pattern[i];
    if (char === undefined || (char === "\\" && pattern[i + 1] === undefined)) return undefined;
    if (named) {
      members += posixClasses[named[1] ?? ""] ?? "";
      i += named[0].length;
    } else if (char === "\\") {
      members += `\\${pattern[i + 1]}`;
      i += 2;
    } else {
      members += "[]!^{},".includes(char) ? `\\${char}` : char;
      i++;
    }
  }
  // A class never matches the separator.
  return { text: negated ? `[!${members}/]` : `[${members}]`, end: i };
}

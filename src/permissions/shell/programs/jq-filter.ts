// Whether a jq filter only computes: no environment, no modules, only functions that are known.

/** The reason why not, or undefined. */
export function jqFilterProblem(filter: string): string | undefined {
  const tokens = jqTokens(filter);
  if ("problem" in tokens) return tokens.problem;
  const defined = definitions(tokens);
  // In newer versions these may stand as a value in an object, and what is between their commas is no key.
  const hasCompound = tokens.some(({ inObject, kind, text }) => inObject && kind === "word" && COMPOUND.test(text));
  for (const [i, { kind, text }] of tokens.entries()) {
    if (kind !== "word") continue;
    if (tokens[i - 1]?.text === "$") {
      if (text === "ENV" || (text.startsWith("__") && text !== "__loc__")) return `$${text} is not allowed`;
      continue;
    }
    if (isKey(tokens, i) && !(hasCompound && LOOKS_AROUND.has(text))) continue;
    if (defined.has(text)) continue;
    if (!FUNCTIONS.has(text)) return `${text} is not known to be harmless`;
  }
  return undefined;
}

const COMPOUND = /^(if|try|reduce|foreach|label|def)$/;
const LOOKS_AROUND = new Set(["env", "modulemeta", "get_search_list", "import", "include"]);

type Token = { kind: "word" | "other"; text: string; inObject: boolean };

// Without env, import, include, modulemeta, get_search_list, and what only one of the programs called jq has.
const FUNCTIONS = new Set(
  `def if then elif else end as reduce foreach try catch label break and or not true false null __loc__
  abs add all any arrays ascii ascii_downcase ascii_upcase booleans bsearch builtins capture combinations contains
  dateadd datesub date debug del delpaths empty endswith error explode finites first flatten floor format from_entries
  fromdate fromdateiso8601 fromjson fromstream getpath gmtime group_by gsub halt halt_error has have_decnum
  have_literal_numbers implode in index indices infinite input input_filename input_line_number inputs inside isempty
  isfinite isinfinite isnan isnormal isvalid iterables join keys keys_unsorted last leaf_paths length limit localtime
  ltrimstr ltrim map map_values match max max_by min min_by mktime nan normals now nth nulls numbers objects path paths
  pick range recurse recurse_down repeat reverse rindex rtrimstr rtrim scalars scalars_or_empty scan select setpath skip
  sort sort_by split splits startswith stderr strflocaltime strftime strings strptime sub test to_entries toarray
  toboolean todate todateiso8601 tojson tonumber tostream tostring transpose trim trimstr truncate_stream type unique
  unique_by until utf8bytelength values walk while with_entries IN INDEX JOIN
  acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh drem erf erfc exp exp10 exp2 expm1 fabs fdim fma fmax
  fmin fmod frexp gamma hypot j0 j1 jn ldexp lgamma lgamma_r log log10 log1p log2 logb modf nearbyint nextafter nexttoward
  pow pow10 remainder rint round scalb scalbln significand sin sinh sqrt tan tanh tgamma trunc y0 y1 yn
  dateadd datesub getpath ascii limit error`
    .trim()
    .split(/\s+/),
);

function definitions(tokens: readonly Token[]): Set<string> {
  const found = new Set<string>();
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i]?.kind !== "word" || tokens[i]?.text !== "def") continue;
    let at = i + 1;
    found.add(tokens[at]?.text ?? "");
    if (tokens[at + 1]?.text !== "(") continue;
    for (at += 2; at < tokens.length && tokens[at]?.text !== ")"; at++) {
      if (tokens[at]?.kind === "word") found.add(tokens[at]?.text ?? "");
    }
  }
  // A definition of its own name for one of these would still call the real one before it.
  for (const name of LOOKS_AROUND) found.delete(name);
  return found;
}

/** `{env}` and `{env: 1}`: between values of an object a word is a key. */
function isKey(tokens: readonly Token[], i: number): boolean {
  const [before, token, after] = [tokens[i - 1], tokens[i], tokens[i + 1]];
  if (token?.inObject !== true || (before?.text !== "{" && before?.text !== ",")) return false;
  return after?.text === ":" || after?.text === "," || after?.text === "}";
}

const OPENERS: Readonly<Record<string, string>> = { ")": "(", "]": "[", "}": "{" };
const BLANK = /[ \t\n]+/y;
const WORD = /[A-Za-z_]\w*/y;
const FIELD = /\.[A-Za-z_]\w*/y;
const FORMAT = /@[A-Za-z0-9_]+/y;
const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/y;
const SYMBOL = /\?\/\/=?|\/\/=?|\.\.|\|=|[-+*/%=!<>]=|[-.[\]{}()|,:;=<>+*/%?$]/y;

/** Strings leave only what is in their `\( )`; fields (`.env`) leave nothing that is a word. */
function jqTokens(text: string): Token[] | { problem: string } {
  const tokens: Token[] = [];
  /** Open brackets and, as `"`, open strings. */
  const open: string[] = [];
  let at = 0;
  const match = (expression: RegExp): string | undefined => {
    expression.lastIndex = at;
    const found = expression.exec(text)?.[0];
    at += found?.length ?? 0;
    return found;
  };
  const push = (kind: Token["kind"], token: string) =>
    tokens.push({ kind, text: token, inObject: open.at(-1) === "{" });
  while (at < text.length) {
    if (open.at(-1) === '"') {
      at = stringPart(text, at, open);
      continue;
    }
    if (match(BLANK) !== undefined) continue;
    if (text[at] === "#") {
      const comment = match(/[^\n]*/y) ?? "";
      // From jq 1.7 on a backslash continues a comment, before it does not.
      if (/\\$|\r/.test(comment)) return { problem: "a comment that may go on in the next line" };
      continue;
    }
    if (text[at] === '"') {
      push("other", '"');
      open.push('"');
      at++;
      continue;
    }
    const other = match(FIELD) ?? match(FORMAT) ?? match(NUMBER);
    if (other !== undefined) {
      push("other", other);
      continue;
    }
    const word = match(WORD);
    if (word !== undefined) {
      if (text.startsWith("::", at)) return { problem: "a name in a module" };
      push("word", word);
      continue;
    }
    const symbol = match(SYMBOL);
    if (symbol === undefined) return { problem: `the character ${text[at]}` };
    if ("([{".includes(symbol)) {
      push("other", symbol);
      open.push(symbol);
      continue;
    }
    if (OPENERS[symbol] !== undefined) {
      if (open.pop() !== OPENERS[symbol]) return { problem: `a ${symbol} without its opening` };
    }
    push("other", symbol);
  }
  return open.length === 0 ? tokens : { problem: "something is not closed" };
}

/** One step inside a string; behind `\(` code goes on until the parenthesis closes. */
function stringPart(text: string, at: number, open: string[]): number {
  if (text[at] === '"') {
    open.pop();
    return at + 1;
  }
  if (text[at] !== "\\") return at + 1;
  if (text[at + 1] === "(") open.push("(");
  return at + 2;
}

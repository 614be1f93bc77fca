// For the tests of single programs: a command line of plain quoting becomes the arguments a program is judged by.
import type { Entry } from "../src/permissions/shell/programs/entry.ts";
import type { Added, Arg, Feed, Judgement } from "../src/permissions/shell/types.ts";
import { literal, textArg } from "../src/permissions/shell/types.ts";

/** Quotes as in a shell; `$x` is known only when it runs (one word inside double quotes), an unquoted `*` is a pattern. */
export function argsOf(line: string): Arg[] {
  const words = line.match(/(?:'[^']*'|"[^"]*"|\\.|[^\s'"\\])+/gs) ?? [];
  return words.map(argOf);
}

function argOf(word: string): Arg {
  const plain = word.replace(
    /'([^']*)'|"([^"]*)"|\\(.)/gs,
    (_, single, double, escaped) => single ?? double ?? escaped,
  );
  const bare = word.replace(/'[^']*'|\\./gs, "");
  if (bare.includes("$x"))
    return { kind: "unknown", start: plain.slice(0, plain.indexOf("$x")), single: bare.includes('"') };
  if (!bare.replace(/"[^"]*"/gs, "").includes("*")) return textArg(plain);
  return { kind: "glob", pattern: plain, start: plain.slice(0, plain.indexOf("*")), single: false };
}

/** Judges a command line by the table its first word is in. */
export function judged(
  table: ReadonlyMap<string, Entry>,
  line: string,
  more: { feed?: Feed; added?: Added } = {},
): Judgement {
  const [command, ...args] = argsOf(line);
  const name = literal(command) ?? "";
  const entry = table.get(name);
  if (!entry) throw new Error(`${name} is in none of the tables`);
  return entry.judge({ name, args, ...more });
}

/** The effect, and what is touched and run, in one line of text. */
export function summary(judgement: Judgement): string {
  const { effect, reads, writes, nested } = judgement;
  const uses = reads.map(
    ({ arg, what, recursive, follows }) =>
      `${what === "content" ? "r" : "n"}${follows ? "**" : recursive ? "*" : ""}:${shown(arg)}`,
  );
  const changes = writes.map(
    ({ arg, how, recursive }) => `${how === "write" ? "w" : "d"}${recursive ? "*" : ""}:${shown(arg)}`,
  );
  const runs = nested.map(({ words, script, added, assignments = [] }) => {
    const known = [...assignments.map(({ name, value }) => `${name}=${shown(value)}`), ...words.map(shown)].join(" ");
    const names = added ? ` +${added.dotted ? "dotted" : "any"}${added.files ? ",files" : ""}` : "";
    return script === undefined ? `[${known}${names}]` : `{${script}}`;
  });
  return [effect, ...uses, ...changes, ...runs].join(" ");
}

function shown(arg: Arg): string {
  switch (arg.kind) {
    case "text":
      return arg.text;
    case "oneof":
      return arg.texts.join("|");
    case "glob":
      return arg.pattern;
    case "unknown":
      return `${arg.start}…`;
    default:
      return arg satisfies never;
  }
}

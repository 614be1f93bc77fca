// Dangerous commands in every disguise: none of them is approved, whatever is wrapped around them; and nothing makes the engine stumble.
import { afterAll, describe, expect, test } from "bun:test";
import { parse } from "unbash";
import { corpus, decider, diceOf, SEED, type Dice } from "./permissions-cage-kit.ts";
import { Project } from "./permission-kit.ts";

const project = new Project();
afterAll(() => project.remove());
const decide = decider(project.root, project.home);

/** What is not approved by its text alone: what needs files to be dangerous is for the cage. */
const dangerous = corpus("dangerous")
  .filter(({ class: kind, shell }) => kind !== "zsh-syntax" && kind !== "odd-characters" && shell !== "zsh")
  .map(({ command }) => command)
  .filter((command) => decide(command) !== "allow");

const SIMPLE = /^([a-z][\w-]*)( |$)/;
/** No program of its own stands behind these names, so that a wrapper would run nothing. */
const BUILTIN =
  /^(cd|export|unset|set|shopt|alias|unalias|declare|typeset|local|readonly|read|mapfile|readarray|eval|source|exec|trap|builtin|enable|hash|let|pushd|popd|dirs|exit|return|break|continue|wait|bg|fg|jobs|disown|suspend|ulimit|umask|history|fc|bind|complete|compgen|compopt|caller|getopts|shift|times|type|help|logout|command|if|for|while|until|case|select|function|time|coproc)$/;

function program(text: string): string | undefined {
  const name = SIMPLE.exec(text)?.[1];
  if (name === undefined || BUILTIN.test(name)) return undefined;
  const script = parse(text);
  const [statement, ...more] = script.commands;
  if (script.errors?.length || more.length > 0 || statement?.background) return undefined;
  return statement?.command.type === "Command" ? name : undefined;
}

type Change = (text: string, dice: Dice) => string;

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
const lines =
  (before: string, after: string): Change =>
  (text) =>
    `${before}${text}\n${after}`;
const around =
  (before: string, after = ""): Change =>
  (text) =>
    `${before}${text}${after}`;

/** Each keeps what is run, and runs it. */
const STRUCTURES: readonly Change[] = [
  ...[
    "true && ",
    "ls; ",
    "! ",
    "time ",
    "time -p ",
    "\n",
    "# comment\n",
    "ls\n",
    "ls &\n",
    "false || ",
    "ls | cat;",
    ": ;",
  ].map((before) => around(before)),
  ...[
    " | cat",
    " && ls",
    "; true",
    " || true",
    " &",
    "\nls",
    " # end",
    "   ",
    "\n\n",
    " 2>/dev/null",
    " >/dev/null 2>&1",
  ].map((after) => around("", after)),
  lines("echo $(", ")"),
  lines('echo "$(', ')"'),
  lines("ls <(", ")"),
  lines("(", ")"),
  lines("( (", ") )"),
  lines("{ ", "}"),
  lines("if ", "then ls; fi"),
  lines("if true; then ", "fi"),
  lines("if false; then :; elif ", "then :; fi"),
  lines("if false; then :; else ", "fi"),
  lines("for i in 1; do ", "done"),
  lines("for i in $(", "); do ls; done"),
  lines("while ", "do break; done"),
  lines("until false; do ", "break; done"),
  lines("case x in x) ", ";; esac"),
  lines("case $(", ") in *) ls;; esac"),
  lines("case x in y) ls;; *) ", "esac"),
  lines("[[ -n $(", ") ]]"),
  lines("[[ a == $(", ") ]] || ls"),
  lines("echo ${y:-$(", ")}"),
  lines('echo "${y:+$(', ')}"'),
  lines("cat <<END_OF_IT\n$(", ")\nEND_OF_IT"),
  lines("cat <<-END_OF_IT\n\t$(", ")\n\tEND_OF_IT"),
  lines('cat <<< "$(', ')"'),
  lines("f() { ", "}; f"),
  lines("function f { ", "}; f"),
  lines("x=$(", ")"),
  lines("x=$(", "); ls"),
  lines('test -n "$(', ')"'),
  lines("ls | { cat; ", "}"),
  lines("coproc { ", "}"),
  lines("! { ", "}"),
  (text) => (/[`\\]/.test(text) ? `(${text}\n)` : `echo \`${text}\n\``),
  (text) => `bash -c ${quoted(text)}`,
  (text) => `eval ${quoted(text)}`,
  (text) => `sh -ec ${quoted(text)}`,
  (text) => `ls; ${"  ".repeat(150)}${text}`,
  (text) => `${" ".repeat(300)}${text}`,
  (text) => `ls \\\n  && ${text}`,
];

/** Of a simple command that is a program. */
const DISGUISES: readonly Change[] = [
  ...[
    "timeout 5 ",
    "nice ",
    "nice -n 5 ",
    "command ",
    "env A=1 ",
    "nohup ",
    "stdbuf -oL ",
    "xargs ",
    "xargs -n1 ",
    "A=1 ",
  ].map((before) => around(before)),
  ...[
    "LC_ALL=C ",
    "command -p ",
    "env ",
    "exec ",
    "timeout -s KILL 5s nice ",
    "setsid ",
    "env -i ",
    "2>&1 ",
    "</dev/null ",
  ].map((before) => around(before)),
  ...["find . -maxdepth 0 -exec ", "sudo "].map(
    (before): Change =>
      (text) =>
        before === "sudo " ? before + text : `${before}${text} \\;`,
  ),
  (text, dice) => {
    const at = dice((SIMPLE.exec(text)?.[1] ?? "").length);
    return dice.one([
      () => `${text.slice(0, at)}\\${text.slice(at)}`,
      () => `${text.slice(0, at)}""${text.slice(at)}`,
      () => `${text.slice(0, at)}\\\n${text.slice(at)}`,
      () => word(text, (name) => `'${name}'`),
      () => word(text, (name) => `$'${name}'`),
      () => word(text, (name) => `"${name.slice(0, at)}"${name.slice(at)}`),
      () => word(text, (name) => `$'\\x${name.charCodeAt(0).toString(16)}'${name.slice(1)}`),
      () => word(text, (name) => `{${name},}`),
      () => word(text, (name) => `c=${name}; $c`),
      () => word(text, (name) => `c=${name}; "\${c}"`),
      () => word(text, (name) => `/usr/bin/${name}`),
      () => word(text, (name) => `for c in ${name}; do $c`) + "\ndone",
    ])();
  },
];

function word(text: string, change: (name: string) => string): string {
  return text.replace(SIMPLE, (_, name, rest) => change(name) + rest);
}

function mutated(command: string, dice: Dice): string {
  let text = command;
  for (let left = 1 + dice(3); left > 0; left--) {
    const changes = program(text) !== undefined && dice(2) ? DISGUISES : STRUCTURES;
    text = dice.one(changes)(text, dice);
  }
  return text;
}

/** Seed and text of each that is approved although it must not be. */
function approved(
  count: number,
  how: { seed: number; from: readonly string[]; verdict: (text: string, of: string) => string },
) {
  const dice = diceOf(how.seed);
  const found: string[] = [];
  for (let i = 0; i < count; i++) {
    const command = dice.one(how.from);
    const text = mutated(command, dice);
    if (how.verdict(text, command) === "allow") found.push(`seed ${how.seed}: ${JSON.stringify(text)} from ${command}`);
  }
  return found;
}

describe("mutated dangerous commands", () => {
  test("are never approved", () => {
    expect(dangerous.length).toBeGreaterThan(1900);
    expect(approved(4000, { seed: SEED, from: dangerous, verdict: (text) => decide(text) })).toEqual([]);
  });

  test("nor in acceptEdits, but for what only changes files in the project", () => {
    const from = dangerous.filter((command) => decide(command, { mode: "acceptEdits" }) !== "allow");
    const verdict = (text: string) => decide(text, { mode: "acceptEdits" });
    expect(approved(1000, { seed: SEED + 1, from, verdict })).toEqual([]);
  });

  test("nor in plan mode", () => {
    const verdict = (text: string) => decide(text, { mode: "plan" });
    expect(approved(1000, { seed: SEED + 2, from: dangerous, verdict })).toEqual([]);
  });

  test("a deny rule for the program holds in every mode, bypassPermissions included", () => {
    const from = dangerous.filter((command) => program(command) !== undefined);
    const verdict = (mode: "bypassPermissions" | "default") => (text: string, of: string) =>
      decide(text, { mode, deny: [`Bash(${program(of)}:*)`] });
    expect(approved(1000, { seed: SEED + 3, from, verdict: verdict("bypassPermissions") })).toEqual([]);
    expect(approved(500, { seed: SEED + 4, from, verdict: verdict("default") })).toEqual([]);
  });

  test("what is mutated without a disguise is approved, so that the tests above say something", () => {
    expect(decide("ls && cat a.txt | head -3")).toBe("allow");
    expect(STRUCTURES.filter((change) => decide(change("ls", diceOf(1))) === "allow").length).toBeGreaterThan(25);
    expect(DISGUISES.filter((change) => decide(change("ls", diceOf(1))) === "allow").length).toBeGreaterThan(5);
  });
});

describe("any text at all", () => {
  const all = [...corpus("dangerous"), ...corpus("readonly")].map(({ command }) => command);
  const TOKENS = [...new Set(all.flatMap((command) => command.split(/(?<=\W)|(?=\W)/)))];
  const made = (dice: Dice): string => {
    const kind = dice(3);
    const command = dice.one(all);
    if (kind === 0) return command.slice(0, dice(command.length + 1)) + (dice(3) ? "" : dice.one(all).slice(dice(20)));
    const count = 1 + dice(40);
    if (kind === 1) return Array.from({ length: count }, () => dice.one(TOKENS)).join(dice(2) ? "" : " ");
    return Array.from({ length: count }, () => String.fromCharCode(dice(4) ? 32 + dice(95) : dice(0x10000))).join("");
  };

  test("is decided quickly and without an error, and never approved when bash does not accept it", () => {
    const dice = diceOf(SEED + 5);
    const texts = Array.from({ length: 3000 }, () => made(dice));
    const slow: string[] = [];
    const allowed = texts.filter((text) => {
      const start = performance.now();
      const decided = decide(text);
      // Far above what it takes, far below what anybody would notice: the machine may be busy.
      if (performance.now() - start > 500) slow.push(text);
      return decided === "allow";
    });
    expect(slow).toEqual([]);
    expect(allowed.length).toBeGreaterThan(80);
    expect(rejected(allowed.slice(0, 150))).toEqual([]);
  }, 30_000);

  test("nor when it is huge or deeply nested", () => {
    for (const [open, close] of [
      ["$(", ")"],
      ["(", ")"],
      ["{ ", ";}"],
      ["${x:-", "}"],
      ["if ", ";then :;fi"],
      ["<(", ")"],
      ['"$(', ')"'],
    ]) {
      for (const count of [10, 1000, 20_000]) {
        const start = performance.now();
        expect(decide(`echo ${open?.repeat(count)}touch x${close?.repeat(count)}`)).not.toBe("allow");
        expect(performance.now() - start).toBeLessThan(3000);
      }
    }
  }, 60_000);
});

/** Those of the texts that bash does not accept. */
function rejected(texts: readonly string[]): string[] {
  const script = `for t; do bash --noprofile --norc -n -c "$t" >/dev/null 2>&1; printf '%s ' $?; done`;
  const done = Bun.spawnSync(["bash", "--noprofile", "--norc", "-c", script, "bash", ...texts]);
  const codes = done.stdout.toString().trim().split(" ");
  return texts.filter((_, i) => codes[i] !== "0");
}

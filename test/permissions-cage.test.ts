// Whatever the engine calls read-only is run in a cage, and nothing may change or be shown that is not the project's.
import { afterAll, describe, expect, test } from "bun:test";
import { parse, type SyntaxNode } from "unbash";
import { Cage, corpus, decider, diceOf, noCage, SECRET, SEED, type Dice } from "./permissions-cage-kit.ts";

const missing = noCage();
/** Of each kind; a process costs milliseconds. With many more the corpora are run whole. */
const HOW_MANY = Number(process.env["CAGE_COMMANDS"] ?? 220);
const BATCH = 75;

/** Asked to wait, they would; the cage ends them, but that takes its time. */
const SLOW = /\b(sleep|top|vmstat|watch)\b/;
const known = corpus("readonly");
const dangerous = corpus("dangerous").filter(({ shell }) => shell !== "zsh");

describe.skipIf(missing !== undefined)(`in a cage (skipped where there is none: ${missing ?? "there is one"})`, () => {
  const cage = missing === undefined ? new Cage() : undefined;
  afterAll(() => cage?.remove());
  const needed = () => {
    if (!cage) throw new Error("there is no cage");
    return cage;
  };
  const judge = (command: string) => decider(needed().root, needed().home)(command);
  const allowed = (commands: readonly string[]) =>
    [...new Set(commands)].filter((command) => !SLOW.test(command) && judge(command) === "allow");

  test("the cage names the one that changes and those that show something", async () => {
    const commands = [
      "ls",
      "cat key",
      "touch -r a.txt a.txt; chmod 700 a.txt",
      "echo $DATABASE_URL",
      "git status",
      "rev ~/.netrc",
    ];
    expect(await needed().offenders(commands)).toEqual([
      "shows a secret: cat key",
      "changes /project/a.txt: touch -r a.txt a.txt; chmod 700 a.txt",
      "shows a secret: echo $DATABASE_URL",
      "shows a secret: rev ~/.netrc",
    ]);
    expect((await needed().run(["echo $ANTHROPIC_API_KEY$GITHUB_TOKEN; env"])).outputs.join("")).not.toContain(
      `${SECRET}-g`,
    );
  }, 30_000);

  test(`the read-only corpora, or a part of them, seed ${SEED}`, async () => {
    const dice = diceOf(SEED + 2);
    const approved = allowed(known.map(({ command }) => command));
    expect(approved.length).toBeGreaterThan(400);
    const commands = approved.filter(() => dice(approved.length) < HOW_MANY);
    expect(await all(needed(), commands)).toEqual([]);
  }, 60_000);

  test(`programs with options and operands mixed at random, seed ${SEED}`, async () => {
    const dice = diceOf(SEED);
    const pools = poolsOf([...known, ...dangerous].map(({ command }) => command));
    const commands = new Set<string>();
    for (let tries = 0; commands.size < HOW_MANY && tries < HOW_MANY * 20; tries++) {
      const command = mixed(pools, dice);
      if (!SLOW.test(command) && judge(command) === "allow") commands.add(command);
    }
    expect(commands.size).toBe(HOW_MANY);
    expect(await all(needed(), [...commands])).toEqual([]);
  }, 3_600_000);

  test(`texts with a hidden command that are approved do not run it, seed ${SEED}`, async () => {
    const dice = diceOf(SEED + 1);
    const commands = new Set<string>();
    const wanted = Math.ceil(HOW_MANY / 3);
    for (let tries = 0; commands.size < wanted && tries < wanted * 200; tries++) {
      const command = hiding(dice);
      if (command.includes(HIDDEN) && judge(command) === "allow") commands.add(command);
    }
    expect(commands.size).toBe(wanted);
    expect(await all(needed(), [...commands])).toEqual([]);
  }, 3_600_000);
});

/** In batches, two at a time. */
async function all(cage: Cage, commands: readonly string[]): Promise<string[]> {
  const batches = Array.from({ length: Math.ceil(commands.length / BATCH) }, (_, i) =>
    commands.slice(i * BATCH, (i + 1) * BATCH),
  );
  const found: string[] = [];
  const worker = async () => {
    for (let batch = batches.pop(); batch; batch = batches.pop()) found.push(...(await cage.offenders(batch)));
  };
  await Promise.all([worker(), worker()]);
  return found;
}

type Pool = { options: string[]; operands: string[] };

/** Of every program the words that stand behind it anywhere, as written. */
function poolsOf(commands: readonly string[]): Map<string, Pool> {
  const pools = new Map<string, Pool>();
  const visit = (node: SyntaxNode, source: string): void => {
    if (node.type !== "Command") return;
    const name = node.name?.text ?? "";
    if (!/^[a-z][\w.-]*$/.test(name)) return;
    const pool = pools.get(name) ?? { options: [], operands: [] };
    for (const arg of node.args)
      (arg.text.startsWith("-") ? pool.options : pool.operands).push(source.slice(arg.pos, arg.end));
    pools.set(name, pool);
  };
  for (const command of commands) {
    const script = parse(command);
    if (script.errors?.length) continue;
    for (const { command: top } of script.commands) {
      for (const one of top.type === "Pipeline" ? top.commands : [top]) visit(one, command);
    }
  }
  return pools;
}

const FILES =
  `README.md a.txt list.txt data.csv data.json events.jsonl src/index.ts src/lib docs . src logs/app.log inner.md
  src/lib/deep/docs 'two words.txt' ./-rf ./* src/*.ts odd/* docs/*.md -- - HEAD main v1 stash@{0} x=1 prog.sed $HOME ~ "$PWD"
  .gitignore ./[[]a] odd/\\\\* odd/? odd/?? odd`.split(/\s+(?=(?:[^']*'[^']*')*[^']*$)/);
const JOINS = [" | ", " | ", " && ", "; ", " || ", "\n"];
const WRAPPERS = [
  "timeout 5 ",
  "nice ",
  "env LC_ALL=C ",
  "command ",
  "! ",
  "xargs ",
  "find . -type f -print0 | xargs -0 ",
  "time ",
];

function mixed(pools: Map<string, Pool>, dice: Dice): string {
  const names = [...pools.keys()];
  const one = (): string => {
    const name = dice.one(names);
    const pool = pools.get(name) ?? { options: [], operands: [] };
    const words = [...some(pool.options, dice(4), dice), ...some(dice(2) ? pool.operands : FILES, dice(3), dice)];
    if (dice(4) === 0) words.push(dice.one(FILES));
    // Most programs do not mind the order; some do.
    if (dice(3) === 0) words.sort(() => dice(3) - 1);
    const wrapper = dice(8) === 0 ? dice.one(WRAPPERS) : "";
    return `${wrapper}${[name, ...words].join(" ")}`;
  };
  const before =
    dice(6) === 0
      ? dice.one(["cd src && ", "cd docs; ", "x=README.md; ", "for f in a.txt b.txt; do ", "cd odd || "])
      : "";
  const rest = dice(5) === 0 ? dice.one(JOINS) + one() : "";
  return `${before}${one()}${rest}${before.startsWith("for") ? "; done" : ""}`;
}

function some(pool: readonly string[], count: number, dice: Dice): string[] {
  return pool.length === 0 ? [] : Array.from({ length: count }, () => dice.one(pool));
}

const HIDDEN = "touch P";
const PIECES =
  `${HIDDEN}|(${HIDDEN})|$(${HIDDEN})|\`${HIDDEN}\`|echo|echo a|ls|true|'|"|'|"|\\|$'|$"|;|&&|&|(|)|{ |;}|$(|\`|\${x:-|\${x|}|<<E|<<'E'|<<-E
<<\\E|<<"E"|#| #| |  |<<<|< /dev/null|2>/dev/null|<(|>(|[[ |]]| == | =~ |-n|case x in |x)|;;| esac|;&|if true; then |; fi|else
for i in |; do |; done|while false|until true|\\\n|$((|))|$[|1|a|x=|x|$x|=|!|time |\\'|\\"|\\\`|\\$|\\(|*|?|[|]|~|{a,|,b}|E|''|""|$#|\${#|$$
function f |f()|esac|in|do|then|coproc |select | \\\n`
    .split(/\||\n(?!\||$)/)
    .concat("x=(a)", "x+=(", "x[", "]=", "\n", "\nE\n", "\n\tE\n", "\t", "||", "|", "\\\n", " \\\n");

/** A random text of pieces of shell, with a command in it that is hopefully hidden in quotes, comments or bodies. */
function hiding(dice: Dice): string {
  const count = 2 + dice(9);
  const pieces = Array.from({ length: count }, () => dice.one(PIECES) + (dice(3) === 0 ? " " : ""));
  return `${dice(3) === 0 ? "" : "echo "}${pieces.join("")}`;
}

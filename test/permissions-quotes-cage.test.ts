// Quotes, expansions and here-documents in each other at random: what the engine calls read-only must run no command within.
import { afterAll, describe, expect, test } from "bun:test";
import { Cage, decider, diceOf, gathered, noCage, SEED, type Dice } from "./permissions-cage-kit.ts";

const missing = noCage();
const HOW_MANY = Number(process.env["CAGE_COMMANDS"] ?? 220);

describe.skipIf(missing !== undefined)(`in a cage (skipped where there is none: ${missing ?? "there is one"})`, () => {
  const cage = missing === undefined ? new Cage() : undefined;
  afterAll(() => cage?.remove());

  test(`nothing hidden by quotes runs, seed ${SEED}`, async () => {
    if (!cage) throw new Error("there is no cage");
    const dice = diceOf(SEED + 7);
    const judge = decider(cage.root, cage.home);
    const isWanted = (command: string) =>
      command.includes("PWNED") && command.length < 1_000 && judge(command) === "allow";
    const commands = gathered(HOW_MANY, () => commandOf(dice), isWanted);
    expect(commands.size).toBe(HOW_MANY);
    expect(await cage.allOffenders(commands)).toEqual([]);
  }, 60_000);

  test("one that runs is seen", async () => {
    expect(await cage?.offenders([`echo "\${PWD:+'$(touch PWNED)'}"`])).toHaveLength(1);
  }, 30_000);
});

const NAMES = ["PWD", "HOME", "x", "UNSET", "1", "@", "#", "?", "-", "IFS"];
const OPERATORS = [":-", ":+", "-", "+", ":=", "#", "##", "%", "%%", "/", "//", "^", "^^", ",", ":", "@Q", "[0]:-"];
const TEXTS = [
  "a",
  "b c",
  "'",
  '"',
  "\\",
  "\\'",
  '\\"',
  "~",
  "*",
  "{a,b}",
  "$",
  "$x",
  "it's",
  "#",
  "\n",
  "\\\n",
  "}",
  ")",
  "(",
  "$'c'",
  "E",
];
const RUN = "touch PWNED";
const SUBSTITUTIONS = [
  `$(${RUN})`,
  `\`${RUN}\``,
  `<(${RUN})`,
  `$'\\x24(${RUN})'`,
  `$'\\x60${RUN}\\x60'`,
  `$'\\044(${RUN})'`,
  `\\$(${RUN})`,
  `$\\(${RUN})`,
  `"$\\(${RUN})"`,
  `\\\`${RUN}\\\``,
  `"\\\`${RUN}\\\`"`,
  `$\\\n(${RUN})`,
  `$(( $(${RUN}) ))`,
  `\${x[$(${RUN})]}`,
  `\${ ${RUN}; }`,
];

function wordOf(dice: Dice, depth: number): string {
  if (depth <= 0) return dice.one(dice(3) > 0 ? SUBSTITUTIONS : TEXTS);
  const inner = wordOf(dice, depth - 1);
  const expansion = `\${${dice.one(NAMES)}${dice.one(OPERATORS)}`;
  return dice.one([
    `'${inner}'`,
    `"${inner}"`,
    `"${inner}"`,
    `$'${inner}'`,
    `$"${inner}"`,
    `${expansion}${inner}}`,
    `${expansion}${inner}}`,
    `${expansion}'${inner}'}`,
    `"${expansion}${inner}}"`,
    `"${expansion}'${inner}'}"`,
    `$((${inner}))`,
    inner + dice.one(TEXTS),
    dice.one(TEXTS) + inner,
  ]);
}

function commandOf(dice: Dice): string {
  const word = wordOf(dice, 1 + dice(4));
  const other = wordOf(dice, dice(3));
  return dice.one([
    `echo ${word}`,
    `echo ${word} ${other}`,
    `cat <<E\n${word}\nE`,
    `cat <<E\n${word}\nE`,
    `cat <<'E'\n${word}\nE`,
    `cat <<-E\n\t${word}\n\tE`,
    `cat <<< ${word}`,
    `[[ ${word} == ${other} ]]`,
    `case ${word} in ${other}) ls;; esac`,
    `x=${word}; ls`,
    `for i in ${word}; do echo "$i"; done`,
    `ls # ${word}`,
    `grep ${word} a.txt`,
    `test ${word} = a`,
    `x=a; echo "${word}"`,
  ]);
}

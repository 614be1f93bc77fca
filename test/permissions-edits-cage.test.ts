// Commands that change files, on paths of all kinds at random: what acceptEdits runs changes nothing outside or protected.
import { afterAll, describe, expect, test } from "bun:test";
import { Cage, decider, diceOf, gathered, noCage, SEED, type Dice } from "./permissions-cage-kit.ts";
import { isProtectedName } from "../src/permissions/protect.ts";

const missing = noCage();
const HOW_MANY = Number(process.env["CAGE_COMMANDS"] ?? 40);

describe.skipIf(missing !== undefined)(`in a cage (skipped where there is none: ${missing ?? "there is one"})`, () => {
  const cage = missing === undefined ? new Cage() : undefined;
  afterAll(() => cage?.remove());

  test(`edits stay in the project, seed ${SEED}`, async () => {
    if (!cage) throw new Error("there is no cage");
    const dice = diceOf(SEED + 13);
    const judge = decider(cage.root, cage.home);
    const isWanted = (command: string) =>
      judge(command, { mode: "acceptEdits" }) === "allow" && judge(command) !== "allow";
    const commands = gathered(HOW_MANY, () => editing(dice), isWanted);
    expect(commands.size).toBe(HOW_MANY);
    for (const command of commands) expect([command, await strayOf(cage, command)]).toEqual([command, []]);
  }, 120_000);

  test("one that strays is seen", async () => {
    if (!cage) throw new Error("there is no cage");
    expect(await strayOf(cage, "touch -- *")).toContain("/.ssh/id_rsa");
    expect(await strayOf(cage, "echo x > .git/config")).toEqual(["/project/.git/config"]);
  }, 30_000);
});

/** What it changed outside of the project, or protected. */
async function strayOf(cage: Cage, command: string): Promise<string[]> {
  const { changed } = await cage.run([command]);
  const isInside = (path: string) => path === "/project" || path.startsWith("/project/");
  return changed.filter((path) => !isInside(path) || path.split("/").some(isProtectedName));
}

const SEGMENTS = [
  ...[
    ".",
    "..",
    "..",
    "*",
    "k*",
    "key",
    "out",
    "o*",
    "src",
    "s*",
    "lib",
    "deep",
    "d*",
    "docs",
    "other",
    "key.txt",
    "*.txt",
  ],
  ...[
    "secret.md",
    "{key,a.txt}",
    "{..,src}",
    "'key'",
    '"out"',
    "[k]ey",
    "odd",
    "inner.md",
    "project",
    ".git",
    "hooks",
    ".g*",
  ],
  ...[".npmrc", ".n*", "config", "new", ".vscode", "$x", "$y", ".GIT", "settings.json", ".[a-z]*", "a.txt", "b.txt"],
];
const STARTS = [
  ...["", "", "", "", "./", "../", "$PWD/", "~/", "~+/", "src/../", "out/../", "docs/", "new/", ".git/"],
  "src/lib/deep/docs/",
];
const PROGRAMS = [
  ...["touch @", "touch -- @", "mkdir @", "mkdir -p @", "rm @", "rm -f @", "rm -rf @", "rm -- @", "rmdir @", "cp @ @"],
  ...[
    "cp -r @ @",
    "cp -t @ @",
    "cp a.txt @",
    "cp -a @ new",
    "cp -rL @ new",
    "cp --parents @ new",
    "cp @ @ src",
    "ln @ @",
  ],
  ...[
    "mv @ @",
    "mv -t @ @",
    "mv a.txt @",
    "mv @ new",
    "mv -n @ @",
    "echo x > @",
    "echo x >> @",
    "echo x >| @",
    "echo x &> @",
  ],
  ...[
    "echo x | tee @",
    "tee -a @ < a.txt",
    "cat <<E > @\nx\nE\n",
    "sed -i s/a/b/ @",
    "sed -n 'w @' a.txt",
    "sed 's/a/b/w @' a.txt",
  ],
  ...[
    "mkdir new; cp -r @ new; touch new/@",
    'for f in @; do rm "$f"; done',
    'for f in @; do cp "$f" @; done',
    'x=@; touch "$x"',
  ],
];

function editing(dice: Dice): string {
  const path = () => dice.one(STARTS) + Array.from({ length: 1 + dice(3) }, () => dice.one(SEGMENTS)).join("/");
  const before = dice.one([
    ...["", "", "", "x=key; ", "y=..; ", "x=.git; ", "cd src; ", "cd src && ", `cd ${path()}; `, `cd ${path()} && `],
    ...[`mkdir ${path()}; `, `rm -rf ${path()}; `],
  ]);
  return before + dice.one(PROGRAMS).replaceAll("@", () => path());
}

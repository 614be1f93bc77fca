// Moves, assignments and failures in each other, and paths of all kinds, at random: what the engine calls read-only shows
// nothing from outside.
import { afterAll, describe, expect, test } from "bun:test";
import { Cage, decider, diceOf, gathered, noCage, SEED, type Dice } from "./permissions-cage-kit.ts";

const missing = noCage();
const HOW_MANY = Number(process.env["CAGE_COMMANDS"] ?? 150);

describe.skipIf(missing !== undefined)(`in a cage (skipped where there is none: ${missing ?? "there is one"})`, () => {
  const cage = missing === undefined ? new Cage() : undefined;
  afterAll(() => cage?.remove());

  for (const [what, textOf] of Object.entries({ moves: moving, functions: calling, paths: naming })) {
    test(`nothing from outside is shown, ${what}, seed ${SEED}`, async () => {
      if (!cage) throw new Error("there is no cage");
      const dice = diceOf(SEED + 11);
      const judge = decider(cage.root, cage.home);
      const isWanted = (command: string) => command.length < 600 && judge(command) === "allow";
      const commands = gathered(HOW_MANY, () => textOf(dice), isWanted);
      expect(commands.size).toBe(HOW_MANY);
      expect(await cage.allOffenders(commands)).toEqual([]);
    }, 120_000);
  }

  test("one that shows something is seen", async () => {
    expect(await cage?.offenders(["cd src < nosuch; cat ../other/key.txt"])).toHaveLength(1);
    expect(await cage?.offenders(["read -t 0 DATABASE_URL; echo $DATABASE_URL"])).toHaveLength(1);
  }, 30_000);
});

const FOLDERS = [
  ...["src", "src", "src", "docs", "other", "nosuch", "a.txt", "src/lib", "src/nosuch/..", "nosuch/../src", "./src//"],
  ...["-", "..", "../project", ".", "out", "out/..", "src/lib/deep/docs", "src/lib/deep/docs/..", "$PWD/src", "", "~"],
];
const NAME = "DATABASE_URL";
const SETTERS = [
  ...[
    `${NAME}=1`,
    `${NAME}=1`,
    `${NAME}+=x`,
    `read -r ${NAME}`,
    `read ${NAME}`,
    `read -t 0 ${NAME}`,
    `read -n x ${NAME}`,
  ],
  ...[`read -t 0.1 -r ${NAME}`, `for ${NAME} in a; do :; done`, `for ${NAME} in $(true); do :; done`, `unset ${NAME}`],
  ...[
    `${NAME}=1 true`,
    `export ${NAME}=1`,
    `declare ${NAME}=1`,
    `printf -v ${NAME} x`,
    `mapfile ${NAME}`,
    `x=$${NAME}`,
  ],
  ...[`${NAME}=$x`, `${NAME}=$((1/0))`, `${NAME}=$(cat a.txt)`, `IFS= read -r ${NAME} _`, `getopts a ${NAME}`],
  ...[`while read -r ${NAME}; do :; done`, `if ${NAME}=1; then :; fi`, `${NAME}=1 | true`, `${NAME}=1 &`],
];
const COUNTERS = [
  ...[
    `((${NAME}=1))`,
    `((${NAME}++))`,
    `((${NAME} += 2))`,
    `: $((${NAME}=1))`,
    `((0 && (${NAME}=1)))`,
    `((1 ? ${NAME}=1 : 2))`,
  ],
  ...[`for ((${NAME}=0;${NAME}<2;${NAME}++)); do :; done`, `for ((i=0;i<0;i++)); do ${NAME}=1; done`, `((x=${NAME}))`],
  ...[
    `((y = 1, ${NAME} = y + 1))`,
    `((${NAME}=1)) | true`,
    `(( ${NAME}=1 ) )`,
    `((${NAME}=1)) &`,
    `((x=5)); ((${NAME}=x))`,
  ],
  ...[
    `${NAME}='a[$(cat ../other/key.txt >&2)]'; ((${NAME}++))`,
    "n=$(wc -l < a.txt); ((n /= 2)); cd src",
    "((1/0))",
    "popd",
  ],
  ...[
    "((x=08)); cd src",
    "x=5; ((x**=2)); cd src",
    "n=$(cat ../other/key.txt | wc -l); echo $((n+1))",
    "n=$(nproc; cat a.txt)",
  ],
];
const ARRAYS = [
  ...[`read -ra ${NAME} < a.txt`, `read -r -a ${NAME} <<< "x y"`, `read -a ${NAME}`, `IFS=: read -ra ${NAME} <<< $x`],
  ...[`mapfile -t ${NAME} < a.txt`, `mapfile -t ${NAME}`, `mapfile -t ${NAME} < nosuch`, `builtin mapfile -t ${NAME}`],
  ...["mapfile -t a < a.txt", `readarray ${NAME} <<< x`, `mapfile -t ${NAME} < <(cat a.txt)`, `echo | mapfile ${NAME}`],
  ...[`builtin readarray -t ${NAME} < a.txt`, `mapfile ${NAME} 3< a.txt`, `(( $(wc -l < nosuch) > (${NAME}=1) ))`],
  ...[
    `${NAME}=(x)`,
    `${NAME}=(x y)`,
    `${NAME}+=(x)`,
    `${NAME}[1]=x`,
    `${NAME}=([1]=x)`,
    `${NAME}=(x) true`,
    `unset ${NAME}`,
  ],
  ...[
    `${NAME}=()`,
    `${NAME}=(x) | true`,
    `${NAME}=(x) &`,
    `${NAME}=(*)`,
    `${NAME}=($(true))`,
    `read -ra ${NAME}`,
    "a=(src/*)",
  ],
  ...[
    "a=(../other/key.txt)",
    "a=(src)",
    "a+=(../other/key.txt)",
    'a=("$x" src)',
    "a=(k*)",
    "a=(../o*/k*)",
    "a=('k*' 'x y')",
  ],
];
const ELEMENTS = [
  ...[
    `echo "\${!${NAME}[@]}"`,
    `echo \${${NAME}[-1]}`,
    `((\${#${NAME}[@]} > 0)) && echo \${${NAME}[-1]}`,
    `for ((i=0; i<\${#a[@]}; i++)); do cat "\${a[0]}"; done`,
    'for i in ${!a[@]}; do echo "$i"; cat "${a[-1]}"; done',
  ],
  ...[
    `[[ $${NAME} =~ (.*) ]]; echo "$\{BASH_REMATCH[1]}"`,
    `[[ abc =~ b ]] && echo $\{BASH_REMATCH[@]} $\{PIPESTATUS[@]}`,
  ],
  ...["echo $_", "for _ in 1 2; do echo $_; done", `[ -z "$${NAME}" ] && echo $_`],
  ...[`echo \${${NAME}[0]}`, `echo "\${${NAME}[@]}"`, `echo \${${NAME}[*]}`, `echo \${#${NAME}[@]} \${${NAME}[1]}`],
  ...[
    `for i in "\${${NAME}[@]}"; do echo "$i"; done`,
    'cat "${a[@]}"',
    "cat ${a[0]}",
    'for i in "${a[@]}"; do cat "$i"; done',
  ],
  ...[
    "cat ${a[@]}",
    "cat $a",
    "cat a.txt ${a[1]}",
    "head -n 2 ${a[0]}/key",
    '"${a[@]}"',
    "x=${a[0]}; cat $x",
    "ls ${#a[@]}",
  ],
];
const ERRORS = [
  ...["x=$((1/0))", "echo $((08))", "echo $((1%0))", "echo $((2**-1))", "PPID=1", "x=${HOME:0:-99}", "echo ${@:1:-1}"],
  ...["x=5; echo $((x/2))", "x=08; echo $((x))", "echo ${HOME:1:2}", "false", "true", "set -e", "set -u; echo $NONE"],
  ...[
    "[ -d src ]",
    "[[ -f nosuch ]]",
    "[[ 1 -eq 1 ]]",
    "test -n x",
    "exit",
    "return",
    "break",
    ":",
    "set +e",
    "cd src/",
  ],
];
const SHOWERS = [
  ...["cat ../other/key.txt", "cat other/key.txt", "cat ../../other/key.txt", `echo $${NAME}`, `echo "$${NAME}"`],
  ...[`printf '%s\n' "$${NAME}"`, "cat key", "cat ../key", "cat < ../other/key.txt", "head -n 3 ../*/key.txt"],
  ...["grep -rn plant ..", "find .. -name key.txt -exec cat {} +", 'cat "$PWD/../other/key.txt"', `cat <<< $${NAME}`],
  ...[
    `cat <<E\n$${NAME}\nE\n`,
    "cat $x",
    "cat ../other/key.txt 2>&1",
    "wc -c ../other/key.txt; cat docs/../other/key.txt",
  ],
];
const CALLS = [
  ...["f", "g", "f a.txt", `f "$${NAME}"`, "f ../other/key.txt", "g src ../other", "unset f", `${NAME}=1 f`, "f | cat"],
  ...['local x="$1"; cat "$x"', 'local x=$2; cat "$x"', 'local x; cat "$x"', 'f "$x"', 'f "$1" a.txt', "f a.txt key"],
  ...["f 'a.txt ../other/key.txt'", "echo $(f a.txt ../other/key.txt)", "f $x key", 'x=src; f "$x"', 'cat "$2"'],
  ...['cat "$1"', "cat $1", "cat $@", 'echo "$1 $#"', 'for i in "$@"; do cat "$i"; done', "cd $1", "x=$1", "$1"],
];
const REDIRECTIONS = [
  ...[
    "",
    "",
    "",
    "",
    " < nosuch",
    " >/dev/null",
    " 2>&1",
    " 2>&9",
    " <&7",
    " < a.txt",
    " < src",
    " <<< x",
    " >&-",
    " <&-",
  ],
  ...[
    " 2>/dev/null",
    " </dev/null",
    " < *",
    " &>/dev/null",
    " >&2",
    " < a.txt <nosuch",
    " <<< x >&8",
    " < other/key.txt",
  ],
];
const SEPARATORS = ["; ", "; ", "\n", "\n", " && ", " || ", " | ", " & "];

function stepOf(dice: Dice, depth: number): string {
  const roll = dice(10);
  if (roll < 3)
    return (
      dice.one(["cd ", "cd ", "cd ", "cd -P ", "cd -L ", "command cd ", "builtin cd ", "! cd ", "pushd ", "pushd "]) +
      dice.one(FOLDERS)
    );
  if (roll < 5) return dice.one([SETTERS, SETTERS, COUNTERS, ARRAYS][dice(4)] ?? SETTERS);
  if (roll < 6) return dice.one([ELEMENTS, ERRORS, CALLS][dice(3)] ?? ERRORS);
  if (roll < 8 || depth <= 0) return dice.one(SHOWERS);
  const inner = listOf(dice, depth - 1);
  const body = inner.endsWith("\n") || inner.endsWith(" & ") ? inner : `${inner}; `;
  return dice.one([
    `( ${inner} )`,
    `{ ${body} }`,
    `{ ${body} }`,
    `if ${body} then ${dice.one(SHOWERS)}; fi`,
    `if true; then ${body} else ${dice.one(SHOWERS)}; fi`,
    `for i in 1 2; do ${body} done`,
    `for i in src/*; do ${body} done`,
    `for ((k=0; k<2; k++)); do ${body} done`,
    `for ((;x<2;x++)) { ${body} }`,
    `while ${body} do ${stepOf(dice, 0)}; break; done`,
    `case x in x) ${inner} ;; esac`,
    `case $x in a) ${inner} ;; *) : ;; esac`,
    `echo "$(${inner})"`,
    `time ${inner}`,
    `x=$(${inner})`,
    `cat <(${inner})`,
    `until ${body} do break; done`,
    `f() { ${body} }`,
    `f() { ${body} } ; f ../other/key.txt`,
    `function g { ${body} }${dice.one(["; g", " && g x", "; unset g; g", "; f() { g; }; f", " | cat; g", ""])}`,
  ]);
}

function listOf(dice: Dice, depth: number): string {
  const steps = Array.from({ length: 1 + dice(3) }, () => stepOf(dice, depth) + dice.one(REDIRECTIONS));
  return steps.reduce((text, step) => (text.endsWith("\n") ? text + step : text + dice.one(SEPARATORS) + step));
}

function moving(dice: Dice): string {
  const last = dice(3) === 0 ? ELEMENTS : SHOWERS;
  return `${listOf(dice, dice(3))}${dice.one(SEPARATORS.slice(0, 6))}${dice.one(last)}`;
}

/** A function, and calls of it among other things. */
function calling(dice: Dice): string {
  const part = () => dice.one([`cd ${dice.one(FOLDERS)}`, dice.one(SETTERS), dice.one(CALLS), dice.one(SHOWERS), ":"]);
  const before = dice.one(["", "", `${NAME}=1; `, "x=src; ", "cd src; ", "for x in *; do :; done; "]);
  const body = `${part()}\n${dice.one(["", `${part()}\n`])}`;
  const calls = Array.from({ length: 1 + dice(3) }, () =>
    dice.one(["f a.txt", "f a.txt", "f src docs", part(), `${NAME}=1`]),
  );
  return `${before}f() {\n${body}}\n${calls.join("\n")}\n${dice.one(SHOWERS)}`;
}

const SEGMENTS = [
  ...[
    ".",
    "..",
    "..",
    "*",
    "?ey",
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
  ],
  ...[
    "*.txt",
    "*.md",
    "secret.md",
    "s*.md",
    "{key,a.txt}",
    "{..,src}",
    "'key'",
    '"out"',
    "$'\\x6bey'",
    "[k]ey",
    "[!a]ut",
  ],
  ...[
    "odd",
    "\\k\\ey",
    "inner.md",
    "project",
    ".ssh",
    ".s*",
    "id_rsa",
    "k[[:alpha:]]y",
    "o?t",
    "$x",
    "${x}",
    "$y",
    "$(echo key)",
  ],
];
const STARTS = [
  "",
  "",
  "",
  "",
  "./",
  "../",
  "$PWD/",
  "~/",
  "~+/",
  "$HOME/",
  "/",
  "//",
  "src/../",
  "out/../",
  "$OLDPWD/",
  "~-/",
];
const PROGRAMS = [
  ...[
    "cat @",
    "cat -- @",
    "head -n 2 @",
    "tail -3 @ 2>/dev/null",
    "grep -rn plant @",
    "grep plant @",
    "wc -l @; cat < @",
  ],
  ...[
    "sed -n 1,3p @",
    "awk 1 @",
    "sort @",
    "uniq @",
    "cut -c1-40 @",
    "nl @",
    "od -c @",
    "xxd @",
    "diff @ a.txt",
    "cat <@",
  ],
  ...[
    "find @ -type f -exec cat {} +",
    "find @ -name 'k*' -exec head -1 {} \\;",
    'for f in @; do cat "$f"; done',
    "rg -n plant @",
  ],
  ...[
    "cat < @",
    "cat <<< @",
    'while read -r l; do echo "$l"; done < @',
    'x=@; cat "$x"',
    "y=@; cat $y",
    "comm a.txt @",
  ],
  ...[
    "ls -R @ | head",
    "cat @ | head -2",
    "find @ | xargs cat",
    "find @ -print0 | xargs -0 cat",
    "git diff --stat -- @",
    "git show HEAD:@",
  ],
  ...[
    "join a.txt @",
    "paste @ a.txt",
    "tac @",
    "rev @",
    "base64 @",
    "md5sum @",
    "strings @",
    "fold @",
    "cat a.txt @",
    "jq -R . @",
  ],
  ...[
    "[[ -f @ ]] && cat @",
    "test -r @ && cat a.txt",
    'f=a.txt; cat "$f" @',
    "cmp @ a.txt",
    "file @",
    "stat @",
    "readlink -f @",
  ],
];

function naming(dice: Dice): string {
  const path = () =>
    dice.one(STARTS) +
    Array.from({ length: 1 + dice(4) }, () => dice.one(SEGMENTS)).join(dice.one(["/", "/", "/", "//"]));
  const before = dice.one([
    "",
    "",
    "",
    `cd ${path()}; `,
    `cd ${path()} && `,
    "x=key; ",
    "y=..; ",
    "x=a.txt; y=src; ",
    "cd src; ",
  ]);
  return before + dice.one(PROGRAMS).replaceAll("@", () => path());
}

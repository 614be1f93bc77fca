// Programs that search: what only reads, and every way to run a program or follow a link.
import { expect, test } from "bun:test";
import { SEARCH_PROGRAMS as TABLE } from "../src/permissions/shell/programs/search.ts";
import { approved, asked, needs, summaries } from "./shell-programs-kit.ts";

test("searching is reading", () => {
  const lines = `
    grep foo a.txt
    grep -rn foo src
    grep -rn "foo" --include='*.ts' src
    grep -rn --include=*.ts foo src
    grep -r foo
    grep -E 'a|b' a.txt
    grep -v '^#' a.txt
    grep -c foo a.txt
    grep -l foo src/*
    grep -A3 -B3 foo a.txt
    grep -A 3 foo a.txt
    grep -C5 foo a
    grep -5 foo a
    grep -o '[a-z]*' a
    grep -w foo a
    grep -F 'a.b' a
    grep -P '\\d+' a
    grep -e foo -e bar a
    grep -n -- '-x' a
    grep -m1 foo a
    grep --color=never foo a
    grep -rl foo --exclude-dir=node_modules .
    grep -rnw src -e foo
    grep -s foo a
    grep -h foo a b
    grep -f patterns.txt a
    grep -x foo a
    grep -z foo a
    egrep 'a|b' a
    fgrep a.b a
    rg foo
    rg -n foo src
    rg -i "foo bar" -g '*.ts'
    rg -g '!test' foo
    rg --files
    rg -l foo
    rg -c foo src
    rg -A 3 -B3 foo
    rg -C2 foo src/a.ts
    rg -t ts foo
    rg -tpy -tjs foo
    rg -uuu foo
    rg --hidden --no-ignore foo
    rg -o '\\w+' a
    rg -e foo -e bar
    rg -e -foo
    rg -- -foo src
    rg -w foo
    rg -F 'a.b'
    rg -U 'a\\nb'
    rg -P '(?<=a)b'
    rg --json foo
    rg --vimgrep foo
    rg --sort path foo
    rg --max-depth 2 foo
    rg --type-list
    rg --stats foo
    rg -r '$1' '(a)b'
    rg --no-heading --line-number foo
    rg --color never foo
    rg -M 200 foo
    rg --multiline foo
    rg -m 3 foo
    rg --glob '*.md' --glob '!x' foo
    rg -N --no-filename foo src
    rg --count-matches foo
    rg --version
    fd
    fd -e ts
    fd foo src
    fd --type d --max-depth 2
    fd -t f -e ts -E node_modules
    fd -H -I foo
    fd -g '*.ts'
    fd . src
    fd --extension md --exclude dist
    fd -a foo
    fdfind -tf
    ag foo
    ag -l foo src
    ag -g '\\.ts$'
    which node
    which -a node python3
    type ls
    type -a node
    whereis git
    grep --version
  `;
  expect(asked(TABLE, lines)).toEqual([]);
});

test("options that run programs or could be any option are not", () => {
  const lines = `
    grep -d recurse foo .
    grep --directories=recurse foo src
    grep -rS foo .
    grep foo *
    rg --pre ./x foo
    rg --pre=./x foo
    rg --pre-glob '*' --pre ./x foo
    rg -z foo
    rg --search-zip foo
    rg --hostname-bin ./x foo
    rg --engine --pre=./x foo
    rg foo *
    rg -e foo *
    rg -e * foo
    rg --hyperlink-format x foo
    rg -uz foo
    rg -r
    fd -x rm
    fd -X rm
    fd --exec rm
    fd --exec-batch rm
    fd -e ts -x touch PWNED
    fd foo -x sh -c 'x'
    fd -aX rm
    fd --base-directory / x
    fd --ignore-file x y
    fd -l
    fd --exe rm
    fd -HIx touch
    fd foo *
    ag --pager ./x foo
    ag -z foo
    ag -f foo
  `;
  expect(approved(TABLE, lines)).toEqual([]);
});

test("where they search", () => {
  const { found, expected } = summaries(
    TABLE,
    `
    grep foo a b -> read r:a r:b
    grep foo -> read
    grep -r foo -> read r*:.
    grep -rn --include=*.ts foo -> read r*:.
    grep -r foo src -> read r*:src
    grep -e foo a -> read r:a
    grep -f list a -> read r:a r:list
    grep a* b* -> read r:a* r:b*
    grep -R foo . -> read r**:.
    grep -Rn foo -> read r**:.
    grep -rR foo a -> read r**:a
    grep --dereference-recursive foo . -> read r**:.
    rg foo -> read r*:. r:.ignore r:.rgignore r:.gitignore
    rg -L foo -> read r**:. r:.ignore r:.rgignore r:.gitignore
    rg -lL foo src -> read r**:src r:.ignore r:.rgignore r:.gitignore r:src/.ignore r:src/.rgignore r:src/.gitignore
    rg --follow foo . -> read r**:. r:.ignore r:.rgignore r:.gitignore
    rg foo src -> read r*:src r:.ignore r:.rgignore r:.gitignore r:src/.ignore r:src/.rgignore r:src/.gitignore
    rg -e foo src -> read r*:src r:.ignore r:.rgignore r:.gitignore r:src/.ignore r:src/.rgignore r:src/.gitignore
    rg --files src -> read r*:src r:.ignore r:.rgignore r:.gitignore r:src/.ignore r:src/.rgignore r:src/.gitignore
    rg --type-list -> read
    rg -f list -> read r:list r*:. r:.ignore r:.rgignore r:.gitignore
    fd -> read n*:.
    fd foo src -> read n*:src
    fd -L foo -> read n**:.
    fd --follow foo src -> read n**:src
    fd --search-path src foo -> read n*:src
    ag -g foo src -> read r*:src
    which node -> read
    `,
  );
  expect(found).toEqual(expected);
});

test("names that are added when it runs", () => {
  const { found, expected } = needs(
    TABLE,
    `
    grep foo -> files
    grep -l foo -> dotted
    grep -c foo -> dotted
    grep -rl foo -> never
    rg foo -> never
    fd -> never
    `,
  );
  expect(found).toEqual(expected);
});

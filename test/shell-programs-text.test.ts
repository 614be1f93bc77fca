// Programs that sort, cut and print text: what only reads, and every way to write, assign or wait for ever.
import { expect, test } from "bun:test";
import { TEXT_PROGRAMS as TABLE } from "../src/permissions/shell/programs/text.ts";
import { approved, asked, needs, summaries } from "./shell-programs-kit.ts";

test("working on text is reading", () => {
  const lines = `
    sort a.txt
    sort -u a.txt
    sort -t, -k2 -n data.csv
    sort -t : -k 3,3n data
    sort -k1,1 -k2,2nr x
    sort -h
    sort --reverse --numeric-sort x
    sort -V
    sort -c a.txt
    sort -m a.txt b.txt
    sort -t$'\\t' -k2 a
    sort docs/*.txt
    uniq -c
    uniq -d a.txt
    uniq a.txt
    uniq -w 10 a.txt
    cut -d: -f1 a.txt
    cut -d, -f 2,3 data.csv
    cut -c1-10 a.txt
    cut -d ' ' -f2-
    cut -f2 -d/ a.txt
    tr '\\n' ','
    paste a.txt b.txt
    paste -sd+ a.txt
    paste -d, a b
    join a.txt b.txt
    join -t, -1 2 -2 1 a b
    column -t a.txt
    column -t -s, data.csv
    column -s ':' -t a
    fold -w 80 a.txt
    fold -s -w 72 x
    fmt -w 72 a.txt
    expand -t 4 a.txt
    unexpand a.txt
    pr -2 a.txt
    pr -m -t a.txt b.txt
    tsort deps.txt
    shuf a.txt
    shuf -n 2 list.txt
    shuf -n1 -e a b c
    shuf -i 1-10 -n 3
    seq 10
    seq 1 2 10
    seq -w 1 10
    seq -s, 1 5
    seq 5 -1 1
    factor 12
    numfmt --to=iec 1048576
    numfmt --from=iec 1M
    iconv -f latin1 -t utf-8 a.txt
    iconv -f UTF-16LE -t UTF-8//TRANSLIT a.txt
    iconv -l
    echo hello
    echo -e "a\\tb"
    printf '%s\\n' hello
    printf "%-20s %s\\n" a b
    printf -- '-%s\\n' a
    printf "100%%\\n"
    expr 1 + 2
    true
    false
    :
    sleep 1
    sleep 0.5
    sleep 30s
    diffstat a.patch
    wdiff a b
  `;
  expect(asked(TABLE, lines)).toEqual([]);
});

test("options that write or run, formats that assign and endless programs are not", () => {
  const lines = `
    sort -o out a
    sort -uo out a
    sort --output=out a
    sort --outp=out a
    sort a -o out
    sort --compress-program=./x a
    sort -T /tmp a
    sort --files0-from=x
    sort *.txt
    sort --random-source=x a
    sort -k $x a
    sort -t $x -o y a
    uniq a b
    uniq -c a b
    uniq src/*.txt
    shuf -o out a
    shuf --outp=out list.txt
    shuf -e a b c --output=out
    shuf -e a -o out
    shuf --random-source=x a
    iconv -o out a
    iconv -f latin1 -t utf8 --output=x a
    iconv -f ./charmap a
    printf -v PATH x
    printf -vPATH x
    printf '%n' PATH
    printf '%5n' PATH
    printf "$x" PATH
    sleep infinity
    sleep 1d
    sleep $x
    seq 1 inf
    pr -@ a
  `;
  expect(approved(TABLE, lines)).toEqual([]);
});

test("the files they read", () => {
  const { found, expected } = summaries(
    TABLE,
    `
    sort -k2 a b -> read r:a r:b
    sort -t - a -> read r:a
    uniq a -> read r:a
    shuf -e a b -> read
    shuf -n 1 a -> read r:a
    cut -d / -f 2 a -> read r:a
    tr / a -> read
    echo /etc/passwd -> read
    printf %s /etc/passwd -> read
    join a b -> read r:a r:b
    sort -k 2 "$x" -> unknown r:2 r:…
    uniq docs/*.txt -> unknown r:docs/*.txt
    `,
  );
  expect(found).toEqual(expected);
});

test("names that are added when it runs", () => {
  const { found, expected } = needs(
    TABLE,
    `
    echo -> any
    cut -f1 -> files
    sort -> never
    uniq -> never
    printf %s -> any
    printf -> never
    printf -v -> never
    printf $x -> never
    `,
  );
  expect(found).toEqual(expected);
});

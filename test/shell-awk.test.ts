// awk: which programs only compute and print.
import { describe, expect, test } from "bun:test";
import { readAwkScript } from "../src/permissions/shell/programs/awk-script.ts";
import { AWK } from "../src/permissions/shell/programs/awk.ts";
import { accepts } from "../src/permissions/shell/programs/entry.ts";
import { argsOf, judged, summary } from "./shell-words-kit.ts";

describe("harmless programs", () => {
  test.each([
    "1",
    "{print $9, $5}",
    "{print length($0)}",
    "BEGIN{print 1+1}",
    "/TODO/{c++} END{print c}",
    "NR==1{print $1}",
    "NR>=10 && NR<=20",
    "$3 > 100 {print $1}",
    "{ if ($2 > 5) print $1; else if ($2 < 1) print }",
    "{ x = $1 > 5 ? 1 : 0; print x }",
    '{ print ($1 > 5) ? "big" : "small" }',
    '{ printf("%s %d\\n", $1, ($2 > 3)) }',
    "{ s += $1 / $2 } END { print s / NR }",
    '{ a[$1] = a[$1] " " $2 } END { for (k in a) print k, a[k] }',
    '{ gsub(/[^\\/]*\\//, ""); sub(/[^/]*$/, ""); print }',
    "!seen[$0]++",
    'BEGIN { FS = ","; OFS = "\\t" } $1 ~ /^a\\/b/ || !/x|y/ { $1 = $1; print }',
    "function max(a, b) { return a > b ? a : b } { m = max(m, $1) } END { print m }",
    '/start/,/end/ { print NR ": " $0 }',
    "/a/ { getline; print } /b/ { getline line; print line }",
    "{ while ((getline line) > 0) n++ } END { print n }",
    '{ print "a | b > c" } # | > system(',
    "{ print $1,\n$2 }",
    '{ print "warn" > "/dev/stderr" }',
    'BEGIN { while (i < 3) { i++ ; if (i == 2) continue; print toupper("x") substr($0, 1, 2) } exit 1 }',
  ])("%s", (program) => {
    expect(readAwkScript(program)).toEqual({ reads: [], writes: [], commands: [] });
  });
});

describe("what is not harmless", () => {
  test.each<[string, string, { reads?: string[]; writes?: string[]; commands?: string[] }]>([
    ['{print > "out"}', "> writes a file", { writes: ["out"] }],
    ['{print $1 >> "out"}', ">> writes a file", { writes: ["out"] }],
    ['{print($1)($2) > "out"}', "> writes a file", { writes: ["out"] }],
    ['{printf("%s", $1) > $2}', "> writes a file", {}],
    ['{print a,\nb > "out"}', "> writes a file", { writes: ["out"] }],
    ["{print 1, 2 > 1 ? 3 : 4}", "> writes a file", {}],
    ["{print a[1 > 2]}", "> writes a file", {}],
    ['{print "x" > "/dev/stderr" "x"}', "> writes a file", { writes: ["/dev/stderr"] }],
    ['{if (x) print; else print > "out"}', "> writes a file", { writes: ["out"] }],
    ['{print | "sort"}', "a pipe runs a command", { commands: ["sort"] }],
    ['BEGIN{"date" | getline x}', "a pipe runs a command", { commands: ["date"] }],
    ['BEGIN{print "x" |& cmd}', "a pipe runs a command", { commands: ["x"] }],
    ['{system("rm x")}', "system() runs a command", { commands: ["rm x"] }],
    ["{system (c)}", "system() runs a command", {}],
    ['{getline x < "/etc/passwd"}', "getline from a file or a command", { reads: ["/etc/passwd"] }],
    ["{(getline x) < y}", "getline from a file or a command", {}],
    ['BEGIN{print ENVIRON["A"]}', "ENVIRON is not allowed in it", {}],
    ['BEGIN{ARGV[1]="/etc/passwd"; ARGC=2}', "ARGV is not allowed in it", {}],
    ["BEGIN{for(k in SYMTAB) print k}", "SYMTAB is not allowed in it", {}],
    ['@include "x"', "the character @", {}],
    ['BEGIN{f="system"; @f("ls")}', "the character @", {}],
    ["BEGIN{awk::print}", "a name in a namespace", {}],
    ["{spawn(1)}", "the function spawn is not known", {}],
    // What begins at a slash must be certain: what seems to be an expression could be code.
    ['{i++ / system("x") / 1}', "a / that may begin an expression or divide", {}],
    ["{print length / 2}", "a / that may begin an expression or divide", {}],
    ["{if (x) /a/ ; print}", "a / that may begin an expression or divide", {}],
    ['/[/"]/ {print}', "a / inside a bracket", {}],
    ["/a", "an expression whose end is not certain", {}],
    ['{print "a}', "a string without an end", {}],
    ["# x\\\n{print}", "a comment that ends with a backslash", {}],
  ])("%j", (program, problem, known) => {
    expect(readAwkScript(program)).toEqual({ problem, reads: [], writes: [], commands: [], ...known });
  });
});

describe("the command", () => {
  test.each([
    ["awk -F: 'NR==1{print $1}' config/app.yml", "read r:config/app.yml"],
    ["awk -F, -v n=3 'NR==n' OFS=, a.csv", "read r:a.csv"],
    // Every awk ends its options at the program.
    ["awk '{print}' *.csv -v x", "read r:*.csv r:-v r:x"],
    ["gawk --field-separator=: --posix 1 a", "read r:a"],
    ["gawk -e 1 a", "read r:a"],
    ['awk -v p="$x" 1 a', "read r:a"],
    ["awk -v p=$x 1 a", "unknown r:p=… r:1 r:a"],
    ["awk -v ENVIRON=1 1 a", "unknown r:a"],
    // The one true awk would run the value as its program.
    ["gawk --assign 'x=1;system(1)' 1 a", "unknown r:1 r:a"],
    ["awk -nv 'x=1;system(1)' 1 a", "unknown r:x=1;system(1) r:1 r:a"],
    ["awk -f prog a", "unknown r:prog r:a"],
    ["gawk -iinplace '{print 1}' list.txt", "unknown r:{print 1} r:list.txt w:{print 1} w:list.txt"],
    ["gawk -i inplace 1 list.txt", "unknown r:inplace r:1 r:list.txt w:inplace w:1 w:list.txt"],
    ["gawk -o 1", "unknown r:1"],
    ["gawk -d 1", "unknown r:1"],
    ['awk "$x" a', "unknown r:… r:a"],
    ['awk \'{print > "out"; system("ls")}\' a', "unknown r:a w:out {ls}"],
    ["awk", "unknown"],
    ["gawk --version", "read"],
  ])("%s", (line, expected) => {
    expect(summary(judged(AWK, line))).toBe(expected);
  });

  test("added names must be files of the workspace, behind a program", () => {
    const awk = AWK.get("awk");
    if (!awk) throw new Error("no awk");
    const holds = (line: string, files: boolean) => accepts(awk, argsOf(line), { dotted: true, files });
    expect([holds("'{print $1}'", true), holds("1", false), holds("-F:", true), holds("-f prog", true)]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});

// sed: which scripts are harmless, and what the others touch.
import { describe, expect, test } from "bun:test";
import { readSedScript } from "../src/permissions/shell/programs/sed-script.ts";
import { SED } from "../src/permissions/shell/programs/sed.ts";
import { accepts } from "../src/permissions/shell/programs/entry.ts";
import { argsOf, judged, summary } from "./shell-words-kit.ts";

describe("harmless scripts", () => {
  test.each([
    "3p",
    "$p",
    "1,20p;20q",
    "10,20p",
    "/^$/d",
    "/^#/!p",
    "0~3d",
    "/a/,+3p",
    "2,~4p",
    "0,/x/Is//y/",
    "\\,/x/,d",
    "s/a/b/",
    "s|/usr|/opt|2gp",
    "s/[^/]*$//",
    "s/[^/]*$/x/",
    "s/[\\/]/-/g",
    "s/,/\\\n/g",
    "s/\\(a\\)\\(b\\)/\\2\\1/",
    "y/abc/xyz/",
    ":a;N;$!ba;s/\\n/ /g",
    "$!N;P;D",
    "/x/{n;s/a/b/;p}",
    "/a/,/b/{//!d}",
    "a hello; w is text here",
    "i\\\nhello",
    "1i\\  indented",
    "# a comment\np # another",
    "5q1",
    "=;l 40",
    "x;G;1!h",
  ])("%s", (script) => {
    expect(readSedScript(script)).toEqual({ reads: [], writes: [], commands: [] });
  });
});

describe("what is not harmless", () => {
  test.each<[string, string, { reads?: string[]; writes?: string[]; commands?: string[] }]>([
    ["w out", "the command w uses a file", { writes: ["out"] }],
    ["/a/w out.txt", "the command w uses a file", { writes: ["out.txt"] }],
    ["p;1!{w a\nw b\n}", "the command w uses a file", { writes: ["a", "b"] }],
    ["s/a/b/;s/c/d/w out", "the command w uses a file", { writes: ["out"] }],
    ["s/a/b/gw .claude/settings.json", "the command w uses a file", { writes: [".claude/settings.json"] }],
    ["W out", "the command W uses a file", { writes: ["out"] }],
    ["r /etc/passwd", "the command r uses a file", { reads: ["/etc/passwd"] }],
    ["e touch P", "the command e runs a program", { commands: ["touch P"] }],
    ["s/a/b/e", "the flag e of s", {}],
    ["s/a/b/ge", "the flag e of s", {}],
    ["v", "the command v is not known", {}],
    // Old GNU sed ends the expression at the delimiter inside the bracket.
    ["s/[/]/w out/", "an expression whose end is not certain", {}],
    ["/[/w out]/p", "an expression whose end is not certain", {}],
    // In brackets a backslash is an ordinary character for some and hides the bracket's end for others.
    ["s/[\\]/]/x/", "an expression whose end is not certain", {}],
    ["s/[a/b/", "an expression whose end is not certain", {}],
    ["s\na\nb\n", "s with an unusual delimiter", {}],
    ["s\\a\\b\\", "s with an unusual delimiter", {}],
    ["sxaxbx", "s with an unusual delimiter", {}],
    ["s/a/b\n/", "a replacement without an end", {}],
    ["y/[/]/", "y with text that is not plain", {}],
    // busybox takes the next line for a command, GNU sed for an error.
    ["a\nw out", "a, i or c without text", {}],
    ["a text\\\nw out", "text that goes on in the next line", {}],
    ["a\\\ntext\\\\\nw out", "text that goes on in the next line", {}],
    ["# comment\\\nw out", "a comment that ends with a backslash", {}],
    ["{p", "a { without its }", {}],
    ["p}", "a } without its {", {}],
    ["p p", "more behind a command than is known", {}],
  ])("%j", (script, problem, known) => {
    expect(readSedScript(script)).toEqual({ problem, reads: [], writes: [], commands: [], ...known });
  });
});

describe("the command", () => {
  test.each([
    ["sed -n 3p notes.txt", "read r:notes.txt"],
    ["sed -e 's/a/b/' -e 's/c/d/' list.txt", "read r:list.txt"],
    ["sed -nE --expression=p -- -x a", "read r:-x r:a"],
    ["sed -n 1,5p src/*.ts", "read r:src/*.ts"],
    ["sed -n 1,5p *.ts", "unknown r:1,5p r:*.ts"],
    ["sed -f script list", "unknown r:script r:list"],
    ["sed --quie p a", "unknown r:p r:a"],
    ['sed "$x" a', "unknown r:… r:a"],
    ["sed -l 1p p a", "unknown r:a"],
    ["sed -e 'a\\' -e 'w out' f", "unknown r:f"],
    ["sed 's/x/y/w .claude/settings.json'", "unknown w:.claude/settings.json"],
    ["sed '1e rm x' f", "unknown r:f {rm x}"],
    ["sed -i 's/a/b/' f g", "files r:f r:g w:f w:g"],
    ["sed -i 's/a/b/' src/*.ts", "files r:src/*.ts w:src/*.ts"],
    ["sed -i.bak 's/a/b/' f", "files r:f w:f w:f.bak"],
    ["sed -ni p f", "files r:f w:f"],
    ["sed -in p f", "files r:f w:f w:fn"],
    ["sed --in-place=.o -e p f", "files r:f w:f w:f.o"],
    ["sed -i '' 's/a/b/' f", "files r:f w:f"],
    ["sed -i '*.bak/x' f", "unknown r:f w:f"],
    ["sed --in-place='bak/*' p f", "unknown r:f w:f w:fbak/*"],
    ["sed -i 'w out' f", "unknown r:f w:f w:out"],
    // BSD's sed takes the script for the suffix, and so the file for the script.
    ["sed -i 's/a/b/' w.git/hooks/x", "files r:w.git/hooks/x w:w.git/hooks/x w:.git/hooks/x"],
  ])("%s", (line, expected) => {
    expect(summary(judged(SED, line))).toBe(expected);
  });

  test("added names must be files of the workspace, behind a script", () => {
    const sed = SED.get("sed");
    if (!sed) throw new Error("no sed");
    const holds = (line: string, files: boolean) => accepts(sed, argsOf(line), { dotted: true, files });
    expect([holds("-n 1p", true), holds("-n 1p", false), holds("-n", true), holds("-i p", true)]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});

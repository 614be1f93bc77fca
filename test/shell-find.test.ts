// find and xargs: tests and actions by a closed list, the commands they run, and what a pipe hands on.
import { describe, expect, test } from "bun:test";
import { feedOf } from "../src/permissions/shell/programs/feed.ts";
import { FIND } from "../src/permissions/shell/programs/find.ts";
import { XARGS } from "../src/permissions/shell/programs/xargs.ts";
import type { Feed } from "../src/permissions/shell/types.ts";
import { literal } from "../src/permissions/shell/types.ts";
import { argsOf, judged, summary } from "./shell-words-kit.ts";

describe("find", () => {
  test.each([
    ["find", "read n*:."],
    ["find . -iname '*readme*'", "read n*:."],
    ["find test -name '*.test.ts' -o -name '*.spec.ts'", "read n*:test"],
    [
      "find -H -O2 src ./lib -maxdepth 2 \\( -type d -o -type l \\) ! -path '*/x/*' -prune -o -print",
      "read n*:src n*:./lib",
    ],
    ["find . -newer a.txt -samefile b -newermt 2024-01-01 -size +1k -mtime -1 -empty -ls", "read n*:. n:a.txt n:b"],
    ["find . -name \"$x\" -printf '%p %s\\n' -quit", "read n*:."],
    // Unquoted: what it becomes is no test and no action.
    ["find . -name *.ts", "read n*:."],
    ["find . -name src*", "read n*:."],
    ["find src/* -name x", "read n*:src/*"],
    ["find . -name *", "unknown n*:. r:. r:*"],
    ["find * -name x", "unknown n*:* r:* r:x"],
    ["find $x -name x", "unknown n*:… r:… r:x"],
    ["find . -name $x", "unknown n*:. r:. r:…"],
    ['find . "$x" -name a', "unknown n*:. n*:… r:. r:… r:a"],
    ["find -L . -name a", "read n**:."],
    ["find -P -L src -type f -exec cat {} +", "read r**:src [cat +dotted]"],
    ["find . -follow", "unknown n*:. r:."],
    ["find -files0-from list", "unknown n*:. r:list"],
    ["find . -D exec", "unknown n*:. r:. r:exec"],
    ["find . -delet", "unknown n*:. r:."],
    ["find -delete", "files n*:. d*:."],
    [
      "find src lib -name '*.o' -delete",
      "files n*:src n*:lib d*:src d*:lib d*:src/*.o d*:src/.*.o d*:lib/*.o d*:lib/.*.o",
    ],
    ["find . -name .npmrc -exec touch {} +", "files r*:. w*:. w*:./.npmrc [touch +dotted]"],
    ["find . -path './.git/*' ! -name x -delete", "files n*:. d*:. d*:./.git/*"],
    ["find . -fprint out -fls ls", "files n*:. w:out w:ls"],
    ["find . -fprintf out '%p'", "files n*:. w:out"],
    ["find . -fprint0 out", "files n*:. w:out"],
  ])("%s", (line, expected) => {
    expect(summary(judged(FIND, line))).toBe(expected);
  });

  test.each([
    ["find docs -type f -exec head -n 2 {} +", "read r*:docs [head -n 2 +dotted,files]"],
    ["find . -exec wc -l {} \\;", "read r*:. [wc -l +dotted]"],
    ["find . \\( -name a -o -name b \\) -type f -exec cat {} +", "read r*:. [cat +dotted,files]"],
    ["find . \\( -type f -name a -o -type f -name b \\) -exec cat {} +", "read r*:. [cat +dotted,files]"],
    ["find . -name x -prune -o -type f -exec cat {} \\;", "read r*:. [cat +dotted,files]"],
    // Not certainly ordinary files.
    ["find . \\( -type f -o -name b \\) -exec cat {} +", "read r*:. [cat +dotted]"],
    ["find . -type f -o -exec cat {} +", "read r*:. [cat +dotted]"],
    ["find . -type f , -exec cat {} +", "read r*:. [cat +dotted]"],
    ["find . ! -type f -exec cat {} +", "read r*:. [cat +dotted]"],
    ["find . ! \\( -type f \\) -exec cat {} +", "read r*:. [cat +dotted]"],
    ["find . -type f,l -exec cat {} +", "read r*:. [cat +dotted]"],
    ["find . -xtype f -exec cat {} +", "read r*:. [cat +dotted]"],
    ["find . -exec cat {} \\; -type f", "read r*:. [cat +dotted]"],
    // A name that is not the last word is a word that begins like the start point.
    ["find . -exec grep {} /etc/passwd \\;", "read r*:. [grep .… /etc/passwd]"],
    ["find src src/lib -exec basename {} .ts \\;", "read r*:src r*:src/lib [basename src… .ts]"],
    ["find . -exec echo x{} \\;", "read r*:. [echo x…]"],
    ["find . -exec diff {} {} \\;", "read r*:. [diff .… .…]"],
    ["find . -exec rm {} \\; -exec touch P \\;", "files r*:. d*:. [rm +dotted] [touch P]"],
    ["find . -exec {} \\;", "unknown r*:. r:. r:{} r:; [ +dotted]"],
    ["find . -exec ./{} a \\;", "unknown r*:. r:. r:./{} r:a r:; [./… a]"],
    ["find . -exec cat {}", "unknown r*:. r:. r:cat r:{} [cat +dotted]"],
    // busybox ends the command at any plus.
    ["find . -exec cat + touch {} \\;", "unknown r*:. r:. r:cat r:+ r:touch r:{} r:; [cat + touch +dotted]"],
    ["find . -exec cat $x \\;", "unknown r*:. r:. r:cat r:… r:; [cat …]"],
    ["find . -execdir cat {} \\;", "unknown r*:. r:. r:cat r:{} r:; [cat +dotted]"],
    ["find . -ok rm {} \\;", "unknown r*:. r:. r:rm r:{} r:; d*:. [rm +dotted]"],
  ])("%s", (line, expected) => {
    expect(summary(judged(FIND, line))).toBe(expected);
  });
});

const FILES: Feed = { dotted: true, files: true, nul: true };

describe("xargs", () => {
  test.each<[string, Feed | undefined, string]>([
    ["xargs", undefined, "read [echo +any]"],
    ["xargs -r wc -l", { dotted: true, files: true, nul: false }, "read [wc -l +dotted]"],
    ["xargs -0 cat", FILES, "read [cat +dotted,files]"],
    ["xargs -0n1 -P4 cat", FILES, "read [cat +dotted,files]"],
    // Names split at blanks are not what find said they are.
    ["xargs cat", FILES, "read [cat +dotted]"],
    ["xargs -0 cat", { ...FILES, nul: false }, "read [cat +dotted]"],
    ["xargs --null --max-args=1 cat", FILES, "read [cat +dotted,files]"],
    ["xargs -d '\\n' mkdir", undefined, "read [mkdir +any]"],
    ["xargs -n1 timeout 5 cat", FILES, "read [timeout 5 cat +any]"],
    ["xargs -I{} grep x {}", FILES, "read [grep x +any]"],
    ["xargs -I % echo 'a % b' %", FILES, "read [echo a … …]"],
    ["xargs -i cp {} dest", FILES, "read [cp … dest]"],
    ["xargs -I{} {} x", FILES, "unknown [{} x]"],
    ["xargs -I{} cat $x {}", FILES, "unknown [cat … {}]"],
    ["xargs -a list rm", undefined, "read r:list [rm +any]"],
    ["xargs -a list wc -l", FILES, "read r:list [wc -l +any]"],
    ["xargs -p rm", undefined, "unknown r:rm [rm]"],
    ["xargs -n $x cat", undefined, "unknown r:… r:cat [… cat] [cat]"],
    ["xargs --max-a=1 rm", undefined, "unknown r:rm [rm]"],
  ])("%s", (line, feed, expected) => {
    expect(summary(judged(XARGS, line, feed ? { feed } : {}))).toBe(expected);
  });
});

describe("what a pipe hands on", () => {
  test.each<[string, string | undefined]>([
    ["find . -type f", "dotted files"],
    ["find . -type f -print0", "dotted files nul"],
    ["find . -name x -o -type f -print0", "dotted files nul"],
    ["find . -type f -print0 -o -print0", "dotted nul"],
    ["find . -print -print0", "dotted"],
    ['find src "./a b"', "dotted"],
    ["find . -printf '%f'", undefined],
    ["find . -exec echo -x \\;", undefined],
    ["find . -type f -fprint out", undefined],
    ["find -L . -type f", "dotted"],
    ["find -L . -type f -print0", "dotted nul"],
    ["echo src test", "dotted lines"],
    ["echo -n src", "text"],
    ["echo '\"-x\"'", "text"],
    ["printf '%s\\0' a b", "dotted nul lines"],
    ["printf '-x' a", "text"],
    ["ls -d src/*", "dotted"],
    ["ls src", undefined],
    ["ls -d *", undefined],
    ["grep -rl foo src", "dotted"],
    ["grep -rlZ -e foo ./src", "dotted nul"],
    ["grep -l foo", undefined],
    ["grep -r foo src", undefined],
    ["rg -l foo src", "dotted"],
    ["rg --files -0 src", "dotted nul"],
    ["rg -l foo", undefined],
    ["git ls-files", undefined],
    ["cat list", undefined],
  ])("%s", (line, expected) => {
    expect(said(line)).toBe(expected);
  });

  test.each<[string, Feed, string | undefined]>([
    ["grep -v node_modules", { ...FILES, nul: false }, "dotted files"],
    ["sort -u", { ...FILES, nul: false }, "dotted files"],
    ["head -5", { ...FILES, nul: false }, "dotted files"],
    ["sort -z", FILES, "dotted files nul"],
    ["sort", FILES, undefined],
    ["grep -o x", { ...FILES, nul: false }, undefined],
    ["sort other", { ...FILES, nul: false }, undefined],
    ["head -c 3", { ...FILES, nul: false }, undefined],
    ["sed s/x//", { ...FILES, nul: false }, undefined],
  ])("%s behind another", (line, feed, expected) => {
    expect(said(line, feed)).toBe(expected);
  });
});

function said(line: string, feed?: Feed): string | undefined {
  const [command, ...args] = argsOf(line);
  const found = feedOf({ name: literal(command) ?? "", args, ...(feed ? { feed } : {}) });
  return (
    found &&
    Object.entries(found)
      .flatMap(([key, holds]) => (holds ? [key] : []))
      .join(" ")
  );
}

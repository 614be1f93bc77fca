// Wrappers, shells and conditions: what they run, and what of it is known.
import { describe, expect, test } from "bun:test";
import { accepts } from "../src/permissions/shell/programs/entry.ts";
import { TEST } from "../src/permissions/shell/programs/test.ts";
import { TRANSPARENT, TRANSPARENT_FOR_ALLOW, WRAPPERS } from "../src/permissions/shell/programs/wrappers.ts";
import { argsOf, judged, summary } from "./shell-words-kit.ts";

describe("wrappers", () => {
  test.each([
    ["timeout -s KILL -k 5 --foreground 10s ls -l", "read [ls -l]"],
    ["timeout 5 env FOO=1 nice -n1 rm list.txt", "read [env FOO=1 nice -n1 rm list.txt]"],
    ["timeout git push", "unknown [push]"],
    ["timeout --weird 5 git push", "unknown r:5 r:git r:push [5 git push] [git push] [push]"],
    ["time -p ls", "read [ls]"],
    ["time -o out ls", "files w:out [ls]"],
    ["nice -n -5 ls", "read [ls]"],
    ["nice -10 ls", "read [ls]"],
    ["nice", "read"],
    ["nohup ls", "unknown [ls]"],
    ["stdbuf -oL --error=0 grep x", "read [grep x]"],
    ['env A=1 B="$x" git push', "read [A=1 B=… git push]"],
    ["env", "unknown"],
    ["env A=1", "unknown"],
    ["env -0", "unknown"],
    ["env -i ls", "unknown [ls]"],
    ["env -u A ls", "unknown [ls]"],
    ["env -C /etc ls", "unknown [ls]"],
    ["env -vS 'touch P'", "unknown {touch P}"],
    ["env --split-string='touch P'", "unknown {touch P}"],
    ["env $x ls", "unknown r:… r:ls [… ls] [ls]"],
    ["command -v git", "read"],
    ["command -p ls", "read [ls]"],
    ["command touch P", "read [touch P]"],
    ["builtin eval touch P", "read [eval touch P]"],
    ["exec -a ls touch P", "unknown [touch P]"],
    ["sudo -u root -- rm -rf /", "unknown [rm -rf /]"],
    ["sudo A=1 rm x", "unknown [A=1 rm x]"],
    ["doas rm x", "unknown [rm x]"],
    ["su root -c 'rm x'", "unknown {rm x} [-c rm x]"],
    ["setsid -f rm x", "unknown [rm x]"],
    ["ionice -c 3 rm x", "unknown [rm x]"],
    ["chroot /x rm y", "unknown [rm y]"],
    ["unshare -r touch P", "unknown [touch P]"],
    ["flock /tmp/l git push", "unknown [git push]"],
    ["flock /tmp/l -c 'git push'", "unknown {git push} [-c git push]"],
    ["watch -n 5 git push", "unknown {git push}"],
    ["strace -o log -f rm x", "unknown [rm x]"],
    ["script -c 'rm x' log", "unknown {rm x} [log]"],
    ["parallel -j2 rm ::: a b", "unknown {rm ::: a b}"],
    ["ssh -p 22 host git push", "unknown {git push}"],
    ["busybox sh -c 'touch P'", "unknown [sh -c touch P]"],
  ])("%s", (line, expected) => {
    expect(summary(judged(WRAPPERS, line))).toBe(expected);
  });

  test.each([
    ["bash -c 'rm x'", "unknown {rm x}"],
    ["sh -ec 'rm x' name", "unknown {rm x}"],
    ["bash --weird -c 'rm x'", "unknown r:rm x {rm x}"],
    ["bash run.sh", "unknown r:run.sh"],
    ["bash -n run.sh", "read r:run.sh"],
    ["zsh -n run.sh", "unknown r:run.sh"],
    ["bash -n run.sh other", "unknown r:run.sh"],
    ["bash -n -c x", "unknown {x}"],
    ["bash --version", "read"],
    ["eval PATH=. '; ls'", "unknown {PATH=. ; ls}"],
    ["eval $x", "unknown"],
    ["trap 'rm x' EXIT", "unknown {rm x}"],
    ["trap -l", "read"],
    [". ./x", "unknown r:./x"],
    ["source ./x", "unknown r:./x"],
  ])("%s", (line, expected) => {
    expect(summary(judged(WRAPPERS, line))).toBe(expected);
  });

  test("added names are a matter of the command behind the wrapper", () => {
    const added = { dotted: true, files: true };
    expect(summary(judged(WRAPPERS, "timeout 5 cat", { added }))).toBe("read [cat +dotted,files]");
    const holds = ["timeout 5 cat", "timeout 5", "nice", "env", "sudo cat", "bash -c"].map((line) => {
      const [name = "", ...rest] = line.split(" ");
      const entry = WRAPPERS.get(name);
      return entry && accepts(entry, argsOf(rest.join(" ")), added);
    });
    expect(holds).toEqual([true, false, false, false, false, false]);
  });

  test("who looks through what", () => {
    expect([...TRANSPARENT_FOR_ALLOW].toSorted()).toEqual(["nice", "nohup", "stdbuf", "time", "timeout"]);
    const readOnly = [...TRANSPARENT].flatMap(([name, through]) => (through.readOnly ? [name] : []));
    expect(readOnly.toSorted()).toEqual("builtin command env find nice stdbuf time timeout xargs".split(" "));
    const required = "env command builtin exec nohup timeout time nice ionice stdbuf setsid sudo xargs".split(" ");
    expect(required.filter((name) => !TRANSPARENT.has(name))).toEqual([]);
  });
});

describe("test", () => {
  test.each([
    ["test -f package.json", "read n:package.json"],
    ["[ -d node_modules ]", "read n:node_modules"],
    ["[ ! -e a -a b -nt c ]", "read n:a n:b n:c"],
    ['[ "$x" = a ]', "read"],
    ['[ a != "$x" ]', "read"],
    ['[ ! "$x" -gt 5 ]', "read"],
    ['[ -z "$x" ]', "read"],
    ['[ -f "$x" ]', "read"],
    ['[ "$x" ]', "read"],
    ["[ ]", "read"],
    ["test -v HOME", "read"],
    ["[ 'a[$(x)]' -eq 1 ]", "read"],
    ["[ -f src/$x -o -f b ]", "unknown n:b"],
    ["test -v 'a[$(touch P)]'", "unknown"],
    ["test -R 'a[$(touch P)]'", "unknown"],
    ['[ -v "$x" ]', "unknown"],
    ["[ -n x -a -v 'a[1]' ]", "unknown n:-v"],
    // Unquoted it may be several words, and one of them -v.
    ["[ $x = a ]", "unknown"],
    ["[ -n $x ]", "unknown"],
    ['[ "$x" a ]', "unknown"],
    ['[ "$x" -a "$x" ]', "unknown"],
    ['[ -n "$x" -o -n b ]', "unknown"],
    ["[ -f *.ts ]", "unknown n:*.ts"],
    ["[ -q x ]", "unknown"],
    ["[ -f x", "unknown n:x"],
  ])("%s", (line, expected) => {
    expect(summary(judged(TEST, line))).toBe(expected);
  });
});

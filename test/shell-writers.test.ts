// Programs that change files: exactly which.
import { expect, test } from "bun:test";
import { ACCEPT_EDITS, WRITERS } from "../src/permissions/shell/programs/writers.ts";
import { judged, summary } from "./shell-words-kit.ts";

test.each([
  ["cp a b", "files r:a w:b w:b/a"],
  ["cp -T a b", "files r:a w:b"],
  ["cp a/x ../y/z b/", "files r:a/x r:../y/z w:b/x w:b/z"],
  ["cp -r evil/. .", "files r*:evil/. w*:. w*:."],
  ["cp -at d a b/c/", "files r*:a r*:b/c/ w*:d/a w*:d/c"],
  // One file may match, and then the target is a file; what the names below will be is not known.
  ["cp src/*.ts dist", "files r:src/*.ts w:dist w:dist/…"],
  ['cp a "$x"', "unknown r:a r:… w*:a w*:…"],
  ['cp "src/$x" b', "files r:src/… w:b w:b/…"],
  ["cp -b a b", "unknown r:a w:b w:b/a"],
  ["cp -L a b", "unknown r:a w:b w:b/a"],
  ["cp --parents a/b c", "unknown r:a/b w:c w:c/b"],
  ["cp a", "unknown"],
  ["cp --recursiv a b", "unknown r:a r:b w*:a w*:b"],
  ["mv a b", "files r*:a d*:a w*:b w*:b/a"],
  ["mv a b .git", "files r*:a r*:b d*:a d*:b w*:.git/a w*:.git/b"],
  ["mv x/.git .", "files r*:x/.git d*:x/.git w*:. w*:./.git"],
  ["rm -rf / x", "files d*:/ d*:x"],
  ["rm a", "files d:a"],
  ["rm -rf $x", "unknown r:… d*:…"],
  ["rm --weird /", "unknown r:/ d*:/"],
  ["rm -rf --no-preserve-root /", "unknown d*:/"],
  ["rmdir -p a/b/c", "files d:a/b/c d:a/b d:a"],
  ["unlink a", "files d:a"],
  ["shred -u b.txt", "files d:b.txt"],
  ["shred -n 3 b.txt", "files w:b.txt"],
  ["link a b", "files r*:a r*:b/a w:b w:b/a"],
  [
    "ln -s ../../etc/passwd src/x",
    "files r*:../../etc/passwd r*:src/../../etc/passwd r*:src/x/../../etc/passwd w:src/x w:src/x/passwd",
  ],
  ["ln -s /etc/passwd", "files r*:/etc/passwd w:./passwd"],
  ["ln -sft d a b", "files r*:a r*:d/a r*:b r*:d/b w:d/a w:d/b"],
  ["mkdir -p -m 755 a b/c", "files w:a w:b/c"],
  ["touch -r ref -t 202401010000 x", "files n:ref w:x"],
  ["truncate -s 0 f", "files w:f"],
  ["tee -a log /dev/null", "files w:log"],
  ["tee /dev/null", "read"],
  ["tee", "read"],
  ["install -m 755 a b", "files r:a w:b w:b/a"],
  ["install -d a b", "files w:a w:b"],
  ["install -s a b", "unknown r:a r:b w*:a w*:b"],
  ["chmod +x run.sh", "files w:run.sh"],
  ["chmod -x run.sh", "files w:run.sh"],
  ["chmod -R u-w --reference=a d", "files n:a w*:u-w w*:d"],
  ["chown me a b", "files w:a w:b"],
  ["dd if=a of=b bs=1", "files r:a w:b"],
  ["dd if=a count=1 status=none", "read r:a"],
  ["dd if=a of=$x", "unknown r:a"],
  ["dd weird=1 of=b", "unknown w:b"],
  ["split -b 1M a out-", "files r:a w:out-…"],
  ["split --filter='rm x' a", "unknown r:a w*:a"],
  ["rm --help", "read"],
])("%s", (line, expected) => {
  expect(summary(judged(WRITERS, line))).toBe(expected);
});

test("what acceptEdits may approve", () => {
  expect([...ACCEPT_EDITS].toSorted()).toEqual("cp mkdir mv rm rmdir sed tee touch".split(" "));
  expect([...ACCEPT_EDITS].filter((name) => name !== "sed" && !WRITERS.has(name))).toEqual([]);
});

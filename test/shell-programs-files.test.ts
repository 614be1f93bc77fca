// Programs that list, print and compare files: what only reads, and every way to write, run or follow.
import { expect, test } from "bun:test";
import { FILE_PROGRAMS } from "../src/permissions/shell/programs/files.ts";
import { ARCHIVE_PROGRAMS } from "../src/permissions/shell/programs/files-archives.ts";
import { BYTE_PROGRAMS } from "../src/permissions/shell/programs/files-bytes.ts";
import { approved, asked, needs, summaries, together } from "./shell-programs-kit.ts";

const TABLE = together(FILE_PROGRAMS, BYTE_PROGRAMS, ARCHIVE_PROGRAMS);

test("listing, printing and comparing is reading", () => {
  const lines = `
    ls
    ls -la
    ls -1 src
    ls -lah --color=never src test
    ls -R src
    ls *.md
    ls -d */
    ls --sort=size -r
    ls -I node_modules
    ls -ltr --time-style=long-iso
    tree
    tree -L 2
    tree -L 2 -I 'node_modules|dist'
    tree -aI .git
    tree -d -L 3 src
    tree --dirsfirst --noreport
    tree -f -i -P '*.ts' --prune
    stat package.json
    stat -c '%s %n' package.json
    stat -f '%z' package.json
    stat --format=%Y src
    file src/index.ts
    file -b --mime-type logo.png
    file src/*
    du -sh .
    du -sh src/*
    du -h --max-depth=1
    du -sk node_modules
    df -h
    df -h .
    pwd
    pwd -P
    basename src/a.ts .ts
    dirname src/lib/a.ts
    realpath src
    readlink -f src
    cat package.json
    cat -n src/index.ts
    cat a.txt b.txt
    cat *.md
    tac a.txt
    head -n 20 src/a.ts
    head -20 src/a.ts
    head -c 100 x
    head -n -5 x
    tail -n 20 log.txt
    tail -5 log.txt
    tail -n +10 log.txt
    tail -c 200 x
    nl -ba src/a.ts
    wc -l src/a.ts
    wc src/*.ts
    od -A x -t x1z -v a.bin
    xxd -l 64 a.bin
    xxd -p a.bin
    xxd -c16 -g1 a.bin
    xxd -s 0x10 -l 16 a.bin
    hd a.bin
    strings -n 8 a.bin
    base64 a.txt
    base64 -d a.txt
    base64 -w0 a.txt
    base64 -i a.txt
    md5sum a.txt
    md5sum src/*
    sha256sum a.txt b.txt
    sha256sum -c SHA256SUMS
    shasum -a 256 a.txt
    cksum a.txt
    cmp a.txt b.txt
    diff a.txt b.txt
    diff -u a.txt b.txt
    diff -q a.txt b.txt
    diff -y --width=120 a.txt b.txt
    diff -U3 a.txt b.txt
    diff --color=always -u a b
    diff -w -B a b
    diff --brief a b
    diff -r --no-dereference src test
    diff3 a b c
    sdiff -s a b
    comm -12 a.txt b.txt
    gzip -l a.gz
    gzip -t a.gz
    gunzip -c a.gz
    gzip -cd a.gz
    xzcat a.xz
    xz -l a.xz
    bzcat a.bz2
    bzip2 -dc a.bz2
    zstdcat a.zst
    zstd -dc a.zst
    zstd -l a.zst
    tar -tf a.tar
    tar tf a.tar
    tar tzf a.tgz
    tar tvf a.tar.gz
    tar tfv a.tar
    tar --list --file=a.tar
    tar -ztvf a.tgz
    tar -tf a.tar --wildcards '*.json'
    tar -xOf pkg.tgz package/package.json
    tar xzOf pkg.tgz package/package.json
    unzip -l a.zip
    unzip -Z1 a.zip
    unzip -p a.jar META-INF/MANIFEST.MF
    unzip -t a.zip
    unzip -lv a.zip
    unzip -v a.zip
    zipinfo -1 a.zip
    ar t lib.a
    nm -D --defined-only lib.so
    nm -gC lib.so
    objdump -h a.out
    objdump -p a.out
    readelf -h a.out
    readelf -d a.out
    readelf -aW a.out
    readelf -s a.out
    size a.out
    bat src/a.ts
    bat -n --paging=never src/a.ts
    bat -pp src/a.ts
    bat --style=plain -r 10:20 src/a.ts
    batcat -p src/a.ts
    rev a.txt
    ls --version
  `;
  expect(asked(TABLE, lines)).toEqual([]);
});

test("options that write, run, follow or read lists are not", () => {
  const lines = `
    tree -o out.txt
    tree -R -L 2
    tree -Lo 2 out
    tree -L -o x
    tree --output x
    tree -J -o out
    tree --fromfile list
    tree --info
    file -C -m src.magic
    file -Cm x
    file -f list
    file -m x a
    file -z a.gz
    file -s /dev/sda
    file --files-from=x
    file -p a
    du --files0-from=x
    du -X x
    df --sync
    tail -f log
    tail -F log
    tail -fn 5 log
    tail -n5f log -f
    tail --follow log
    tail --fol log
    tail -5f log
    wc --files0-from=x
    wc --files0=x
    wc *
    xxd a b
    xxd -r a b
    xxd *.bin
    xxd -ps a b
    hexdump -f x a
    strings @x
    nm @x
    nm --plugin ./x.so a
    objdump @x
    objdump -S a
    readelf -w a
    objdump -l a
    size @x
    nm -l a
    ar x lib.a
    ar r lib.a a.o
    ar t @x
    ar d lib.a
    base64 -o out a
    base64 a --output=out
    base64 -i a -o b
    cmp --foo a b
    diff -l a b
    diff --paginate a b
    diff -X x a b
    diff3 --diff-program=./x a b c
    diff3 --diff-prog=./x a b c
    sdiff -o out a b
    sdiff --diff-program=./x a b
    sdiff -oout a b
    gzip a
    gzip -d a.gz
    gzip -9 a
    gunzip a.gz
    bzip2 a
    xz a
    xz -t -d a.xz
    xz -d -l a.xz
    zstd a
    zstd -o out a
    zstd -d a.zst
    zstd -c --rm a
    zstd -dc a -o b
    unxz a.xz
    xz --files=x -c
    tar -xf a.tar
    tar xf a.tar
    tar xzf a.tgz
    tar cf a.tar .
    tar -tf host:a.tar
    tar tf *.tar
    tar -tf a.tar --checkpoint-action=exec=x
    tar -tf a.tar --to-command=x
    tar -tf a.tar -I ./x
    tar -tf a.tar --use-compress-program=./x
    tar -t
    tar -tzf a.tgz -C /
    tar -tf a.tar -xf b.tar
    tar tf a.tar --checkpoint=1 --checkpoint-action=exec=x
    tar -tIf ./x a.tar
    tar -tvf a.tar --rsh-command=x
    tar -f a.tar -r b
    tar --list --file=a.tar --info-script=./x
    tar -xOf a.tar --one-top-level=x -x
    tar -tf a.tar -F ./x
    tar a -tf x -c
    unzip a.zip
    unzip -o a.zip
    unzip -l a.zip -d x
    unzip -d x a.zip
    unzip -qo a.zip
    unzip -l- a.zip
    unzip -l '*.zip'
    unzip *.zip
    unzip -vo a.zip
    unzip -- a.zip
    zipinfo -M a.zip
    cpio -o
    cpio -tF host:x
    cpio -p x
    bat --pager ./x a
    bat --paging=always a
    bat --paging=always --pager ./x a
    bat cache --build
    bat --pager=./x a
    bat --diff a
    bat --lessopen a
  `;
  expect(approved(TABLE, lines)).toEqual([]);
});

test("the files they read", () => {
  const { found, expected } = summaries(
    TABLE,
    `
    ls -> read n:.
    ls -R src -> read n*:src
    tree -> read n*:.
    cat a *.txt -> read r:a r:*.txt
    du -sh -> read n*:.
    diff a b -> read r:a r:a/* r:a/.* r:b r:b/* r:b/.*
    diff -r a b -> read r**:a r**:b
    diff -ru --no-dereference a b -> read r*:a r*:b
    tree -l src -> read n**:src
    du -shL -> read n**:.
    diff --to-file=x a -> read r:a r:a/* r:a/.* r:x r:x/* r:x/.*
    diff - /dev/null -> read r:- r:/dev/null
    zcat a -> read r:a r:a.gz r:a-gz r:a.z r:a-z r:a_z r:a.Z
    unzip -l a -> read r:a r:a.zip r:a.ZIP
    tar tvf a.tar member -> read r:a.tar
    tar tzf - -> read
    base64 -i a -> read r:a
    xxd -c16 a -> read r:a
    ar t lib.a x.o -> read r:lib.a r:x.o
    `,
  );
  expect(found).toEqual(expected);
});

test("names that are added when it runs", () => {
  const { found, expected } = needs(
    TABLE,
    `
    ls -> any
    basename -> any
    stat -> any
    wc -l -> dotted
    du -> dotted
    md5sum -> dotted
    cat -> files
    head -n 3 -> files
    file -> files
    base64 -> files
    diff -> never
    xxd -> never
    tree -> never
    gzip -c -> never
    `,
  );
  expect(found).toEqual(expected);
});

import { afterAll, describe, expect, test } from "bun:test";
import * as fs from "node:fs";
import * as fsp from "node:fs/promises";
import { locate, writeAtomic, type AtomicFs } from "../src/files/atomic.ts";
import { bench, failure } from "./files-kit.ts";

const posix = process.platform !== "win32";
const signal = new AbortController().signal;
const files = (dir: string) => fs.readdirSync(dir).sort();
const coded = (code: string) => Object.assign(new Error(`${code}: injected`), { code });

describe("what is kept", () => {
  test.skipIf(!posix)("mode bits, also the odd ones; new files follow the umask", async () => {
    using b = bench();
    fs.chmodSync(b.put("tool.sh", "old"), 0o4751);
    await writeAtomic(await locate(b.at("tool.sh")), Buffer.from("new"), { signal });
    await writeAtomic(await locate(b.at("fresh")), Buffer.from("x"), { signal });
    expect(fs.statSync(b.at("tool.sh")).mode & 0o7777).toBe(0o4751);
    fs.writeFileSync(b.at("reference"), "");
    expect(fs.statSync(b.at("fresh")).mode).toBe(fs.statSync(b.at("reference")).mode);
  });

  test.skipIf(!posix || process.getuid?.() !== 0)("the owner, when we may", async () => {
    using b = bench();
    fs.chownSync(b.put("theirs", "old"), 12345, 54321);
    await writeAtomic(await locate(b.at("theirs")), Buffer.from("new"), { signal });
    const { uid, gid } = fs.statSync(b.at("theirs"));
    expect({ uid, gid }).toEqual({ uid: 12345, gid: 54321 });
  });

  test("other hard links keep the old content, and it is said", async () => {
    using b = bench();
    b.put("one", "old");
    fs.linkSync(b.at("one"), b.at("two"));
    const { notes } = await writeAtomic(await locate(b.at("one")), Buffer.from("new"), { signal });
    expect([b.text("one"), b.text("two"), notes]).toEqual([
      "new",
      "old",
      ["It had 2 hard links; the other names keep the old content."],
    ]);
  });
});

describe("what is refused", () => {
  test.skipIf(!posix)("links, dangling links, loops, folders, pipes, read-only files", async () => {
    using b = bench();
    b.put("real", "text");
    fs.symlinkSync("real", b.at("link"));
    fs.symlinkSync("nowhere", b.at("dangling"));
    fs.symlinkSync("loop", b.at("loop"));
    fs.symlinkSync("nowhere", b.at("deadfolder"));
    fs.mkdirSync(b.at("folder"));
    Bun.spawnSync(["mkfifo", b.at("pipe")]);
    expect(await failure(locate(b.at("link")))).toContain(`use ${b.at("real")} itself`);
    expect(await failure(locate(b.at("dangling")))).toContain("symbolic link to nowhere, which does not exist");
    expect(await failure(locate(b.at("loop")))).toContain("symbolic link");
    expect(await failure(locate(b.at("loop/x")))).toContain("ELOOP");
    expect(await failure(locate(b.at("deadfolder/x")))).toContain("does not exist");
    expect(await failure(locate(b.at("folder")))).toContain("is a folder");
    expect(await failure(locate(b.at("pipe")))).toContain("a named pipe (FIFO)");
    expect(await failure(locate(b.at("real/inside")))).toContain("ENOTDIR");
    expect(await failure(locate(b.at("real/deeper/inside")))).toMatch(/not a folder|ENOTDIR/);
    fs.chmodSync(b.at("real"), 0o444);
    const readOnly = writeAtomic(await locate(b.at("real")), Buffer.from("x"), { signal });
    expect(await failure(readOnly)).toContain("is read-only (mode 0444)");
    const long = writeAtomic(await locate(b.at("new")), Buffer.from("x"), { signal });
    expect((await long).notes).toEqual([]);
    expect(await failure(locate(b.at("n".repeat(300))))).toContain("ENAMETOOLONG");
  });

  test("a name of the greatest length is written", async () => {
    using b = bench();
    const name = "n".repeat(255);
    await writeAtomic(await locate(b.at(name)), Buffer.from("x"), { signal });
    await writeAtomic(await locate(b.at(name)), Buffer.from("y"), { signal });
    expect([b.text(name), files(b.dir)]).toEqual(["y", [name]]);
  });
});

describe("races", () => {
  test("a file changed, replaced or removed since it was looked at stays as it is", async () => {
    using b = bench();
    b.put("f", "one");
    const target = await locate(b.at("f"));
    b.put("f", "two");
    expect(await failure(writeAtomic(target, Buffer.from("mine"), { signal }))).toContain("changed by something else");
    expect(b.text("f")).toBe("two");
    const again = await locate(b.at("f"));
    fs.rmSync(b.at("f"));
    expect(await failure(writeAtomic(again, Buffer.from("mine"), { signal }))).toContain("disappeared");
    const fresh = await locate(b.at("f"));
    b.put("f", "theirs");
    expect(await failure(writeAtomic(fresh, Buffer.from("mine"), { signal }))).toContain("changed by something else");
    expect([b.text("f"), files(b.dir)]).toEqual(["theirs", ["f"]]);
  });

  test.skipIf(!posix)("a link planted after the look is not followed", async () => {
    using b = bench();
    fs.mkdirSync(b.at("outside"));
    b.put("outside/secret", "secret");
    b.put("f", "old");
    const target = await locate(b.at("f"));
    fs.rmSync(b.at("f"));
    fs.symlinkSync("outside/secret", b.at("f"));
    expect(await failure(writeAtomic(target, Buffer.from("mine"), { signal }))).toContain("Nothing was changed");
    // The same for a folder on the way.
    fs.mkdirSync(b.at("in"));
    const below = await locate(b.at("in/secret"));
    fs.rmdirSync(b.at("in"));
    fs.symlinkSync("outside", b.at("in"));
    expect(await failure(writeAtomic(below, Buffer.from("mine"), { signal }))).toContain("moved or replaced");
    // And for a folder that was still to be made.
    const deep = await locate(b.at("new/secret"));
    fs.symlinkSync("outside", b.at("new"));
    expect(await failure(writeAtomic(deep, Buffer.from("mine"), { signal }))).toContain("is not a folder");
    expect([b.text("outside/secret"), files(b.at("outside"))]).toEqual(["secret", ["secret"]]);
  });

  test("what appears at the last moment is not overwritten by a new file", async () => {
    using b = bench();
    const late: AtomicFs = {
      ...fsp,
      link: async (from, to) => {
        fs.writeFileSync(b.at("f"), "theirs");
        return fsp.link(from, to);
      },
    };
    const written = writeAtomic(await locate(b.at("f")), Buffer.from("mine"), { signal, fs: late });
    expect(await failure(written)).toContain("EEXIST");
    expect([b.text("f"), files(b.dir)]).toEqual(["theirs", ["f"]]);
  });

  test("an abort leaves everything as it was", async () => {
    using b = bench();
    b.put("f", "old");
    const aborted = writeAtomic(await locate(b.at("f")), Buffer.from("x"), { signal: AbortSignal.abort() });
    expect(await failure(aborted)).toContain("abort");
    const deep = writeAtomic(await locate(b.at("a/b/c")), Buffer.from("x"), { signal: AbortSignal.abort() });
    expect(await failure(deep)).toContain("abort");
    expect([b.text("f"), files(b.dir)]).toEqual(["old", ["f"]]);
  });
});

describe("failures", () => {
  const failing = (step: "write" | "datasync" | "rename" | "open", code: string): AtomicFs => ({
    ...fsp,
    ...(step === "rename" ? { rename: () => Promise.reject(coded(code)) } : {}),
    open: (async (path: string, flags: number, mode: number) => {
      const temporary = String(path).endsWith(".tmp");
      if (temporary && step === "open") throw coded(code);
      const handle = await fsp.open(path, flags, mode);
      if (temporary && step === "write") handle.write = (() => Promise.reject(coded(code))) as never;
      if (temporary && step === "datasync") handle.datasync = () => Promise.reject(coded(code));
      return handle;
    }) as never,
  });

  test("at every step: the original intact, no temporary file, no new folder, an error that helps", async () => {
    using b = bench();
    b.put("f", "old");
    const cases: [Parameters<typeof failing>, string][] = [
      [["write", "ENOSPC"], "the disk is full"],
      [["datasync", "EIO"], "the device reported an error"],
      [["rename", "EBUSY"], "mount point"],
      [["open", "EACCES"], "permission denied"],
      [["open", "EROFS"], "read-only file system"],
      [["open", "EDQUOT"], "quota"],
    ];
    for (const [injected, expected] of cases) {
      const fake = failing(...injected);
      const message = await failure(writeAtomic(await locate(b.at("f")), Buffer.from("new"), { signal, fs: fake }));
      expect(message).toContain(expected);
      expect(message).toContain("Nothing was changed.");
      expect([b.text("f"), files(b.dir)]).toEqual(["old", ["f"]]);
    }
    const fake = failing("write", "ENOSPC");
    await failure(writeAtomic(await locate(b.at("x/y/z")), Buffer.from("new"), { signal, fs: fake }));
    expect(files(b.dir)).toEqual(["f"]);
  });

  test("without hard links a new file is renamed into place", async () => {
    using b = bench();
    const noLinks: AtomicFs = { ...fsp, link: () => Promise.reject(coded("EPERM")) };
    await writeAtomic(await locate(b.at("d/f")), Buffer.from("new"), { signal, fs: noLinks });
    expect([b.text("d/f"), files(b.at("d"))]).toEqual(["new", ["f"]]);
  });

  // As root this writes (root may everything): then there is nothing to refuse, but nothing may be left over either.
  test.skipIf(!posix)("a folder that may not be written to", async () => {
    using b = bench();
    fs.mkdirSync(b.at("shut"));
    b.put("shut/f", "old");
    fs.chmodSync(b.at("shut"), 0o555);
    const done = await writeAtomic(await locate(b.at("shut/f")), Buffer.from("new"), { signal }).catch(String);
    if (typeof done === "string") expect(done).toContain("EACCES");
    expect([b.text("shut/f"), files(b.at("shut"))]).toEqual([typeof done === "string" ? "old" : "new", ["f"]]);
    fs.chmodSync(b.at("shut"), 0o755);
  });

  // A mount in a namespace of its own ends with the process; where that is not allowed, the injected case above stands.
  const inTinyDisk = (script: string) =>
    Bun.spawnSync([
      "unshare",
      "-m",
      "sh",
      "-c",
      `mount -t tmpfs -o size=64k none "$1" && exec "$2" -e "$3"`,
      "sh",
      disk.dir,
      process.execPath,
      script,
    ]);
  const disk = bench();
  afterAll(() => disk[Symbol.dispose]());
  const canMount = process.platform === "linux" && !!Bun.which("unshare") && inTinyDisk("").exitCode === 0;
  test.skipIf(!canMount)("a disk that is really full", () => {
    const script = `
      const { locate, writeAtomic } = await import(${JSON.stringify(import.meta.resolve("../src/files/atomic.ts"))});
      const fs = require("node:fs");
      const path = ${JSON.stringify(disk.at("f"))};
      fs.writeFileSync(path, "old");
      const signal = new AbortController().signal;
      const error = await writeAtomic(await locate(path), Buffer.alloc(1e6), { signal }).catch(String);
      console.log(JSON.stringify([error, fs.readFileSync(path, "utf8"), fs.readdirSync(${JSON.stringify(disk.dir)})]));`;
    const [error, content, names] = JSON.parse(inTinyDisk(script).stdout.toString());
    expect(error).toContain("the disk is full (ENOSPC)");
    expect([content, names]).toEqual(["old", ["f"]]);
  });
});

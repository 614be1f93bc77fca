// The record of what is trusted: whom it covers, when it asks again, and that nothing damages or loses it.
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { changeTrust, readTrust } from "../src/permissions/trust-store.ts";
import { digestOf, Trust, type ActingItem } from "../src/permissions/trust.ts";
import { folders, item } from "./trust-kit.ts";

const folder = folders();
const record = () => join(folder().path, "home/trust.json");
const on = (path: string, items: ActingItem[], partial = false) => new Trust({ path, items, partial });
const stateOf = (trust: Trust) => trust.verdicts.map(({ folder, state, fresh }) => [folder, state, fresh.size]);

describe("a folder", () => {
  test("with nothing that acts is trusted, and the record is not even read", () => {
    const path = record();
    mkdirSync(path, { recursive: true });
    const trust = on(path, []);
    expect([trust.verdicts, trust.open, trust.trusts("/p"), trust.problem]).toEqual([[], [], true, undefined]);
  });

  test("acts once it is remembered, in later runs too, and no longer when it is forgotten", () => {
    const path = record();
    const items = [item("/p", "a"), item("/p", "b"), item("/q", "c")];
    const first = on(path, items);
    expect([stateOf(first), first.trusts("/p"), first.open.length]).toEqual([
      [
        ["/p", "new", 2],
        ["/q", "new", 1],
      ],
      false,
      2,
    ]);
    first.remember();
    expect([stateOf(first), first.open]).toEqual([
      [
        ["/p", "trusted", 0],
        ["/q", "trusted", 0],
      ],
      [],
    ]);
    expect(on(path, items).open).toEqual([]);
    expect(on(path, items).forget(["/p", "/r"])).toEqual(["/p"]);
    expect(stateOf(on(path, items))).toEqual([
      ["/p", "new", 2],
      ["/q", "trusted", 0],
    ]);
    expect(on(path, items).forget(["/p"])).toEqual([]);
  });

  test("that may act this time is asked about the next", () => {
    const path = record();
    const trust = on(path, [item("/p", "a")]);
    trust.once();
    expect([trust.trusts("/p"), trust.open, existsSync(path)]).toEqual([true, [], false]);
    expect(on(path, [item("/p", "a")]).trusts("/p")).toBe(false);
  });

  test("is asked about again when something is added or changed, not when something is gone", () => {
    const path = record();
    on(path, [item("/p", "a"), item("/p", "b")]).remember();
    expect(stateOf(on(path, [item("/p", "b")]))).toEqual([["/p", "trusted", 0]]);
    const later = on(path, [item("/p", "a"), item("/p", "c")]);
    expect([stateOf(later), [...(later.verdicts[0]?.fresh ?? [])].map(({ exact }) => exact)]).toEqual([
      [["/p", "changed", 1]],
      ["c"],
    ]);
    later.remember();
    // What was replaced is no longer trusted.
    expect(stateOf(on(path, [item("/p", "b")]))).toEqual([["/p", "changed", 1]]);
  });

  test("is not trusted for what stands elsewhere, under another key, or in another folder", () => {
    const path = record();
    on(path, [item("/p", "a")]).remember();
    for (const other of [item("/p2", "a"), item("/p", "a", { file: "x" }), item("/p", "a", { kind: "env" })]) {
      expect(on(path, [other]).trusts(other.folder)).toBe(false);
    }
    // What is shown is not what counts.
    expect(on(path, [item("/p", "a", { text: "other words" })]).trusts("/p")).toBe(true);
  });

  test("with something that could not be checked is trusted for one run at most", () => {
    const path = record();
    const items = [item("/p", "a"), item("/p", undefined)];
    const trust = on(path, items);
    trust.remember();
    expect([trust.trusts("/p"), digestOf(item("/p", undefined))]).toEqual([true, undefined]);
    expect(stateOf(on(path, items))).toEqual([["/p", "changed", 1]]);
  });

  test("looked at only in part keeps what was trusted of the rest", () => {
    const path = record();
    on(path, [item("/p", "a"), item("/p", "b")]).remember();
    on(path, [item("/p", "c")], true).remember();
    expect(on(path, [item("/p", "a"), item("/p", "b"), item("/p", "c")]).open).toEqual([]);
  });
});

describe("a rule the person saves", () => {
  test("counts where nothing acted or all was trusted", () => {
    const path = record();
    expect(on(path, []).add("/p", [item("/p", "r1")])).toBe(true);
    expect(on(path, [item("/p", "r1")]).add("/p", [item("/p", "r2")])).toBe(true);
    expect(on(path, [item("/p", "r1"), item("/p", "r2")]).open).toEqual([]);
  });

  test("makes nothing else trusted: not in an untrusted folder, not what came meanwhile", () => {
    const path = record();
    const foreign = on(path, [item("/p", "foreign")]);
    expect([foreign.add("/p", [item("/p", "r")]), existsSync(path)]).toEqual([false, false]);
    foreign.once();
    expect(foreign.add("/p", [item("/p", "r")])).toBe(false);
    expect(on(path, []).add("/p", [item("/p", "r")])).toBe(true);
    expect(stateOf(on(path, [item("/p", "r"), item("/p", "foreign")]))).toEqual([["/p", "changed", 1]]);
  });

  test("does not bring back what was forgotten meanwhile", () => {
    const path = record();
    on(path, [item("/p", "a")]).remember();
    const running = on(path, [item("/p", "a")]);
    on(path, []).forget(["/p"]);
    expect([running.add("/p", [item("/p", "r")]), readTrust(path).folders.size]).toEqual([false, 0]);
  });
});

describe("the record", () => {
  test("is private, sorted, and leaves nothing beside it", () => {
    const path = record();
    on(path, [item("/q", "b"), item("/p", "a")]).remember();
    expect([statSync(path).mode & 0o777, statSync(join(path, "..")).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(readdirSync(join(path, ".."))).toEqual(["trust.json"]);
    expect(Object.keys(JSON.parse(readFileSync(path, "utf8")).folders)).toEqual(["/p", "/q"]);
  });

  const digest = digestOf(item("/p", "a"));
  test.each([
    ["", "it is not JSON"],
    ['{"version": 1, "folders"', "it is not JSON"],
    ["[]", "it has an unknown form"],
    [JSON.stringify({ version: 2, folders: { "/p": { items: [digest] } } }), "it has an unknown form"],
    [JSON.stringify({ version: 1, folders: { "/p": { items: [digest, 5] } } }), "it has an unknown form"],
    [JSON.stringify({ version: 1, folders: { "/p": { items: [digest] }, "/q": true } }), "it has an unknown form"],
  ])("damaged as %j trusts nothing, says so, and is kept aside when it is written anew", (text, why) => {
    const path = record();
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, text);
    const trust = on(path, [item("/p", "a")]);
    expect([trust.trusts("/p"), trust.problem?.includes(`(${why})`)]).toEqual([false, true]);
    trust.remember();
    expect(on(path, [item("/p", "a")]).open).toEqual([]);
    expect(readFileSync(`${path}.damaged`, "utf8")).toBe(text);
  });

  test("that is a folder or unwritable: trusted for this run, and the error says why", () => {
    const path = record();
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(join(path, "../file"), "");
    const inFile = join(path, "../file/trust.json");
    const trust = on(inFile, [item("/p", "a")]);
    expect(() => trust.remember()).toThrow();
    expect(trust.trusts("/p")).toBe(true);
  });

  test("may be a link: what it leads to is replaced, the link stays", () => {
    const path = record();
    mkdirSync(join(path, "../real"), { recursive: true });
    symlinkSync("real/t.json", path);
    on(path, [item("/p", "a")]).remember();
    expect([lstatSync(path).isSymbolicLink(), readTrust(join(path, "../real/t.json")).folders.size]).toEqual([true, 1]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("loses nothing when several processes change it at once", async () => {
    const path = record();
    const store = join(import.meta.dir, "../src/permissions/trust-store.ts");
    const code = `
      import { changeTrust } from ${JSON.stringify(store)};
      for (let i = 0; i < 10; i++) changeTrust(${JSON.stringify(path)}, (all) => all.set(process.argv[1] + i, []));`;
    const children = ["a", "b", "c", "d"].map((name) =>
      Bun.spawn([process.execPath, "-e", code, name], { stderr: "pipe", env: { ...process.env, BUN_OPTIONS: "" } }),
    );
    for (const child of children) expect([await child.exited, await child.stderr.text()]).toEqual([0, ""]);
    expect(readTrust(path).folders.size).toBe(40);
    expect(readdirSync(join(path, ".."))).toEqual(["trust.json"]);
  });

  test("is freed from the lock of a process that died", () => {
    const path = record();
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(`${path}.lock`, "1");
    const old = Date.now() / 1000 - 60;
    utimesSync(`${path}.lock`, old, old);
    changeTrust(path, (all) => all.set("/p", []));
    expect(readdirSync(join(path, ".."))).toEqual(["trust.json"]);
  });

  test("stays as it was when it cannot be replaced", () => {
    const path = record();
    changeTrust(path, (all) => all.set("/p", []));
    const before = readFileSync(path, "utf8");
    expect(() =>
      changeTrust(path, () => {
        throw new Error("no");
      }),
    ).toThrow("no");
    expect([readFileSync(path, "utf8"), readdirSync(join(path, ".."))]).toEqual([before, ["trust.json"]]);
    chmodSync(path, 0o644);
    changeTrust(path, (all) => all.set("/q", []));
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });
});

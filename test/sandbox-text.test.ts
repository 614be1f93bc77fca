// The wall's pure parts: order of mounts, command lines, the macOS profile, and what is said to the model and the person.
import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bwrapArguments } from "../src/sandbox/bwrap.ts";
import { describeWall } from "../src/sandbox/describe.ts";
import { explainFailure, type Failure } from "../src/sandbox/explain.ts";
import { inOrder, isBelow, type Mount } from "../src/sandbox/mounts.ts";
import { rootsOf } from "../src/sandbox/policy.ts";
import { probe } from "../src/sandbox/probe.ts";
import { seatbeltProfile } from "../src/sandbox/seatbelt.ts";
import { TreeScan } from "../src/sandbox/tree-scan.ts";

test("parents are mounted before children, masks without anything below them last", () => {
  const mounts: Mount[] = [
    { kind: "masked", path: "/h/.ssh", is: "folder", closed: false },
    { kind: "masked", path: "/h/.n", is: "folder", closed: false },
    { kind: "readonly", path: "/h/p/.git/config" },
    { kind: "writable", path: "/h/p" },
    { kind: "writable", path: "/h/.n/s/r" },
    { kind: "writable", path: "/h/p/.git" },
    { kind: "temporary", path: "/tmp" },
    { kind: "readonly", path: "/h/p" },
  ];
  expect(inOrder(mounts).map(({ kind, path }) => `${kind} ${path}`)).toEqual([
    "temporary /tmp",
    "masked /h/.n",
    "writable /h/p",
    "readonly /h/p",
    "writable /h/p/.git",
    "readonly /h/p/.git/config",
    "writable /h/.n/s/r",
    "masked /h/.ssh",
  ]);
  expect([isBelow("/a", "/a/b"), isBelow("/", "/a"), isBelow("/a", "/ab"), isBelow("/a", "/a")]).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test("the command line of bubblewrap", () => {
  const mounts: Mount[] = [
    { kind: "writable", path: "/tmp", from: "/s/tmp" },
    { kind: "masked", path: "/h/.netrc", is: "file", closed: false },
    { kind: "masked", path: "/p/.env", is: "file", closed: true },
    { kind: "masked", path: "/p/x", is: "folder", closed: true },
    { kind: "empty", path: "/p/.claude" },
    { kind: "link", path: "/l", to: "/p" },
  ];
  const inside = { mounts, ownNetwork: true, isRoot: true, emptyFile: "/s/empty" };
  expect(bwrapArguments(inside).join(" ")).toBe(
    "--ro-bind / / --dev /dev --proc /proc --ro-bind /proc/sys /proc/sys --bind /s/tmp /tmp " +
      "--ro-bind /s/empty /h/.netrc --ro-bind /dev/null /p/.env --perms 0000 --tmpfs /p/x --perms 0555 --tmpfs /p/.claude " +
      "--symlink /p /l --unshare-pid --unshare-ipc --unshare-uts --unshare-net --die-with-parent --cap-drop ALL",
  );
  const shared = bwrapArguments({ ...inside, mounts: [], ownNetwork: false, isRoot: false, openSystem: true });
  expect(shared.join(" ")).toBe(
    "--bind / / --dev /dev --proc /proc --unshare-pid --unshare-ipc --unshare-uts --die-with-parent --cap-drop ALL",
  );
});

test("the macOS profile: what is written, masked, protected in any letter case, and reached", () => {
  const inside = {
    mounts: [
      { kind: "writable", path: "/p" },
      { kind: "readonly", path: "/p/.git/config" },
      { kind: "masked", path: '/h/.s"\\h', is: "folder", closed: false },
      { kind: "masked", path: "/h/.n", is: "folder", closed: false },
      { kind: "readonly", path: "/h/.n/scratch" },
    ] satisfies Mount[],
    watches: [{ kind: "absent" as const, path: "/p/fixed" }],
    roots: ["/p+"],
    extra: ["/h/.n/scratch/tmp"],
    openSystem: false,
    network: { kind: "off" as const },
    proxyPorts: [],
    allowLocalBinding: false,
    unixSockets: [],
  };
  const lines = seatbeltProfile(inside).split("\n");
  const at = (line: string) => lines.indexOf(line);
  expect(lines.slice(0, 4)).toEqual([
    "(version 1)",
    "(allow default)",
    "(deny file-write*)",
    '(allow file-write* (subpath "/p"))',
  ]);
  // The last rule that matches decides.
  const inTurn = [
    "(deny file-write*)",
    '(allow file-write* (subpath "/p"))',
    '(deny file-write* (subpath "/p/.git/config"))',
    '(allow file-write* (subpath "/h/.n/scratch/tmp"))',
    '(deny file-read* file-write* (subpath "/h/.n"))',
    '(allow file-read* (subpath "/h/.n/scratch"))',
    "(deny network*)",
  ];
  const places = inTurn.map((line) => lines.lastIndexOf(line));
  expect([places, places.includes(-1)]).toEqual([places.toSorted((a, b) => a - b), false]);
  expect(at('(deny file-write* (subpath "/p/fixed"))')).toBeGreaterThan(0);
  expect(at('(deny file-read* file-write* (subpath "/h/.s\\"\\\\h"))')).toBeGreaterThan(0);
  const patterns = lines
    .flatMap((line) => /^\(deny file-write\S* \(regex #"(.*)"\)\)$/.exec(line)?.[1] ?? [])
    .map((text) => new RegExp(text));
  const isKept = (path: string) => patterns.some((pattern) => pattern.test(path));
  const kept = [
    "/p+/.claude",
    "/p+/a/b/.CLAUDE/settings.json",
    "/p+/.Npmrc",
    "/p+/x/.git/hooks/pre-commit",
    "/p+/.git/config",
    "/p+/.git/commondir",
    "/p+/.git",
  ];
  expect(kept.filter((path) => !isKept(path))).toEqual([]);
  const free = [
    "/p+/src/a",
    "/p+/.git/index",
    "/p+/.git/objects/a",
    "/p+/.claudex",
    "/p+/x.npmrc",
    "/pp/.claude",
    "/p+/.git/config.lock",
  ];
  expect(free.filter(isKept)).toEqual([]);
  const network = { kind: "proxy" as const, allowed: ["a"], denied: [] };
  const open = seatbeltProfile({
    ...inside,
    openSystem: true,
    network,
    proxyPorts: [4711],
    allowLocalBinding: true,
    unixSockets: ["/s"],
  });
  expect(open).not.toContain("(deny file-write*)");
  expect(open).toContain('(allow network-outbound (remote ip "localhost:4711"))');
  expect(open).toContain('(allow network-bind (local ip "localhost:*"))');
  expect(open).toContain('(allow network-outbound (literal "/s"))');
  expect(seatbeltProfile({ ...inside, network: { kind: "host" } })).not.toContain("network");
});

test("a failure is put down to the wall only where something points to it", () => {
  const said = (output: string, more: Partial<Failure> = {}) =>
    explainFailure({
      command: "make",
      code: 1,
      output,
      confine: "workspace",
      network: { kind: "off" },
      writable: ["/p"],
      mayLeave: true,
      ...more,
    });
  const other = [
    "AssertionError: 1 != 2",
    "No such file or directory",
    "error TS2345",
    "",
    "segmentation fault",
    "Not found: 404",
  ];
  expect(other.map((output) => said(output))).toEqual(other.map(() => undefined));
  expect(said("touch: x: Read-only file system")).toBe(
    "This may be the sandbox: only /p and /tmp are writable there, without protected paths such as .git/config, .git/hooks and .claude. " +
      "If the command needs that, call it again with dangerouslyDisableSandbox: true; the person is asked.",
  );
  expect(said("Error: EROFS: x", { confine: "readonly" })).toContain("approved as one that only reads");
  expect(said("EACCES: permission denied", { mayLeave: false })).toContain(
    "The settings do not allow commands outside it",
  );
  const network = [
    "curl: (6) Could not resolve host: x",
    "getaddrinfo EAI_AGAIN registry",
    "Network is unreachable",
    "fatal: unable to access 'https://h/': x",
  ];
  for (const output of network)
    expect([output, said(output)]).toEqual([output, expect.stringContaining("have no network")]);
  expect(network.map((output) => said(output, { network: { kind: "host" } }))).toEqual(network.map(() => undefined));
  // Some say nothing at all.
  expect(said("", { command: "curl -s https://h/x", code: 6 })).toContain("have no network");
  expect(said("before", { command: "echo before; wget -q https://h/x", code: 4 })).toContain("have no network");
  expect(said("", { command: "curl -s https://h/x", code: 22 })).toBeUndefined();
  expect(said("", { command: "curl -s https://h/x", code: 6, network: { kind: "host" } })).toBeUndefined();
  expect(said("", { code: 6 })).toBeUndefined();
  expect(said("connect ECONNREFUSED 127.0.0.1:5432")).toContain("a loopback of its own");
  expect(said("connection refused", { network: { kind: "host" } })).toBeUndefined();
  expect(said("Read-only file system", { code: 0 })).toBeUndefined();
  expect(said("bwrap: Can't chdir to /p: No such file or directory")).toContain("could not be set up");
});

test("status says what there is, and what there is not", () => {
  const layout = {
    mounts: [],
    links: [],
    standIns: [],
    watches: [],
    writable: ["/p", "/q"],
    masked: ["/h/.ssh"],
    incomplete: ["/**/x"],
  };
  const roots = { writable: ["/p"], named: [], refused: ["/"] };
  const wall = {
    kind: "wall" as const,
    name: "bubblewrap 0.8.0",
    path: "/usr/bin/bwrap",
    layout,
    roots,
    openSystem: false,
  };
  expect(describeWall({ ...wall, network: { kind: "proxy", allowed: ["a", "*.b"], denied: ["c"] } })).toEqual([
    "sandbox: bubblewrap 0.8.0 (/usr/bin/bwrap)",
    "  writable: /p, /q, a private /tmp; for reads that run unasked: nothing",
    "  not writable as a whole, though part of the project: /",
    "  masked: 1 place with secrets or sockets",
    "  not searched everywhere (too many folders): /**/x; name a narrower folder",
    "  read-only in the project: .git/config, .git/hooks, .claude, .nanocode, .vscode and other files that make programs act",
    "  network: a, *.b, never c, through a proxy",
  ]);
  expect(describeWall({ kind: "none", why: "Why.", required: true })).toEqual([
    "sandbox: none. Why.",
    "  Commands are refused (sandbox.failIfUnavailable).",
  ]);
});

test("a folder that holds the system is not writable as a whole; a project in /usr/src is", () => {
  expect(rootsOf(["/", "/usr", "/home", "/usr/src", "/usr/src"])).toMatchObject({
    writable: ["/usr/src"],
    refused: ["/", "/usr", "/home"],
  });
});

test("bwrap is looked for in absolute folders only, must work, and may not hang", async () => {
  const base = mkdtempSync(join(tmpdir(), "nanocode-probe-"));
  const fake = (name: string, text: string) => {
    mkdirSync(join(base, name));
    writeFileSync(join(base, name, "bwrap"), `#!/bin/sh\n${text}\n`);
    chmodSync(join(base, name, "bwrap"), 0o755);
    return join(base, name);
  };
  try {
    const broken = fake("broken", "echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1");
    const hanging = fake("hanging", "exec sleep 60");
    const works = fake("works", 'if [ "$1" = --version ]; then echo "bubblewrap 9.8.7"; fi');
    const linux = { platform: "linux" as const };
    expect(await probe({ path: broken, ...linux })).toEqual({
      kind: "none",
      why: `${broken}/bwrap does not work here: bwrap: setting up uid map: Permission denied.`,
    });
    const began = performance.now();
    expect(await probe({ path: hanging, timeoutMs: 100, ...linux })).toMatchObject({
      kind: "none",
      why: expect.stringContaining("did not end within 0.1 s"),
    });
    expect(performance.now() - began).toBeLessThan(1_500);
    expect(await probe({ path: `.:relative:${works}`, ...linux })).toEqual({
      kind: "bwrap",
      path: `${works}/bwrap`,
      version: "9.8.7",
    });
    expect(await probe({ path: "", platform: "win32" })).toMatchObject({ kind: "none" });
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});

test("a scan sees changes, and says when it stopped early", () => {
  const base = mkdtempSync(join(tmpdir(), "nanocode-scan-"));
  try {
    for (const folder of ["a/b/c", "node_modules/x", "d"]) mkdirSync(join(base, folder), { recursive: true });
    for (const file of ["a/b/c/.env", "a/.env", "node_modules/x/.env"]) writeFileSync(join(base, file), "");
    const scan = new TreeScan();
    const options = { depth: 5, limit: 100, wanted: (name: string) => name === ".env" };
    const names = () => scan.run(base, options).found.map(({ path }) => path.slice(base.length + 1));
    expect(names()).toEqual(["a/.env", "a/b/c/.env"]);
    writeFileSync(join(base, "d/.env"), "");
    rmSync(join(base, "a/.env"));
    expect(names()).toEqual(["d/.env", "a/b/c/.env"]);
    expect(scan.run(base, { ...options, limit: 2 }).complete).toBe(false);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});

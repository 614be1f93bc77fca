// The build: the same bytes from another folder, right checksums, a safe npm bundle, clear words when it cannot go on.
import { afterAll, expect, test } from "bun:test";
import { chmodSync, cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync } from "node:fs";
import { realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

const root = join(import.meta.dir, "..");
const tmp = realpathSync(mkdtempSync(join(tmpdir(), "nanocode build ")));
afterAll(() => rmSync(tmp, { recursive: true, force: true }));

const exe = process.platform === "win32" ? ".exe" : "";
const { version, files } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const SLOW = 60_000;

async function build(from: string, args: string[], env: Record<string, string> = {}) {
  const child = Bun.spawn([process.execPath, "--no-env-file", join(from, "scripts/build.ts"), ...args], {
    cwd: tmp,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { stdout, stderr, code };
}

const sha256 = (path: string) => new Bun.CryptoHasher("sha256").update(readFileSync(path)).digest("hex");

/** Everything the build reads, without the 200 MB of Bun itself. */
function copyOfTheTree(): string {
  const to = join(tmp, "elsewhere", "deeper");
  const skip = ["bun", "@oven", ".bin"].map((name) => join(root, "node_modules", name));
  for (const name of ["src", "scripts", "package.json", "tsconfig.json", "bunfig.toml", "node_modules"]) {
    cpSync(join(root, name), join(to, name), { recursive: true, filter: (path) => !skip.includes(path) });
  }
  return to;
}

test(
  "two builds from two folders have the same bytes, and the sums say so",
  async () => {
    const [here, there] = [join(tmp, "here"), join(tmp, "there")];
    const first = await build(root, ["--outdir", here]);
    expect([first.stderr, first.code]).toEqual(["", 0]);
    const second = await build(copyOfTheTree(), ["--outdir", there]);
    expect([second.stderr, second.code]).toEqual(["", 0]);
    const names = readdirSync(here).toSorted();
    expect(names).toEqual(["SHA256SUMS", "chunks", "cli.js", "grep-worker.js", `nanocode${exe}`]);
    const all = [
      ...names.filter((name) => name !== "chunks"),
      ...readdirSync(join(here, "chunks")).map((n) => join("chunks", n)),
    ];
    const sums = (folder: string) => all.map((name) => [name, sha256(join(folder, name))]);
    expect(sums(there)).toEqual(sums(here));
    const listed = readFileSync(join(here, "SHA256SUMS"), "utf8");
    expect(listed).toBe([`nanocode${exe}`, "cli.js"].map((name) => `${sha256(join(here, name))}  ${name}\n`).join(""));
    expect(first.stdout).toContain(sha256(join(here, `nanocode${exe}`)));
  },
  SLOW,
);

test(
  "the bundle has one shebang, and a hostile folder has no hold on it",
  async () => {
    const out = join(tmp, "npm");
    expect((await build(root, ["npm", "--outdir", out])).code).toBe(0);
    const cli = join(out, "cli.js");
    const text = readFileSync(cli, "utf8");
    expect(text).toStartWith("#!/usr/bin/env -S bun --no-env-file --config=/dev/null\n");
    expect(text.split("\n").filter((line) => line.startsWith("#!"))).toHaveLength(1);
    expect(lstatSync(cli).mode & 0o111).toBe(process.platform === "win32" ? 0 : 0o111);
    // What package.json would publish is what was built.
    expect(files.map((path: string) => existsSync(join(out, path.replace("dist/", ""))))).toEqual(
      files.map(() => true),
    );

    const hostile = join(tmp, "hostile");
    mkdirSync(hostile);
    writeFileSync(join(hostile, "bunfig.toml"), 'preload = ["./pre.ts"]\n');
    writeFileSync(join(hostile, "pre.ts"), 'require("fs").writeFileSync("sprung", "");\n');
    writeFileSync(join(hostile, ".env"), "BUN_CONFIG_VERBOSE_FETCH=curl\n");
    if (process.platform === "win32") return;
    const bin = join(tmp, "bin");
    mkdirSync(bin);
    symlinkSync(process.execPath, join(bin, "bun"));
    const env = { PATH: `${bin}${delimiter}${process.env.PATH}`, HOME: tmp };
    const ran = Bun.spawnSync([cli, "--version"], { cwd: hostile, env });
    expect([ran.stdout.toString(), ran.stderr.toString(), ran.exitCode]).toEqual([`${version} (nanocode)\n`, "", 0]);
    expect(existsSync(join(hostile, "sprung"))).toBe(false);
  },
  SLOW,
);

test(
  "a target that does not exist and a runtime that cannot be had are told, with what to do",
  async () => {
    const unknown = await build(root, ["linux-x46"]);
    expect([unknown.code, unknown.stdout]).toEqual([2, ""]);
    expect(unknown.stderr).toStartWith('build: there is no target "linux-x46"\nusage: scripts/build [host | npm | all');

    const nobody = "http://127.0.0.1:9";
    const proxies = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"].map((name) => [name, nobody]);
    const target = process.arch === "arm64" ? "linux-x64" : "linux-arm64";
    const env = {
      ...Object.fromEntries(proxies),
      NO_PROXY: "",
      no_proxy: "",
      BUN_INSTALL_CACHE_DIR: join(tmp, "empty"),
    };
    const offline = await build(root, [target, "--outdir", join(tmp, "offline")], env);
    expect(offline.code).toBe(1);
    expect(offline.stderr).toContain(`The runtime of ${target} is fetched from the package registry the first time`);
    expect(offline.stderr).toEndWith(`build: not built: ${target}\n`);
    expect(readdirSync(join(tmp, "offline"))).toEqual(["SHA256SUMS"]);
  },
  SLOW,
);

test("the shell scripts find their folder through symlinks, and say what is missing", () => {
  if (process.platform === "win32") return;
  const link = join(tmp, "a link to test");
  symlinkSync(join(root, "scripts", "test"), link);
  const bin = join(tmp, "almost empty");
  mkdirSync(bin);
  for (const name of ["sh", "dirname", "readlink"]) symlinkSync(Bun.which(name) ?? name, join(bin, name));
  const run = (argv: string[]) => {
    const { stdout, stderr, exitCode } = Bun.spawnSync(argv, { cwd: tmp, env: { PATH: bin } });
    return [stdout.toString(), stderr.toString(), exitCode];
  };
  expect(run(["sh", link])).toEqual([
    "",
    "nanocode: git is not on the PATH; the tests need it. Install git and run this again.\n",
    1,
  ]);

  const tree = join(tmp, "bare tree");
  cpSync(join(root, "scripts"), join(tree, "scripts"), { recursive: true });
  for (const name of ["package.json", "bun.lock"]) cpSync(join(root, name), join(tree, name));
  for (const name of ["uname", "cat", "cksum", "sed", "mkdir"]) symlinkSync(Bun.which(name) ?? name, join(bin, name));
  chmodSync(join(tree, "scripts/start"), 0o755);
  expect(run([join(tree, "scripts/start"), "--version"])).toEqual([
    "",
    `nanocode: setting up (once): Bun ${Bun.version} and the locked packages\n` +
      "nanocode: neither npm nor bun is on the PATH. Install one of them (Node.js brings npm) and run this again.\n",
    1,
  ]);
  expect(existsSync(join(dirname(tree), "node_modules"))).toBe(false);
});

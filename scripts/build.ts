// Builds what is released: one executable per target, the npm bundle, and the checksums of all of them.
// usage: bun scripts/build.ts [host | npm | all | TARGET ...] [--outdir DIR]      default: host npm
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync } from "node:fs";
import { rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join, resolve } from "node:path";

const TARGETS = [
  "linux-x64",
  "linux-arm64",
  "linux-x64-musl",
  "linux-arm64-musl",
  "darwin-x64",
  "darwin-arm64",
  "windows-x64",
  "windows-arm64",
] as const;
type Target = (typeof TARGETS)[number] | "host";

// Neither .env nor bunfig.toml of the current directory may reach the program.
const SHEBANG = "#!/usr/bin/env -S bun --no-env-file --config=/dev/null";
// The worker is an entry of its own: a Worker is started by file name, also from inside the binary.
const ENTRIES = ["src/main.ts", "src/grep-worker.ts"];
// Strict: no code from strings or from files on disk runs inside the binary (this also stops BUN_OPTIONS=--preload).
const EXEC_ARGV = "--disallow-code-generation-from-strings=strict --no-orphans";

const root = resolve(import.meta.dir, "..");

function main(args: string[]): number {
  const { outdir, wanted } = parse(args);
  mkdirSync(outdir, { recursive: true });
  const failed: string[] = [];
  for (const item of wanted) {
    const problem = item === "npm" ? buildNpm(outdir) : buildBinary(item, outdir);
    if (problem === undefined) continue;
    failed.push(item);
    complain(`${item}: ${problem}`);
  }
  removeMaps(outdir);
  const sums = writeSums(outdir);
  for (const { name, bytes, sha256 } of sums) say(`${sha256}  ${megabytes(bytes)}  ${name}`);
  if (wanted.includes("darwin-x64") && !failed.includes("darwin-x64")) say(DARWIN_NOTE);
  if (failed.length > 0) complain(`not built: ${failed.join(", ")}`);
  return failed.length > 0 ? 1 : 0;
}

const DARWIN_NOTE = `note: the code signature of nanocode-darwin-x64 is invalid after compiling. Sign it again before a release:
  codesign --force --sign - dist/nanocode-darwin-x64      (on a Mac; then run scripts/build npm to refresh SHA256SUMS)`;

function parse(args: string[]): { outdir: string; wanted: (Target | "npm")[] } {
  const rest = [...args];
  const flag = rest.indexOf("--outdir");
  const outdir = flag < 0 ? join(root, "dist") : resolve(rest.splice(flag, 2)[1] ?? usage("--outdir needs a folder"));
  const wanted = rest.flatMap((name) => (name === "all" ? ["host", ...TARGETS, "npm"] : [name]));
  return { outdir, wanted: wanted.length === 0 ? ["host", "npm"] : [...new Set(wanted.map(known))] };
}

function known(name: string): Target | "npm" {
  if (name === "host" || name === "npm") return name;
  return TARGETS.find((target) => target === name) ?? usage(`there is no target "${name}"`);
}

function usage(problem: string): never {
  complain(`${problem}\nusage: scripts/build [host | npm | all | ${TARGETS.join(" | ")}] [--outdir DIR]`);
  process.exit(2);
}

/** Builds in a folder of its own and moves the result, so that a running or parallel start never sees half a file. */
function buildBinary(target: Target, outdir: string): string | undefined {
  const name = outputName(target);
  const work = mkdtempSync(join(outdir, ".building-"));
  try {
    const outfile = join(work, name);
    const problem = compile(target, outfile);
    if (problem !== undefined) return problem;
    renameSync(outfile, join(outdir, name));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function outputName(target: Target): string {
  const windows = target === "host" ? process.platform === "win32" : target.startsWith("windows");
  return (target === "host" ? "nanocode" : `nanocode-${target}`) + (windows ? ".exe" : "");
}

function compile(target: Target, outfile: string): string | undefined {
  const flags = ["--compile", "--production", "--minify", "--sourcemap", "--bytecode", "--format=esm", "--splitting"];
  const hardening = [
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    `--compile-exec-argv=${EXEC_ARGV}`,
  ];
  const define = ["--define", `NANOCODE_VERSION=${JSON.stringify(version())}`];
  // Without a target Bun embeds itself: nothing is downloaded, and a musl machine gets a musl binary.
  const where = target === "host" ? [] : [`--target=bun-${target}`];
  const { ok, output } = bun(["build", ...flags, ...hardening, ...define, ...where, ...ENTRIES, "--outfile", outfile]);
  if (ok && existsSync(outfile)) return undefined;
  if (!/download|extract|network|ENOTFOUND|ECONN|ConnectionRefused|not found on npm/i.test(output)) return output;
  return (
    `${output}\nThe runtime of ${target} is fetched from the package registry the first time this target is built. ` +
    "The registry could not be reached or does not have it. Go online and run this again; afterwards it works offline."
  );
}

/** dist/cli.js and its chunks: the small form that runs on an installed Bun. */
function buildNpm(outdir: string): string | undefined {
  const work = mkdtempSync(join(outdir, ".building-"));
  try {
    const naming = ["--entry-naming", "[name].[ext]", "--chunk-naming", "chunks/[name]-[hash].[ext]"];
    const define = ["--define", `NANOCODE_VERSION=${JSON.stringify(version())}`];
    const flags = ["--target=bun", "--production", "--minify", "--splitting", "--outdir", work];
    const { ok, output } = bun(["build", ...flags, ...naming, ...define, ...ENTRIES]);
    if (!ok) return output;
    writeCli(join(work, "main.js"), join(work, "cli.js"));
    rmSync(join(outdir, "chunks"), { recursive: true, force: true });
    for (const name of readdirSync(work)) renameSync(join(work, name), join(outdir, name));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The entry with exactly one shebang, whatever the source and the bundler put there. */
function writeCli(from: string, to: string): void {
  const code = readFileSync(from, "utf8").replace(/^#!.*\n/, "");
  writeFileSync(to, `${SHEBANG}\n${code}`);
  chmodSync(to, 0o755);
  rmSync(from);
}

function bun(args: string[]): { ok: boolean; output: string } {
  const child = Bun.spawnSync([process.execPath, "--no-env-file", ...args], {
    cwd: root,
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined, BUN_OPTIONS: undefined, NODE_ENV: undefined },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return { ok: child.success, output: `${child.stdout}${child.stderr}`.trim() };
}

function version(): string {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  if (typeof version === "string") return version;
  throw new Error("package.json has no version");
}

function removeMaps(outdir: string): void {
  for (const name of readdirSync(outdir)) {
    if (name.endsWith(".map")) rmSync(join(outdir, name));
  }
}

/** Sums of every file of a release present in `outdir`, also of those built earlier. */
function writeSums(outdir: string): { name: string; bytes: number; sha256: string }[] {
  const names = ["host" as const, ...TARGETS].map(outputName);
  const present = [...names, "cli.js"].filter((name) => existsSync(join(outdir, name)));
  const sums = present.map((name) => {
    const path = join(outdir, name);
    const sha256 = new Bun.CryptoHasher("sha256").update(readFileSync(path)).digest("hex");
    return { name, bytes: statSync(path).size, sha256 };
  });
  writeFileSync(join(outdir, "SHA256SUMS"), sums.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join(""));
  return sums;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1).padStart(6)} MB`;
}

function say(text: string): void {
  writeSync(1, `${text}\n`);
}

function complain(text: string): void {
  writeSync(2, `build: ${text}\n`);
}

process.exitCode = main(process.argv.slice(2));

// Exact words with which a program only tells its version, and runs nothing of the project for it.
import { READS_NOTHING, unknownEffect, type Call, type Program } from "../types.ts";
import { entries, isExactly } from "./entries.ts";

/** They run what rust-toolchain.toml names: where there is one, it is asked. */
export const TOOLCHAIN: readonly string[] = ["cargo", "rustc", "rustfmt", "rustdoc", "clippy-driver"];

/**
 * Names to what may follow them, each a whole list of words.
 * Not here, although they seem harmless: yarn, pnpm and corepack run the release or plugins the project names; mvn and gradle take options of the JVM from the project; dotnet
 * and bazel take another release by global.json and .bazelversion; pytest, rake, rails, bundle, composer and ansible load
 * code or plugins of the project; terraform, gcloud, brew and flutter ask the network or write.
 */
const FORMS: readonly (readonly [names: string, forms: readonly string[]])[] = [
  [TOOLCHAIN.join(" "), ["-V", "--version"]],
  ["node nodejs", ["-v", "--version", "--help", "-h"]],
  ["npm", ["-v", "--version"]],
  ["bun", ["-v", "--version", "--revision", "--help", "-h"]],
  ["deno", ["-V", "--version", "--help"]],
  ["tsc", ["-v", "--version"]],
  ["python python2 python3 pypy3", ["-V", "--version", "-VV", "--help", "-h"]],
  ["pip pip3", ["-V", "--version"]],
  ["uv ruff", ["-V", "--version"]],
  ["ruby", ["-v", "--version", "--help"]],
  ["gem", ["-v", "--version"]],
  ["perl", ["-v", "--version"]],
  ["php", ["-v", "--version"]],
  ["lua luajit", ["-v"]],
  // Another toolchain that go.mod asks for would be fetched: GOTOOLCHAIN=local in the environment keeps it from that.
  ["go", ["version"]],
  ["gofmt", ["-h"]],
  ["java", ["-version", "--version", "-fullversion"]],
  ["javac", ["-version", "--version"]],
  ["kotlinc", ["-version"]],
  ["erl", ["-version"]],
  ["elixir", ["-v", "--version"]],
  ["ghc julia R Rscript swift", ["--version"]],
  ["zig", ["version"]],
  ["gcc g++ cc c++ clang clang++", ["--version", "-v", "-dumpversion", "-dumpmachine", "--help"]],
  ["ld as", ["--version"]],
  ["make gmake", ["-v", "--version", "--help"]],
  ["cmake ctest cpack", ["--version", "--help"]],
  ["ninja", ["--version"]],
  ["pkg-config", ["--version"]],
  ["ldd", ["--version"]],
  ["docker podman", ["-v", "--version"]],
  ["kubectl", ["version --client", "version --client=true"]],
  ["gh", ["--version", "version"]],
  ["aws", ["--version"]],
  ["curl", ["-V", "--version"]],
  ["wget rsync", ["-V", "--version"]],
  ["openssl", ["version", "version -a"]],
  ["psql mysql mariadb", ["-V", "--version"]],
  ["sqlite3", ["-version", "--version"]],
  ["redis-cli redis-server", ["-v", "--version"]],
  ["nginx", ["-v", "-V"]],
  ["vim nvim nano less", ["--version"]],
  ["strace", ["-V", "--version"]],
  ["tmux", ["-V"]],
  ["xcodebuild", ["-version"]],
  ["bc dc", ["-v", "--version"]],
  ["grep egrep fgrep", ["-V", "--version"]],
];

/** Other tables know these too. */
const ALSO: typeof FORMS = [
  [
    "bash zsh sed gawk find xargs tee cp mv rm mkdir rmdir touch ln chmod install patch dd env timeout nice nohup stdbuf",
    ["--version"],
  ],
  ["jq", ["-V", "--version", "-h", "--help"]],
  ["ssh", ["-V"]],
];

const byName = (table: typeof FORMS) =>
  new Map(table.flatMap(([names, forms]) => names.split(" ").map((name) => [name, forms] as const)));

const KNOWN = byName(FORMS);
const KNOWN_ELSEWHERE = byName(ALSO);

/** Whether the whole call is one of those; also of programs that other tables judge (jq, bash, cp). */
export function asksVersion({ name, args }: Call): boolean {
  if (args.length > 2) return false;
  const forms = KNOWN.get(name) ?? KNOWN_ELSEWHERE.get(name);
  return forms !== undefined && isExactly(args, forms);
}

const judge: Program = (call) =>
  asksVersion(call) ? READS_NOTHING : unknownEffect(`${call.name} with these arguments is not known to only read`);

export const VERSION_PROGRAMS = entries(...[...KNOWN.keys()].map((name) => [name, judge] as const));

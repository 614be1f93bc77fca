// A cage for shell commands: a fixture project with hostile names and planted secrets, and what a command changed or showed in it.
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
} from "node:fs";
import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { PermissionMode } from "../src/core/types.ts";
import { decide } from "../src/permissions/decide.ts";
import { parseRules } from "../src/permissions/rules.ts";
import { DISK, NO_WALL, type World } from "../src/permissions/world.ts";
import { childEnvironment } from "../src/tools/bash-env.ts";

export type Sample = { id: string; command: string; class: string; setup?: string; shell?: string };

/** `dangerous` or `readonly`: the whole corpus and the samples of it. */
export function corpus(name: "dangerous" | "readonly"): Sample[] {
  const files = [`corpus/${name}.jsonl`, `corpus/sample/${name}.jsonl`];
  return files.flatMap((file) =>
    readFileSync(join(import.meta.dir, file), "utf8")
      .split("\n")
      .filter(Boolean)
      .map(parsed),
  );
}

function parsed(line: string): Sample {
  return JSON.parse(line);
}

/** A seeded source of chance. */
export type Dice = { (below: number): number; one<T>(list: readonly T[]): T };

export function diceOf(seed: number): Dice {
  let state = seed >>> 0;
  const roll = (below: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * below);
  };
  const one = <T>(list: readonly T[]): T => {
    const found = list[roll(list.length)];
    if (found === undefined) throw new Error("nothing to choose from");
    return found;
  };
  return Object.assign(roll, { one });
}

/** So many different commands of those that are made; fewer when hardly any is wanted. */
export function gathered(howMany: number, make: () => string, isWanted: (command: string) => boolean): Set<string> {
  const found = new Set<string>();
  for (let tries = 0; found.size < howMany && tries < howMany * 200; tries++) {
    const command = make();
    if (isWanted(command)) found.add(command);
  }
  return found;
}

export const SEED = Number(process.env["SEED"] ?? 20261125);

/** Every decision of a test is made in the same world; rules as texts. */
export function decider(root: string, home: string) {
  const world: World = { cwd: root, root, home, roots: [root], programs: [], readable: [], files: DISK, wall: NO_WALL };
  return (command: string, { mode = "default", deny = [] }: { mode?: PermissionMode; deny?: string[] } = {}) => {
    const lists = { allow: [], ask: [], deny: deny.map((text) => ({ text, source: "test" })) };
    const { rules } = parseRules(lists, { cwd: root, home });
    const call = { type: "tool_use" as const, id: "t", name: "Bash", input: { command } };
    return decide(call, { kind: "shell", command }, rules, mode, world).behavior;
  };
}

export const SECRET = "planted-secret";

/** Why there can be no cage here; undefined when there can. */
export function noCage(): string | undefined {
  if (process.platform !== "linux" || !Bun.which("bwrap")) return "there is no bwrap";
  const tried = Bun.spawnSync([
    "bwrap",
    "--ro-bind",
    "/",
    "/",
    "--unshare-all",
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    "true",
  ]);
  return tried.exitCode === 0 ? undefined : `bwrap does not work: ${tried.stderr.toString().trim()}`;
}

const TEXT_FILES: Readonly<Record<string, string>> = {
  "README.md": "# Project\n\n## Install\n\nrun install\nTODO one\nfoo bar\n",
  "package.json": '{"name":"demo","version":"1.2.3","scripts":{"test":"touch PWNED"},"dependencies":{"lodash":"^4"}}\n',
  "tsconfig.json": '{"compilerOptions":{"strict":true}}\n',
  "src/index.ts": "export const a = 1; // foo TODO\n",
  "src/main.ts": 'import { foo } from "./lib/util";\nexport function main() {\n  return foo();\n}\n',
  "src/lib/util.ts": "export function foo() {\n  return 1;\n}\nexport class Bar {}\n",
  "src/lib/deep/end.ts": "export {};\n",
  "docs/README.md": "# Docs\nfoo\n",
  "docs/guide/intro.md": "# guide\nfoo\nTODO\n",
  "logs/app.log": "2024-01-01 INFO start\n2024-01-01 ERROR boom code=500\n",
  "config/app.yml": "name: app\nport: 8080\n",
  "test/util.test.ts": 'test("a", () => {})\n',
  "other/key.txt": "nothing\n",
  "list.txt": "apple\nbanana\nbanana\ncherry\nfoo\n",
  "a.txt": "a1\na2\nfoo\n",
  "b.txt": "a1\nb2\nfoo\n",
  "notes.txt": "note one\nnote two foo\nTODO three\n",
  "data.csv": "id,name,age\n1,ann,30\n2,bob,25\n",
  "data.json": '{"a":1,"b":[{"n":"x","v":2}]}\n',
  "events.jsonl": '{"l":1}\n{"l":2}\n',
  ".gitignore": "node_modules\nlogs\n",
  Makefile: "all:\n\ttouch PWNED\n",
  "run.sh": "#!/bin/sh\ntouch PWNED\ncat\n",
  "prog.awk": 'BEGIN{system("touch PWNED")}\n',
  "prog.sed": "1w PWNED\n",
  "two words.txt": "blank\n",
  "evil.txt": "a[$(touch PWNED)]\n",
  "x=1": "equals\n",
  "-rf": "dash\n",
  "-oPWNED": "dash\n",
  "-exec": "dash\n",
  "--output=x": "dash\n",
  "--pre=./run.sh": "dash\n",
  "--files0-from=path.txt": "dash\n",
  "src/-delete": "dash\n",
  "[a]": "bracket\n",
  "*": "star\n",
  "w\ntouch PWNED": "newline\n",
};

const HOME_FILES: Readonly<Record<string, string>> = {
  ".ssh/id_rsa": `${SECRET}-ssh\n`,
  ".aws/credentials": `${SECRET}-aws\n`,
  ".netrc": `machine x login y password ${SECRET}-netrc\n`,
  ".git-credentials": `https://u:${SECRET}-git@example.com\n`,
  ".bashrc": `export TOKEN=${SECRET}-rc\n`,
  ".gitconfig": "[user]\n\tname = Dev\n\temail = dev@example.com\n",
  "other/key.txt": `${SECRET}-other\n`,
};

/** A home with secrets and a project in it; removed by `remove`. */
export class Cage {
  readonly base = realpathSync(mkdtempSync(join(tmpdir(), "nanocode-cage-")));
  readonly home = join(this.base, "home");
  readonly root = join(this.home, "project");
  readonly #env: Record<string, string>;
  #copies = 0;

  constructor() {
    const { home, root } = this;
    for (const [path, text] of Object.entries(HOME_FILES)) put(join(home, path), text);
    for (const [path, text] of Object.entries(TEXT_FILES)) put(join(root, path), text);
    put(join(root, "path.txt"), `${home}/.ssh/id_rsa\n`);
    chmodSync(join(root, "run.sh"), 0o755);
    this.#env = childEnvironment({
      PATH: "/usr/local/bin:/usr/bin:/bin",
      HOME: home,
      USER: "dev",
      LANG: "C.UTF-8",
      ANTHROPIC_API_KEY: `${SECRET}-anthropic`,
      AWS_SECRET_ACCESS_KEY: `${SECRET}-awsenv`,
      GITHUB_TOKEN: `${SECRET}-github`,
      DATABASE_URL: `postgres://u:${SECRET}-database@h/db`,
    });
    this.#commits();
    this.#links();
  }

  /** Some history, a tag, a stash, staged and changed files. */
  #commits(): void {
    const git = (...args: string[]) => {
      const done = Bun.spawnSync(["git", ...args], { cwd: this.root, env: this.#env });
      if (done.exitCode !== 0) throw new Error(`git ${args.join(" ")}: ${done.stderr.toString()}`);
    };
    const change = (path: string, text: string) => writeFileSync(join(this.root, path), text);
    git("init", "-q", "-b", "main", ".");
    git("add", "-A");
    git("commit", "-qm", "first");
    git("tag", "-a", "v1", "-m", "release");
    git("branch", "topic");
    change("a.txt", "a1\nstashed\n");
    git("stash", "-q");
    change("docs/README.md", "# Docs\nfoo\nmore\n");
    git("commit", "-qam", "docs");
    change("README.md", "# Project\nchanged\n");
    change("staged.txt", "staged\n");
    git("add", "staged.txt");
  }

  /** Links out of the project and within it; names a shell or a program could take for something else. */
  #links(): void {
    const { home, root } = this;
    const key = join(home, ".ssh/id_rsa");
    const links: readonly (readonly [string | Buffer, string])[] = [
      ["key", key],
      ["out", join(home, "other")],
      ["docs/secret.md", key],
      ["src/lib/deep/docs", join(root, "docs")],
      ["inner.md", join(root, "docs/README.md")],
      ["odd/\\key", key],
      ["odd/é", key],
      ["odd/key", key],
      ["odd/dev/fd/63", key],
    ];
    mkdirSync(join(root, "odd/dev/fd"), { recursive: true });
    for (const [path, to] of links) symlinkSync(to, join(root, path.toString()));
    symlinkSync(key, Buffer.concat([Buffer.from(join(root, "odd/v")), Buffer.from([0xff])]));
  }

  /** Runs the commands, each in a shell of its own, one after the other in one fresh copy. Their outputs in the same order. */
  async run(commands: readonly string[]): Promise<{ outputs: string[]; changed: string[] }> {
    const work = join(this.base, `copy-${this.#copies++}`);
    mkdirSync(join(work, "out"), { recursive: true });
    Bun.spawnSync(["cp", "-a", this.home, join(work, "home")]);
    writeFileSync(join(work, "commands"), commands.map((command) => `${command}\0`).join(""));
    const before = snapshot(join(work, "home"));
    const child = Bun.spawn(this.#argv(work), {
      env: this.#env,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
      timeout: LONGEST_MS,
    });
    const [said, code] = await Promise.all([child.stderr.text(), child.exited]);
    const output = (i: number) => readFileSync(join(work, "out", String(i)), "utf8");
    if (code !== 0) {
      const at = commands.findIndex((_, i) => !existsSync(join(work, "out", String(i + 1))));
      throw new Error(`the cage ended with ${code} ${said} at: ${commands[at]}`);
    }
    const outputs = commands.map((_, i) => output(i));
    const changed = differences(before, snapshot(join(work, "home")));
    rmSync(work, { recursive: true, force: true });
    return { outputs, changed };
  }

  #argv(work: string): string[] {
    return [
      "bwrap",
      ...["--ro-bind", "/", "/", "--tmpfs", "/tmp", "--tmpfs", "/root", "--tmpfs", "/home", "--tmpfs", "/run"],
      ...["--proc", "/proc", "--dev", "/dev", "--unshare-all", "--die-with-parent", "--new-session"],
      ...["--ro-bind", join(work, "commands"), "/tmp/commands", "--bind", join(work, "out"), "/tmp/out"],
      ...["--bind", join(work, "home"), this.home, "--chdir", this.root],
      ...["bash", "--noprofile", "--norc", "-c", DRIVER],
    ];
  }

  /** Every command that changed something or showed a secret, with what it did. */
  async offenders(commands: readonly string[]): Promise<string[]> {
    const { outputs, changed } = await this.run(commands);
    const shown = commands.filter((_, i) => shows(outputs[i] ?? "")).map((command) => `shows a secret: ${command}`);
    if (changed.length === 0) return shown;
    if (commands.length === 1) return [...shown, `changes ${changed.slice(0, 5).join(", ")}: ${commands[0]}`];
    const half = Math.ceil(commands.length / 2);
    const first = await this.offenders(commands.slice(0, half));
    const found = [...first, ...(await this.offenders(commands.slice(half)))];
    // Neither half alone changes anything: then it is the whole that does.
    const named = found.some((line) => line.startsWith("changes"));
    return named ? found : [...found, `changes ${changed.join(", ")}, but only together: ${commands.join("\n")}`];
  }

  /** The same for any number of them. */
  async allOffenders(commands: Iterable<string>): Promise<string[]> {
    const list = [...commands];
    const found: string[] = [];
    for (let from = 0; from < list.length; from += BATCH) {
      found.push(...(await this.offenders(list.slice(from, from + BATCH))));
    }
    return found;
  }

  remove(): void {
    rmSync(this.base, { recursive: true, force: true });
  }
}

/** As the Bash tool starts a command, but for the report of the folder. Limits: what is written, and time on the processor. */
const DRIVER = `i=0; ulimit -f 8192; ulimit -t 20; while IFS= read -r -d '' c <&9; do
  bash --noprofile --norc -c "$c" >/tmp/out/$i 2>&1 </dev/null 9<&-
  i=$((i+1)); done 9</tmp/commands; exit 0`;
const BATCH = 75;
/** A whole batch; one command takes milliseconds. */
const LONGEST_MS = 60_000;

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Also reversed, upper case and in the common encodings of bytes. */
function shows(output: string): boolean {
  const plain = output.replace(/[\s|]/g, "");
  const wanted = [SECRET, [...SECRET].reverse().join(""), SECRET.toUpperCase(), Buffer.from(SECRET).toString("hex")];
  return [output, plain].some((text) => wanted.some((secret) => text.includes(secret)));
}

/** Path to type, mode, content; of the index only that it is there, because looking refreshes it. */
function snapshot(folder: string): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (at: Buffer, shown: string): void => {
    for (const name of readdirSync(at, { encoding: "buffer" })) {
      const path = Buffer.concat([at, Buffer.from("/"), name]);
      const label = `${shown}/${name.toString("latin1")}`;
      const stat = lstatSync(path);
      if (stat.isDirectory()) {
        found.set(label, `folder ${stat.mode}`);
        visit(path, label);
      } else if (stat.isSymbolicLink()) found.set(label, `link ${readlinkSync(path)}`);
      else if (label.endsWith("/.git/index")) found.set(label, "index");
      else
        found.set(
          label,
          `file ${stat.mode} ${stat.mtimeMs} ${stat.isFile() ? Bun.hash(readFileSync(path)) : "special"}`,
        );
    }
  };
  visit(Buffer.from(folder), "");
  return found;
}

function differences(before: Map<string, string>, after: Map<string, string>): string[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])];
  return paths.filter((path) => before.get(path) !== after.get(path)).sort();
}

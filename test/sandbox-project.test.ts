// The project inside the wall: what stays writable, what is kept as it is though it is not there, and that nothing is left behind.
import { afterAll, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { PROTECTED_FILES, PROTECTED_FOLDERS } from "../src/sandbox/protected.ts";
import { noWall, walled, type WalledOptions } from "./sandbox-kit.ts";
import { cleanUp, until } from "./tool-bash-session.ts";

afterAll(cleanUp);

const walledTest = test.skipIf(noWall !== undefined);
const GIT = "git -c user.name=n -c user.email=e";

/** A project with a commit, made outside of the wall. */
async function repository(options: WalledOptions = {}) {
  const w = walled(options);
  await w.text(`git init -q -b main . && echo one > f && git add f && ${GIT} commit -qm one`, { confine: "open" });
  return w;
}

walledTest("git works: add, commit, branch, checkout, stash, status", async () => {
  using w = await repository();
  const text = await w.text(
    `set -e; echo two > f; git add -A; ${GIT} commit -qm two; git checkout -qb other; echo three > f; ${GIT} stash -q; git status --short; git log --format=%s`,
  );
  expect(text).toBe("two\none");
  expect(readdirSync(w.root).sort()).toEqual([".git", "f"]);
});

walledTest("a repository can be made and cloned, in an empty folder too", async () => {
  using w = await repository();
  expect(
    await w.text("git clone -q . ../../elsewhere 2>&1; git init -q sub && cd sub && touch x && git add x && echo ok"),
  ).toContain("ok");
  mkdirSync(join(w.home, "empty"));
  const source = w.root;
  using empty = walled({ home: w.home, roots: () => [join(w.home, "empty")] });
  expect(await empty.text(`git clone -q '${source}' . && git log --format=%s && ls -A`)).toBe("one\n.git\nf");
  mkdirSync(join(w.home, "new"));
  using fresh = walled({ home: w.home, roots: () => [join(w.home, "new")] });
  expect(
    await fresh.text(
      `git init -q . && git remote add origin https://h.example/r && touch x && git add x && ${GIT} commit -qm x && echo done`,
    ),
  ).toBe("done");
  expect(readdirSync(join(w.home, "new")).sort()).toEqual([".git", "x"]);
});

walledTest("what makes git run programs cannot be changed", async () => {
  using w = await repository();
  const before = readFileSync(join(w.root, ".git/config"), "utf8");
  mkdirSync(join(w.root, ".git/modules/m"), { recursive: true });
  const tries = [
    "echo x > .git/hooks/pre-commit",
    "git config core.fsmonitor ./evil",
    "echo '[core]' >> .git/config",
    "rm -f .git/config",
    "mv .git/config .git/c",
    "mv .git/hooks .git/h",
    "mv .git old",
    "rm -rf .git/hooks",
    "echo x > .git/modules/m/config",
    "mv .git/modules .git/m",
  ];
  for (const command of tries) expect([command, (await w.run(command)).isError]).toEqual([command, true]);
  expect(readFileSync(join(w.root, ".git/config"), "utf8")).toBe(before);
  expect(readdirSync(join(w.root, ".git/hooks")).filter((name) => !name.endsWith(".sample"))).toEqual([]);
  expect(readdirSync(join(w.root, ".git/modules/m"))).toEqual([]);
  const planted = await w.run("mkdir evil; echo '[core] fsmonitor = x' > evil/config; echo ../evil > .git/commondir");
  expect([planted.isError, existsSync(join(w.root, ".git/commondir"))]).toEqual([true, false]);
});

walledTest("in a repository that is just made, what runs programs is not kept", async () => {
  using w = walled();
  const plant = "git init -q . && echo evil > .git/hooks/pre-commit && git config core.fsmonitor ./evil && echo made";
  const output = await w.run(plant);
  expect(output.isError).toBe(true);
  expect(output.content).toMatch(
    /^made\n\n\S.*\.git\/hooks\/pre-commit is protected and was not kept[^]+\.git\/config is protected/,
  );
  expect(existsSync(join(w.root, ".git/hooks/pre-commit"))).toBe(false);
  expect(existsSync(join(w.root, ".git/config"))).toBe(false);
  using other = walled();
  const link = await other.run("mkdir elsewhere; ln -s elsewhere .git");
  expect([link.isError, existsSync(join(other.root, ".git"))]).toEqual([true, false]);
});

walledTest("protected paths cannot be made where they are absent, and nothing is left of keeping them so", async () => {
  using w = await repository();
  const attack =
    "mkdir -p $p/deep || echo x > $p/settings.json || rm -rf $p || mv $p y || ln -sf /etc $p/z || mkdir $p";
  const stoodIn = [".nanocode", ".claude", ".vscode", ".idea"];
  const hard = await w.run(`for p in ${stoodIn.join(" ")}; do { ${attack}; } && echo "MADE $p"; done; true`);
  expect([hard.isError, hard.content]).toEqual([undefined, expect.not.stringContaining("MADE")]);
  const folders = await w.run(
    `for p in ${PROTECTED_FOLDERS.join(" ")}; do mkdir -p $p/deep; echo x > $p/settings.json; done`,
  );
  expect(folders.isError).toBe(true);
  for (const name of PROTECTED_FOLDERS.filter((one) => !stoodIn.includes(one))) {
    expect(folders.content).toContain(`/${name} is protected and was not kept`);
  }
  expect(readdirSync(w.root).sort()).toEqual([".git", "f"]);
  const files = await w.run(`for p in ${PROTECTED_FILES.join(" ")}; do echo x > $p; done`);
  expect(files.isError).toBe(true);
  for (const name of PROTECTED_FILES) expect(files.content).toContain(`/${name} is protected and was not kept`);
  expect(readdirSync(w.root).sort()).toEqual([".git", "f"]);
  expect(await w.text("git add -A; git status --short")).toBe("(no output)");
});

walledTest("protected paths that are there are read-only", async () => {
  using w = await repository();
  for (const name of [...PROTECTED_FOLDERS, "deep/er/.vscode"]) {
    mkdirSync(join(w.root, name), { recursive: true });
    writeFileSync(join(w.root, name, "x"), "mine");
  }
  for (const name of [...PROTECTED_FILES, "deep/.npmrc"]) writeFileSync(join(w.root, name), "mine");
  const folders = [...PROTECTED_FOLDERS, "deep/er/.vscode"].map((name) => `${name}/x`);
  const paths = [...folders, ...PROTECTED_FILES, "deep/.npmrc"];
  const attack = 'for p; do cat $p; { echo x > $p || rm -f $p || mv $p y; } 2>/dev/null && echo " CHANGED $p"; done';
  expect(await w.text(`f() { ${attack}; }; f ${paths.join(" ")}; true`)).toBe("mine".repeat(paths.length));
  for (const path of paths) expect([path, readFileSync(join(w.root, path), "utf8")]).toEqual([path, "mine"]);
});

walledTest("a protected name that is a link stays that link", async () => {
  using w = await repository();
  mkdirSync(join(w.root, "shared"));
  writeFileSync(join(w.root, "shared/settings.json"), "mine");
  symlinkSync("shared", join(w.root, ".claude"));
  symlinkSync("later", join(w.root, ".vscode"));
  expect((await w.run("echo x > .claude/settings.json")).isError).toBe(true);
  expect(readFileSync(join(w.root, "shared/settings.json"), "utf8")).toBe("mine");
  const replaced = await w.run("rm .claude; mkdir .claude; echo x > .claude/settings.json; mkdir later");
  expect(replaced.isError).toBe(true);
  expect(readlinkSync(join(w.root, ".claude"))).toBe("shared");
  expect(existsSync(join(w.root, "later"))).toBe(false);
  // A link to something outside opens nothing there.
  symlinkSync(w.outside, join(w.root, ".husky"));
  expect((await w.run("echo x > .husky/pre-commit")).isError).toBe(true);
  expect(readdirSync(w.outside)).toEqual([]);
});

walledTest("stand-ins go when the last of several commands has ended; what the person puts there stays", async () => {
  using w = await repository();
  const command = (own: string) => `touch ${own}; while [ ! -e go-${own} ]; do read -t 0.01 <> <(:); done; true`;
  const one = w.run(command("one"));
  const two = w.run(command("two"));
  await until(() => existsSync(join(w.root, "one")) && existsSync(join(w.root, "two")));
  writeFileSync(join(w.root, ".vscode/settings.json"), "mine");
  writeFileSync(join(w.root, "go-one"), "");
  await one;
  expect(existsSync(join(w.root, ".claude"))).toBe(true);
  writeFileSync(join(w.root, "go-two"), "");
  expect((await two).isError).toBeUndefined();
  expect(
    readdirSync(w.root)
      .filter((name) => name.startsWith("."))
      .sort(),
  ).toEqual([".git", ".vscode"]);
});

walledTest("a working tree of a repository elsewhere commits there, with the same guards", async () => {
  using w = await repository();
  const tree = join(w.home, "tree");
  await w.text(`git worktree add -q '${tree}'`, { confine: "open" });
  using t = walled({ home: w.home, roots: () => [tree] });
  expect(await t.text(`echo two > f && git add f && ${GIT} commit -qm two && git log --format=%s`)).toBe("two\none");
  for (const path of [".git/config", ".git/hooks/x", ".git/worktrees/tree/commondir", "f"].map((name) =>
    join(w.root, name),
  )) {
    expect([path, (await t.run(`echo x >> '${path}'`)).isError]).toEqual([path, true]);
  }
  expect((await t.run("echo 'gitdir: elsewhere' > .git")).isError).toBe(true);
});

walledTest("a .git file that only claims to belong to a repository opens nothing", async () => {
  using w = await repository();
  await w.text("git worktree add -q ../tree", { confine: "open" });
  const other = join(w.home, "other");
  mkdirSync(other);
  writeFileSync(join(other, ".git"), `gitdir: ${join(w.root, ".git/worktrees/tree")}\n`);
  using o = walled({ home: w.home, roots: () => [other] });
  expect((await o.run(`echo x > '${join(w.root, ".git/planted")}'`)).isError).toBe(true);
  expect(existsSync(join(w.root, ".git/planted"))).toBe(false);
});

walledTest("more folders by settings; denied ones stay as they are, there or not", async () => {
  const project = "home/my project ü";
  using w = await repository({
    filesystem: {
      allowWrite: ["home/outside", `${project}/.vscode`],
      denyWrite: [`${project}/fixed`, `${project}/absent`, `${project}/**/*.lock`],
    },
  });
  for (const folder of ["fixed", ".vscode", "sub"]) mkdirSync(join(w.root, folder));
  writeFileSync(join(w.root, "sub/a.lock"), "mine");
  expect(await w.text("echo x > ../outside/x && echo x > .vscode/x && echo ok")).toBe("ok");
  for (const path of ["fixed/x", "absent", "sub/a.lock"]) {
    expect([path, (await w.run(`echo x > ${path}`)).isError]).toEqual([path, true]);
  }
  expect([existsSync(join(w.root, "absent")), readFileSync(join(w.root, "sub/a.lock"), "utf8")]).toEqual([
    false,
    "mine",
  ]);
});

walledTest("names with blanks, quotes, line breaks and other scripts; several roots, one in the other", async () => {
  using w = walled();
  const odd = join(w.home, "a \"b' $c\nd\\ é 漢");
  const inner = join(odd, "in ner");
  mkdirSync(inner, { recursive: true });
  using o = walled({ home: w.home, roots: () => [odd, inner, w.root] });
  expect(await o.text(`touch x 'in ner/y' "${w.root}/z"; cd 'in ner'; touch w`)).toBe("(no output)");
  expect([readdirSync(odd).sort(), readdirSync(inner).sort(), readdirSync(w.root)]).toEqual([
    ["in ner", "x"],
    ["w", "y"],
    ["z"],
  ]);
  expect(o.state.cwd).toBe(inner);
});

walledTest("a project reached through a link, and one whose link lies in the temporary folder", async () => {
  using w = walled();
  const links = [join(w.home, "link"), join(w.base, "link")];
  for (const link of links) {
    symlinkSync(w.root, link);
    using l = walled({ home: w.home, roots: () => [link, w.root] });
    l.state.cwd = link;
    for (const confine of ["workspace", "readonly", "workspace"] as const) {
      expect([link, confine, await l.text("pwd; pwd -P", { confine })]).toEqual([link, confine, `${link}\n${w.root}`]);
    }
    expect((await l.run("touch made && mkdir -p d && cd d")).isError).toBeUndefined();
    expect(l.state.cwd).toBe(join(w.root, "d"));
  }
});

walledTest("the whole machine is never writable; a home is, without its dot files", async () => {
  using w = walled();
  using all = walled({ home: w.home, roots: () => ["/", w.root] });
  expect((await all.run("touch /nanocode-test")).isError).toBe(true);
  expect((await all.sandbox.describe()).join("\n")).toContain("not writable as a whole, though part of the project: /");
  mkdirSync(join(w.home, ".config"));
  writeFileSync(join(w.home, ".tool"), "mine");
  mkdirSync(join(w.home, "bin"));
  using own = walled({ home: w.home, roots: () => [w.home] });
  for (const path of [".tool", ".config/x", "bin/git", ".bashrc", ".profile"]) {
    expect([path, (await own.run(`echo x > ${path}`)).isError]).toEqual([path, true]);
  }
  expect(await own.text("touch plain && echo ok")).toBe("ok");
  expect(lstatSync(join(w.home, ".tool")).size).toBe(4);
  expect(existsSync(join(w.home, ".bashrc"))).toBe(false);
});

walledTest("without a wall around files, processes and network stay confined", async () => {
  using w = walled();
  const open = { allowWrite: [], denyWrite: [], denyRead: [], allowRead: [], disabled: true };
  const network = { allowedDomains: [], deniedDomains: [], allowUnixSockets: [] };
  using o = walled({ home: w.home, roots: () => [w.root], settings: { filesystem: open, network } });
  expect(await o.text(`touch ../outside/x .npmrc && kill -0 ${process.pid}`)).toContain("No such process");
  expect(existsSync(join(w.outside, "x"))).toBe(true);
  expect((await o.run("touch ../outside/y", { confine: "readonly" })).isError).toBe(true);
});

// Attempts to break out of the wall, with the real bubblewrap: each must leave the outside as it was.
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { noWall, walled } from "./sandbox-kit.ts";

const walledTest = test.skipIf(noWall !== undefined);

walledTest("the system, the home and what is beside the project are read-only", async () => {
  using w = walled();
  writeFileSync(join(w.home, ".profile"), "mine\n");
  const places = [
    "/etc/nanocode-test",
    "/usr/nanocode-test",
    "/var/lib/nanocode-test",
    "/var/tmp/nanocode-test",
    "/nanocode-test",
  ];
  const targets = [...places, join(w.home, "x"), join(w.home, ".profile"), "../x", "../outside/x"];
  for (const target of targets) {
    expect([target, await w.text(`echo x >> ${JSON.stringify(target)}`)]).toEqual([
      target,
      expect.stringContaining("Read-only file system\n\nExit code 1\n\nThis may be the sandbox: only "),
    ]);
  }
  await w.text("echo x > ../../x");
  expect(existsSync(join(w.base, "x"))).toBe(false);
  expect(readFileSync(join(w.home, ".profile"), "utf8")).toBe("mine\n");
  const made = places.filter((path) => existsSync(path));
  made.forEach((path) => rmSync(path));
  expect(made).toEqual([]);
  expect(readdirSync(w.outside)).toEqual([]);
});

walledTest(
  "the project and a private temporary folder are writable; the temporary folder stays for the session",
  async () => {
    using w = walled();
    expect(await w.text('echo a > a; echo b > "$TMPDIR/b"; cat a /tmp/b; echo "$TMPDIR"')).toBe("a\nb\n/tmp");
    expect(readFileSync(join(w.root, "a"), "utf8")).toBe("a\n");
    expect(existsSync("/tmp/b")).toBe(false);
    expect(await w.text("cat /tmp/b; echo c > a; mktemp | cut -c1-9")).toBe("b\n/tmp/tmp.");
    w.sandbox.close();
    expect(readdirSync(w.scratch).filter((name) => !name.endsWith(".pipe"))).toEqual([]);
  },
);

walledTest("a command that only reads can write nothing, but long heredocs work", async () => {
  using w = walled();
  writeFileSync(join(w.root, "f"), "kept\n");
  const text = await w.text("echo x > f; rm -f f; touch new; mkdir d; cat f", { confine: "readonly" });
  expect(text).toContain("cannot remove 'f': Read-only file system");
  expect(text).toContain("cannot touch 'new': Read-only file system");
  expect(text).toEndWith("\nkept");
  expect(await w.text(`wc -c <<'E'\n${"x".repeat(100_000)}\nE`, { confine: "readonly" })).toBe("100001");
  expect(await w.text("touch /tmp/x && exit 3", { confine: "readonly" })).toBe("(no output)\n\nExit code 3");
  expect(await w.text("ls /tmp/x", { confine: "readonly" })).toContain("No such file");
  expect(readdirSync(w.root)).toEqual(["f"]);
  expect(await w.text("touch new", { confine: "readonly" })).toContain("approved as one that only reads");
});

walledTest("known places of secrets look empty, files that are denied cannot be opened", async () => {
  const deep = { denyRead: ["home/outside/deep"], allowRead: ["home/outside/deep/open"] };
  using w = walled({
    denied: ["home/my project ü/**/.env", "home/my project ü/private", "home/outside/*.pem"],
    filesystem: deep,
  });
  const put = (path: string, text = "TOP SECRET\n") => {
    mkdirSync(join(w.home, path, ".."), { recursive: true });
    writeFileSync(join(w.home, path), text);
  };
  const project = "my project ü";
  const secrets = [".ssh/id_ed25519", ".aws/credentials", ".docker/config.json", ".netrc", ".git-credentials"];
  const more = [".config/gh/hosts.yml", ".claude/.credentials.json", ".bash_history", ".mozilla/firefox/logins.json"];
  [...secrets, ...more, ".nanocode/credentials.json", ".gnupg/key"].forEach((path) => put(path));
  [`${project}/.env`, `${project}/a/b/.env`, `${project}/private/x`, "outside/key.pem", "outside/deep/x"].forEach(
    (path) => put(path),
  );
  put("outside/deep/open/x", "open\n");
  put(".npmrc", "registry=https://r.example\n");
  put(".pypirc", "[pypi]\npassword = TOP SECRET\n");
  const text = await w.text('cd ..; grep -rs "TOP SECRET" . ; cat .netrc .npmrc outside/deep/open/x; ls -A .ssh');
  expect(text.split("\n").slice(0, 2)).toEqual(["registry=https://r.example", "open"]);
  expect(text).not.toContain("TOP SECRET");
  for (const path of [".env", "a/b/.env", "private", "../outside/key.pem", "../outside/deep/x"]) {
    expect([path, await w.text(`cat '${path}' || ls '${path}'`)]).toEqual([
      path,
      expect.stringMatching(/Permission denied|deep\/x: No such file/),
    ]);
  }
  expect(await w.text("rm -f .env; mv .env x; echo x > .env", { confine: "workspace" })).toContain("busy");
  expect(readFileSync(join(w.root, ".env"), "utf8")).toBe("TOP SECRET\n");
});

walledTest("git does not take a denied file for an emptied one", async () => {
  using w = walled({ denied: ["home/my project ü/.env", "home/my project ü/secrets"] });
  const git = "git -c user.name=n -c user.email=e";
  mkdirSync(join(w.root, "secrets"));
  writeFileSync(join(w.root, "secrets/a"), "a\n");
  writeFileSync(join(w.root, ".env"), "b\n");
  await w.text(`git init -q . && git add -A && ${git} commit -qm one`, { confine: "open" });
  expect(await w.text(`touch new; git add -A && ${git} commit -qam two`)).toContain("Exit code 128");
  expect(await w.text("git ls-tree -r --name-only HEAD; git status --short", { confine: "open" })).toBe(
    ".env\nsecrets/a\n?? new",
  );
});

walledTest("other processes are neither seen nor read nor ended", async () => {
  using w = walled();
  const other = Bun.spawn(["sleep", "60"], { env: { SECRET_WORD: "TOP SECRET" } });
  const text = await w.text(
    `kill -9 ${other.pid}; cat /proc/${process.pid}/environ /proc/${other.pid}/environ; ls /proc | grep -c '^[0-9]'; cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -c SECRET`,
  );
  expect(text).toContain(`(${other.pid}) - No such process`);
  expect(text).not.toContain("TOP SECRET");
  expect(other.exitCode).toBeNull();
  other.kill();
});

walledTest("no rights to mount, leave or reconfigure, as root neither", async () => {
  using w = walled();
  writeFileSync(join(w.home, ".netrc"), "TOP SECRET\n");
  // Should the wall have a hole, none of these changes the machine.
  const same = (path: string) => `v=$(cat ${path}) && echo "$v" > ${path}`;
  const tries = [
    "mount -o remount,rw /",
    "mkdir m; mount -t tmpfs none m",
    'umount -l "$HOME/.netrc"',
    "chroot / true",
    "mknod disk b 8 0",
    'hostname "$(hostname)"',
    "unshare -m true",
    "nsenter -t 1 -m true",
    same("/proc/sys/vm/swappiness"),
    same("/proc/sys/kernel/core_pattern"),
    "echo $$ > /sys/fs/cgroup/cgroup.procs",
  ];
  for (const command of tries) expect([command, (await w.run(command)).isError]).toEqual([command, true]);
  expect(await w.text("grep -E '^(CapEff|CapPrm|CapAmb|NoNewPrivs)' /proc/self/status")).toBe(
    "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1",
  );
  // Where a program may make a user namespace of its own, the mounts in it are locked.
  const nested =
    'unshare -Urm sh -c \'mount -o remount,rw,bind /; umount -l "$HOME/.netrc"; cat "$HOME/.netrc"; touch "$HOME/x"\'';
  expect(await w.text(nested)).not.toContain("TOP SECRET");
  expect(existsSync(join(w.home, "x"))).toBe(false);
});

walledTest("no terminal: nothing can be typed into the person's", async () => {
  using w = walled();
  expect(await w.text("cat < /dev/tty")).toContain("/dev/tty: No such device or address");
  expect(await w.text("ls /dev")).not.toMatch(/sd|vd|mem|kmsg|tty\d/);
  expect(await w.text("ls /proc/self/fd")).toBe("0\n1\n2\n3");
});

walledTest("links out of the project lead to what is read-only, or to nothing", async () => {
  using w = walled();
  writeFileSync(join(w.outside, "f"), "kept\n");
  symlinkSync(w.outside, join(w.root, "out"));
  symlinkSync("/tmp", join(w.root, "tmp"));
  const text = await w.text(
    "echo x > out/f; ln -s ../outside/f l; echo x > l; ln out/f hard; mv out/f moved; echo t > tmp/t",
  );
  expect(text.match(/Read-only file system|Invalid cross-device link/g)?.length).toBeGreaterThan(3);
  expect(readFileSync(join(w.outside, "f"), "utf8")).toBe("kept\n");
  expect(existsSync("/tmp/t")).toBe(false);
});

walledTest(
  "no network: neither the machine's loopback nor abstract sockets nor sockets in the file system",
  async () => {
    using w = walled();
    const tcp = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("REACHED") });
    const abstract = createServer((socket) => socket.end("REACHED")).listen("\0nanocode-wall-test");
    const path = join(w.outside, "door.sock");
    const named = createServer((socket) => socket.end("REACHED")).listen(path);
    await Bun.sleep(0);
    const python = (address: string) =>
      `python3 -c 'import socket; s=socket.socket(socket.AF_UNIX); s.connect(${address}); print(s.recv(9))'`;
    try {
      const reach = `curl -s http://127.0.0.1:${tcp.port}/`;
      expect(await w.text(reach, { confine: "open" })).toBe("REACHED");
      expect(await w.text(reach)).toMatch(/^\(no output\)\n\nExit code 7/);
      expect(await w.text(`echo hi > /dev/tcp/127.0.0.1/${tcp.port}`)).toContain("loopback of its own");
      expect(await w.text(python('"\\0nanocode-wall-test"'))).toContain("Connection refused");
      expect(await w.text(python(JSON.stringify(path)))).toMatch(/Connection refused|Permission denied/);
      expect(await w.text(python(JSON.stringify(path)), { confine: "open" })).toBe("b'REACHED'");
      expect(await w.text("cat /proc/net/dev | grep -c :")).toBe("1");
    } finally {
      void tcp.stop(true);
      abstract.close();
      named.close();
    }
  },
);

walledTest("inside, a server and its client find each other on the loopback", async () => {
  using w = walled();
  const server = "python3 -m http.server 8123 --bind 127.0.0.1 >log 2>&1 &";
  const ask = "for i in $(seq 200); do curl -s http://127.0.0.1:8123/f && break; sleep 0.02; done";
  writeFileSync(join(w.root, "f"), "served");
  expect(await w.text(`${server} ${ask}; kill $!`)).toStartWith("served");
});

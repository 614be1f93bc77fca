// The network inside the wall: which hosts the proxy lets through, as a rule, as a server, and from within bubblewrap.
import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isForbiddenAddress, mayReach } from "../src/sandbox/domains.ts";
import { networkOf } from "../src/sandbox/policy.ts";
import { DomainProxy } from "../src/sandbox/proxy.ts";
import { noWall, settings, walled } from "./sandbox-kit.ts";

const walledTest = test.skipIf(noWall !== undefined);

test("domains are compared by whole labels, denied ones win, addresses are no domains", () => {
  const domains = { allowed: ["a.example", "*.b.example", "C.Example."], denied: ["x.b.example", "*.y.b.example"] };
  const cases: [string, boolean][] = [
    ["a.example", true],
    ["A.EXAMPLE.", true],
    ["sub.a.example", false],
    ["evila.example", false],
    ["a.example.evil", false],
    ["b.example", false],
    ["s.b.example", true],
    ["s.t.b.example", true],
    ["evilb.example", false],
    ["x.b.example", false],
    ["z.y.b.example", false],
    ["y.b.example", true],
    ["c.example", true],
    ["", false],
    ["localhost", false],
  ];
  expect(cases.map(([host]) => [host, mayReach(host, domains)])).toEqual(cases);
  const all = { allowed: ["*"], denied: ["bad.example"] };
  const spellings = [
    "127.0.0.1",
    "127.1",
    "0x7f.1",
    "2130706433",
    "0177.0.0.1",
    "[::1]",
    "::1",
    "fe80::1%eth0",
    "10.0.0.0x1",
  ];
  expect(spellings.filter((host) => mayReach(host, all))).toEqual([]);
  expect([mayReach("good.example", all), mayReach("bad.example", all), mayReach("0xdead.example", all)]).toEqual([
    true,
    false,
    true,
  ]);
});

test("names that lead to this machine or its link are refused", () => {
  const bad = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "169.254.169.254",
    "224.0.0.1",
    "::1",
    "::",
    "fe80::1",
    "febf::1",
    "ff02::1",
    "fd00:ec2::254",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::127.0.0.1",
    "100.100.100.200",
  ];
  expect(bad.filter((address) => !isForbiddenAddress(address))).toEqual([]);
  const good = ["10.0.0.1", "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "fd00::1"];
  expect(good.filter((address) => isForbiddenAddress(address))).toEqual([]);
});

test("what the settings ask of the network", () => {
  const of = (network: Parameters<typeof settings>[0] & object) => networkOf(settings(network));
  expect(of({})).toEqual({ kind: "off" });
  expect(of({ network: { allowedDomains: ["*"] } })).toEqual({ kind: "host" });
  expect(of({ network: { allowedDomains: ["*"], deniedDomains: ["x"] } })).toEqual({
    kind: "proxy",
    allowed: ["*"],
    denied: ["x"],
  });
  expect(of({ network: { httpProxyPort: 8080 } })).toEqual({ kind: "proxy", allowed: [], denied: [], http: 8080 });
  expect(of({ network: { deniedDomains: ["x"] } })).toEqual({ kind: "off" });
});

/** The names lead to this test's own servers. */
async function proxied(names: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), "nanocode-proxy-"));
  const web = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => Response.json({ url: request.url, headers: request.headers, body: await request.text() }),
  });
  const dialled: string[] = [];
  const proxy = await DomainProxy.start({
    network: { kind: "proxy", allowed: ["a.example", "inside.example", "gone.example"], denied: [] },
    folder,
    listen: "ports",
    resolve: async (host) => (names[host] ? [names[host]] : []),
    dial: (address, port) => {
      dialled.push(`${address}:${port}`);
      return connect(web.port ?? 0, "127.0.0.1");
    },
  });
  const ask = (url: string, init: RequestInit = {}) =>
    fetch(url, { ...init, proxy: `http://127.0.0.1:${proxy.ports()[0]}` });
  const raw = (text: string) =>
    new Promise<string>((resolve) => {
      const chunks: Buffer[] = [];
      const socket = connect(proxy.ports()[0] ?? 0, "127.0.0.1", () => socket.write(text));
      socket.on("data", (chunk) => chunks.push(Buffer.from(chunk)));
      socket.on("close", () => resolve(Buffer.concat(chunks).toString()));
    });
  return {
    ...{ ask, raw, dialled },
    async [Symbol.asyncDispose]() {
      proxy.close();
      await web.stop(true);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

test("the proxy passes on what is allowed, to the address it looked up", async () => {
  await using p = await proxied({ "a.example": "192.0.2.7", "inside.example": "127.0.0.1" });
  const answer = (await (
    await p.ask("http://a.example:8080/x?y=1", { method: "POST", body: "sent" })
  ).json()) as Record<string, unknown>;
  expect(answer).toMatchObject({
    url: "http://a.example:8080/x?y=1",
    body: "sent",
    headers: { host: "a.example:8080", connection: "close" },
  });
  expect(p.dialled).toEqual(["192.0.2.7:8080"]);
  expect(
    await p.raw(
      "CONNECT a.example:443 HTTP/1.1\r\n\r\nGET /t HTTP/1.1\r\nHost: in.tunnel\r\nConnection: close\r\n\r\n",
    ),
  ).toMatch(/^HTTP\/1\.1 200 Connection established\r\n\r\nHTTP\/1\.1 200 OK[^]*in\.tunnel\/t/);
  const refused = [
    "CONNECT b.example:443 HTTP/1.1\r\n\r\n",
    "CONNECT 192.0.2.7:443 HTTP/1.1\r\n\r\n",
    "CONNECT inside.example:443 HTTP/1.1\r\n\r\n",
    "GET http://b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "GET http://a.example@b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
  ];
  for (const request of refused)
    expect([request, await p.raw(request)]).toEqual([
      request,
      expect.stringMatching(/^HTTP\/1\.1 403 Forbidden by the sandbox/),
    ]);
  expect(await p.raw("CONNECT gone.example:443 HTTP/1.1\r\n\r\n")).toStartWith("HTTP/1.1 502");
  for (const request of [
    "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "GET file:///etc/passwd HTTP/1.1\r\n\r\n",
    "nonsense\r\n\r\n",
    "CONNECT a.example:x HTTP/1.1\r\n\r\n",
  ]) {
    expect([request, await p.raw(request)]).toEqual([request, expect.stringMatching(/^HTTP\/1\.1 400/)]);
  }
  expect(p.dialled).toEqual(["192.0.2.7:8080", "192.0.2.7:443"]);
});

walledTest("inside, the proxy is all there is", async () => {
  const web = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("REACHED") });
  using w = walled({ settings: settings({ network: { allowedDomains: ["a.invalid"] } }) });
  try {
    expect(await w.text('echo "$HTTPS_PROXY $http_proxy"; echo "${BUN_BE_BUN-none}"')).toBe(
      "http://127.0.0.1:3128 http://127.0.0.1:3128\nnone",
    );
    expect(await w.text(`curl -s --noproxy '*' http://127.0.0.1:${web.port}/`)).toContain("Exit code 7");
    const denied = await w.text("curl -sS https://b.invalid/");
    expect(denied).toContain("403");
    expect(denied).toContain("its proxy lets commands reach only the allowed domains");
    expect(await w.text("curl -s http://b.invalid/")).toBe("b.invalid is not among sandbox.network.allowedDomains.");
    expect(await w.text("curl -s http://a.invalid/")).toBe("a.invalid could not be resolved.");
    expect(await w.text("kill -9 $$")).toContain("Exit code 137");
    await w.text("trap 'sleep 0.2; echo cleaned > after; exit' TERM; sleep 60 & wait $!", { timeout: 500 });
    expect(readFileSync(join(w.root, "after"), "utf8")).toBe("cleaned\n");
    expect(await w.text("sleep 60 & echo up")).toContain("ended with it");
    expect(await w.text("echo hi; exit 3")).toBe("hi\n\nExit code 3");
    expect(await w.text("curl -s http://b.invalid/", { confine: "readonly" })).toContain("Exit code 6");
    expect((await w.sandbox.describe()).at(-1)).toBe("  network: a.invalid, through a proxy");
  } finally {
    void web.stop(true);
  }
});

walledTest("a proxy of the person's decides instead, and * gives the machine's own network", async () => {
  const lines: string[] = [];
  const theirs = createServer((socket) =>
    socket.on("data", (data) => {
      lines.push(String(data).split("\r\n")[0] ?? "");
      socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nTHEIR");
    }),
  ).listen(0, "127.0.0.1");
  await new Promise((resolve) => theirs.once("listening", resolve));
  const at = theirs.address();
  const port = typeof at === "object" && at ? at.port : 0;
  using w = walled({ settings: settings({ network: { httpProxyPort: port } }) });
  using open = walled({ settings: settings({ network: { allowedDomains: ["*"] } }) });
  try {
    expect(await w.text("curl -s http://c.invalid/x")).toBe("THEIR");
    expect(lines).toEqual(["GET http://c.invalid/x HTTP/1.1"]);
    expect(await open.text(`curl -s http://127.0.0.1:${port}/`)).toBe("THEIR");
    expect(await open.text(`curl -s http://127.0.0.1:${port}/`, { confine: "readonly" })).toContain("Exit code 7");
  } finally {
    theirs.close();
  }
});

walledTest("named sockets that are allowed stay reachable", async () => {
  using w = walled();
  const path = join(w.outside, "door.sock");
  const server = createServer((socket) => socket.end("REACHED")).listen(path);
  await new Promise((resolve) => server.once("listening", resolve));
  const ask = `python3 -c 'import socket; s=socket.socket(socket.AF_UNIX); s.connect("${path}"); print(s.recv(9))'`;
  using allowed = walled({ home: w.home, settings: settings({ network: { allowUnixSockets: [path] } }) });
  expect(await allowed.text(ask)).toBe("b'REACHED'");
  expect(await w.text(ask)).toMatch(/refused|denied/i);
  server.close();
  expect(readFileSync("/proc/net/unix", "utf8")).not.toContain(path);
});

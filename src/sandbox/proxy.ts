// The proxy through which confined commands reach the allowed domains, and nothing else; it runs in our process.
import { lookup } from "node:dns/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { isForbiddenAddress, mayReach } from "./domains.ts";
import type { Network } from "./policy.ts";

export type ProxyOptions = {
  network: Extract<Network, { kind: "proxy" }>;
  /** For the sockets (Linux); only we may enter it. */
  folder: string;
  /** Sockets in `folder`, or ports on the loopback (where the wall shares it with us). */
  listen?: "sockets" | "ports";
  resolve?(host: string): Promise<string[]>;
  dial?(address: string, port: number): Socket;
};

/** One door: what the command sees as a port leads to a socket or port of ours. */
export type Door = { name: "http" | "socks"; server: Server; at: { path: string } | { port: number } };

type Request = { method: string; host: string; port: number; head: string; rest: Buffer };

const LONGEST_HEAD = 64 * 1024;
const HEAD_TIMEOUT_MS = 30_000;
const LOOPBACK = "127.0.0.1";

/** Must be closed. */
export class DomainProxy {
  readonly doors: readonly Door[];
  #open: Set<Socket>;

  private constructor(doors: readonly Door[], open: Set<Socket>) {
    this.doors = doors;
    this.#open = open;
  }

  /** Throws when it cannot listen. Where the settings name a proxy of the person's, that one decides, not the domains. */
  static async start(options: ProxyOptions): Promise<DomainProxy> {
    const { http, socks } = options.network;
    const open = new Set<Socket>();
    const filter = (client: Socket) => void serve(client, options);
    const doors = [await openDoor("http", http === undefined ? filter : passTo(http), options, open)];
    if (socks !== undefined) doors.push(await openDoor("socks", passTo(socks), options, open));
    return new DomainProxy(doors, open);
  }

  /** Of doors that are ports. */
  ports(): number[] {
    return this.doors.flatMap(({ at }) => ("port" in at ? [at.port] : []));
  }

  close(): void {
    for (const { server } of this.doors) server.close();
    for (const socket of this.#open) socket.destroy();
  }
}

/** For a wall that shares the loopback with us. */
export function environmentOf({ doors }: DomainProxy): Record<string, string> {
  const portOf = (wanted: Door["name"]) => {
    const at = doors.find(({ name }) => name === wanted)?.at;
    return at && "port" in at ? at.port : undefined;
  };
  const [http, socks] = [portOf("http"), portOf("socks")];
  if (http === undefined) return {};
  return proxyEnvironment({ http, ...(socks === undefined ? {} : { socks }) });
}

/** `ports`: where the command finds the doors. */
export function proxyEnvironment(ports: { http: number; socks?: number }): Record<string, string> {
  const http = `http://${LOOPBACK}:${ports.http}`;
  const all = ports.socks === undefined ? http : `socks5h://${LOOPBACK}:${ports.socks}`;
  const none = "localhost,127.0.0.1,::1";
  const values = { http_proxy: http, https_proxy: http, all_proxy: all, no_proxy: none };
  const upper = Object.entries(values).map(([name, value]) => [name.toUpperCase(), value]);
  return { ...values, ...Object.fromEntries(upper) };
}

async function openDoor(
  name: Door["name"],
  serveOne: (client: Socket) => void,
  { folder, listen = process.platform === "linux" ? "sockets" : "ports" }: ProxyOptions,
  open: Set<Socket>,
): Promise<Door> {
  const server = createServer({ allowHalfOpen: true }, (client) => {
    open.add(client);
    client.on("close", () => open.delete(client));
    client.on("error", () => client.destroy());
    serveOne(client);
  });
  const path = join(folder, `${name}.sock`);
  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject);
  if (listen === "sockets") server.listen(path, listening.resolve);
  else server.listen(0, LOOPBACK, listening.resolve);
  await listening.promise;
  server.unref();
  const address = server.address();
  if (listen === "sockets") return { name, server, at: { path } };
  if (typeof address !== "object" || address === null) throw new Error("no port to listen on");
  return { name, server, at: { port: address.port } };
}

function passTo(port: number): (client: Socket) => void {
  return (client) => couple(client, connect(port, LOOPBACK));
}

async function serve(client: Socket, options: ProxyOptions): Promise<void> {
  const request = await readRequest(client);
  if (request === undefined)
    return refuse(client, "400 Bad Request", "This proxy takes CONNECT and absolute http addresses.");
  const { host, port } = request;
  const { network, resolve = addressesOf, dial = (address: string, to: number) => connect(to, address) } = options;
  if (!mayReach(host, network)) {
    return refuse(client, "403 Forbidden by the sandbox", `${host} is not among sandbox.network.allowedDomains.`);
  }
  const addresses = await resolve(host).catch((): string[] => []);
  // The checked address is the one connected to: a second lookup could give another.
  const address = addresses.find((one) => !isForbiddenAddress(one));
  if (address === undefined) {
    const isKnown = addresses.length > 0;
    const why = isKnown ? `${host} leads to this machine or its link.` : `${host} could not be resolved.`;
    return refuse(client, isKnown ? "403 Forbidden by the sandbox" : "502 Bad Gateway", why);
  }
  forward(client, request, dial(address, port));
}

function forward(client: Socket, { method, head, rest }: Request, upstream: Socket): void {
  upstream.once("connect", () => {
    if (method === "CONNECT") client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    else upstream.write(head);
    if (rest.length > 0) upstream.write(rest);
    couple(client, upstream);
    client.resume();
  });
  upstream.once("error", () => refuse(client, "502 Bad Gateway", "The host does not answer."));
  client.once("close", () => upstream.destroy());
}

function couple(one: Socket, other: Socket): void {
  one.on("error", () => other.destroy());
  other.on("error", () => one.destroy());
  one.pipe(other);
  other.pipe(one);
}

function refuse(client: Socket, status: string, why: string): void {
  const body = `${why}\n`;
  client.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

async function readRequest(client: Socket): Promise<Request | undefined> {
  const done = Promise.withResolvers<Buffer | undefined>();
  const seen: { bytes: Buffer } = { bytes: Buffer.alloc(0) };
  const timer = setTimeout(() => done.resolve(undefined), HEAD_TIMEOUT_MS);
  timer.unref();
  const take = (chunk: Buffer) => {
    seen.bytes = Buffer.concat([seen.bytes, chunk]);
    if (seen.bytes.includes("\r\n\r\n")) done.resolve(seen.bytes);
    else if (seen.bytes.length > LONGEST_HEAD) done.resolve(undefined);
  };
  client.on("data", take);
  client.once("end", () => done.resolve(undefined));
  const bytes = await done.promise;
  clearTimeout(timer);
  client.pause();
  client.off("data", take);
  return bytes && parseRequest(bytes);
}

function parseRequest(bytes: Buffer): Request | undefined {
  const end = bytes.indexOf("\r\n\r\n") + 4;
  const [first = "", ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const rest = bytes.subarray(end);
  const [method = "", target = "", version = ""] = first.split(" ");
  if (!version.startsWith("HTTP/1.")) return undefined;
  if (method === "CONNECT") {
    const [, host, port] = /^([^:/?#@\s]+):(\d{1,5})$/.exec(target) ?? [];
    return host && port ? { method, host, port: Number(port), head: "", rest } : undefined;
  }
  const url = URL.canParse(target) ? new URL(target) : undefined;
  if (url?.protocol !== "http:") return undefined;
  // One request per connection, so that the next one is looked at too; the host is the one that was checked.
  const kept = lines.filter((line) => line !== "" && !/^(host|connection|proxy-[\w-]+|keep-alive):/i.test(line));
  const head = [`${method} ${url.pathname}${url.search} ${version}`, `Host: ${url.host}`, ...kept, "Connection: close"];
  return { method, host: url.hostname, port: Number(url.port || 80), head: `${head.join("\r\n")}\r\n\r\n`, rest };
}

async function addressesOf(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

// Inside a wall with a network of its own: a small program that leads ports on its loopback to our proxy's sockets.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { look } from "./guards.ts";
import type { Mount } from "./mounts.ts";
import { proxyEnvironment, type DomainProxy } from "./proxy.ts";

/** Runs as the parent of the command, in the same wall, by our own program used as a plain Bun. */
const PROGRAM = `
const { connect, createServer } = require("node:net");
const [doors, ...argv] = process.argv.slice(2);
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => {});
await Promise.all(JSON.parse(doors).map(({ port, path }) => new Promise((resolve, reject) => {
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const other = connect({ path, allowHalfOpen: true });
    client.on("error", () => other.destroy());
    other.on("error", () => client.destroy());
    client.pipe(other);
    other.pipe(client);
  });
  server.once("error", reject);
  server.listen(port, "127.0.0.1", resolve);
})));
const { BUN_BE_BUN, ...env } = process.env;
const child = Bun.spawn(argv, { stdin: "ignore", stdout: "inherit", stderr: "inherit", env });
await child.exited;
if (child.signalCode) {
  const number = require("node:os").constants.signals[child.signalCode] ?? 0;
  process.exit(128 + number);
}
process.exit(child.exitCode ?? 1);
`;
const PORTS = { http: 3128, socks: 1080 };

export type Relay = { argv: string[]; env: Record<string, string>; mounts: Mount[] };

/** `folder`: that of the proxy's sockets; the program is put there too. */
export function relayFor(proxy: DomainProxy, folder: string): Relay {
  const program = join(folder, "relay.js");
  if (!look(program)) writeFileSync(program, PROGRAM, { mode: 0o600 });
  const doors = proxy.doors.flatMap(({ name, at }) => ("path" in at ? [{ port: PORTS[name], path: at.path }] : []));
  const hasSocks = proxy.doors.some(({ name }) => name === "socks");
  const ports = hasSocks ? PORTS : { http: PORTS.http };
  return {
    // The project's bunfig.toml and .env are not for it.
    argv: [process.execPath, "--no-env-file", "--config=/dev/null", program, JSON.stringify(doors)],
    env: { ...proxyEnvironment(ports), BUN_BE_BUN: "1" },
    mounts: [
      { kind: "readonly", path: folder },
      { kind: "readonly", path: process.execPath },
    ],
  };
}

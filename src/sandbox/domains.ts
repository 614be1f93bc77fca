// Which hosts a command may reach through the proxy. Pure.

export type Domains = { allowed: readonly string[]; denied: readonly string[] };

const IPV4_ENDS = /^(0x[0-9a-f]*|\d+)$/;

/** `host` as the command wrote it. A name matches itself, `*.x` any name below x (not x), `*` every name; denied wins. */
export function mayReach(host: string, { allowed, denied }: Domains): boolean {
  const name = normal(host);
  if (name === "" || isAddress(name)) return false;
  const matches = (pattern: string) => matchesDomain(normal(pattern), name);
  return !denied.some(matches) && allowed.some(matches);
}

/** Loopback, link-local (with the metadata services of clouds), unspecified and multicast: never through the proxy. */
export function isForbiddenAddress(address: string): boolean {
  const mapped = /^::(?:ffff:)?(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const plain = mapped ?? address.toLowerCase();
  if (plain.includes(":")) return /^(::1?$|fe[89ab]|ff|fd00:ec2:|::ffff:)/.test(plain);
  const [first = 0, second = 0] = plain.split(".").map(Number);
  return (
    first === 0 || first === 127 || (first === 169 && second === 254) || first >= 224 || plain === "100.100.100.200"
  );
}

/** Compared by whole labels. */
function matchesDomain(pattern: string, name: string): boolean {
  if (pattern === "*") return true;
  if (!pattern.startsWith("*.")) return pattern === name;
  const below = pattern.slice(1);
  return name.length > below.length && name.endsWith(below);
}

function normal(host: string): string {
  return host.trim().toLowerCase().replace(/\.$/, "");
}

/** Also the short and other spellings the system would take for an address: `127.1`, `0x7f.1`, `2130706433`. */
function isAddress(name: string): boolean {
  return /[[\]:%]/.test(name) || IPV4_ENDS.test(name.split(".").at(-1) ?? "");
}

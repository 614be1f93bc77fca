// What the settings ask of the wall, as plain values, and which folders may be writable at all.
import { inside, realPath } from "../utils/paths.ts";

/** `sandbox.*` of the settings. Paths are absolute (`~` and the project's own are resolved by the reader) and may be globs. */
export type SandboxSettings = {
  /** Default: on wherever a wall works. */
  enabled?: boolean;
  /** Refuse commands where there is no wall, instead of running them without. */
  failIfUnavailable?: boolean;
  /** May a command be asked to run outside? Default true. */
  allowUnsandboxedCommands?: boolean;
  filesystem: {
    /** Writable besides the project, its added folders and the private temporary folder. */
    allowWrite: readonly string[];
    /** Read-only inside what is writable; holds also where nothing is there yet. */
    denyWrite: readonly string[];
    /** Masked, besides the known places of secrets. */
    denyRead: readonly string[];
    /** Visible although masked. */
    allowRead: readonly string[];
    /** Leave the file system open; network and processes stay confined. */
    disabled?: boolean;
  };
  network: {
    /** `example.com`, `*.example.com`, or `*` for the host's own network. */
    allowedDomains: readonly string[];
    deniedDomains: readonly string[];
    /** Sockets in the file system that stay reachable. */
    allowUnixSockets: readonly string[];
    /** macOS only: there the loopback is the host's. On Linux each command has one of its own. */
    allowLocalBinding?: boolean;
    /** A proxy of the person's on this machine that decides instead of ours. */
    httpProxyPort?: number;
    socksProxyPort?: number;
  };
};

export type Network =
  /** Only a loopback of the command's own. */
  | { kind: "off" }
  | { kind: "host" }
  /** Through our proxy, or the person's. */
  | { kind: "proxy"; allowed: readonly string[]; denied: readonly string[]; http?: number; socks?: number };

export type Roots = {
  /** Resolved, writable, no two the same. */
  writable: string[];
  /** Given under another name than where they lead. */
  named: { path: string; to: string }[];
  /** Not made writable because they hold the system; shown by `describe`. */
  refused: string[];
};

/** A folder that is or contains one of them is never writable as a whole, whatever the project is. */
const SYSTEM = ["/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/proc", "/run", "/sbin", "/sys", "/usr", "/Users"];

export function networkOf({ network }: SandboxSettings): Network {
  const { allowedDomains: allowed, deniedDomains: denied, httpProxyPort: http, socksProxyPort: socks } = network;
  const ports = { ...(http === undefined ? {} : { http }), ...(socks === undefined ? {} : { socks }) };
  const isOpen = allowed.includes("*") && denied.length === 0;
  if (isOpen && http === undefined && socks === undefined) return { kind: "host" };
  if (allowed.length === 0 && http === undefined && socks === undefined) return { kind: "off" };
  return { kind: "proxy", allowed, denied, ...ports };
}

/** Splits the session's folders; `/`, `/usr` and the like stay read-only. */
export function rootsOf(folders: readonly string[]): Roots {
  const roots: Roots = { writable: [], named: [], refused: [] };
  for (const path of new Set(folders)) {
    const to = realPath(path);
    if (to !== path) roots.named.push({ path, to });
    const list = SYSTEM.some((system) => inside(to, system)) ? roots.refused : roots.writable;
    if (!list.includes(to)) list.push(to);
  }
  return roots;
}

// The macOS profile (SBPL) for one inside. Pure. The last rule that matches an operation decides.
import type { Watch } from "./guards.ts";
import type { Mount } from "./mounts.ts";
import type { Network } from "./policy.ts";
import { PROTECTED_FILES, PROTECTED_FOLDERS } from "./protected.ts";

export type SeatbeltInside = {
  mounts: readonly Mount[];
  watches: readonly Watch[];
  /** Writable folders, resolved; in them protected names are read-only in any letter case, there or not. */
  roots: readonly string[];
  /** The session's temporary folder (`TMPDIR`) and the files that must be writable. */
  extra: readonly string[];
  openSystem: boolean;
  network: Network;
  /** Ports on the loopback that lead to proxies. */
  proxyPorts: readonly number[];
  allowLocalBinding: boolean;
  unixSockets: readonly string[];
};

const DEVICES = ["/dev/null", "/dev/zero", "/dev/dtracehelper", "/dev/tty"];
/** In a repository. */
const GIT_PARTS = ["config", "config\\.worktree", "commondir", "hooks(/.*)?", "modules(/.*)?"];

export function seatbeltProfile(inside: SeatbeltInside): string {
  return [
    "(version 1)",
    "(allow default)",
    ...(inside.openSystem ? [] : writes(inside)),
    ...masks(inside.mounts),
    ...network(inside),
    // Other processes are none of its business.
    "(deny process-info* (target others))",
    "(deny signal (target others))",
    "(allow signal (target same-sandbox))",
  ].join("\n");
}

function writes({ mounts, watches, roots, extra }: SeatbeltInside): string[] {
  const open = mounts.flatMap((mount) => (mount.kind === "writable" && mount.from === undefined ? [mount.path] : []));
  const closed = mounts.flatMap((mount) => (mount.kind === "readonly" ? [mount.path] : []));
  const fixed = watches.map(({ path }) => path).filter((path) => !path.endsWith("/.git"));
  return [
    "(deny file-write*)",
    ...[...open, ...extra].map((path) => `(allow file-write* (subpath ${quoted(path)}))`),
    ...DEVICES.map((path) => `(allow file-write* (literal ${quoted(path)}))`),
    '(allow file-write* (regex #"^/dev/fd/[0-9]+$"))',
    ...[...closed, ...fixed].map((path) => `(deny file-write* (subpath ${quoted(path)}))`),
    ...roots.flatMap(protectedRules),
    ...extra.map((path) => `(allow file-write* (subpath ${quoted(path)}))`),
  ];
}

function protectedRules(root: string): string[] {
  const start = `^${escaped(root)}/(.*/)?`;
  const folders = PROTECTED_FOLDERS.map((name) => anyCase(name)).join("|");
  const files = PROTECTED_FILES.map((name) => anyCase(name)).join("|");
  const git = `${start}${anyCase(".git")}`;
  return [
    `(deny file-write* (regex #"${start}(${folders})(/.*)?$"))`,
    `(deny file-write* (regex #"${start}(${files})$"))`,
    `(deny file-write* (regex #"${git}/(${GIT_PARTS.join("|")})$"))`,
    // Renamed away, it could be made anew.
    `(deny file-write-unlink (regex #"${git}$"))`,
  ];
}

function masks(mounts: readonly Mount[]): string[] {
  const hidden = mounts.flatMap((mount) => (mount.kind === "masked" ? [mount] : []));
  const shown = mounts.flatMap((mount) => {
    const isBelowMask = hidden.some(({ path }) => mount.path.startsWith(`${path}/`));
    return isBelowMask && (mount.kind === "readonly" || mount.kind === "writable") ? [mount.path] : [];
  });
  return [
    ...hidden.map(({ path }) => `(deny file-read* file-write* (subpath ${quoted(path)}))`),
    ...shown.map((path) => `(allow file-read* (subpath ${quoted(path)}))`),
  ];
}

function network({ network: kind, proxyPorts, allowLocalBinding, unixSockets }: SeatbeltInside): string[] {
  if (kind.kind === "host") return [];
  return [
    "(deny network*)",
    ...(allowLocalBinding
      ? [
          '(allow network-bind (local ip "localhost:*"))',
          '(allow network-inbound (local ip "localhost:*"))',
          '(allow network-outbound (remote ip "localhost:*"))',
        ]
      : []),
    ...proxyPorts.map((port) => `(allow network-outbound (remote ip "localhost:${port}"))`),
    ...unixSockets.map((path) => `(allow network-outbound (literal ${quoted(path)}))`),
  ];
}

/** A string of SBPL. */
function quoted(path: string): string {
  return `"${path.replace(/[\\"]/g, "\\$&")}"`;
}

/** Literal text in a regex; the raw string of SBPL has no escape for a quotation mark. */
function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll('"', ".");
}

function anyCase(name: string): string {
  return escaped(name).replace(/[a-z]/g, (letter) => `[${letter.toUpperCase()}${letter}]`);
}

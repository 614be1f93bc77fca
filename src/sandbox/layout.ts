// The inside of the wall for one kind of command: what is writable, read-only, masked, and what is looked at afterwards.
import { inside, realPath } from "../utils/paths.ts";
import type { Confined } from "../core/wall.ts";
import type { DeniedFiles } from "./denied.ts";
import { guardPath, look, names, noGuards, type Guards, type Watch } from "./guards.ts";
import { isBelow, TEMPORARY, type Mount } from "./mounts.ts";
import type { Roots, SandboxSettings } from "./policy.ts";
import { guardRoot, homeGuards, type DeeperGuards } from "./protected.ts";
import { secretsOf, type Secret } from "./secrets.ts";

export type Layout = {
  mounts: Mount[];
  /** Names of the project that are not seen inside unless they are made. */
  links: { path: string; to: string }[];
  standIns: string[];
  watches: Watch[];
  /** For people: besides the temporary folder. */
  writable: string[];
  masked: string[];
  /** Patterns of denied files that are not masked everywhere. */
  incomplete: string[];
};

export type LayoutOptions = {
  confine: Confined;
  settings: SandboxSettings;
  roots: Roots;
  home: string;
  /** The folders of PATH: visible even below `/tmp`, like the home. */
  programs: readonly string[];
  /** Sessions, trust and credentials of ours: masked. */
  own: string;
  /** The session's folder: readable, for the output of earlier commands. */
  scratch: string;
  /** What `/tmp` is inside, on the outside. */
  temporary: string;
  /** Absolute paths and globs from Read deny rules; for a name at any depth one glob below each root. */
  denyRead: readonly string[];
  sockets: readonly Mount[];
  isStandIn(path: string): boolean;
  denied: DeniedFiles;
  unwritable: DeniedFiles;
  deeper: DeeperGuards;
};

/**
 * `readonly`: nothing is writable but an empty temporary folder in memory that goes with the command (a long heredoc
 * needs one). `workspace`: the roots, `allowWrite`, and the session's private temporary folder, which stays.
 */
export function layoutOf(options: LayoutOptions): Layout {
  const { confine, settings, roots, scratch } = options;
  const writable = confine === "workspace" ? [...roots.writable, ...existing(settings.filesystem.allowWrite)] : [];
  const guards = confine === "workspace" ? guardsOf(options) : noGuards(() => false);
  const { masks, incomplete } = masksOf(options, writable);
  const cover = [...temporaryOf(options), ...masks];
  const isHidden = (path: string) => cover.some((mount) => isBelow(mount.path, path));
  const { allowRead } = settings.filesystem;
  const programs = [options.home, ...options.programs].filter((path) => inside(TEMPORARY, path));
  const known = [...programs, ...allowRead, ...settings.network.allowUnixSockets];
  const visible = [...roots.writable, ...existing(known)];
  const shown = visible.filter((path) => isHidden(path) && !writable.includes(path));
  const opened = withoutNested(writable, [...cover, ...guards.mounts]);
  return {
    mounts: [
      ...cover.map((mount) => passable(mount, shown)),
      ...shown.map(readonly),
      ...opened.map((path): Mount => ({ kind: "writable", path })),
      ...guards.mounts,
      ...(hasOutput(scratch) ? [readonly(scratch)] : []),
    ],
    links: roots.named.filter(({ path }) => isHidden(path) && !shown.some((folder) => inside(folder, path))),
    standIns: guards.standIns,
    watches: guards.watches,
    writable: opened,
    masked: masks.map(({ path }) => path),
    incomplete,
  };
}

function temporaryOf({ confine, temporary }: LayoutOptions): Mount[] {
  if (!look(TEMPORARY)?.isDirectory()) return [];
  if (confine === "workspace") return [{ kind: "writable", path: TEMPORARY, from: temporary }];
  return [{ kind: "temporary", path: TEMPORARY }];
}

function guardsOf({ settings, roots, home, isStandIn, deeper, unwritable }: LayoutOptions): Guards {
  const guards = noGuards(isStandIn);
  for (const root of roots.writable.filter((path) => look(path)?.isDirectory())) {
    guardRoot(guards, root);
    guards.mounts.push(...deeper.find(root));
    if (inside(root, home)) guards.mounts.push(...homeGuards(home));
  }
  const { allowWrite, denyWrite } = settings.filesystem;
  const exempt = existing(allowWrite).filter((path) => roots.writable.some((root) => isBelow(root, path)));
  const isKept = (path: string) => !exempt.some((folder) => inside(folder, path));
  guards.mounts = guards.mounts.filter((mount) => isKept(mount.path));
  guards.watches = guards.watches.filter((watch) => isKept(watch.path));
  guards.standIns = guards.standIns.filter(isKept);
  for (const path of denyWrite.filter((one) => !isPattern(one)).map((one) => realPath(one))) {
    guardPath(guards, path, { root: path, ifAbsent: "watch" });
  }
  const matching = unwritable.find(denyWrite.filter(isPattern), roots.writable).secrets;
  guards.mounts.push(...matching.map(({ path }) => readonly(path)));
  return guards;
}

function masksOf(options: LayoutOptions, writable: readonly string[]) {
  const { settings, home, own, roots, denyRead, sockets, denied } = options;
  const { allowRead, denyRead: more } = settings.filesystem;
  const allowed = existing([...allowRead, ...settings.network.allowUnixSockets]);
  const { secrets, incomplete } = denied.find([...more, ...denyRead], roots.writable);
  const isRoot = ({ path }: Secret) => roots.writable.includes(path);
  const known = [...secretsOf(home), ...(look(own) ? [{ path: realPath(own), is: "folder" as const }] : [])];
  const all = new Map<string, Mount>();
  for (const secret of known.filter((one) => !isRoot(one))) {
    all.set(secret.path, { kind: "masked", ...secret, closed: writable.some((root) => inside(root, secret.path)) });
  }
  for (const mount of sockets) all.set(mount.path, mount);
  // Closed, not empty: git would commit an emptied file, but stops at one it may not open.
  for (const secret of secrets) all.set(secret.path, { kind: "masked", ...secret, closed: true });
  const masks = [...all.values()].filter(({ path }) => !allowed.some((open) => inside(open, path)));
  return { masks: withoutCovered(masks), incomplete };
}

/** What lies in a masked folder is masked already. */
function withoutCovered(masks: readonly Mount[]): Mount[] {
  return masks.filter(({ path }) => !masks.some((other) => isBelow(other.path, path)));
}

/**
 * A folder in a writable one needs no mount of its own, unless something lies in between. It must not get one: a
 * program in there could put a link in its place, and the mount would open what the link leads to.
 */
function withoutNested(writable: readonly string[], cover: readonly Mount[]): string[] {
  return [...new Set(writable)].filter((path) => {
    const above = writable.filter((other) => isBelow(other, path));
    const between = (root: string) =>
      cover.some((mount) => mount.kind !== "writable" && inside(root, mount.path) && isBelow(mount.path, path));
    return above.every(between);
  });
}

/** Of earlier commands and tasks; a mount takes longer than a look. */
function hasOutput(scratch: string): boolean {
  return names(scratch).some((name) => name.endsWith(".txt"));
}

/** A closed folder with something visible in it must at least let through. */
function passable(mount: Mount, shown: readonly string[]): Mount {
  const isWay = mount.kind === "masked" && shown.some((path) => isBelow(mount.path, path));
  return isWay ? { ...mount, closed: false } : mount;
}

function existing(paths: readonly string[]): string[] {
  return paths
    .map((path) => path.replace(/\/\*{1,2}$/, ""))
    .filter((path) => path !== "" && look(path))
    .map((path) => realPath(path));
}

function isPattern(path: string): boolean {
  return /[*?[{]/.test(path);
}

function readonly(path: string): Mount {
  return { kind: "readonly", path };
}

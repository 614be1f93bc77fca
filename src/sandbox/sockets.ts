// Sockets in the file system: doors to services that act for whoever knocks (containers, keys, desktops).
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { inside } from "../utils/paths.ts";
import { look } from "./guards.ts";
import { isBelow, TEMPORARY, type Mount } from "./mounts.ts";

export type SocketOptions = {
  env: Readonly<Record<string, string | undefined>>;
  /** Folders whose sockets are the project's business. */
  own: readonly string[];
  home: string;
};

const RUN = "/run";
/** Below /run: hold sockets of services even where none is listed. */
const SERVICE_FOLDERS = ["user", "dbus", "podman", "containerd", "crio", "docker", "libvirt", "postgresql", "mysqld"];
/** Needed for names of hosts and users, or for programs: only the sockets in them are masked. */
const SHARED_FOLDERS = ["systemd", "current-system", "booted-system", "wrappers", "opengl-driver", "resolvconf"];
const MOST_SINGLE = 24;

/** A network namespace does not close these: they are found by path. Whole folders of /run where possible, else single ones. */
export function socketMasks({ env, own, home }: SocketOptions): Mount[] {
  const isHidden = (path: string) => inside(TEMPORARY, path) && !inside(home, path);
  const isOwn = (path: string) => own.some((folder) => inside(folder, path));
  const listed = [...boundSockets(), ...agents(env)].filter((path) => !isHidden(path) && !isOwn(path));
  const inRun = entriesOfRun();
  const folders = inRun.folders.filter(
    (name) => SERVICE_FOLDERS.includes(name) || (!SHARED_FOLDERS.includes(name) && hasSocket(name, listed)),
  );
  const covered = folders.map((name) => join(RUN, name));
  const single = [...new Set([...inRun.sockets.map((name) => join(RUN, name)), ...listed])]
    .filter((path) => !covered.some((folder) => isBelow(folder, path)) && look(path)?.isSocket())
    .slice(0, MOST_SINGLE);
  return [
    ...covered.map((path): Mount => ({ kind: "masked", path, is: "folder", closed: false })),
    ...single.map((path): Mount => ({ kind: "masked", path, is: "file", closed: true })),
  ];
}

function hasSocket(name: string, listed: readonly string[]): boolean {
  return listed.some((path) => isBelow(join(RUN, name), path));
}

/** A socket mounted in from elsewhere (a container's way to its host) is not listed: it is seen in the folder. */
function entriesOfRun(): { folders: string[]; sockets: string[] } {
  try {
    const all = readdirSync(RUN, { withFileTypes: true });
    const named = (isWanted: (one: (typeof all)[number]) => boolean) => all.filter(isWanted).map((one) => one.name);
    return { folders: named((one) => one.isDirectory()), sockets: named((one) => one.isSocket()) };
  } catch {
    return { folders: [], sockets: [] }; // no /run here
  }
}

/** Every socket of this network that has a path. */
function boundSockets(): string[] {
  try {
    const paths = readFileSync("/proc/net/unix", "utf8").matchAll(/ (\/.*)$/gm);
    return [...new Set([...paths].map((match) => (match[1] ?? "").replace(/^\/var\/run\//, "/run/")))];
  } catch {
    return []; // no /proc
  }
}

function agents(env: SocketOptions["env"]): string[] {
  const docker = env["DOCKER_HOST"]?.replace(/^unix:\/\//, "");
  const paths = [env["SSH_AUTH_SOCK"], docker].filter((path) => path?.startsWith("/"));
  return paths.flatMap((path) => (path === undefined || dirname(path) === "/" ? [] : [path]));
}

// The wall of one session: looked for once, and then put around each command that is to be confined.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, isAbsolute, join, relative } from "node:path";
import type { Confined, Wall, Walled, WallSource, WallStart, WallState } from "../core/wall.ts";
import { inside, projects, realPath, splitPath } from "../utils/paths.ts";
import { findAftermath } from "./aftermath.ts";
import { bwrapArguments, laterArguments } from "./bwrap.ts";
import { DeniedFiles } from "./denied.ts";
import { describeWall } from "./describe.ts";
import { explainFailure } from "./explain.ts";
import { look, type Watch } from "./guards.ts";
import { layoutOf, type Layout } from "./layout.ts";
import { inOrder, TEMPORARY, type Mount } from "./mounts.ts";
import { networkOf, rootsOf, type Network, type SandboxSettings } from "./policy.ts";
import { probe, type Probe } from "./probe.ts";
import { DeeperGuards } from "./protected.ts";
import type { DomainProxy } from "./proxy.ts";
import type { Relay } from "./relay.ts";
import { seatbeltProfile } from "./seatbelt.ts";
import { socketMasks } from "./sockets.ts";
import { StandIns } from "./stand-ins.ts";

export type SandboxOptions = {
  settings: SandboxSettings;
  /** The project and the added folders, as given and resolved; what is writable. */
  roots(): readonly string[];
  home: string;
  /** `~/.nanocode`. */
  own: string;
  /** The session's own folder; its commands' temporary folder is made in it. */
  scratch: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Absolute paths and globs that Read deny rules name. */
  denyRead(): readonly string[];
  /** Instead of trying what the machine has. */
  probe?: () => Promise<Probe>;
};

const SOCKETS_KEPT_MS = 30_000;
/** The system allows 107 bytes for a socket's path. */
const LONGEST_SOCKET_FOLDER = 90;
const OPEN_SYSTEM: Layout = {
  mounts: [],
  links: [],
  standIns: [],
  watches: [],
  writable: ["/"],
  masked: [],
  incomplete: [],
};
const HOST: Network = { kind: "host" };
const OFF: Network = { kind: "off" };
const NO_RELAY: Relay = { argv: [], env: {}, mounts: [] };

/** Must be closed: it keeps a temporary folder, and may keep a proxy. */
export class Sandbox implements WallSource {
  #options: SandboxOptions;
  #found: Promise<Probe> | undefined;
  #wall: Wall | undefined;
  #network: Network;
  #proxy: Proxied | undefined;
  #starting: Promise<Proxied> | undefined;
  #standIns = new StandIns();
  #sockets: { at: number; mounts: Mount[] } | undefined;
  #scans = { denied: new DeniedFiles(), unwritable: new DeniedFiles(), deeper: new DeeperGuards() };

  constructor(options: SandboxOptions) {
    this.#options = options;
    this.#network = networkOf(options.settings);
  }

  async find(): Promise<WallState> {
    const found = await this.#probe();
    if (found.kind === "none") return { ...found, required: this.#options.settings.failIfUnavailable ?? false };
    const why = await this.#startProxy();
    if (why !== undefined) return { kind: "none", why, required: true };
    this.#wall ??= {
      name: nameOf(found),
      wrap: (start) => this.#wrap(found, start),
      ...(found.kind === "bwrap" && this.#network.kind !== "proxy"
        ? { ahead: (argv, fd) => [found.path, "--args", String(fd), "--", ...argv] }
        : {}),
    };
    return { kind: "wall", wall: this.#wall };
  }

  /** For `status`; looks for the wall when nobody has yet. */
  async describe(): Promise<string[]> {
    const found = await this.#probe();
    if (found.kind === "none") {
      return describeWall({ ...found, required: this.#options.settings.failIfUnavailable ?? false });
    }
    return describeWall({
      kind: "wall",
      name: nameOf(found),
      path: found.path,
      layout: this.#layout("workspace"),
      network: this.#network,
      roots: rootsOf(this.#options.roots()),
      openSystem: this.#options.settings.filesystem.disabled ?? false,
    });
  }

  /** At the end of the session, when no command runs any more; synchronous. */
  close(): void {
    this.#standIns.close();
    this.#proxy?.server.close();
    const folders = [this.#temporary, this.#emptyFile, ...(this.#proxy ? [this.#proxy.folder] : [])];
    for (const path of folders) rmSync(path, { recursive: true, force: true });
  }

  get #temporary(): string {
    return join(this.#options.scratch, "tmp");
  }

  get #emptyFile(): string {
    return join(this.#options.scratch, "empty");
  }

  async #probe(): Promise<Probe> {
    if (this.#options.settings.enabled === false) {
      return { kind: "none", why: "It is switched off (sandbox.enabled is false)." };
    }
    this.#found ??= (this.#options.probe ?? (() => probe({ path: this.#othersPath() })))();
    return this.#found;
  }

  /** A bwrap of the project would be no wall. */
  #othersPath(): string {
    const { env, roots, home } = this.#options;
    return splitPath(env["PATH"], projects(roots(), home)).others;
  }

  /** Why there is no proxy although the settings ask for one. */
  async #startProxy(): Promise<string | undefined> {
    if (this.#network.kind !== "proxy") return undefined;
    try {
      this.#starting ??= startProxy(this.#network, this.#options.scratch);
      this.#proxy = await this.#starting;
      return undefined;
    } catch (error) {
      return `Its network proxy could not be started: ${error instanceof Error ? error.message : String(error)}.`;
    }
  }

  #wrap(found: Exclude<Probe, { kind: "none" }>, start: WallStart): Walled {
    const { settings } = this.#options;
    mkdirSync(this.#temporary, { recursive: true, mode: 0o700 });
    if (!look(this.#emptyFile)) writeFileSync(this.#emptyFile, "", { mode: 0o400 });
    writeFileSync(start.report, "", { flag: "wx", mode: 0o600 });
    const isMasked = start.confine === "masked";
    const isOpen = isMasked || ((settings.filesystem.disabled ?? false) && start.confine === "workspace");
    const layout = isMasked ? this.#masks() : isOpen ? OPEN_SYSTEM : this.#layout(start.confine);
    const network = isMasked ? HOST : start.confine === "readonly" ? OFF : this.#network;
    const isBwrap = found.kind === "bwrap";
    const held = isBwrap ? this.#hold(layout) : { taken: [], mounts: [], watches: layout.watches };
    const scene = {
      layout,
      network,
      mounts: [...layout.mounts, ...this.#links(layout, start.confine), ...held.mounts],
      start,
      isOpen,
    };
    return {
      ...(isBwrap ? this.#bwrap(found.path, scene) : this.#seatbelt(found.path, scene)),
      ends: isBwrap,
      explain: ({ command, code, output }) =>
        explainFailure({
          command,
          code,
          output: output.slice(-8_192),
          confine: start.confine,
          network,
          writable: layout.writable,
          mayLeave: settings.allowUnsandboxedCommands ?? true,
        }),
      release: once((mode: "undo" | "tell") => {
        this.#standIns.giveBack(held.taken);
        return findAftermath({ watches: held.watches, attic: join(this.#options.scratch, "not-kept"), mode });
      }),
    };
  }

  /** The machine as it is, but for files that rules forbid to read. */
  #masks(): Layout {
    const { settings, roots, denyRead } = this.#options;
    const patterns = [...settings.filesystem.denyRead, ...denyRead()];
    const { secrets, incomplete } = this.#scans.denied.find(patterns, rootsOf(roots()).writable);
    const mounts = secrets.map((secret): Mount => ({ kind: "masked", ...secret, closed: true }));
    return { ...OPEN_SYSTEM, mounts, masked: secrets.map(({ path }) => path), incomplete };
  }

  /** The private /tmp stays, and a link that is there already is an error to bubblewrap: there they are made by us. */
  #links({ links }: Layout, confine: Confined): Mount[] {
    const isKept = (path: string) => confine === "workspace" && inside(TEMPORARY, path);
    for (const { path, to } of links.filter((link) => isKept(link.path))) {
      const place = join(this.#temporary, relative(TEMPORARY, path));
      mkdirSync(dirname(place), { recursive: true });
      if (!look(place)) symlinkSync(to, place);
    }
    return links.filter(({ path }) => !isKept(path)).map(({ path, to }) => ({ kind: "link", path, to }));
  }

  /** Stand-ins that could not be made (read-only folder, made by somebody else just now) are looked at afterwards. */
  #hold({ standIns, watches }: Layout): { taken: string[]; mounts: Mount[]; watches: Watch[] } {
    const taken = this.#standIns.take(standIns);
    const others = standIns.filter((path) => !taken.includes(path));
    const there = others.filter((path) => look(path));
    const missing = others.filter((path) => !there.includes(path));
    return {
      taken,
      mounts: [
        ...taken.map((path): Mount => ({ kind: "empty", path })),
        ...there.map((path): Mount => ({ kind: "readonly", path })),
      ],
      watches: [...watches, ...missing.map((path): Watch => ({ kind: "absent", path }))],
    };
  }

  #bwrap(path: string, { network, mounts, start, isOpen }: Inside): Started {
    const relay = (network.kind === "proxy" ? this.#proxy?.relay : undefined) ?? NO_RELAY;
    const own: Mount[] = isOpen ? [] : [{ kind: "writable", path: realPath(start.report) }, ...relay.mounts];
    const list = inOrder([...mounts, ...own]);
    const options = bwrapArguments({
      mounts: list,
      ownNetwork: network.kind !== "host",
      openSystem: isOpen,
      isRoot: process.getuid?.() === 0,
      emptyFile: this.#emptyFile,
    });
    const goCache = this.#options.env["GOCACHE"] === undefined ? { GOCACHE: "/tmp/go-build" } : {};
    const env = isOpen ? {} : { TMPDIR: "/tmp", ...goCache };
    const all = [...options, "--chdir", start.cwd];
    return {
      argv: [path, ...all, "--", ...relay.argv, ...start.argv],
      env: { ...env, ...relay.env },
      ...(relay === NO_RELAY ? { later: (wanted) => laterArguments(all, wanted) } : {}),
    };
  }

  #seatbelt(path: string, { layout, network, mounts, start, isOpen }: Inside): Started {
    const { settings, roots } = this.#options;
    const proxy = network.kind === "proxy" ? this.#proxy : undefined;
    const profile = seatbeltProfile({
      mounts,
      watches: layout.watches,
      roots: start.confine === "workspace" ? rootsOf(roots()).writable : [],
      extra: [realPath(this.#temporary), realPath(start.report)],
      openSystem: isOpen,
      network,
      proxyPorts: proxy?.server.ports() ?? [],
      allowLocalBinding: settings.network.allowLocalBinding ?? false,
      unixSockets: settings.network.allowUnixSockets,
    });
    const env = { TMPDIR: realPath(this.#temporary), ...proxy?.environment };
    return { argv: [path, "-p", profile, ...start.argv], env };
  }

  #layout(confine: Confined): Layout {
    const { settings, home, own, scratch, env, denyRead } = this.#options;
    const roots = rootsOf(this.#options.roots());
    const now = performance.now();
    if (!this.#sockets || now - this.#sockets.at > SOCKETS_KEPT_MS) {
      this.#sockets = { at: now, mounts: socketMasks({ env, own: roots.writable, home }) };
    }
    return layoutOf({
      confine,
      settings,
      roots,
      home,
      programs: (env["PATH"] ?? "").split(":").filter(isAbsolute),
      own,
      scratch: realPath(scratch),
      temporary: this.#temporary,
      denyRead: denyRead(),
      sockets: this.#sockets.mounts,
      isStandIn: (path) => this.#standIns.has(path),
      ...this.#scans,
    });
  }
}

type Inside = { layout: Layout; network: Network; mounts: readonly Mount[]; start: WallStart; isOpen: boolean };
type Started = Pick<Walled, "argv" | "env" | "later">;
type Proxied = { server: DomainProxy; folder: string; relay: Relay; environment: Record<string, string> };

async function startProxy(network: Extract<Network, { kind: "proxy" }>, scratch: string): Promise<Proxied> {
  const wanted = join(realPath(scratch), "net");
  const isShort = Buffer.byteLength(wanted) <= LONGEST_SOCKET_FOLDER;
  const folder = isShort ? wanted : realPath(mkdtempSync(join(tmpdir(), "nanocode-")));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Most sessions never need them.
  const [{ DomainProxy, environmentOf }, { relayFor }] = await Promise.all([
    import("./proxy.ts"),
    import("./relay.ts"),
  ]);
  const server = await DomainProxy.start({ network, folder });
  return { server, folder, relay: relayFor(server, folder), environment: environmentOf(server) };
}

function nameOf(found: Exclude<Probe, { kind: "none" }>): string {
  return found.kind === "bwrap" ? `bubblewrap ${found.version}`.trim() : "sandbox-exec";
}

/** What was said the first time is not said again. */
function once(act: (mode: "undo" | "tell") => string[]): (mode: "undo" | "tell") => string[] {
  const state = { isDone: false };
  return (mode) => {
    if (state.isDone) return [];
    state.isDone = true;
    return act(mode);
  };
}

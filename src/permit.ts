// What a conversation may do: its rules, the folders that belong to it, the wall around its commands, and the gate.
import { isAbsolute, resolve } from "node:path";
import type { KeptRules } from "./commands/keep.ts";
import type { Options } from "./config/flags.ts";
import type { Env, Places } from "./config/paths.ts";
import type { Settings } from "./config/settings.ts";
import { UsageError } from "./core/errors.ts";
import type { WallState } from "./core/wall.ts";
import type { Host, PermissionMode } from "./core/types.ts";
import type { Situation } from "./permissions/decision.ts";
import { Gate } from "./permissions/gate.ts";
import { forbids } from "./permissions/match-path.ts";
import { isAbout, parseRules, type Rules } from "./permissions/rules.ts";
import { isFileIn } from "./permissions/shell/resolve.ts";
import { DISK, type World } from "./permissions/world.ts";
import { Sandbox } from "./sandbox/sandbox.ts";
import { projects, realPath, splitPath } from "./utils/paths.ts";
import { findShell } from "./utils/shell.ts";

export type PermitSetup = {
  options: Options;
  settings: Settings;
  places: Places;
  env: Env;
  cwd: string;
  host: Host;
  warn(text: string): void;
  keepRules?: ((rules: readonly string[]) => KeptRules) | undefined;
};

/** What of the running conversation a decision depends on. */
export type Running = { cwd(): string; mode(): PermissionMode; setMode(mode: PermissionMode): void };

export class Permit {
  readonly gate: Gate;
  readonly sandbox: Sandbox;
  #setup: PermitSetup;
  #running: Running;
  #rules: Rules;
  #added: string[] = [];
  #wall: WallState | undefined;
  #plainShell: boolean | undefined;

  /** `scratch`: the session's own folder. Throws UsageError for a rule that forbids and cannot be read. */
  constructor(setup: PermitSetup, scratch: string, running: Running) {
    this.#setup = setup;
    this.#running = running;
    this.#rules = rulesOf(setup);
    const { settings, places, env, host, warn, keepRules } = setup;
    this.sandbox = new Sandbox({
      settings: settings.sandbox,
      roots: () => this.roots(),
      home: places.home,
      own: places.nanocode,
      scratch,
      env,
      denyRead: () => this.#readDenied().map(({ glob }) => glob),
    });
    const readable = [...new Set([scratch, realPath(scratch)])];
    this.gate = new Gate({
      rules: this.#rules,
      mode: () => running.mode(),
      setMode: (mode) => running.setMode(mode),
      addFolders: (folders) => void this.#added.push(...folders),
      prepare: async () => (this.#wall ??= await this.sandbox.find()),
      world: (cwd = running.cwd()) => this.#world(cwd, readable),
      host,
      keep: keepRules,
      warn,
    });
  }

  /** The project and the added folders, each as given and where it leads. */
  roots(): string[] {
    const { options, settings, cwd, env } = this.#setup;
    // The system only knows where we really are; the shell that started us knows the name the person used.
    const known = env.PWD && isAbsolute(env.PWD) && realPath(env.PWD) === realPath(cwd) ? [env.PWD] : [];
    const named = [cwd, ...known, ...addedFolders(options, settings), ...this.#added].map((dir) => resolve(cwd, dir));
    return [...new Set(named.flatMap((dir) => [dir, realPath(dir)]))];
  }

  /** For `status`: the folders, the rules and the wall, one line each. Paths are not sanitised. */
  async describe(): Promise<string[]> {
    const { allow, deny, ask } = this.gate.rules();
    const count = (list: readonly unknown[], what: string) => `${list.length} ${what}`;
    return [
      `folders: ${this.roots().join(", ")}`,
      `rules: ${[count(deny, "deny"), count(ask, "ask"), count(allow, "allow")].join(", ")}`,
      ...(await this.sandbox.describe()),
    ];
  }

  /** What decides about a call now; looks for the wall when nobody has yet. */
  async situation(): Promise<Situation> {
    this.#wall ??= await this.sandbox.find();
    const world = this.#world(this.#running.cwd(), []);
    return { rules: this.gate.rules(), mode: this.#running.mode(), world };
  }

  /** A tool that is denied as a whole is not even offered. */
  isDenied(tool: string): boolean {
    return this.#rules.deny.some((rule) => rule.spec.kind === "all" && isAbout(rule, tool));
  }

  /** Files a rule forbids to read are left out of searches. */
  hides(path: string): boolean {
    return this.#readDenied().some((pattern) => forbids(pattern, path, isFileIn(DISK)));
  }

  #readDenied() {
    return this.#rules.deny.flatMap(({ tool, spec }) =>
      tool === "Read" && spec.kind === "path" ? [spec.pattern] : [],
    );
  }

  #world(cwd: string, readable: readonly string[]): World {
    const { settings, places, env, cwd: root } = this.#setup;
    const roots = this.roots();
    const { enabled, autoAllowBashIfSandboxed, allowUnsandboxedCommands, excludedCommands } = settings.sandbox;
    const wall = {
      active: this.#wall?.kind === "wall",
      autoAllow: autoAllowBashIfSandboxed ?? false,
      mayLeave: allowUnsandboxedCommands ?? true,
      always: enabled ?? false,
      excluded: excludedCommands,
    };
    const { own: programs, others } = splitPath(env.PATH, projects(roots, places.home));
    this.#plainShell ??= findShell({ ...env, PATH: others })?.flavor === "sh";
    const plainShell = this.#plainShell;
    return { cwd, root, home: places.home, roots, programs, readable, files: DISK, wall, plainShell };
  }
}

/** As the flags and the settings name them. */
export function addedFolders(options: Options, settings: Settings): string[] {
  return [...(options.addDir ?? []), ...settings.permissions.additionalDirectories];
}

/** The rules of all settings and flags. Throws UsageError as parseRules does; what is ignored is said. */
export function rulesOf({ options, settings, places, cwd, warn }: Omit<PermitSetup, "host" | "env">): Rules {
  const { allow, deny, ask } = settings.permissions;
  const flag = (texts: readonly string[] | undefined, source: string) =>
    (texts ?? []).map((text) => ({ text, source }));
  const lists = {
    allow: [...allow, ...flag(options.allowedTools, "--allowedTools")],
    deny: [...deny, ...flag(options.disallowedTools, "--disallowedTools")],
    ask,
  };
  const { rules, warnings } = parseRules(lists, { cwd, home: places.home });
  warnings.forEach(warn);
  return rules;
}

/** Throws UsageError when the settings forbid it. */
export function modeOf(options: Options, { permissions }: Settings): PermissionMode {
  const wanted = options.dangerouslySkipPermissions ? "bypassPermissions" : options.permissionMode;
  const mode = wanted ?? permissions.defaultMode ?? "default";
  if (mode !== "bypassPermissions" || permissions.disableBypassPermissionsMode !== "disable") return mode;
  throw new UsageError(
    "Error: bypassPermissions is disabled by permissions.disableBypassPermissionsMode in the settings.",
  );
}

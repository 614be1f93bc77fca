// A project in a scratch home, and decisions about calls in it: for the tests of the permission engine.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Access, PermissionMode } from "../src/core/types.ts";
import { decide } from "../src/permissions/decide.ts";
import type { Decision } from "../src/permissions/decision.ts";
import { parseRules } from "../src/permissions/rules.ts";
import { DISK, NO_WALL, type World } from "../src/permissions/world.ts";

export type Lists = { allow?: string[]; deny?: string[]; ask?: string[] };
export type How = Lists & { mode?: PermissionMode; cwd?: string; input?: Record<string, unknown> };

export class Project {
  readonly home = realpathSync(mkdtempSync(join(tmpdir(), "nanocode-permissions-")));
  readonly root = join(this.home, "project");

  constructor() {
    mkdirSync(this.root);
  }

  /** A file with a text; folders are made. Relative to the project. */
  file(path: string, text = "text\n"): string {
    const full = resolve(this.root, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
    return full;
  }

  link(path: string, to: string): string {
    const full = resolve(this.root, path);
    mkdirSync(dirname(full), { recursive: true });
    symlinkSync(resolve(this.root, to), full);
    return full;
  }

  world(cwd = this.root): World {
    const { root, home } = this;
    return { cwd, root, home, roots: [root], programs: [], readable: [], files: DISK, wall: NO_WALL };
  }

  bash(command: string, how: How = {}): Decision {
    return this.call("Bash", { kind: "shell", command }, { ...how, input: { command, ...how.input } });
  }

  read(path: string, how: How = {}): Decision {
    return this.call("Read", { kind: "read", paths: [resolve(this.root, path)] }, how);
  }

  write(path: string, how: How = {}): Decision {
    return this.call("Write", { kind: "write", paths: [resolve(this.root, path)] }, how);
  }

  call(name: string, access: Access, { mode = "default", cwd, input = {}, ...lists }: How = {}): Decision {
    const texts = (list: string[] = []) => list.map((text) => ({ text, source: "test" }));
    const all = { allow: texts(lists.allow), deny: texts(lists.deny), ask: texts(lists.ask) };
    const { rules } = parseRules(all, { cwd: this.root, home: this.home });
    return decide({ type: "tool_use", id: "t", name, input }, access, rules, mode, this.world(cwd));
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}

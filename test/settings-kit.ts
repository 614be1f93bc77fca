// Worlds for the tests of settings: a home, a repository and what is in their files.
import { afterAll } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { places } from "../src/config/paths.ts";
import { noSandbox } from "../src/config/sandbox.ts";
import { mergeSettings, type Settings } from "../src/config/settings.ts";
import { readSources } from "../src/config/sources.ts";
import { UsageError } from "../src/core/errors.ts";

type More = {
  flag?: string;
  sources?: string[];
  cwd?: string;
  env?: Record<string, string>;
  trusts?: (folder: string) => boolean;
};

/** Makes worlds for one test file and removes them after it. */
export function worlds() {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "nanocode-settings-")));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const counter = { n: 0 };
  return (files: Files) => world(join(root, String(++counter.n)), files);
}

/** Names begin with `home/`, `repo/`, `etc/` (managed settings, higher ones in `etc2/`) or anything else. */
type Files = Record<string, string | object>;

function world(base: string, files: Files) {
  const home = join(base, "home");
  const cwd = join(base, "repo");
  mkdirSync(join(cwd, ".git"), { recursive: true });
  mkdirSync(home, { recursive: true });
  const write = (name: string, content: string | object) => {
    const path = join(base, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  };
  for (const [name, content] of Object.entries(files)) write(name, content);
  const where = (env: Record<string, string> = {}) => ({
    ...places({ HOME: home, ...env }),
    managed: [join(base, "etc"), join(base, "etc2")],
  });
  const load = ({ env, trusts, ...more }: More = {}) =>
    mergeSettings(readSources({ places: where(env), cwd, ...more }), { home, ...(trusts ? { trusts } : {}) });
  return { base, home, cwd, write, places: where(), load };
}

export const EMPTY: Settings = {
  permissions: { allow: [], deny: [], ask: [], additionalDirectories: [] },
  sandbox: noSandbox(),
  env: {},
  models: {},
  other: {},
};

/** The message of the UsageError it throws. */
export function problem(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "(no error)";
}

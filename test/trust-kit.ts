// A folder of a test's own, and what in it can act.
import { afterAll } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { ActingItem } from "../src/permissions/trust.ts";

type Files = Record<string, string | Buffer>;

/** Makes folders for one test file and removes them after it. */
export function folders() {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "nanocode-trust-")));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const counter = { n: 0 };
  return (files: Files = {}) => folder(join(root, String(++counter.n)), files);
}

function folder(path: string, files: Files) {
  mkdirSync(path);
  const write = (name: string, content: string | Buffer) => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  };
  for (const [name, content] of Object.entries(files)) write(name, content);
  return { path, write };
}

export function item(folder: string, exact: string | undefined, more: Partial<ActingItem> = {}): ActingItem {
  return { folder, file: ".claude/settings.json", kind: "model", text: exact ?? "odd", exact, ...more };
}

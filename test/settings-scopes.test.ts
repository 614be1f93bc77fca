// Managed settings (the last word, whoever asks), and the sandbox keys: who may set which.
import { describe, expect, test } from "bun:test";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { places } from "../src/config/paths.ts";
import { noSandbox } from "../src/config/sandbox.ts";
import { problem, worlds } from "./settings-kit.ts";

const world = worlds();

describe("managed settings", () => {
  const managed = {
    model: "managed",
    language: "managed",
    availableModels: ["m"],
    permissions: { deny: ["WebFetch"], defaultMode: "plan", disableBypassPermissionsMode: "disable" },
  };

  test("win over the flag; lists add up, but for availableModels; no source setting drops them", () => {
    const w = world({
      "etc/managed-settings.json": managed,
      "home/.claude/settings.json": { model: "user", availableModels: ["u"], permissions: { deny: ["A"] } },
    });
    const flag = JSON.stringify({
      model: "flag",
      language: "flag",
      permissions: { deny: ["B"], defaultMode: "acceptEdits", disableBypassPermissionsMode: false },
    });
    const file = join(w.base, "etc/managed-settings.json");
    for (const sources of [undefined, ["user"], []]) {
      const { settings } = w.load({ flag, ...(sources ? { sources } : {}) });
      expect(settings).toMatchObject({
        model: "managed",
        other: { language: "managed", availableModels: ["m"] },
        permissions: { defaultMode: "plan", disableBypassPermissionsMode: "disable" },
      });
      const mine = sources?.length === 0 ? [] : ["A"];
      expect(settings.permissions.deny.map((rule) => rule.text)).toEqual([...mine, "B", "WebFetch"]);
      expect(settings.permissions.deny.at(-1)).toEqual({
        text: "WebFetch",
        source: `${file}:1`,
        scope: "managed",
        base: w.cwd,
      });
    }
  });

  test("drop-ins come after the file, by name; our folder after the other family's", () => {
    const w = world({
      "etc/managed-settings.json": { model: "1" },
      "etc/managed-settings.d/20-b.json": { model: "3", effortLevel: "low" },
      "etc/managed-settings.d/10-a.json": { model: "2", effortLevel: "high", language: "a" },
      "etc/managed-settings.d/30.txt": "not read",
      "etc/managed-settings.d/.31.json": "not read",
      "etc2/managed-settings.json": { model: "4" },
    });
    const { settings, warnings } = w.load();
    expect([settings.model, settings.effortLevel, settings.other, warnings]).toEqual([
      "4",
      "low",
      { language: "a" },
      [],
    ]);
  });

  test("that cannot be read or parsed stop the start, in drop-ins too", () => {
    for (const name of ["etc/managed-settings.json", "etc/managed-settings.d/1.json"]) {
      const w = world({ [name]: '{\n "permissions": {"deny": ["A"]' });
      expect(problem(() => w.load({ sources: [] }))).toStartWith(`${join(w.base, name)}:2: not valid JSON`);
    }
    const w = world({ "etc/x": "" });
    symlinkSync("managed-settings.d", join(w.base, "etc/managed-settings.d"));
    expect(problem(() => w.load())).toContain("managed-settings.d cannot be read: ELOOP");
  });

  test("keep their force when a project links to them", () => {
    const w = world({ "etc/managed-settings.json": managed, "repo/.claude/x": "" });
    symlinkSync(join(w.base, "etc/managed-settings.json"), join(w.cwd, ".claude/settings.json"));
    expect(w.load().settings).toMatchObject({ model: "managed", permissions: { defaultMode: "plan" } });
  });

  test("lie where no variable can move them", () => {
    const env = { HOME: "/h", NANOCODE_HOME: "/x", CLAUDE_CONFIG_DIR: "/y" };
    expect(places(env, "linux").managed).toEqual(["/etc/claude-code", "/etc/nanocode"]);
    expect(places(env, "darwin").managed[0]).toBe("/Library/Application Support/ClaudeCode");
    expect(places(env, "win32").managed[0]).toBe("C:\\Program Files\\ClaudeCode");
  });
});

test("other keys: lists add up without repeats, objects merge by key, the last of anything else counts", () => {
  const w = world({
    "home/.claude/settings.json": { hooks: { Stop: [{ a: 1 }] }, list: ["x", "y"], what: { a: 1, b: 1 }, mixed: [1] },
    "home/.nanocode/settings.json": {
      hooks: { Stop: [{ a: 1 }, { a: 2 }], Start: [] },
      list: ["y", "z"],
      what: { b: 2 },
      mixed: "s",
    },
  });
  expect(w.load().settings.other).toEqual({
    hooks: { Stop: [{ a: 1 }, { a: 2 }], Start: [] },
    list: ["x", "y", "z"],
    what: { a: 1, b: 2 },
    mixed: "s",
  });
});

describe("sandbox", () => {
  const everything = {
    enabled: true,
    failIfUnavailable: true,
    autoAllowBashIfSandboxed: true,
    allowUnsandboxedCommands: true,
    excludedCommands: ["docker *"],
    filesystem: {
      allowWrite: ["~/w", "/abs", "rel"],
      denyWrite: ["./dw"],
      denyRead: ["//dr", "**/.env"],
      allowRead: ["ar"],
      disabled: true,
    },
    network: {
      allowedDomains: ["a.example"],
      deniedDomains: ["b.example"],
      allowUnixSockets: ["/s"],
      allowLocalBinding: true,
      httpProxyPort: 8080,
      socksProxyPort: 1080,
    },
  };
  const resolved = (home: string, base: string) => ({
    ...everything,
    filesystem: {
      ...everything.filesystem,
      allowWrite: [join(home, "w"), "/abs", join(base, "rel")],
      denyWrite: [join(base, "dw")],
      denyRead: ["/dr", join(base, "**/.env")],
      allowRead: [join(base, "ar")],
    },
  });

  test("every key is read; paths become absolute; lists add up over the scopes", () => {
    const w = world({ "home/.claude/settings.json": { sandbox: everything } });
    expect(w.load()).toMatchObject({ settings: { sandbox: resolved(w.home, w.cwd) }, warnings: [] });
    const flag = JSON.stringify({
      sandbox: { enabled: false, excludedCommands: ["docker *", "x"], network: { deniedDomains: ["c"] } },
    });
    expect(w.load({ flag }).settings.sandbox).toMatchObject({
      enabled: false,
      failIfUnavailable: true,
      excludedCommands: ["docker *", "x"],
      network: { deniedDomains: ["b.example", "c"] },
    });
  });

  test("a trusted project's counts in full, relative to its folder", () => {
    const w = world({ "repo/.claude/settings.json": { sandbox: everything } });
    mkdirSync(join(w.cwd, "sub"));
    const { settings } = w.load({ cwd: join(w.cwd, "sub"), trusts: () => true });
    expect(settings.sandbox).toEqual(resolved(w.home, w.cwd));
  });

  test("an untrusted project only tightens, and gains no command that runs unasked", () => {
    const loose = { ...everything, enabled: false, failIfUnavailable: false };
    const w = world({ "repo/.claude/settings.json": { sandbox: loose } });
    const none = noSandbox();
    const tight = {
      filesystem: { ...none.filesystem, denyWrite: [join(w.cwd, "dw")], denyRead: ["/dr", join(w.cwd, "**/.env")] },
      network: { ...none.network, deniedDomains: ["b.example"] },
    };
    expect([w.load().settings.sandbox, w.load().warnings]).toEqual([{ ...none, ...tight }, []]);
    w.write("repo/.claude/settings.json", {
      sandbox: {
        enabled: true,
        failIfUnavailable: true,
        autoAllowBashIfSandboxed: false,
        allowUnsandboxedCommands: false,
      },
    });
    const all = { enabled: true, failIfUnavailable: true, autoAllowBashIfSandboxed: false };
    expect(w.load().settings.sandbox).toEqual({ ...none, ...all, allowUnsandboxedCommands: false });
    // A wall only the project wants does not let commands run unasked, whatever the default for that is.
    w.write("repo/.claude/settings.json", { sandbox: { enabled: true } });
    expect(w.load().settings.sandbox).toEqual({ ...none, enabled: true, autoAllowBashIfSandboxed: false });
    w.write("home/.claude/settings.json", { sandbox: { enabled: true, autoAllowBashIfSandboxed: true } });
    expect(w.load().settings.sandbox).toEqual({ ...none, enabled: true, autoAllowBashIfSandboxed: true });
  });

  test("what only permits and has a wrong type is left out with a warning", () => {
    const w = world({
      "home/.claude/settings.json": {
        sandbox: {
          excludedCommands: 5,
          network: { httpProxyPort: 70_000, socksProxyPort: "x", allowLocalBinding: 1, deniedDomain: ["x"] },
          filesystem: { disabled: "yes" },
          enableWeakerNestedSandbox: true,
        },
      },
    });
    const file = join(w.home, ".claude/settings.json");
    expect(w.load()).toMatchObject({
      settings: { sandbox: noSandbox() },
      warnings: [
        `${file}:1: sandbox.excludedCommands must be a list of strings, not 5; it is ignored.`,
        `${file}:1: sandbox.network.httpProxyPort must be a port number, not 70000; it is ignored.`,
        `${file}:1: sandbox.network.socksProxyPort must be a port number, not "x"; it is ignored.`,
        `${file}:1: sandbox.network.allowLocalBinding must be true or false, not 1; it is ignored.`,
        `${file}:1: sandbox.network.deniedDomain is not known; did you mean sandbox.network.deniedDomains?`,
        `${file}:1: sandbox.filesystem.disabled must be true or false, not "yes"; it is ignored.`,
      ],
    });
  });
});

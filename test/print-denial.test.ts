// What the model reads when a call would need a question and nobody is there: a flag only where the flag would help.
import { expect, test } from "bun:test";
import type { Access, PermissionMode } from "../src/core/types.ts";
import { Gate } from "../src/permissions/gate.ts";
import { parseRules } from "../src/permissions/rules.ts";
import { DISK, NO_WALL, type World } from "../src/permissions/world.ts";
import { printHost } from "../src/ui/printhost.ts";

const cwd = "/project";
const world: World = {
  cwd,
  root: cwd,
  home: "/home/me",
  roots: [cwd],
  programs: [],
  readable: [],
  files: DISK,
  wall: NO_WALL,
};

async function denial(name: string, access: Access, { mode = "default", ask = [] }: Given = {}): Promise<string> {
  const lists = { allow: [], deny: [], ask: ask.map((text) => ({ text, source: "settings.json" })) };
  const gate = new Gate({
    rules: parseRules(lists, { cwd, home: world.home }).rules,
    mode: () => mode,
    setMode() {},
    addFolders() {},
    world: () => world,
    host: printHost,
    warn() {},
  });
  const call = { type: "tool_use" as const, id: "c", name, input: {} };
  const admission = await gate.admit(call, access, "", new AbortController().signal);
  return admission.behavior === "deny" ? admission.message : "allowed";
}
type Given = { mode?: PermissionMode; ask?: string[] };

const write = (path: string): Access => ({ kind: "write", paths: [path] });
const shell = (command: string): Access => ({ kind: "shell", command });

test("where an allow rule helps it is named", async () => {
  expect(await denial("Edit", write("/project/a"))).toBe(
    "Edit was not run: it changes files, and in print mode nobody can be asked. The person can allow it with " +
      "--allowedTools Edit or, inside the project, with --permission-mode acceptEdits. Go on without it, or say what is needed.",
  );
  expect(await denial("Bash", shell("make all"))).toContain("with --allowedTools 'Bash(make all:*)'.");
  expect(await denial("Bash", shell("make >log"))).toContain("with --allowedTools Bash, and a redirection");
  expect(await denial("Read", { kind: "read", paths: ["/etc/motd"] })).toContain("--add-dir");
});

test("a plan is not agreed to by nobody: it is the answer; plan mode is not entered", async () => {
  const leave: Access = { kind: "plan", step: "leave", plan: "1.", back: "default" };
  expect(await denial("ExitPlanMode", leave, { mode: "plan" })).toBe(
    "ExitPlanMode was not run: the person decides whether this plan is carried out, and in print mode nobody can be asked. " +
      "The person can allow it with --allowedTools ExitPlanMode. End with the plan as your answer: the person reads it there.",
  );
  expect(await denial("ExitPlanMode", leave, { mode: "plan", ask: ["ExitPlanMode"] })).toContain(
    "No allow rule covers that: the person can do it, or be asked in a run without --print. End with the plan",
  );
  for (const mode of ["default", "acceptEdits", "bypassPermissions"] as const) {
    expect(await denial("EnterPlanMode", { kind: "plan", step: "enter" }, { mode })).toBe(
      "EnterPlanMode was not run: it stops all changes until a plan is agreed on, and in print mode nobody can be asked. " +
        "Go on without it.",
    );
  }
});

test("where a rule, a protected path or what cannot be known is the cause no flag is", async () => {
  const rows: [string, string, Access, Given][] = [
    ["is protected", "Edit", write("/project/.git/config"), {}],
    ["is protected", "Edit", write("/project/.npmrc"), { mode: "acceptEdits" }],
    ["is protected", "Bash", shell("echo x >.npmrc"), {}],
    ["wants it asked", "Edit", write("/project/a"), { ask: ["Edit(a)"] }],
    ["wants it asked", "Bash", shell("make"), { ask: ["Bash(make:*)"] }],
    ["may forbid it", "Bash", shell("$X y"), { ask: ["Bash(make:*)"] }],
    ["asked in every mode", "Bash", shell("rm -rf ~"), { mode: "bypassPermissions" }],
    ["", "Bash", shell("echo 'x"), {}],
  ];
  for (const [why, name, access, given] of rows) {
    const text = await denial(name, access, given);
    expect([access, text]).toEqual([access, expect.stringContaining(why)]);
    expect([access, text]).toEqual([access, expect.not.stringMatching(/--allowedTools|acceptEdits|--add-dir/)]);
    expect(text).toContain("No allow rule covers that: the person can do it, or be asked in a run without --print.");
  }
});

// What can act in a project is found, shown without secrets, and told apart from what cannot.
import { describe, expect, test } from "bun:test";
import { linkSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { actingSettings } from "../src/config/acting.ts";
import { readProject } from "../src/config/project.ts";
import { actingServers } from "../src/config/servers.ts";
import { readSources } from "../src/config/sources.ts";
import { surveyFiles } from "../src/permissions/trust-survey.ts";
import { worlds } from "./settings-kit.ts";
import { folders } from "./trust-kit.ts";

const world = worlds();
const folder = folders();

const nobody = () => false;

describe("settings", () => {
  const items = (settings: object, name = "repo/.claude/settings.json") => {
    const w = world({ [name]: settings });
    return actingSettings(readSources({ places: w.places, cwd: w.cwd }));
  };
  const shown = (settings: object) => items(settings).map(({ kind, text }) => [kind, text]);

  test("that only make things stricter do not act; nor does what never counts", () => {
    const strict = {
      $schema: "x",
      permissions: {
        deny: ["A"],
        ask: ["B"],
        disableBypassPermissionsMode: "disable",
        defaultMode: "bypassPermissions",
      },
      sandbox: {
        enabled: true,
        failIfUnavailable: true,
        allowUnsandboxedCommands: false,
        autoAllowBashIfSandboxed: false,
        filesystem: { denyRead: ["a"], denyWrite: ["b"] },
        network: { deniedDomains: ["c"] },
      },
      disabledMcpjsonServers: ["x"],
      deniedMcpServers: [{ serverName: "x" }],
      disableSkillShellExecution: true,
      apiKeyHelper: "id",
      env: { ANTHROPIC_BASE_URL: "x", PATH: "y" },
    };
    expect(items(strict)).toEqual([]);
  });

  test("that act are one item each, with what would run; values of variables and headers are not shown", () => {
    expect(
      shown({
        permissions: { allow: ["Bash(a)", "Edit"], additionalDirectories: ["/x"], defaultMode: "acceptEdits" },
        sandbox: {
          enabled: false,
          excludedCommands: ["docker *"],
          filesystem: { allowWrite: ["/w"], disabled: true },
          network: { allowedDomains: ["a"], httpProxyPort: 1 },
        },
        env: { TOKEN: "secret", PATH: "/x" },
        hooks: {
          PreToolUse: [
            {
              matcher: "Bash",
              hooks: [
                { type: "command", command: "touch x", timeout: 5 },
                { type: "http", url: "http://h", headers: { Authorization: "secret" } },
              ],
            },
          ],
          Stop: [{ hooks: [{ type: "command", command: "sh", args: ["-c", "b c"] }] }],
          Odd: "what",
        },
        statusLine: { type: "command", command: "./status.sh", padding: 0 },
        model: "m",
        enableAllProjectMcpServers: true,
        disableSkillShellExecution: false,
        unheard: { env: { A: "secret" } },
      }),
    ).toEqual([
      ["permissions.allow", "Bash(a)"],
      ["permissions.allow", "Edit"],
      ["permissions.additionalDirectories", "/x"],
      ["permissions.defaultMode", "acceptEdits"],
      ["sandbox.enabled", "false"],
      ["sandbox.excludedCommands", "docker *"],
      ["sandbox.filesystem.allowWrite", "/w"],
      ["sandbox.filesystem.disabled", "true"],
      ["sandbox.network.allowedDomains", "a"],
      ["sandbox.network.httpProxyPort", "1"],
      ["env", "sets TOKEN (value not shown)"],
      ["hooks.PreToolUse", 'on Bash, runs: touch x {"timeout":5}'],
      ["hooks.PreToolUse", 'on Bash, {"type":"http","url":"http://h","headers":{"Authorization":"(not shown)"}}'],
      ["hooks.Stop", 'runs: sh "-c" "b c"'],
      ["hooks.Odd", '"what"'],
      ["statusLine", 'runs: ./status.sh {"padding":0}'],
      ["model", '"m"'],
      ["enableAllProjectMcpServers", "true"],
      ["disableSkillShellExecution", "false"],
      ["unheard", '{"env":{"A":"(not shown)"}}'],
    ]);
  });

  test("a change of what is not shown is a change; order and layout are none", () => {
    const exact = (settings: object) => items(settings).map((item) => item.exact);
    expect(exact({ env: { A: "1" } })).not.toEqual(exact({ env: { A: "2" } }));
    const hook = (handler: object, matcher = "x") => ({ hooks: { Stop: [{ matcher, hooks: [handler] }] } });
    expect(exact(hook({ command: "a", timeout: 1 }))).toEqual(exact(hook({ timeout: 1, command: "a" })));
    expect(exact(hook({ command: "a" }))).not.toEqual(exact(hook({ command: "a" }, "y")));
  });

  test("of the person, the flag and who runs the machine need no trust", () => {
    const w = world({
      "home/.claude/settings.json": { model: "a" },
      "home/.nanocode/settings.json": { model: "b" },
      "etc/managed-settings.json": { model: "c" },
      "repo/.claude/settings.json": { model: "d" },
      "repo/.nanocode/settings.local.json": { model: "e" },
    });
    const found = actingSettings(readSources({ places: w.places, cwd: w.cwd, flag: '{"model":"f"}' }));
    expect(found.map(({ folder, file, text }) => [folder, file, text])).toEqual([
      [w.cwd, ".claude/settings.json", '"d"'],
      [w.cwd, ".nanocode/settings.local.json", '"e"'],
    ]);
    expect(actingSettings(readSources({ places: w.places, cwd: w.cwd, sources: ["user"] }))).toEqual([]);
  });

  test("belong to the folder they stand in, by its real path", () => {
    const w = world({ "repo/sub/.claude/settings.json": { model: "s" }, "repo/.claude/settings.json": { model: "r" } });
    symlinkSync(w.cwd, join(w.base, "link"));
    const { items: found } = readProject({ places: w.places, cwd: join(w.base, "link/sub") });
    expect(found.map(({ folder }) => folder)).toEqual([w.cwd, join(w.cwd, "sub")]);
  });
});

describe(".mcp.json", () => {
  const servers = (text: string) =>
    actingServers(folder({ ".mcp.json": text }).path).map(({ kind, text: t }) => [kind, t]);

  test("each server: what it runs or calls; names of variables and headers only", () => {
    expect(
      servers(`{ // ours
        "mcpServers": {
          "a": {"type": "stdio", "command": "npx", "args": ["-y", "x y"], "env": {"K": "secret"}},
          "b": {"type": "http", "url": "https://b.example", "headers": {"Authorization": "secret"}, "headersHelper": "h"}
        },
        "more": 1
      }`),
    ).toEqual([
      ["MCP server a", 'runs: npx "-y" "x y" {"env":{"K":"(not shown)"}}'],
      [
        "MCP server b",
        '{"type":"http","url":"https://b.example","headers":{"Authorization":"(not shown)"},"headersHelper":"h"}',
      ],
      ["more", "1"],
    ]);
    expect(servers("{}")).toEqual([]);
    expect(servers("")).toEqual([]);
  });

  test.each(["{", "[]", '{"mcpServers": {"a": {}, "a": {}}}', "x".repeat(1024 * 1024 + 1)])(
    "that cannot be understood acts and is never remembered (%#)",
    (text) => {
      const [found, ...more] = actingServers(folder({ ".mcp.json": text }).path);
      expect([found?.exact, more]).toEqual([undefined, []]);
      expect(found?.text).toStartWith("cannot be checked: ");
    },
  );
});

describe("skills, commands and agents", () => {
  const survey = (files: Record<string, string | Buffer>) => {
    const { path } = folder(files);
    return surveyFiles(path, nobody).map(({ file, kind, text }) => [file, kind, text]);
  };
  const head = (text: string, body = "") => `---\nname: x\n${text}\n---\n${body}`;

  test("that only speak do not act", () => {
    expect(
      survey({
        ".claude/skills/a/SKILL.md": head("description: about git hooks, and allowed tools", "Do `this`! And that."),
        ".claude/skills/a/other.md": "!`rm x`",
        ".claude/commands/b.md": "```sh\nrm x\n```\n",
        ".claude/commands/c.txt": "!`rm x`",
        ".claude/agents/d.md": head("tools: Read", "!`rm x`"),
        ".claude/rules/e.md": "!`rm x`",
        "skills/a/SKILL.md": "!`rm x`",
      }),
    ).toEqual([]);
  });

  test("that run or allow something act, wherever they lie below their folder", () => {
    expect(
      survey({
        ".claude/skills/a/SKILL.md": "Look: !`git log` and !``x `y` z``\n```!\nrm x\nrm y\n```\n",
        ".claude/skills/g/deep/skill.md": head("allowed-tools: Bash(*)"),
        ".claude/commands/x/b.MD": "\uFEFF---\r\nhooks:\r\n  Stop:\r\n  - command: c\r\n---\r\n",
        ".nanocode/commands/d.md": "~~~! sh\nrm z\n~~~",
        ".claude/agents/e.md": head(
          "mcpServers:\n  s:\n    command: run me\n    env:\n      K: secret\n    args: [a]\nmodel: m",
        ),
        ".nanocode/agents/f.md": head("permissionMode: bypassPermissions"),
      }),
    ).toEqual([
      [".claude/skills/a/SKILL.md", "skill", "runs: git log\nruns: x \nruns: rm x\nrm y"],
      [".claude/skills/g/deep/skill.md", "skill", "allowed-tools: Bash(*)"],
      [".claude/commands/x/b.MD", "command", "hooks:\n  Stop:\n  - command: c"],
      [
        ".claude/agents/e.md",
        "agent",
        "mcpServers:\n  s:\n    command: run me\n    env:\n      K: (not shown)\n    args: [a]",
      ],
      [".nanocode/commands/d.md", "command", "runs: sh\nrm z"],
      [".nanocode/agents/f.md", "agent", "permissionMode: bypassPermissions"],
    ]);
  });

  test.each([
    "{name: x, hooks: {Stop: []}}",
    '"hooks": {}',
    "'mcpServers' : {}",
    '"h\\x6foks": {}',
    "Allowed-Tools: Bash",
    "a: 1\n\n\nallowedTools: [Bash]",
  ])("a head is read with suspicion: %j", (text) => {
    expect(survey({ ".claude/commands/a.md": `\n---\n${text}\n---\nx` })).toHaveLength(1);
    expect(survey({ ".claude/commands/a.md": `---\n${text}\n` })).toHaveLength(1);
  });

  test("values of env and headers are not shown in flow style either", () => {
    const text = head("mcpServers: {s: {command: c, env: {K: secret}, headers: {A: secret}}}");
    expect(JSON.stringify(survey({ ".claude/agents/a.md": text }))).not.toContain("secret");
  });

  test("any change of a file that acts is a change", () => {
    const exact = (text: string) => surveyFiles(folder({ ".claude/commands/a.md": text }).path, nobody)[0]?.exact;
    expect(exact("!`a` x")).toBe(exact("!`a` x"));
    expect(exact("!`a` x")).not.toBe(exact("!`a` y"));
  });

  test("the person's own folder is left out", () => {
    const { path } = folder({ ".claude/commands/a.md": "!`a`", ".nanocode/commands/a.md": "!`a`" });
    const found = surveyFiles(path, (holder) => holder === join(path, ".claude"));
    expect(found.map(({ file }) => file)).toEqual([".nanocode/commands/a.md"]);
  });

  test("links are followed, out of the project too, and in circles", () => {
    const out = folder({ "x/a.md": "!`a`", "b.md": "!`b`" });
    const { path } = folder({ ".claude/skills/s/evil.md": "!`c`" });
    mkdirSync(join(path, ".claude/commands"));
    symlinkSync(join(out.path, "x"), join(path, ".claude/commands/dir"));
    symlinkSync(join(out.path, "b.md"), join(path, ".claude/commands/b.md"));
    symlinkSync("..", join(path, ".claude/commands/circle"));
    symlinkSync("self", join(path, ".claude/commands/self"));
    // Seen among the skills, where it is none; here it is a command.
    symlinkSync("../skills/s", join(path, ".claude/commands/s"));
    const names = surveyFiles(path, nobody).map(({ file }) => basename(file));
    expect(names.toSorted()).toEqual(["a.md", "b.md", "b.md", "evil.md"]);
  });

  test("over a bound it counts as acting and is never remembered", () => {
    const large = folder({ ".claude/commands/a.md": Buffer.alloc(256 * 1024 + 1, "x") });
    expect(surveyFiles(large.path, nobody)).toMatchObject([{ text: "too large to check", exact: undefined }]);
    const much = folder(
      Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`.claude/commands/${i}.md`, Buffer.alloc(256 * 1024)])),
    );
    expect(surveyFiles(much.path, nobody)).toMatchObject([{ exact: undefined }]);
    const many = folder({ ".claude/commands/a.md": "x" });
    for (let i = 0; i < 4_001; i++) {
      linkSync(join(many.path, ".claude/commands/a.md"), join(many.path, `.claude/commands/${i}.md`));
    }
    expect(surveyFiles(many.path, nobody)).toMatchObject([{ exact: undefined }]);
    rmSync(many.path, { recursive: true });
    const deep = folder({ [`.claude/commands/${"d/".repeat(14)}a.md`]: "!`a`" });
    expect(surveyFiles(deep.path, nobody)).toMatchObject([{ exact: undefined }]);
  });

  test("a pipe in a file's place does not hang", () => {
    const { path } = folder({ ".claude/commands/x": "" });
    Bun.spawnSync(["mkfifo", join(path, ".claude/commands/a.md"), join(path, ".mcp.json")]);
    expect(surveyFiles(path, nobody)).toMatchObject([{ text: "it is not a regular file", exact: undefined }]);
    expect(actingServers(path)).toMatchObject([{ text: "cannot be checked: it is not a file", exact: undefined }]);
  });

  test("hostile text is read in no time", () => {
    const texts = ["!`", "```!\n", '---\n"\\', "---\nhooks", "~~~! \n", "!``", "env: {", "\n\n"];
    for (const text of texts) {
      const body = text.repeat(Math.floor((250 * 1024) / text.length));
      const { path } = folder({ ".claude/commands/a.md": body, ".claude/agents/a.md": `---\nhooks:\n${body}` });
      const start = performance.now();
      surveyFiles(path, nobody);
      expect([text, performance.now() - start < 1_000]).toEqual([text, true]);
    }
  });
});

test("a project with nothing that acts costs well under a millisecond", () => {
  const w = world({ "repo/a/b/c/x": "" });
  const cwd = join(w.cwd, "a/b/c");
  const once = () => {
    const start = performance.now();
    const { folders } = readProject({ places: w.places, cwd });
    for (const path of folders) surveyFiles(path, nobody);
    return performance.now() - start;
  };
  const times = Array.from({ length: 50 }, once).toSorted((a, b) => a - b);
  expect(times[25]).toBeLessThan(2);
});

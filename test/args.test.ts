// The command line: what every form of every flag means, and the one line each mistake gets.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { help, parseArgs, type Parsed } from "../src/config/args.ts";
import { FLAGS, type Flag } from "../src/config/flags.ts";
import { UsageError } from "../src/core/errors.ts";

const ID = "3f2b8c1e-0a4d-4c57-9d1e-6b7a8c9d0e1f";

function run(options: Parsed["options"], prompt?: string): Parsed {
  return { command: prompt === undefined ? { kind: "run" } : { kind: "run", prompt }, options };
}

function problem(...argv: string[]): string {
  try {
    parseArgs(argv);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return `(no error for ${argv.join(" ")})`;
}

describe("forms", () => {
  const cases: [string[], Parsed][] = [
    [[], run({})],
    [["-p", "hello"], run({ print: true }, "hello")],
    [["hello", "--print"], run({ print: true }, "hello")],
    [["-p", ""], run({ print: true }, "")],
    [["-pc", "x"], run({ print: true, continue: true }, "x")],
    [["-pr", "abc"], run({ print: true, resume: "abc" })],
    [["--model", "opus", "--max-turns=3"], run({ model: "opus", maxTurns: 3 })],
    [["--model=a=b"], run({ model: "a=b" })],
    [["--model", "a", "--model", "b"], run({ model: "b" })],
    [["--system-prompt="], run({ systemPrompt: "" })],
    [["--system-prompt", ""], run({ systemPrompt: "" })],
    [["--system-prompt", "- be brief"], run({ systemPrompt: "- be brief" })],
    [["--system-prompt=--x\ny"], run({ systemPrompt: "--x\ny" })],
    [["-p", "--foo fails, fix it"], run({ print: true }, "--foo fails, fix it")],
    [["-p", "--", "--model"], run({ print: true }, "--model")],
    [["-p", "-"], run({ print: true }, "-")],
    [["-p", "日本語 🎉"], run({ print: true }, "日本語 🎉")],
    [["--debug", "x"], run({ debug: true }, "x")],
    [["--debug=api,tools"], run({ debug: "api,tools" })],
    [["--resume"], run({ resume: true })],
    [["--resume="], run({ resume: true })],
    [["-r", ID, "go on"], run({ resume: ID }, "go on")],
    [["--resume", "--fork-session"], run({ resume: true, forkSession: true })],
    [["--session-id", ID.toUpperCase()], run({ sessionId: ID })],
    [["--permission-mode", "manual"], run({ permissionMode: "default" })],
    [["--fallback-model", "a, b,"], run({ fallbackModel: ["a", "b"] })],
    [["--setting-sources=user,local"], run({ settingSources: ["user", "local"] })],
    [["--setting-sources="], run({ settingSources: [] })],
    [["--thinking", "adaptive"], run({ thinking: { type: "adaptive" } })],
    [["--thinking=4000"], run({ thinking: { type: "budget", tokens: 4000 } })],
    [["--max-thinking-tokens", "0"], run({ thinking: { type: "disabled" } })],
    [["--max-thinking-tokens=9", "--thinking=disabled"], run({ thinking: { type: "disabled" } })],
    [["--max-budget-usd", ".5"], run({ maxBudgetUsd: 0.5 })],
    [["--json-schema", '{"type":"object"}'], run({ jsonSchema: { type: "object" } })],
    [["--settings", '{"model":"x"}'], run({ settings: '{"model":"x"}' })],
    [["--output-format", "json", "x"], run({ outputFormat: "json", print: true }, "x")],
    [["--include-hook-events", "--strict-mcp-config", "--await-initialize"], run({})],
    [["--mcp-config", '{"mcpServers":{}}'], run({})],
    [["demo"], { command: { kind: "demo" }, options: {} }],
    [["--verbose", "demo"], { command: { kind: "demo" }, options: { verbose: true } }],
    [["-p", "demo"], run({ print: true }, "demo")],
    [["--", "demo"], run({}, "demo")],
    [["fix", "--print"], run({ print: true }, "fix")],
    [["sessions", "list", "--all"], { command: { kind: "sessions", args: ["list", "--all"] }, options: {} }],
    [["trust"], { command: { kind: "trust", args: [] }, options: {} }],
    [["trust", "yes"], { command: { kind: "trust", args: ["yes"] }, options: {} }],
    [["trust", "-h"], { command: { kind: "help" }, options: {} }],
    [["-p", "trust"], run({ print: true }, "trust")],
    [["--trust", "-p", "x"], run({ trust: true, print: true }, "x")],
    [["sessions", "--help"], { command: { kind: "help" }, options: {} }],
    [["--model", "x", "-h"], { command: { kind: "help" }, options: {} }],
    [["--help", "--nonsense"], { command: { kind: "help" }, options: {} }],
    [["-v"], { command: { kind: "version" }, options: {} }],
  ];
  test.each(cases)("%j", (argv, expected) => {
    expect(parseArgs(argv)).toEqual(expected);
  });
});

describe("lists of rules and folders", () => {
  const cases: [string[], Parsed["options"]][] = [
    [["--allowedTools", "Bash(git log *),Edit"], { allowedTools: ["Bash(git log *)", "Edit"] }],
    [["--allowed-tools", "Bash(npm test, x) Read", "Glob"], { allowedTools: ["Bash(npm test, x)", "Read", "Glob"] }],
    [["--allowedTools=Bash(echo (a b)),Edit"], { allowedTools: ["Bash(echo (a b))", "Edit"] }],
    [["--allowedTools=A", "--allowed-tools", "B,C"], { allowedTools: ["A", "B", "C"] }],
    [["--disallowedTools", "Bash(rm *", "--verbose"], { disallowedTools: ["Bash(rm *"], verbose: true }],
    [["--tools", ""], { tools: [] }],
    [["--tools="], { tools: [] }],
    [["--tools", "default"], { tools: ["default"] }],
    [["--add-dir", "/a b", "/c,d", "--add-dir=/e"], { addDir: ["/a b", "/c,d", "/e"] }],
  ];
  test.each(cases)("%j", (argv, options) => {
    expect(parseArgs(argv)).toEqual(run(options));
  });

  test("a value given with = takes no further words", () => {
    expect(parseArgs(["--allowedTools=Read", "do it"])).toEqual(run({ allowedTools: ["Read"] }, "do it"));
  });
});

test("what the Agent SDK sends", () => {
  const argv = `--output-format stream-json --verbose --input-format stream-json --permission-prompt-tool=stdio
    --allowedTools=Read,Bash(git:*) --tools= --model=m --fallback-model=n --effort=low --thinking=disabled
    --max-turns=3 --max-budget-usd=1.5 --betas=b1,b2 --permission-mode=acceptEdits
    --allow-dangerously-skip-permissions --setting-sources= --add-dir=/x --include-partial-messages`;
  expect(parseArgs(argv.split(/\s+/))).toEqual(
    run({
      outputFormat: "stream-json",
      verbose: true,
      inputFormat: "stream-json",
      print: true,
      permissionPromptTool: "stdio",
      allowedTools: ["Read", "Bash(git:*)"],
      tools: [],
      model: "m",
      fallbackModel: ["n"],
      effort: "low",
      thinking: { type: "disabled" },
      maxTurns: 3,
      maxBudgetUsd: 1.5,
      betas: ["b1", "b2"],
      permissionMode: "acceptEdits",
      allowDangerouslySkipPermissions: true,
      settingSources: [],
      addDir: ["/x"],
      includePartialMessages: true,
    }),
  );
});

describe("mistakes", () => {
  const cases: [string[], string][] = [
    [["--modle", "x"], "error: unknown option '--modle' (did you mean '--model'?)"],
    [["--qqq"], "error: unknown option '--qqq' (--help lists them)"],
    [["-x"], "error: unknown option '-x' (--help lists them)"],
    [["--a\u001b[31mb"], "error: unknown option '--a?[31mb' (--help lists them)"],
    [["--model"], "error: option '--model <model>' needs a value"],
    [["--model="], "error: option '--model <model>' needs a value"],
    [["--model", "--print"], "error: option '--model <model>' needs a value (to pass '--print', write --model=…)"],
    [
      ["--allowedTools", "--print"],
      "error: option '--allowed-tools <rule...>' needs a value (to pass '--print', write --allowed-tools=…)",
    ],
    [["--verbose=yes"], "error: option '--verbose' takes no value"],
    [
      ["--output-format", "xml"],
      "error: option '--output-format <format>' argument 'xml' is invalid. Allowed choices are text, json, stream-json.",
    ],
    [
      ["--max-turns", "0"],
      "error: option '--max-turns <n>' argument '0' is invalid. It must be a positive whole number.",
    ],
    [
      ["--max-turns", "2.5"],
      "error: option '--max-turns <n>' argument '2.5' is invalid. It must be a positive whole number.",
    ],
    [
      ["--max-budget-usd", "-1"],
      "error: option '--max-budget-usd <amount>' argument '-1' is invalid. It must be a number above 0.",
    ],
    [
      ["--max-budget-usd=1e999"],
      "error: option '--max-budget-usd <amount>' argument '1e999' is invalid. It must be a number above 0.",
    ],
    [
      ["--setting-sources", "user,x"],
      "error: option '--setting-sources <sources>' argument 'x' is invalid. Allowed choices are user, project, local.",
    ],
    [["--session-id", "123"], "Invalid session ID. Must be a valid UUID."],
    [["--json-schema", "[]"], "--json-schema must be a JSON object"],
    [["--agents", "{}"], "error: option '--agents <json>' is not supported by this version"],
    [["--mcp-config", "x.json"], "error: option '--mcp-config <configs...>' is not supported by this version"],
    [["a", "b"], "error: unexpected argument 'b'. A prompt of several words goes in quotes."],
    [["demo", "x"], "error: unexpected argument 'x'. A prompt of several words goes in quotes."],
  ];
  test.each(cases)("%j", (argv, line) => {
    expect(problem(...argv)).toBe(line);
  });

  test("--json-schema that is no JSON", () => {
    expect(problem("--json-schema", "{x")).toStartWith("--json-schema is not valid JSON: ");
  });

  test("auto mode is refused, not taken for another", () => {
    expect(problem("--permission-mode=auto")).toContain("not supported by this version");
  });
});

describe("options that do not go together", () => {
  const cases: [string[], string][] = [
    [["-p", "x", "--output-format=stream-json"], "also needs --verbose"],
    [["--input-format=stream-json"], "also needs --output-format stream-json"],
    [["-p", "--include-partial-messages"], "needs --output-format stream-json"],
    [["--replay-user-messages", "--output-format=stream-json", "--verbose"], "stream-json both ways"],
    [["--system-prompt=a", "--system-prompt-file=b"], "not both"],
    [["-c", "-r", "x"], "not both"],
    [["-c", "--session-id", ID], "also needs --fork-session"],
    [["--fork-session"], "needs --continue or --resume"],
    [["-p", "-r"], "needs a session id"],
    [["--permission-prompt-tool", "mcp__x__y"], "only stdio"],
    [["--permission-prompt-tool", "stdio"], "needs --input-format stream-json"],
  ];
  test.each(cases)("%j", (argv, part) => {
    expect(problem(...argv)).toContain(part);
  });

  test("a fork may be given its id", () => {
    expect(parseArgs(["-c", "--fork-session", "--session-id", ID])).toEqual(
      run({ continue: true, forkSession: true, sessionId: ID }),
    );
  });
});

test("help names every flag that has a group, once, in at most 100 columns", () => {
  const lines = help().split("\n");
  expect(lines.filter((line) => line.length > 100)).toEqual([]);
  const flags: Flag[] = Object.values(FLAGS);
  for (const flag of flags) {
    const shown = lines.filter((line) => new RegExp(`^ +(-\\w, )?${flag.name}( |\\[|$)`).test(line)).length;
    expect([flag.name, shown]).toEqual([flag.name, flag.group ? 1 : 0]);
  }
});

test("README names the flags that have an effect and are not listed", () => {
  const readme = readFileSync(join(import.meta.dir, "..", "README.md"), "utf8");
  const flags: readonly Flag[] = Object.values(FLAGS);
  const hidden = flags.filter(({ group, fate }) => group === undefined && fate === undefined).map(({ name }) => name);
  const [, named = ""] = /Not listed, because ([^.]*)\./.exec(readme) ?? [];
  expect([...named.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? "").toSorted()).toEqual(hidden.toSorted());
});

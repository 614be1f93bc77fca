// jq: which filters only compute.
import { describe, expect, test } from "bun:test";
import { jqFilterProblem } from "../src/permissions/shell/programs/jq-filter.ts";
import { JQ } from "../src/permissions/shell/programs/jq.ts";
import { accepts } from "../src/permissions/shell/programs/entry.ts";
import { argsOf, judged, summary } from "./shell-words-kit.ts";

describe("harmless filters", () => {
  test.each([
    ".",
    ".scripts",
    '.dependencies | to_entries[] | "\\(.key)@\\(.value)"',
    '.a[0:3][] | select(.name == "env" and .n >= 2) | {name, env, "x": .env}',
    "{env: 1, a: 2}",
    '."env" , .env.PATH, .a["env"]',
    ". as {env: $e, b: [$c]} | $e",
    'reduce .[] as $x (0; . + $x) | if . > 1 then "a" elif . == 0 then null else empty end',
    "def f(x; $y): x * $y; f(.a; 2)",
    '[.[] | select(.a // false)] | sort_by(.b) | map(.c?) | join(", ")',
    "# env\n.a",
    '@base64d, @sh "a \\(.b)"',
    "$__loc__, input_filename, ($x | length)",
    'try error("x") catch .',
    ".. | numbers, (label $out | break $out)",
  ])("%s", (filter) => {
    expect(jqFilterProblem(filter)).toBe(undefined);
  });
});

test.each([
  ["env", "env is not known to be harmless"],
  ["env.PATH", "env is not known to be harmless"],
  [".a | env", "env is not known to be harmless"],
  ["..env", "env is not known to be harmless"],
  ["{a: env}", "env is not known to be harmless"],
  ["{a: 1, (env): 2}", "env is not known to be harmless"],
  ["{a: (1, env)}", "env is not known to be harmless"],
  ["{a: [1, env]}", "env is not known to be harmless"],
  ['"\\(env)"', "env is not known to be harmless"],
  ['{"a\\("b\\(env)")": 1}', "env is not known to be harmless"],
  ["def env: 1; env", "env is not known to be harmless"],
  ["$ENV.A", "$ENV is not allowed"],
  ["{$ENV}", "$ENV is not allowed"],
  ["$ # x\nENV", "$ENV is not allowed"],
  ["$__prog_args", "$__prog_args is not allowed"],
  ['import "x" as x; .', "import is not known to be harmless"],
  ['include "x"; .', "include is not known to be harmless"],
  ["modulemeta", "modulemeta is not known to be harmless"],
  ["x::env", "a name in a module"],
  ["# \\\nenv", "a comment that may go on in the next line"],
  ['"\\(1"', "something is not closed"],
  [". | ]", "a ] without its opening"],
  ["spawn", "spawn is not known to be harmless"],
])("%j is refused", (filter, problem) => {
  expect(jqFilterProblem(filter)).toBe(problem);
});

describe("the command", () => {
  test.each([
    ["jq -s length package.json tsconfig.json", "read r:package.json r:tsconfig.json"],
    ["jq -rc --arg a 1 --argjson b 2 '.[$a]' f.json", "read r:f.json"],
    ['jq --arg a "$x" . f', "read r:f"],
    ["jq --arg a $x . f", "unknown r:a r:… r:. r:f"],
    ["jq -n --slurpfile a one --rawfile b two '$a'", "read r:one r:two"],
    ["jq --indent 2 . f", "read r:f"],
    ["jq --args '$ARGS' /etc/passwd", "read"],
    ["jq -n . --args /etc/passwd", "read"],
    ["jq . *.json", "unknown r:. r:*.json"],
    ["jq . src/*.json", "read r:src/*.json"],
    ["jq -f prog f", "unknown r:prog r:f"],
    ["jq -nL mods . f", "unknown r:mods r:. r:f"],
    ["jq --from-fil prog f", "unknown r:prog r:f"],
    ['jq "$x" f', "unknown r:… r:f"],
    ["jq -n env", "unknown"],
    ["jq --version", "read"],
  ])("%s", (line, expected) => {
    expect(summary(judged(JQ, line))).toBe(expected);
  });

  test("added names must be files of the workspace, behind a filter", () => {
    const jq = JQ.get("jq");
    if (!jq) throw new Error("no jq");
    const holds = (line: string, files: boolean) => accepts(jq, argsOf(line), { dotted: true, files });
    expect([holds("-r .name", true), holds("-r .name", false), holds("-r", true)]).toEqual([true, false, false]);
  });
});

// What a model may write as input besides what the schema says: one table for all tools, and what stays refused.
import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { defineTool } from "../src/tools/tool.ts";
import type { ToolUse } from "../src/core/types.ts";
import { failure } from "./files-kit.ts";
import { agentWith, collect, played, reply, text, user } from "./support.ts";
import { idleTools } from "./tools-kit.ts";

const tool = defineTool({
  name: "Probe",
  description: "",
  schema: z.object({
    path: z.string(),
    count: z.number().min(0).optional(),
    whole: z.number().int().optional(),
    all: z.boolean().optional(),
    mode: z.enum(["a", "b"]).optional(),
    either: z.union([z.string(), z.number()]).optional(),
    nothing: z.string().nullable().optional(),
    list: z.array(z.object({ at: z.number(), note: z.string().optional() })).optional(),
  }),
  access: () => ({ kind: "none" }),
  title: () => "",
  run: async () => ({ content: "" }),
});
const parse = (input: object) => tool.parse({ path: "p", ...input });
const refusal = (input: object) => failure((async () => parse(input))());

describe("input that does not fit, but can only mean one thing", () => {
  test("null is absent where a field may be", () => {
    const nulls = { count: null, whole: null, all: null, mode: null, either: null, list: null };
    expect(parse(nulls)).toEqual({ path: "p" });
    expect(Object.keys(parse(nulls))).toEqual(["path"]);
    expect(parse({ list: [{ at: 1, note: null }] })).toEqual({ path: "p", list: [{ at: 1 }] });
  });

  test("a number or a truth in quotes is that number or truth", () => {
    const quoted = { count: "10", whole: "-3", all: "true", list: [{ at: "0.5" }] };
    expect(parse(quoted)).toEqual({ path: "p", count: 10, whole: -3, all: true, list: [{ at: 0.5 }] });
    expect(parse({ all: "false" })).toEqual({ path: "p", all: false });
  });

  test("what fits is left alone, and the given object as it is", () => {
    const fits = { path: "10", either: "10", nothing: null };
    expect(tool.parse(fits)).toEqual(fits);
    const input = { path: "p", count: "10", all: null };
    tool.parse(input);
    expect(input).toEqual({ path: "p", count: "10", all: null });
  });
});

test("whatever could mean something else stays refused, each field by its name", async () => {
  for (const count of [
    "",
    " ",
    "ten",
    "1e3",
    "0x10",
    "010",
    "+1",
    " 1",
    "1,5",
    "1 000",
    "NaN",
    "Infinity",
    "9".repeat(20),
  ])
    expect([count, await refusal({ count })]).toEqual([count, expect.stringContaining("- count: ")]);
  for (const all of ["yes", "1", "True", "", 1, 0]) expect(await refusal({ all })).toContain("- all: ");
  expect(await refusal({ count: "-1" })).toContain("- count: Too small");
  expect(await refusal({ whole: "1.5" })).toContain("- whole: ");
  expect(await refusal({ path: null, count: null })).toContain("- path: Invalid input: expected string, received null");
  expect(await refusal({ path: null, count: null })).not.toContain("count");
  expect(await refusal({ path: 5 })).toContain("- path: ");
  expect(await refusal({ list: [null] })).toContain("- list.0: ");
  expect(await refusal({ list: [{ at: null }] })).toContain(
    "- list.0.at: Invalid input: expected number, received null",
  );
  expect(() => tool.parse(null)).toThrow("- input: ");
  expect(() => tool.parse([])).toThrow("- input: ");
});

test("it holds for every tool", () => {
  const tools = idleTools();
  const examples: Record<string, [given: object, meant: object]> = {
    Bash: [
      { command: "ls", timeout: "5000", run_in_background: "false", description: null },
      { command: "ls", timeout: 5000, run_in_background: false },
    ],
    Read: [
      { file_path: "f", offset: "10", limit: null, pages: null },
      { file_path: "f", offset: 10 },
    ],
    Edit: [
      { file_path: "f", old_string: "1", new_string: "2", replace_all: "true" },
      { file_path: "f", old_string: "1", new_string: "2", replace_all: true },
    ],
    Write: [
      { file_path: "f", content: "10" },
      { file_path: "f", content: "10" },
    ],
    Glob: [{ pattern: "*", path: null }, { pattern: "*" }],
    Grep: [
      { pattern: "10", path: null, "-n": "true", head_limit: "0", multiline: null },
      { pattern: "10", "-n": true, head_limit: 0 },
    ],
  };
  for (const [name, [given, meant]] of Object.entries(examples)) {
    expect([name, tools.find(({ spec }) => spec.name === name)?.parse(given)]).toEqual([name, meant]);
  }
});

test("what is judged is what runs", async () => {
  const judged: unknown[] = [];
  const given: ToolUse = {
    type: "tool_use",
    id: "c",
    name: "Probe",
    input: { path: "p", all: "true", count: "10", unknown: 1 },
  };
  const { agent } = agentWith(played([reply([given]), reply([text("done")])]), [tool], {
    admit: async ({ input }) => {
      judged.push(input);
      return { behavior: "allow" };
    },
  });
  await collect(agent.prompt(user("go"), new AbortController().signal));
  expect(judged).toEqual([{ path: "p", all: true, count: 10, unknown: 1 }]);
});

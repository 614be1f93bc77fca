// What every request begins with stays small: the system prompt and all tools, as they are sent.
import { afterAll, expect, test } from "bun:test";
import { run, sandbox, type Sandbox } from "./binary.ts";
import { say, startFakeModel } from "./fake-model.ts";
import { idleTools } from "./tools-kit.ts";

const boxes: Sandbox[] = [];
afterAll(() => boxes.forEach((box) => box.remove()));

/** 28,000 bytes for the system prompt and fifteen tools: of these the system prompt may take 6,000. */
const SYSTEM_BYTES = 6_000;
const TOOL_BYTES = (28_000 - SYSTEM_BYTES) / 15;
/** Of any one tool, with its schema. */
const LARGEST_TOOL_BYTES = 2_200;

const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value) ?? "");

test("no tool takes more than its share", () => {
  const tools = idleTools();
  const sizes = tools.map(({ spec: { name, description, schema } }) => ({
    name,
    bytes: bytes({ name, description, input_schema: schema }),
  }));
  expect(sizes.filter((tool) => tool.bytes > LARGEST_TOOL_BYTES)).toEqual([]);
});

test("system prompt and tools are within their share of 28,000 bytes", async () => {
  await using model = await startFakeModel([say("ok")]);
  const box = sandbox(model);
  boxes.push(box);
  await run(box, ["-p", "hi"]);
  const { system, tools = [] } = model.requests[0]?.body ?? {};
  const limit = SYSTEM_BYTES + Math.ceil(TOOL_BYTES * tools.length);
  const parts = tools.map((tool) => `${tool.name} ${bytes(tool)}`);
  const sum = bytes(system) + bytes(tools);
  const account = `${sum} of ${limit} bytes: system ${bytes(system)}, ${parts.join(", ")}`;
  expect([account, tools.length >= 6, sum <= limit]).toEqual([account, true, true]);
});

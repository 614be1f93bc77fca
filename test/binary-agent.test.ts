// Sub-agents in the real binary: on the wire, their rules and folders, their cost, and their end with the run.
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messages, run, sandbox, STREAM, YES, type Sandbox } from "./binary.ts";
import {
  call,
  reply,
  say,
  silence,
  startFakeModel,
  status,
  type FakeModel,
  type RecordedRequest,
} from "./fake-model.ts";
import { conversation, isResult, user } from "./stream-kit.ts";

const boxes: Sandbox[] = [];
afterAll(() => boxes.forEach((box) => box.remove()));

function project(model: FakeModel): Sandbox {
  const box = sandbox(model);
  boxes.push(box);
  writeFileSync(join(box.cwd, "README.md"), "hello\n");
  return box;
}

const agent = (prompt: string, more: object = {}) => call("Agent", { description: "some work", prompt, ...more });
const first = ({ body }: RecordedRequest) => JSON.stringify(body.messages[0]);
const last = ({ body }: RecordedRequest) => JSON.stringify(body.messages.at(-1));
const systemOf = ({ body }: RecordedRequest) => JSON.stringify(body.system);

/** Each conversation, told by what it begins with, has a script of its own. */
function talks(
  scripts: Record<
    string,
    (ReturnType<typeof say> | ReturnType<typeof reply> | ReturnType<typeof status> | ReturnType<typeof silence>)[]
  >,
) {
  return (request: RecordedRequest) => {
    const [, script] = Object.entries(scripts).find(([start]) => first(request).includes(start)) ?? [];
    return script?.shift() ?? say("out of words");
  };
}

test("two work side by side, each with its own prompt, tools and history; only the report comes back, and all is paid for", async () => {
  await using model = await startFakeModel(
    talks({
      "Main task": [
        reply([agent("Explore it.", { subagent_type: "Explore" }), agent("Write x.txt.")]),
        say("both are done"),
      ],
      "Explore it.": [call("Read", { file_path: "README.md" }), say("It says hello.")],
      "Write x.txt.": [call("Write", { file_path: "x.txt", content: "x\n" }), say("x.txt is written.")],
    }),
  );
  const box = project(model);
  writeFileSync(join(box.cwd, "NANOCODE.md"), "Use tabs.\n");
  const ran = await run(box, [
    "-p",
    "Main task",
    ...STREAM,
    ...YES,
    "--append-system-prompt",
    "Only for the main one.",
  ]);
  expect([ran.code, ran.stderr, model.violations]).toEqual([0, "", []]);
  expect(existsSync(join(box.cwd, "x.txt"))).toBe(true);

  const of = (start: string) => model.requests.filter((request) => first(request).includes(start));
  const [exploring] = of("Explore it.");
  const [writing] = of("Write x.txt.");
  if (!exploring || !writing) throw new Error("a sub-agent made no request");
  expect(exploring.body.tools?.map(({ name }) => name)).toEqual(["Read", "Glob", "Grep"]);
  expect(writing.body.tools?.map(({ name }) => name)).not.toContain("Agent");
  expect(systemOf(exploring)).toContain("You can search and read; you can change nothing.");
  expect(systemOf(writing)).toContain("Do exactly the task");
  for (const request of [exploring, writing]) {
    expect(request.body.messages).toHaveLength(1);
    expect(systemOf(request)).toContain("Use tabs.");
    expect(systemOf(request)).not.toContain("Only for the main one.");
    expect(systemOf(request)).toContain(`Working directory: ${box.cwd}`);
  }
  const back = last(of("Main task").at(-1) ?? exploring);
  expect(back).toContain("It says hello.");
  expect(back).toContain("x.txt is written.");
  expect(back).not.toContain("1\\thello");

  const lines = messages(ran.stdout);
  const parents = new Set(lines.map((line) => line.parent_tool_use_id).filter((id) => typeof id === "string"));
  expect(parents.size).toBe(2);
  const inner = lines.filter((line) => typeof line.parent_tool_use_id === "string").map(({ type }) => type);
  expect(inner.toSorted()).toEqual(["assistant", "assistant", "user", "user"]);
  expect(lines[0]).toMatchObject({ agents: ["general-purpose", "Explore"] });
  const { usage, modelUsage, num_turns, total_cost_usd } = lines.at(-1) as {
    usage: Record<string, number>;
    modelUsage: Record<string, { outputTokens: number; cacheCreationInputTokens: number }>;
    num_turns: number;
    total_cost_usd: number;
  };
  const [all] = Object.values(modelUsage);
  expect([num_turns, Object.keys(modelUsage).length]).toEqual([2, 1]);
  // The run's own tokens are those of the main conversation; the price is of all.
  expect(all?.outputTokens).toBeGreaterThan(usage.output_tokens ?? 0);
  expect(total_cost_usd).toBeGreaterThan(0);
});

describe("rules", () => {
  test("a sub-agent is where its own cd took it, and asks like anybody else", async () => {
    await using model = await startFakeModel(
      talks({
        "Main task": [agent("Go deep."), call("Bash", { command: "pwd" }), say("ok")],
        "Go deep.": [
          call("Bash", { command: "cd deep/er && pwd" }),
          call("Bash", { command: "cat ../../README.md" }),
          call("Bash", { command: "cat ../../../secret" }),
          call("Write", { file_path: "new.txt", content: "x" }),
          say("went"),
        ],
      }),
    );
    const box = project(model);
    mkdirSync(join(box.cwd, "deep", "er"), { recursive: true });
    const ran = await run(box, ["-p", "Main task", ...STREAM]);
    const results = model.requests.filter((request) => first(request).includes("Go deep.")).map(last);
    expect(results[1]).toContain(`${box.cwd}/deep/er`);
    expect(results[2]).toContain("hello");
    expect(results[3]).toContain("outside the project");
    expect(results[4]).toContain("was not run");
    expect(last(model.requests.at(-1) ?? (model.requests[0] as RecordedRequest))).toContain(`"${box.cwd}"`);
    const { permission_denials } = messages(ran.stdout).at(-1) as { permission_denials: { tool_name: string }[] };
    expect(permission_denials.map(({ tool_name }) => tool_name)).toEqual(["Bash", "Write"]);
  });

  test("in plan mode it changes nothing; a rule denies a kind, or the tool as a whole", async () => {
    await using model = await startFakeModel(
      talks({
        "Plan it": [agent("Write."), say("ok")],
        "Write.": [call("Write", { file_path: "new.txt", content: "x" }), say("could not")],
        "Deny it": [agent("Look.", { subagent_type: "Explore" }), say("ok")],
        Without: [agent("Look."), say("ok")],
      }),
    );
    const box = project(model);
    await run(box, ["-p", "Plan it", "--permission-mode", "plan"]);
    expect(existsSync(join(box.cwd, "new.txt"))).toBe(false);
    expect(model.requests.map(last).some((text) => text.includes("plan mode changes nothing"))).toBe(true);
    await run(box, ["-p", "Deny it", "--disallowed-tools", "Agent(Explore)", ...YES]);
    expect(last(model.requests.at(-1) as RecordedRequest)).toContain("forbids it");
    await run(box, ["-p", "Without", "--disallowed-tools", "Agent"]);
    expect(last(model.requests.at(-1) as RecordedRequest)).toContain("There is no tool named Agent.");
  });
});

describe("the end", () => {
  test("a model that fails is an error result; the conversation goes on", async () => {
    await using model = await startFakeModel(
      talks({
        "Main task": [agent("Fail."), say("went on")],
        "Fail.": [call("Read", { file_path: "README.md" }), status(400)],
      }),
    );
    const ran = await run(project(model), ["-p", "Main task"]);
    expect(ran).toMatchObject({ code: 0, stdout: "went on\n" });
    const back = last(model.requests.at(-1) as RecordedRequest);
    expect(back).toContain("The sub-agent failed: ");
    expect(back).toContain('"is_error":true');
  });

  test("an interrupted run interrupts it, and answers its call", async () => {
    const asked = Promise.withResolvers<void>();
    const scripts = talks({ "Main task": [agent("Wait."), say("later")], "Wait.": [silence()] });
    await using model = await startFakeModel((request) => {
      if (first(request).includes("Wait.")) asked.resolve();
      return scripts(request);
    });
    const box = project(model);
    const session = "11111111-2222-4333-8444-555555555555";
    const { start } = await import("./binary.ts");
    const child = start(box, ["-p", "Main task", "--session-id", session]);
    await asked.promise;
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    expect((await run(box, ["-p", "Again", "--resume", session])).stdout).toBe("later\n");
    const results = JSON.stringify(model.requests.at(-1)?.body.messages);
    expect(results).toContain('"tool_result"');
    expect(results).toMatch(/nterrupted/);
    expect(model.violations).toEqual([]);
  });
});

test("/cost tells sub-agents apart", async () => {
  await using model = await startFakeModel(
    talks({ "Main task": [agent("Look.", { subagent_type: "Explore" }), say("ok")], "Look.": [say("seen")] }),
  );
  const prompts = ["Main task", "/cost"].map((content) =>
    JSON.stringify({ type: "user", message: { role: "user", content } }),
  );
  const ran = await run(project(model), ["--input-format", "stream-json", ...STREAM], {
    stdin: `${prompts.join("\n")}\n`,
  });
  expect(String(messages(ran.stdout).at(-1)?.result)).toMatch(/\(Explore\) +1 /);
});

test("a driving program is told which sub-agent asks, and what it answers counts", async () => {
  await using model = await startFakeModel(
    talks({
      "Main task": [agent("Write."), say("ok")],
      "Write.": [call("Write", { file_path: "x.txt", content: "x" }), say("done")],
    }),
  );
  const box = project(model);
  const { code, lines } = await conversation(
    box,
    async (ask) => {
      const [asked] = (await ask(user("Main task"), ({ type }) => type === "control_request")).slice(-1);
      const response = { subtype: "success", request_id: asked?.request_id, response: { behavior: "allow" } };
      await ask({ type: "control_response", response }, isResult);
    },
    ["--permission-prompt-tool", "stdio"],
  );
  expect([code, existsSync(join(box.cwd, "x.txt"))]).toEqual([0, true]);
  const blocks = lines.flatMap(
    ({ message }) => (message as { content?: { name?: string; id?: string }[] })?.content ?? [],
  );
  expect(lines.find(({ type }) => type === "control_request")?.request).toMatchObject({
    subtype: "can_use_tool",
    tool_name: "Write",
    agent_id: blocks.find(({ name }) => name === "Agent")?.id,
  });
});

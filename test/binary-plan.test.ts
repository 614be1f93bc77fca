// Plan mode in the real binary, from the plan to the work: agreed to or not, in each front end, and through compactions.
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messages, run, sandbox, STREAM, type Sandbox } from "./binary.ts";
import { GOOD_SUMMARY, SMALL_WINDOW } from "./compact-kit.ts";
import { call, say, startFakeModel, type FakeModel, type RecordedRequest, type ScriptEntry } from "./fake-model.ts";
import { terminal } from "./plain-kit.ts";
import { conversation, isResult, user, type Line } from "./stream-kit.ts";

const boxes: Sandbox[] = [];
afterAll(() => boxes.forEach((box) => box.remove()));

function boxFor(model: FakeModel): Sandbox {
  const box = sandbox(model);
  boxes.push(box);
  return box;
}

const PLAN = '# Mend the "parser"\n\n1. Write `made.txt`.\n2. Look at it.';
const plans = (plan = PLAN) => call("ExitPlanMode", { plan });
const writes = call("Write", { file_path: "made.txt", content: "x" });
const isMade = (box: Sandbox) => existsSync(join(box.cwd, "made.txt"));
const lastOf = (request: RecordedRequest | undefined) => JSON.stringify(request?.body.messages.at(-1));
const ACCEPTED = "The plan is accepted and plan mode is over";
const REFUSED = "Write was not run: plan mode changes nothing";

describe("a driving program", () => {
  const STDIO = ["--permission-prompt-tool", "stdio"];
  type Asked = { tool_name: string; input: Record<string, unknown>; permission_suggestions: unknown };

  /** Prompts one after the other, each question answered by `answer`; what was asked, and the lines. */
  async function driven(
    script: ScriptEntry[],
    mode: string,
    answer: (asked: Asked) => object,
    prompts: object[] = [user("go")],
  ) {
    await using model = await startFakeModel(script);
    const box = boxFor(model);
    const asked: Asked[] = [];
    const wanted = (line: Line) =>
      line.type === "control_request" || line.type === "control_response" || isResult(line);
    const { code, lines } = await conversation(
      box,
      async (ask) => {
        for (const prompt of prompts) {
          let last = (await ask(prompt, wanted)).at(-1);
          while (last?.type === "control_request") {
            const request = last.request as Asked;
            asked.push(request);
            const response = { subtype: "success", request_id: last.request_id, response: answer(request) };
            last = (await ask({ type: "control_response", response }, wanted)).at(-1);
          }
        }
      },
      [...STDIO, "--permission-mode", mode],
    );
    expect([code, model.violations]).toEqual([0, []]);
    const modes = lines.flatMap(({ subtype, permissionMode }) => (subtype === "init" ? [permissionMode] : []));
    return { asked, names: asked.map(({ tool_name }) => tool_name), lines, modes, box, requests: [...model.requests] };
  }
  const allow = ({ input }: Asked) => ({ behavior: "allow", updatedInput: input });
  const setMode = (mode: string) => [{ type: "setMode", mode, destination: "session" }];

  test("is asked about the plan, which is in the input; a yes makes the work go on as before", async () => {
    const { asked, names, lines, modes, box, requests } = await driven(
      [writes, plans(), writes, say("done"), say("more")],
      "plan",
      allow,
      [user("go"), user("and?")],
    );
    expect(names).toEqual(["ExitPlanMode", "Write"]);
    expect(asked[0]).toMatchObject({
      input: { plan: PLAN },
      decision_reason: "the person decides whether this plan is carried out",
      description: 'Plan: Mend the "parser"',
      permission_suggestions: setMode("acceptEdits"),
    });
    expect([lastOf(requests[1]).includes(REFUSED), lastOf(requests[2]).includes(ACCEPTED)]).toEqual([true, true]);
    // The reminder follows the mode.
    expect(lastOf(requests[2])).toContain("The permission mode is now default");
    const results = lines.flatMap((line) => (line.tool_use_result === undefined ? [] : [line.tool_use_result]));
    expect(results[0]).toEqual({ plan: PLAN, isAgent: false });
    expect([isMade(box), modes]).toEqual([true, ["plan", "default"]]);
  });

  test("may set the mode with the answer", async () => {
    const answer = (asked: Asked) => ({ ...allow(asked), updatedPermissions: setMode("acceptEdits") });
    const script = [plans(), writes, say("done"), say("more")];
    const { names, modes, lines, box, requests } = await driven(script, "plan", answer, [user("go"), user("and?")]);
    expect([names, modes, isMade(box)]).toEqual([["ExitPlanMode"], ["plan", "acceptEdits"], true]);
    expect(lastOf(requests[1])).toContain(ACCEPTED);
    const told = lines.filter(({ subtype, permissionMode }) => subtype === "status" && permissionMode !== undefined);
    expect(told).toMatchObject([{ type: "system", status: null, permissionMode: "acceptEdits" }]);
  });

  test("cannot set a mode with the answer that it may not set otherwise", async () => {
    const answer = (asked: Asked) => ({ ...allow(asked), updatedPermissions: setMode("bypassPermissions") });
    const script = [plans(), writes, say("done"), say("more")];
    const { names, modes } = await driven(script, "plan", answer, [user("go"), user("and?")]);
    expect([names, modes]).toEqual([
      ["ExitPlanMode", "Write"],
      ["plan", "default"],
    ]);
  });

  test("may change the plan: then the model reads the one that counts", async () => {
    const less = "1. Only look.";
    const answer = () => ({ behavior: "allow", updatedInput: { plan: less } });
    const { requests, lines } = await driven([plans(), say("done")], "plan", answer);
    expect(lastOf(requests[1])).toContain(JSON.stringify(`<plan>\n${less}\n</plan>`).slice(1, -1));
    expect(lines.find((line) => line.tool_use_result)?.tool_use_result).toEqual({ plan: less, isAgent: false });
  });

  test("says no with a message: the model reads it, and nothing can be changed", async () => {
    const deny = () => ({ behavior: "deny", message: "Smaller steps, please." });
    const { names, modes, box, requests } = await driven(
      [plans(), writes, say("still planning"), say("more")],
      "plan",
      deny,
      [user("go"), user("and?")],
    );
    expect([names, modes, isMade(box)]).toEqual([["ExitPlanMode"], ["plan", "plan"], false]);
    expect(lastOf(requests[1])).toContain("Smaller steps, please.");
    expect(lastOf(requests[2])).toContain(REFUSED);
  });

  test("is asked before the model begins to plan, and its own mode comes back after it", async () => {
    const script = [call("EnterPlanMode"), writes, plans(), writes, say("done"), say("more")];
    const { names, modes, box, requests } = await driven(script, "acceptEdits", allow, [user("go"), user("and?")]);
    expect(names).toEqual(["EnterPlanMode", "ExitPlanMode"]);
    expect([lastOf(requests[1]), lastOf(requests[2])]).toEqual([
      expect.stringContaining("Plan mode is on. Look around"),
      expect.stringContaining(REFUSED),
    ]);
    expect([modes, isMade(box)]).toEqual([["acceptEdits", "acceptEdits"], true]);
  });

  test("switches to plan mode itself, and the mode before comes back", async () => {
    const set = { type: "control_request", request_id: "m", request: { subtype: "set_permission_mode", mode: "plan" } };
    const script = [writes, plans(), writes, say("done"), say("more")];
    const { names, modes, box } = await driven(script, "acceptEdits", allow, [set, user("go"), user("and?")]);
    expect([names, modes, isMade(box)]).toEqual([["ExitPlanMode"], ["plan", "acceptEdits"], true]);
  });

  test("is not asked about a plan outside plan mode", async () => {
    const { names, requests } = await driven([plans(), say("done")], "default", allow);
    expect([names, lastOf(requests[1])]).toEqual([[], expect.stringContaining("plan mode is off")]);
  });
});

describe("in the terminal", () => {
  async function asked(more: ScriptEntry[], mode = "plan") {
    const t = await terminal([plans(), ...more], ["--permission-mode", mode]);
    boxes.push(t.box);
    await t.sees("> ");
    t.type("plan it\n");
    await t.sees(
      [
        "ExitPlanMode wants to carry out this plan:",
        ...PLAN.split("\n").map((line) => `  | ${line}`),
        "  because the person decides whether this plan is carried out",
        "  y = carry it out; what changes something is asked about as usual",
        "  a = carry it out; edits in the project are made without asking",
        "  n = keep planning; or say what to do instead\n? ",
      ].join("\n"),
    );
    return t;
  }

  async function leave(t: Awaited<ReturnType<typeof asked>>) {
    await t.sees("> ");
    t.type("\u0004");
    expect(await t.child.exited).toBe(0);
    expect(t.model.violations).toEqual([]);
    await t.model.stop();
  }

  test("y carries it out, and changes are asked about", async () => {
    const t = await asked([writes, say("as you like")]);
    t.type("y\n");
    await t.sees('* ExitPlanMode: Plan: Mend the "parser"');
    await t.sees("Write wants to do:");
    expect(lastOf(t.model.requests[1])).toContain(ACCEPTED);
    t.type("n\n");
    await t.sees("as you like");
    expect(isMade(t.box)).toBe(false);
    await leave(t);
  });

  test("a carries it out, and edits are made", async () => {
    const t = await asked([writes, say("made it")]);
    t.type("a\n");
    await t.sees("(permission mode: acceptEdits)\n");
    await t.sees("made it");
    expect([isMade(t.box), t.screen.text.includes("Write wants to do:")]).toEqual([true, false]);
    expect(lastOf(t.model.requests[1])).toContain("The permission mode is now acceptEdits");
    await leave(t);
  });

  test("n and a message keep planning", async () => {
    const t = await asked([plans("1. less"), writes, say("still planning")]);
    t.type("n\n");
    await t.sees("  | 1. less\n");
    expect(lastOf(t.model.requests[1])).toContain("The person does not agree to the plan, and plan mode stays on.");
    t.type("write a test first\n");
    await t.sees("still planning");
    expect(lastOf(t.model.requests[2])).toContain("does not agree to the plan yet and said: write a test first");
    expect([lastOf(t.model.requests[3]).includes(REFUSED), isMade(t.box)]).toEqual([true, false]);
    await leave(t);
  });
});

describe("in print mode", () => {
  const printed = async (script: ScriptEntry[], args: string[]) => {
    await using model = await startFakeModel(script);
    const box = boxFor(model);
    const ran = await run(box, ["-p", "go", ...args]);
    expect([ran.code, ran.stderr, model.violations]).toEqual([0, "", []]);
    return { ...ran, box, requests: [...model.requests] };
  };

  test("the plan is the answer", async () => {
    const ran = await printed([plans(), say(PLAN)], ["--permission-mode", "plan"]);
    expect(ran.stdout).toBe(`${PLAN}\n`);
    expect(lastOf(ran.requests[1])).toContain("--allowedTools ExitPlanMode. End with the plan as your answer");
  });

  test("plan mode is not entered, with permissions bypassed neither: nobody could agree to end it", async () => {
    for (const [mode, made] of [
      ["default", false],
      ["acceptEdits", true],
      ["bypassPermissions", true],
    ] as const) {
      const script = [call("EnterPlanMode"), writes, say("done")];
      const { box, requests } = await printed(script, ["--permission-mode", mode]);
      expect([mode, lastOf(requests[1])]).toEqual([
        mode,
        expect.stringContaining("nobody can be asked. Go on without it."),
      ]);
      expect([mode, isMade(box)]).toEqual([mode, made]);
    }
  });

  test("a rule agrees beforehand", async () => {
    const args = ["--permission-mode", "plan", "--allowedTools", "ExitPlanMode,Edit"];
    const { box, requests } = await printed([writes, plans(), writes, say("done")], args);
    expect([lastOf(requests[1]).includes(REFUSED), lastOf(requests[2]).includes(ACCEPTED)]).toEqual([true, true]);
    expect(isMade(box)).toBe(true);
  });

  test("a sub-agent has neither tool; --tools and deny rules leave them out", async () => {
    const names = ({ body }: RecordedRequest) => body.tools?.map(({ name }) => name).filter((n) => n.includes("Plan"));
    const task = call("Agent", { description: "look", prompt: "look around" });
    const { requests } = await printed([task, say("looked"), say("done")], []);
    expect(requests.map(names)).toEqual([["EnterPlanMode", "ExitPlanMode"], [], ["EnterPlanMode", "ExitPlanMode"]]);
    const few = await printed([say("done")], ["--tools", "Read,EnterPlanMode", "--disallowedTools", "EnterPlanMode"]);
    expect(few.requests.map(names)).toEqual([[]]);
  });
});

test("an agreed plan is word for word in what is sent after each compaction, in a resumed session too", async () => {
  const SESSION = "11111111-2222-4333-8444-555555555555";
  const plan = `${PLAN}\n3. And \u00e4lso </plan> this.`;
  const reads = Array.from({ length: 15 }, (_, n) => call("Read", { file_path: `f${n}.txt` }));
  const later = reads.splice(-3);
  const left: ScriptEntry[] = [plans(plan), ...reads, say("read them"), ...later, say("and those"), say("gone on")];
  await using model = await startFakeModel((request) =>
    lastOf(request).includes("Do not call a tool.") ? say(GOOD_SUMMARY) : (left.shift() ?? say("out of words")),
  );
  const box = boxFor(model);
  for (let n = 0; n < 15; n++) {
    writeFileSync(join(box.cwd, `f${n}.txt`), `a line of file ${n}, and some more words to fill it\n`.repeat(900));
  }
  const args = ["--permission-mode", "plan", "--allowedTools", "ExitPlanMode"];
  const ran = await run(box, ["-p", "Mend it.", ...STREAM, "--session-id", SESSION, ...args], { env: SMALL_WINDOW });
  const boundaries = messages(ran.stdout).filter(({ subtype }) => subtype === "compact_boundary");
  expect(boundaries.length).toBeGreaterThan(1);

  const resume = (prompt: string) => run(box, ["-p", prompt, "--resume", SESSION]);
  for (const prompt of ["/compact", "What now?", "/compact the parser", "And now?"]) {
    expect(await resume(prompt)).toMatchObject({ code: 0, stderr: "" });
  }
  const holds = ({ body }: RecordedRequest) => {
    const texts = JSON.stringify(body.messages);
    return [plan, plan.replace("</plan", "<\\/plan")].some((one) => texts.includes(JSON.stringify(one).slice(1, -1)));
  };
  expect(
    model.requests
      .slice(1)
      .filter((request) => !holds(request))
      .map(({ index }) => index),
  ).toEqual([]);
  // It is not in there because nothing was taken out.
  const last = JSON.stringify(model.requests.at(-1)?.body.messages);
  expect([last.includes("tool_use"), last.match(/This is the plan that was agreed on/g)?.length]).toEqual([false, 1]);
  expect(await run(box, ["compact", "--dry-run", SESSION])).toMatchObject({ stdout: expect.stringContaining("plan") });
  expect(model.violations).toEqual([]);
}, 30_000);

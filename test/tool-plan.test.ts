// EnterPlanMode and ExitPlanMode: what is decided about them, which mode follows, what the person is asked and the model told.
import { afterAll, describe, expect, test } from "bun:test";
import { Agent } from "../src/core/agent.ts";
import type { Access, Answer, PermissionMode, Question } from "../src/core/types.ts";
import { Gate } from "../src/permissions/gate.ts";
import { NO_RULES } from "../src/permissions/rules.ts";
import { planTools } from "../src/tools/plan.ts";
import { questionText, readAnswer } from "../src/ui/question.ts";
import { Project, type How } from "./permission-kit.ts";
import { call, collect, depsWith, played, reply, START, text, user } from "./support.ts";

const project = new Project();
afterAll(() => project.remove());

const ENTER: Access = { kind: "plan", step: "enter" };
const leaving = (plan: string, back: PermissionMode = "default"): Access => ({
  kind: "plan",
  step: "leave",
  plan,
  back,
});
const MODES: readonly PermissionMode[] = ["default", "acceptEdits", "plan", "dontAsk", "bypassPermissions"];

describe("what is decided", () => {
  const enter = (how: How) => project.call("EnterPlanMode", ENTER, how).behavior;
  const leave = (how: How) => project.call("ExitPlanMode", leaving("p"), how).behavior;

  test("in each mode", () => {
    expect(MODES.map((mode) => [mode, enter({ mode }), leave({ mode })])).toEqual([
      ["default", "ask", "deny"],
      ["acceptEdits", "ask", "deny"],
      ["plan", "allow", "ask"],
      ["dontAsk", "deny", "deny"],
      // Whoever switched the questions off has nobody to agree to a plan.
      ["bypassPermissions", "ask", "deny"],
    ]);
  });

  test("by rules: a plan needs one that names the tool", () => {
    const mode = "plan";
    expect([
      leave({ mode, allow: ["Edit", "Bash", "Read", "EnterPlanMode", "mcp__s"] }),
      leave({ mode, allow: ["ExitPlanMode"] }),
      leave({ mode, allow: ["ExitPlanMode"], ask: ["ExitPlanMode"] }),
      leave({ mode, allow: ["ExitPlanMode"], deny: ["ExitPlanMode"] }),
      leave({ mode: "default", allow: ["ExitPlanMode"] }),
      leave({ mode: "default", ask: ["ExitPlanMode"] }),
      enter({ mode: "bypassPermissions", allow: ["EnterPlanMode"] }),
      enter({ mode: "dontAsk", allow: ["EnterPlanMode"] }),
    ]).toEqual(["ask", "allow", "ask", "deny", "deny", "deny", "allow", "allow"]);
  });
});

type Play = { mode?: PermissionMode; answer?: (question: Question, agent: Agent) => Answer };
const YES: Answer = { behavior: "allow", scope: "once" };
const exitCall = call("w", "ExitPlanMode", { plan: "# Mend it\n1. a" });

/** One reply with these calls, decided by a real gate; what the model heard of each, the mode after it, and what was asked. */
async function plays(calls: ReturnType<typeof call>[], { mode = "default", answer = () => YES }: Play = {}) {
  const tools = planTools({
    mode: () => agent.state.mode,
    setMode: (to) => agent.setMode(to),
    before: () => agent.modeBeforePlan,
  });
  const asked: Question[] = [];
  const ask = async (question: Question) => {
    asked.push(question);
    return answer(question, agent);
  };
  const gate = new Gate({
    rules: NO_RULES,
    mode: () => agent.state.mode,
    setMode: (to) => agent.setMode(to),
    addFolders() {},
    world: (cwd) => project.world(cwd),
    host: { ask },
    warn() {},
  });
  const admit: Gate["admit"] = (...args) => gate.admit(...args);
  const provider = played([reply(calls), reply([text("done")])]);
  const agent: Agent = new Agent(depsWith(provider, tools, { admit }), { ...START, mode }, () => {});
  const events = await collect(agent.prompt(user("go"), new AbortController().signal));
  const ends = events.flatMap((event) => (event.type === "tool.end" ? [event] : []));
  return {
    asked,
    mode: agent.state.mode,
    results: ends.map(({ result }) => String(result.content)),
    outcomes: ends.map(({ outcome }) => outcome),
    data: ends.map(({ data }) => data),
  };
}

const enterCall = call("e", "EnterPlanMode");
const ACCEPTED = expect.stringMatching(/^The plan is accepted and plan mode is over: carry it out now\. /);

test("beginning one is asked each time: a rule would let it begin where nobody could agree", async () => {
  const { asked } = await plays([enterCall], { mode: "default" });
  expect(asked.map(({ always }) => always)).toEqual([undefined]);
});

test("what changes something is refused in plan mode, although a rule wants it asked", () => {
  const how = { mode: "plan", ask: ["Write", "Bash(touch:*)", "Bash(ls:*)"] } as const;
  const decided = [
    project.write("a.txt", { ...how, ask: [...how.ask] }),
    ...["touch x", "ls"].map((text) => project.bash(text, { ...how, ask: [...how.ask] })),
  ];
  expect(decided.map(({ behavior, step }) => [behavior, step])).toEqual([
    ["deny", "plan"],
    ["deny", "plan"],
    ["ask", "ask"],
  ]);
});

describe("a plan that is agreed to", () => {
  test.each(MODES.filter((mode) => mode !== "plan" && mode !== "dontAsk"))(
    "ends plan mode with the mode before it: %s",
    async (mode) => {
      const entered = expect.stringMatching(/^Plan mode is on\. Look around/);
      const played = await plays([enterCall, exitCall], { mode });
      expect(played).toMatchObject({ mode, outcomes: ["ok", "ok"], results: [entered, ACCEPTED] });
      expect(played.asked.map(({ access }) => access)).toEqual([ENTER, leaving("# Mend it\n1. a", mode)]);
      expect(played.data[1]).toEqual({ plan: "# Mend it\n1. a", isAgent: false });
    },
  );

  test("ends one that was there from the start with default", async () => {
    const played = await plays([enterCall, exitCall], { mode: "plan" });
    expect(played).toMatchObject({
      mode: "default",
      results: [expect.stringMatching(/^Plan mode is on already\. /), ACCEPTED],
    });
    expect(played.asked.map(({ title, reason }) => [title, reason])).toEqual([
      ["Plan: Mend it", "the person decides whether this plan is carried out"],
    ]);
  });

  test("keeps the mode that came with the answer", async () => {
    const answer = (): Answer => ({ ...YES, updates: [{ type: "setMode", mode: "acceptEdits" }] });
    expect(await plays([exitCall], { mode: "plan", answer })).toMatchObject({
      mode: "acceptEdits",
      results: [ACCEPTED],
    });
    const same = (): Answer => ({ ...YES, updates: [{ type: "setMode", mode: "plan" }] });
    expect(await plays([exitCall], { mode: "plan", answer: same })).toMatchObject({
      mode: "default",
      results: [ACCEPTED],
    });
    // The person switched it while they were asked.
    const meanwhile = (_: Question, agent: Agent) => {
      agent.setMode("dontAsk");
      return YES;
    };
    expect(await plays([exitCall], { mode: "plan", answer: meanwhile })).toMatchObject({
      mode: "dontAsk",
      results: [ACCEPTED],
    });
  });

  test("is shown to the model where it was changed, and only there", async () => {
    const answer = (): Answer => ({ ...YES, input: { plan: "1. less\n</plan>" } });
    const { results, data } = await plays([exitCall], { mode: "plan", answer });
    expect(results[0]).toEndWith(
      "\nIt was changed before it was accepted; only this counts:\n<plan>\n1. less\n<\\/plan>\n</plan>",
    );
    expect(data).toEqual([{ plan: "1. less\n</plan>", isAgent: false }]);
    const echo = ({ call }: Question): Answer => ({ ...YES, input: { ...call.input } });
    expect((await plays([exitCall], { mode: "plan", answer: echo })).results[0]).not.toContain("<plan>");
  });
});

describe("a plan that is not agreed to", () => {
  test("leaves plan mode on, and the model hears why", async () => {
    const said = await plays([exitCall], { mode: "plan", answer: () => ({ behavior: "deny", message: "Smaller." }) });
    expect(said).toMatchObject({ mode: "plan", results: ["Smaller."], outcomes: ["denied"] });
    expect((await plays([exitCall], { mode: "plan", answer: () => ({ behavior: "deny" }) })).results).toEqual([
      "The person does not agree to the plan, and plan mode stays on. Ask what they want to be different.",
    ]);
    const none = await plays([enterCall], { answer: () => ({ behavior: "deny" }) });
    expect(none).toMatchObject({
      mode: "default",
      results: ["The person does not want plan mode: go on without it."],
    });
  });

  test("because plan mode is off: nobody is asked, and nobody is said to have agreed", async () => {
    const off =
      "ExitPlanMode was not run: plan mode is off, so there is no plan to agree on: go on with the work, or call EnterPlanMode first if it needs a plan.";
    for (const mode of MODES.filter((mode) => mode !== "plan")) {
      expect(await plays([exitCall], { mode })).toMatchObject({ mode, asked: [], results: [off] });
    }
    const twice = [exitCall, call("v", "ExitPlanMode", { plan: "another" })];
    expect(await plays(twice, { mode: "plan" })).toMatchObject({ mode: "default", results: [ACCEPTED, off] });
  });

  test("because it holds nothing", async () => {
    for (const input of [{}, { plan: " \n" }]) {
      const { results, asked, mode } = await plays([call("x", "ExitPlanMode", input)], { mode: "plan" });
      expect([results[0], asked, mode]).toEqual([expect.stringContaining("- plan: "), [], "plan"]);
    }
  });
});

describe("the question in the terminal", () => {
  const question = (access: Access, more: Partial<Question> = {}): Question => ({
    call: { type: "tool_use", id: "1", name: "ExitPlanMode", input: {} },
    access,
    title: "Plan: x",
    reason: "the person decides whether this plan is carried out",
    touches: [],
    ...more,
  });

  test("shows all of the plan, in lines that it cannot imitate", () => {
    const steps = Array.from({ length: 200 }, (_, i) => `${i}. step`).join("\n");
    const plan = `# Mend\u001b[2J it\u200b\n  y = carry it out\n${"z".repeat(90)}\n${steps}`;
    const lines = questionText(question(leaving(plan)), { width: 78 }).split("\n");
    expect(lines.slice(0, 6)).toEqual([
      "ExitPlanMode wants to carry out this plan:",
      "  | # Mend\\x1b[2J it\\u{200b}",
      "  |   y = carry it out",
      `  | ${"z".repeat(74)}`,
      `  : ${"z".repeat(16)}`,
      "  | 0. step",
    ]);
    expect(lines.slice(204)).toEqual([
      "  | 199. step",
      "  because the person decides whether this plan is carried out",
      "  y = carry it out; what changes something is asked about as usual",
      "  a = carry it out; edits in the project are made without asking",
      "  n = keep planning; or say what to do instead",
    ]);
    for (const line of questionText(question(leaving(plan)), { width: 28 })
      .split("\n")
      .slice(1)) {
      expect(line).toMatch(/^  ([|:] |because |[yan] = )/);
      expect(line.length).toBeLessThanOrEqual(28);
    }
  });

  test("says which mode a yes brings back", () => {
    const offered = (back: PermissionMode) =>
      questionText(question(leaving("p", back)))
        .split("\n")
        .slice(3);
    const keep = "  n = keep planning; or say what to do instead";
    const edits = "  a = carry it out; edits in the project are made without asking";
    expect(offered("acceptEdits")).toEqual(["  y = carry it out; edits in the project are made without asking", keep]);
    expect(offered("bypassPermissions")).toEqual(["  y = carry it out; nothing is asked", edits, keep]);
    expect(offered("dontAsk")).toEqual(["  y = carry it out; what no rule allows is refused", edits, keep]);
  });

  test("is answered with y, a, n or words", () => {
    const plan = question(leaving("p"));
    expect(["y", "A", "n", "", " split it "].map((line) => readAnswer(line, plan))).toEqual([
      YES,
      { ...YES, updates: [{ type: "setMode", mode: "acceptEdits" }] },
      { behavior: "deny" },
      { behavior: "deny" },
      { behavior: "deny", message: "The person does not agree to the plan yet and said: split it" },
    ]);
    const said = { behavior: "deny" as const, message: "The person declined this call and said: a" };
    const there = question(leaving("p", "acceptEdits"));
    expect(readAnswer("a", there)).toEqual({
      ...said,
      message: "The person does not agree to the plan yet and said: a",
    });
    const other = question({ kind: "none" });
    expect(readAnswer("a", other)).toEqual(said);
    const rules = { rules: ["X"], saved: false };
    expect(readAnswer("a", { ...other, always: rules })).toEqual({ behavior: "allow", scope: "always" });
    expect(
      questionText(question(ENTER, { title: "Make a plan first", always: rules }))
        .split("\n")
        .slice(-3),
    ).toEqual(["  y = yes, once", "  a = yes, and always: X, for this session", "  n = no; or say what to do instead"]);
  });
});

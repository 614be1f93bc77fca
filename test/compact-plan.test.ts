// The plan that was agreed on, through compactions: which one counts, that it stays word for word, and what a huge one leaves.
import { describe, expect, test } from "bun:test";
import { textTokens } from "../src/context/budget.ts";
import { agreedPlan, planText } from "../src/context/plan.ts";
import { prunable } from "../src/context/prune.ts";
import type { CompactHow, Message } from "../src/core/types.ts";
import { answering, compactorWith, did, history, prose, summarising } from "./compact-kit.ts";
import { reply, START, text, user } from "./support.ts";

const NEVER = new AbortController().signal;
const exit = (id: string, plan: string, result = "The plan is accepted.", isError = false) =>
  did(id, { name: "ExitPlanMode", input: { plan } }, result, isError);
const noKeep = { tokens: 5_000, keep: () => undefined };

describe("the plan of a history", () => {
  test("is that of the last ExitPlanMode that went through", () => {
    expect(agreedPlan([user("x")])).toBeUndefined();
    const messages = [...exit("a", "one"), ...exit("b", "two"), ...exit("c", "three", "no", true)];
    expect(agreedPlan(messages)).toBe("two");
    expect(agreedPlan([...exit("a", "one", "no", true), ...history(2, 10)])).toBeUndefined();
  });

  test("is overtaken when a new one is begun, by the model or by the person", () => {
    const agreed = exit("a", "one");
    const enter = (isError: boolean) => did("e", { name: "EnterPlanMode", input: {} }, "x", isError);
    const told = (mode: string): Message => ({
      ...user(`<reminder>\nThe permission mode is now ${mode}: x\n</reminder>`),
      synthetic: true,
    });
    expect(agreedPlan([...agreed, ...enter(false)])).toBeUndefined();
    expect(agreedPlan([...agreed, ...enter(true)])).toBe("one");
    expect(agreedPlan([...agreed, told("plan")])).toBeUndefined();
    expect(agreedPlan([told("plan"), ...agreed, told("default"), user("The permission mode is now plan: no")])).toBe(
      "one",
    );
    const block = planText("kept", noKeep);
    expect([agreedPlan([summary(block)]), agreedPlan([summary(block), told("plan")])]).toEqual(["kept", undefined]);
    expect(agreedPlan([summary(block), told("plan"), ...exit("b", "two")])).toBe("two");
  });

  test("is the changed one where it was changed, whose result stays", () => {
    const changed = exit("a", "mine", `The plan is accepted.\nChanged:\n<plan>\n${prose(2_000)}\n</plan>`);
    expect(agreedPlan(changed)).toBe(prose(2_000));
    const messages = [...changed, ...history(12, 2_000).slice(1)];
    expect(prunable(messages, new Set()).map(({ call }) => call.name)).toEqual(["Read", "Read", "Read", "Read"]);
  });

  test("survives as a text of its own, with nothing in it to end it early", () => {
    const block = planText("# a\n</plan>\n<plan>\nb </PLAN> </planned>", noKeep);
    expect(block).toBe(
      "<plan>\n# a\n<\\/plan>\n<plan>\nb <\\/PLAN> </planned>\n</plan>\nThis is the plan that was agreed on; some of it may be done already.",
    );
    const kept = agreedPlan([summary("It was about:\n<plan>\nno\n</plan>", block, '<file path="a">')]);
    expect(kept).toBe("# a\n<\\/plan>\n<plan>\nb <\\/PLAN> </planned>");
    expect(planText(kept ?? "", noKeep)).toBe(block);
    expect(agreedPlan([summary("nothing"), ...exit("a", "new")])).toBe("new");
  });

  test.each([
    ["prose", prose(20_000)],
    ["three bytes a character", "計画".repeat(9_000)],
    ["both", `${prose(3_000)}${"計画".repeat(9_000)}`],
    ["JSON", `[{"a": [${"[1,2],".repeat(9_000)}]}]`],
  ])("larger than 5,000 tokens keeps its ends, and says where all of it is: %s", (_, plan) => {
    const kept: string[] = [];
    const keep = (whole: string) => {
      kept.push(whole);
      return "/scratch/plan";
    };
    const block = planText(plan, { tokens: 9_000, keep });
    expect(kept).toEqual([plan]);
    expect(textTokens(block)).toBeLessThanOrEqual(5_000);
    expect(textTokens(block)).toBeGreaterThan(3_000);
    expect(block).toContain("\n[the middle is cut to make room; the whole plan is in /scratch/plan]\n");
    expect(block).toStartWith(`<plan>\n${plan.slice(0, 20)}`);
    expect(block).toContain(`${plan.slice(-20)}\n</plan>\n`);
    // A second time nothing more is cut.
    expect(planText(agreedPlan([summary("s", block)]) ?? "", { tokens: 9_000, keep })).toBe(block);
    expect(kept.length).toBe(1);
    expect(planText(plan, { ...noKeep, tokens: 100 })).toContain("\n[the middle is cut to make room]\n");
  });
});

describe("a compaction", () => {
  const PLAN = '# Mend the parser\n\n1. `src/a.ts`: "quote" it\n2. test\n';

  async function compacted(messages: readonly Message[], how: CompactHow, provider = summarising()) {
    const { compactor, kept } = compactorWith({ provider });
    const run = compactor.run({ ...START, messages }, how, NEVER);
    let step = await run.next();
    while (!step.done) step = await run.next();
    if (step.value.kind === "stuck") throw new Error(step.value.why);
    return { ...step.value.event, kept };
  }
  const manual: CompactHow = { reason: "manual", focus: "" };
  const more = (round: number) =>
    history(30, 1_300)
      .slice(1)
      .map((message): Message => JSON.parse(JSON.stringify(message).replace(/"(t\d+)"/g, `"r${round}$1"`)));

  test("keeps it word for word, time after time, until another is agreed on", async () => {
    let messages: Message[] = [user("x"), ...exit("p", PLAN), ...more(0)];
    for (const round of [1, 2, 3]) {
      messages = (await compacted(messages, manual)).messages;
      const blocks = messages[0]?.content.flatMap((block) => (block.type === "text" ? [block.text] : [])) ?? [];
      expect(blocks.filter((one) => one.includes(PLAN))).toEqual([planText(PLAN, noKeep)]);
      messages = [...messages, ...more(round)];
    }
    messages = (await compacted([...messages, ...exit("q", "another"), ...more(9)], manual)).messages;
    expect([agreedPlan(messages), JSON.stringify(messages).includes("Mend the parser")]).toEqual(["another", false]);
  });

  test("does not show it twice while the call itself stays", async () => {
    const { messages } = await compacted([user("x"), ...more(0), ...exit("p", PLAN)], manual);
    expect(messages[0]?.content.length).toBe(1);
    expect(agreedPlan(messages)).toBe(PLAN);
  });

  test("keeps it where everything else is cut, without the model", async () => {
    const huge = did("h", { name: "Read", input: { file_path: "log" } }, prose(70_000));
    const none = answering(() => reply([text("no")]));
    const { messages, how } = await compacted([user("x"), ...exit("p", PLAN), ...huge], { reason: "threshold" }, none);
    expect([how, agreedPlan(messages)]).toEqual(["cut", PLAN]);
  });

  test("of a huge one keeps the ends, and all of it in a file", async () => {
    const plan = `begin\n${prose(20_000)}\nend`;
    const { messages, kept } = await compacted([user("x"), ...exit("p", plan), ...more(0)], manual);
    const [, path = ""] = /the whole plan is in \/scratch\/(plan-\w+)\]/.exec(agreedPlan(messages) ?? "") ?? [];
    expect(kept.get(path)).toBe(plan);
    expect(agreedPlan(messages)).toMatch(/^begin\n[\s\S]*\nend$/);
  });
});

function summary(...texts: string[]): Message {
  const parts = { goal: "", requests: [], decisions: "", files: [], failing: [], todos: [], next: "" };
  const content = texts.map((one) => ({ type: "text" as const, text: one }));
  return { role: "user", id: "s", content, synthetic: true, summary: parts };
}

// Slash commands sent as prompts, in the real binary: by a person with -p, by a program as stream-json lines.
import { afterAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { run, sandbox, type Sandbox } from "./binary.ts";
import { GOOD_SUMMARY } from "./compact-kit.ts";
import { control, conversation, isAnswer, isResult, user, type Line } from "./stream-kit.ts";
import { call, say, silence, startFakeModel, type FakeModel, type RecordedRequest } from "./fake-model.ts";

const boxes: Sandbox[] = [];
afterAll(() => boxes.forEach((box) => box.remove()));

function project(model: FakeModel): Sandbox {
  const box = sandbox(model);
  boxes.push(box);
  return box;
}

const asksForSummary = ({ body }: RecordedRequest) =>
  JSON.stringify(body.messages.at(-1)).includes("Do not call a tool.");
const lastText = (request: RecordedRequest | undefined) => JSON.stringify(request?.body.messages.at(-1));

describe("with -p", () => {
  test("a command answers by itself", async () => {
    const model = await startFakeModel([]);
    const box = project(model);
    writeFileSync(join(box.cwd, "NANOCODE.md"), "Use tabs.\n");
    const cost = await run(box, ["-p", "/cost"]);
    expect(cost).toMatchObject({ code: 0, stderr: "" });
    expect(cost.stdout).toBe("Nothing was asked yet: no cost.\n");
    expect((await run(box, ["-p", " /memory "])).stdout).toContain("NANOCODE.md");
    const json = JSON.parse((await run(box, ["-p", "/context", "--output-format", "json"])).stdout);
    expect(json).toMatchObject({ type: "result", subtype: "success", is_error: false, num_turns: 0 });
    expect(json.result).toContain("tokens");
    expect(model.requests).toHaveLength(0);
  });

  test("a text that only looks like one goes to the model, as does what /init asks", async () => {
    const texts = ["/etc/hosts is wrong", "/tmp is full", "/clear", "see /cost", "/init keep it short"];
    const model = await startFakeModel(texts.map(() => say("ok")));
    const box = project(model);
    for (const text of texts) expect((await run(box, ["-p", text])).stdout).toBe("ok\n");
    const sent = model.requests.map(lastText);
    texts.slice(0, 4).forEach((text, i) => expect(sent[i]).toContain(text));
    expect(sent[4]).not.toContain("/init");
    expect(sent[4]).toContain("keep it short");
    expect(sent[4]).toContain("NANOCODE.md");
  });
});

describe("as stream-json", () => {
  test("/compact makes a boundary, and the conversation goes on from the summary", async () => {
    const script = [call("Read", { file_path: "long.txt" }), say("read"), say("later")];
    const model = await startFakeModel((request) =>
      asksForSummary(request) ? say(GOOD_SUMMARY) : (script.shift() ?? say("out of words")),
    );
    const box = project(model);
    writeFileSync(join(box.cwd, "long.txt"), "a line of the file\n".repeat(1500));
    const { code, lines } = await conversation(box, async (ask) => {
      await ask(user("Read long.txt."), isResult);
      const compacted = await ask(user("/compact the names"), isResult);
      const boundary = compacted.find(({ subtype }) => subtype === "compact_boundary");
      expect(boundary?.compact_metadata).toMatchObject({ trigger: "manual" });
      expect(compacted.at(-1)).toMatchObject({ subtype: "success", num_turns: 0, is_error: false });
      expect(Number(compacted.at(-1)?.total_cost_usd)).toBeGreaterThan(0);
      expect(String(compacted.at(-1)?.result)).toContain("Compacted");
      const later = await ask(user("And now?"), isResult);
      expect(later.at(-1)?.result).toBe("later");
    });
    expect(code).toBe(0);
    expect(model.violations).toEqual([]);
    const summary = model.requests.find(asksForSummary);
    expect(JSON.stringify(summary?.body.messages)).toContain("the names");
    expect(JSON.stringify(model.requests.at(-1)?.body.messages).length).toBeLessThan(20_000);
    const init = lines.find(({ subtype }) => subtype === "init");
    expect(init?.slash_commands).toEqual(expect.arrayContaining(["compact", "context", "cost", "init", "memory"]));
    expect(init?.slash_commands).not.toContain("clear");
    expect(init?.terminal_slash_commands).toEqual(expect.arrayContaining(["clear", "exit", "help"]));
  });

  test("an interrupt ends /compact, and the history stays as it was", async () => {
    const script = [call("Read", { file_path: "long.txt" }), say("read"), say("later")];
    const asked = Promise.withResolvers<void>();
    const model = await startFakeModel((request) => {
      if (!asksForSummary(request)) return script.shift() ?? say("out of words");
      asked.resolve();
      return silence();
    });
    const box = project(model);
    writeFileSync(join(box.cwd, "long.txt"), "a line of the file\n".repeat(1500));
    await conversation(box, async (ask, tell) => {
      await ask(user("Read long.txt."), isResult);
      const stopped = ask(user("/compact"), isResult);
      await asked.promise;
      tell(control("1", "interrupt"));
      expect((await stopped).at(-1)).toMatchObject({ subtype: "error_during_execution", is_error: true });
      // The request for a summary was the last one, and nothing goes on from it.
      model.announceCompaction();
      expect((await ask(user("And now?"), isResult)).at(-1)?.result).toBe("later");
    });
    expect(JSON.stringify(model.requests.at(-1)?.body.messages)).toContain("a line of the file");
  });

  test("get_context_usage says what fills the window", async () => {
    const model = await startFakeModel([say("hello")]);
    const box = project(model);
    writeFileSync(join(box.cwd, "NANOCODE.md"), "Use tabs.\n".repeat(50));
    await conversation(box, async (ask) => {
      await ask(user("Hello."), isResult);
      const [answer] = await ask(control("7", "get_context_usage"), isAnswer);
      const { response, subtype } = answer?.response as { response: Line; subtype: string };
      expect(subtype).toBe("success");
      const categories = response.categories as { name: string; tokens: number }[];
      const sum = categories.slice(0, -1).reduce((total, { tokens }) => total + tokens, 0);
      expect(Math.abs(sum - Number(response.totalTokens))).toBeLessThan(categories.length);
      expect(response.totalTokens).toBeGreaterThan(1000);
      expect(response).toMatchObject({ maxTokens: expect.any(Number), mcpTools: [], agents: [] });
      expect(response.memoryFiles).toMatchObject([{ path: join(box.cwd, "NANOCODE.md"), tokens: expect.any(Number) }]);
    });
  });
});

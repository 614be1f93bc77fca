// What the flags and variables put on the wire, read off the fake model's requests.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_TOOLS, messages, run, type Sandbox, sandbox, STREAM } from "./binary.ts";
import { call, reply, say, startFakeModel, type RecordedRequest, type ScriptEntry } from "./fake-model.ts";

const boxes: Sandbox[] = [];
afterAll(() => boxes.forEach((box) => box.remove()));

type More = { env?: Record<string, string>; script?: ScriptEntry[]; prepare?(box: Sandbox): void };

async function asked(args: string[], { env = {}, script = [say("ok")], prepare }: More = {}) {
  await using model = await startFakeModel(script);
  const box = sandbox(model);
  boxes.push(box);
  prepare?.(box);
  const ran = await run(box, ["-p", "x", ...args], { env });
  expect([ran.stderr, ran.code, model.violations]).toEqual(["", 0, []]);
  return { ...ran, box, requests: [...model.requests] };
}

const first = ({ requests }: { requests: RecordedRequest[] }): RecordedRequest => {
  const [request] = requests;
  if (!request) throw new Error("no request came");
  return request;
};
const system = (request: RecordedRequest) => JSON.stringify(request.body.system ?? "");

test("the default request: path, headers, the tools in order, cache marks, streaming", async () => {
  const request = first(await asked([]));
  expect(request.path).toMatch(/^\/v1\/messages/);
  expect(request.headers["x-api-key"]).toBe("test-key");
  expect(request.headers["anthropic-version"]).toMatch(/^20\d\d-\d\d-\d\d$/);
  expect(request.body.stream).toBe(true);
  expect(request.body.tools?.map((tool) => tool.name)).toEqual([...DEFAULT_TOOLS]);
  expect(JSON.stringify(request.body).match(/"cache_control"/g)?.length).toBeLessThanOrEqual(4);
  expect(system(request)).toContain("Working directory:");
  expect(request.text.length).toBeLessThan(32_000);
});

test("system prompts: replaced, appended, from files", async () => {
  const prepare = (box: Sandbox) => writeFileSync(join(box.cwd, "p.txt"), "from the file é");
  expect(first(await asked(["--system-prompt", "only this"])).body.system).toMatchObject([{ text: "only this" }]);
  const appended = system(first(await asked(["--append-system-prompt=and this"])));
  expect([appended.includes("You are nanocode"), appended.includes("and this")]).toEqual([true, true]);
  expect(system(first(await asked(["--append-system-prompt-file", "p.txt"], { prepare })))).toContain(
    "from the file é",
  );
  expect(first(await asked(["--system-prompt-file", "p.txt"], { prepare })).body.system).toMatchObject([
    { text: "from the file é" },
  ]);
});

test("models: alias, full id, variable, settings; each resolved", async () => {
  const model = async (args: string[], more: More = {}) => String(first(await asked(args, more)).body.model);
  expect(await model(["--model", "haiku"])).toMatch(/^claude-haiku-/);
  expect(await model([], { env: { ANTHROPIC_MODEL: "opus" } })).toMatch(/^claude-opus-/);
  expect(await model(["--model=claude-3-unheard-of"])).toBe("claude-3-unheard-of");
  expect(await model(["--model", "sonnet"], { env: { ANTHROPIC_DEFAULT_SONNET_MODEL: "my-sonnet" } })).toBe(
    "my-sonnet",
  );
  const prepare = (box: Sandbox) => {
    mkdirSync(join(box.home, ".nanocode"));
    writeFileSync(join(box.home, ".nanocode", "settings.json"), '{ "model": "from-settings" /* a comment */ }');
  };
  expect(await model([], { prepare })).toBe("from-settings");
  expect(await model(["--settings", '{"model":"from-flag"}'], { prepare })).toBe("from-flag");
});

test("thinking, effort, tools, betas and output size", async () => {
  expect(first(await asked(["--model", "claude-sonnet-4-5", "--thinking", "2048"])).body.thinking).toMatchObject({
    type: "enabled",
    budget_tokens: 2048,
  });
  const disabled = first(await asked(["--model", "claude-sonnet-4-5", "--thinking=disabled"])).body.thinking;
  expect(disabled ?? { type: "disabled" }).toEqual({ type: "disabled" });
  expect(first(await asked(["--model", "opus", "--effort", "low"])).body.output_config).toEqual({ effort: "low" });
  expect(first(await asked(["--tools", "Read,Grep"])).body.tools?.map((tool) => tool.name)).toEqual(["Read", "Grep"]);
  expect(first(await asked(["--tools="])).body.tools ?? []).toEqual([]);
  expect(first(await asked(["--tools", "default"])).body.tools?.length).toBe(10);
  expect(first(await asked(["--disallowedTools", "Bash"])).body.tools?.some((tool) => tool.name === "Bash")).toBe(
    false,
  );
  expect(first(await asked(["--betas", "my-beta"])).headers["anthropic-beta"]).toContain("my-beta");
  expect(first(await asked([], { env: { CLAUDE_CODE_MAX_OUTPUT_TOKENS: "1234" } })).body.max_tokens).toBe(1234);
});

test("keys and headers: a bearer token, custom headers, OpenRouter", async () => {
  const token = first(await asked([], { env: { ANTHROPIC_API_KEY: "", ANTHROPIC_AUTH_TOKEN: "tok" } }));
  expect([token.headers.authorization, token.headers["x-api-key"]]).toEqual([
    "Bearer tok",
    undefined as unknown as string,
  ]);
  const custom = first(await asked([], { env: { ANTHROPIC_CUSTOM_HEADERS: "X-One: 1\nX-Two: zwei" } }));
  expect([custom.headers["x-one"], custom.headers["x-two"]]).toEqual(["1", "zwei"]);
  await using router = await startFakeModel([say("routed")]);
  const box = sandbox();
  boxes.push(box);
  const env = { OPENROUTER_API_KEY: "or-key", OPENROUTER_BASE_URL: `${router.url}/api` };
  const ran = await run(box, ["-p", "x", "--model", "claude-sonnet-4-5"], { env });
  expect(ran.stdout).toBe("routed\n");
  expect(router.requests[0]?.path).toMatch(/^\/api\/v1\/messages/);
  expect(router.requests[0]?.headers.authorization).toBe("Bearer or-key");
  expect(router.requests[0]?.body.model).toBe("anthropic/claude-sonnet-4.5");
});

test("a picture is sent as a picture; a picture that came on stdin passes through", async () => {
  const png = Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "base64",
  );
  const prepare = (box: Sandbox) => writeFileSync(join(box.cwd, "p.png"), png);
  const ran = await asked([], { script: [call("Read", { file_path: "p.png" }), say("seen")], prepare });
  const result = JSON.stringify(ran.requests[1]?.body.messages.at(-1));
  expect(result).toContain('"type":"image"');
  expect(result).toContain("image/png");
});

test("a folder added with --add-dir is readable, a link out of the project is not", async () => {
  const prepare = (box: Sandbox) => {
    mkdirSync(join(box.home, "extra"));
    writeFileSync(join(box.home, "extra", "a.txt"), "extra text");
    writeFileSync(join(box.home, "secret.txt"), "secret text");
    symlinkSync(join(box.home, "secret.txt"), join(box.cwd, "link.txt"));
  };
  const script = [
    reply([call("Read", { file_path: "../home/extra/a.txt" }), call("Read", { file_path: "link.txt" })]),
    say("done"),
  ];
  const ran = await asked(["--add-dir", "../home/extra", ...STREAM], { script, prepare });
  expect(ran.stdout).toContain("extra text");
  expect(ran.stdout).not.toContain("secret text");
  expect(messages(ran.stdout).at(-1)?.permission_denials).toHaveLength(1);
});

test("the catalog can be corrected in the settings: prices and windows", async () => {
  const models = { "my-model": { contextWindow: 1000, maxOutput: 500, price: { input: 1, output: 1_000_000 } } };
  const args = ["--output-format", "json", "--model", "my-model", "--settings", JSON.stringify({ models })];
  const usage = { input_tokens: 0, output_tokens: 3, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
  const ran = await asked(args, { script: [reply([say("ok")], { usage })] });
  const result = JSON.parse(ran.stdout) as { total_cost_usd: number; modelUsage: Record<string, object> };
  expect(result.total_cost_usd).toBe(3);
  expect(result.modelUsage["my-model"]).toMatchObject({ contextWindow: 1000, maxOutputTokens: 500, costUSD: 3 });
  expect(first(ran).body.max_tokens).toBe(500);
});

test("a budget stops cleanly after the turn that used it up", async () => {
  await using model = await startFakeModel([call("Glob", { pattern: "*" }), say("never")]);
  const box = sandbox(model);
  boxes.push(box);
  const ran = await run(box, ["-p", "x", "--output-format", "json", "--max-budget-usd", "0.0000001"]);
  expect(ran.code).toBe(1);
  expect(JSON.parse(ran.stdout)).toMatchObject({
    subtype: "error_max_budget_usd",
    is_error: true,
    terminal_reason: "budget_exhausted",
  });
  expect(model.requests.length).toBe(1);
  expect(model.violations).toEqual([]);
});

test("a project reached through a link is the project by both names; a huge time limit is no limit at all", async () => {
  const box = sandbox();
  boxes.push(box);
  writeFileSync(join(box.cwd, "a.txt"), "linked text");
  const link = join(box.home, "link");
  symlinkSync(box.cwd, link);
  const script = join(box.home, "s.jsonl");
  const calls = [
    { tool: "Read", input: { file_path: join(link, "a.txt") } },
    { tool: "Bash", input: { command: "true; sleep 0.1; echo slept" } },
  ];
  writeFileSync(script, `${JSON.stringify({ calls })}\n${JSON.stringify({ text: "done" })}\n`);
  const env = { PWD: link, BASH_DEFAULT_TIMEOUT_MS: "9999999999" };
  const ran = await run(box, ["-p", "x", ...STREAM, "--model", `script:${script}`, "--allowedTools", "Bash"], { env });
  expect([ran.code, ran.stdout.includes("linked text"), ran.stdout.includes('slept"')]).toEqual([0, true, true]);
});

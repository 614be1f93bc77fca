// Print mode of the real binary: what programs written for these flags rely on (formats, exit codes, errors).
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BINARY, DEFAULT_TOOLS, messages, run, type Sandbox, sandbox, start, STREAM, YES } from "./binary.ts";
import {
  call,
  reply,
  say,
  stall,
  startFakeModel,
  status,
  think,
  type FakeModel,
  type ScriptEntry,
} from "./fake-model.ts";

const boxes: Sandbox[] = [];
afterAll(() => boxes.forEach((box) => box.remove()));

function boxFor(model?: FakeModel): Sandbox {
  const box = sandbox(model);
  boxes.push(box);
  return box;
}

async function once(script: ScriptEntry[], args: string[], options: Parameters<typeof run>[2] = {}) {
  await using model = await startFakeModel(script);
  const box = boxFor(model);
  const ran = await run(box, args, options);
  expect(model.violations).toEqual([]);
  return { ...ran, requests: [...model.requests], box };
}

describe("text", () => {
  test("prompt as an argument, from stdin, and both", async () => {
    const plain = await once([say("Hello.")], ["-p", "hi there"]);
    expect([plain.code, plain.stdout, plain.stderr]).toEqual([0, "Hello.\n", ""]);
    expect(plain.requests[0]?.body.messages[0]?.content).toMatchObject([{ type: "text", text: "hi there" }]);
    const piped = await once([say("ok")], ["-p"], { stdin: "from stdin é\n" });
    expect(JSON.stringify(piped.requests[0]?.body.messages[0]?.content)).toContain("from stdin é");
    const both = await once([say("ok")], ["-p", "explain"], { stdin: "some log" });
    const sent = JSON.stringify(both.requests[0]?.body.messages[0]?.content);
    expect(sent).toContain("explain");
    expect(sent).toContain("some log");
  });

  test("no prompt, no key, unknown flag, missing value: one line on stderr, exit 1", async () => {
    const box = boxFor();
    const none = await run(box, ["-p"], { env: { ANTHROPIC_API_KEY: "k" }, stdin: "" });
    expect([none.code, none.stdout]).toEqual([1, ""]);
    expect(none.stderr).toContain(
      "Input must be provided either through stdin or as a prompt argument when using --print",
    );
    const keyless = await run(box, ["-p", "x"]);
    expect([keyless.code, keyless.stdout]).toEqual([1, ""]);
    for (const word of ["ANTHROPIC_API_KEY", "OPENROUTER_API_KEY", "nanocode demo"])
      expect(keyless.stderr).toContain(word);
    const unknown = await run(box, ["-p", "x", "--modle", "y"]);
    expect([unknown.code, unknown.stdout]).toEqual([1, ""]);
    expect(unknown.stderr).toContain("--modle");
    expect(unknown.stderr).toContain("--model");
    expect(unknown.stderr.trim().split("\n").length).toBe(1);
    const missing = await run(box, ["-p", "x", "--model"]);
    expect([missing.code, missing.stderr.trim().split("\n").length]).toEqual([1, 1]);
    expect(missing.stderr).toContain("--model");
  });

  test("an API error is the result: on stdout, exit 1, not retried when it is a 400 or 401", async () => {
    const bad = await once([status(400, { message: "bad thing" })], ["-p", "x"]);
    expect(bad.code).toBe(1);
    expect(bad.stdout).toContain("API Error: 400");
    expect(bad.stdout).toContain("bad thing");
    expect(bad.requests.length).toBe(1);
    const auth = await once([status(401)], ["-p", "x"]);
    expect(auth.code).toBe(1);
    expect(auth.stdout).toContain("ANTHROPIC_API_KEY");
    expect(auth.stdout + auth.stderr).not.toContain("test-key");
  });

  test("max turns: exactly so many requests, told on stdout, exit 1", async () => {
    const ran = await once(
      [call("Glob", { pattern: "*" }), call("Glob", { pattern: "*" }), say("never")],
      ["-p", "x", "--max-turns", "2"],
    );
    expect([ran.code, ran.stdout, ran.requests.length]).toEqual([1, "Error: Reached max turns (2)\n", 2]);
  });
});

describe("json", () => {
  test("the result fields", async () => {
    const ran = await once(
      [reply([think("hm"), call("Bash", { command: "touch hi" }, { id: "toolu_1" })]), say("done")],
      ["-p", "x", "--output-format", "json", "--model", "sonnet"],
    );
    const result = JSON.parse(ran.stdout) as Record<string, unknown>;
    expect(ran.code).toBe(0);
    expect(result).toMatchObject({
      type: "result",
      subtype: "success",
      is_error: false,
      num_turns: 2,
      result: "done",
      stop_reason: "end_turn",
      terminal_reason: "completed",
      permission_denials: [{ tool_name: "Bash", tool_use_id: "toolu_1", tool_input: { command: "touch hi" } }],
    });
    expect(result.session_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(result.uuid).toMatch(/^[0-9a-f-]{36}$/);
    expect(result.total_cost_usd).toBeGreaterThan(0);
    expect(Object.keys(result.usage as object).sort()).toEqual([
      "cache_creation_input_tokens",
      "cache_read_input_tokens",
      "input_tokens",
      "output_tokens",
    ]);
    const denied = JSON.stringify(ran.requests[1]?.body.messages.at(-1));
    expect(denied).toContain("--allowedTools");
  });

  test("--verbose prints an array of all messages; errors keep the shape", async () => {
    const all = await once([say("a")], ["-p", "x", "--output-format", "json", "--verbose"]);
    const list = JSON.parse(all.stdout) as Record<string, unknown>[];
    expect(list.map((m) => m.type)).toEqual(["system", "assistant", "result"]);
    const failed = await once([status(400)], ["-p", "x", "--output-format", "json"]);
    expect(JSON.parse(failed.stdout)).toMatchObject({ subtype: "success", is_error: true, api_error_status: 400 });
    expect(failed.code).toBe(1);
    const turns = await once([call("Glob", { pattern: "*" })], ["-p", "x", "--output-format=json", "--max-turns=1"]);
    expect(JSON.parse(turns.stdout)).toMatchObject({
      subtype: "error_max_turns",
      is_error: true,
      errors: ["Reached maximum number of turns (1)"],
      terminal_reason: "max_turns",
    });
  });

  test("--json-schema: an invalid call is asked again, the valid one is the output", async () => {
    const schema = JSON.stringify({ type: "object", properties: { n: { type: "integer" } }, required: ["n", "z"] });
    const given = [{ n: "no", z: 1 }, { n: 7 }, { n: 7, z: 1 }].map((input) => call("StructuredOutput", input));
    const ran = await once(
      [say("I forgot"), ...given, say("")],
      ["-p", "x", "--output-format", "json", "--json-schema", schema],
    );
    expect(JSON.parse(ran.stdout)).toMatchObject({ subtype: "success", structured_output: { n: 7, z: 1 } });
    expect(ran.code).toBe(0);
  });
});

describe("stream-json", () => {
  test("init, one line per block, results, the final result", async () => {
    const ran = await once(
      [reply([think("let me see"), say("Looking."), call("Glob", { pattern: "*.txt" }, { id: "t1" })]), say("bye")],
      ["-p", "x", ...STREAM, "--session-id", "11111111-2222-4333-8444-555555555555"],
    );
    const lines = messages(ran.stdout);
    expect(lines.map((m) => `${m.type}${m.subtype ? `/${m.subtype}` : ""}`)).toEqual([
      "system/init",
      "assistant",
      "assistant",
      "assistant",
      "user",
      "assistant",
      "result/success",
    ]);
    expect(lines[0]).toMatchObject({
      cwd: ran.box.cwd,
      permissionMode: "default",
      apiKeySource: "ANTHROPIC_API_KEY",
      mcp_servers: [],
    });
    expect(lines[0]?.tools).toEqual([...DEFAULT_TOOLS]);
    expect(new Set(lines.map((m) => m.session_id))).toEqual(new Set(["11111111-2222-4333-8444-555555555555"]));
    expect(lines[4]).toMatchObject({
      message: { role: "user", content: [{ type: "tool_result", tool_use_id: "t1" }] },
      tool_use_result: { numFiles: 0, filenames: [] },
    });
    expect(lines[1]?.message).toMatchObject({
      content: [{ type: "thinking", thinking: "let me see" }],
      stop_reason: null,
    });
  });

  test("partial messages are the raw events, before their assistant line", async () => {
    const ran = await once([say("Hello world")], ["-p", "x", ...STREAM, "--include-partial-messages"]);
    const kinds = messages(ran.stdout).map((m) => {
      const event = m.event as { type?: string } | undefined;
      return event?.type ?? String(m.type);
    });
    expect(kinds.slice(0, 4)).toEqual(["system", "message_start", "content_block_start", "content_block_delta"]);
    expect(kinds.indexOf("assistant")).toBeGreaterThan(kinds.indexOf("content_block_delta"));
  });

  test("several input lines are answered in order, each with its own result; requests are answered meanwhile", async () => {
    const user = (content: string) =>
      JSON.stringify({ type: "user", message: { role: "user", content }, parent_tool_use_id: null });
    const request = (id: string, subtype: string, more = {}) =>
      JSON.stringify({ type: "control_request", request_id: id, request: { subtype, ...more } });
    const stdin = [
      request("r1", "initialize"),
      user("one"),
      user("two"),
      request("r2", "nonsense"),
      request("r3", "set_model", { model: "haiku" }),
      "",
    ];
    const ran = await once([say("first"), say("second")], ["--input-format", "stream-json", ...STREAM], {
      stdin: stdin.join("\n"),
    });
    const lines = messages(ran.stdout);
    expect(ran.code).toBe(0);
    expect(lines.filter((m) => m.type === "result").map((m) => m.result)).toEqual(["first", "second"]);
    const answers = lines
      .filter((m) => m.type === "control_response")
      .map((m) => m.response as Record<string, unknown>);
    expect(answers.map((a) => [a.request_id, a.subtype])).toEqual([
      ["r1", "success"],
      ["r2", "error"],
      ["r3", "success"],
    ]);
    expect(answers[1]?.error).toBe("Unsupported control request subtype: nonsense");
    expect(ran.requests[1]?.body.messages.length).toBe(3);
  });

  test("can_use_tool asks the driving program; addRules for the session stops further asking", async () => {
    await using model = await startFakeModel([
      call("Bash", { command: "sh -c 'echo one'" }),
      call("Bash", { command: "sh -c 'echo two'" }),
      call("Bash", { command: "sh -c 'echo three'" }),
      say("ok"),
    ]);
    const box = boxFor(model);
    const { child, send } = driven(box, ["--permission-prompt-tool=stdio"]);
    send({ type: "user", message: { role: "user", content: "go" } });
    const asked: string[] = [];
    const ends: string[] = [];
    for await (const line of readLines(child.stdout)) {
      if (line.type === "control_request") {
        const request = line.request as { input: { command: string } };
        asked.push(request.input.command);
        const response =
          asked.length === 1
            ? { behavior: "deny", message: "not that one" }
            : {
                behavior: "allow",
                updatedInput: { command: "sh -c 'echo changed'" },
                updatedPermissions: [
                  { type: "addRules", rules: [{ toolName: "Bash" }], behavior: "allow", destination: "session" },
                ],
              };
        send({ type: "control_response", response: { subtype: "success", request_id: line.request_id, response } });
      }
      if (line.type === "user")
        ends.push(JSON.stringify((line.message as { content: { content: unknown }[] }).content[0]?.content));
      if (line.type === "result") void child.stdin.end();
    }
    expect(await child.exited).toBe(0);
    expect(asked).toEqual(["sh -c 'echo one'", "sh -c 'echo two'"]);
    expect(ends[0]).toContain("not that one");
    expect(ends[1]).toContain("changed");
    expect(ends[2]).toContain("three");
    expect(model.violations).toEqual([]);
  });

  test("interrupt ends the turn and the session goes on", async () => {
    await using model = await startFakeModel([stall(reply([say("thinking about it"), say("x")]), 1), say("after")]);
    const box = boxFor(model);
    const { child, send } = driven(box);
    send({ type: "user", message: { role: "user", content: "go" } });
    const kinds: string[] = [];
    for await (const line of readLines(child.stdout)) {
      kinds.push(`${line.type}${line.subtype ? `/${line.subtype}` : ""}`);
      if (line.type === "assistant" && kinds.filter((k) => k === "assistant").length === 1) {
        send({ type: "control_request", request_id: "i", request: { subtype: "interrupt" } });
      }
      if (line.type === "result" && line.subtype === "error_during_execution") {
        send({ type: "user", message: { role: "user", content: "and now" } });
        void child.stdin.end();
      }
    }
    expect(kinds.filter((k) => k.startsWith("result"))).toEqual(["result/error_during_execution", "result/success"]);
    expect(await child.exited).toBe(0);
    expect(model.violations).toEqual([]);
  });
});

describe("a driving program", () => {
  const user = (content: unknown) => ({ type: "user", message: { role: "user", content } });
  const request = (subtype: string, more = {}) => ({
    type: "control_request",
    request_id: subtype,
    request: { subtype, ...more },
  });
  const lines = (...all: object[]) => all.map((line) => JSON.stringify(line)).join("\n");
  const input = ["--input-format", "stream-json", ...STREAM];

  test("an interrupt right behind its prompt is not lost; the next prompt is answered", async () => {
    const stdin = lines(user("one"), request("interrupt"), user("two"));
    const ran = await once([say("answer")], input, { stdin });
    const results = messages(ran.stdout).filter((m) => m.type === "result");
    expect(results.map((m) => m.subtype)).toEqual(["error_during_execution", "success"]);
    expect(ran.requests.length).toBe(1);
  });

  test("an empty prompt and a stray tool result still get their result", async () => {
    const stray = [{ type: "tool_result", tool_use_id: "nope", content: "x" }];
    const ran = await once([say("a"), say("b")], input, { stdin: lines(user(""), user(stray)) });
    expect(messages(ran.stdout).filter((m) => m.subtype === "success").length).toBe(2);
    expect(ran.stdout).not.toContain("nope");
  });

  test("prompts are echoed when they are taken, with the session's id", async () => {
    const ran = await once([say("a"), say("b")], [...input, "--replay-user-messages"], {
      stdin: lines(user("1"), user("2")),
    });
    const kinds = messages(ran.stdout).map((m) => (m.isReplay ? "echo" : m.type));
    expect(kinds).toEqual(["echo", "system", "assistant", "result", "echo", "system", "assistant", "result"]);
    expect(new Set(messages(ran.stdout).map((m) => m.session_id)).size).toBe(1);
  });

  test("set_model while a command runs: the next request uses it", async () => {
    await using model = await startFakeModel([
      call("Bash", { command: "while [ ! -e go ]; do sleep 0.02; done" }),
      say("ok"),
    ]);
    const box = boxFor(model);
    const { child, send } = driven(box, ["--allowedTools=Bash"]);
    send(user("x"));
    await model.request(0);
    send(request("set_model", { model: "claude-opus-4-5" }));
    for await (const line of readLines(child.stdout)) {
      if (line.type === "control_response") writeFileSync(join(box.cwd, "go"), "");
      if (line.type === "result") void child.stdin.end();
    }
    expect(model.requests.map((r) => String(r.body.model).includes("opus-4-5"))).toEqual([false, true]);
  });

  test("deny with interrupt ends the turn without asking for the calls beside it", async () => {
    const outside = ["/etc/a", "/etc/b", "/etc/c"].map((path) => call("Read", { file_path: path }));
    await using model = await startFakeModel([reply(outside)]);
    const { child, send } = driven(boxFor(model), ["--permission-prompt-tool=stdio"]);
    send(user("x"));
    const asked: unknown[] = [];
    const ends: Record<string, unknown>[] = [];
    for await (const line of readLines(child.stdout)) {
      if (line.type === "control_request") {
        asked.push(line.request_id);
        const response = { behavior: "deny", message: "no", interrupt: true };
        send({ type: "control_response", response: { subtype: "success", request_id: line.request_id, response } });
      }
      if (line.type !== "result") continue;
      ends.push(line);
      void child.stdin.end();
    }
    expect([asked.length, ends.map((end) => end.subtype)]).toEqual([1, ["error_during_execution"]]);
    expect(ends[0]?.permission_denials).toHaveLength(1);
  });

  test("the budget is the session's, not each prompt's", async () => {
    const price = { input: 0, output: 1_000_000, cacheWrite5m: 0, cacheRead: 0 };
    const settings = JSON.stringify({ models: { m: { price } } });
    const usage = { output_tokens: 1, input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
    const script = ["1", "2", "3"].map((text) => reply([say(text)], { usage }));
    const args = [...input, "--model=m", "--settings", settings, "--max-budget-usd=2"];
    const ran = await once(script.slice(0, 2), args, { stdin: lines(user("a"), user("b"), user("c")) });
    const results = messages(ran.stdout).filter((m) => m.type === "result");
    expect(results.map((m) => m.subtype)).toEqual(["success", "success", "error_max_budget_usd"]);
  });
});

describe("long answers and limits", () => {
  test("an answer cut at the output limit is printed whole", async () => {
    const ran = await once([reply([say("PART ONE, ")], { stopReason: "max_tokens" }), say("PART TWO")], ["-p", "x"]);
    expect(ran.stdout).toBe("PART ONE, PART TWO\n");
  });

  test("asking again for structured output counts against --max-turns and says how it failed", async () => {
    const schema = JSON.stringify({ type: "object", properties: { a: { type: "string" } }, required: ["a"] });
    const args = ["-p", "x", "--max-turns", "2", "--json-schema", schema];
    const ran = await once([say("no"), say("never")], [...args, "--output-format", "json"]);
    expect([ran.requests.length, ran.code]).toEqual([2, 1]);
    const text = await once(
      Array.from({ length: 6 }, () => say("no")),
      ["-p", "x", "--json-schema", schema],
    );
    expect([text.code, text.stdout]).toEqual([1, "Error: The model gave no output that fits --json-schema\n"]);
  });

  test("a command left in the background may finish after the answer", async () => {
    const ran = await once(
      [call("Bash", { command: "sleep 0.3; echo done > made.txt", run_in_background: true }), say("started")],
      ["-p", "x", "--allowedTools", "Bash,Edit"],
    );
    expect([ran.stdout, readdirSync(ran.box.cwd)]).toEqual(["started\n", ["made.txt"]]);
  });
});

describe("signals", () => {
  test("a second one ends it at once, and everything it started", async () => {
    const loop = "trap '' TERM; while :; do sleep 0.2; done";
    await using model = await startFakeModel([
      call("Bash", { command: "sleep 300", run_in_background: true }),
      call("Bash", { command: loop }),
    ]);
    const child = start(boxFor(model), ["-p", "x", ...YES]);
    await model.request(1);
    const children = await waitFor(() => sleepers(child.pid).length > 1 && sleepers(child.pid));
    child.kill("SIGINT");
    await Bun.sleep(20);
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    await waitFor(() => children.every((pid) => !alive(pid)));
  });

  test("a reader that does not read does not keep it from ending", async () => {
    await using model = await startFakeModel([say("x".repeat(2_000_000))], { deltaSize: 100 });
    const box = boxFor(model);
    const script = '"$0" -p x "$@" | sleep 20';
    const shell = Bun.spawn(["sh", "-c", script, BINARY, ...STREAM, "--include-partial-messages"], {
      cwd: box.cwd,
      env: box.env,
    });
    await model.request(0);
    const pid = await waitFor(() => childOf(shell.pid, "nanocode") ?? false);
    await Bun.sleep(300);
    process.kill(pid, "SIGTERM");
    await waitFor(() => !alive(pid));
    process.kill(childOf(shell.pid, "sleep") ?? 0, "SIGKILL");
    await shell.exited;
  });

  test("it ends at once while it waits for stdin", async () => {
    const box = boxFor();
    const child = Bun.spawn([BINARY, "-p"], {
      cwd: box.cwd,
      env: { ...box.env, ANTHROPIC_API_KEY: "k" },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
    await Bun.sleep(150);
    const began = performance.now();
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    expect(performance.now() - began).toBeLessThan(1000);
  });

  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    test(`${signal} ends a running command and leaves a session that resumes`, async () => {
      await using model = await startFakeModel([call("Bash", { command: "sleep 300 & sleep 301" }), say("resumed")]);
      const box = boxFor(model);
      const child = start(box, ["-p", "x", ...STREAM, ...YES], { env: { IS_SANDBOX: "1" } });
      await model.request(0);
      const children = await waitFor(() => sleepers(child.pid).length > 0 && sleepers(child.pid));
      const began = performance.now();
      child.kill(signal);
      expect(await child.exited).toBe(code);
      expect(performance.now() - began).toBeLessThan(2500);
      expect(children.filter((pid) => alive(pid))).toEqual([]);
      const again = await run(box, ["-c", "-p", "go on", ...STREAM]);
      expect(again.code).toBe(0);
      expect(model.violations).toEqual([]);
      expect(JSON.stringify(model.requests.at(-1)?.body.messages)).toContain("nterrupted");
    });
  }
});

describe("sessions", () => {
  test("continue, resume, fork, unknown and taken ids", async () => {
    await using model = await startFakeModel([say("one"), say("two"), say("three"), say("four")]);
    const box = boxFor(model);
    const id = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
    const texts = (i: number) => model.requests[i]?.body.messages.map((m) => JSON.stringify(m.content)).join(" ") ?? "";
    expect((await run(box, ["-p", "first", "--session-id", id])).stdout).toBe("one\n");
    const project = readdirSync(join(box.home, ".nanocode", "sessions"))[0] ?? "";
    const file = join(box.home, ".nanocode", "sessions", project, `${id}.jsonl`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await run(box, ["-c", "-p", "second"])).stdout).toBe("two\n");
    expect(texts(1)).toContain("first");
    const other = join(box.home, "elsewhere");
    mkdirSync(other);
    expect((await run(box, ["-p", "third", "--resume", id, "--fork-session"], { cwd: other })).stdout).toBe("three\n");
    expect(texts(2)).toContain("second");
    expect((await run(box, ["-p", "fourth", `--resume=${id}`])).stdout).toBe("four\n");
    expect(texts(3)).not.toContain("third");
    const taken = await run(box, ["-p", "x", "--session-id", id]);
    expect([taken.code, taken.stdout]).toEqual([1, ""]);
    const unknown = await run(box, ["-p", "x", "-r", "00000000-0000-4000-8000-000000000000"]);
    expect([unknown.code, unknown.stderr.trim()]).toEqual([
      1,
      "No conversation found with session ID: 00000000-0000-4000-8000-000000000000",
    ]);
    expect(model.violations).toEqual([]);
    const list = await run(box, ["sessions", "list"]);
    expect(list.stdout).toContain(id);
    expect(list.stdout).toContain("first");
  });

  test("--no-session-persistence leaves nothing behind", async () => {
    const ran = await once([say("x")], ["-p", "x", "--no-session-persistence"]);
    expect(ran.stdout).toBe("x\n");
    expect(Bun.spawnSync(["find", ran.box.home, "-name", "*.jsonl"]).stdout.toString()).toBe("");
  });
});

describe("permissions in print mode", () => {
  const edit = (cwd: string) => call("Write", { file_path: join(cwd, "new.txt"), content: "hi" });

  test("reads inside the project run, the rest is denied with a reason", async () => {
    await using model = await startFakeModel((request, index) =>
      index === 0
        ? reply([
            call("Read", { file_path: "a.txt" }),
            call("Read", { file_path: "/etc/hostname" }),
            edit("."),
            call("Bash", { command: "touch ran" }),
          ])
        : say(JSON.stringify(request.body.messages.at(-1)?.content)),
    );
    const box = boxFor(model);
    writeFileSync(join(box.cwd, "a.txt"), "inside\n");
    const ran = await run(box, ["-p", "x"]);
    expect(ran.stdout).toContain("inside");
    expect(ran.stdout).toContain("--add-dir");
    expect(ran.stderr).toBe("");
    expect(readdirSync(box.cwd)).toEqual(["a.txt"]);
  });

  test("each denial is a message of its own; --verbose tells the calls on stderr", async () => {
    const script = () => [call("Bash", { command: "touch x" }, { id: "t9" }), say("ok")];
    const lines = messages((await once(script(), ["-p", "x", ...STREAM])).stdout);
    expect(lines.find((m) => m.subtype === "permission_denied")).toMatchObject({
      tool_name: "Bash",
      tool_use_id: "t9",
      message: expect.stringContaining("--allowedTools 'Bash(touch x)'"),
    });
    const told = await once(script(), ["-p", "x", "--verbose"]);
    expect([told.stdout, told.stderr.split("\n").length]).toEqual(["ok\n", 3]);
    expect(told.stderr).toStartWith("* Bash: touch x\n  denied: Bash was not run");
  });

  test("acceptEdits edits, plan does not, a deny rule holds even when everything is allowed", async () => {
    const tried = async (args: string[]) => {
      await using model = await startFakeModel([edit("."), say("end")]);
      const box = boxFor(model);
      await run(box, ["-p", "x", ...args], { env: { IS_SANDBOX: "1" } });
      return [readdirSync(box.cwd), model.requests[0]?.body.tools?.map((tool) => tool.name).includes("Write")];
    };
    expect(await tried(["--permission-mode", "acceptEdits"])).toEqual([["new.txt"], true]);
    expect(await tried(["--permission-mode", "plan", "--allowedTools", "Write"])).toEqual([[], true]);
    expect(await tried(["--allowedTools", "Write"])).toEqual([["new.txt"], true]);
    expect(await tried(["--dangerously-skip-permissions", "--disallowedTools", "Write"])).toEqual([[], false]);
  });
});

/** The binary under a program that talks to it in lines. */
function driven(box: Sandbox, args: string[] = []) {
  const child = Bun.spawn([BINARY, "--input-format", "stream-json", ...STREAM, ...args], {
    cwd: box.cwd,
    env: box.env,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const send = (message: object) => {
    child.stdin.write(`${JSON.stringify(message)}\n`);
    void child.stdin.flush();
  };
  return { child, send };
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<Record<string, unknown>> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line) as Record<string, unknown>;
  }
}

/** Processes named sleep below `root`. */
function sleepers(root: number): number[] {
  const table = Bun.spawnSync(["ps", "-eo", "pid=,ppid=,comm="]).stdout.toString();
  const rows = table
    .trim()
    .split("\n")
    .map((row) => row.trim().split(/\s+/));
  const below = new Set([String(root)]);
  for (let grew = true; grew;) {
    const found = rows.filter(([pid = "", ppid = ""]) => below.has(ppid) && !below.has(pid));
    for (const [pid = ""] of found) below.add(pid);
    grew = found.length > 0;
  }
  return rows.filter(([pid = "", , name]) => below.has(pid) && name === "sleep").map(([pid]) => Number(pid));
}

function childOf(parent: number, name: string): number | undefined {
  const rows = Bun.spawnSync(["ps", "-o", "pid=,comm=", "--ppid", String(parent)])
    .stdout.toString()
    .trim()
    .split("\n");
  const row = rows.map((line) => line.trim().split(/\s+/)).find(([, comm]) => comm === name);
  return row ? Number(row[0]) : undefined;
}

function alive(pid: number): boolean {
  const stat = Bun.spawnSync(["ps", "-o", "stat=", "-p", String(pid)])
    .stdout.toString()
    .trim();
  return stat !== "" && !stat.startsWith("Z");
}

async function waitFor<T>(probe: () => T | false): Promise<T> {
  for (let i = 0; i < 400; i++) {
    const value = probe();
    if (value !== false) return value;
    await Bun.sleep(10);
  }
  throw new Error("waited 4 s in vain");
}

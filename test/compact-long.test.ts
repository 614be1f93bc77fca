// A thousand turns with twenty compactions and more: every promise is kept after each, and reloading gives the same.
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { shapeProblems } from "../src/context/invariants.ts";
import { messagesTokens } from "../src/context/budget.ts";
import { ModelError } from "../src/core/errors.ts";
import { Agent } from "../src/core/agent.ts";
import { normalise } from "../src/core/history.ts";
import { NO_USAGE } from "../src/core/state.ts";
import type { Compacted, Deps, Event, Message, ModelRequest, State, Tool } from "../src/core/types.ts";
import { BodyCache, requestPieces } from "../src/model/request.ts";
import { resolveModel } from "../src/model/catalog.ts";
import { load } from "../src/session/load.ts";
import { SessionStore } from "../src/session/store.ts";
import { RequestChecker, type MessagesBody } from "./fake-model-check.ts";
import { asksForSummary, answering, compactorWith, GOOD_SUMMARY, prose, THRESHOLD } from "./compact-kit.ts";
import { fold, folder, optionsIn } from "./session-kit.ts";
import { call, chance, problems, reply, START, text, tool, user, type Step } from "./support.ts";

const TURNS = 1_000;
const SEED = Number(process.env.SEED ?? 20_261_125);
const box = folder();
afterAll(() => box.remove());

/** What really happened, kept beside the conversation. */
class Truth {
  readonly edited = new Set<string>();
  todos: string[] = [];
  request = "";
  next = 0;
}

function toolbox(truth: Truth, dice: ReturnType<typeof chance>): Tool[] {
  const sizes = () => dice.pick([40, 200, 600, 1_500, 4_000]);
  return [
    tool("Read", { kind: "read", paths: ["/p/a"] }, () => ({
      content: prose(sizes(), dice.pick(["alpha", "beta", "źdźbło", "漢字"])),
    })),
    tool("Edit", { kind: "write", paths: ["/p/a"] }, ({ file_path }) => {
      if (dice.below(10) === 0) throw new Error("old text not found");
      truth.edited.add(String(file_path));
      return { content: "edited" };
    }),
    tool("Bash", { kind: "shell", command: "x" }, () =>
      dice.below(3) === 0
        ? { content: `${prose(sizes(), "log")}\n\nExit code 1`, isError: true }
        : { content: JSON.stringify({ ok: true, list: prose(sizes(), "x").split(" ") }) },
    ),
    tool("TodoWrite", { kind: "none" }, ({ todos }) => {
      truth.todos = (todos as { content: string }[]).map(({ content }) => content);
      return { content: "noted" };
    }),
  ];
}

function work(truth: Truth, dice: ReturnType<typeof chance>) {
  const one = () => {
    const id = `call${truth.next++}`;
    const path = `/p/src/${dice.below(60)}.ts`;
    switch (dice.below(5)) {
      case 0:
      case 1:
        return call(id, "Read", { file_path: path });
      case 2:
        return call(id, "Edit", {
          file_path: path,
          old_string: prose(dice.below(80)),
          new_string: prose(dice.below(200)),
        });
      case 3:
        return call(id, "Bash", { command: `npm test ${dice.below(4)}` });
      default:
        return call(id, "TodoWrite", {
          todos: Array.from({ length: dice.below(6) }, (_, n) => ({
            content: `todo ${id}-${n}: "finish" it`,
            status: n === 0 ? "in_progress" : "pending",
          })),
        });
    }
  };
  return Array.from({ length: 1 + dice.below(3) }, one);
}

/** One summary request in four goes wrong, in a way of its own. */
function summaryReply(dice: ReturnType<typeof chance>): Step[] {
  switch (dice.below(12)) {
    case 0:
      return reply([text("I will now go on with the work.")]);
    case 1:
      return [{ type: "throw", error: new ModelError("overloaded", "overloaded") }];
    case 2:
      return reply([call(`sum${dice.below(1e9)}`, "Read", { file_path: "x" })]);
    case 3:
      return reply([text(`${GOOD_SUMMARY}\n${prose(9_000)}`)]);
    default:
      return reply([text(GOOD_SUMMARY)]);
  }
}

function withUsage(steps: Step[], request: ModelRequest): Step[] {
  // The server counts in its own way: a fifth more than we estimate.
  const input = Math.round(messagesTokens(request.messages) * 1.2);
  return steps.map((step) =>
    step.type === "end" ? { ...step, usage: { ...NO_USAGE, input_tokens: input, output_tokens: 50 } } : step,
  );
}

function check(event: Compacted, before: State, truth: Truth): string[] {
  const found = [...shapeProblems(event.messages), ...problems(normalise(event.messages))];
  const users = event.messages.filter((m) => m.role === "user");
  const words = users.flatMap((m) => m.content.flatMap((b) => (b.type === "text" ? [b.text] : []))).join("\n");
  const calls = JSON.stringify(event.messages.map((m) => m.content.filter((b) => b.type === "tool_use")));
  if (!words.includes(truth.request)) found.push("the last request is lost");
  for (const path of truth.edited) if (!words.includes(path) && !calls.includes(path)) found.push(`${path} is lost`);
  if (event.how !== "pruned") for (const todo of truth.todos) if (!words.includes(todo)) found.push(`${todo} is lost`);
  if (messagesTokens(event.messages) >= messagesTokens(before.messages)) found.push("not smaller");
  if ((event.postTokens ?? Infinity) >= THRESHOLD) found.push(`over the threshold: ${event.postTokens}`);
  return found;
}

test(`a conversation of ${TURNS} turns (seed ${SEED})`, async () => {
  const dice = chance(SEED);
  const truth = new Truth();
  const checker = new RequestChecker();
  const cache = new BodyCache();
  const info = resolveModel("claude-sonnet-4-5");
  const wire: string[] = [];
  const state = { turns: 0, left: 0 };
  const provider = answering((request) => {
    const pieces = requestPieces(request, info, "m", cache);
    const body: MessagesBody = JSON.parse(pieces.join(""));
    wire.push(...checker.check(body));
    if (asksForSummary(request)) return withUsage(summaryReply(dice), request);
    state.turns++;
    const done = state.left-- <= 0;
    return withUsage(reply(done ? [text("done")] : [text(prose(dice.below(150))), ...work(truth, dice)]), request);
  });
  const tools = new Map(toolbox(truth, dice).map((t) => [t.spec.name, t]));
  const { compactor } = compactorWith({ provider, tools });
  const ids = { n: 0 };
  const deps: Deps = {
    provider,
    tools,
    compactor,
    admit: async () => ({ behavior: "allow" }),
    observe: async () => [],
    system: () => [],
    tune: () => ({ maxTokens: 4_000, thinking: { type: "disabled" } }),
    cost: () => 0,
    steering: () => [],
    limits: {},
    raw: false,
    now: () => 0,
    newId: () => `id${++ids.n}`,
  };
  const options = optionsIn(box.path);
  const store = new SessionStore(options);
  const agent: Agent = new Agent(deps, START, (event) => store.append(event));
  const broken: string[] = [];
  const hows: Record<string, number> = {};
  const watch = (event: Event, before: State) => {
    if (event.type === "done" && event.reason !== "end_turn") broken.push(`${event.reason}: ${event.error}`);
    if (event.type !== "compacted") return;
    hows[event.how ?? ""] = (hows[event.how ?? ""] ?? 0) + 1;
    // The announcement: only now may the next request begin otherwise.
    checker.forget();
    if (compactor.isDue(agent.state)) broken.push(`turn ${state.turns}, ${event.how}: due again at once`);
    broken.push(...check(event, before, truth).map((problem) => `turn ${state.turns}, ${event.how}: ${problem}`));
  };
  while (state.turns < TURNS && broken.length === 0) {
    truth.request = `request ${state.turns}: ${prose(dice.pick([10, 200, 2_000]), dice.pick(["please", "## Goal", "naïve"]))}!`;
    state.left = dice.below(20);
    let before = agent.state;
    for await (const event of agent.prompt(user(truth.request, `u${state.turns}`), new AbortController().signal)) {
      watch(event, before);
      before = agent.state;
    }
  }
  store.close();
  const { events, notices } = await load(join(options.path));
  expect({ broken, wire, notices }).toEqual({ broken: [], wire: [], notices: [] });
  expect(fold(events)).toEqual(agent.state);
  const summaries = Object.values(hows).reduce((a, b) => a + b, 0) - (hows.pruned ?? 0);
  console.log(`${state.turns} turns, ${JSON.stringify(hows)}, ${truth.edited.size} files`);
  expect(summaries).toBeGreaterThanOrEqual(20);
  expect((hows.listed ?? 0) > 0 && (hows.summarised ?? 0) > 0).toBe(true);
  // The record keeps everything that was ever said.
  const all = events.flatMap((event) => (event.type === "message" ? [event.message] : []));
  expect(all.filter((m: Message) => m.role === "assistant").length).toBe(state.turns);
}, 120_000);

// What a long session costs: 120 turns on a real package against a server that bills by prefix, and the building of requests.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { normalise } from "../../src/core/history.ts";
import type { AssistantMessage, Message, ModelRequest, Usage } from "../../src/core/types.ts";
import { cost as priceOf, resolveModel } from "../../src/model/catalog.ts";
import { CacheGuard } from "../../src/model/guard.ts";
import { BodyBuffer, BodyCache, requestPieces } from "../../src/model/request.ts";
import type { MessagesBody } from "../../test/fake-model-check.ts";
import { startBilling, type Bill, type Billed } from "./billing.ts";
import { makePackage, SUMMARY, TURNS, Work } from "./cost-work.ts";
import type { Row } from "./table.ts";
import { BINARY, done, freshHome, pathVariable, prose, runPrint, type World } from "./world.ts";

const MODEL = "claude-sonnet-5-5";
/** Small enough for two compactions in 120 turns. */
const WINDOW = 120_000;
const MESSAGES = 2_000;

export async function cost(world: World): Promise<Row[]> {
  return [...(await session(world)), await firstRequest(world), building()];
}

async function session(world: World): Promise<Row[]> {
  freshHome(world);
  const { requests, lines } = await work(world);
  const compactions = lines.filter((line) => line.subtype === "compact_boundary").length;
  const warned = lines.filter(
    ({ level, content }) => level === "warning" && /prompt cache/.test(String(content)),
  ).length;
  const breaks = requests.filter(({ isSummary, extends: whole }) => !isSummary && !whole).length;
  // The first request after a compaction writes the new history; it belongs to the compaction.
  const outside = requests.filter((one) => !one.isSummary && one.extends);
  const all = sum(requests);
  const steady = sum(outside);
  const usage: Usage = usageOf(all);
  const paid = priceOf(MODEL, usage) ?? Number.NaN;
  const uncached = priceOf(MODEL, { ...usageOf(all), input_tokens: inputOf(all), ...NOTHING }) ?? Number.NaN;
  const told = Number(lines.find((line) => line.type === "result")?.total_cost_usd);
  const reported = { name: "the result's total_cost_usd", values: [told] };
  world.say(`cost: ${requests.length} requests, ${compactions} compactions, ${breaks} new prefixes`);
  const what = `${TURNS}-turn session, ${compactions} compactions`;
  return [
    { what: `${what}: input tokens`, unit: "tokens", ours: [inputOf(all)] },
    { what: "its tokens written to the cache", unit: "tokens", ours: [all.written] },
    { what: "its tokens neither read nor written", unit: "tokens", ours: [all.input] },
    { what: "its output tokens", unit: "tokens", ours: [all.output] },
    {
      what: "its input from the cache, outside compactions",
      unit: "%",
      ours: [share(steady)],
      aim: { least: 97 },
      other: { name: "with them", values: [share(all)] },
    },
    {
      what: "its prefixes broken unannounced",
      unit: "breaks",
      ours: [Math.max(breaks - compactions, warned)],
      aim: { value: 0 },
    },
    { what: `its price (${MODEL})`, unit: "$", ours: [paid], other: reported, aim: { ratio: 1.001 } },
    { what: "the same without a cache", unit: "$", ours: [uncached] },
  ];
}

const NOTHING = { cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };

type Line = Record<string, unknown>;

/** The session in the real binary: what each request was billed, and what the program said. */
async function work({ dir }: World): Promise<{ requests: Billed[]; lines: Line[] }> {
  const root = join(dir, "package");
  makePackage(root);
  mkdirSync(join(root, ".git"), { recursive: true });
  const script = new Work(root);
  const server = startBilling((body) =>
    asksForSummary(body)
      ? { blocks: [{ type: "text", text: SUMMARY }], isSummary: true }
      : { blocks: script.next(body), isSummary: false },
  );
  const settings = JSON.stringify({ models: { [MODEL]: { contextWindow: WINDOW } } });
  const flags = ["--model", MODEL, "--settings", settings, "--permission-mode", "bypassPermissions"];
  const prompt = "Look at every module of src/v4/core, break and mend each once, and keep the tests green.";
  const stdout = join(dir, "cost-stdout");
  try {
    const child = Bun.spawn([BINARY, "-p", prompt, ...flags, "--output-format", "stream-json", "--verbose"], {
      cwd: root,
      env: {
        PATH: pathVariable(),
        HOME: join(dir, "home"),
        TMPDIR: join(dir, "tmp"),
        LANG: "C.UTF-8",
        ANTHROPIC_BASE_URL: server.url,
        ANTHROPIC_API_KEY: "bench-key",
      },
      stdio: ["ignore", Bun.file(stdout), "pipe"],
    });
    const [stderr, code] = await Promise.all([child.stderr.text(), child.exited]);
    const problem = server.failures[0] ?? (code === 0 ? undefined : `exit code ${code}: ${stderr.slice(0, 2000)}`);
    if (problem !== undefined) throw new Error(`the session of bench cost: ${problem}`);
    if (script.turns !== TURNS + 1) throw new Error(`the session of bench cost ended after ${script.turns} answers`);
  } finally {
    await server.stop();
  }
  const lines = readFileSync(stdout, "utf8").split("\n").filter(Boolean);
  return { requests: server.billing.requests, lines: lines.map((line): Line => JSON.parse(line)) };
}

function asksForSummary({ messages }: MessagesBody): boolean {
  return JSON.stringify(messages.at(-1)).includes("Do not call a tool.");
}

function sum(bills: readonly Bill[]): Bill {
  const add = (field: keyof Bill) => bills.reduce((total, bill) => total + bill[field], 0);
  return { input: add("input"), written: add("written"), read: add("read"), output: add("output") };
}

function inputOf({ input, written, read }: Bill): number {
  return input + written + read;
}

function share(bill: Bill): number {
  return (100 * bill.read) / inputOf(bill);
}

function usageOf({ input, written, read, output }: Bill): Usage {
  return {
    input_tokens: input,
    output_tokens: output,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: read,
  };
}

async function firstRequest(world: World): Promise<Row> {
  freshHome(world);
  const { lastRequest } = await runPrint(world, { replies: [done] });
  const body = lastRequest.slice(lastRequest.indexOf("\r\n\r\n") + 4);
  const ours = [Buffer.byteLength(body)];
  return { what: "first request of an empty project", unit: "bytes", ours, aim: { value: 32_000 } };
}

/** A turn more each time, as in a session; beside it the same body by JSON.stringify alone. */
function building(): Row {
  const info = resolveModel(MODEL);
  const [cache, buffer, guard] = [new BodyCache(), new BodyBuffer(), new CacheGuard()];
  const system = [{ text: prose(20_000, 1), cache: true }];
  let messages = Array.from({ length: MESSAGES - 1 }, (_, n) => message(n));
  const ours: number[] = [];
  const plain: number[] = [];
  for (let run = -5; run < 20; run++) {
    const began = performance.now();
    const request: ModelRequest = {
      model: MODEL,
      system,
      messages: normalise(messages),
      tools: [],
      maxTokens: 32_000,
      thinking: { type: "adaptive" },
      raw: false,
      restartable: () => true,
    };
    const { kind } = guard.check(request);
    buffer.fill(requestPieces(request, info, MODEL, cache)).release();
    const built = performance.now();
    JSON.stringify(request);
    const written = performance.now();
    if (kind === "broken") throw new Error("a history that only grew broke the prefix");
    const { length } = messages;
    messages = [...messages, message(length), message(length + 1)];
    // The first serialise what is new to them: a session has done that turn by turn.
    if (run < 0) continue;
    ours.push(built - began);
    plain.push(written - built);
  }
  const other = { name: "`JSON.stringify` of it", values: plain };
  return {
    what: `a request of ${MESSAGES.toLocaleString("en-US")} messages, built and guarded`,
    unit: "ms",
    ours,
    other,
    aim: { value: 5 },
  };
}

/** A call and its result of 2 kB, in turn. */
function message(n: number): Message {
  const id = `toolu_${n - (n % 2)}`;
  if (n % 2 === 1)
    return {
      role: "assistant",
      ...REPLY,
      id: `a${n}`,
      content: [{ type: "tool_use", id: `toolu_${n + 1}`, name: "Read", input: { file_path: `f${n}` } }],
    };
  return {
    role: "user",
    id: `u${n}`,
    content:
      n === 0 ? [{ type: "text", text: "go" }] : [{ type: "tool_result", tool_use_id: id, content: prose(2_000, n) }],
  };
}

const REPLY: Pick<AssistantMessage, "model" | "stopReason" | "usage"> = {
  model: MODEL,
  stopReason: "tool_use",
  usage: { input_tokens: 1, output_tokens: 1, ...NOTHING },
};

// A model server that bills like the real one: prefixes at cache marks are written once, read while they live, and priced.
import { messageFrames } from "../../test/fake-model-wire.ts";
import type { MessagesBody, WireBlock } from "../../test/fake-model-check.ts";
import type { FakeBlock } from "../../test/fake-model.ts";

export type Bill = { input: number; written: number; read: number; output: number };
/** `extends`: the request before it (of the same kind) is its beginning. */
export type Billed = Bill & { extends: boolean; bytes: number; isSummary: boolean };

const BYTES_PER_TOKEN = 3.3;
/** Shorter prefixes are not kept. */
const LEAST_TOKENS = 1_024;
/** From each mark so many blocks are looked at, backwards. */
const LOOK_BACK = 20;
const LIFE_S = 300;
/** A request comes so long after the one before: the model's answer and the tools' work, on the clock of the bill. */
const TURN_S = 20;
const MAX_MARKS = 4;

type Block = { chain: bigint; bytes: number; marked: boolean };

/** The cache of one organisation, and what each request cost. */
export class Billing {
  readonly requests: Billed[] = [];
  /** When each prefix was last used, in seconds. */
  readonly #kept = new Map<bigint, number>();
  #before: Block[] = [];

  /** `isSummary`: asked beside the conversation; what follows is compared with what came before it. */
  count(body: MessagesBody, bytes: number, isSummary: boolean): Billed {
    const now = this.requests.length * TURN_S;
    const chain = chainOf(body);
    const marks = chain.flatMap((block, at) => (block.marked ? [at] : []));
    if (marks.length > MAX_MARKS) throw new Error(`${marks.length} cache marks`);
    const hit = Math.max(-1, ...marks.map((mark) => this.#hit(chain, mark, now)));
    const tokensTo = (at: number) => Math.round((chain[at]?.bytes ?? 0) / BYTES_PER_TOKEN);
    for (const at of [...marks, hit]) {
      const block = chain[at];
      if (block && tokensTo(at) >= LEAST_TOKENS) this.#kept.set(block.chain, now);
    }
    const read = tokensTo(hit);
    const marked = tokensTo(marks.at(-1) ?? -1);
    const until = marked >= LEAST_TOKENS ? marked : read;
    const input = tokensTo(chain.length - 1) - until;
    const extended = chain[this.#before.length - 1]?.chain === this.#before.at(-1)?.chain;
    if (!isSummary) this.#before = chain;
    const billed = { input, written: until - read, read, output: 0, extends: extended, bytes, isSummary };
    this.requests.push(billed);
    return billed;
  }

  #hit(chain: readonly Block[], mark: number, now: number): number {
    for (let at = mark; at >= 0 && at > mark - LOOK_BACK; at--) {
      const used = this.#kept.get(chain[at]?.chain ?? 0n);
      if (used !== undefined && now - used <= LIFE_S) return at;
    }
    return -1;
  }
}

/** Tools, system and messages as one line of blocks; each `chain` stands for all up to there, `bytes` too. */
function chainOf(body: MessagesBody): Block[] {
  const out: Block[] = [];
  const add = (blocks: readonly unknown[], context: string) => {
    for (const block of blocks) {
      const before = out.at(-1);
      const text = JSON.stringify(block, (key, value: unknown) => (key === "cache_control" ? undefined : value));
      const chain = Bun.hash.xxHash64(`${context}${text}`, before?.chain ?? Bun.hash.xxHash64(body.model));
      const marked = typeof block === "object" && block !== null && "cache_control" in block;
      out.push({ chain, bytes: (before?.bytes ?? 0) + Buffer.byteLength(text), marked });
    }
  };
  add(body.tools ?? [], "tools");
  add(blocksOf(body.system ?? []), "system");
  // Another way of thinking keeps tools and system text, and loses the messages.
  for (const { role, content } of body.messages) add(blocksOf(content), role + JSON.stringify(body.thinking ?? null));
  return out;
}

function blocksOf(content: string | readonly WireBlock[]): readonly unknown[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}

export type Answers = (body: MessagesBody) => { blocks: readonly FakeBlock[]; isSummary: boolean };

/** Serves `answers` at a free port of this machine. An answer that throws is a 400, and `failures` says why. */
export function startBilling(answers: Answers) {
  const billing = new Billing();
  const failures: string[] = [];
  const answer = async (request: Request): Promise<Response> => {
    const text = await request.text();
    const body: MessagesBody = JSON.parse(text);
    const { blocks, isSummary } = answers(body);
    const bill = billing.count(body, Buffer.byteLength(text), isSummary);
    bill.output = Math.ceil(JSON.stringify(blocks).length / BYTES_PER_TOKEN);
    const input = {
      input_tokens: bill.input,
      cache_creation_input_tokens: bill.written,
      cache_read_input_tokens: bill.read,
    };
    const usage = { output_tokens: bill.output };
    const index = billing.requests.length;
    const wire = { kind: "message" as const, blocks: [...blocks], deltaSize: 400, index, input, usage };
    const frames = [...messageFrames(wire, body.model)].map((frame) => frame.text).join("");
    return new Response(frames, { headers: { "content-type": "text/event-stream; charset=utf-8" } });
  };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) =>
      answer(request).catch((error: unknown) => {
        failures.push(String(error));
        const message = String(error);
        return Response.json({ type: "error", error: { type: "invalid_request_error", message } }, { status: 400 });
      }),
  });
  return { url: `http://127.0.0.1:${server.port}`, billing, failures, stop: () => server.stop(true) };
}

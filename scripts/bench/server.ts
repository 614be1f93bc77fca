// The stage: a lean model server that starts the programs itself, so that one clock times both sides. See job.ts.
import { readFileSync, rmSync } from "node:fs";
import type { Socket } from "bun";
import { messageFrames } from "../../test/fake-model-wire.ts";
import type { FromStage, Job, Memory, Outcome, Turn } from "./job.ts";

const OFTEN_MS = 4;
const NOT_FOUND = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";

type Upload = { chunks: Buffer[]; size: number; expected: number; isMessage: boolean };
type Connection = { upload: Upload; unsent: Uint8Array };

/** One run. Replies are rendered before the program starts. */
class Run {
  readonly turns: Turn[] = [];
  pid = 0;
  memory: Memory = { peak: 0, anonymous: 0, mapped: 0 };
  lastRequest = "";
  failure: string | undefined;
  #replies: Uint8Array[];
  #started = 0;
  #thinkMs: number;

  constructor(job: Job) {
    this.#thinkMs = job.thinkMs ?? 0;
    this.#replies = job.replies.map((blocks, index) => rendered(job, blocks, index));
  }
  begin(): void {
    this.#started = performance.now();
  }
  now(): number {
    return performance.now() - this.#started;
  }
  look(): boolean {
    const memory = memoryOf(this.pid);
    // A process has no memory for a moment, when it begins and when it ends.
    if (memory && memory.peak >= this.memory.peak) this.memory = memory;
    return memory !== undefined;
  }
  arrived(socket: Socket<Connection>, { chunks, size }: Upload): void {
    const arrived = this.now();
    this.look();
    const reply = this.#replies[this.turns.length];
    const turn = { ...this.memory, arrived, answering: 0, answered: 0, bytes: size };
    this.turns.push(turn);
    if (this.turns.length === this.#replies.length) this.lastRequest = Buffer.concat(chunks).toString("utf8");
    if (this.#thinkMs > 0) setTimeout(() => this.#answer(socket, turn, reply), this.#thinkMs);
    else this.#answer(socket, turn, reply);
  }
  #answer(socket: Socket<Connection>, turn: Turn, reply: Uint8Array | undefined): void {
    turn.answering = this.now();
    if (reply) send(socket, reply, () => (turn.answered = this.now()));
    else socket.end(NOT_FOUND);
  }
}

const state: { run?: Run; kill?: () => void; sent: WeakMap<Socket<Connection>, () => void> } = { sent: new WeakMap() };

const server = Bun.listen<Connection>({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    open(socket) {
      socket.data = { upload: emptyUpload(), unsent: new Uint8Array() };
    },
    data: received,
    drain: flush,
    error(_socket, error) {
      if (state.run) state.run.failure = String(error);
    },
  },
});

function emptyUpload(): Upload {
  return { chunks: [], size: 0, expected: -1, isMessage: false };
}

function received(socket: Socket<Connection>, chunk: Buffer): void {
  const { upload } = socket.data;
  upload.chunks.push(Buffer.from(chunk));
  upload.size += chunk.length;
  if (upload.expected < 0) readHead(upload);
  if (upload.expected < 0 || upload.size < upload.expected) return;
  socket.data.upload = emptyUpload();
  if (upload.isMessage && state.run) state.run.arrived(socket, upload);
  else socket.write(NOT_FOUND);
}

/** How many bytes the whole request has, once its head is complete. Clients here do not pipeline. */
function readHead(upload: Upload): void {
  const seen = upload.chunks.length === 1 ? upload.chunks[0] : Buffer.concat(upload.chunks);
  const end = seen?.indexOf("\r\n\r\n") ?? -1;
  if (!seen || end < 0) return;
  const head = seen.toString("latin1", 0, end);
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  upload.isMessage = /^POST \/v1\/messages[ ?]/.test(head);
  upload.expected = end + 4 + Number(length ?? 0);
  if (upload.isMessage && length === undefined && state.run) state.run.failure = `a body without a length: ${head}`;
}

function send(socket: Socket<Connection>, bytes: Uint8Array, done: () => void): void {
  socket.data.unsent = bytes;
  state.sent.set(socket, done);
  flush(socket);
}

function flush(socket: Socket<Connection>): void {
  const { unsent } = socket.data;
  if (unsent.length === 0) return;
  socket.data.unsent = unsent.subarray(Math.max(0, socket.write(unsent)));
  if (socket.data.unsent.length === 0) state.sent.get(socket)?.();
}

/** A whole HTTP response: the events of one message, in chunks of one event each. */
function rendered({ deltaSize = 24 }: Job, blocks: Job["replies"][number], index: number): Uint8Array {
  const input = { input_tokens: 1000, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
  const frames = messageFrames({ kind: "message", blocks: [...blocks], deltaSize, index, input }, "bench-model");
  const head =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n";
  const parts = [...frames].map(({ text }) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
  return Buffer.from([head, ...parts, "0\r\n\r\n"].join(""));
}

function memoryOf(pid: number): Memory | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const text = readFileSync(`/proc/${pid}/status`, "latin1");
    const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) * 1024;
    const peak = field("VmHWM");
    if (/^State:\s+[ZX]/m.test(text)) return undefined;
    return { peak, anonymous: field("RssAnon"), mapped: field("RssFile") };
  } catch {
    return undefined; // It has ended.
  }
}

async function perform(job: Job): Promise<Outcome> {
  const run = new Run(job);
  state.run = run;
  Bun.gc(true);
  const env = { ...job.env, ANTHROPIC_BASE_URL: `http://127.0.0.1:${server.port}`, ANTHROPIC_API_KEY: "bench-key" };
  const command = job.command.map((part) => part.replace("{server}", env.ANTHROPIC_BASE_URL));
  // Bun writes over a file and leaves the rest of it as it was.
  rmSync(job.stdout, { force: true });
  run.begin();
  const child = Bun.spawn(command, {
    cwd: job.cwd,
    env,
    stdio: ["ignore", Bun.file(job.stdout), "pipe"],
  });
  const ended = child.exited.then(() => run.now());
  run.pid = child.pid;
  state.kill = () => child.kill("SIGKILL");
  if (job.memory === "busy") while (run.look()); // It ends by itself in milliseconds.
  const timer = job.memory === "often" ? setInterval(() => run.look(), OFTEN_MS) : undefined;
  const [exited, stderr] = await Promise.all([ended, child.stderr.text()]);
  clearInterval(timer);
  if (run.failure !== undefined) throw new Error(run.failure);
  const { turns, memory, lastRequest } = run;
  const used = child.resourceUsage()?.cpuTime;
  // Bun counts in microseconds.
  const cpu = Number(used?.total ?? 0) / 1000;
  return { code: child.exitCode, stderr, exited, turns, peak: memory.peak, cpu, lastRequest };
}

process.on("message", (job: Job) => {
  const reply = (message: FromStage) => process.send?.(message);
  perform(job).then(
    (outcome) => reply({ outcome }),
    (error: unknown) => reply({ failure: error instanceof Error ? error.message : String(error) }),
  );
});
process.on("disconnect", () => {
  state.kill?.();
  process.exit(0);
});

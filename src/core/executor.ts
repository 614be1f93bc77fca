// Runs the calls of one reply: early when harmless, reads side by side, everything else alone and in order.
import { nearest } from "./nearest.ts";
import type {
  Access,
  CallOutcome,
  Confinement,
  Deps,
  Event,
  State,
  Tool,
  ToolContext,
  ToolOutput,
  ToolUse,
} from "./types.ts";

const MAX_PARALLEL = 10;
/** How long an interrupted tool may take to hand over what it has. */
const ABORT_GRACE_MS = 500;
/** The last bound on what the model reads; tools have tighter ones of their own. */
const MAX_RESULT_CHARS = 200_000;

type ToolEnd = Extract<Event, { type: "tool.end" }>;
type Ready = { tool: Tool; input: unknown };
type Slot = {
  call: ToolUse;
  /** Undefined: the call cannot run; `problem` says why. */
  ready: Ready | undefined;
  problem: string;
  phase: "waiting" | "running" | "done";
};

export type ExecutorOptions = {
  deps: Pick<Deps, "tools" | "admit" | "observe" | "now">;
  state(): State;
  emit(event: Event): void;
  signal: AbortSignal;
};

export class Executor {
  #slots: Slot[] = [];
  #released = false;
  #held: Event[] = [];
  #idle: (() => void)[] = [];
  #options: ExecutorOptions;
  /** Ends what runs and what is asked when the person says "no, and stop". */
  #stopped = new AbortController();
  #signal: AbortSignal;
  /** The person answered a question with "no, and stop". */
  interrupted = false;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#stopped.signal]);
  }

  /** True once a tool of this reply has begun: from then on the reply must not be asked for again. */
  get started(): boolean {
    return this.#slots.some((slot) => slot.phase !== "waiting" && slot.ready !== undefined);
  }

  /** A complete call, perhaps while the reply still streams. `fault`: its input could not be read. */
  add(call: ToolUse, fault?: string): void {
    const { ready, problem } = fault === undefined ? this.#prepare(call) : { ready: undefined, problem: fault };
    this.#slots.push({ call, ready, problem, phase: "waiting" });
    this.#schedule();
  }

  /** The reply was voided before anything started. */
  reset(): void {
    this.#slots = [];
    this.#held = [];
  }

  /** The reply is recorded: results go out and everything may run. */
  release(): void {
    this.#released = true;
    for (const event of this.#held.splice(0)) this.#options.emit(event);
    this.#schedule();
  }

  /** What has not started never will; each gets an error result with this reason. */
  cancelWaiting(reason: string, outcome: CallOutcome = "error"): void {
    for (const slot of this.#slots) {
      if (slot.phase === "waiting") this.#end(slot, { content: reason, isError: true }, outcome, 0);
    }
  }

  /** Resolves when every call has its result. */
  async settle(): Promise<void> {
    while (this.#slots.some((slot) => slot.phase !== "done")) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
  }

  #prepare(call: ToolUse): { ready: Ready | undefined; problem: string } {
    const tool = this.#options.deps.tools.get(call.name);
    if (!tool) return { ready: undefined, problem: unknownTool(call.name, [...this.#options.deps.tools.keys()]) };
    try {
      return { ready: { tool, input: tool.parse(call.input) }, problem: "" };
    } catch (error) {
      return { ready: undefined, problem: messageOf(error) };
    }
  }

  #schedule(): void {
    let reading = 0;
    for (const slot of [...this.#slots]) {
      if (slot.phase === "done") continue;
      const shared = !slot.ready || isShared(this.#accessOf(slot.ready));
      if (slot.phase === "running") {
        if (!shared) return;
        reading++;
        continue;
      }
      if (shared) {
        if (reading >= MAX_PARALLEL) return;
        if (!this.#released && !isEager(slot.ready && this.#accessOf(slot.ready))) continue;
        reading++;
        this.#start(slot);
        continue;
      }
      // Alone: after all before it, and only once the reply is recorded (an unrecorded write is the worst kind).
      if (reading > 0 || !this.#released) return;
      this.#start(slot);
      return;
    }
  }

  #start(slot: Slot): void {
    if (this.#signal.aborted) {
      this.#end(slot, { content: "Interrupted before it started.", isError: true }, "aborted", 0);
      return;
    }
    if (!slot.ready) {
      this.#end(slot, { content: slot.problem, isError: true }, "error", 0);
      return;
    }
    slot.phase = "running";
    void this.#run(slot, slot.ready);
  }

  /** The one place where a thrown tool error becomes a result. */
  async #run(slot: Slot, ready: Ready): Promise<void> {
    const { deps, emit } = this.#options;
    const signal = this.#signal;
    const began = deps.now();
    try {
      const title = ready.tool.title(ready.input);
      const admission = await deps.admit(asParsed(slot.call, ready), this.#accessOf(ready), title, signal);
      // After the question, so that a screen shows what was asked before what began.
      emit({ type: "tool.start", call: slot.call, title });
      if (admission.behavior === "deny") {
        if (admission.interrupt) this.#stop();
        this.#end(slot, { content: admission.message, isError: true }, "denied", deps.now() - began);
        return;
      }
      const input = admission.input ? ready.tool.parse(admission.input) : ready.input;
      const isChanged = input !== ready.input && JSON.stringify(input) !== JSON.stringify(ready.input);
      const ctx = { ...this.#context(slot.call, admission.confine ?? "open"), isChanged };
      const output = await withAbort(ready.tool.run(input, ctx), signal);
      if (output.interrupt) this.#stop();
      await this.#observeAndEnd(slot, output, began);
    } catch (error) {
      const outcome = signal.aborted ? "aborted" : "error";
      this.#end(slot, { content: messageOf(error), isError: true }, outcome, deps.now() - began);
    }
  }

  #stop(): void {
    this.interrupted = true;
    this.#stopped.abort(new Error("Not run: the person declined another call and stopped."));
    this.cancelWaiting("Not run: the person declined the call before it and stopped.", "aborted");
  }

  async #observeAndEnd(slot: Slot, output: ToolOutput, began: number): Promise<void> {
    const { deps } = this.#options;
    const notes = await deps.observe(slot.call, toResult(slot.call, output));
    const outcome = this.#signal.aborted ? "aborted" : output.isError ? "error" : "ok";
    this.#end(slot, withNotes(output, notes), outcome, deps.now() - began);
  }

  #context(call: ToolUse, confine: Confinement): ToolContext {
    const { state, emit } = this.#options;
    return {
      cwd: state().cwd,
      callId: call.id,
      confine,
      signal: this.#signal,
      progress: (text) => emit({ type: "tool.progress", id: call.id, text }),
      chdir: (cwd) => emit({ type: "cwd", cwd }),
      child: (event) => emit({ type: "child", id: call.id, event }),
    };
  }

  #end(slot: Slot, output: ToolOutput, outcome: CallOutcome, durationMs: number): void {
    slot.phase = "done";
    const { call } = slot;
    const event: ToolEnd = { type: "tool.end", call, result: toResult(call, output), outcome, durationMs };
    if (output.view) event.view = output.view;
    if (output.data !== undefined) event.data = output.data;
    if (this.#released) this.#options.emit(event);
    else this.#held.push(event);
    const waiting = this.#idle.splice(0);
    for (const wake of waiting) wake();
    this.#schedule();
  }

  #accessOf({ tool, input }: Ready): Access {
    return tool.access(input, this.#options.state().cwd);
  }
}

/** What is judged and shown is what will run: a quoted number or truth in the input is the one it was taken for. */
function asParsed(call: ToolUse, { input }: Ready): ToolUse {
  return typeof input === "object" && input !== null ? { ...call, input: { ...call.input, ...input } } : call;
}

function isShared(access: Access): boolean {
  return isEager(access) || access.kind === "agent";
}

/** It may begin before the reply is recorded: it changes nothing. A call that cannot run does not either. */
function isEager(access: Access | undefined): boolean {
  return access === undefined || access.kind === "none" || access.kind === "read";
}

function toResult(call: ToolUse, output: ToolOutput) {
  const content = bounded(output.content);
  const result = { type: "tool_result" as const, tool_use_id: call.id, content };
  return output.isError ? { ...result, is_error: true } : result;
}

/** The API refuses an empty error result, and a model takes an empty text for a failure. */
function bounded(content: ToolOutput["content"]): ToolOutput["content"] {
  if (typeof content !== "string") return content.length > 0 ? content : "(no output)";
  if (content === "") return "(no output)";
  if (content.length <= MAX_RESULT_CHARS) return content;
  return `${content.slice(0, MAX_RESULT_CHARS)}\n[Cut: ${content.length - MAX_RESULT_CHARS} more characters. Ask for a smaller part.]`;
}

function withNotes(output: ToolOutput, notes: string[]): ToolOutput {
  if (notes.length === 0) return output;
  const text = notes.join("\n");
  const content =
    typeof output.content === "string"
      ? `${output.content}\n${text}`
      : [...output.content, { type: "text" as const, text }];
  return { ...output, content };
}

/** A tool that ignores the signal does not hold up the person: after a short grace its call counts as interrupted. */
async function withAbort(work: Promise<ToolOutput>, signal: AbortSignal): Promise<ToolOutput> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => {
    const timer = setTimeout(() => reject(new Error("Interrupted.")), ABORT_GRACE_MS);
    const clear = () => clearTimeout(timer);
    work.then(clear, clear);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function unknownTool(name: string, known: string[]): string {
  const near = nearest(name, known);
  const hint = near ? ` Did you mean ${near}?` : "";
  return `There is no tool named ${name}.${hint} The tools are: ${known.join(", ")}.`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}

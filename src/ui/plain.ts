// The plain interactive mode: lines in, lines out. For dumb terminals and screen readers, and nothing but a terminal needed.
import type { CommandResult, Conversation } from "../commands/command.ts";
import { findCommand, isCommand, runCommand } from "../commands/builtin.ts";
import { promptContent } from "../commands/skills.ts";
import { textOf } from "../core/state.ts";
import type { Answer, DoneReason, Event, Host, Question, UserMessage } from "../core/types.ts";
import { remark, step } from "./headless.ts";
import { terminalColumns, type Out } from "./out.ts";
import { changePreview } from "./preview.ts";
import { questionText, readAnswer, rowWidth } from "./question.ts";
import { oneLine, sanitize } from "./sanitize.ts";
import { Typing, type Entry } from "./typing.ts";

type Phase =
  | { kind: "idle" }
  /** The model or a command is at work. */
  | { kind: "running"; controller: AbortController }
  | { kind: "asking"; controller: AbortController; answer(line: string): void; stop(): void };

const IDLE: Phase = { kind: "idle" };
const NO_MORE: Answer = { behavior: "deny", interrupt: true };
const PROMPT = "\n> ";
const ASKING = "? ";

export type PlainOptions = { conversation: Conversation; out: Out; lines: AsyncIterable<string> };

export class Plain {
  #conversation: Conversation;
  #out: Out;
  #lines: AsyncIterable<string>;
  #typing = new Typing<Phase>({
    mark: () => this.#phase,
    take: (entry) => this.#take(entry),
    onGoesOn: () => {
      if (this.#phase.kind === "idle") this.#out.write("... ");
    },
  });
  #phase: Phase = IDLE;
  /** Waits to be sent, or run. */
  #typed: string[] = [];
  /** Typed before the person interrupted: it was about something else than what comes now. */
  #unsent: string[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  #leaving = false;
  /** Ctrl-C was pressed at the prompt; the next one leaves. */
  #warned = false;
  /** The cursor is in the middle of streamed text. */
  #midLine = false;

  constructor({ conversation, out, lines }: PlainOptions) {
    this.#conversation = conversation;
    this.#out = out;
    this.#lines = lines;
  }

  readonly host: Host = { ask: (question, signal) => this.#ask(question, signal) };

  get conversation(): Conversation {
    return this.#conversation;
  }

  /** What was typed while the model worked, up to the first command; it steers the run between turns. */
  steering(): UserMessage[] {
    this.#typing.flush();
    const [first] = this.#typed;
    if (first === undefined || isCommand(first)) return [];
    return [userMessage(this.#shift() ?? "")];
  }

  /** Runs until the person leaves; returns the exit code. */
  async run(first?: string): Promise<number> {
    void this.#read();
    this.#say(
      `nanocode ${this.#conversation.version}, ${this.#conversation.agent.state.model}. /help lists the commands.`,
    );
    const earlier = this.#conversation.agent.state.messages.find((message) => message.role === "user");
    if (earlier) this.#say(`Going on with: ${oneLine(textOf(earlier), 70)}`);
    if (first) this.#typed.push(first);
    while (!this.#leaving) {
      const waited = this.#typed.length > 0;
      if (!waited) this.#out.write(PROMPT);
      const text = await this.#next();
      if (text === undefined) break;
      if (text.trim() === "") continue;
      if (!isCommand(text)) {
        await this.#answer(userMessage(text));
        continue;
      }
      // It was typed some time ago: what is said now belongs to it.
      if (waited) this.#say(`> ${oneLine(text)}`);
      await this.#command(text);
    }
    return 0;
  }

  /** One prompt and its answer, with nobody to type; returns how it ended. */
  async show(message: UserMessage, signal: AbortSignal): Promise<DoneReason | undefined> {
    let reason: DoneReason | undefined;
    for await (const event of this.#conversation.agent.prompt(message, signal)) {
      this.#show(event);
      if (event.type === "done") reason = event.reason;
    }
    return reason;
  }

  /** The process is told to stop. */
  leave(): void {
    this.#leaving = true;
    if (this.#phase.kind !== "idle") this.#phase.controller.abort(new Error("stopped"));
    this.#wake?.();
  }

  /** Ctrl-C. The first interrupts what runs (or warns); the second leaves. Returns true when it is time to go. */
  interrupt(): boolean {
    const dropped = this.#typing.drop();
    if (this.#phase.kind === "idle") {
      if (this.#warned) return true;
      this.#warned = true;
      this.#say(dropped === undefined ? "(Ctrl-C again leaves)" : "(dropped; Ctrl-C again leaves)");
      this.#goOnWaiting();
      return false;
    }
    if (this.#phase.controller.signal.aborted) return true;
    if (dropped?.trim()) this.#typed.push(dropped);
    this.#holdBack();
    this.#phase.controller.abort(new Error("interrupted"));
    return false;
  }

  async #answer(message: UserMessage): Promise<void> {
    const controller = new AbortController();
    this.#phase = { kind: "running", controller };
    await this.show(message, controller.signal);
    await this.#conversation.settled();
    this.#rest();
  }

  async #command(line: string): Promise<void> {
    const controller = new AbortController();
    this.#phase = { kind: "running", controller };
    const result = await this.#result(line, controller.signal);
    this.#rest();
    if (result === undefined) return this.#say("(interrupted)");
    if (result.kind === "exit") this.#leaving = true;
    else if (result.kind === "prompt")
      await this.#answer({ ...userMessage(result.text), content: promptContent(result) });
    else this.#say(sanitize(result.text));
    if (result.kind === "replaced") this.#conversation = result.conversation;
  }

  /** Undefined: interrupted. */
  async #result(line: string, signal: AbortSignal): Promise<CommandResult | undefined> {
    try {
      return await runCommand(line, { conversation: this.#conversation, signal, event: (event) => this.#show(event) });
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  }

  /** Nothing runs any more. */
  #rest(): void {
    this.#phase = IDLE;
    const unsent = this.#unsent.splice(0);
    if (unsent.length > 0) this.#sayUnsent("you interrupted before it was its turn", unsent);
  }

  #show(event: Event): void {
    switch (event.type) {
      case "text.delta":
        this.#stream(sanitize(event.text));
        return;
      case "message":
        if (event.message.role === "assistant") this.#endLine();
        return;
      case "mode":
        this.#say(`(permission mode: ${event.mode})`);
        return;
      case "done":
        if (event.reason !== "end_turn") this.#say(ended(event));
        return;
      default: {
        const line = step(event) ?? remark(event);
        // The result of a call is set in below it.
        if (line) this.#say(`${line.startsWith("  ") ? "  " : ""}${oneLine(line, 500)}`);
      }
    }
  }

  async #ask(question: Question, signal: AbortSignal): Promise<Answer> {
    const width = rowWidth(terminalColumns());
    const change = await changePreview(question, { width });
    signal.throwIfAborted();
    if (this.#phase.kind !== "running") return NO_MORE;
    if (this.#ended) return this.#stop();
    const running = this.#phase;
    this.#say(questionText(question, { change, width }));
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const onAbort = () => reject(new Error("Interrupted by the person."));
    signal.addEventListener("abort", onAbort, { once: true });
    this.#phase = {
      kind: "asking",
      controller: running.controller,
      answer: (line) => resolve(readAnswer(line, question)),
      stop: () => resolve(this.#stop()),
    };
    this.#out.write(ASKING);
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#phase = running;
    }
  }

  /** Nobody is there to answer: a no, and the model is not asked what to do instead. */
  #stop(): Answer {
    this.#holdBack();
    return NO_MORE;
  }

  #holdBack(): void {
    this.#unsent.push(...this.#typed.splice(0));
  }

  async #read(): Promise<void> {
    for await (const line of this.#lines) {
      // The terminal shows what is typed: its Enter began a new line.
      this.#midLine = false;
      this.#typing.line(line);
    }
    this.#typing.end();
    this.#ended = true;
    if (this.#phase.kind === "asking") this.#phase.stop();
    this.#wake?.();
  }

  #take({ text: typed, began, isCut }: Entry<Phase>): void {
    this.#warned = false;
    const text = isCommand(typed.trim()) ? typed.trim() : typed;
    if (isCut) {
      this.#sayUnsent("the terminal keeps 4,095 bytes of one line, and the rest of it is lost. Put it into a file", []);
      return this.#goOnWaiting();
    }
    if (began.kind === "asking" && began !== this.#phase) return this.#sayUnsent("the question is gone", [text]);
    if (this.#phase.kind === "idle") return this.#put(text);
    if (isCommand(text) && (began.kind === "running" || findCommand(text, this.#conversation)))
      return this.#meanwhile(text);
    if (this.#phase.kind === "asking" && began === this.#phase) return this.#phase.answer(text);
    // The API refuses a message of nothing but blanks.
    if (text.trim() === "") return;
    this.#put(text);
    if (this.#phase.kind !== "asking") return;
    this.#say("(typed before the question: no answer to it, but told to the model)");
    this.#goOnWaiting();
  }

  /** A command while the model or another command works: what only shows something does so now. */
  #meanwhile(line: string): void {
    const found = findCommand(line, this.#conversation);
    if (this.#phase.kind === "idle") return this.#put(line);
    if (!found || found.command.onlyShows(found.argument)) {
      return void this.#glance(line, this.#phase.controller.signal);
    }
    this.#put(line);
    this.#say(`(${oneLine(line)}: when this is done; Ctrl-C ends it now)`);
    this.#goOnWaiting();
  }

  async #glance(line: string, signal: AbortSignal): Promise<void> {
    const result = await this.#result(line, signal);
    if (result?.kind === "say") this.#say(sanitize(result.text));
    this.#goOnWaiting();
  }

  #put(text: string): void {
    this.#typed.push(text);
    this.#wake?.();
  }

  /** After something was said in between: what is waited for is shown again. */
  #goOnWaiting(): void {
    if (this.#phase.kind === "asking") this.#out.write(ASKING);
    if (this.#phase.kind === "idle") this.#out.write(PROMPT);
  }

  #sayUnsent(why: string, texts: readonly string[]): void {
    const lines = texts.flatMap((text) => sanitize(text).split("\n"));
    this.#say([`(not sent: ${why})`, ...lines.map((line) => `  | ${line}`)].join("\n"));
  }

  async #next(): Promise<string | undefined> {
    while (this.#typed.length === 0 && !this.#ended && !this.#leaving) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#leaving ? undefined : this.#shift();
  }

  /** A command, or all the text before the next one. */
  #shift(): string | undefined {
    const [first] = this.#typed;
    if (first === undefined || isCommand(first)) return this.#typed.shift();
    const count = this.#typed.findIndex(isCommand);
    return this.#typed.splice(0, count < 0 ? this.#typed.length : count).join("\n");
  }

  #stream(text: string): void {
    if (text === "") return;
    this.#out.write(text);
    this.#midLine = !text.endsWith("\n");
  }

  #endLine(): void {
    if (this.#midLine) this.#out.write("\n");
    this.#midLine = false;
  }

  #say(text: string): void {
    this.#endLine();
    this.#out.write(`${text}\n`);
  }
}

function userMessage(text: string): UserMessage {
  return { role: "user", id: crypto.randomUUID(), content: [{ type: "text", text }] };
}

function ended({ reason, error }: Extract<Event, { type: "done" }>): string {
  switch (reason) {
    case "error":
      return `Error: ${sanitize(error ?? "unknown")}`;
    case "aborted":
      return "(interrupted)";
    case "max_turns":
      return "(stopped: the maximum number of turns is reached)";
    case "budget":
      return "(stopped: the budget is used up)";
    case "refusal":
      return "(the model declined to answer)";
    case "end_turn":
      return "";
    default:
      return reason satisfies never;
  }
}

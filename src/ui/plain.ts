// The plain interactive mode: lines in, lines out. For dumb terminals and screen readers, and nothing but a terminal needed.
import type { Conversation } from "../commands/command.ts";
import { runCommand } from "../commands/builtin.ts";
import { textOf } from "../core/state.ts";
import type { Answer, DoneReason, Event, Host, Question, UserMessage } from "../core/types.ts";
import { remark, step } from "./headless.ts";
import type { Out } from "./out.ts";
import { oneLine, reveal, sanitize } from "./sanitize.ts";

/** Lines that arrive together were pasted: they are one message. */
const PASTE_MS = 20;

type Phase =
  | { kind: "idle" }
  | { kind: "running"; controller: AbortController }
  | { kind: "asking"; controller: AbortController; answer(line: string): void };

export type PlainOptions = { conversation: Conversation; out: Out; lines: AsyncIterable<string> };

export class Plain {
  #conversation: Conversation;
  #out: Out;
  #lines: AsyncIterable<string>;
  #phase: Phase = { kind: "idle" };
  #typed: string[] = [];
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

  /** What was typed while the model worked; it steers the run between turns. */
  steering(): UserMessage[] {
    if (this.#typed.length === 0) return [];
    return [userMessage(this.#typed.splice(0).join("\n"))];
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
      if (this.#typed.length === 0) this.#out.write("\n> ");
      const text = await this.#next();
      if (text === undefined) break;
      if (text.trim() === "") continue;
      if (text.startsWith("/") && !text.includes("\n")) await this.#command(text);
      else await this.#answer(userMessage(text));
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
    if (this.#phase.kind === "idle") {
      if (this.#warned) return true;
      this.#warned = true;
      this.#say("(Ctrl-C again leaves)");
      return false;
    }
    if (this.#phase.controller.signal.aborted) return true;
    this.#phase.controller.abort(new Error("interrupted"));
    return false;
  }

  async #answer(message: UserMessage): Promise<void> {
    const controller = new AbortController();
    this.#phase = { kind: "running", controller };
    await this.show(message, controller.signal);
    this.#phase = { kind: "idle" };
    await this.#conversation.settled();
  }

  async #command(line: string): Promise<void> {
    const result = await this.#interruptible((signal) =>
      runCommand(line, { conversation: this.#conversation, signal }),
    );
    if (result === undefined) return this.#say("(interrupted)");
    if (result.kind === "exit") this.#leaving = true;
    else if (result.kind === "prompt") await this.#answer(userMessage(result.text));
    else this.#say(sanitize(result.text));
    if (result.kind === "replaced") this.#conversation = result.conversation;
  }

  /** Undefined: Ctrl-C ended it. */
  async #interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    const controller = new AbortController();
    this.#phase = { kind: "running", controller };
    try {
      return await work(controller.signal);
    } catch (error) {
      if (controller.signal.aborted) return undefined;
      throw error;
    } finally {
      this.#phase = { kind: "idle" };
    }
  }

  #show(event: Event): void {
    switch (event.type) {
      case "text.delta":
        this.#stream(sanitize(event.text));
        return;
      case "message":
        if (event.message.role === "assistant") this.#endLine();
        return;
      case "done":
        if (event.reason !== "end_turn") this.#say(ended(event));
        return;
      default: {
        const line = step(event) ?? remark(event);
        if (line) this.#say(oneLine(line, 500));
      }
    }
  }

  async #ask(question: Question, signal: AbortSignal): Promise<Answer> {
    if (this.#phase.kind !== "running" || this.#ended) return { behavior: "deny", interrupt: true };
    const { controller } = this.#phase;
    this.#say(questionText(question));
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const onAbort = () => reject(new Error("Interrupted by the person."));
    signal.addEventListener("abort", onAbort, { once: true });
    this.#phase = { kind: "asking", controller, answer: resolve };
    this.#out.write("? ");
    try {
      return readAnswer(await promise, question.always !== undefined);
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#phase = { kind: "running", controller };
    }
  }

  async #read(): Promise<void> {
    let continued = "";
    for await (const line of this.#lines) {
      if (line.endsWith("\\")) {
        continued += `${line.slice(0, -1)}\n`;
        continue;
      }
      this.#warned = false;
      const text = continued + line;
      continued = "";
      if (this.#phase.kind === "asking") this.#phase.answer(text);
      else this.#typed.push(text);
      this.#wake?.();
    }
    this.#ended = true;
    if (this.#phase.kind === "asking") this.#phase.answer("n");
    this.#wake?.();
  }

  async #next(): Promise<string | undefined> {
    while (this.#typed.length === 0 && !this.#ended && !this.#leaving) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    if (this.#typed.length === 0 || this.#leaving) return undefined;
    await Bun.sleep(PASTE_MS);
    return this.#typed.splice(0).join("\n");
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

const COLUMNS = 74;

/** A long line in pieces: one the terminal breaks could end in something that looks like a line of ours. */
function slices(line: string): string[] {
  const parts = [""];
  let width = 0;
  for (const char of line) {
    const columns = Bun.stringWidth(char);
    if (width + columns > COLUMNS) {
      parts.push("");
      width = 0;
    }
    parts.push(`${parts.pop() ?? ""}${char}`);
    width += columns;
  }
  return parts;
}

function userMessage(text: string): UserMessage {
  return { role: "user", id: crypto.randomUUID(), content: [{ type: "text", text }] };
}

/** The whole of what would run, in lines that nothing in it can imitate: each begins with a bar. */
export function questionText({ call, access, title, reason, touches, always }: Question): string {
  const what = access.kind === "shell" ? access.command : title;
  const lines = [
    `${reveal(call.name)} wants to ${access.kind === "shell" ? "run" : "do"}:`,
    ...visible(what).flatMap((line) => slices(line).map((part, i) => `  ${i === 0 ? "|" : ":"} ${part}`)),
    ...change(call).flatMap((line) =>
      visible(line)
        .flatMap(slices)
        .map((part) => `  | ${part}`),
    ),
    ...touches.map((line) => `  - ${visible(line).join(" ")}`),
    `  because ${visible(reason).join(" ")}`,
    "  y = yes, once",
  ];
  if (always) {
    const where = always.saved ? ", kept in this project's local settings" : ", for this session";
    lines.push(`  a = yes, and always: ${always.rules.map((rule) => visible(rule).join(" ")).join(", ")}${where}`);
  }
  return [...lines, "  n = no; or say what to do instead"].join("\n");
}

const SHOWN_LINES = 40;

/** What an edit takes out and puts in; of a long text the beginning, and how much more there is. */
function change({ input }: Question["call"]): string[] {
  const lines = (value: unknown, sign: string) =>
    typeof value === "string"
      ? value
          .replace(/\n$/, "")
          .split("\n")
          .map((line) => `${sign} ${line}`)
      : [];
  const all = [...lines(input["old_string"], "-"), ...lines(input["new_string"] ?? input["content"], "+")];
  const more = all.length - SHOWN_LINES;
  return more > 0 ? [...all.slice(0, SHOWN_LINES), `... and ${more} more lines`] : all;
}

/** Lines for a person's eyes: nothing cut, nothing invisible, and long runs of blanks, which push text out of sight, counted. */
function visible(text: string): string[] {
  const counted = (blanks: string) => `[${blanks.length} blanks]`;
  return reveal(text)
    .split("\n")
    .map((line) =>
      line
        .replaceAll("\t", "\\t")
        .replace(/(?<=\S) {8,}/g, counted)
        .replace(/ {40,}/g, counted),
    );
}

/** An empty line is a no. Anything that is not an answer is a message to the model. */
function readAnswer(line: string, mayAlways: boolean): Answer {
  const word = line.trim().toLowerCase();
  if (word === "y" || word === "yes") return { behavior: "allow", scope: "once" };
  if (mayAlways && (word === "a" || word === "always")) return { behavior: "allow", scope: "always" };
  if (word === "" || word === "n" || word === "no") return { behavior: "deny" };
  return { behavior: "deny", message: `The person declined this call and said: ${line.trim()}` };
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

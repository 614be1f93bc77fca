// argv to one front end and an exit code. The only place that ends the process.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Conversation } from "./commands/command.ts";
import { keepRules } from "./commands/keep.ts";
import { compose } from "./compose.ts";
import type { Setup } from "./conversation.ts";
import { help, parseArgs } from "./config/args.ts";
import type { Options } from "./config/flags.ts";
import { places, projectSlug, type Env, type Places } from "./config/paths.ts";
import { mergeSettings } from "./config/settings.ts";
import { UsageError } from "./core/errors.ts";
import type { Host, UserMessage } from "./core/types.ts";
import { VERSION } from "./core/version.ts";
import type { JudgingWorld } from "./judging.ts";
import { asked, judged, trustText, unasked, type Judged, type TrustWorld } from "./project.ts";
import { fdOut, isTerminal, type Out } from "./ui/out.ts";
import { sanitize } from "./ui/sanitize.ts";
import { debugLog, type Log } from "./utils/debug.ts";
import { realPath } from "./utils/paths.ts";
import { killTrackedNow } from "./utils/process.ts";

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
const SOFTWARE = 70;
const CLOSED_PIPE = 141;
/** A run that does not end by itself after a signal is ended. */
const PATIENCE_MS = 2_000;
const LAST_WORDS_MS = 100;
/** How long commands the model left in the background may go on after the last result. */
const BACKGROUND_MS = 5_000;

type World = { env: Env; cwd: string; places: Places; out: Out; err: Out; stop: Stop };

/** What ends the run from outside, and the code to leave with then. */
class Stop {
  readonly controller = new AbortController();
  code: number | undefined;
  /** What is still to be written before the process ends. */
  readonly outs: Out[] = [];
  /** What must not outlive us, however we end. */
  readonly cleanups: (() => void)[] = [killTrackedNow];
  /** Ctrl-C in the terminal: true when it was taken care of. */
  onInterrupt: (() => boolean) | undefined;

  with(code: number): void {
    if (this.code !== undefined) this.exit(this.code);
    this.code = code;
    this.controller.abort(new Error("stopped"));
    setTimeout(() => this.exit(code), PATIENCE_MS).unref();
  }

  /** Once all is written. Told to stop, a reader that does not read is not waited for. */
  async leave(code: number): Promise<void> {
    const written = Promise.all(this.outs.map((out) => out.drained()));
    await (this.code === undefined ? written : Promise.race([written, Bun.sleep(LAST_WORDS_MS)]));
    this.exit(this.code ?? code);
  }

  exit(code: number): never {
    for (const cleanup of this.cleanups) cleanup();
    process.exit(code);
  }
}

export async function run(argv: string[]): Promise<void> {
  const stop = new Stop();
  const closed = () => stop.with(CLOSED_PIPE);
  const env: Env = process.env;
  const world: World = {
    env,
    cwd: "",
    places: places(env),
    out: fdOut(1, { isTerminal: await isTerminal(1), onClosed: closed }),
    err: fdOut(2, { isTerminal: await isTerminal(2), onClosed: closed }),
    stop,
  };
  stop.outs.push(world.out, world.err);
  const fatal = (error: unknown) => crashed(error, world);
  process.on("uncaughtException", fatal);
  process.on("unhandledRejection", fatal);
  for (const [name, code] of Object.entries(SIGNALS)) {
    if (name === "SIGHUP" && hangupIgnored()) continue;
    process.on(name, () => {
      if (name === "SIGINT" && stop.onInterrupt?.()) return;
      stop.with(code);
    });
  }
  try {
    const code = await dispatch(argv, { ...world, cwd: workingFolder() });
    await stop.leave(code);
  } catch (error) {
    if (!(error instanceof UsageError)) return fatal(error);
    world.err.write(`${sanitize(error.message)}\n`);
    await stop.leave(1);
  }
}

/** Started with nohup: the terminal may go, we stay. */
function hangupIgnored(): boolean {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
    return (BigInt(`0x${mask}`) & 1n) === 1n;
  } catch {
    return false; // no such file on this system
  }
}

/** Throws UsageError when it was deleted. */
function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    throw new UsageError("The working directory no longer exists. Change to one that does and start again.");
  }
}

function crashed(error: unknown, { places: { nanocode }, err, stop }: World): void {
  const path = join(nanocode, "debug", "crash.log");
  debugLog(path)(error instanceof Error ? (error.stack ?? error.message) : String(error));
  const what = error instanceof Error ? error.message : String(error);
  err.write(`nanocode failed: ${sanitize(what)}. The details are in ${path}; please report them.\n`);
  void stop.leave(SOFTWARE);
}

async function dispatch(argv: string[], world: World): Promise<number> {
  const { command, options } = parseArgs(argv);
  switch (command.kind) {
    case "help":
      world.out.write(`${help()}\n`);
      return 0;
    case "version":
      world.out.write(`${VERSION} (nanocode)\n`);
      return 0;
    case "demo":
      return demo(world);
    case "sessions": {
      const { sessionsCommand } = await import("./commands/sessions.ts");
      const where = { root: world.places.sessions, project: projectSlug(world.cwd), now: Date.now() };
      world.out.write(`${sanitize(await sessionsCommand(command.args, where))}\n`);
      return 0;
    }
    case "permissions": {
      const { runPermissions } = await import("./judging.ts");
      return runPermissions(command.args, judgingWorld(options, world));
    }
    case "status": {
      const { statusText } = await import("./judging.ts");
      world.out.write(`${sanitize(await statusText(command.args, judgingWorld(options, world)))}\n`);
      return 0;
    }
    case "memory": {
      const { memoryText } = await import("./judging.ts");
      world.out.write(`${sanitize(await memoryText(command.args, judgingWorld(options, world)))}\n`);
      return 0;
    }
    case "compact": {
      const { compactText } = await import("./judging.ts");
      world.out.write(`${sanitize(await compactText(command.args, judgingWorld(options, world)))}\n`);
      return 0;
    }
    case "trust":
      world.out.write(`${sanitize(trustText(command.args, trustWorld(world)))}\n`);
      return 0;
    case "run": {
      const interactive = !options.print && world.out.isTerminal && (await isTerminal(0));
      return interactive ? plain(command.prompt, options, world) : print(command.prompt, options, world);
    }
    default:
      return command satisfies never;
  }
}

/** `nanocode permissions` only asks: nothing has to be brought to an end when it is told to stop. */
function judgingWorld(options: Options, world: World): JudgingWorld {
  const { signal } = world.stop.controller;
  signal.addEventListener("abort", () => void world.stop.leave(0));
  const setupIn = (cwd: string) =>
    setupFor(options, { ...world, cwd }, unasked(options, trustWorld({ ...world, cwd })));
  return { ...world, signal, setupIn, onExit: (cleanup) => void world.stop.cleanups.push(cleanup) };
}

function warnOn(err: Out, text: string): void {
  err.write(`nanocode: ${sanitize(text)}\n`);
}

/** The project of the working folder, for those who decide what of it may act. */
function trustWorld({ cwd, places: where, err }: World): TrustWorld {
  return { cwd, places: where, warn: (text) => warnOn(err, text) };
}

/** What compose needs besides the host. */
function setupFor(options: Options, world: World, { project, trust }: Judged): Omit<Setup, "host" | "steering"> {
  const { env, cwd, places: where, err, stop } = world;
  const warn = (text: string) => warnOn(err, text);
  const trusts = (folder: string) => trust.trusts(realPath(folder));
  const { settings, warnings } = mergeSettings(project.sources, { home: where.home, trusts });
  warnings.forEach(warn);
  return {
    options,
    settings,
    places: where,
    env: { ...settings.env, ...env },
    cwd,
    isTrusted: trust.open.length === 0,
    warn,
    log: logFor(options, world),
    onExit: (cleanup) => void stop.cleanups.push(cleanup),
    keepRules: (rules) =>
      keepRules(rules, { cwd, isPersonal: project.isPersonal, add: (folder, items) => trust.add(folder, items) }),
  };
}

function logFor({ debug, debugFile }: Options, { places: { nanocode }, cwd, err }: World): Log | undefined {
  if (debug === undefined && debugFile === undefined) return undefined;
  const path = debugFile === undefined ? join(nanocode, "debug", `${process.pid}.log`) : resolve(cwd, debugFile);
  err.write(`nanocode: debug log in ${path}\n`);
  const parts = typeof debug === "string" ? debug.split(",").map((part) => `${part.trim()}:`) : undefined;
  const log = debugLog(path);
  return (line) => {
    if (!parts || parts.some((part) => line.startsWith(part))) log(line);
  };
}

async function print(argument: string | undefined, options: Options, world: World): Promise<number> {
  if (options.inputFormat === "stream-json") return controlled(options, world);
  const [{ readPrompt }, { printHost }] = await Promise.all([import("./ui/stdin.ts"), import("./ui/printhost.ts")]);
  const setup = setupFor(options, world, unasked(options, trustWorld(world)));
  // Composed before the prompt is complete: the SDK loads while stdin is read, and a missing key is said at once.
  const conversation = await compose({ ...setup, host: printHost, steering: () => [] });
  const prompt = await readPrompt(argument, setup.warn, world.stop.controller.signal);
  return headless({ conversation, prompts: [userMessage(prompt)], options, world });
}

type HeadlessRun = {
  conversation: Conversation;
  prompts: AsyncIterable<UserMessage> | Iterable<UserMessage>;
  options: Options;
  world: World;
  onRun?(controller: AbortController): void;
};

async function headless({ conversation, prompts, options, world, onRun }: HeadlessRun): Promise<number> {
  const { runHeadless, textSink } = await import("./ui/headless.ts");
  const { out, err, stop } = world;
  const { jsonSink, lineEmitter, messageSink } = await import("./ui/streamjson.ts");
  const emit = lineEmitter(
    (text) => out.write(text),
    () => conversation.id,
  );
  const sink =
    options.outputFormat === "stream-json"
      ? messageSink(conversation, emit)
      : options.outputFormat === "json"
        ? jsonSink(conversation, (text) => out.write(text))
        : textSink(conversation, out, err);
  const signal = stop.controller.signal;
  const quiet = () => stop.code !== undefined && stop.code !== SIGNALS.SIGINT;
  try {
    return await runHeadless({ conversation, prompts, sink, signal, quiet, ...(onRun ? { onRun } : {}) });
  } finally {
    await conversation.idle(BACKGROUND_MS, signal);
    await conversation.close();
  }
}

/** stream-json input: prompts, requests and answers come as lines on stdin. */
async function controlled(options: Options, world: World): Promise<number> {
  const [{ Control }, { printHost }, { readLines }] = await Promise.all([
    import("./ui/control.ts"),
    import("./ui/printhost.ts"),
    import("./utils/jsonl.ts"),
  ]);
  const write = (message: object) => world.out.write(`${JSON.stringify(message)}\n`);
  const state: { control?: InstanceType<typeof Control> } = {};
  const asked: Host = {
    ask: (question, signal) => (state.control ? state.control.host : printHost).ask(question, signal),
  };
  const host = options.permissionPromptTool === "stdio" ? asked : printHost;
  const setup = setupFor(options, world, unasked(options, trustWorld(world)));
  const conversation = await compose({ ...setup, host, steering: () => [] });
  const isBypassed = conversation.agent.state.mode === "bypassPermissions";
  const isForbidden = setup.settings.permissions.disableBypassPermissionsMode === "disable";
  const control = new Control({
    lines: readLines(Bun.stdin.stream()),
    write,
    conversation: () => conversation,
    replay: options.replayUserMessages ?? false,
    mayBypass: isBypassed || (Boolean(options.allowDangerouslySkipPermissions) && !isForbidden),
  });
  state.control = control;
  world.stop.controller.signal.addEventListener("abort", () => control.end());
  const onRun = (controller: AbortController) => control.started(controller);
  return headless({ conversation, prompts: control.prompts(), options, world, onRun });
}

/** Together in the terminal. */
async function plain(prompt: string | undefined, options: Options, world: World): Promise<number> {
  const [{ Plain }, { readLines }] = await Promise.all([import("./ui/plain.ts"), import("./utils/jsonl.ts")]);
  const { out, stop } = world;
  const state: { front?: InstanceType<typeof Plain> } = {};
  const host: Host = {
    ask: async (question, signal) => state.front?.host.ask(question, signal) ?? { behavior: "deny" },
  };
  const steering = () => state.front?.steering() ?? [];
  const lines = readLines(Bun.stdin.stream());
  const found = await asked(options, trustWorld(world), {
    say: (text) => out.write(`${sanitize(text)}\n`),
    prompt: () => out.write("? "),
    lines,
    signal: stop.controller.signal,
  });
  if (stop.code !== undefined) return stop.code;
  const conversation = await compose({ ...setupFor(options, world, found), host, steering });
  const front = new Plain({ conversation, out, lines });
  state.front = front;
  stop.onInterrupt = () => !front.interrupt();
  stop.controller.signal.addEventListener("abort", () => front.leave());
  try {
    return await front.run(prompt);
  } finally {
    await front.conversation.close();
  }
}

/** The scripted show: the real loop and tools in a scratch folder. */
async function demo(world: World): Promise<number> {
  const [{ prepareDemo }, { scriptProvider }, { Plain }, { printHost }, { tmpdir }] = await Promise.all([
    import("./commands/demo.ts"),
    import("./model/script.ts"),
    import("./ui/plain.ts"),
    import("./ui/printhost.ts"),
    import("node:os"),
  ]);
  const show = prepareDemo({ tmp: world.env.TMPDIR ?? tmpdir(), env: { ...world.env } });
  const { text, name, vars } = show.script;
  const options: Options = { allowedTools: [...show.allow], noSessionPersistence: true, settingSources: [] };
  const where = { ...world, cwd: show.dir };
  const conversation = await compose({
    ...setupFor(options, where, judged(options, trustWorld(where))),
    chosen: { provider: scriptProvider(text, name, { vars }), model: "script", apiKeySource: "none" },
    host: printHost,
    steering: () => [],
  });
  const front = new Plain({ conversation, out: world.out, lines: noLines() });
  world.out.write(`${show.opening}\n> ${show.prompt}\n\n`);
  const done = await front.show(userMessage(show.prompt), world.stop.controller.signal);
  world.out.write(`\n${show.closing}`);
  await conversation.close();
  return done === "end_turn" ? 0 : 1;
}

async function* noLines(): AsyncGenerator<string> {
  // a show has no one to type
}

function userMessage(text: string): UserMessage {
  return { role: "user", id: crypto.randomUUID(), content: [{ type: "text", text }] };
}

// `nanocode permissions`: asks the engine what it would decide and why. Nothing that is asked about is run.
import { UsageError } from "../core/errors.ts";
import type { Judge, Query, Verdict } from "../core/verdict.ts";
import { explainText } from "./permissions-explain.ts";
import { queryOf } from "./permissions-query.ts";
import { answerLines } from "./permissions-stream.ts";
import type { ReplayWorld } from "./permissions-simulate.ts";
import type { TestWorld } from "./permissions-test.ts";

export type PermissionsWorld = ReplayWorld &
  TestWorld & {
    judge: Judge;
    /** Standard input. */
    lines(): AsyncIterable<string>;
    /** One line for programs. */
    data(value: unknown): void;
  };

/** Also what `permissions --help` prints. */
const USAGE = `Usage:
  nanocode permissions explain [--mode MODE] [--json] -- COMMAND
  nanocode permissions explain [--mode MODE] [--json] TOOL '{"parameter": "value"}'
      the decision, each part of it, and the smallest rule that would change it
  nanocode permissions explain --stdin [--mode MODE]
      JSON lines {id, command} or {id, tool, input}, with rules, mode, cwd and home if wanted; one answer per line
  nanocode permissions test FILE...
      cases with an expected decision, one JSON object per line; exit code 1 when one differs, 2 when one is unreadable
  nanocode permissions simulate SESSION [--mode MODE]
      the calls of a recorded conversation against today's rules
Also --settings, --setting-sources, --allowed-tools, --disallowed-tools, --permission-mode, --add-dir and --trust.`;
const VERBS = "permissions has three commands: explain, test and simulate";

/**
 * `args`: as config/args.ts leaves them: what followed `--` is one text behind the word `--`. Returns the exit code.
 * Throws UsageError.
 */
export async function permissionsCommand(args: readonly string[], world: PermissionsWorld): Promise<number> {
  const [verb, ...rest] = args;
  const given = read(rest);
  if (verb === "help" || verb === "--help" || verb === "-h" || given.help) {
    world.say(USAGE);
    return 0;
  }
  switch (verb) {
    case "explain":
      return explain(given, world);
    case "test": {
      const files = [...given.words, ...(given.text === undefined ? [] : [given.text])];
      const wrong = given.stdin ? "--stdin" : given.json ? "--json" : given.mode === undefined ? undefined : "--mode";
      if (wrong !== undefined) throw new UsageError(`error: permissions test takes no ${wrong}`);
      if (files.length === 0) throw new UsageError("error: name the files: nanocode permissions test FILE...");
      const { testFiles } = await import("./permissions-test.ts");
      return testFiles(files, world);
    }
    case "simulate": {
      const [session, extra] = [...given.words, ...(given.text === undefined ? [] : [given.text])];
      if (session === undefined || extra !== undefined || given.stdin || given.json) {
        throw new UsageError("error: name one conversation: nanocode permissions simulate SESSION [--mode MODE]");
      }
      const { simulate } = await import("./permissions-simulate.ts");
      world.say(await simulate(session, given.mode, world));
      return 0;
    }
    case undefined:
      throw new UsageError(`error: ${VERBS} (--help says how)`);
    default:
      throw new UsageError(`error: there is no "permissions ${verb}"; ${VERBS} (--help says how)`);
  }
}

type Given = {
  words: string[];
  /** What followed `--`. */
  text: string | undefined;
  mode: string | undefined;
  json: boolean;
  stdin: boolean;
  help: boolean;
};

function read(args: readonly string[]): Given {
  const given: Given = { words: [], text: undefined, mode: undefined, json: false, stdin: false, help: false };
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? "";
    if (word === "--") {
      given.text = args.slice(i + 1).join(" ");
      break;
    }
    if (word === "--json") given.json = true;
    else if (word === "--stdin") given.stdin = true;
    else if (word === "--help" || word === "-h") given.help = true;
    else if (word === "--mode") given.mode = args[++i] ?? "";
    else if (word.startsWith("--mode=")) given.mode = word.slice("--mode=".length);
    else if (/^-./.test(word)) throw new UsageError(`error: unknown option '${word}' (nanocode permissions --help)`);
    else given.words.push(word);
  }
  return given;
}

async function explain(given: Given, world: PermissionsWorld): Promise<number> {
  const { words, text, mode, json, stdin } = given;
  if (stdin) {
    if (words.length > 0 || text !== undefined) throw new UsageError("error: --stdin reads the calls from its lines");
    return answerLines(world.lines(), { mode, ...world });
  }
  const query = asked(words, text);
  const verdict: Verdict = await world
    .judge(mode === undefined ? query : { ...query, mode }, { fix: true })
    .catch(said);
  if (json) world.data(verdict);
  else world.say(explainText(query, verdict));
  return 0;
}

function asked(words: readonly string[], text: string | undefined): Query {
  const [tool, json, extra] = words;
  if (text !== undefined && tool === undefined) return queryOf({ command: text });
  if (text !== undefined || tool === undefined || extra !== undefined) {
    throw new UsageError(`error: ask about a command behind --, or about TOOL '{"parameter": "value"}'`);
  }
  if (json === undefined) return { tool, input: {} };
  try {
    return queryOf({ tool, input: JSON.parse(json) });
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`error: ${error.message}`);
    throw new UsageError(`error: the input of ${tool} must be a JSON object; a command goes behind --`);
  }
}

/** What is wrong with the question is for the person who asked it; a fault of ours is not. */
function said(error: unknown): never {
  if (error instanceof UsageError) throw new UsageError(`error: ${error.message}`);
  throw error;
}

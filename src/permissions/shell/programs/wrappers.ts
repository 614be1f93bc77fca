// Programs that run another command: how the command is found among their words, and who may look through them.
import { everything, parseOptions, type Option, type OptionTable } from "../options.ts";
import type { Arg, Call, Judgement, Nested, Program } from "../types.ts";
import { literal, READS_NOTHING, textArg, unknownEffect } from "../types.ts";
import type { Entry } from "./entry.ts";
import { SHELLS } from "./shells.ts";
import { guessedCommands } from "./xargs.ts";

/**
 * Who looks through a wrapper at the command it runs. `forbid`: rules that deny or ask. `allow`: rules that allow.
 * `readOnly`: the check whether a command only reads (then its effect is `read`). What is absent is not looked through.
 */
export type Transparency = { forbid: true; allow?: true; readOnly?: true };

const ALL: Transparency = { forbid: true, allow: true, readOnly: true };
const READ: Transparency = { forbid: true, readOnly: true };
const FORBID: Transparency = { forbid: true };

type WrapperSpec = OptionTable & {
  /** Operands before the command: a duration, a lock file. */
  skip?: readonly RegExp[];
  /** `NAME=value` words may stand before the command. */
  assignments?: true;
  /** The command's words are joined and given to a shell. */
  joined?: true;
  /** Options whose value is a script for a shell. */
  scripts?: readonly string[];
  /** An option whose value is a file it writes. */
  writes?: readonly string[];
  through: Transparency;
  /** Why it is not harmless, or why not, whatever it runs. */
  why?: string | ((options: readonly Option[]) => string | undefined);
  /** Without a command it only prints something harmless. */
  alone?: true;
};

const ANY = /^/;
const DURATION = /^[\d.]+[smhd]?$/;
const PRIORITY = "it changes how a process runs";
const SURROUNDINGS = "it runs in other surroundings";
const OTHER_USER = "it runs as another user";

const SPECS: Readonly<Record<string, WrapperSpec>> = {
  timeout: {
    flags: "v",
    values: "ks",
    long: "foreground preserve-status verbose kill-after= signal= help version",
    skip: [DURATION],
    through: ALL,
    alone: true,
  },
  time: {
    flags: "pvqVlha",
    values: "fo",
    long: "portability verbose quiet append format= output= help version",
    writes: ["-o", "--output"],
    through: ALL,
    alone: true,
  },
  nice: { values: "n", number: true, long: "adjustment= help version", through: ALL, alone: true },
  nohup: {
    long: "help version",
    through: { forbid: true, allow: true },
    why: "nohup writes nohup.out where its output is a terminal",
  },
  stdbuf: { values: "ioe", long: "input= output= error= help version", through: ALL, alone: true },
  builtin: { through: READ, alone: true },
  exec: { flags: "cl", values: "a", through: FORBID, why: "exec replaces the shell" },
  env: {
    flags: "i0v",
    values: "uCS",
    long: "ignore-environment null debug unset= chdir= split-string= block-signal=? default-signal=? ignore-signal=? list-signal-handling help version",
    assignments: true,
    scripts: ["-S", "--split-string"],
    through: READ,
    // Without a variable the command could run otherwise than looked at, in another folder for certain.
    why: (options) => (options.length > 0 ? `env with ${options[0]?.name}` : undefined),
  },
  noglob: { through: FORBID, why: "it is a word of zsh alone" },
  caffeinate: { flags: "disum", values: "tw", through: FORBID, why: PRIORITY },
  unbuffer: { flags: "p", through: FORBID, why: SURROUNDINGS },
  ionice: {
    flags: "t",
    values: "cnpPu",
    long: "class= classdata= ignore pid= help version",
    through: FORBID,
    why: PRIORITY,
  },
  chrt: { flags: "abdfiormpRvG", values: "TPD", skip: [ANY], through: FORBID, why: PRIORITY },
  taskset: { flags: "acp", long: "all-tasks cpu-list pid", skip: [ANY], through: FORBID, why: PRIORITY },
  setsid: { flags: "cfw", long: "ctty fork wait", through: FORBID, why: "it leaves the session" },
  sudo: {
    flags: "ABbEeHiKklnPSsvV",
    values: "CghpRrtTUuD",
    long: "askpass background edit login list non-interactive preserve-env preserve-env=? reset-timestamp shell stdin user= group= host= prompt= chdir= chroot= role= type= close-from= set-home validate",
    assignments: true,
    through: FORBID,
    why: OTHER_USER,
  },
  doas: { flags: "Lns", values: "aCu", through: FORBID, why: OTHER_USER },
  runuser: {
    flags: "lmp",
    values: "ugGcs",
    long: "user= group= command= login shell=",
    scripts: ["-c", "--command"],
    through: FORBID,
    why: OTHER_USER,
  },
  su: {
    flags: "lmpP",
    values: "cgGs",
    long: "command= login shell= group=",
    skip: [ANY],
    scripts: ["-c", "--command"],
    through: FORBID,
    why: OTHER_USER,
  },
  chroot: { long: "groups= userspec= skip-chdir", skip: [ANY], through: FORBID, why: SURROUNDINGS },
  unshare: {
    flags: "imnpuUCTfrc",
    values: "RwSG",
    long: "ipc mount net pid uts user cgroup time fork map-root-user map-current-user kill-child mount-proc root= wd= propagation=",
    through: FORBID,
    why: SURROUNDINGS,
  },
  nsenter: {
    flags: "aimnpuUCTFZ",
    values: "tSG",
    attached: "rw",
    long: "target= all mount net pid uts ipc user root=? wd=?",
    through: FORBID,
    why: SURROUNDINGS,
  },
  flock: {
    flags: "esxnuoFv",
    values: "wEc",
    long: "shared exclusive nonblock nb unlock close no-fork verbose wait= timeout= conflict-exit-code= command=",
    skip: [ANY],
    scripts: ["-c", "--command"],
    through: FORBID,
    why: "it makes a lock file",
  },
  watch: {
    flags: "bcdegtwxC",
    values: "nq",
    long: "interval= no-title differences=? exec color beep errexit chgexit",
    joined: true,
    through: FORBID,
    why: "it never ends",
  },
  strace: { flags: "cCdfFhiqrtTvVwxyYzZk", values: "abeEIoOpPsSuUX", through: FORBID, why: "it may write a file" },
  ltrace: { flags: "bcCfihLrStTV", values: "aAdDeFlnopsuwx", through: FORBID, why: "it may write a file" },
  script: {
    flags: "aefq",
    values: "ctIOBTEmo",
    long: "command= append flush quiet return",
    scripts: ["-c", "--command"],
    through: FORBID,
    why: "it writes a file",
  },
  parallel: {
    flags: "kX0qtum",
    values: "jnNaILdS",
    long: "jobs= dry-run keep-order null tag halt= will-cite bar",
    joined: true,
    through: FORBID,
    why: "it runs what it is given",
  },
  ssh: {
    flags: "46AaCfGgKkMNnqsTtVvXxYy",
    values: "BbcDEeFIiJLlmOopPQRSWw",
    skip: [ANY],
    joined: true,
    through: FORBID,
    why: "it connects to another machine",
  },
  xterm: { words: "e hold", through: FORBID, why: "it opens a window" },
  busybox: { through: FORBID, why: "what the program in it does is not known" },
  toybox: { through: FORBID, why: "what the program in it does is not known" },
};

/** For people and rules; `xargs` and `find -exec` are told by their own tables. */
export const TRANSPARENT: ReadonlyMap<string, Transparency> = new Map<string, Transparency>([
  ...Object.entries(SPECS).map(([name, { through }]): [string, Transparency] => [name, through]),
  ["command", READ],
  ["xargs", READ],
  ["find", READ],
  ...[...SHELLS.keys()].map((name): [string, Transparency] => [name, FORBID]),
]);

export const TRANSPARENT_FOR_ALLOW: ReadonlySet<string> = new Set(
  [...TRANSPARENT].flatMap(([name, { allow }]) => (allow ? [name] : [])),
);

export const WRAPPERS: ReadonlyMap<string, Entry> = new Map<string, Entry>([
  ...Object.entries(SPECS).map(([name, spec]): [string, Entry] => [name, entry(wrapper(spec))]),
  ["command", entry(judgeCommand)],
  ...SHELLS,
]);

/** Whether added names are harmless is asked of the command it runs, not of the wrapper; without a command they would be one. */
function entry(judge: Program): Entry {
  return {
    judge,
    appendable: (args) => {
      const judged = judge({ name: "", args });
      const isRunning = judged.nested.some(({ words, script }) => words.length > 0 && script === undefined);
      return judged.effect !== "unknown" && isRunning ? "any" : undefined;
    },
  };
}

function wrapper(spec: WrapperSpec): Program {
  const table = { ...spec, strict: true } as const;
  return ({ name, args, added }) => {
    const parsed = parseOptions(args, table);
    if ("problem" in parsed) {
      return unknownEffect(`${name}: ${parsed.problem}`, { reads: everything(args), nested: guessedCommands(args) });
    }
    const { options, operands } = parsed;
    const skipped = spec.skip?.length ?? 0;
    const isSkippable = (spec.skip ?? []).every((form, i) => form.test(literal(operands[i]) ?? "\0"));
    const { assignments, words } = spec.assignments
      ? splitAssignments(operands)
      : { assignments: [], words: operands.slice(skipped) };
    const nested: Nested[] = scriptsOf(spec, { options, words }).map((script) => ({ words: [], script }));
    if (words.length > 0 && !spec.joined) nested.push({ words, ...(added ? { added } : {}), assignments });
    const writes = options
      .filter((option) => spec.writes?.includes(option.name))
      .flatMap(({ value }) => (value ? [{ arg: value, how: "write" as const }] : []));
    const isFine = isSkippable || operands.length === 0;
    const why = problemOf(spec, { options, words, isFine });
    if (why !== undefined) return unknownEffect(`${name}: ${why}`, { nested, writes });
    if (writes.length === 0) return { ...READS_NOTHING, nested };
    return { effect: "files", why: `${name} writes a file`, reads: [], writes, nested };
  };
}

type Split = { options: readonly Option[]; words: readonly Arg[] };

function problemOf(spec: WrapperSpec, { options, words, isFine }: Split & { isFine: boolean }): string | undefined {
  const why = typeof spec.why === "function" ? spec.why(options) : spec.why;
  if (why !== undefined) return why;
  if (!isFine) return "a word before the command that is not known";
  if (words.length > 0 || spec.alone) return undefined;
  return "it prints the environment";
}

/** `env A=1 B=2 command`: any word with an equals sign is a variable. */
function splitAssignments(operands: readonly Arg[]) {
  const assignments: { name: string; value: Arg }[] = [];
  for (const [i, arg] of operands.entries()) {
    const start = arg.kind === "text" ? arg.text : arg.kind === "unknown" && arg.single ? arg.start : "";
    const at = start.indexOf("=");
    if (at < 1) return { assignments, words: operands.slice(i) };
    const rest = start.slice(at + 1);
    const value: Arg = arg.kind === "text" ? textArg(rest) : { kind: "unknown", start: rest, single: true };
    assignments.push({ name: start.slice(0, at), value });
  }
  return { assignments, words: [] };
}

function scriptsOf(spec: WrapperSpec, { options, words }: Split): string[] {
  const texts = words.map(literal);
  const given = options.filter(({ name }) => spec.scripts?.includes(name)).flatMap(({ value }) => literal(value) ?? []);
  // `su USER -c TEXT`, `flock FILE -c TEXT`.
  given.push(...texts.flatMap((text, i) => (spec.scripts?.includes(texts[i - 1] ?? "") ? (text ?? []) : [])));
  if (!spec.joined || texts.length === 0 || texts.includes(undefined)) return given;
  return [...given, texts.join(" ")];
}

/** `command -v NAME` only says what NAME is. */
function judgeCommand(call: Call): Judgement {
  const parsed = parseOptions(call.args, { flags: "vVp", strict: true });
  if (!("problem" in parsed) && parsed.options.some(({ name }) => name === "-v" || name === "-V")) return READS_NOTHING;
  return wrapper({ flags: "p", through: READ, alone: true })(call);
}

// What one command does, by its name and words: a function or builtin of the shell, or a program of the tables.
import { judgeBuiltin } from "./builtins.ts";
import type { Context, Place } from "./context.ts";
import { accepts } from "./programs/entry.ts";
import { lookup } from "./programs/list.ts";
import { inputsOf, outputsOf } from "./programs/others.ts";
import { SHELL_NAMES } from "./programs/shells.ts";
import { asksVersion } from "./programs/versions.ts";
import { isRemover } from "./programs/writers.ts";
import type { Targets } from "./targets.ts";
import type { Arg, Call, Change, Judgement, Nested } from "./types.ts";
import { literal, READS_NOTHING, unknownEffect } from "./types.ts";
import type { Sink } from "./word-scope.ts";

/** `called`: the name is that of a function of the text, which only reads. */
type Circumstances = { context: Context; nested: Nested | undefined; called: boolean };

export class Judge {
  #place: Place;
  #targets: Targets;
  #sink: Sink;
  #traced: { tests?: true; shows?: true } = {};

  constructor(place: Place, targets: Targets, sink: Sink) {
    this.#place = place;
    this.#targets = targets;
    this.#sink = sink;
  }

  of(name: string | undefined, args: readonly Arg[], where: Circumstances): Judgement {
    const { context, nested, called } = where;
    if (called) return READS_NOTHING;
    if (name === undefined) return unknownEffect("which program runs is only known at run time");
    if (name.includes("/") && bare(name) === name) return byPath(name, args);
    const program = bare(name);
    if (name === program && this.#place.isOwn(program)) return unknownEffect(`${program} is a program of the project`);
    // Of names that are added there is more than the question.
    if (!nested?.added && asksVersion({ name: program, args })) return READS_NOTHING;
    if (program === "set" && args.some((arg) => literal(arg)?.includes("x") !== false)) this.traced({ shows: true });
    const builtin = judgeBuiltin(program, args, context.state);
    if (builtin) return builtin;
    return this.#byTable(program, args, where);
  }

  /** A trace shows variables of which only is told whether they are empty. */
  traced(what: { tests?: true; shows?: true }): void {
    Object.assign(this.#traced, what);
    if (this.#traced.tests && this.#traced.shows) this.#sink.problem("a trace would show what is tested");
  }

  #byTable(program: string, args: readonly Arg[], { context, nested }: Circumstances): Judgement {
    const entry = lookup(program);
    if (!entry) {
      return beyond(unknownEffect(`${program} is not known to only read`), { name: program, args });
    }
    // What is a script and a file to bash is one script to zsh.
    if (SCRIPTED.has(program) && args.some(isSplit))
      return unknownEffect(`${program}: words that are one to some shells`);
    const feed = FED.has(program) ? context.feed?.() : undefined;
    const added = nested?.added;
    const words = HARMLESS_OPTIONS.has(program) ? this.#targets.undashed(args, context.state) : args;
    const call: Call = { name: program, args: words };
    const found = entry.judge(feed || added ? { ...call, ...(feed && { feed }), ...(added && { added }) } : call);
    const isOpen = found.effect === "unknown" && found.writes.length === 0;
    const judged = isOpen ? beyond(found, { name: program, args }) : found;
    if (!added || accepts(entry, args, added)) return judged;
    const writes = isRemover(program) ? [...judged.writes, handed(args)] : judged.writes;
    return unknownEffect(`${program} with names that are only known when it runs`, { ...judged, writes });
  }
}

/** What is known of it besides, when it is called in a way that is asked about. */
function beyond(judged: Judgement, { name, args }: Call): Judgement {
  const { effect, why, nested } = judged;
  const sent = inputsOf(name, args);
  const reads = sent.length > 0 ? [...judged.reads, ...sent] : judged.reads;
  return { effect, why, reads, writes: outputsOf(name, args), nested };
}

/** Nothing vouches for it; rules that forbid take it for the program of that name. */
function byPath(name: string, args: readonly Arg[]): Judgement {
  const program = name.slice(name.lastIndexOf("/") + 1);
  const known = lookup(program)?.judge({ name: program, args });
  return unknownEffect(`${name} is run by its path`, known ?? {});
}

/** What a program removes that is handed names. */
function handed(args: readonly Arg[]): Change {
  const recursive = args.some((arg) => /^-\w*[rR]|^--recursive$/.test(literal(arg) ?? ""));
  return { arg: { kind: "unknown", start: "", single: false, outer: true }, how: "remove", recursive };
}

const SCRIPTED = new Set("sed gsed awk gawk mawk nawk original-awk jq yq bc".split(" "));
const isSplit = (arg: Arg) => arg.kind === "text" && arg.split === true;

/** Those for which it matters what comes in through a pipe. */
const FED = new Set(["xargs", "gxargs", "source", ".", ...SHELL_NAMES]);

/** No option of theirs writes or runs anything. */
const HARMLESS_OPTIONS = new Set(
  "head tail grep egrep fgrep ggrep wc du cksum md5sum sha1sum sha224sum sha256sum sha384sum sha512sum".split(" "),
);

/** The name of a program in a system folder; any other path is left as it is. */
export function bare(name: string): string {
  return name.startsWith("/") ? (/^(?:\/usr)?\/bin\/([^/]+)$/.exec(name)?.[1] ?? name) : name;
}

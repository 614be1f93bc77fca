// The common programs that change files: exactly which ones, so that path rules, protected paths and acceptEdits see them.
import { everything, parseOptions, type Option, type OptionTable, type Parsed } from "../options.ts";
import type { Arg, Call, Change, Judgement, Program, Use } from "../types.ts";
import { literal, onlyReads, READS_NOTHING, textArg, unknownEffect } from "../types.ts";
import type { Entry } from "./entry.ts";
import { copied, linked } from "./targets.ts";
import { judgeDd } from "./dd.ts";

/** What the mode acceptEdits may approve when all that is changed is in the workspace. */
export const ACCEPT_EDITS: ReadonlySet<string> = new Set("mkdir touch rm rmdir mv cp tee sed".split(" "));

const REMOVERS = /^(?:.*\/)?g?(?:rm|unlink|shred|rmdir|trash)$/;

/** By its name, or as the last part of its path. */
export function isRemover(program: string): boolean {
  return REMOVERS.test(program);
}

type Touched = { reads?: readonly Use[]; writes: readonly Change[]; problem?: string };

type WriterSpec = OptionTable & {
  why: string;
  touches: (parsed: Parsed) => Touched;
  /** It removes what it is given: so do words that are not understood. */
  removes?: true;
  /** Options after which it is not known for certain what else changes. */
  beyond?: readonly string[];
};

const has = (options: readonly Option[], ...names: string[]) => options.some(({ name }) => names.includes(name));
const write = (arg: Arg): Change => ({ arg, how: "write" });
const valueOf = (options: readonly Option[], ...names: string[]) =>
  options.filter(({ name }) => names.includes(name)).flatMap(({ value }) => value ?? []);

/** Backups have names of their own; links lead elsewhere; --parents makes folders. */
const COPY_BEYOND =
  "-b -S -l -s -L -H -Z --backup --suffix --link --symbolic-link --dereference --parents --context".split(" ");

const SPECS: Readonly<Record<string, WriterSpec>> = {
  cp: {
    flags: "abdfHiLlnPpRrsTuvxXcNZ",
    values: "tS",
    long: "archive attributes-only backup=? copy-contents force interactive link dereference no-clobber no-dereference preserve=? no-preserve= parents recursive reflink=? remove-destination sparse= strip-trailing-slashes symbolic-link suffix= target-directory= no-target-directory update=? verbose one-file-system context=?",
    why: "copies files",
    beyond: COPY_BEYOND,
    touches: (parsed) =>
      copied(parsed, { recursive: has(parsed.options, "-r", "-R", "-a", "--recursive", "--archive"), moves: false }),
  },
  mv: {
    flags: "bfinTuvhZ",
    values: "tS",
    long: "backup=? force interactive no-clobber strip-trailing-slashes suffix= target-directory= no-target-directory update=? verbose context",
    why: "moves files",
    removes: true,
    beyond: COPY_BEYOND,
    touches: (parsed) => copied(parsed, { recursive: true, moves: true }),
  },
  install: {
    flags: "cCdDpTv",
    values: "mogt",
    long: "mode= owner= group= target-directory= no-target-directory directory verbose preserve-timestamps compare",
    why: "installs files",
    touches: (parsed) =>
      has(parsed.options, "-d", "--directory")
        ? { writes: parsed.operands.map(write) }
        : copied(parsed, { recursive: false, moves: false }),
  },
  rm: {
    flags: "fiIrRdvPWx",
    long: "force interactive=? one-file-system no-preserve-root preserve-root=? recursive dir verbose",
    why: "removes files",
    removes: true,
    beyond: ["--no-preserve-root"],
    touches: ({ options, operands }) => ({
      writes: operands.map((arg) => removal(arg, has(options, "-r", "-R", "--recursive"))),
    }),
  },
  rmdir: {
    flags: "pv",
    long: "parents verbose ignore-fail-on-non-empty",
    why: "removes folders",
    removes: true,
    touches: ({ options, operands }) => ({
      writes: (has(options, "-p", "--parents") ? operands.flatMap(withParents) : operands).map((arg) =>
        removal(arg, false),
      ),
    }),
  },
  unlink: {
    why: "removes a file",
    removes: true,
    touches: ({ operands }) => ({ writes: operands.map((arg) => removal(arg, false)) }),
  },
  shred: {
    flags: "fuvxz",
    values: "ns",
    long: "force iterations= size= remove=? verbose exact zero",
    why: "destroys files",
    removes: true,
    touches: ({ options, operands }) => ({
      writes: operands.map((arg) => (has(options, "-u", "--remove") ? removal(arg, false) : write(arg))),
    }),
  },
  link: { why: "makes a link", touches: ({ operands: [from, to] }) => linked(from ? [from] : [], { name: to }) },
  ln: {
    flags: "sfnvTrihLPF",
    values: "t",
    long: "symbolic force no-dereference verbose no-target-directory relative interactive logical physical target-directory=",
    why: "makes links",
    touches: ({ options, operands }) => {
      const [folder = operands.length === 1 ? textArg(".") : undefined] = valueOf(options, "-t", "--target-directory");
      return folder ? linked(operands, { folder }) : linked(operands.slice(0, -1), { name: operands.at(-1) });
    },
  },
  mkdir: {
    flags: "pv",
    values: "m",
    long: "parents verbose mode=",
    why: "makes folders",
    touches: ({ operands }) => ({ writes: operands.map(write) }),
  },
  mkfifo: {
    values: "m",
    long: "mode=",
    why: "makes pipes",
    touches: ({ operands }) => ({ writes: operands.map(write) }),
  },
  touch: {
    flags: "acfhm",
    values: "dtrA",
    long: "date= reference= time= no-create no-dereference",
    why: "makes files or changes their times",
    touches: ({ options, operands }) => ({
      reads: valueOf(options, "-r", "--reference").map((arg): Use => ({ arg, what: "names" })),
      writes: operands.map(write),
    }),
  },
  truncate: {
    flags: "co",
    values: "sr",
    long: "no-create io-blocks size= reference=",
    why: "changes the size of files",
    touches: ({ operands }) => ({ writes: operands.map(write) }),
  },
  tee: {
    flags: "aip",
    long: "append ignore-interrupts output-error=?",
    why: "writes files",
    touches: ({ operands }) => ({ writes: operands.filter((arg) => literal(arg) !== "/dev/null").map(write) }),
  },
  sponge: { flags: "a", why: "writes a file", touches: ({ operands }) => ({ writes: operands.map(write) }) },
  chmod: {
    flags: "RvcfhP",
    long: "recursive verbose changes quiet silent preserve-root reference=",
    why: "changes permissions",
    touches: changedMode,
  },
  chown: {
    flags: "RvcfhP",
    long: "recursive verbose changes quiet silent no-dereference preserve-root reference= from=",
    why: "changes owners",
    touches: changedMode,
  },
  chgrp: {
    flags: "RvcfhP",
    long: "recursive verbose changes quiet silent no-dereference preserve-root reference=",
    why: "changes groups",
    touches: changedMode,
  },
  split: {
    flags: "deux",
    values: "abClnt",
    attached: "",
    long: "suffix-length= additional-suffix= bytes= line-bytes= lines= number= elide-empty-files verbose numeric-suffixes=? hex-suffixes=?",
    why: "writes files",
    touches: ({ operands: [from, prefix = textArg("x")] }) => ({
      reads: from ? [{ arg: from, what: "content" }] : [],
      writes: [write({ kind: "unknown", start: literal(prefix) ?? "", single: false })],
    }),
  },
};

// What is changed must be known: added names never are.
export const WRITERS: ReadonlyMap<string, Entry> = new Map<string, Entry>([
  ...Object.entries(SPECS).flatMap(([name, spec]): [string, Entry][] => [
    [name, { judge: writer(spec) }],
    [`g${name}`, { judge: writer(spec) }],
  ]),
  ["dd", { judge: judgeDd }],
]);

function writer(spec: WriterSpec): Program {
  return (call: Call): Judgement => {
    const { name } = call;
    const text = literal(call.args[0]);
    if (call.args.length === 1 && (text === "--help" || text === "--version")) return READS_NOTHING;
    const args = name.endsWith("chmod") ? withoutDashedMode(call.args) : call.args;
    const parsed = parseOptions(args, spec);
    if ("problem" in parsed) {
      const reads = everything(args);
      const how = spec.removes ? ("remove" as const) : ("write" as const);
      const writes = reads.map(({ arg }): Change => ({ arg, how, recursive: true }));
      return unknownEffect(`${name}: ${parsed.problem}`, { reads, writes });
    }
    const { reads = [], writes, problem } = spec.touches(parsed);
    const beyond = parsed.options.find((option) => spec.beyond?.includes(option.name));
    if (problem !== undefined) return unknownEffect(`${name}: ${problem}`, { reads, writes });
    if (beyond) return unknownEffect(`${name} ${beyond.name} may change more`, { reads, writes });
    if (writes.length === 0 && name.endsWith("tee")) return onlyReads(reads);
    return { effect: "files", why: `${name} ${spec.why}`, reads, writes, nested: [] };
  };
}

function removal(arg: Arg, recursive: boolean): Change {
  return { arg, how: "remove", ...(recursive ? { recursive: true } : {}) };
}

/** `a/b/c`, `a/b`, `a`. */
function withParents(arg: Arg): Arg[] {
  const text = literal(arg)?.replace(/\/+$/, "");
  if (text === undefined) return [arg];
  const steps = text.split("/");
  return steps
    .map((_, i) => textArg(steps.slice(0, steps.length - i).join("/")))
    .filter((step) => literal(step) !== "");
}

/** `chmod -x file`: the mode looks like an option. */
function withoutDashedMode(args: readonly Arg[]): Arg[] {
  const at = args.findIndex((arg) => /^-[rwxXst]+$/.test(literal(arg) ?? ""));
  return args.map((arg, i) => (i === at ? textArg(`a${literal(arg)}`) : arg));
}

/** MODE FILE..., or FILE... with the mode of another file. */
function changedMode({ options, operands }: Parsed): Touched {
  const like = valueOf(options, "--reference");
  const recursive = has(options, "-R", "--recursive");
  const files = like.length > 0 ? operands : operands.slice(1);
  return {
    reads: like.map((arg) => ({ arg, what: "names" })),
    writes: files.map((arg) => ({ ...write(arg), ...(recursive ? { recursive: true } : {}) })),
  };
}

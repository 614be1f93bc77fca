// ps, top, pgrep, lsof and kill -0, where they show processes without their environment and come to an end.
import { parseOptions, type OptionTable, type ProgramSpec } from "../options.ts";
import type { Arg, Program } from "../types.ts";
import { literal, READS_NOTHING, unknownEffect } from "../types.ts";
import { entries, has } from "./entries.ts";

/** As of `ps -ef`. The BSD letters without a dash are operands. -E (macOS) shows the environment. */
const PS: OptionTable = {
  flags: "AadefFHjlLMNrTwxyZc",
  values: "oOpqCuUtgGsk",
  long: `pid= ppid= quick-pid= sort= no-headers no-heading no-headings headers forest cols= columns= width= rows= lines=
    deselect format= cumulative version help=? user= User= group= Group= tty= sid=`,
};

const COLUMNS = new Set(
  `pid ppid pgid pgrp sid sess tid lwp spid nlwp thcount uid user euid euser ruid ruser gid group egid egroup rgid rgroup uname
  logname comm command cmd args ucmd ucomm fname exe state stat s time etime etimes cputime cputimes start lstart stime
  start_time bsdtime bsdstart pcpu %cpu c cp pmem %mem rss rssize rsz vsz vsize size sz trs drs tty tt tname ni nice
  pri priority opri wchan flags f psr class cls policy rtprio label cgroup pss uss min_flt maj_flt stackp`
    .split(/\s+/)
    .filter(Boolean),
);

/** `pid,ppid=PARENT cmd:40` */
function isFormat(value: Arg | undefined): boolean {
  const items = (literal(value) ?? "?").split(/[,\s]+/).filter(Boolean);
  return items.every((item) => COLUMNS.has(/^([%a-z_]+)(:\d+)?(=.*)?$/.exec(item)?.[1] ?? ""));
}

/** Numbers, perhaps only known to begin with a digit: `$$`. */
function isNumbers(arg: Arg | undefined): boolean {
  if (arg?.kind === "unknown") return arg.single && /^\d/.test(arg.start) && !/[a-z]/i.test(arg.end ?? "");
  return /^[\d,\s]+$/.test(literal(arg) ?? "?");
}

const FORMATS = ["-o", "-O", "--format"];
const NUMBERS = ["-p", "-q", "--pid", "--ppid", "--quick-pid", "--sid"];
/** When such a name is not there, some versions of ps take all words for BSD letters, and there `e` is the environment. */
const LOOKED_UP = ["-u", "-U", "-t", "-g", "-G", "-s", "--user", "--User", "--group", "--Group", "--tty"];

/** With any other beside -e some versions take all letters for those of BSD. */
const BESIDE_E = new Set(
  "-e -f -F -l -L -j -y -w -c -M -Z -H -o -O --sort --forest --no-headers --headers --format".split(" "),
);

const ps: Program = ({ name, args }) => {
  const parsed = parseOptions(args, PS);
  if ("problem" in parsed) return unknownEffect(`${name}: ${parsed.problem}`);
  const { options, operands } = parsed;
  const looksUp = has(parsed, ...LOOKED_UP);
  const odd = has(parsed, "-e") && (operands.length > 0 || options.some(({ name: option }) => !BESIDE_E.has(option)));
  if (odd) return unknownEffect(`${name}: its letters could show the environment`);
  const bad = options.find(({ name: option, value }) => {
    if (value === undefined) return looksUp && option === "-e";
    if (FORMATS.includes(option)) return !isFormat(value);
    if (NUMBERS.includes(option)) return value.kind !== "unknown" && !isNumbers(value);
    const text = literal(value);
    if (text === undefined || text.startsWith("-")) return !(option === "--sort" && /^-[\w%,+-]+$/.test(text ?? ""));
    return (LOOKED_UP.includes(option) || looksUp) && text.includes("e");
  });
  if (bad) return unknownEffect(`${name}: ${bad.name} with this value could show the environment`);
  const wrong = operands.find(
    (arg, i) => !isBsdWord(arg) && !isNumbers(arg) && !isFormatOf(arg, operands[i - 1], args),
  );
  return wrong ? unknownEffect(`${name}: its letters could show the environment`) : READS_NOTHING;
};

/** `aux`, `axo`: letters without a dash, but not e. */
function isBsdWord(arg: Arg): boolean {
  return /^[aAcfHhjlLmnrSTuvwxXZ]+o?$/.test(literal(arg) ?? "");
}

/** `ps axo pid,args`: the word right behind the o. */
function isFormatOf(arg: Arg, before: Arg | undefined, args: readonly Arg[]): boolean {
  if (!before || !/o$/.test(literal(before) ?? "") || !isFormat(arg)) return false;
  return args.indexOf(arg) === args.indexOf(before) + 1;
}

/** A few times (macOS). With -b that of Linux makes a folder for its settings in the home. */
const TOP: ProgramSpec = {
  flags: "cS",
  values: "lnopsU",
  operands: "none",
  refuse: (parsed) => {
    const isFew = ({ value }: { value?: Arg }) => /^[1-5]$/.test(literal(value) ?? "");
    const counts = parsed.options.filter(({ name }) => name === "-l");
    return counts.length > 0 && counts.every(isFew) ? undefined : "without -l it never ends, or writes in the home";
  },
};

// -F reads a file.
const PGREP: ProgramSpec = {
  flags: "acfilnovwx",
  values: "dgGPstuUr",
  long: `list-name list-full delimiter= full pgroup= group= ignore-case newest oldest parent= session= terminal= euid=
    uid= exact count inverse lightweight runstates= older=`,
  operands: "text",
};

/** Without -n lsof asks the network for names. */
const lsof: Program = ({ name, args }) => {
  const words = args.map((arg) => literal(arg) ?? "?");
  const fine = words.every((word, i) => {
    if (/^-[nPtlaRwU]+$/.test(word) || /^-[nPtlaRwU]*i$/.test(word) || /^-s(TCP|UDP):\w+$/i.test(word)) return true;
    if (/^-i[46]?(TCP|UDP)?(:[\d,-]+)?$/i.test(word) || word === "-p") return true;
    const before = words[i - 1] ?? "";
    if (before === "-p" && isNumbers(args[i])) return true;
    if (/^-[nPtlaRwU]*i$/.test(before)) return /^[46]?(TCP|UDP)?(:[\d,-]+)?$/i.test(word);
    return false;
  });
  return fine && words.some((word) => /^-\w*n/.test(word))
    ? READS_NOTHING
    : unknownEffect(`${name}: only ports and processes, with -n, are known to only read`);
};

/** Signal 0 only asks whether the process is there. */
const kill: Program = ({ name, args }) => {
  const [first, ...rest] = args;
  const option = literal(first);
  const lists = option === "-l" && rest.every(isNumbers);
  // One that is not known is taken for a process; among several one could be an option.
  const [pid, ...more] = rest;
  const isOne = pid?.kind === "unknown" && pid.single && more.length === 0;
  const asks = option === "-0" && pid !== undefined && (isOne || rest.every(isNumbers));
  return lists || asks ? READS_NOTHING : unknownEffect(`${name} sends a signal`);
};

export const PROCESS_PROGRAMS = entries(
  ["ps", ps],
  ["top", TOP],
  ["pgrep", PGREP],
  ["pstree", { flags: "AacGghlnNpsSTtUuVZ", values: "H", operands: "text" }],
  ["pidof", { flags: "sqxc", values: "o", operands: "text" }],
  ["lsof", lsof],
  ["kill", kill],
);

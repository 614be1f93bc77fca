// Programs and builtins that tell about the machine, the user, the time or the shell.
import type { ProgramSpec } from "../options.ts";
import type { Program, Use } from "../types.ts";
import { literal } from "../types.ts";
import { careful, entries, exactly, has, withHelp } from "./entries.ts";
import { NETWORK_PROGRAMS } from "./system-network.ts";
import { PROCESS_PROGRAMS } from "./system-processes.ts";

const NONE: ProgramSpec = { operands: "none" };

// What it does is an option of its own; only those that ask for something are here.
const DPKG: ProgramSpec = {
  flags: "lsLSpC",
  long: "list status listfiles search print-avail get-selections print-architecture audit no-pager",
  operands: "text",
};
const DPKG_QUERY: ProgramSpec = { ...DPKG, flags: "lsLSpW", values: "f", long: `${DPKG.long} show showformat=` };

// -s sets the clock, -f reads a file and shows lines that are no date; on BSD -d and -t with a number set a zone, and an
// operand sets the clock unless -j is given.
const DATE: ProgramSpec = {
  flags: "uRjn",
  values: "drvf",
  attached: "I",
  long: `date= reference= iso-8601=? rfc-3339= rfc-2822 rfc-email utc universal debug resolution`,
  operands: "text",
  refuse: (parsed) => {
    const { options, operands } = parsed;
    const shows = has(parsed, "-j");
    if (has(parsed, "-f") && !shows) return "-f reads dates from a file, or sets the clock";
    if (options.some(({ name, value }) => name === "-d" && !/[^\d+-]/.test(literal(value) ?? "a"))) {
      return "-d with a number sets a zone on some systems";
    }
    const formats = operands.filter((arg) =>
      arg.kind === "text"
        ? arg.text.startsWith("+")
        : arg.kind === "unknown" && arg.single && arg.start.startsWith("+"),
    );
    const others = operands.length - formats.length;
    return others === 0 || (shows && others === 1) ? undefined : "an operand without + sets the clock";
  },
};

/** `-d "-1 day"` is a value whatever system it is. */
const judgeDate = careful(withHelp(DATE), ["-d", "--date", "-v"]);

/** -r takes a file whose time is shown (GNU), or seconds (BSD). */
const date: Program = (call) => {
  const judged = judgeDate(call);
  const at = call.args.findIndex((arg) => /^(-r|--reference)$/.test(literal(arg) ?? ""));
  const file = at < 0 ? undefined : call.args[at + 1];
  const attached = call.args.flatMap((arg) => /^--reference=(.*)$/s.exec(literal(arg) ?? "")?.[1] ?? []);
  const reads = [...(file ? [file] : []), ...attached.map((text) => ({ kind: "text", text }) as const)];
  return { ...judged, reads: reads.map((arg): Use => ({ arg, what: "names" })) };
};

/** Names that hold no secret. */
const PLAIN_VARIABLES = new Set(
  `HOME PWD OLDPWD PATH USER LOGNAME SHELL LANG LANGUAGE TZ TERM COLORTERM HOSTNAME SHLVL COLUMNS LINES TMPDIR EDITOR VISUAL
  PAGER NODE_ENV CI NO_COLOR GOPATH GOROOT JAVA_HOME VIRTUAL_ENV CONDA_DEFAULT_ENV CONDA_PREFIX NVM_DIR PYENV_ROOT
  CARGO_HOME RUSTUP_HOME ANDROID_HOME DISPLAY LC_ALL LC_CTYPE LC_COLLATE LC_MESSAGES LC_NUMERIC LC_TIME XDG_CONFIG_HOME
  XDG_CACHE_HOME XDG_DATA_HOME XDG_STATE_HOME XDG_RUNTIME_DIR XDG_SESSION_TYPE XDG_CURRENT_DESKTOP`.split(/\s+/),
);

const PRINTENV: ProgramSpec = {
  flags: "0",
  long: "null",
  operands: "text",
  refuse: ({ operands }) =>
    operands.length > 0 && operands.every((arg) => PLAIN_VARIABLES.has(literal(arg) ?? ""))
      ? undefined
      : "the environment holds secrets",
};

/** `sysctl name=value` sets it. */
const SYSCTL: ProgramSpec = {
  flags: "aenN",
  long: "all ignore names values",
  operands: "text",
  refuse: ({ operands }) =>
    operands.every((arg) => /^[\w.*-]+$/.test(literal(arg) ?? "")) ? undefined : "name=value sets it",
};

const CALENDAR: ProgramSpec = {
  flags: "13hjmywSsMpeNYb",
  values: "AB",
  long: "one three monday sunday julian year",
  operands: "text",
};

const LSBLK: ProgramSpec = {
  flags: "abdDfhiJlmnOpPrsStTVzZ",
  values: "eIoxEMw",
  long: `all bytes nodeps discard exclude= fs ascii include= json list perms noheadings output= output-all paths pairs
    raw inverse scsi topology sort= tree=? merge zoned`,
  operands: "names",
};

const PRINTS_LIMITS: ProgramSpec = { flags: "aSHbcdefiklmnpqrstuvxPRT", operands: "none" };

/** `vmstat 1` never ends; with a count it does. */
const VMSTAT: ProgramSpec = {
  flags: "adfmnstwDVh",
  values: "S",
  operands: "text",
  refuse: ({ operands }) =>
    operands.length === 0 || (operands.length === 2 && operands.every((arg) => /^\d{1,2}$/.test(literal(arg) ?? "")))
      ? undefined
      : "it never ends",
};

/** date, uname, id, free, printenv, help, ps, ss and their like. */
export const SYSTEM_PROGRAMS = new Map([
  ...PROCESS_PROGRAMS,
  ...NETWORK_PROGRAMS,
  ...entries(
    ["date gdate", date],
    [
      "uname",
      {
        flags: "asnrvmpioU",
        long: "all kernel-name nodename kernel-release kernel-version machine processor hardware-platform operating-system",
        operands: "none",
      },
    ],
    // macOS: `arch -x86_64 program` runs it.
    ["arch whoami logname users", exactly("")],
    ["tty", exactly("", "-s")],
    ["nproc", { long: "all ignore=", operands: "none" }],
    // An operand sets it, and other options ask the network for a name.
    ["dpkg", DPKG],
    ["dpkg-query", DPKG_QUERY],
    ["hostname", exactly("", "-s", "--short", "-I", "--all-ip-addresses")],
    ["id", { flags: "gGnruzZpAaF", long: "group groups name real user zero context", operands: "text" }],
    ["groups", { operands: "text" }],
    // A file as operand is read; --lookup asks the network.
    [
      "who",
      {
        flags: "abdHlmpqrstTuw",
        long: "all boot dead heading login mesg process count runlevel short time users message writable",
        operands: "none",
      },
    ],
    ["w", { flags: "hsuo", operands: "none" }],
    ["uptime", { flags: "psrV", long: "pretty since raw", operands: "none" }],
    [
      "free",
      {
        flags: "bkmghwtlvV",
        long: "bytes kibi mebi gibi tebi kilo mega giga tera human wide total lohi si committed",
        operands: "none",
      },
    ],
    ["vmstat", VMSTAT],
    ["vm_stat lsmod", exactly("")],
    [
      "lscpu",
      {
        flags: "aBbcJxyVhr",
        attached: "Cep",
        long: "all bytes online offline caches=? extended=? json parse=? hex physical output-all raw",
        operands: "none",
      },
    ],
    ["lsblk", LSBLK],
    ["lspci", { flags: "vknmtDPxb", operands: "none" }],
    ["lsusb", { flags: "tv", operands: "none" }],
    ["nvidia-smi", exactly("", "-L", "--list-gpus")],
    ["mount", exactly("", "-l")],
    ["locale", { flags: "amckv", long: "all-locales charmaps category-name keyword-name verbose", operands: "text" }],
    // -v runs another getconf.
    ["getconf", { flags: "a", operands: "text" }],
    ["lsb_release", { flags: "aidrcsv", long: "all id description release codename short version", operands: "none" }],
    [
      "sw_vers",
      {
        words: "productName productVersion buildVersion productVersionExtra -productName -productVersion -buildVersion",
        operands: "none",
      },
    ],
    ["xcode-select", exactly("-p", "--print-path", "-v", "--version")],
    ["sysctl", SYSCTL],
    ["cal ncal", CALENDAR],
    ["printenv", PRINTENV],
    ["uuidgen", exactly("", "-r")],
    ["tput", exactly("cols", "lines", "colors")],
    ["stty", exactly("-a", "size")],
    ["ulimit", PRINTS_LIMITS],
    ["shopt", { flags: "pq", operands: "none" }],
    ["hash", exactly("", "-l")],
    ["alias", exactly("", "-p")],
    ["enable", exactly("", "-a", "-p", "-n")],
    ["compgen", exactly("-a", "-b", "-c", "-k", "-A function", "-A builtin", "-A keyword")],
    ["declare typeset", exactly("-F", "-f")],
    [
      "findmnt",
      { flags: "AabcDeEfhiJklmnPrRuU", values: "oOtT", long: "df list json raw noheadings", operands: "names" },
    ],
    ["umask", { flags: "Sp", operands: "none" }],
    ["times", NONE],
    ["help", { flags: "dms", operands: "text" }],
    // -x runs a program.
    ["jobs", { flags: "lnprs", operands: "text" }],
    // -c empties the list.
    ["dirs", { flags: "lpv", operands: "none" }],
  ),
]);

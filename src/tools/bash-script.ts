// The command line of the shell: a script that runs the command as it is written and reports where its `cd` ended.
import type { Shell } from "../utils/shell.ts";

export type ScriptOptions = {
  shell: Shell;
  /** The file the script reports to. */
  report: string;
  /** In a wall the report has a first line more: "1" when something was left running, else "0". */
  isWalled: boolean;
  /** How many pieces the command has; it is not part of the script. */
  pieces: number;
};

/** Linux refuses a single variable of 128 KiB; a UTF-16 unit is at most 3 bytes. */
const PIECE_LENGTH = 40_000;
/** Exit code of a script that was not told all; nothing of the command has run. */
const NOT_TOLD = 125;
const PIECE = "__nanocode_";
/** Set last: all the others are there. */
const END = "__nanocode_end";

// The command comes in variables and is never part of the script. The trap reports the folder on `exit` and `set -e`, the
// tail when the command has a trap of its own; neither changes the exit code nor shows under `set -x`.
// The blank keeps eval from taking a leading "-" for an option of its own.
const pwd = process.platform === "win32" ? "pwd -W" : "command pwd -P";
// In a wall the first line of the report is "1" when the command left something behind that still runs after a moment:
// it ends with the wall, and has to be told. Whoever is there but the shell gets signal 0, which only asks; when a helper
// of the wall is there too, what /proc shows is counted.
// This spelling is understood by bash, dash and busybox.
const ANYBODY = "command kill -0 -1";
const COUNT = "set -- /proc/[0-9]*";
const IS_LEFT = `${ANYBODY} && { ${COUNT}; command [ $# -gt "$__n" ]; }`;
const WALLED = {
  before: `__n=2; ${ANYBODY} 2>/dev/null && { ${COUNT}; __n=$#; shift $#; }; :; `,
  report:
    `{ if ${IS_LEFT}; then command sleep 0.04; fi; ` +
    `if ${IS_LEFT}; then command echo 1; else command echo 0; fi; ${pwd}; } >|"$__f"`,
};
const OPEN = { before: "", report: `${pwd} >|"$__f"` };

function scriptOf(pieces: number, { before, report }: typeof OPEN): string {
  const names = Array.from({ length: pieces }, (_, at) => PIECE + at);
  return [
    `trap '{ set +xefu; ${report}; } 2>/dev/null' EXIT`,
    `[ "$${END}" ] || exit ${NOT_TOLD}; __f=$1; shift; __c=${names.map((name) => `$${name}`).join("")}`,
    `unset ${names.join(" ")} ${END}; ${before}eval " $__c"`,
    `{ __c=$?; set +xefu; ${report} || :; } 2>/dev/null; exit $__c`,
  ].join("; ");
}

export function shellArguments({ shell, report, isWalled, pieces }: ScriptOptions): string[] {
  const flags = shell.flavor === "bash" ? ["--noprofile", "--norc"] : [];
  const script = scriptOf(pieces, isWalled ? WALLED : OPEN);
  return [shell.path, ...flags, "-c", script, shell.flavor, report];
}

/** `env` and, after it, what the script finds the command in. The last says that all is there. */
export function withCommand(env: Readonly<Record<string, string>>, pieces: readonly string[]): Record<string, string> {
  const others = Object.entries(env).filter(([name]) => !name.startsWith(PIECE));
  return Object.fromEntries([...others, ...pieces.map((piece, at) => [PIECE + at, piece]), [END, "1"]]);
}

export function commandPieces(command: string): string[] {
  const found: string[] = [];
  for (let from = 0; from < command.length;) {
    const end = Math.min(from + PIECE_LENGTH, command.length);
    const code = command.charCodeAt(end - 1);
    const isSplitPair = end < command.length && code >= 0xd800 && code <= 0xdbff;
    const to = isSplitPair ? end - 1 : end;
    found.push(command.slice(from, to));
    from = to;
  }
  return found;
}

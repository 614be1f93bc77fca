// The command line of the shell: a script that runs the command as it is written and reports where its `cd` ended.
import type { Shell } from "./bash-env.ts";

export type ScriptOptions = {
  shell: Shell;
  command: string;
  /** The file the script reports to. */
  report: string;
  /** In a wall the report has a first line more: "1" when something was left running, else "0". */
  isWalled: boolean;
};

/** Linux refuses a single argument of 128 KiB; a UTF-16 unit is at most 3 bytes. */
const PIECE_LENGTH = 40_000;

// The command comes as arguments (in pieces) and is never part of the script. The trap reports the folder on `exit` and
// `set -e`, the tail when the command has a trap of its own; neither changes the exit code nor shows under `set -x`.
// The blank keeps eval from taking a leading "-" for an option of its own.
const pwd = process.platform === "win32" ? "pwd -W" : "command pwd -P";
const SCRIPT = scriptOf({ before: "", report: `${pwd} >|"$__f"` });
// In a wall the first line of the report is "1" when the command left something behind that still runs after a moment:
// it ends with the wall, and has to be told. All that /proc shows there is what belongs to the command.
const COUNT = "set -- /proc/[0-9]*";
const IS_LEFT = 'command [ $# -gt "$__n" ]';
const WALLED_SCRIPT = scriptOf({
  before: `${COUNT}; __n=$#; shift $#; `,
  report:
    `{ ${COUNT}; if ${IS_LEFT}; then command sleep 0.04; ${COUNT}; fi; ` +
    `if ${IS_LEFT}; then command echo 1; else command echo 0; fi; ${pwd}; } >|"$__f"`,
});

function scriptOf({ before, report }: { before: string; report: string }): string {
  return [
    `trap '{ set +xefu; ${report}; } 2>/dev/null' EXIT`,
    `__f=$1; shift; __c=; for __a; do __c=$__c$__a; done; shift $#; unset __a; ${before}eval " $__c"`,
    `{ __c=$?; set +xefu; ${report} || :; } 2>/dev/null; exit $__c`,
  ].join("; ");
}

export function shellArguments({ shell, command, report, isWalled }: ScriptOptions): string[] {
  const flags = shell.flavor === "bash" ? ["--noprofile", "--norc"] : [];
  const script = isWalled ? WALLED_SCRIPT : SCRIPT;
  return [shell.path, ...flags, "-c", script, shell.flavor, report, ...pieces(command)];
}

function pieces(command: string): string[] {
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

// Shell variables as far as the text tells: which are assigned, to what, and which may be printed at all.
import {
  forEachChild,
  type ArithmeticExpression,
  type Assignment,
  type Command,
  type SyntaxNode,
  type Word,
} from "unbash";
import type { Arg } from "./types.ts";

/**
 * What a variable can hold, whatever the order of execution: the union of all assignments of the text. `integer`: only
 * digits; `number`: these with blanks around them, or nothing at all. Arithmetic evaluates the text a variable holds, so
 * nothing else may be used there.
 */
export type Value =
  | { kind: "words"; args: readonly Arg[] }
  /** An array and never anything else; `args`: its elements, where they are known. */
  | { kind: "array"; args: readonly Arg[] | undefined }
  /** `hash`: the name of a commit. */
  | { kind: "integer" | "number" | "hash" }
  /** `outer`: read from somewhere. */
  | { kind: "unknown"; outer?: true };

/** `$1`, `$2` and so on of a function: what each could be, undefined where that is not known. */
export type Parameters = readonly (readonly Arg[] | undefined)[];

/** A number or nothing, so that arithmetic may use it. */
export function isInteger(value: Value | undefined): boolean {
  if (value?.kind !== "words") return value?.kind === "integer" || value?.kind === "number";
  return value.args.length > 0 && value.args.every((arg) => arg.kind === "text" && /^-?(0|[1-9]\d*)$/.test(arg.text));
}

/** Of these the shell or a program makes more than text: they choose what runs or where files are. */
const ACTING =
  /^(IFS|ENV|PS\d|PPID|SHELLOPTS|PROMPT_.*|HIST.*|FIGNORE|GLOBIGNORE|INPUTRC|TERM.*|TMP.*|HOME|SHELL|PWD|OLDPWD|UID|EUID|POSIXLY.*|MAGIC|OPTARG|OPTIND|_|LD_.*|DYLD_.*|BASH.*|GIT_.*|XDG_.*|LESS.*|GREP_.*|RIPGREP.*|TAR_.*|BAT_.*|NODE_.*|NPM_.*|PYTHON.*|PERL.*|RUBY.*|JAVA.*|JDK_.*|RUST.*|CARGO.*|GO[A-Z]*|AWK.*|MAKE.*|MAN.*|SSH_.*|SUDO_.*|DOCKER_.*|MALLOC_.*|LOCPATH|NLSPATH|GCONV.*|FUNCNAME|DIRSTACK|GROUPS|REPLY|COMP_.*|MAILCHECK|MAIL|EXECIGNORE|TIMEFORMAT|S?RANDOM|EPOCH.*|PIPESTATUS|COPROC.*|SECONDS|LINENO|SHLVL|JQ_.*|FD_.*|RG_.*|FZF_.*|BUN_.*|DENO_.*|CLICOLOR.*|RESOLV.*|HOSTALIASES|LOCALDOMAIN|RES_.*|COLUMNS|LINES|KEYTIMEOUT|LISTMAX|LOGCHECK|SAVEHIST|FUNCNEST|TRY_BLOCK_.*|BAUD|ERRNO|E?GID|USERNAME|ARGC|.*NULLCMD|STTY)$/;
const ACTING_INSIDE =
  /PATH|PRELOAD|LIBRARY|OPTS|OPTIONS|FLAGS|CONFIG|PAGER|EDITOR|VISUAL|HOME|PROXY|COMMAND|BROWSER|ASKPASS/i;

/** A plain assignment to it is nothing but a variable of this one shell. */
export function isPlainName(name: string): boolean {
  // The script that runs the command has names of its own: they begin with two lines.
  return /^(?!__)[A-Za-z_]\w*$/.test(name) && !ACTING.test(name) && !ACTING_INSIDE.test(name);
}

/** In front of a command: they change how it formats or colours its output, not what it does. */
export function isHarmlessPrefix(name: string, value: Arg): boolean {
  if (/^(LC_[A-Z]+|LANG|LANGUAGE|TZ|NO_COLOR|CI|NODE_ENV|COLUMNS|FORCE_COLOR|CLICOLOR)$/.test(name)) {
    // A zone or a locale can be the name of a file; only ordinary names are.
    return value.kind === "text" && /^[\w.@:+-]*(\/[A-Za-z_+-]+)*$/.test(value.text) && !/^[/.:]/.test(value.text);
  }
  if (value.kind !== "text") return false;
  if (
    /^(GIT_OPTIONAL_LOCKS|GIT_TERMINAL_PROMPT|PYTHONDONTWRITEBYTECODE|PYTHONUNBUFFERED|NODE_NO_WARNINGS)$/.test(name)
  ) {
    return /^(0|1|true|false)$/.test(value.text);
  }
  if (name === "TERM") return value.text === "dumb";
  return /^(PAGER|GIT_PAGER)$/.test(name) && /^(cat)?$/.test(value.text);
}

/** Names that hold no secret, so that printing them tells nothing. */
const PRINTABLE = new Set(
  `HOME PWD OLDPWD PATH USER LOGNAME SHELL LANG LC_ALL LC_CTYPE TZ TERM HOSTNAME HOSTTYPE OSTYPE MACHTYPE UID EUID PPID
  RANDOM SECONDS LINENO SHLVL BASH_VERSION BASHPID COLUMNS LINES TMPDIR EDITOR PAGER NODE_ENV CI IFS EPOCHSECONDS
  PIPESTATUS REPLY`
    .split(/\s+/)
    .filter(Boolean),
);

export function mayPrint(name: string): boolean {
  // Positional and special parameters: the script that runs the command sets none.
  return PRINTABLE.has(name) || /^([0-9]+|[?#$!@*-])$/.test(name);
}

/** Special parameters that are numbers; `$!` may be nothing. */
export function isNumber(name: string): boolean {
  return /^[?#$]$/.test(name) || /^(UID|EUID|PPID|RANDOM|SECONDS|LINENO|SHLVL|BASHPID|EPOCHSECONDS)$/.test(name);
}

/** One of `value`, `loop` and `integer`, or none when it is not known; of an array `elements`, where they are known. */
export type Assigned = {
  name: string;
  value?: Word | undefined;
  loop?: readonly Word[] | undefined;
  /** "set" as a whole, or added to. */
  array?: "set" | "append";
  elements?: readonly Word[];
  /** By arithmetic. */
  integer?: true;
  /** The function it stands in. */
  within?: string;
};

/** Every assignment in the text, in nested substitutions too; `read` and its like assign what is not known. */
export function assignmentsOf(root: SyntaxNode, deepest: number): Assigned[] {
  const found: Assigned[] = [];
  let depth = 0;
  // One function for all nodes: one per node was a twentieth of a decision.
  const visit = (node: SyntaxNode): void => {
    if (node.type === "Script") {
      if (depth < deepest) {
        depth++;
        forEachChild(node, visit);
        depth--;
      }
      return;
    }
    if (node.type === "Function") {
      const from = found.length;
      forEachChild(node, visit);
      for (const one of found.slice(from)) one.within ??= node.name.text;
      return;
    }
    if (node.type === "Assignment") {
      found.push(assignedIn(node));
    } else if (node.type === "ArithmeticBinary" || node.type === "ArithmeticUnary") {
      const name = assignedBy(node);
      if (name !== undefined) found.push({ name, integer: true });
    } else if (node.type === "For" || node.type === "Select") {
      found.push({ name: node.name.value, loop: node.type === "For" ? node.wordlist : undefined });
    } else if (node.type === "Word") {
      if (!mayHoldCommands(node.text)) return;
    } else if (node.type === "Command" && SETTERS.has(node.name?.value ?? "")) found.push(...setBy(node));
    forEachChild(node, visit);
  };
  visit(root);
  return found;
}

/** The variable that the expression as a whole assigns an integer to, when it is one. */
export function assignedBy(expression: ArithmeticExpression): string | undefined {
  const target =
    expression.type === "ArithmeticBinary" && isAssignment(expression.operator)
      ? expression.left
      : expression.type === "ArithmeticUnary" && /^(\+\+|--)$/.test(expression.operator)
        ? expression.operand
        : undefined;
  return target?.type === "ArithmeticWord" && /^[A-Za-z_]\w*$/.test(target.value) ? target.value : undefined;
}

/** Of an operator of arithmetic. */
export function isAssignment(operator: string): boolean {
  return /^([-+*/%&|^]|<<|>>)?=$/.test(operator);
}

/** The parser would look for the parts of every word. */
export function mayHoldCommands(text: string): boolean {
  return text.includes("$") || text.includes("`") || text.includes("(");
}

const SETTERS = new Set(
  "read mapfile readarray getopts printf local declare typeset export readonly unset let builtin command".split(" "),
);

function assignedIn({ name, index, append = false, value }: Assignment): Assigned {
  if (index !== undefined) return { name };
  if (value.type === "Word") return append ? { name } : { name, value };
  const { elements } = value;
  // `[2]=x` has an index that is evaluated.
  return elements.some(({ text }) => text.startsWith("["))
    ? { name }
    : { name, array: append ? "append" : "set", elements };
}

/** Any word of such a command that could be a name. */
function setBy({ name: command, args }: Command): Assigned[] {
  const name = command?.value ?? "";
  const isArray =
    /^(mapfile|readarray)$/.test(name) || (name === "read" && args.some(({ text }) => /^-r?a$/.test(text)));
  const array = isArray ? ({ array: "append" } as const) : {};
  return args.flatMap((arg): Assigned[] =>
    arg.type === "Word" && /^[A-Za-z_]\w*$/.test(arg.value) ? [{ name: arg.value, ...array }] : [],
  );
}

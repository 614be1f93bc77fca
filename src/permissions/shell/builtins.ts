// The shell's own commands that change where or with what later commands run: cd, read, set, unset, exit.
import { isAbsolute, resolve } from "node:path";
import { parseOptions } from "./options.ts";
import { followed, type Place, type State } from "./context.ts";
import { placeOf, type Files } from "./resolve.ts";
import type { Arg, Judgement } from "./types.ts";
import { literal, onlyReads, READS_NOTHING, unknownEffect } from "./types.ts";
import { isHarmlessPrefix, isPlainName } from "./variables.ts";

/** Undefined: not one of these. */
export function judgeBuiltin(name: string, args: readonly Arg[], state: State): Judgement | undefined {
  switch (name) {
    case "cd":
      return judgeCd(args, state);
    case "pushd":
      return isPushed(args) ? judgeCd(args, state) : unknownEffect("pushd that goes round what was pushed before");
    case "popd":
      return args.length === 0 ? READS_NOTHING : unknownEffect("popd of something else than the last folder");
    case "read":
      return readNames(args) ? READS_NOTHING : unknownEffect("read with options or names that are not known");
    case "mapfile":
    case "readarray":
      return arrayName(args) === undefined
        ? unknownEffect(`${name} with options or a name that are not known`)
        : READS_NOTHING;
    case "set":
      return judgeSet(args);
    case "unset":
      return args.every((arg) => isPlainName(literal(arg) ?? "")) && args.length > 0
        ? READS_NOTHING
        : unknownEffect("unset of a name that changes what commands do");
    case "export":
      return args.length > 0 && args.every(isHarmlessExport)
        ? READS_NOTHING
        : unknownEffect("export of a variable that may change what commands do");
    case "local":
      return state.inFunction && args.length > 0 && args.every((arg) => localName(arg) !== undefined)
        ? READS_NOTHING
        : unknownEffect("local with options or names that are not known");
    case "exit":
    case "return":
    case "break":
    case "continue":
      return args.every(isNumberArg) && args.length <= 1
        ? READS_NOTHING
        : unknownEffect(`${name} with something other than a number`);
    case "wait":
      return args.length === 0 ? READS_NOTHING : unknownEffect("wait for something that is not known");
    default:
      return undefined;
  }
}

/** What holds after the command, whether or not it succeeded. */
export function stateAfter(words: readonly Arg[], state: State, place: Place): State {
  const plain = state.onSuccess ? { ...state, onSuccess: undefined } : state;
  const own = withoutPrefix(words);
  switch (literal(own[0])) {
    case "cd":
      return afterCd(own.slice(1), plain, place);
    case "pushd":
      return isPushed(own.slice(1)) ? afterCd(own.slice(1), plain, place) : lostFrom(plain);
    case "popd":
    case "eval":
    case "source":
    case ".":
      return lostFrom(plain);
    case undefined:
      return own.length === 0 ? plain : lostFrom(plain);
    case "read":
      // Without an input it leaves what was there.
      if (place.closes) return plain;
      return { ...plain, defined: plain.defined.plus(readNames(own.slice(1)) ?? []) };
    case "local":
      return { ...plain, defined: plain.defined.plus(own.slice(1).flatMap((arg) => localName(arg) ?? [])) };
    case "mapfile":
    case "readarray":
      return { ...plain, defined: plain.defined.plus([arrayName(own.slice(1)) ?? []].flat()) };
    case "unset":
      return {
        ...plain,
        defined: without(plain.defined, own.slice(1)),
        functions: without(plain.functions, own.slice(1)),
      };
    default:
      return plain;
  }
}

function without(names: State["defined"], args: readonly Arg[]): State["defined"] {
  return names.only((name) => !args.some((arg) => literal(arg) === name));
}

/** zsh evaluates anything else. */
function isNumberArg(arg: Arg): boolean {
  return arg.kind === "unknown" ? /^\d*$/.test(arg.like ?? "x") : /^\d+$/.test(literal(arg) ?? "");
}

/** Of `local name=value`, as it was written; an array is not followed. */
function localName(arg: Arg): string | undefined {
  const name = /^(\w+)=(?!\()/.exec(literal(arg) ?? "")?.[1];
  return name !== undefined && isPlainName(name) ? name : undefined;
}

/** As in front of a command. The word stands here as it was written. */
function isHarmlessExport(arg: Arg): boolean {
  const [, name, value] = /^(\w+)=([\w.:/+-]*)$/.exec(literal(arg) ?? "") ?? [];
  return name !== undefined && isHarmlessPrefix(name, { kind: "text", text: value ?? "" });
}

function lostFrom(state: State): State {
  return { ...state, cwds: undefined, moved: true, previous: undefined };
}

/** `command cd x` and `builtin -- cd x` move the shell all the same. */
function withoutPrefix(words: readonly Arg[]): readonly Arg[] {
  const name = literal(words[0]);
  if (name !== "command" && name !== "builtin") return words;
  const at = words.findIndex((word, i) => i > 0 && literal(word)?.startsWith("-") !== true);
  return at < 0 ? [] : withoutPrefix(words.slice(at));
}

/** One folder, and nothing that is an option or a place in the stack. */
function isPushed([folder, ...more]: readonly Arg[]): boolean {
  return more.length === 0 && /^[^-+]/.test(literal(folder) ?? "");
}

const CD = { flags: "LPe", strict: true } as const;

function judgeCd(args: readonly Arg[], state: State): Judgement {
  const target = cdTarget(args, state);
  if (target === undefined) return unknownEffect("cd to a folder that is not known");
  return onlyReads([{ arg: target, what: "names" }]);
}

/** `cd` alone goes home; a dash goes back to where it was, if that is known. */
function cdTarget(args: readonly Arg[], { previous }: State): Arg | undefined {
  const parsed = parseOptions(args, CD);
  if ("problem" in parsed) return undefined;
  const [target, ...more] = parsed.operands;
  if (more.length > 0 || (!target && args.length > 0)) return undefined;
  if (literal(target) === "-") return previous && { kind: "oneof", texts: previous };
  return target ?? { kind: "text", text: "~" };
}

/** The words it may be called with; undefined: not known. */
function cdTexts(args: readonly Arg[], state: State): readonly string[] | undefined {
  const target = cdTarget(args, state);
  if (target?.kind === "oneof") return target.texts === state.previous ? target.texts : undefined;
  return target?.kind === "text" ? [target.text] : undefined;
}

function afterCd(args: readonly Arg[], state: State, place: Place): State {
  const texts = cdTexts(args, state);
  const lost = lostFrom(state);
  const { cwds } = state;
  if (!texts || !cwds) return lost;
  const to = args.length === 0 ? [place.home] : texts;
  // With -P the links on the way count, not the names.
  const isPhysical = args.some((arg) => /^-\w*P/.test(literal(arg) ?? ""));
  if (isPhysical && !cwds.every((cwd) => to.every((one) => isReal(one, cwd, place.files)))) return lost;
  const next = followed(cwds.flatMap((cwd) => to.map((one) => resolve(cwd, one))));
  const either = next && followed([...cwds, ...next]);
  if (!either) return { ...lost, beyond: true };
  const moved = state.moved || next.some((cwd) => cwd !== place.cwd);
  // A folder that is there is entered for certain, unless something before may have taken it away; otherwise the
  // commands after it may run where it was.
  const there = { cwds: next, previous: cwds };
  const isSure = cwds.every((cwd) => to.every((one) => isWay(one, cwd, place.files)));
  if (!state.changed && isSure && next.every((cwd) => place.files.isFolder(cwd))) return { ...state, ...there, moved };
  // If it failed, a dash goes where it went before.
  return { ...state, cwds: either, onSuccess: there, moved, previous: undefined };
}

/** No link is on the way to where it is or will be. */
function isReal(to: string, from: string, files: Files): boolean {
  const { given, real } = placeOf(to, from, files);
  return given === real && files.realPath(from) === from;
}

/** Whether each `..` of it comes after a folder that is there: `cd` fails where there is none. */
function isWay(path: string, cwd: string, files: Files): boolean {
  if (!path.includes("..")) return true;
  let at = isAbsolute(path) ? "/" : cwd;
  return path.split("/").every((name) => {
    const isFine = name !== ".." || files.isFolder(at);
    at = resolve(at, name);
    return isFine;
  });
}

/** The variables `read` sets; undefined when it is not known or not harmless. */
function readNames(args: readonly Arg[]): string[] | undefined {
  const parsed = parseOptions(args, { flags: "rs", values: "pnNtda", strict: true });
  if ("problem" in parsed) return undefined;
  // Only by itself, so that which word is the array is plain to see.
  const array = parsed.options.find(({ name }) => name === "-a")?.value;
  if (array && (parsed.operands.length > 0 || args.at(-1) !== array || !/^-r?a$/.test(literal(args.at(-2)) ?? "")))
    return undefined;
  // With no time, or a number that is none, it leaves them as they were.
  const isFine = parsed.options.every(({ name, value }) => {
    const text = literal(value) ?? "";
    if (name === "-t") return /^\d{1,4}(\.\d{1,6})?$/.test(text) && Number(text) > 0;
    return !/^-[nN]$/.test(name) || /^[1-9]\d{0,5}$/.test(text);
  });
  if (!isFine) return undefined;
  const names = [...parsed.operands, ...(array ? [array] : [])].map((arg) => literal(arg) ?? "");
  return names.every(isPlainName) ? names : undefined;
}

/** The array `mapfile` sets; undefined when it is not known or not harmless (-C runs a command). */
function arrayName(args: readonly Arg[]): string | undefined {
  const parsed = parseOptions(args, { flags: "t", strict: true });
  const [name, ...more] = "problem" in parsed ? [] : parsed.operands;
  const text = literal(name);
  return text !== undefined && more.length === 0 && isPlainName(text) ? text : undefined;
}

/** `set` alone prints every variable; some options change how later words are taken. */
function judgeSet(args: readonly Arg[]): Judgement {
  const texts = args.map((arg) => literal(arg) ?? "?");
  // The options and nothing else.
  if (texts.length === 1 && (texts[0] === "-o" || texts[0] === "+o")) return READS_NOTHING;
  const fine = texts.every((text, i) => {
    if (/^[-+][euxvEC]*o?$/.test(text) && text.length > 1) return true;
    return /^[-+]\w*o$/.test(texts[i - 1] ?? "") && /^(pipefail|errexit|nounset|xtrace|errtrace|noclobber)$/.test(text);
  });
  const dangling = /^[-+]\w*o$/.test(texts.at(-1) ?? "");
  return fine && texts.length > 0 && !dangling
    ? READS_NOTHING
    : unknownEffect("set changes or prints the shell's state");
}

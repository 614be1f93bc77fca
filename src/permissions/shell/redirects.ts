// Redirections: what they read, what they write, and which are more than that.
import type { Command, Redirection } from "unbash";
import { resolve } from "node:path";
import type { Context } from "./context.ts";
import type { Files } from "./resolve.ts";
import { literal, type Arg, type Change, type Feed, type Use } from "./types.ts";
import { argOf, argsOf, checkText, type Scope } from "./words.ts";

export type Redirected = { reads: Use[]; writes: Change[] };

/** Problems go to the scope. */
export function redirectsOf(redirections: readonly Redirection[], scope: Scope): Redirected {
  const out: Redirected = { reads: [], writes: [] };
  for (const redirection of redirections) one(redirection, scope, out);
  return out;
}

type Here = { cwds: readonly string[] | undefined; changed: boolean; files: Files; closes: boolean };

/** Whether each of them succeeds whatever happens: otherwise the command may not run, and changes nothing in the shell. */
export function areSure(redirections: readonly Redirection[], scope: Scope, here: Here): boolean {
  return redirections.every((redirection) => {
    if (redirection.type === "HereDoc") return true;
    const args = redirection.target ? argsOf(redirection.target, scope) : [];
    const text = args.length === 1 ? literal(args[0]) : undefined;
    switch (redirection.operator) {
      case "<<<":
        return true;
      case ">&":
        return (text === "1" || text === "2") && !here.closes && !isInput(redirection);
      case "<":
        return text !== undefined && (text === "/dev/null" || isThere(text, here));
      default:
        return text === "/dev/null" && !isInput(redirection);
    }
  });
}

function isThere(path: string, { cwds, changed, files }: Here): boolean {
  const [cwd, ...others] = cwds ?? [];
  return cwd !== undefined && others.length === 0 && !changed && files.isReadable(resolve(cwd, path));
}

/** What comes in through a pipe is not what a command reads once its input is redirected; a text of the command itself may be. */
export function fedBy(redirections: readonly Redirection[], context: Context, scope: Scope): Context {
  if (redirections.length === 0) return context;
  const input = redirections.findLast(isInput);
  if (!input) return context;
  return { ...context, feed: isText(input) ? () => feedOfText(textIn(input, scope)) : undefined };
}

/** A here-document or here-string. */
export function isText({ type }: Redirection): boolean {
  return type === "HereDoc" || type === "HereString";
}

function textIn(input: Redirection, scope: Scope): string | undefined {
  // What is put into its place may be anything; the rest of it stands there all the same.
  if (input.type === "HereDoc") return input.body.text;
  return input.type === "HereString" && input.target ? literal(argOf(input.target, scope.quiet())) : undefined;
}

function feedOfText(text: string | undefined): Feed | undefined {
  return text === undefined ? undefined : { dotted: false, files: false, nul: false, text };
}

/** Whether what is put in front of a compound may be something that opens and cannot be read. */
export function mayNotRead(redirections: readonly Redirection[], scope: Scope, here: Here): boolean {
  return redirections.filter(isInput).some((redirection) => {
    if (redirection.type !== "Redirect") return false;
    const arg = redirection.operator === "<" && redirection.target ? argsOf(redirection.target, scope)[0] : undefined;
    const text = literal(arg);
    const [cwd, ...others] = here.cwds ?? [];
    if (text === "/dev/null") return false;
    if (text === undefined || cwd === undefined || others.length > 0 || here.changed) return true;
    return here.files.isFolder(resolve(cwd, text));
  });
}

/** `2>/dev/null`. */
export const isSilenced = (one: Redirection) =>
  one.type === "Redirect" &&
  one.operator === ">" &&
  one.target?.text === "/dev/null" &&
  one.descriptor?.type === "FileDescriptor" &&
  one.descriptor.value === 2;
const DESCRIPTOR = /^(\d+-?|-)$/;

function isInput({ operator, descriptor }: Redirection): boolean {
  const number = descriptor?.type === "FileDescriptor" ? descriptor.value : undefined;
  return number === 0 || (number === undefined && operator.startsWith("<"));
}

/** Whether the command has an input of its own. */
export function hasInput({ redirects }: Command): boolean {
  const own = redirects.filter(isInput);
  return own.length > 0 && own.every(({ operator }) => /^<(<<)?$/.test(operator));
}

function one(redirection: Redirection, scope: Scope, out: Redirected): void {
  if (redirection.descriptor?.type === "FileDescriptorVariable") {
    scope.problem("a redirection that keeps a descriptor in a variable");
  }
  if (redirection.type === "HereDoc") {
    const { delimiter, closing } = redirection;
    const isClosed = /^(?:[^'"]|'[^']*'|"[^"]*")*$/s.test(delimiter?.text ?? "'");
    if (!isClosed || closing === undefined) scope.problem("a here-document without an end");
    return checkText(redirection.body.parts, scope);
  }
  if (!redirection.target) return scope.problem("a redirection without a target");
  if (redirection.type === "HereString") return void argOf(redirection.target, scope);
  const [arg, ...more] = argsOf(redirection.target, scope);
  if (!arg || more.length > 0) return scope.problem("a redirection with more than one target");
  const text = arg.kind === "text" ? arg.text : undefined;
  switch (redirection.operator) {
    case "<":
      // What a variable holds could be /dev/tcp/..., which bash opens itself.
      if (!isFileName(arg)) scope.problem("it reads from a file that is only known at run time");
      else if (text !== undefined && isNetwork(text)) scope.problem(`${text} opens a network connection`);
      out.reads.push({ arg, what: "content" });
      return;
    case "<&":
      if (!DESCRIPTOR.test(redirection.target.text)) scope.problem("a descriptor that is only known at run time");
      return;
    case ">&":
      if (DESCRIPTOR.test(redirection.target.text)) return;
      // By way of a variable or in quotes it would be one all the same.
      if (text === undefined || DESCRIPTOR.test(text)) scope.problem("a descriptor that is only known at run time");
      out.writes.push({ arg, how: "write" });
      return;
    case "<>":
    case ">":
    case ">>":
    case ">|":
    case "&>":
    case "&>>":
      if (text === "/dev/null") return;
      if (text !== undefined && isNetwork(text)) scope.problem(`${text} opens a network connection`);
      out.writes.push({ arg, how: "write" });
      return;
    default:
      return redirection satisfies never;
  }
}

/** One name, of those a loop goes through. */
function isFileName(arg: Arg): boolean {
  if (arg.kind === "oneof") return !arg.texts.some(isNetwork);
  return arg.kind === "text" || (arg.kind === "glob" && arg.single && /^[\w.]/.test(arg.start));
}

function isNetwork(path: string): boolean {
  return /^\/dev\/(tcp|udp)\//.test(path);
}

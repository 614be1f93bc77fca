// Redirections: what they read, what they write, and which are more than that.
import type { Redirection } from "unbash";
import type { Context } from "./context.ts";
import type { Change, Use } from "./types.ts";
import { argOf, checkText, type Scope } from "./words.ts";

export type Redirected = { reads: Use[]; writes: Change[] };

/** Problems go to the scope. */
export function redirectsOf(redirections: readonly Redirection[], scope: Scope): Redirected {
  const out: Redirected = { reads: [], writes: [] };
  for (const redirection of redirections) one(redirection, scope, out);
  return out;
}

/** What comes in through a pipe is not what a command reads once its input is redirected. */
export function fedBy(redirections: readonly Redirection[], context: Context): Context {
  if (redirections.length === 0 || !context.feed) return context;
  const isInput = redirections.some(({ operator, descriptor }) => {
    const number = descriptor?.type === "FileDescriptor" ? descriptor.value : undefined;
    return operator.startsWith("<") && (number === undefined || number === 0);
  });
  if (!isInput) return context;
  const { feed: _, ...rest } = context;
  return rest;
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
  const arg = argOf(redirection.target, scope);
  if (redirection.type === "HereString") return;
  const text = arg.kind === "text" ? arg.text : undefined;
  switch (redirection.operator) {
    case "<":
      // What a variable holds could be /dev/tcp/..., which bash opens itself.
      if (text === undefined) scope.problem("it reads from a file that is only known at run time");
      else if (isNetwork(text)) scope.problem(`${text} opens a network connection`);
      out.reads.push({ arg, what: "content" });
      return;
    case "<&":
      if (text === undefined || !/^(\d+-?|-)$/.test(text)) scope.problem("a descriptor that is only known at run time");
      return;
    case ">&":
      if (text !== undefined && /^(\d+-?|-)$/.test(text)) return;
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

function isNetwork(path: string): boolean {
  return /^\/dev\/(tcp|udp)\//.test(path);
}

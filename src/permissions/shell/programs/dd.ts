// dd: its operands are NAME=VALUE.
import type { Call, Change, Judgement, Use } from "../types.ts";
import { literal, onlyReads, unknownEffect } from "../types.ts";

const HARMLESS = /^(?:bs|ibs|obs|cbs|count|skip|iseek|seek|oseek|conv|iflag|oflag|status|speed)=/;

/** Without `of=` it prints what it reads. */
export function judgeDd({ name, args }: Call): Judgement {
  const reads: Use[] = [];
  const writes: Change[] = [];
  let problem: string | undefined;
  for (const arg of args) {
    const start = arg.kind === "text" ? arg.text : arg.kind === "unknown" && arg.single ? arg.start : "";
    const path = (): Use["arg"] =>
      arg.kind === "text"
        ? { kind: "text", text: start.slice(3) }
        : { kind: "unknown", start: start.slice(3), single: true };
    if (start.startsWith("if=")) reads.push({ arg: path(), what: "content" });
    else if (start.startsWith("of=")) writes.push({ arg: path(), how: "write" });
    else if (!HARMLESS.test(start)) problem ??= `${literal(arg) ?? "a word"} is not known`;
  }
  if (problem !== undefined) return unknownEffect(`${name}: ${problem}`, { reads, writes });
  if (writes.length === 0) return onlyReads(reads);
  return { effect: "files", why: `${name} writes a file`, reads, writes, nested: [] };
}

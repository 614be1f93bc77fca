// Shells, eval and the like: a text they run is looked at by rules that forbid; it is never harmless by itself.
import { everything, parseOptions, type OptionTable } from "../options.ts";
import type { Call, Judgement } from "../types.ts";
import { literal, onlyReads, READS_NOTHING, unknownEffect } from "../types.ts";
import type { Entry } from "./entry.ts";

export const SHELL_NAMES: readonly string[] = "bash sh dash ash zsh ksh ksh93 mksh yash rbash fish".split(" ");

// `-c` takes no value of its own: the script is the first operand.
const OPTIONS: OptionTable = {
  flags: "abBcCeEfhHiklmnpPrsStTuvxD",
  values: "oO",
  long: "login norc noprofile posix restricted verbose noediting rcfile= init-file= version help",
  strict: true,
};

export const SHELLS: ReadonlyMap<string, Entry> = new Map<string, Entry>([
  ...SHELL_NAMES.map((name): [string, Entry] => [name, { judge: judgeShell }]),
  ["eval", { judge: judgeEval }],
  ["trap", { judge: judgeTrap }],
  ["source", { judge: judgeSource }],
  [".", { judge: judgeSource }],
]);

function judgeShell({ name, args, feed }: Call): Judgement {
  const words = args.map(literal);
  if (words.length === 1 && words[0] === "--version") return READS_NOTHING;
  // Only a check of the syntax. Others than these read startup files of their own first.
  if (/^(bash|sh|dash)$/.test(name) && args.length === 2 && words[0] === "-n" && /^[^-+]/.test(words[1] ?? "")) {
    return onlyReads(args.slice(1).map((arg) => ({ arg, what: "content" })));
  }
  const parsed = parseOptions(args, OPTIONS);
  if ("problem" in parsed) {
    // Whatever the options are: any word may be the script.
    const nested = words.flatMap((word) =>
      word !== undefined && /\s/.test(word) ? [{ words: [], script: word }] : [],
    );
    return unknownEffect(`${name}: ${parsed.problem}`, { reads: everything(args), nested });
  }
  const { options, operands } = parsed;
  const script = literal(operands[0]);
  if (!options.some((option) => option.name === "-c")) {
    const isFed = operands.length === 0 || INPUT.test(script ?? "") || options.some((option) => option.name === "-s");
    const nested = isFed && feed?.text !== undefined ? [{ words: [], script: feed.text }] : [];
    return unknownEffect(`${name} runs a script`, { reads: everything(operands.slice(0, 1)), nested });
  }
  return unknownEffect(`${name} -c runs a text as a script`, {
    nested: script === undefined ? [] : [{ words: [], script }],
  });
}

/** The words joined; when one is only known when it runs, the text is as well. */
function judgeEval({ args }: Call): Judgement {
  const words = args.map(literal);
  if (words.length === 0) return READS_NOTHING;
  const script = words.filter((word, i) => word !== "--" || i > 0).join(" ");
  return unknownEffect("eval runs a text as a script", {
    nested: words.includes(undefined) ? [] : [{ words: [], script }],
  });
}

function judgeTrap({ args }: Call): Judgement {
  const words = args.map(literal);
  if (words.length === 1 && (words[0] === "-l" || words[0] === "-p")) return READS_NOTHING;
  const script = words[0] === "--" ? words[1] : words[0];
  const isText = script !== undefined && script !== "" && !script.startsWith("-");
  return unknownEffect("trap runs a text later", { nested: isText ? [{ words: [], script }] : [] });
}

function judgeSource({ name, args, feed }: Call): Judgement {
  const isFed = INPUT.test(literal(args[0]) ?? "") && feed?.text !== undefined;
  return unknownEffect(`${name} runs a script`, {
    reads: everything(args.slice(0, 1)),
    nested: isFed ? [{ words: [], script: feed.text }] : [],
  });
}

/** What comes in, as a file. */
const INPUT = /^(?:-|\/dev\/(?:stdin|fd\/0)|\/proc\/self\/fd\/0)$/;

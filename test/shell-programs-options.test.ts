// Reading options by a table: values that could be more than one word, and values that are open behind an equals sign.
import { expect, test } from "bun:test";
import { parseOptions, program, type OptionTable } from "../src/permissions/shell/options.ts";
import { argsOf, summary } from "./shell-words-kit.ts";

const TABLE: OptionTable = { flags: "v", values: "k", long: "include= all color=?" };

test("a value that may become several words is refused: the others would be options nobody looked at", () => {
  const several = ["-k $x a", "-k *.txt a", "--include $x"].map((line) => parseOptions(argsOf(line), TABLE));
  expect(several).toEqual([
    { problem: "the value of -k could be several words" },
    { problem: "the value of -k could be several words" },
    { problem: "the value of --include could be several words" },
  ]);
  expect(parseOptions(argsOf('-k "$x" a'), TABLE)).toEqual({
    options: [{ name: "-k", value: { kind: "unknown", start: "", single: true } }],
    operands: argsOf("a"),
  });
});

test("of several words only the first can be the pattern", () => {
  const judge = program({ operands: ["text", "content"] });
  const found = ["a b", "a* b", "src/* b"].map((line) => summary(judge({ name: "grep", args: argsOf(line) })));
  expect(found).toEqual(["read r:b", "read r:a* r:b", "read r:src/* r:b"]);
});

test("a value behind an equals sign may be open, where the option takes one", () => {
  const open = (start: string) => ({ kind: "unknown", start, single: true });
  expect(parseOptions(argsOf("--include=*.ts a"), TABLE)).toEqual({
    options: [{ name: "--include", value: open("") }],
    operands: argsOf("a"),
  } as ReturnType<typeof parseOptions>);
  expect(parseOptions(argsOf('--color="al$x"'), TABLE)).toEqual({
    options: [{ name: "--color", value: open("al") }],
    operands: [],
  } as ReturnType<typeof parseOptions>);
  const refused = ["--include=$x", "--all=*", "--other=*", "-k=*", "--inc*"].map(
    (line) => "problem" in parseOptions(argsOf(line), TABLE),
  );
  expect(refused).toEqual([true, true, true, true, true]);
});

// The scripted model in the real binary: `--model script:FILE`, its mistakes, and `nanocode demo`.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run, sandbox, type Sandbox } from "./binary.ts";

const held: { box?: Sandbox } = {};
const box = () => held.box ?? sandbox();
beforeAll(() => void (held.box = sandbox()));
afterAll(() => held.box?.remove());

async function scripted(...lines: object[]) {
  writeFileSync(join(box().cwd, "s.jsonl"), lines.map((line) => JSON.stringify(line)).join("\n"));
  return run(box(), ["-p", "Where is the marker?", "--model", "script:s.jsonl"]);
}

test("a script answers, calls real tools and needs no key", async () => {
  writeFileSync(join(box().cwd, "notes.txt"), "MARKER 5 €\n");
  const { code, stdout, stderr } = await scripted(
    { expect: { lastUser: "marker" }, calls: [{ tool: "Read", input: { file_path: "{{cwd}}/notes.txt" } }] },
    { capture: { price: "MARKER (\\d+ €)" }, text: "It says {{price}}." },
  );
  expect([code, stdout, stderr]).toEqual([0, "It says 5 €.\n", ""]);
});

test("a refusal without a word is told in every format", async () => {
  const { code, stdout } = await scripted({ stop: "refusal" });
  expect([code, stdout]).toEqual([0, "The model declined to answer this request.\n"]);
  const args = ["-p", "again", "--model", "script:s.jsonl", "--output-format", "json"];
  expect(JSON.parse((await run(box(), args)).stdout)).toMatchObject({
    subtype: "success",
    result: "The model declined to answer this request.",
    stop_reason: "refusal",
  });
});

test("mistakes in a script, and requests it did not expect, end the run with exit code 1", async () => {
  const malformed = await scripted({ txt: "x" });
  expect([malformed.code, malformed.stdout]).toEqual([1, ""]);
  expect(malformed.stderr).toContain('s.jsonl:1: the line has an unknown field "txt"; did you mean "text"?');
  const unmet = await scripted({ expect: { lastUser: "treasure" }, text: "x" });
  expect(unmet.code).toBe(1);
  expect(unmet.stdout).toContain(
    's.jsonl:1: expect.lastUser.contains: expected the last user text to contain "treasure"',
  );
});

test("the demonstration runs to its end, and its folder holds the repair", async () => {
  const { code, stdout } = await run(box(), ["demo"], { env: { TMPDIR: box().home } });
  expect(code).toBe(0);
  expect(stdout).toContain("All 5 tests pass");
  expect(stdout).toContain("\n* Bash: Run the tests\n  error: ok euros and cents");
  const [dir = ""] = readdirSync(box().home).filter((name) => name.startsWith("nanocode-demo-"));
  expect(stdout).toContain(join(box().home, dir));
  expect(readFileSync(join(box().home, dir, "price.sh"), "utf8")).toContain("%d,%02d €");
});

test("without a folder to work in the demonstration says which variable to set", async () => {
  const tmp = join(box().home, "absent");
  const { code, stdout, stderr } = await run(box(), ["demo"], { env: { TMPDIR: tmp } });
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toStartWith(`nanocode demo cannot make its scratch folder in ${tmp} (ENOENT`);
  expect(stderr).toEndWith("). Set TMPDIR to a folder you can write to.\n");
});

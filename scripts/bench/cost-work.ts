// The work of `bench cost`: what a model would call in 120 turns on a real package, and the package it does it in.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MessagesBody } from "../../test/fake-model-check.ts";
import type { FakeBlock } from "../../test/fake-model.ts";
import { ROOT } from "./world.ts";

export const TURNS = 120;
const TEST = "check.test.ts";
const FILES = [
  "util",
  "parse",
  "checks",
  "api",
  "errors",
  "core",
  "regexes",
  "to-json-schema",
  "memoizer",
  "visit",
].map((name) => `src/v4/core/${name}.ts`);
const WORDS = ["issues", "registry", "optional", "clone", "prefault", "inst\\._zod", "defineLazy", "bigint"];

/** zod's sources, and a test of our own that loads them as they are now. */
export function makePackage(root: string): void {
  mkdirSync(root, { recursive: true });
  const zod = join(ROOT, "node_modules", "zod");
  cpSync(join(zod, "src"), join(root, "src"), { recursive: true, dereference: true });
  writeFileSync(join(root, "package.json"), '{ "name": "zod-copy", "type": "module" }\n');
  writeFileSync(join(root, TEST), testText());
}

function testText(): string {
  const cases = Array.from({ length: 12 }, (_, n) => {
    const value = n % 2 === 0 ? String(n) : JSON.stringify(`text ${n}`);
    const kind = n % 2 === 0 ? "number" : "string";
    return `test("case ${n}: a ${kind}", () => expect(z.${kind}().parse(${value})).toBe(${value}));`;
  });
  return ['import { expect, test } from "bun:test";', 'import * as z from "./src/v4/index.ts";', "", ...cases, ""].join(
    "\n",
  );
}

/** Answers in order; each turn looks at the package as it is at that moment. */
export class Work {
  readonly #root: string;
  #turn = 0;

  constructor(root: string) {
    this.#root = root;
  }

  get turns(): number {
    return this.#turn;
  }

  next(body: MessagesBody): FakeBlock[] {
    const wrong = failed(body);
    if (wrong) throw new Error(`turn ${this.#turn}: ${wrong}`);
    const turn = this.#turn++;
    if (turn >= TURNS) return [say("Done: every module was looked at, and the tests pass.")];
    return this.#step(Math.floor(turn / 8), turn % 8);
  }

  #step(round: number, step: number): FakeBlock[] {
    const file = FILES[round % FILES.length] ?? "";
    const other = FILES[(round + 3) % FILES.length] ?? "";
    const from = 1 + 60 * Math.floor(round / FILES.length);
    switch (step) {
      case 0:
        return [say(`Next I look at how ${file} is used.`), use("Grep", grep(WORDS[round % WORDS.length] ?? "z", 40))];
      case 1:
        return [use("Read", { file_path: file, offset: from, limit: 250 })];
      case 2:
        return [use("Read", { file_path: other, offset: from, limit: 180 })];
      case 3:
        return [say("The order of loading matters here."), use("Edit", this.#edit(file, round, "seed"))];
      case 5:
        return [use("Grep", grep("seeded", 10)), use("Read", { file_path: file, limit: 30 })];
      case 6:
        return [use("Edit", this.#edit(file, round, "mend"))];
      default:
        return [use("Bash", { command: `"${process.execPath}" test ./${TEST}`, description: "run the tests" })];
    }
  }

  /** A module that throws when it is loaded, and back. */
  #edit(file: string, round: number, what: "seed" | "mend"): Record<string, string> {
    const lines = readFileSync(join(this.#root, file), "utf8").split("\n");
    const bug = `throw new Error("seeded ${round}");`;
    const line = lines.find(
      (text) => text.length > 20 && text !== bug && lines.filter((one) => one === text).length === 1,
    );
    if (line === undefined) throw new Error(`${file} has no line to edit at`);
    const [clean, broken] = [line, `${bug}\n${line}`];
    return {
      file_path: file,
      old_string: what === "seed" ? clean : broken,
      new_string: what === "seed" ? broken : clean,
    };
  }
}

/** Tests fail on purpose; every other failed call would make the session another one than it claims to be. */
function failed(body: MessagesBody): string | undefined {
  const last = body.messages.at(-1)?.content ?? [];
  const results = typeof last === "string" ? [] : last.filter((block) => block.is_error === true);
  return results.map((block) => JSON.stringify(block.content)).find((text) => !text.includes("seeded"));
}

function grep(pattern: string, limit: number): Record<string, unknown> {
  return { pattern, path: "src/v4/core", glob: "*.ts", output_mode: "content", head_limit: limit };
}

function use(name: string, input: Record<string, unknown>): FakeBlock {
  return { type: "tool_use", name, input };
}

function say(text: string): FakeBlock {
  return { type: "text", text };
}

/** What the model writes when it is asked for a summary. */
export const SUMMARY = `## Goal
Look at every module of src/v4/core, break and mend each once, and keep the tests green.

## Decisions and findings
A module that throws while it loads fails every test in ${TEST}. The seeded line is always the first change of a round.

## Edited files
${FILES.map((file) => `- ${file}: a seeded error, taken out again`).join("\n")}

## Failing commands
none

## Open todos
- the rest of the modules

## Next step
Go on with the next module.`;

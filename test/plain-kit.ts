// The plain interactive mode of the real binary in a pseudo-terminal, with a fake model behind it.
import { afterAll } from "bun:test";
import { run, sandbox, type Sandbox } from "./binary.ts";
import { startFakeModel, type ScriptEntry } from "./fake-model.ts";
import { startScreen } from "./screen.ts";

const boxes: Sandbox[] = [];
afterAll(() => boxes.forEach((box) => box.remove()));

/** A terminal with the program in it: type, and wait for what the screen shows. `before`: a run that came earlier. */
export async function terminal(script: ScriptEntry[], args: string[] = [], before: string[] = [], cols = 100) {
  const model = await startFakeModel(script);
  const box = sandbox(model);
  boxes.push(box);
  if (before.length > 0) await run(box, before);
  return { model, box, ...startScreen(box, { args, cols }) };
}

/** The text blocks of the last message of a request. */
export function lastTexts(request: { body: { messages: { content: unknown }[] } } | undefined): unknown[] {
  const content = request?.body.messages.at(-1)?.content;
  return Array.isArray(content) ? content.flatMap((block) => (block.type === "text" ? [block.text] : [])) : [content];
}

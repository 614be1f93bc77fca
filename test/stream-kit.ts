// Talks to the real binary as a driving program does: stream-json lines in and out, one at a time.
import { BINARY, messages, STREAM, type Sandbox } from "./binary.ts";

export type Line = Record<string, unknown>;

/** Lines to it one at a time: the next is sent when the answer to the last is there. */
export async function conversation(
  box: Sandbox,
  talk: (ask: Ask, tell: (line: object) => void) => Promise<void>,
  flags: string[] = [],
) {
  const child = Bun.spawn([BINARY, "--input-format", "stream-json", ...STREAM, ...flags], {
    cwd: box.cwd,
    env: box.env,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const lines: Line[] = [];
  let wake = () => {};
  const reading = (async () => {
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of child.stdout) {
      text += decoder.decode(chunk, { stream: true });
      const whole = text.lastIndexOf("\n") + 1;
      lines.push(...messages(text.slice(0, whole)));
      text = text.slice(whole);
      wake();
    }
  })();
  const tell = (line: object) => {
    child.stdin.write(`${JSON.stringify(line)}\n`);
    void child.stdin.flush();
  };
  const until = async (from: number, wanted: (line: Line) => boolean) => {
    for (;;) {
      const at = lines.findIndex((line, i) => i >= from && wanted(line));
      if (at >= 0) return lines.slice(from, at + 1);
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  const ask: Ask = (line, wanted) => {
    const from = lines.length;
    tell(line);
    return until(from, wanted);
  };
  await talk(ask, tell);
  child.stdin.end();
  await reading;
  return { code: await child.exited, lines };
}
export type Ask = (line: object, wanted: (line: Line) => boolean) => Promise<Line[]>;

export const user = (content: string) => ({ type: "user", message: { role: "user", content } });
export const control = (id: string, subtype: string) => ({
  type: "control_request",
  request_id: id,
  request: { subtype },
});
export const isResult = (line: Line) => line.type === "result";
export const isAnswer = (line: Line) => line.type === "control_response";

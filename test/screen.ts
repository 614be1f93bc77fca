// The real binary in a pseudo-terminal: type, and wait for what the screen shows.
import { BINARY, type Sandbox } from "./binary.ts";

type Options = { args?: string[]; env?: Record<string, string>; cols?: number; patienceMs?: number };

export function startScreen(box: Sandbox, { args = [], env = {}, cols = 100, patienceMs = 5_000 }: Options = {}) {
  const screen = { text: "", read: 0, changed: Promise.withResolvers<void>() };
  const decoder = new TextDecoder();
  const child = Bun.spawn([BINARY, ...args], {
    cwd: box.cwd,
    env: { ...box.env, ...env, TERM: "dumb" },
    terminal: {
      cols,
      rows: 30,
      data(_terminal, bytes) {
        screen.text += decoder.decode(bytes, { stream: true }).replaceAll("\r\n", "\n");
        screen.changed.resolve();
        screen.changed = Promise.withResolvers();
      },
    },
  });
  const sees = async (wanted: string) => {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      const at = screen.text.indexOf(wanted, screen.read);
      if (at >= 0) {
        screen.read = at + wanted.length;
        return;
      }
      if (Date.now() > deadline)
        throw new Error(`never saw ${JSON.stringify(wanted)} in ${JSON.stringify(screen.text)}`);
      await Promise.race([screen.changed.promise, Bun.sleep(100)]);
    }
  };
  const type = (text: string) => child.terminal?.write(text);
  return { child, screen, sees, type };
}

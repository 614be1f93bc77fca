// The prompt of print mode: the argument, standard input, or both.
import { UsageError } from "../core/errors.ts";
import { stdinIsPiped } from "./out.ts";

const MAX_BYTES = 10 * 1024 * 1024;
/** With a prompt as argument, an open but silent stdin is waited for this long. */
const SILENCE_MS = 3_000;

/** Throws UsageError when there is nothing to ask. `warn` is told when stdin stays silent. */
export async function readPrompt(
  argument: string | undefined,
  warn: (text: string) => void,
  signal: AbortSignal,
): Promise<string> {
  const given = argument?.trim() ?? "";
  const piped = stdinIsPiped() ? (await readAll(given !== "", warn, signal)).trim() : "";
  const prompt = [given, piped].filter((part) => part !== "").join("\n\n");
  if (prompt !== "") return prompt;
  throw new UsageError("Error: Input must be provided either through stdin or as a prompt argument when using --print");
}

async function readAll(mayGiveUp: boolean, warn: (text: string) => void, signal: AbortSignal): Promise<string> {
  const reader = Bun.stdin.stream().getReader();
  const chunks: Uint8Array[] = [];
  const size = { bytes: 0 };
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(new UsageError("Interrupted.")), { once: true });
  });
  const silence = mayGiveUp ? Bun.sleep(SILENCE_MS).then(() => undefined) : undefined;
  for (let first = true; ; first = false) {
    const next = reader.read();
    const got = await Promise.race(first && silence ? [next, silence, stopped] : [next, stopped]);
    if (got === undefined) {
      warn(
        `No input on stdin in ${SILENCE_MS / 1000} s; going on without it. Redirect it from /dev/null to avoid the wait.`,
      );
      return "";
    }
    if (got.done) return new TextDecoder().decode(Buffer.concat(chunks));
    chunks.push(got.value);
    size.bytes += got.value.byteLength;
    if (size.bytes > MAX_BYTES)
      throw new UsageError("Error: the prompt on stdin is larger than 10 MB; put it in a file and name it.");
  }
}

// Runs a search in a thread, so that neither a huge file nor a slow disk holds up the program; ends it when told to.
import type { GrepJob, GrepReply, WorkerMessage } from "./grep-job.ts";

/** Throws the signal's reason, or an Error for the model when the pattern is not valid. */
export async function searchInThread(job: GrepJob, signal: AbortSignal): Promise<GrepReply> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<WorkerMessage>();
  const worker = new Worker(workerUrl());
  worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => resolve(data);
  worker.onerror = (event) => reject(new Error(`The search failed: ${event.message}`));
  worker.addEventListener("close", () => reject(new Error("The search ended without an answer.")));
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    worker.postMessage(job);
    const answer = await promise;
    if ("error" in answer) throw new Error(answer.error);
    return answer.reply;
  } finally {
    signal.removeEventListener("abort", abort);
    worker.terminate();
  }
}

export type Deadline = {
  signal: AbortSignal;
  timeoutMs: number;
  /** What is searched for. */
  pattern: string;
  late: () => Error;
};

/** Runs `work` with a signal that aborts with `signal`, or with `late()` as its reason when the time is up. */
export async function withDeadline<T>(limit: Deadline, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const abort = () => controller.abort(interrupted(limit));
  if (limit.signal.aborted) throw interrupted(limit);
  limit.signal.addEventListener("abort", abort, { once: true });
  const timer = setTimeout(() => controller.abort(limit.late()), limit.timeoutMs);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    limit.signal.removeEventListener("abort", abort);
  }
}

function interrupted({ pattern, signal }: Deadline): Error {
  const cause: unknown = signal.reason;
  const why = cause instanceof Error ? ` (${cause.message})` : "";
  const shown = JSON.stringify(pattern.length > 100 ? `${pattern.slice(0, 100)}...` : pattern);
  const text = `Interrupted${why}: the search for ${shown} had no answer yet; whether there is a match is not known.`;
  return new Error(text, { cause });
}

/** The worker as source, beside a chunk in the executable's own file system, and above the chunks in the npm bundle. */
function workerUrl(): string {
  const here = import.meta.url;
  if (here.endsWith(".ts")) return new URL("../grep-worker.ts", here).href;
  const inExecutable = here.includes("/$bunfs/") || here.includes("/~BUN/");
  return new URL(inExecutable ? "./grep-worker.js" : "../grep-worker.js", here).href;
}

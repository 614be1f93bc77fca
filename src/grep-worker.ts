// The thread Grep searches in: one job, one answer. An entry of its own in the built program.
import type { GrepJob, WorkerMessage } from "./tools/grep-job.ts";
import { search } from "./tools/grep-search.ts";

declare const self: Worker;

self.onmessage = ({ data }: MessageEvent<GrepJob>) => {
  self.postMessage(answer(data));
};

function answer(job: GrepJob): WorkerMessage {
  try {
    return { reply: search(job) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

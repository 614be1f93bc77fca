// What the model sees of a command's output: terminal control removed, head and tail when it is too long.
import type { Capture } from "./bash-output.ts";

export type Shown = {
  /** Trimmed of blank lines at both ends; empty when nothing was written. */
  text: string;
  /** Present when something was cut. */
  file?: { path: string; bytes: number };
};

/** Up to this size all of it is read, so that progress bars are collapsed before anything is measured. */
const WHOLE_BYTES = 1024 * 1024;
const WINDOW_BYTES = 256 * 1024;
/** A cut moves to the end of a line when one is this near, and not more than a quarter is lost. */
const LINE_SLACK = 400;

// CSI; OSC, DCS, SOS, PM and APC up to their end or the line's (what ends them goes with the controls); other escapes. An unfinished one must not eat what follows.
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]?|[\]PX^_][^\x07\x1b\n]*|[ -/]*[0-~])?|\x9b[0-?]*[ -/]*[@-~]?/g;
const OVERSTRIKE = /[^\n\x08]\x08/g;
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/** Terminal output as plain text: no escapes, NULs or other controls; of a line rewritten by CR only the last state. */
export function plainText(raw: string): string {
  const text = raw.replace(ESCAPES, "").replaceAll("\r\n", "\n");
  const lines = text.includes("\r") ? text.split("\n").map(lastState).join("\n") : text;
  return lines.replace(OVERSTRIKE, "").replace(CONTROLS, "");
}

/**
 * The output as text of at most about `limit` characters. Longer output is persisted, and a note between head and
 * tail says how much is missing, where all of it is and how to read it. `headShare`: the head's part of the limit.
 */
export function showOutput(capture: Capture, limit: number, headShare: number): Shown {
  const { size } = capture;
  if (size <= WHOLE_BYTES) {
    const text = trimBlankLines(plainText(decode(capture.slice(0, size))));
    if (text.length <= limit) return { text };
    return join(capture, { head: text, tail: text, limit, headShare });
  }
  const head = trimBlankLines(plainText(decode(wholeCharacters(capture.slice(0, WINDOW_BYTES), "start"))));
  const tail = trimBlankLines(plainText(decode(wholeCharacters(capture.slice(size - WINDOW_BYTES, size), "end"))));
  return join(capture, { head, tail, limit, headShare });
}

/** "1.2 MB" */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`;
  if (bytes < 1_000_000_000) return `${(bytes / 1_000_000).toFixed(1)} MB`;
  return `${(bytes / 1_000_000_000).toFixed(1)} GB`;
}

type Parts = { head: string; tail: string; limit: number; headShare: number };

function join(capture: Capture, { head, tail, limit, headShare }: Parts): Shown {
  const path = capture.persist();
  const first = startOf(head, Math.floor(limit * headShare));
  const last = endOf(tail, limit - Math.floor(limit * headShare));
  const note =
    `[The middle is cut. The whole output, ${bytesText(capture.size)}, is in ${path} ` +
    `(read parts of it with Read, offset and limit, or search it with Grep).]`;
  return { text: `${first}\n\n${note}\n\n${last}`, file: { path, bytes: capture.size } };
}

function startOf(text: string, length: number): string {
  if (text.length <= length) return text;
  const line = text.lastIndexOf("\n", length);
  const cut = text.slice(0, line >= 0 && line > length - slack(length) ? line : length);
  return isHighSurrogate(cut, cut.length - 1) ? cut.slice(0, -1) : cut;
}

function endOf(text: string, length: number): string {
  if (text.length <= length) return text;
  const start = text.length - length;
  const line = text.indexOf("\n", start);
  const from = line >= 0 && line < start + slack(length) ? line + 1 : start;
  return text.slice(isHighSurrogate(text, from - 1) ? from + 1 : from);
}

function slack(length: number): number {
  return Math.min(LINE_SLACK, length / 4);
}

function isHighSurrogate(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xd800 && code <= 0xdbff;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

/** Without the character that the cut went through, at the end of a start or at the start of an end. */
function wholeCharacters(bytes: Buffer, part: "start" | "end"): Buffer {
  const isContinuation = (at: number) => ((bytes[at] ?? 0) & 0xc0) === 0x80;
  if (part === "end") {
    const skip = [0, 1, 2, 3].find((at) => !isContinuation(at));
    return bytes.subarray(skip ?? 0);
  }
  const last = [1, 2, 3, 4].find((back) => !isContinuation(bytes.length - back)) ?? 0;
  const lead = bytes[bytes.length - last] ?? 0;
  const wanted = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return wanted > last ? bytes.subarray(0, bytes.length - last) : bytes;
}

function lastState(line: string): string {
  const states = line.split("\r").filter((state) => state.trim() !== "");
  return states.at(-1) ?? "";
}

function trimBlankLines(text: string): string {
  return text.replace(/^(?:[ \t]*\n)+/, "").trimEnd();
}

// Captures what a command writes, in order and without holding it in memory: a named pipe we empty, else a plain file.
import { closeSync, constants, fstatSync, mkdirSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/** "more": bytes moved, look again at once; "idle": nothing there now; "ended": nobody can write any more. */
export type PumpState = "more" | "idle" | "ended";

/** A pipe with a name: unlike the socket pairs a runtime gives, `/dev/stderr` of it can be opened again. */
type Fifo = { path: string; readFd: number };

const CHUNK_BYTES = 64 * 1024;
/** What one pump may move before others get the thread. */
const CHUNKS_PER_PUMP = 16;
/** Less than this never reaches the disk. */
const SPILL_BYTES = 64 * 1024;

/** The session's folder for output, and the pipes that are free to be used again. */
export class OutputFolder {
  readonly path: string;
  #free: Fifo[] = [];
  #mkfifo: string | undefined;
  #buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);

  /** `path` is made (0700) on first use. Pipes are needed on Linux only: see `findMkfifo`. */
  constructor(path: string, { pipes = process.platform === "linux" }: { pipes?: boolean } = {}) {
    this.path = path;
    this.#mkfifo = pipes ? findMkfifo() : undefined;
  }

  /** A name nobody else has. */
  newPath(suffix: string): string {
    return join(this.path, `bash-${crypto.randomUUID().slice(-12)}${suffix}`);
  }

  capture(): Capture {
    for (let fifo = this.#take(); fifo; fifo = this.#take()) {
      const writeFd = openIfThere(fifo.path);
      if (writeFd !== undefined) return new PipeCapture(this, fifo, { writeFd, buffer: this.#buffer });
      closeSync(fifo.readFd); // somebody emptied our folder
    }
    return new FileCapture(this);
  }

  /** Opens a new file only we can read; makes the folder when it is not there. */
  create(path: string): number {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND;
    try {
      return openSync(path, flags, 0o600);
    } catch {
      // Most likely the first use of this folder; any other reason shows again in the second attempt.
      mkdirSync(this.path, { recursive: true, mode: 0o700 });
      return openSync(path, flags, 0o600);
    }
  }

  /** When nothing writes any more. */
  close(): void {
    for (const { path, readFd } of this.#free.splice(0)) {
      closeSync(readFd);
      rmSync(path, { force: true });
    }
  }

  giveBack(fifo: Fifo): void {
    this.#free.push(fifo);
  }

  #take(): Fifo | undefined {
    const free = this.#free.pop();
    if (free || !this.#mkfifo) return free;
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    const path = this.newPath(".pipe");
    const made = Bun.spawnSync([this.#mkfifo, "-m", "600", path], { stdout: "ignore", stderr: "ignore" });
    if (made.success) return { path, readFd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK) };
    this.#mkfifo = undefined; // a file system without pipes: files from now on
    return undefined;
  }
}

/** One command's output: bytes `0..size`, in the order they were written. */
export interface Capture {
  /** Stdout and stderr of the child. Closed by `started()`. */
  readonly childFd: number;
  readonly size: number;
  /** True: "idle" means that somebody can still write. */
  readonly knowsEnd: boolean;
  /** How soon a pump can find more, in ms. */
  readonly shortestPauseMs: number;
  /** The child has its own copy of `childFd` now. */
  started(): void;
  /** Takes what is there. Throws when it cannot be stored (disk full). */
  pump(): PumpState;
  slice(from: number, to: number): Buffer;
  /** Makes sure the output is in a file that stays, and says where. */
  persist(): string;
  /** No more pumping. The file is removed unless `persist()` was called. */
  close(): void;
}

class PipeCapture implements Capture {
  readonly childFd: number;
  readonly knowsEnd = true;
  readonly shortestPauseMs = 1;
  size = 0;
  #folder: OutputFolder;
  #fifo: Fifo;
  #buffer: Buffer;
  #memory: Buffer[] = [];
  #file: { path: string; fd: number } | undefined;
  #persistent = false;
  #ended = false;

  constructor(folder: OutputFolder, fifo: Fifo, { writeFd, buffer }: { writeFd: number; buffer: Buffer }) {
    this.#folder = folder;
    this.#fifo = fifo;
    this.#buffer = buffer;
    this.childFd = writeFd;
  }

  started(): void {
    closeSync(this.childFd);
  }

  pump(): PumpState {
    if (this.#ended) return "ended";
    for (let i = 0; i < CHUNKS_PER_PUMP; i++) {
      const count = readNow(this.#fifo.readFd, this.#buffer);
      if (count === undefined) return i === 0 ? "idle" : "more";
      if (count === 0) {
        this.#ended = true;
        return "ended";
      }
      this.#store(this.#buffer.subarray(0, count));
    }
    return "more";
  }

  slice(from: number, to: number): Buffer {
    if (this.#file) return readRange(this.#file.fd, from, to);
    return Buffer.concat(this.#memory).subarray(from, to);
  }

  persist(): string {
    this.#persistent = true;
    return this.#spill().path;
  }

  close(): void {
    if (this.#file) {
      closeSync(this.#file.fd);
      if (!this.#persistent) rmSync(this.#file.path, { force: true });
    }
    if (this.#ended) return this.#folder.giveBack(this.#fifo);
    // Somebody may still write into it: it cannot serve another command.
    closeSync(this.#fifo.readFd);
    rmSync(this.#fifo.path, { force: true });
  }

  #store(bytes: Buffer): void {
    this.size += bytes.length;
    if (this.#file) return writeAll(this.#file.fd, bytes);
    this.#memory.push(Buffer.from(bytes));
    if (this.size > SPILL_BYTES) this.#spill();
  }

  #spill(): { path: string; fd: number } {
    if (this.#file) return this.#file;
    const path = this.#folder.newPath(".txt");
    this.#file = { path, fd: this.#folder.create(path) };
    for (const bytes of this.#memory.splice(0)) writeAll(this.#file.fd, bytes);
    return this.#file;
  }
}

/** Where there are no named pipes. */
class FileCapture implements Capture {
  readonly childFd: number;
  readonly knowsEnd = false;
  readonly shortestPauseMs = 100;
  size = 0;
  #path: string;
  #readFd: number;
  #persistent = false;

  constructor(folder: OutputFolder) {
    this.#path = folder.newPath(".txt");
    this.childFd = folder.create(this.#path);
    this.#readFd = openSync(this.#path, "r");
  }

  started(): void {
    closeSync(this.childFd);
  }

  pump(): PumpState {
    const before = this.size;
    this.size = fstatSync(this.#readFd).size;
    return this.size === before ? "idle" : "more";
  }

  slice(from: number, to: number): Buffer {
    return readRange(this.#readFd, from, to);
  }

  persist(): string {
    this.#persistent = true;
    return this.#path;
  }

  close(): void {
    closeSync(this.#readFd);
    if (!this.#persistent) rmSync(this.#path, { force: true });
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, constants.O_WRONLY);
  } catch {
    return undefined; // the caller has another way
  }
}

/** On Linux, `>/dev/stderr` opens the file behind it anew and cuts it to nothing; a pipe has nothing to cut. */
function findMkfifo(): string | undefined {
  return Bun.which("mkfifo", { PATH: "/usr/bin:/bin" }) ?? undefined;
}

/** Undefined: nothing there now. 0: all writers are gone. */
function readNow(fd: number, buffer: Buffer): number | undefined {
  try {
    return readSync(fd, buffer, 0, buffer.length, null);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return undefined;
    throw error;
  }
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
}

function readRange(fd: number, from: number, to: number): Buffer {
  const bytes = Buffer.alloc(Math.max(0, to - from));
  const filled = { bytes: 0 };
  while (filled.bytes < bytes.length) {
    const count = readSync(fd, bytes, filled.bytes, bytes.length - filled.bytes, from + filled.bytes);
    if (count === 0) break;
    filled.bytes += count;
  }
  return bytes.subarray(0, filled.bytes);
}

// The record of one conversation: a line per durable event, written whole, in a file only the person can read.
import { closeSync, existsSync, fdatasync, fstatSync, mkdirSync, rmSync, truncateSync } from "node:fs";
import { dirname } from "node:path";
import { UsageError } from "../core/errors.ts";
import type { DurableEvent } from "../core/types.ts";
import type { Fields } from "../utils/jsonl.ts";
import { encode, FORMAT } from "./codec.ts";
import { appendWhole, openPrivate, putInPlace, reasonOf, TornWrite } from "./disk.ts";
import { load, repairs, type Loaded } from "./load.ts";
import { acquire, type Release } from "./lock.ts";

export type StoreOptions = {
  path: string;
  id: string;
  cwd: string;
  version: string;
  title?: string | undefined;
  /** The session this one is a copy of. */
  forkedFrom?: string;
  /**
   * Called once when the conversation cannot be recorded (disk full, read-only home). It goes on; what could not be
   * written is kept and tried again with every later event.
   */
  onProblem(text: string): void;
  now?: () => number;
};

/** More than this is not held back for a disk that takes nothing. */
const MAX_HELD = 64 * 1024 * 1024;
/** The title is said again at the end when this much has come after it: lists only read the ends of a file. */
const TITLE_FAR = 16 * 1024;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

export class SessionStore {
  readonly id: string;
  readonly path: string;
  #options: StoreOptions;
  /** Lines not on disk yet: before the first message, and while the disk takes nothing. */
  #held: string[] = [];
  #heldChars = 0;
  #fd: number | undefined;
  #release: Release | undefined;
  #cwd: string;
  #parent: string | null = null;
  #uuids = new Set<string>();
  #title: string | undefined;
  #sinceTitle = 0;
  /** A message or a compaction has come: from now on the file is made. */
  #begun = false;
  #copying = false;
  /** How the file of a resumed session ended. */
  #resumed: "none" | "open" | "torn" | undefined;
  #phase: "recording" | "troubled" | "over" = "recording";
  /** The file ends in a piece of a line that could not be taken back. */
  #ragged = false;
  #syncing: Promise<unknown> | undefined;

  constructor(options: StoreOptions) {
    this.id = options.id;
    this.path = options.path;
    this.#options = options;
    this.#cwd = options.cwd;
  }

  /**
   * Opens an existing session for more: locks it, reads it, cuts off a torn end. A call that was cut off by a crash
   * gets an error result, recorded with the next message. Throws UsageError when another process writes to it.
   */
  static async resume(options: StoreOptions): Promise<{ store: SessionStore; loaded: Loaded }> {
    const store = new SessionStore(options);
    store.#attempt(() => (store.#release = acquire(options.path, options.id)));
    try {
      const loaded = await load(options.path);
      const { end } = loaded;
      store.#resumed = end.tail;
      store.#parent = loaded.lastUuid;
      store.#uuids = loaded.uuids;
      store.#title = options.title ?? loaded.title;
      store.#attempt(() => {
        if (end.tail === "torn" && store.#release) truncateSync(options.path, end.whole);
        if (end.tail === "torn" && store.#release) store.#resumed = "none";
        store.#fd = store.#reopen(store.#resumed ?? "none");
      });
      if (options.title !== undefined && options.title !== loaded.title) store.#hold(store.#titleLine(options.title));
      const missing = repairs(loaded.events);
      for (const event of missing) store.#hold(store.#eventLine(event));
      loaded.events.push(...missing);
      if (missing.length > 0) loaded.notices.push(`${closed(missing.length)} when the program was last stopped.`);
      return { store, loaded };
    } catch (error) {
      store.close();
      throw error;
    }
  }

  /** Events to begin with (a fork). They are written with its first own message, in one step. */
  seed(events: readonly DurableEvent[]): void {
    if (this.#fd !== undefined || events.length === 0) return;
    this.#copying = true;
    for (const event of events) this.#hold(this.#eventLine(event));
  }

  /**
   * Records one event: one write of one whole line. The file is made with the first message. A disk that takes nothing
   * is reported by `onProblem`, not thrown; throws UsageError when the session's id was taken meanwhile.
   */
  append(event: DurableEvent): void {
    if (this.#phase === "over") return;
    this.#hold(this.#eventLine(event));
    if (event.type === "message" || event.type === "compacted") this.#begun = true;
    if (this.#begun) this.#flush();
  }

  /** Makes what was written survive a power loss; called at the end of a turn. */
  async sync(): Promise<void> {
    const fd = this.#fd;
    if (fd === undefined) return;
    const synced = new Promise<unknown>((resolve) => fdatasync(fd, resolve));
    this.#syncing = Promise.all([this.#syncing, synced]);
    const failed = await synced;
    if (failed) this.#trouble(failed);
    else if (this.#fd === fd && fstatSync(fd).nlink === 0) {
      this.#trouble(new Error("the file was removed while it was in use"));
      this.#phase = "over";
    }
  }

  /** Gives back the file and the lock at once; more events are not recorded. */
  close(): void {
    if (this.#begun && this.#phase !== "over") {
      if (this.#title !== undefined && this.#sinceTitle > TITLE_FAR) this.#hold(this.#titleLine(this.#title));
      this.#flush();
    }
    this.#phase = "over";
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined && this.#syncing) void this.#syncing.then(() => closeSync(fd));
    else if (fd !== undefined) closeSync(fd);
    this.#release?.();
    this.#release = undefined;
  }

  /** Goes on in the file there is; `#release` is held. */
  #reopen(tail: "none" | "open" | "torn"): number {
    this.#release ??= acquire(this.path, this.id);
    const fd = openPrivate(this.path, "a");
    this.#ragged = tail !== "none";
    return fd;
  }

  /** A place that cannot be written to is no reason to stop: the conversation goes on unrecorded. */
  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof UsageError)) return this.#trouble(error);
      this.#phase = "over";
      throw error;
    }
  }

  #flush(): void {
    this.#attempt(() => {
      this.#fd ??= this.#resumed === undefined ? this.#create() : this.#reopen(this.#resumed);
      while (this.#held.length > 0) {
        // A resumed session's held lines and a turn's first events are few: shifting is cheap.
        this.#write(this.#fd, this.#held[0] ?? "");
        this.#heldChars -= this.#held.shift()?.length ?? 0;
      }
      if (this.#phase === "troubled") this.#phase = "recording";
    });
  }

  /** The file with its header and everything held so far; a copy appears whole or not at all. */
  #create(): number {
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
    this.#release ??= acquire(this.path, this.id);
    const lines = [this.#headerLine(), ...(this.#options.title ? [this.#titleLine(this.#options.title)] : [])];
    const begin = [...lines, ...this.#held].join("");
    const fd = this.#copying ? this.#copy(begin) : this.#begin(begin);
    this.#title = this.#options.title;
    this.#held = [];
    this.#heldChars = 0;
    return fd;
  }

  #begin(text: string): number {
    const fd = openPrivate(this.path, "a");
    try {
      if (fstatSync(fd).size > 0) throw new UsageError(`Session ID ${this.id} is already in use.`);
      this.#write(fd, text);
      return fd;
    } catch (error) {
      closeSync(fd);
      // A piece of the header that could not be taken back would look like somebody's session at the next try.
      if (error instanceof TornWrite) rmSync(this.path, { force: true });
      this.#ragged = false;
      throw error;
    }
  }

  #copy(text: string): number {
    const temporary = `${this.path}.${crypto.randomUUID().slice(0, 8)}.new`;
    const fd = openPrivate(temporary, "ax");
    try {
      this.#write(fd, text);
      if (existsSync(this.path)) throw new UsageError(`Session ID ${this.id} is already in use.`);
      putInPlace(temporary, this.path);
      return fd;
    } catch (error) {
      closeSync(fd);
      rmSync(temporary, { force: true });
      this.#ragged = false;
      throw error;
    }
  }

  #write(fd: number, text: string): void {
    const bytes = Buffer.from(this.#ragged ? `\n${text}` : text);
    try {
      appendWhole(fd, bytes);
      this.#ragged = false;
      this.#sinceTitle += bytes.length;
    } catch (error) {
      // The next line then starts on a new one, and the torn piece is skipped when it is read.
      if (error instanceof TornWrite) this.#ragged = true;
      throw error;
    }
  }

  #hold(line: string): void {
    this.#held.push(line);
    this.#heldChars += line.length;
    if (this.#phase !== "troubled" || this.#heldChars <= MAX_HELD) return;
    this.#held = [];
    this.#phase = "over";
  }

  #trouble(error: unknown): void {
    if (this.#phase !== "recording") return;
    this.#phase = "troubled";
    const why = `${reasonOf(error)} (${this.path})`;
    this.#options.onProblem(
      `This conversation is not being recorded: ${why}. It goes on, but cannot be resumed from here.`,
    );
  }

  #headerLine(): string {
    const { id, cwd, version, title, forkedFrom } = this.#options;
    const header = { type: "system", subtype: "session", format: FORMAT, sessionId: id, cwd, version };
    const more = { ...(title ? { title } : {}), ...(forkedFrom ? { forkedFrom } : {}) };
    return lineOf({ ...header, ...more, timestamp: this.#timestamp() });
  }

  /** Its own type, so that programs that list sessions by titles find it. */
  #titleLine(title: string): string {
    this.#sinceTitle = 0;
    return lineOf({ type: "custom-title", customTitle: title, sessionId: this.id });
  }

  #eventLine(event: DurableEvent): string {
    const { type, message, ...fields } = encode(event);
    if (event.type === "cwd") this.#cwd = event.cwd;
    const uuid = this.#uuidFor(event);
    const chained = type !== "system";
    const place = { uuid, ...(chained ? { parentUuid: this.#parent } : {}), sessionId: this.id };
    const when = { timestamp: this.#timestamp(), cwd: this.#cwd, version: this.#options.version };
    if (chained) this.#parent = uuid;
    return lineOf({ type, ...place, ...when, ...(chained ? { isSidechain: false } : {}), ...fields, message });
  }

  /** The message's own id where it is one and not used yet: programs that sent it find it again by that. */
  #uuidFor(event: DurableEvent): string {
    const own = event.type === "message" && event.message.role === "user" ? event.message.id : "";
    const uuid = UUID.test(own) && !this.#uuids.has(own) && own !== this.#parent ? own : crypto.randomUUID();
    this.#uuids.add(uuid);
    return uuid;
  }

  #timestamp(): string {
    return new Date((this.#options.now ?? Date.now)()).toISOString();
  }
}

function closed(count: number): string {
  return count === 1 ? "A tool call was interrupted" : `${count} tool calls were interrupted`;
}

function lineOf(fields: Fields): string {
  return `${JSON.stringify(fields)}\n`;
}

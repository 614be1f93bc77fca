// The record of one conversation: a line per durable event, written whole, in a file only the person can read.
import { closeSync, fdatasync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { DurableEvent } from "../core/types.ts";
import { encode, FORMAT } from "./codec.ts";
import { load, type Loaded, repairs } from "./load.ts";
import { acquire, type Release } from "./lock.ts";

export type StoreOptions = {
  path: string;
  id: string;
  cwd: string;
  version: string;
  title?: string | undefined;
  /** The session this one is a copy of; its events are written first. */
  forkedFrom?: string;
  /** Called once, when the conversation can no longer be recorded. It goes on unrecorded. */
  onProblem(text: string): void;
  now?: () => number;
};

type Phase =
  /** No file yet: it is made with the first message. */
  | { kind: "pending"; before: DurableEvent[] }
  | { kind: "open"; fd: number; release: Release; parent: string | null }
  | { kind: "broken" }
  | { kind: "closed" };

export class SessionStore {
  readonly id: string;
  readonly path: string;
  #options: StoreOptions;
  #phase: Phase = { kind: "pending", before: [] };

  constructor(options: StoreOptions) {
    this.id = options.id;
    this.path = options.path;
    this.#options = options;
  }

  /**
   * Opens an existing session for more: locks it, reads it, repairs it (a call cut off by a crash gets a result, on
   * disk too). Throws UsageError when another process writes to it.
   */
  static async resume(options: StoreOptions): Promise<{ store: SessionStore; loaded: Loaded }> {
    const release = acquire(options.path, options.id);
    try {
      const loaded = await load(options.path);
      const store = new SessionStore(options);
      store.#phase = { kind: "open", fd: openSync(options.path, "a", 0o600), release, parent: loaded.lastUuid };
      const missing = repairs(loaded.events);
      for (const event of missing) store.append(event);
      loaded.events.push(...missing);
      if (missing.length > 0) loaded.notices.push(`${missing.length} interrupted tool call(s) were closed.`);
      return { store, loaded };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** A new session that begins with these events (a fork). They are written with its first own message. */
  seed(events: readonly DurableEvent[]): void {
    if (this.#phase.kind === "pending") this.#phase.before.push(...events);
  }

  /** One write of one whole line. Never throws: a disk that is full or read-only is reported once. */
  append(event: DurableEvent): void {
    try {
      if (this.#phase.kind === "pending") {
        this.#phase.before.push(event);
        if (event.type === "message") this.#create(this.#phase.before);
      } else if (this.#phase.kind === "open") this.#write(this.#phase, event);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Makes what was written survive a power loss; called at the end of a turn. */
  async sync(): Promise<void> {
    const phase = this.#phase;
    if (phase.kind !== "open") return;
    const error = await new Promise<unknown>((resolve) => fdatasync(phase.fd, resolve));
    if (error) this.#fail(error);
  }

  close(): void {
    if (this.#phase.kind === "open") {
      closeSync(this.#phase.fd);
      this.#phase.release();
    }
    this.#phase = { kind: "closed" };
  }

  #create(events: readonly DurableEvent[]): void {
    const { path, id, cwd, version, title, forkedFrom } = this.#options;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const release = acquire(path, id);
    const fd = openSync(path, "ax", 0o600);
    const phase = { kind: "open" as const, fd, release, parent: null };
    this.#phase = phase;
    const header = { type: "system", subtype: "session", format: FORMAT, sessionId: id, cwd, version };
    const more = { ...(title ? { title } : {}), ...(forkedFrom ? { forkedFrom } : {}) };
    this.#line(fd, { ...header, ...more, timestamp: this.#timestamp() });
    // Its own type, so that programs that list sessions by titles find it.
    if (title) this.#line(fd, { type: "custom-title", customTitle: title, sessionId: id });
    for (const event of events) this.#write(phase, event);
  }

  #write(phase: Extract<Phase, { kind: "open" }>, event: DurableEvent): void {
    const { id, cwd, version } = this.#options;
    const uuid = crypto.randomUUID();
    const fields = encode(event);
    const place = { uuid, parentUuid: phase.parent, sessionId: id, timestamp: this.#timestamp(), cwd, version };
    this.#line(phase.fd, { ...fields, ...place, isSidechain: false });
    if (fields.type !== "system") phase.parent = uuid;
  }

  #line(fd: number, fields: object): void {
    const bytes = Buffer.from(`${JSON.stringify(fields)}\n`);
    const written = writeSync(fd, bytes);
    if (written !== bytes.length) throw new Error("the disk took only part of a line");
  }

  #timestamp(): string {
    return new Date((this.#options.now ?? Date.now)()).toISOString();
  }

  #fail(error: unknown): void {
    if (this.#phase.kind === "open") this.close();
    this.#phase = { kind: "broken" };
    const why = error instanceof Error ? error.message : String(error);
    this.#options.onProblem(`This conversation is not recorded any more: ${this.path}: ${why}`);
  }
}

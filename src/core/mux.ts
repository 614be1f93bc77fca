// Many producers, one puller: what the model and the tools emit leaves the loop through a single queue.

const HIGH_WATER = 256;

/** A queue with back pressure: `push` returns a promise while the consumer is behind, so a fast producer can wait. */
export class Mux<T> {
  #items: T[] = [];
  #closed = false;
  #wakeReader: (() => void) | undefined;
  #wakeWriters: (() => void)[] = [];

  /** Never drops. Await the result to let the consumer set the pace; small producers may ignore it. */
  push(item: T): Promise<void> | undefined {
    if (this.#closed) return undefined;
    this.#items.push(item);
    this.#wakeReader?.();
    if (this.#items.length < HIGH_WATER) return undefined;
    return new Promise((resolve) => this.#wakeWriters.push(resolve));
  }

  /** What was pushed is still delivered; later pushes are ignored. */
  close(): void {
    this.#closed = true;
    this.#wakeReader?.();
    this.#releaseWriters();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    try {
      for (;;) {
        const batch = this.#items;
        this.#items = [];
        this.#releaseWriters();
        for (const item of batch) yield item;
        if (this.#items.length > 0) continue;
        if (this.#closed) return;
        await new Promise<void>((resolve) => (this.#wakeReader = resolve));
        this.#wakeReader = undefined;
      }
    } finally {
      this.close();
    }
  }

  #releaseWriters(): void {
    const writers = this.#wakeWriters;
    this.#wakeWriters = [];
    for (const wake of writers) wake();
  }
}

// The variables that are surely set at a place of the text: a set that grows from command to command.

/**
 * Immutable. Sets that grow out of each other share one table, in which each sees its first `count` names: a text of a
 * thousand assignments would copy half a million names otherwise.
 */
export class Names {
  static readonly NONE: Names = new Names(new Map(), 0);
  readonly #places: Map<string, number>;
  readonly #count: number;

  private constructor(places: Map<string, number>, count: number) {
    this.#places = places;
    this.#count = count;
  }

  has(name: string): boolean {
    const place = this.#places.get(name);
    return place !== undefined && place < this.#count;
  }

  plus(names: readonly string[]): Names {
    const added = names.filter((name) => !this.has(name));
    if (added.length === 0) return this;
    // Another set has grown out of this one before, or this is everybody's empty one.
    const shared = this.#count > 0 && this.#places.size === this.#count;
    const places = shared ? this.#places : new Map(this.#own().map((name, i) => [name, i]));
    for (const name of added) if (!places.has(name)) places.set(name, places.size);
    return new Names(places, places.size);
  }

  only(keep: (name: string) => boolean): Names {
    const kept = this.#own().filter(keep);
    return kept.length === this.#count ? this : Names.NONE.plus(kept);
  }

  /** Those that are in both. */
  and(other: Names): Names {
    return other === this ? this : this.only((name) => other.has(name));
  }

  #own(): string[] {
    return [...this.#places.keys()].slice(0, this.#count);
  }
}

// What the requests of a conversation begin with, as hashes.

/** A stretch of the system text: `label` is its heading, or `<memory path="…"`; "" before the first. Hashes are in base 36. */
export type PrefixSection = readonly [label: string, hash: string];

/**
 * What every request of a conversation begins with. It is kept in the record, so that a conversation that is resumed, maybe
 * with other tools, flags or memory files, can say what became of its cache.
 */
export type Prefix = {
  model: string;
  thinking: string;
  /** In the order of the request. */
  tools: readonly (readonly [name: string, hash: string])[];
  /** By block. */
  system: readonly (readonly PrefixSection[])[];
};

// Reading JSON of unknown shape: what another program sent, field by field.

export type Fields = { readonly [field: string]: unknown };

/** `value` as an object, or an empty one: a field that is missing and a parent that is missing read alike. */
export function fields(value: unknown): Fields {
  return isFields(value) ? value : {};
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** A count: finite and not negative, else undefined. */
export function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** `source` parsed, or undefined when it is not JSON. */
export function parsed(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    // Not JSON: whoever asks has an answer for that.
    return undefined;
  }
}

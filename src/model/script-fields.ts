// Readers for the fields of a script line: each returns the typed value or throws a UsageError naming file, line and field.
import { UsageError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";

/** Where a line comes from ("file:line") and the placeholder names known there. */
export type Place = { at: string; names: Set<string> };

/** `{{name}}`; a backslash before it keeps it as it is. */
const PLACEHOLDER = /\\?\{\{([A-Za-z_]\w*)\}\}/g;

export function wrong(place: Place, field: string, problem: string): never {
  throw new UsageError(`${place.at}: ${field === "" ? "the line" : field} ${problem}`);
}

/** `fields`: the names allowed; without it any are. */
export function objectAt(place: Place, field: string, value: unknown, fields?: readonly string[]) {
  if (!isObject(value)) wrong(place, field, `must be an object, got ${kindOf(value)}`);
  for (const name of Object.keys(value)) {
    if (fields === undefined || fields.includes(name)) continue;
    const near = nearest(name, fields);
    const hint = near === undefined ? `it may have ${fields.join(", ")}` : `did you mean "${near}"?`;
    wrong(place, field, `has an unknown field "${name}"; ${hint}`);
  }
  return value;
}

export function listAt(place: Place, field: string, value: unknown): unknown[] {
  return Array.isArray(value) ? value : wrong(place, field, `must be a list, got ${kindOf(value)}`);
}

export function stringAt(place: Place, field: string, value: unknown): string {
  return typeof value === "string" ? value : wrong(place, field, `must be a string, got ${kindOf(value)}`);
}

export function booleanAt(place: Place, field: string, value: unknown): boolean {
  return typeof value === "boolean" ? value : wrong(place, field, `must be true or false, got ${kindOf(value)}`);
}

/** A whole number within the bounds; `min` is 0 when not given. */
export function countAt(place: Place, field: string, value: unknown, bounds: { min?: number; max?: number } = {}) {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = bounds;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max) return value;
  const range = max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min}` : `a whole number from ${min} to ${max}`;
  return wrong(place, field, `must be ${range}, got ${typeof value === "number" ? value : kindOf(value)}`);
}

export function oneOfAt<T extends string>(place: Place, field: string, value: unknown, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  const near = typeof value === "string" ? nearest(value, choices) : undefined;
  const got = typeof value === "string" ? JSON.stringify(value) : kindOf(value);
  const hint = near === undefined ? "" : `; did you mean "${near}"?`;
  return wrong(place, field, `must be one of ${choices.join(", ")}, got ${got}${hint}`);
}

/** A regular expression with the flags m and u. */
export function patternAt(place: Place, field: string, value: unknown): RegExp {
  try {
    return new RegExp(stringAt(place, field, value), "mu");
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    return wrong(place, field, `is not a regular expression: ${why}`);
  }
}

/** A string that may hold placeholders; each must be known at this line. */
export function templateAt(place: Place, field: string, value: unknown): string {
  const text = stringAt(place, field, value);
  for (const [whole, name = ""] of text.matchAll(PLACEHOLDER)) {
    if (whole.startsWith("\\") || place.names.has(name)) continue;
    const known = [...place.names].join(", ") || "none";
    wrong(
      place,
      field,
      `uses {{${name}}}, which is not captured before (known: ${known}); write \\{{${name}}} for the text itself`,
    );
  }
  return text;
}

/** Checks the placeholders of every string inside. */
export function templatesAt(place: Place, field: string, value: unknown): void {
  if (typeof value === "string") templateAt(place, field, value);
  else if (Array.isArray(value)) value.forEach((item, i) => templatesAt(place, `${field}[${i}]`, item));
  else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) templatesAt(place, `${field}.${key}`, item);
  }
}

/** `text` with its placeholders replaced; `\{{name}}` becomes `{{name}}`. */
export function fill(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(PLACEHOLDER, (whole, name: string) =>
    whole.startsWith("\\") ? whole.slice(1) : (values.get(name) ?? whole),
  );
}

/** A copy of `value` with every string inside filled; keys stay. */
export function fillAll(value: unknown, values: ReadonlyMap<string, string>): unknown {
  if (typeof value === "string") return fill(value, values);
  if (Array.isArray(value)) return value.map((item) => fillAll(item, values));
  return isObject(value) ? fillObject(value, values) : value;
}

export function fillObject(value: Record<string, unknown>, values: ReadonlyMap<string, string>) {
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillAll(item, values)]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : typeof value;
}

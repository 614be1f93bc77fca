// Weak models write null for "not given" and quote numbers: what such input can only mean, and nothing else.
import type { z } from "zod";

type Container = Record<string | number, unknown>;

/** A decimal number as JSON would have it: no blanks, no leading zero or plus, no exponent, never rounded. */
const NUMBER = /^-?(0|[1-9]\d{0,14})(\.\d{1,15})?$/;

/**
 * Parses as the schema says. Only where that fails, and only for the fields it failed for: null in an object means that the
 * field is absent, "10" where a number is wanted is 10, "true" and "false" where a boolean is wanted are that. Input that
 * fits is never touched, so a string stays a string wherever one is allowed.
 */
export function parseLeniently<S extends z.ZodType>(schema: S, input: unknown): z.ZodSafeParseResult<z.output<S>> {
  const strict = schema.safeParse(input);
  if (strict.success || !isContainer(input)) return strict;
  const mended = structuredClone(input);
  const nulls = strict.error.issues.filter((issue) => mend(mended, issue));
  const lenient = schema.safeParse(mended);
  if (lenient.success) return lenient;
  // A required field is not absent but null, and that is what the model has to be told.
  const missing = new Set(lenient.error.issues.map(({ path }) => path.join("\0")));
  const refused = nulls.filter(({ path }) => missing.has(path.join("\0")));
  if (refused.length === 0) return lenient;
  for (const { path } of refused) put(mended, path, null);
  return schema.safeParse(mended);
}

/** Changes what the issue is about, if that can only mean one thing. True when a null was taken for absent. */
function mend(input: Container, { path, ...issue }: z.core.$ZodIssue): boolean {
  const holder = path.slice(0, -1).reduce<unknown>(at, input);
  const key = path.at(-1);
  if (key === undefined || typeof key === "symbol" || !isContainer(holder) || !Object.hasOwn(holder, key)) return false;
  const value = holder[key];
  if (value === null) return !Array.isArray(holder) && delete holder[key];
  if (typeof value !== "string" || issue.code !== "invalid_type") return false;
  if (/^(number|int)$/.test(issue.expected) && NUMBER.test(value)) holder[key] = Number(value);
  if (issue.expected === "boolean" && (value === "true" || value === "false")) holder[key] = value === "true";
  return false;
}

function put(input: Container, path: readonly PropertyKey[], value: unknown): void {
  const holder = path.slice(0, -1).reduce<unknown>(at, input);
  const key = path.at(-1);
  if (isContainer(holder) && key !== undefined && typeof key !== "symbol") holder[key] = value;
}

function at(holder: unknown, key: PropertyKey): unknown {
  if (!isContainer(holder) || typeof key === "symbol" || !Object.hasOwn(holder, key)) return undefined;
  return holder[key];
}

function isContainer(value: unknown): value is Container {
  return typeof value === "object" && value !== null;
}

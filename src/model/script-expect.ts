// Expectations of a script: what the request must look like before a scripted reply is given.
import type { ModelRequest, ToolResult, ToolResultContent, UserBlock } from "../core/types.ts";
import { booleanAt, countAt, fill, listAt, objectAt, patternAt, stringAt, templateAt } from "./script-fields.ts";
import type { Place } from "./script-fields.ts";

/** `field` is the path in the file, for messages. */
export type Expectation = { field: string; target: Target; test: Test };
type Target =
  /** The tool result at `index` of the last message; negative counts from its end. */
  { kind: "result"; index: number } | { kind: "results" | "user" | "system" | "model" | "tools" | "messages" };
type Test =
  | { kind: "contains" | "equals"; text: string; negated: boolean }
  | { kind: "matches"; pattern: RegExp; negated: boolean }
  | { kind: "isError"; value: boolean }
  | { kind: "count"; value: number }
  | { kind: "offers"; tool: string };

/** How much of what came is shown when an expectation fails. */
const SHOWN = 400;

export function parseExpectations(place: Place, value: unknown): Expectation[] {
  const expect = objectAt(place, "expect", value, ["lastResult", "results", "lastUser", "request"]);
  const request = objectAt(place, "expect.request", expect["request"] ?? {}, ["model", "system", "tools", "messages"]);
  const texts = [
    ["expect.lastResult", { kind: "result", index: -1 }, expect["lastResult"]],
    ["expect.lastUser", { kind: "user" }, expect["lastUser"]],
    ["expect.request.model", { kind: "model" }, request["model"]],
    ["expect.request.system", { kind: "system" }, request["system"]],
  ] as const;
  return [
    ...parseResults(place, expect["results"]),
    ...texts.flatMap(([field, target, check]) => (check === undefined ? [] : parseCheck(place, field, target, check))),
    ...parseTools(place, request["tools"]),
    ...parseCount(place, "expect.request.messages", { kind: "messages" }, request["messages"]),
  ];
}

/** One check per result, in order; so their number is checked too. */
function parseResults(place: Place, value: unknown): Expectation[] {
  if (value === undefined) return [];
  const field = "expect.results";
  const checks = listAt(place, field, value);
  const each = checks.map((check, index) => parseCheck(place, `${field}[${index}]`, { kind: "result", index }, check));
  return [{ field, target: { kind: "results" }, test: { kind: "count", value: checks.length } }, ...each.flat()];
}

function parseTools(place: Place, value: unknown): Expectation[] {
  if (value === undefined) return [];
  return listAt(place, "expect.request.tools", value).map((name, i) => {
    const field = `expect.request.tools[${i}]`;
    return { field, target: { kind: "tools" }, test: { kind: "offers", tool: stringAt(place, field, name) } };
  });
}

function parseCount(place: Place, field: string, target: Target, value: unknown): Expectation[] {
  if (value === undefined) return [];
  return [{ field, target, test: { kind: "count", value: countAt(place, field, value) } }];
}

/** A string is short for `{"contains": string}`. */
function parseCheck(place: Place, field: string, target: Target, value: unknown): Expectation[] {
  if (typeof value === "string") return parseCheck(place, field, target, { contains: value });
  const result = target.kind === "result";
  const names = ["contains", "equals", "matches", "not", ...(result ? ["isError"] : [])];
  const check = objectAt(place, field, value, names);
  const tests = parseTexts(place, { field, target, negated: false }, check);
  if (check["not"] !== undefined) {
    const not = typeof check["not"] === "string" ? { contains: check["not"] } : check["not"];
    const inner = objectAt(place, `${field}.not`, not, ["contains", "equals", "matches"]);
    tests.push(...parseTexts(place, { field: `${field}.not`, target, negated: true }, inner));
  }
  if (check["isError"] === undefined) return tests;
  const test: Test = { kind: "isError", value: booleanAt(place, `${field}.isError`, check["isError"]) };
  return [{ field: `${field}.isError`, target, test }, ...tests];
}

type Where = { field: string; target: Target; negated: boolean };

function parseTexts(place: Place, { field, target, negated }: Where, check: Record<string, unknown>): Expectation[] {
  const found: Expectation[] = [];
  for (const kind of ["contains", "equals"] as const) {
    const value = check[kind];
    if (value === undefined) continue;
    const several = kind === "contains" && Array.isArray(value);
    for (const [i, text] of (several ? value : [value]).entries()) {
      const path = several ? `${field}.${kind}[${i}]` : `${field}.${kind}`;
      found.push({ field: path, target, test: { kind, text: templateAt(place, path, text), negated } });
    }
  }
  if (check["matches"] === undefined) return found;
  const pattern = patternAt(place, `${field}.matches`, check["matches"]);
  return [...found, { field: `${field}.matches`, target, test: { kind: "matches", pattern, negated } }];
}

/** Why the request does not meet the expectation, for people; undefined when it does. */
export function unmet(
  expectation: Expectation,
  request: ModelRequest,
  values: ReadonlyMap<string, string>,
): string | undefined {
  const { field, target, test } = expectation;
  if (test.kind === "count") return unmetCount(field, countOf(target, request), test.value);
  if (test.kind === "offers") {
    const offered = request.tools.map((tool) => tool.name);
    if (offered.includes(test.tool)) return undefined;
    return `${field}: expected the tool ${test.tool} to be offered; offered: ${offered.join(", ") || "none"}`;
  }
  const subject = subjectOf(target, request);
  if (subject === undefined) return `${field}: the last message holds no such tool result`;
  if (test.kind === "isError") {
    if (subject.isError === test.value) return undefined;
    return `${field}: expected ${subject.name} ${test.value ? "to be an error" : "not to be an error"}; it was ${shown(subject.text)}`;
  }
  const wanted = test.kind === "matches" ? String(test.pattern) : JSON.stringify(fill(test.text, values));
  const holds = test.kind === "matches" ? test.pattern.test(subject.text) : textHolds(test, subject.text, values);
  if (holds !== test.negated) return undefined;
  const verb = { contains: "contain", equals: "equal", matches: "match" }[test.kind];
  return `${field}: expected ${subject.name} ${test.negated ? "not to" : "to"} ${verb} ${bounded(wanted)}; it was ${shown(subject.text)}`;
}

function textHolds(test: { kind: string; text: string }, text: string, values: ReadonlyMap<string, string>): boolean {
  const wanted = fill(test.text, values);
  return test.kind === "contains" ? text.includes(wanted) : text === wanted;
}

function unmetCount(field: string, count: number, wanted: number): string | undefined {
  return count === wanted ? undefined : `${field}: expected ${wanted}, got ${count}`;
}

function countOf(target: Target, request: ModelRequest): number {
  return target.kind === "messages" ? request.messages.length : lastResults(request).length;
}

type Subject = { name: string; text: string; isError: boolean };

function subjectOf(target: Target, request: ModelRequest): Subject | undefined {
  if (target.kind === "result") {
    const result = lastResults(request).at(target.index);
    return result && { name: nameOf(result, request), text: textOf(result.content), isError: result.is_error === true };
  }
  if (target.kind === "user") return { name: "the last user text", text: lastUserText(request), isError: false };
  if (target.kind === "model") return { name: "the model", text: request.model, isError: false };
  return { name: "the system text", text: request.system.map((block) => block.text).join("\n"), isError: false };
}

/** The text of the last tool result, for captures; undefined when the last message holds none. */
export function lastResultText(request: ModelRequest): string | undefined {
  const result = lastResults(request).at(-1);
  return result && textOf(result.content);
}

function lastResults(request: ModelRequest): ToolResult[] {
  const last = request.messages.at(-1);
  return last?.role === "user" ? last.content.filter((block) => block.type === "tool_result") : [];
}

/** The newest user message with text of its own; results alone do not count. */
function lastUserText(request: ModelRequest): string {
  const message = request.messages.findLast(
    (m) => m.role === "user" && m.content.some((block) => block.type === "text"),
  );
  return message?.role === "user" ? joinTexts(message.content) : "";
}

function nameOf(result: ToolResult, request: ModelRequest): string {
  const calls = request.messages.flatMap((m) => (m.role === "assistant" ? m.content : []));
  const call = calls.findLast((block) => block.type === "tool_use" && block.id === result.tool_use_id);
  return call?.type === "tool_use" ? `the result of ${call.name}` : "the result";
}

function textOf(content: ToolResultContent): string {
  return typeof content === "string" ? content : joinTexts(content);
}

function joinTexts(blocks: readonly UserBlock[]): string {
  return blocks.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n");
}

function shown(text: string): string {
  return text === "" ? "empty" : bounded(JSON.stringify(text));
}

function bounded(text: string): string {
  if (text.length <= SHOWN) return text;
  // A cut through a surrogate pair would leave half a character.
  const end = /[\uD800-\uDBFF]/.test(text[SHOWN - 1] ?? "") ? SHOWN - 1 : SHOWN;
  return `${text.slice(0, end)}… (${text.length} characters in all)`;
}

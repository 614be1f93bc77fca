// Arithmetic evaluates the text of variables and subscripts, commands included: only numbers known to be numbers may stand there.
import type { ArithmeticCommand, ArithmeticExpansionPart, ArithmeticExpression, ArithmeticFor } from "unbash";
import type { Names } from "./names.ts";
import { isNumber } from "./substitutions.ts";
import { assignedBy, isAssignment, isInteger, isNumber as isNumberName, isPlainName, type Value } from "./variables.ts";

/**
 * `counts`: where an error does no more than fail, a number that may be missing may be printed into it. `pasted`: what
 * `$x` stands for may begin with a minus.
 */
type Variables = { values: ReadonlyMap<string, Value>; defined: Names; counts?: boolean; pasted?: boolean };

const DEEPEST = 50;

/**
 * What is surely assigned after it: integers, operators, and variables that only ever hold integers, nothing that can be an
 * error, after which bash goes on in the next line (a division by zero, 08). Undefined: there is more in it.
 */
export function afterArithmetic(expression: ArithmeticExpression, variables: Variables, depth = 0): Names | undefined {
  const { defined } = variables;
  if (depth > DEEPEST) return undefined;
  if (expression.type === "ArithmeticGroup") return afterArithmetic(expression.expression, variables, depth + 1);
  if (expression.type === "ArithmeticBinary" && expression.operator === ",") {
    const first = afterArithmetic(expression.left, variables, depth + 1);
    return first && afterArithmetic(expression.right, { ...variables, defined: first }, depth + 1);
  }
  if (!isSafe(expression, variables, depth)) return undefined;
  const name = assignedBy(expression);
  return name === undefined ? defined : defined.plus([name]);
}

/** `$((...))`. */
export function isSafeArithmetic(
  { expression, text }: ArithmeticExpansionPart,
  { values, defined }: Variables,
): boolean {
  const inner = text.slice(3, -2);
  if (!expression || !text.startsWith("$((") || !isPlain(inner)) return false;
  return isSafe(expression, { values, defined, pasted: !MINUS.test(inner) }, 0);
}

/** In front of a number below zero it would be another operator. */
const MINUS = /[-+]\$/;

function isSafe(expression: ArithmeticExpression, variables: Variables, depth: number): boolean {
  if (depth > DEEPEST) return false;
  const safe = (inner: ArithmeticExpression) => isSafe(inner, variables, depth + 1);
  const name = assignedBy(expression);
  // Only plain assignment does not look at what was there before.
  if (name !== undefined && !isPlainName(name)) return false;
  switch (expression.type) {
    case "ArithmeticWord":
      return isNumberWord(expression.value, variables);
    case "ArithmeticBinary": {
      const { operator, left, right } = expression;
      if (/^([/%]=?|\*\*)$/.test(operator) && !isPositive(right, variables)) return false;
      if (operator === "=") return name !== undefined && safe(right);
      return (name !== undefined || !isAssignment(operator)) && safe(left) && safe(right);
    }
    case "ArithmeticUnary":
      return (name !== undefined || !/^(\+\+|--)$/.test(expression.operator)) && safe(expression.operand);
    case "ArithmeticTernary":
      return safe(expression.test) && safe(expression.consequent) && safe(expression.alternate);
    case "ArithmeticGroup":
      return safe(expression.expression);
    case "ArithmeticCommandExpansion":
      return expression.text === "$(date +%s)" || (variables.counts === true && isNumber(expression.text));
    default:
      return expression satisfies never;
  }
}

/** By itself, or as a variable that never holds anything else. */
function isPositive(expression: ArithmeticExpression, { values, defined }: Variables): boolean {
  if (expression.type !== "ArithmeticWord") return false;
  const name = /^\$?([A-Za-z_]\w*)$/.exec(expression.value)?.[1];
  if (name === undefined) return /^[1-9]\d*$/.test(expression.value);
  const value = defined.has(name) ? values.get(name) : undefined;
  return value?.kind === "words" && value.args.every((arg) => arg.kind === "text" && /^[1-9]\d*$/.test(arg.text));
}

function isNumberWord(text: string, { values, defined, pasted }: Variables): boolean {
  if (/^(0[xX][0-9a-fA-F]+|0|[1-9]\d*)$/.test(text)) return true;
  const counted = /^\$\{#([A-Za-z_]\w*)\[[@*]\]\}$/.exec(text)?.[1];
  if (counted !== undefined) return defined.has(counted) && values.get(counted)?.kind === "array";
  const name = /^\$?\{?([A-Za-z_]\w*|[?#$!])\}?$/.exec(text)?.[1];
  if (name === undefined) return false;
  if (!defined.has(name)) return !values.has(name) && isNumberName(name) && text.startsWith("$");
  const value = values.get(name);
  if (!isInteger(value)) return false;
  // The text itself is put in: nothing at all, or a minus, could make it another expression.
  if (!text.startsWith("$")) return true;
  if (value?.kind === "words") return value.args.every((arg) => arg.kind === "text" && /^\d+$/.test(arg.text));
  return value?.kind === "integer" && pasted === true;
}

/** Numbers, names and operators, nothing that could end it sooner for bash than for the parser. */
const PLAIN = /^(?:[\w \t+*/%<>=!&|^~?:,()-]|\$[A-Za-z_?#]|\$\{[A-Za-z_]\w*\}|\$\{#[A-Za-z_]\w*\[[@*]\]\})*$/;

/**
 * Read by bash as it is by the parser: parentheses that close, a colon for each question mark, and an operator between any
 * two words.
 */
function isPlain(written: string): boolean {
  // Of substitutions only those that print numbers are let through; as long as they are read alike, any would be.
  const text = written.replace(/\$\([^()]*\)/g, (one) => (isNumber(one) ? "1" : one));
  let open = 0;
  let choices = 0;
  for (const char of text) {
    if (char === "(") open++;
    if (char === "?") choices++;
    if ((char === ")" && --open < 0) || (char === ":" && --choices < 0)) return false;
  }
  return open === 0 && choices === 0 && PLAIN.test(text) && !ODD.test(text);
}

/** `1 2`, `x~y`, `x!y`, `x--y`. */
const ODD = /[\w})]\s+[\w$(]|[\w})]\s*(?:~|!(?!=)|(?:\+\+|--)\s*[\w$(])/;

/** What is surely assigned after `((...))`: with a substitution in it nothing more, as it may be an error. */
export function afterCommand(node: ArithmeticCommand, variables: Variables): Names | undefined {
  const { expression, body } = node;
  if (!expression || !isPlain(body)) return undefined;
  const after = afterArithmetic(expression, { ...variables, counts: true, pasted: !MINUS.test(body) });
  return after && body.includes("$(") ? variables.defined : after;
}

/** `for ((...; ...; ...))`, `head` being what stands in front of the body: read by bash as it was by the parser. */
export function isPlainLoop({ initialize, test, update }: ArithmeticFor, head: string): boolean {
  const [whole, ...texts] = /^for[ \t]*\(\(([^();]*);([^();]*);([^();]*)\)\)[\s;]*(?:do|\{)?\s*$/.exec(head) ?? [];
  if (whole === undefined) return false;
  const parsed = [initialize, test, update];
  return texts.every((text, i) => isPlain(text) && (parsed[i] !== undefined) === (text.trim() !== ""));
}

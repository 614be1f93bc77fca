// Arithmetic evaluates the text of variables and subscripts, commands included: only numbers known to be numbers may stand there.
import type { ArithmeticCommand, ArithmeticExpression, ArithmeticFor } from "unbash";
import type { Names } from "./names.ts";
import { isNumber } from "./substitutions.ts";
import { assignedBy, isAssignment, isInteger, isNumber as isNumberName, isPlainName, type Value } from "./variables.ts";

/** `counts`: where an error does no more than fail, a number that may be missing may be printed into it. */
type Variables = { values: ReadonlyMap<string, Value>; defined: Names; counts?: boolean };

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

export function isSafeArithmetic(expression: ArithmeticExpression | undefined, variables: Variables): boolean {
  return expression !== undefined && isSafe(expression, variables, 0);
}

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

function isNumberWord(text: string, { values, defined }: Variables): boolean {
  if (/^(0[xX][0-9a-fA-F]+|0|[1-9]\d*)$/.test(text)) return true;
  const name = /^\$?\{?([A-Za-z_]\w*|[?#$!])\}?$/.exec(text)?.[1];
  if (name === undefined) return false;
  if (defined.has(name)) return isInteger(values.get(name));
  return !values.has(name) && isNumberName(name) && text.startsWith("$");
}

/** Numbers, names and operators, nothing that could end it sooner for bash than for the parser. */
const PLAIN = /^(?:[\w \t+*/%<>=!&|^~?:,()-]|\$[A-Za-z_?#]|\$\{[A-Za-z_]\w*\})*$/;

/** `((...))`: for bash, too. */
function isPlainCommand({ body }: ArithmeticCommand): boolean {
  // Of substitutions only those that print numbers are let through; as long as they are read alike, any would be.
  const text = body.replace(/\$\([^()]*\)/g, (one) => (isNumber(one) ? "1" : one));
  let open = 0;
  for (const char of text) {
    if (char === "(") open++;
    if (char === ")" && --open < 0) return false;
  }
  return open === 0 && PLAIN.test(text);
}

/** What is surely assigned after `((...))`: with a substitution in it nothing more, as it may be an error. */
export function afterCommand(node: ArithmeticCommand, variables: Variables): Names | undefined {
  const { expression, body } = node;
  if (!expression || !isPlainCommand(node)) return undefined;
  const after = afterArithmetic(expression, { ...variables, counts: true });
  return after && body.includes("$(") ? variables.defined : after;
}

/** `for ((...; ...; ...))`, `head` being what stands in front of the body: read by bash as it was by the parser. */
export function isPlainLoop({ initialize, test, update }: ArithmeticFor, head: string): boolean {
  const [whole, ...texts] = /^for[ \t]*\(\(([^();]*);([^();]*);([^();]*)\)\)[\s;]*(?:do|\{)?\s*$/.exec(head) ?? [];
  if (whole === undefined) return false;
  const parsed = [initialize, test, update];
  return texts.every((text, i) => PLAIN.test(text) && (parsed[i] !== undefined) === (text.trim() !== ""));
}

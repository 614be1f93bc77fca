// Arithmetic evaluates the text of variables and subscripts, commands included: only numbers known to be numbers may stand there.
import type { ArithmeticExpression } from "unbash";
import type { Names } from "./names.ts";
import type { Value } from "./variables.ts";
import { isInteger, isNumber } from "./variables.ts";

/**
 * Integers, operators without assignment, and variables that only ever hold integers; nothing that can be an error, after
 * which bash goes on in the next line (a division by zero, 08).
 */
export function isSafeArithmetic(
  expression: ArithmeticExpression | undefined,
  values: ReadonlyMap<string, Value>,
  defined: Names,
  depth = 0,
): boolean {
  if (!expression || depth > 50) return false;
  const safe = (inner: ArithmeticExpression) => isSafeArithmetic(inner, values, defined, depth + 1);
  switch (expression.type) {
    case "ArithmeticWord":
      return isNumberWord(expression.value, values, defined);
    case "ArithmeticBinary":
      if (/^([-+*/%&|^]|<<|>>)?=$/.test(expression.operator)) return false;
      if (/^([/%]|\*\*)$/.test(expression.operator) && !isPositive(expression.right)) return false;
      return safe(expression.left) && safe(expression.right);
    case "ArithmeticUnary":
      return expression.operator !== "++" && expression.operator !== "--" && safe(expression.operand);
    case "ArithmeticTernary":
      return safe(expression.test) && safe(expression.consequent) && safe(expression.alternate);
    case "ArithmeticGroup":
      return safe(expression.expression);
    case "ArithmeticCommandExpansion":
      return false;
    default:
      return expression satisfies never;
  }
}

function isPositive(expression: ArithmeticExpression): boolean {
  return expression.type === "ArithmeticWord" && /^[1-9]\d*$/.test(expression.value);
}

function isNumberWord(text: string, values: ReadonlyMap<string, Value>, defined: Names): boolean {
  if (/^(0[xX][0-9a-fA-F]+|0|[1-9]\d*)$/.test(text)) return true;
  const name = /^\$?\{?([A-Za-z_]\w*|[?#$!])\}?$/.exec(text)?.[1];
  if (name === undefined) return false;
  if (defined.has(name)) return isInteger(values.get(name));
  return !values.has(name) && isNumber(name) && text.startsWith("$");
}

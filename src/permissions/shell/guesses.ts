// What a word that is not known could well be: for removals nobody wants.
import type { ParameterExpansionPart } from "unbash";
import type { Names } from "./names.ts";
import { literal, type Arg } from "./types.ts";
import type { Value } from "./variables.ts";

type Known = { home: string; cwd: string | undefined; defined: Names; values: ReadonlyMap<string, Value> };

/** For a word that is not understood at all. */
export const ANYWHERE: readonly string[] = ["/"];

/** What `${x:-y}` and its like well could be: the variable, where it is a folder everybody has, and what stands for it. */
export function expanded(
  { parameter: name, operation }: ParameterExpansionPart,
  operands: readonly Arg[],
  scope: Known,
): string[] {
  const own = name === "HOME" ? [scope.home] : /^(OLD)?PWD$/.test(name) ? [scope.cwd ?? scope.home] : [];
  const value = scope.defined.has(name) ? scope.values.get(name) : undefined;
  const texts = [...(value?.kind === "words" ? value.args : []), ...operands].flatMap((arg) => literal(arg) ?? []);
  return [...own, ...(operation?.type === "Remove" ? [] : texts)];
}

/** Of a substitution: the folders everybody has, where it does little else than print them. */
export function printed(text: string, { home, cwd }: Pick<Known, "home" | "cwd">): string[] {
  const isHome = /(?:~|\$\{?HOME\}?)\/?["']?\s*[)`]$/.test(text);
  const isHere =
    /^(?:\$\(|`)\s*(?:pwd|git\s+rev-parse\s+--show-toplevel|(?:realpath|readlink\s+-[fem]|dirname)\s+["']?(?:\.{1,2}|\$\(pwd\)|`pwd`)["']?\s*[)`])|\$\{?PWD\}?["']?\s*[)`]$|[;&]\s*pwd\s*[)`]$/.test(
      text,
    );
  return [...(isHome ? [home] : []), ...(isHere && cwd !== undefined ? [cwd] : [])];
}

// How a path is written in an answer: short, and never able to break out of its line.
import { isAbsolute, relative, sep } from "node:path";

/** Relative to `cwd` when it lies inside, else absolute; with "/" on every system. */
export function displayPath(path: string, cwd: string): string {
  const inside = relative(cwd, path);
  const outside = inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside);
  const shown = outside ? path : inside || ".";
  return quoted(sep === "/" ? shown : shown.replaceAll(sep, "/"));
}

/** A folder in a sentence. */
export function placeName(path: string, cwd: string): string {
  const shown = displayPath(path, cwd);
  return shown === "." ? "the working directory" : shown;
}

/** A name may hold line breaks and escape sequences; then it is written as a JSON string. */
function quoted(path: string): string {
  return /[\p{Cc}\u2028\u2029]/u.test(path) ? JSON.stringify(path) : path;
}

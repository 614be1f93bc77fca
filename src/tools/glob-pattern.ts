// Splits a glob pattern into the folder a search can start in and the part that needs matching.
import { join, parse, resolve } from "node:path";
import { absolutePath } from "../files/place.ts";

export type GlobPlan = {
  /** Absolute: nothing outside it can match. */
  root: string;
  /** For paths below the root, with "/". */
  rest: string;
  /** Levels of folders a match can lie in; 1 is the root itself. */
  depth: number;
};

/** `base` is absolute. The pattern may be absolute, begin with `~/`, or lead out of the base by `../`. */
export function planGlob(pattern: string, base: string): GlobPlan {
  const text = process.platform === "win32" ? pattern.replace(/\\(?![*?[\]{}!])/g, "/") : pattern;
  const home = /^~(\/|$)/.test(text);
  const { root: drive } = parse(text);
  const start = home ? absolutePath("~", base) : drive === "" ? base : drive;
  const tail = text.slice(home ? 1 : drive.length);
  const segments = splitOutsideBraces(tail).filter((part) => part !== "" && part !== ".");
  const firstMeta = segments.findIndex((part) => /[*?[{\\]/.test(part));
  // The last segment is always matched: it names the file.
  const fixed = firstMeta < 0 ? Math.max(0, segments.length - 1) : firstMeta;
  const rest = segments.slice(fixed);
  if (tail.endsWith("/") && rest.length > 0) rest.push("**");
  // "src/.." names a folder, not a file in one.
  if (rest.length === 1 && rest[0] === "..") return plan(resolve(start, ...segments), ["**"]);
  return plan(segments.length === 0 ? start : resolve(start, join(...segments.slice(0, fixed), ".")), rest);
}

function plan(root: string, rest: string[]): GlobPlan {
  const anyDepth = rest.length === 0 || rest.some((part) => part.includes("**") || part.includes("/"));
  return { root, rest: rest.length === 0 ? "**" : rest.join("/"), depth: anyDepth ? Infinity : rest.length };
}

function splitOutsideBraces(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = "";
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? "";
    if (char === "\\") part += char + (text[++i] ?? "");
    else if (char === "/" && depth === 0) {
      parts.push(part);
      part = "";
    } else {
      if (char === "{") depth++;
      if (char === "}") depth = Math.max(0, depth - 1);
      part += char;
    }
  }
  return [...parts, part];
}

/** Brackets are tried as a class and as themselves: folders named `[id]` are common in web projects. */
export function globMatcher(pattern: string): (path: string) => boolean {
  const glob = new Bun.Glob(literalStart(pattern));
  if (!/\[/.test(pattern)) return (path) => glob.match(path);
  const plain = new Bun.Glob(literalStart(pattern.replace(/(?<!\\)[[\]]/g, "\\$&")));
  return (path) => glob.match(path) || plain.match(path);
}

/** A leading `!` would negate the whole pattern. */
function literalStart(pattern: string): string {
  return pattern.startsWith("!") ? `\\${pattern}` : pattern;
}

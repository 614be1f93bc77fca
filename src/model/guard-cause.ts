// What broke a cached prefix, in words a person can act on: which tool, which server, which part of the system text.

import type { CacheCause } from "../core/cache.ts";

const SERVER = /^mcp__(.+?)__/;
const SHOWN = 5;

/** Names to hashes, in the order of the request. Undefined when nothing changed. */
export function toolsChange(
  before: ReadonlyMap<string, bigint>,
  now: ReadonlyMap<string, bigint>,
): { cause: CacheCause; text: string } | undefined {
  const [old, fresh] = [[...before.keys()], [...now.keys()]];
  const added = fresh.filter((name) => !before.has(name));
  const removed = old.filter((name) => !now.has(name));
  const changed = fresh.filter((name) => before.has(name) && before.get(name) !== now.get(name));
  const parts = [
    ...(added.length > 0 ? [`added ${listed(added)}`] : []),
    ...(removed.length > 0 ? [`removed ${listed(removed)}`] : []),
    ...(changed.length > 0 ? [`described otherwise ${listed(changed)}`] : []),
  ];
  if (parts.length === 0) {
    const same = old.every((name, at) => fresh[at] === name);
    return same ? undefined : { cause: "tools", text: "the tools stand in another order" };
  }
  const servers = new Set([...added, ...removed, ...changed].map((name) => SERVER.exec(name)?.[1]));
  const [server] = servers;
  if (servers.size === 1 && server !== undefined) {
    return { cause: "server", text: `the tools of the server ${server} changed (${parts.join("; ")})` };
  }
  return { cause: "tools", text: `the tool list changed (${parts.join("; ")})` };
}

function listed(names: readonly string[]): string {
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : "";
  return names.slice(0, SHOWN).join(", ") + more;
}

/** The heading or memory file in which two texts begin to differ; `where` begins with a space, or is "". */
export function sectionAt(before: string, now: string): { cause: "memory" | "prompt"; where: string } {
  const at = differenceOf(before, now);
  // To the end of the line that is not empty: the difference may lie in the heading itself.
  const text = now.length >= before.length ? now : before;
  const end = text.indexOf("\n", at + (/^\n*/.exec(text.slice(at))?.[0].length ?? 0));
  const upTo = text.slice(0, end < 0 ? text.length : end);
  const [file] = [...upTo.matchAll(/^<memory path=("(?:[^"\\]|\\.)*")|^<\/memory>$/gm)].slice(-1);
  if (file?.[1] !== undefined) return { cause: "memory", where: ` in the memory file ${file[1]}` };
  const [heading] = [...upTo.matchAll(/^#+ (.{1,60})/gm)].slice(-1);
  return { cause: "prompt", where: heading ? ` below "${heading[1]}"` : "" };
}

function differenceOf(a: string, b: string): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at++;
  return at;
}

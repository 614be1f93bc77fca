// What broke a cached prefix, in words a person can act on: which tool, which server, which part of the system text.

import type { CacheCause } from "../core/cache.ts";
import type { PrefixSection } from "../core/prefix.ts";

const SERVER = /^mcp__(.+?)__/;
const SHOWN = 5;

/** Names to hashes, in the order of the request. Undefined when nothing changed. */
export function toolsChange(
  before: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
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

const MEMORY = "<memory path=";

/** The system text cut at headings and memory files. */
export function sectionsOf(text: string): PrefixSection[] {
  const starts = [...text.matchAll(/^(?:#+ (.{1,60}).*|(<memory path="(?:[^"\\]|\\.)*").*|<\/memory>)$/gm)];
  const edges = [
    { index: 0, label: "" },
    // Empty lines in front belong to what they were put in for.
    ...starts.map(({ index, 1: heading, 2: file }) => {
      return { index: text.slice(0, index).trimEnd().length, label: file ?? heading ?? "" };
    }),
  ];
  return edges.flatMap(({ index, label }, i): PrefixSection[] => {
    const body = text.slice(index, edges[i + 1]?.index);
    return body === "" ? [] : [[label, Bun.hash.xxHash64(body).toString(36)]];
  });
}

/** Where two texts begin to differ; `where` begins with a space, or is "". */
export function sectionAt(
  before: readonly PrefixSection[],
  now: readonly PrefixSection[],
): { cause: "memory" | "prompt"; where: string } {
  const at = now.findIndex(([label, hash], i) => label !== before[i]?.[0] || hash !== before[i][1]);
  const [old, fresh] = at < 0 ? [before[now.length], undefined] : [before[at], now[at]];
  // Of one that went or came, not of the one that now stands in its place.
  const isGone = old !== undefined && !now.some(([label]) => label === old[0]);
  const label = (isGone ? old : (fresh ?? old))?.[0] ?? "";
  if (label.startsWith(MEMORY)) return { cause: "memory", where: ` in the memory file ${label.slice(MEMORY.length)}` };
  return { cause: "prompt", where: label === "" ? "" : ` below "${label}"` };
}

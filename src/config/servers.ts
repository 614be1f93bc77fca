// The MCP servers a project's .mcp.json names, as items to be trusted.
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { isFields } from "../utils/jsonl.ts";
import { realPath } from "../utils/paths.ts";
import { whole, type ActingSetting, type Found } from "./acting.ts";
import { JsonProblem, parseJsonc, plain } from "./jsonc.ts";

const FILE = ".mcp.json";
const MAX_BYTES = 1024 * 1024;

/** One item per server; a file that cannot be understood is one item that cannot be remembered. */
export function actingServers(folder: string): ActingSetting[] {
  const found = itemsOf(join(folder, FILE));
  if (found.length === 0) return [];
  const place = { folder: realPath(folder), file: FILE };
  return found.map((item) => ({ ...place, ...item }));
}

function itemsOf(path: string): Found[] {
  const read = textOf(path);
  if (read === undefined) return [];
  if ("problem" in read) return [unchecked(read.problem)];
  try {
    const node = parseJsonc(read.text);
    return node ? serversIn(plain(node)) : [];
  } catch (error) {
    if (error instanceof JsonProblem) return [unchecked(`line ${error.line}: not valid JSON: ${error.message}`)];
    throw error;
  }
}

function serversIn(config: unknown): Found[] {
  if (!isFields(config)) return [unchecked("it is not a JSON object")];
  const { mcpServers = {}, $schema: _, ...rest } = config;
  const servers = isFields(mcpServers)
    ? Object.entries(mcpServers).map(([name, server]) => whole(`MCP server ${name}`, server))
    : [whole("mcpServers", mcpServers)];
  return [...servers, ...Object.entries(rest).map(([key, value]) => whole(key, value))];
}

function unchecked(why: string): Found {
  return { kind: "MCP servers", text: `cannot be checked: ${why}`, exact: undefined };
}

/** Undefined when it is not there or not for us to read. */
function textOf(path: string): { text: string } | { problem: string } | undefined {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) return undefined;
    if (!stat.isFile()) return { problem: "it is not a file" };
    if (stat.size > MAX_BYTES) return { problem: "it is too large" };
    return { text: readFileSync(path, "utf8") };
  } catch {
    return undefined; // what we may not read, nobody here starts
  }
}

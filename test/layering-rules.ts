// The rules of ARCHITECTURE.md about who may import whom and how files look; each finding is "file:line: what".
import { posix } from "node:path";
import { scan, type Scan } from "./layering-scan.ts";

/** Paths relative to the root ("src/core/loop.ts") to their text. */
export type Tree = ReadonlyMap<string, string>;

const EVERYTHING = "everything";
const BASE = ["core", "utils"];
/** Room to what it may import beside itself: rooms, or single files. */
const MAY_IMPORT: Record<string, readonly string[] | typeof EVERYTHING> = {
  "src/main.ts": ["src/app.ts", "src/config/args.ts", "core"],
  "src/app.ts": EVERYTHING,
  "src/compose.ts": EVERYTHING,
  "src/conversation.ts": EVERYTHING,
  "src/judging.ts": EVERYTHING,
  "src/subagents.ts": EVERYTHING,
  "src/skillset.ts": ["commands", "config", "context", "skills", "tools", ...BASE],
  "src/instructions.ts": ["src/permit.ts", "config", "context", "files", "prompt", ...BASE],
  "src/project.ts": ["commands", "config", "permissions", "skills", ...BASE],
  "src/permit.ts": ["permissions", "sandbox", "config", "commands", ...BASE],
  "src/grep-worker.ts": ["tools", "files", ...BASE],
  core: [],
  utils: [],
  ui: ["commands", ...BASE],
  commands: ["context", "session", "skills", "agents", "config", "prompt", ...BASE],
  agents: ["src/tools/tool.ts", "prompt", ...BASE],
  mcp: ["src/tools/tool.ts", ...BASE],
  tools: ["files", "skills", "prompt", ...BASE],
  context: ["files", "prompt", ...BASE],
  permissions: BASE,
  sandbox: BASE,
  hooks: BASE,
  model: BASE,
  session: BASE,
  skills: ["files", ...BASE],
  files: BASE,
  config: BASE,
  prompt: BASE,
};
const FILE_LINES = 400;
const FUNCTION_LINES = 80;

export function violations(tree: Tree, packages: readonly string[]): string[] {
  const sources = [...tree].filter(([path]) => path.endsWith(".ts") && !path.endsWith(".d.ts"));
  const parsed = sources.map(([path, text]): Source => ({ path, text, ...scan(text) }));
  const imports = new Map(parsed.map((source) => [source.path, importsOf(source)]));
  return [
    ...parsed.flatMap((source) => [
      ...shape(source),
      ...banned(source),
      ...emptyCatches(source),
      ...longFunctions(source),
    ]),
    ...[...imports].flatMap(([path, found]) => found.flatMap((one) => importProblem(path, one, tree, packages))),
    ...cycles(imports),
  ];
}

type Source = Scan & { path: string; text: string };
type Import = { line: number; specifier: string; text: string };

// ---- Imports ----

/** Static, type-only, side-effect, re-exporting and dynamic imports, and `import("x").T` types. */
export function importsOf({ code, bare, text }: Scan & { text: string }): Import[] {
  const forms = [
    /(?<=^|[;}\s])(?:import|export)\b[^;"'`()]*?\bfrom\s*["']([^"'\n]+)["']/g,
    /(?<=^|[;}\s])import\s*["']([^"'\n]+)["']/g,
    /\bimport\s*\(\s*["'`]([^"'`\n]+)["'`]/g,
  ];
  const found = forms.flatMap((form) => [...bare.matchAll(form)]);
  // The keyword inside a string is not an import.
  const real = found.filter((match) => code[match.index] === bare[match.index]);
  return real
    .map((match) => ({ line: lineOf(bare, match.index), specifier: match[1] ?? "", at: match.index }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ line, specifier }) => ({ line, specifier, text: lineText(text, line) }));
}

function importProblem(path: string, { line, specifier, text }: Import, tree: Tree, packages: readonly string[]) {
  const say = (problem: string) => [`${path}:${line}: ${problem}\n    ${text}`];
  if (!specifier.startsWith(".")) return packageProblem(path, specifier, packages).flatMap(say);
  const target = resolve(path, specifier);
  if (!tree.has(target)) return say(`${specifier} is not a file here; import with the file extension`);
  const room = roomOf(path);
  const allowed = MAY_IMPORT[room];
  if (allowed === undefined) return say(`${room} has no place in the table of rooms`);
  const other = roomOf(target);
  if (allowed === EVERYTHING || other === room || allowed.includes(other) || allowed.includes(target)) return [];
  return say(`${room} may not import ${other}; it may import ${allowed.join(", ") || "nothing"}`);
}

function packageProblem(path: string, specifier: string, packages: readonly string[]): string[] {
  if (/^(node:|bun$|bun:)/.test(specifier)) {
    return specifier === "node:process" ? ["use the global process: these rules look for it"] : [];
  }
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  if (!packages.includes(name)) return [`${name} is not a dependency in package.json (or lacks node:)`];
  return ["core", "utils"].includes(roomOf(path)) ? [`${roomOf(path)} may not import packages`] : [];
}

function roomOf(path: string): string {
  const [, room = "", ...rest] = path.split("/");
  return rest.length === 0 ? path : room;
}

function resolve(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier);
}

/** Every cycle once, as the list of its files. */
function cycles(imports: ReadonlyMap<string, readonly Import[]>): string[] {
  const found = new Set<string>();
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]) => {
    const start = trail.indexOf(path);
    if (start >= 0) return void found.add(normalCycle(trail.slice(start)));
    if (done.has(path)) return;
    for (const { specifier } of imports.get(path) ?? []) {
      const target = resolve(path, specifier);
      if (specifier.startsWith(".") && imports.has(target)) visit(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of imports.keys()) visit(path, []);
  return [...found];
}

function normalCycle(files: readonly string[]): string {
  const first = files.indexOf(files.toSorted()[0] ?? "");
  const turned = [...files.slice(first), ...files.slice(0, first)];
  return `${turned[0]}:1: imports in a circle: ${[...turned, turned[0]].join(" -> ")}`;
}

// ---- The look of a file ----

function shape({ path, text }: Source): string[] {
  const lines = text.replace(/\n$/, "").split("\n");
  const head = lines[0]?.startsWith("#!") ? lines[1] : lines[0];
  const found: string[] = [];
  if (!/^\/\/ \S.{9,}/.test(head ?? ""))
    found.push(`${path}:1: the first line says the file's job: "// Reads the settings."`);
  if (lines.length > FILE_LINES) found.push(`${path}:${lines.length}: ${lines.length} lines; ${FILE_LINES} at most`);
  if (posix.basename(path) === "index.ts") found.push(`${path}:1: no index.ts: import the file that defines the thing`);
  return found;
}

type Ban = { pattern: RegExp; problem: string; except?: (path: string) => boolean };

const inUi = (path: string) => path.startsWith("src/ui/");
const BANS: readonly Ban[] = [
  { pattern: /^(?:export )?(?:declare )?(?:let|var)\b/gm, problem: "no module-level let" },
  {
    pattern: /\bprocess\s*(?:\?\.|\.)\s*exit\b/g,
    problem: "only src/app.ts ends the process",
    except: (path) => path === "src/app.ts" || path === "src/main.ts",
  },
  {
    pattern: /\bconsole\s*\./g,
    problem: "no console outside src/ui/ and src/main.ts",
    except: (path) => inUi(path) || path === "src/main.ts",
  },
  {
    pattern: /\bprocess\s*\.\s*(?:stdout|stdin)\b/g,
    problem: "no process.stdout or stdin outside src/ui/ (11-16 ms)",
    except: inUi,
  },
  { pattern: /^\s*export\s+default\b|\bas\s+default\b/gm, problem: "no default export" },
  { pattern: /^\s*(?:export\s+)?(?:declare\s+)?(?:const\s+)?enum\s+\w/gm, problem: "no enum: use a union" },
  { pattern: /^\s*(?:export\s+)?(?:declare\s+)?(?:namespace|module)\s+\w/gm, problem: "no namespace" },
  {
    pattern: /^\s*export\s+(?:type\s+)?(?:\*|\{[^}]*\}\s*from\b)/gm,
    problem: "no barrel: import the file that defines the thing",
  },
];

function banned({ path, code, text }: Source): string[] {
  const found = BANS.filter((ban) => !ban.except?.(path)).flatMap(({ pattern, problem }) =>
    [...code.matchAll(pattern)].map((match) => report({ path, code, text }, match.index + leading(match[0]), problem)),
  );
  // Bun 1.4.5 escapes non-ASCII characters in raw templates: "€" arrives as the six characters "\u20AC".
  const raw = [...text.matchAll(/\bString\.raw`[^`]*[^\0-\x7f][^`]*`/g)].map((match) =>
    report({ path, code, text }, match.index, "no String.raw with non-ASCII text: Bun escapes it"),
  );
  return [...found, ...raw];
}

function emptyCatches({ path, code, text }: Source): string[] {
  const blocks = [...code.matchAll(/\bcatch\s*(?:\([^)]*\)\s*)?\{(\s*)\}/g)].filter((match) => {
    const inside = match[1] ?? "";
    const end = match.index + match[0].length - 1;
    return !hasComment(text.slice(end - inside.length, end));
  });
  const handlers = [...code.matchAll(/\.catch\(\s*\(\s*\w*\s*\)\s*=>\s*\{\s*\}\s*,?\s*\)/g)].filter((match) => {
    const line = lineOf(code, match.index);
    const near = [
      lineText(text, line - 1),
      ...text.slice(match.index, match.index + match[0].length + 120).split("\n", 1),
    ];
    return !hasComment(near.join("\n")) && !hasComment(text.slice(match.index, match.index + match[0].length));
  });
  return [...blocks, ...handlers].map((match) =>
    report({ path, code, text }, match.index, "an empty catch needs a comment: why is silence right?"),
  );
}

const hasComment = (text: string) => /\/\/|\/\*/.test(text);

/** Relies on the formatter: a block ends at the next line with its own indentation that begins with `}`. */
function longFunctions({ path, code, text }: Source): string[] {
  const lines = code.split("\n");
  return lines.flatMap((line, i) => {
    if (!line.trimEnd().endsWith("{")) return [];
    const indent = indentOf(line);
    const start = headOf(lines, i);
    if (!opensFunction(lines.slice(start, i + 1).join("\n"))) return [];
    const end = lines.findIndex((other, j) => j > i && indentOf(other) === indent && /^\s*\}/.test(other));
    const length = (end < 0 ? lines.length : end) - start + 1;
    if (length <= FUNCTION_LINES) return [];
    return [
      `${path}:${start + 1}: a function of ${length} lines; ${FUNCTION_LINES} at most\n    ${lineText(text, start + 1)}`,
    ];
  });
}

/** The line where the statement that opens a block at line `i` begins: its signature may take several lines. */
function headOf(lines: readonly string[], i: number): number {
  if (!/^\s*\)/.test(lines[i] ?? "")) return i;
  const indent = indentOf(lines[i] ?? "");
  const before = lines.slice(0, i).findLastIndex((line) => line.trim() !== "" && indentOf(line) <= indent);
  return before < 0 ? i : before;
}

function opensFunction(head: string): boolean {
  const text = head.trim();
  if (/=>\s*\{$/.test(text) || /\bfunction\b/.test(text)) return true;
  if (/^(?:\}\s*)?(?:if|else|for|while|switch|catch|do|try|with|return|throw|new|await|case)\b/.test(text))
    return false;
  return /^(?:(?:static|async|get|set|override|public|private|protected)\s+)*\*?\s*(?:#?\w+|\[[^\]]+\])(?:<[^]*?>)?\s*\([^]*\)\s*(?::[^]*)?\{$/.test(
    text,
  );
}

// ---- Places ----

type Place = { path: string; code: string; text: string };

function report({ path, code, text }: Place, index: number, problem: string): string {
  const line = lineOf(code, index);
  return `${path}:${line}: ${problem}\n    ${lineText(text, line)}`;
}

const leading = (text: string) => text.length - text.trimStart().length;
const lineOf = (text: string, index: number) => text.slice(0, index).split("\n").length;
const lineText = (text: string, line: number) => (text.split("\n")[line - 1] ?? "").trim();

function indentOf(line: string): number {
  return line.trim() === "" ? Number.POSITIVE_INFINITY : leading(line);
}

// What in the text of a skill, a command or an agent acts: commands in the text, and keys of its head that run or allow.

const HEAD = /^\uFEFF?\s*---[ \t]*\r?\n([\s\S]*?)(?:\r?\n---[ \t]*(?:\r?\n|$)|$)/;
/** Anywhere in the head, also in flow style: which parser will read it is not known here. */
const ACTING_KEY = /\b(hooks|mcpServers|allowed-?tools|permissionMode)["']?\s*:/i;
/** A key may be written with escapes. */
const ESCAPED_KEY = /"[^"\\\n]*\\[^"\n]*"\s*:/;
const INLINE = /!`+([^`]+)`/g;
const FENCE = /^[ \t>]*(`{3,}|~{3,})[ \t]*!([^\n]*\n[\s\S]*?)(?:^[ \t>]*\1|(?![\s\S]))/gm;

/** Each part as it is shown to the person; none when nothing acts. Values of variables and headers are left out. */
export function actingParts(text: string, { injections }: { injections: boolean }): string[] {
  const head = HEAD.exec(text)?.[1];
  const keys = head !== undefined && isActing(head) ? [actingLines(head)] : [];
  return injections ? [...keys, ...commandsIn(text)] : keys;
}

function isActing(head: string): boolean {
  return ACTING_KEY.test(head) || ESCAPED_KEY.test(head);
}

function commandsIn(text: string): string[] {
  const inline = [...text.matchAll(INLINE)].map((match) => ({ at: match.index, command: match[1] ?? "" }));
  const fenced = [...text.matchAll(FENCE)].map((match) => ({ at: match.index, command: (match[2] ?? "").trim() }));
  return [...inline, ...fenced].toSorted((a, b) => a.at - b.at).map(({ command }) => `runs: ${command}`);
}

/** The top-level entries of the head that act, with the lines that belong to them; the whole head when that is unclear. */
function actingLines(head: string): string {
  const lines = head.split(/\r?\n/);
  const taken: string[] = [];
  let inside = false;
  for (const line of lines) {
    const top = /^["']?[\w-]+["']?\s*:/.exec(line);
    if (top) inside = ACTING_KEY.test(top[0]);
    if (inside && line.trim() !== "") taken.push(line);
  }
  return withoutValues(taken.length > 0 && !ESCAPED_KEY.test(head) ? taken : lines).join("\n");
}

/** Of `env:` and `headers:` only the names. */
function withoutValues(lines: readonly string[]): string[] {
  let depth: number | undefined;
  return lines.map((whole) => {
    const line = whole.replace(/\b(env|headers)["']?\s*:\s*\{[^}]*\}?/gi, "$1: (not shown)");
    const indent = /^[\s-]*/.exec(line)?.[0].length ?? 0;
    if (depth !== undefined && indent > depth) return line.replace(/:.*$/, ": (not shown)");
    const secret = /^[\s-]*["']?(env|headers)["']?\s*:/i.test(line);
    depth = secret ? indent : undefined;
    return line;
  });
}

// A skill's text as the model gets it: with the arguments in their places and the output of its commands.
import { piecesOf } from "./parse.ts";

export type Rendering = {
  body: string;
  /** As it was typed or called. */
  args: string;
  argumentNames: readonly string[];
  /** For `${CLAUDE_SESSION_ID}` and the like; an unknown one stays as it is written. */
  values: Readonly<Record<"SESSION_ID" | "SKILL_DIR" | "PROJECT_DIR" | "EFFORT", string | undefined>>;
  /** What a command prints. Throws when it fails or may not run: then there is no text. */
  run(command: string): Promise<string>;
};

/** Commands are found before anything is put in: an argument cannot become one. They run one after the other. */
export async function renderSkill(rendering: Rendering): Promise<string> {
  const { body, args, run } = rendering;
  const used = { arguments: false };
  const put = putter(rendering, used);
  const parts: string[] = [];
  for (const piece of piecesOf(body)) {
    parts.push(piece.kind === "text" ? put(piece.text) : (await run(put(piece.command))).trimEnd());
  }
  const text = parts.join("").trim();
  return args.trim() === "" || used.arguments ? text : `${text}\n\nARGUMENTS: ${args.trim()}`;
}

const VALUE = /^\$\{(?:CLAUDE|NANOCODE)_(SESSION_ID|SKILL_DIR|PROJECT_DIR|EFFORT)\}$/;

function putter({ args, argumentNames, values }: Rendering, used: { arguments: boolean }): (text: string) => string {
  const words = wordsOf(args);
  const named = argumentNames.length > 0 ? `|\\$(?:${argumentNames.join("|")})\\b` : "";
  const placeholder = `\\$ARGUMENTS(?:\\[\\d+\\])?(?!\\w)|\\$\\d+(?!\\w)${named}`;
  // A backslash takes its meaning from a placeholder; elsewhere it is only itself.
  const pattern = new RegExp(`\\\\(?:${placeholder})|${placeholder}|\\$\\{[A-Z_]+\\}`, "g");
  return (text) =>
    text.replace(pattern, (found) => {
      if (found.startsWith("\\")) return found.slice(1);
      if (found.startsWith("${")) {
        const key = VALUE.exec(found)?.[1] as keyof Rendering["values"] | undefined;
        return (key && values[key]) ?? found;
      }
      const digits = found.startsWith("$ARGUMENTS[") || /^\$\d/.test(found) ? /\d+/.exec(found)?.[0] : undefined;
      const word = words[digits === undefined ? argumentNames.indexOf(found.slice(1)) : Number(digits)];
      if (digits === undefined || word !== undefined) used.arguments = true;
      if (found === "$ARGUMENTS") return args.trim();
      // A number nobody gave may be no placeholder at all: `awk '{ print $1 }'`. A name nobody gave is empty.
      return word ?? (digits === undefined ? "" : found);
    });
}

/** Divided as a shell divides: quotes keep a word together. */
function wordsOf(args: string): string[] {
  const words = args.matchAll(/(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\]|["'\\])+/gs);
  return [...words].map(([word]) =>
    word.replace(/"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/gs, (_, double?: string, single?: string, escaped?: string) =>
      double === undefined ? (single ?? escaped ?? "") : double.replace(/\\(["\\$`])/g, "$1"),
    ),
  );
}

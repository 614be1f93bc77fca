// Which files programs open or write when they are called in a way that is asked about: for rules that forbid, and for
// protected files.
import { everything } from "../options.ts";
import { literal, textArg, unknownEffect, type Arg, type Change, type Program } from "../types.ts";
import { entries } from "./entries.ts";

/** Show or edit files, and can run others from there. */
const VIEWERS =
  "less more most lv view vi vim nvim nano emacs ed ex zless zmore bzless xzless zgrep zegrep bzgrep xzgrep look";

/**
 * What follows one of the options is written, and the operands that are named (`last`: of two or more), where one of the
 * arguments fits `when`. `first`: how many words in front are no files.
 */
type Output = { options?: string; operands?: "all" | "last"; when?: RegExp; first?: number };

const OUTPUTS: readonly (readonly [names: string, output: Output])[] = [
  ["curl", { options: "-o --output" }],
  ["wget aria2c", { options: "-O --output-document -o --output-file --out" }],
  ["rsync scp", { operands: "last" }],
  ["gcc g++ cc c++ clang clang++ ld pandoc iconv gpg gpg2 magick tree shuf", { options: "-o --output" }],
  ["openssl", { options: "-out" }],
  ["go", { options: "-o" }],
  ["patch", { options: "-o --output", operands: "all" }],
  ["perl ruby", { operands: "all", when: /^-\w*i/ }],
  ["gofmt prettier", { operands: "all", when: /^(-w|--write)$/ }],
  ["dos2unix unix2dos sponge gzip gunzip bzip2 bunzip2 xz unxz zstd unzstd", { operands: "all" }],
  ["ffmpeg convert uniq", { operands: "last" }],
  ["xxd", { operands: "last", when: /^-\w*r/ }],
  ["unzip", { options: "-d" }],
  ["tar bsdtar", { options: "-C --directory", when: /^-?\w*x|^--(extract|get)$/ }],
  ["git", { operands: "all", when: /^(mv|rm|checkout|restore)$/, first: 1 }],
];

const view: Program = ({ name, args }) => unknownEffect(`${name} can run other programs`, { reads: everything(args) });

/** What it may write when it is called in a way that is asked about. */
export function outputsOf(name: string, args: readonly Arg[]): Change[] {
  const output = KNOWN.get(name);
  if (!output) return [];
  const [flags, file] = args;
  // `tar -cf FILE`
  if (/tar$/.test(name) && file && /^-?\w*c\w*f$/.test(literal(flags) ?? "")) return [write(file)];
  const { options, operands, when, first = 0 } = output;
  if (when && !args.some((arg) => when.test(literal(arg) ?? ""))) return [];
  const rest = args.slice(first).filter((arg) => !literal(arg)?.startsWith("-"));
  const files = [
    ...args.flatMap((arg, i) => valueOf(arg, args[i + 1], options)),
    ...(operands === "all" ? rest : operands === "last" && rest.length > 1 ? rest.slice(-1) : []),
  ];
  return files.map(write);
}

const KNOWN = new Map(
  OUTPUTS.flatMap(([names, { options = "", ...output }]) => {
    const known = { ...output, options: options.split(" ").filter(Boolean) };
    return names.split(" ").map((name) => [name, known] as const);
  }),
);

function write(arg: Arg): Change {
  return { arg, how: "write" };
}

/** `-o FILE`, `-oFILE`, `--output=FILE`. */
function valueOf(arg: Arg, next: Arg | undefined, names: readonly string[]): Arg[] {
  const text = literal(arg) ?? "";
  if (names.includes(text)) return next ? [next] : [];
  const name = names.find((one) => text.startsWith(one.startsWith("--") ? `${one}=` : one));
  return name === undefined ? [] : [textArg(text.slice(name.length).replace(/^=/, ""))];
}

export const VIEWING = entries([VIEWERS, view]);

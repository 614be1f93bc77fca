// Which files programs open or write when they are called in a way that is asked about: for rules that forbid, and for
// protected files.
import { everything } from "../options.ts";
import { literal, textArg, unknownEffect, type Arg, type Change, type Program, type Use } from "../types.ts";
import { entries } from "./entries.ts";

/** Show or edit files, and can run others from there. */
const VIEWERS =
  "less more most lv view vi vim nvim nano emacs ed ex zless zmore bzless xzless zgrep zegrep bzgrep xzgrep look";

/**
 * What follows one of the options is written, and the operands that are named (`last`: of two or more), where one of the
 * arguments fits `when`. `first`: how many words in front are no files.
 */
type Output = { options?: string; operands?: "all" | "first" | "last"; when?: RegExp; first?: number };

const OUTPUTS: readonly (readonly [names: string, output: Output])[] = [
  ["curl", { options: "-o --output --output-dir" }],
  ["wget aria2c", { options: "-O --output-document -o --output-file --out -P --directory-prefix" }],
  ["mktemp", { options: "-p --tmpdir" }],
  ["csplit", { options: "-f --prefix" }],
  ["tsc", { options: "--outDir --outFile --declarationDir" }],
  ["yq", { operands: "all", when: /^(-i|--inplace|--in-place)$/ }],
  ["zip 7z rar", { operands: "first" }],
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
  ["git", { operands: "all", when: /^(mv|rm|checkout|restore|clean)$/, first: 1 }],
  ["git", { options: "--output --output-directory" }],
  ["git", { options: "-o", when: /^(archive|format-patch)$/ }],
  ["git", { options: "-f --file", when: /^config$/ }],
];

const NONE: readonly never[] = [];

const view: Program = ({ name, args }) => unknownEffect(`${name} can run other programs`, { reads: everything(args) });

/** What it may write when it is called in a way that is asked about. */
export function outputsOf(name: string, args: readonly Arg[]): readonly Change[] {
  const known = KNOWN.get(name);
  if (!known) return NONE;
  const [flags, file] = args;
  // `tar -cf FILE`
  if (/tar$/.test(name) && file && /^-?\w*c\w*f$/.test(literal(flags) ?? "")) return [write(file)];
  return known.flatMap((output) => filesOf(args, output)).map(write);
}

function filesOf(args: readonly Arg[], { options, operands, when, first = 0 }: Known): Arg[] {
  if (when && !args.some((arg) => when.test(literal(arg) ?? ""))) return [];
  const rest = args.slice(first).filter((arg) => !literal(arg)?.startsWith("-"));
  const named = operands === "all" ? rest : operands === "first" ? rest.slice(0, 1) : [];
  const last = operands === "last" && rest.length > 1 ? rest.slice(-1) : [];
  return [...args.flatMap((arg, i) => valueOf(arg, args[i + 1], options)), ...named, ...last];
}

type Known = Omit<Output, "options"> & { options: readonly string[] };

const KNOWN = new Map<string, Known[]>();
for (const [names, { options = "", ...output }] of OUTPUTS) {
  const known = { ...output, options: options.split(" ").filter(Boolean) };
  for (const name of names.split(" ")) KNOWN.set(name, [...(KNOWN.get(name) ?? []), known]);
}

function write(arg: Arg): Change {
  return { arg, how: "write" };
}

/** What it sends elsewhere. */
export function inputsOf(name: string, args: readonly Arg[]): readonly Use[] {
  if (name === "scp" || name === "rsync") {
    const operands = args.filter((arg) => !literal(arg)?.startsWith("-"));
    return operands.slice(0, -1).map((arg): Use => ({ arg, what: "content", recursive: true }));
  }
  const options = SENT.get(name);
  if (!options) return NONE;
  const files = args.flatMap((arg, i) => valueOf(arg, args[i + 1], options));
  // `-d @FILE`, `-F name=@FILE`, `file://...`
  const marked = args.flatMap((arg) => {
    const path = /^(?:-\w|--[\w-]+=)?(?:[\w.-]*=)?[@<](.+)$|^file:\/\/(\/.+)$/s.exec(literal(arg) ?? "");
    return path ? [textArg(path[1] ?? path[2] ?? "")] : [];
  });
  return [...files, ...marked].map((arg): Use => ({ arg, what: "content" }));
}

const SENT: ReadonlyMap<string, readonly string[]> = new Map([
  ["curl", "-T --upload-file -K --config --cert --key --netrc-file".split(" ")],
  ["wget", "--post-file --body-file -i --input-file".split(" ")],
]);

/** `-o FILE`, `-oFILE`, `-so FILE`, `--output=FILE`. */
function valueOf(arg: Arg, next: Arg | undefined, names: readonly string[]): Arg[] {
  const text = literal(arg) ?? "";
  if (names.includes(text)) return next ? [next] : [];
  const long = names.find((one) => one.startsWith("--") && text.startsWith(`${one}=`));
  if (long) return [textArg(text.slice(long.length + 1))];
  // The last letter of a bundle takes the rest of it, or the next word.
  const letters = names.filter((one) => /^-\w$/.test(one)).map((one) => one.slice(1));
  const at = /^-\w/.test(text) ? text.split("").findIndex((char, i) => i > 0 && letters.includes(char)) : -1;
  if (at < 0) return [];
  const rest = text.slice(at + 1).replace(/^=/, "");
  return rest === "" ? (next ? [next] : []) : [textArg(rest)];
}

export const VIEWING = entries([VIEWERS, view]);

// Substitutions of which it is known what they print, whatever is in the project: hashes of commits, numbers.

const COMMIT = String.raw`[\w@][\w./@{}^~-]*`;
/** Of a path rev-parse prints the path. */
const NAME = String.raw`(?:(?:refs|origin|upstream|heads|remotes|tags)/)?[\w@][\w@{}^~-]*`;
/** No quotes that open or close elsewhere, no list and no redirection: one element of a pipe. */
const ELEMENT = String.raw`(?:[^\x60()"'$\\;&<>|\n#]|'[^'\n]*')+`;
const FILE = String.raw`(?:[\w./-]+|"[\w./-]*\$\w+[\w./-]*")`;

const HASH = new RegExp(
  String.raw`^git (?:(?:merge-base|rev-list (?:-1|-n ?1|--max-count=1))(?: ${COMMIT})+|rev-parse(?: --short(?:=\d+)?| --verify)? ${NAME})$`,
);
const HASHES = new RegExp(
  String.raw`^git (?:rev-list|log (?:--format=|--pretty=format:|--pretty=)%[hH])(?: (?:-n ?\d+|-\d+|--max-count=\d+|--reverse|--no-merges|--first-parent|${COMMIT}))*$`,
);
const NUMBER = new RegExp(String.raw`^(?:date \+%s|nproc|(?:${ELEMENT}\| *)*wc -[lwcm](?: *< *${FILE})?)$`);

/** Prints one name of a commit and nothing else: digits and letters, or the word it was given; nothing when it fails. */
export function isHash(text: string): boolean {
  return HASH.test(inside(text)) && !text.includes("..");
}

/** Prints names of commits, each in a line. */
export function areHashes(text: string): boolean {
  return HASHES.test(inside(text)) || isHash(text);
}

/** Prints a number, perhaps with blanks around it, or nothing when it fails. */
export function isNumber(text: string): boolean {
  return NUMBER.test(inside(text));
}

/** The command in `$(...)`, backticks, or one of these between double quotes. */
function inside(text: string): string {
  const bare = text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
  return (
    /^\$\((.*)\)$|^`([^`]*)`$/
      .exec(bare)
      ?.slice(1)
      .find((one) => one !== undefined) ?? ""
  );
}

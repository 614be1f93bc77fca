// What a person types, line by line, as entries: lines that arrive together were pasted and are one.

/** Lines of a paste follow each other faster than anyone presses Enter. */
const PASTE_MS = 20;
/** Linux hands over no more bytes of one line than this; what was typed beyond them is gone without a word. */
const LONGEST_LINE = 4_095;

export type Entry<Mark> = {
  text: string;
  /** What `mark` said when its first line came: by the time the last one is there, things may have moved on. */
  began: Mark;
  /** The terminal threw away the end of one of its lines, as far as can be known. */
  isCut: boolean;
};

export type TypingOptions<Mark> = {
  mark(): Mark;
  take(entry: Entry<Mark>): void;
  /** The line ended in a backslash: nothing is handed over before the next one. */
  onGoesOn(): void;
  platform?: NodeJS.Platform;
  pasteMs?: number;
};

/** Nothing of a line is ever changed, a backslash at its end neither: it may be code. */
export class Typing<Mark> {
  #options: TypingOptions<Mark>;
  #pending: { lines: string[]; began: Mark } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: TypingOptions<Mark>) {
    this.#options = options;
  }

  line(text: string): void {
    this.#pending ??= { lines: [], began: this.#options.mark() };
    this.#pending.lines.push(text);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (!this.flush()) this.#options.onGoesOn();
    }, this.#options.pasteMs ?? PASTE_MS);
  }

  /** Hands over what is there; false: it ends in a backslash and has to go on first. */
  flush(): boolean {
    if (this.#pending?.lines.at(-1)?.endsWith("\\")) return false;
    this.end();
    return true;
  }

  /** No more lines will come. */
  end(): void {
    clearTimeout(this.#timer);
    const { platform = process.platform, take } = this.#options;
    const pending = this.#pending;
    if (!pending) return;
    this.#pending = undefined;
    const isCut = platform === "linux" && pending.lines.some(fillsTerminal);
    take({ text: pending.lines.join("\n"), began: pending.began, isCut });
  }

  /** Forgets what is not complete yet, and returns it. */
  drop(): string | undefined {
    clearTimeout(this.#timer);
    const dropped = this.#pending?.lines.join("\n");
    this.#pending = undefined;
    return dropped;
  }
}

/** A character that was cut apart has become U+FFFD, which is three bytes for the one to three that were left of it. */
function fillsTerminal(line: string): boolean {
  const bytes = Buffer.byteLength(line);
  return bytes === LONGEST_LINE || (line.endsWith("\ufffd") && bytes > LONGEST_LINE && bytes <= LONGEST_LINE + 2);
}

// What did not come from us, made safe for a terminal: no escape sequence, control or invisible character survives.

// C0 but for tab and newline, DEL, C1, bidirectional overrides and isolates, zero-width and other invisible formats.
const UNSAFE =
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u00AD\u061C\u200B\u200E\u200F\u2028-\u202E\u2060-\u2069\uFEFF\uFFF9-\uFFFB]|[\u{E0000}-\u{E007F}]/gu;

/** Each unsafe character shown as `\xNN` or `\u{NNNN}`; CR before LF is dropped silently. */
export function sanitize(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(UNSAFE, (char) => {
    const code = char.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

// Blanks that are none for a shell, joiners and variation selectors: harmless in prose, a disguise in a command.
const ODD =
  /[\u00A0\u034F\u115F\u1160\u1680\u17B4\u17B5\u180B-\u180F\u2000-\u200D\u202F\u205F\u3000\u3164\uFE00-\uFE0F\uFFA0]|[\u{E0100}-\u{E01EF}]/gu;

/** For what somebody has to judge: as `sanitize`, and nothing invisible or look-alike blank is left either. */
export function reveal(text: string): string {
  return sanitize(text).replace(ODD, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

/** One line of at most `max` characters. */
export function oneLine(text: string, max = 120): string {
  const line = sanitize(text).replace(/\s+/g, " ").trim();
  return line.length <= max ? line : `${line.slice(0, max - 1)}…`;
}

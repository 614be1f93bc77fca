// What encoding a file's bytes are in, and the way from bytes to text and back.
import { isUtf8 } from "node:buffer";

export type Encoding = "utf-8" | "utf-16le" | "utf-16be" | "windows-1252";

/** How bytes are text. `bom`: length of the byte order mark. `invalid`: UTF-8 for the most part, with stray bytes. */
export type TextForm = { readonly encoding: Encoding; readonly bom: 0 | 2 | 3; readonly invalid: boolean };

/** Text as it lies on disk; `bytes` includes the byte order mark. */
export type Doc = { readonly bytes: Buffer; readonly form: TextForm };

export const UTF8: TextForm = { encoding: "utf-8", bom: 0, invalid: false };

// Enough to tell text from data; a NUL further in is shown as a symbol instead of refusing the whole file.
const BINARY_WINDOW = 64 * 1024;

/** The form of these bytes, or undefined when they are not text. `cut`: the file goes on after them. */
export function detectForm(bytes: Buffer, { cut = false } = {}): TextForm | undefined {
  const marked = markedForm(bytes);
  if (marked === "utf-32") return undefined;
  if (marked)
    return marked.encoding === "utf-8" ? { ...marked, invalid: !isUtf8(wholeCharacters(bytes, cut)) } : marked;
  const head = bytes.subarray(0, BINARY_WINDOW);
  if (head.includes(0)) return unmarkedUtf16(head);
  const controls = controlShare(head);
  if (isUtf8(wholeCharacters(bytes, cut))) return controls > 0.3 ? undefined : UTF8;
  if (controls > 0.05) return undefined;
  const { valid, stray } = multibyte(bytes);
  if (valid > stray) return { encoding: "utf-8", bom: 0, invalid: true };
  return { encoding: "windows-1252", bom: 0, invalid: false };
}

/** Bytes (without a byte order mark) as text; what cannot be decoded becomes U+FFFD. */
export function decode(bytes: Uint8Array, encoding: Encoding, { cut = false } = {}): string {
  return new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes, { stream: cut });
}

export function decodeDoc({ bytes, form }: Doc): string {
  return decode(bytes.subarray(form.bom), form.encoding);
}

/** Text as bytes, without a byte order mark; undefined when the encoding lacks a character (see `unencodable`). */
export function encode(text: string, encoding: Encoding): Buffer | undefined {
  switch (encoding) {
    case "utf-8":
      return Buffer.from(text, "utf8");
    case "utf-16le":
      return Buffer.from(text, "utf16le");
    case "utf-16be":
      return Buffer.from(text, "utf16le").swap16();
    case "windows-1252":
      return encode1252(text);
    default:
      return encoding satisfies never;
  }
}

/** The whole document for `text`, with the form's byte order mark. */
export function encodeDoc(text: string, form: TextForm): Doc | undefined {
  const body = encode(text.startsWith("\ufeff") ? text.slice(1) : text, form.encoding);
  const mark = form.bom === 0 ? Buffer.alloc(0) : encode("\ufeff", form.encoding);
  return body && mark && { bytes: Buffer.concat([mark, body]), form };
}

/** The first character the encoding cannot hold. */
export function unencodable(text: string, encoding: Encoding): string | undefined {
  if (encoding !== "windows-1252") return undefined;
  for (const char of text) if (byte1252(char) === undefined) return char;
  return undefined;
}

export function formName({ encoding, bom, invalid }: TextForm): string {
  const names = { "utf-8": "UTF-8", "utf-16le": "UTF-16 LE", "utf-16be": "UTF-16 BE", "windows-1252": "Windows-1252" };
  const mark = bom ? " with a byte order mark" : encoding.startsWith("utf-16") ? " without a byte order mark" : "";
  return names[encoding] + mark + (invalid ? " with some invalid bytes" : "");
}

function markedForm(bytes: Buffer): TextForm | "utf-32" | undefined {
  const [a, b, c, d] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return { encoding: "utf-8", bom: 3, invalid: false };
  if (a === 0xff && b === 0xfe) {
    return c === 0 && d === 0 ? "utf-32" : { encoding: "utf-16le", bom: 2, invalid: false };
  }
  if (a === 0xfe && b === 0xff) return { encoding: "utf-16be", bom: 2, invalid: false };
  return undefined;
}

/** UTF-16 without a mark is believed when one half of the units is nearly always zero and the text has no oddities. */
function unmarkedUtf16(head: Buffer): TextForm | undefined {
  const even = head.subarray(0, head.length & ~1);
  if (even.length < 4) return undefined;
  const zeros = [0, 0];
  for (let i = 0; i < even.length; i++) if (even[i] === 0) zeros[i & 1] = (zeros[i & 1] ?? 0) + 1;
  const [first = 0, second = 0] = zeros;
  const units = even.length / 2;
  const encoding = second > units * 0.7 && first < units * 0.02 ? "utf-16le" : "utf-16be";
  if (encoding === "utf-16be" && !(first > units * 0.7 && second < units * 0.02)) return undefined;
  const odd = /[\0-\x08\x0e-\x1a\x1c-\x1f\ufffd\uffff]/;
  return odd.test(decode(even, encoding, { cut: true })) ? undefined : { encoding, bom: 0, invalid: false };
}

function controlShare(head: Buffer): number {
  let count = 0;
  for (const byte of head) if (byte < 0x20 && !(byte >= 8 && byte <= 13) && byte !== 0x1b) count++;
  return head.length ? count / head.length : 0;
}

/** Without a character the cut went through. */
function wholeCharacters(bytes: Buffer, cut: boolean): Buffer {
  if (!cut) return bytes;
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return bytes;
    if (byte >= 0xc0) return sequenceLength(byte) > back ? bytes.subarray(0, bytes.length - back) : bytes;
  }
  return bytes;
}

function multibyte(bytes: Buffer): { valid: number; stray: number } {
  const count = { valid: 0, stray: 0 };
  for (let i = 0; i < bytes.length;) {
    const byte = bytes[i] ?? 0;
    if (byte < 0x80) {
      i++;
      continue;
    }
    const length = sequenceLength(byte);
    const good = length > 1 && i + length <= bytes.length && isUtf8(bytes.subarray(i, i + length));
    count[good ? "valid" : "stray"]++;
    i += good ? length : 1;
  }
  return count;
}

function sequenceLength(lead: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : 1;
}

// The 32 code points where Windows-1252 is not Latin-1; the rest of the table is the identity.
const C1 = decode(
  Uint8Array.from({ length: 32 }, (_, i) => 0x80 + i),
  "windows-1252",
);

function byte1252(char: string): number | undefined {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x80 || (code >= 0xa0 && code <= 0xff)) return code;
  const at = C1.indexOf(char);
  return at < 0 ? undefined : 0x80 + at;
}

function encode1252(text: string): Buffer | undefined {
  const bytes: number[] = [];
  for (const char of text) {
    const byte = byte1252(char);
    if (byte === undefined) return undefined;
    bytes.push(byte);
  }
  return Buffer.from(bytes);
}

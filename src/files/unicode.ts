// Characters that look alike: folding them together to find a text, naming them to tell them apart.

/** Text without whitespace, case, marks, invisible characters and look-alikes: equal keys look (nearly) the same. */
export function foldKey(text: string): string {
  return fold(text).key;
}

/** The key, and for each of its UTF-16 units the index in `text` of the character it came from. */
export function fold(text: string): { key: string; at: number[] } {
  let key = "";
  const at: number[] = [];
  let index = 0;
  for (const char of text) {
    const folded = foldChar(char);
    for (let i = 0; i < folded.length; i++) at.push(index);
    key += folded;
    index += char.length;
  }
  return { key, at };
}

/** `U+2019 (right single quotation mark)`, or with the character itself when its name is not known here. */
export function namePoints(text: string): string {
  return [...text]
    .map((char) => {
      const point = `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
      const name = NAMES[char];
      if (name) return `${point} (${name})`;
      return /[\p{C}\p{Z}\p{M}]/u.test(char) ? point : `${point} (${char})`;
    })
    .join(" ");
}

function foldChar(char: string): string {
  const code = char.charCodeAt(0);
  if (code < 0x80) return code <= 0x20 || code === 0x7f ? "" : char.toLowerCase();
  const plain = char.normalize("NFKD").replace(/[\p{M}\p{Cf}\s]/gu, "");
  let folded = "";
  for (const part of plain) folded += (LOOKALIKES[part] ?? part).toLowerCase();
  return folded;
}

const LOOKALIKES: Record<string, string> = {
  ...alike("'", "‘’‚‛′`´ʹʼ"),
  ...alike('"', "“”„‟″«»"),
  ...alike("-", "‐‑‒–—―−﹘­"),
  ...alike("/", "∕⁄"),
  ...alike("*", "∗⁎"),
  ...alike(":", "∶꞉"),
  ...alike(";", "\u037e"),
  // Cyrillic and Greek letters drawn like Latin ones.
  ...pairs("аaсcеeоoрpхxуyіiјjѕsԁdһhԛqԝw"),
  ...pairs("АAВBЕEКKМMНHОOРPСCТTХXУYІIЈJЅS"),
  ...pairs("ΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXοoνv"),
};

const NAMES: Record<string, string> = {
  "\0": "NUL",
  "\t": "tab",
  "\n": "line feed",
  "\r": "carriage return",
  " ": "space",
  "'": "apostrophe, straight",
  '"': "quotation mark, straight",
  "-": "hyphen-minus",
  "\u00a0": "no-break space",
  "\u00ad": "soft hyphen",
  "\u2002": "en space",
  "\u2003": "em space",
  "\u2009": "thin space",
  "\u200b": "zero width space",
  "\u200c": "zero width non-joiner",
  "\u200d": "zero width joiner",
  "\u200e": "left-to-right mark",
  "\u200f": "right-to-left mark",
  "\u2010": "hyphen",
  "\u2011": "non-breaking hyphen",
  "\u2013": "en dash",
  "\u2014": "em dash",
  "\u2018": "left single quotation mark, curly",
  "\u2019": "right single quotation mark, curly",
  "\u201c": "left double quotation mark, curly",
  "\u201d": "right double quotation mark, curly",
  "\u2026": "horizontal ellipsis",
  "\u202f": "narrow no-break space",
  "\u2060": "word joiner",
  "\u2212": "minus sign",
  "\u3000": "ideographic space",
  "\ufeff": "byte order mark, zero width",
  "\ufffd": "replacement character: the bytes there are not valid in the file's encoding",
};

function alike(plain: string, others: string): Record<string, string> {
  return Object.fromEntries([...others].map((other) => [other, plain]));
}

function pairs(text: string): Record<string, string> {
  const chars = [...text];
  const found: Record<string, string> = {};
  for (let i = 0; i + 1 < chars.length; i += 2) found[chars[i] ?? ""] = chars[i + 1] ?? "";
  return found;
}

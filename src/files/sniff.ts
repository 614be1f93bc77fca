// What a file that is not text is, by its first bytes.

export type ImageKind = "png" | "jpeg" | "gif" | "webp" | "bmp" | "tiff" | "heic" | "avif";
export type Sniffed =
  { kind: "image"; format: ImageKind } | { kind: "pdf" } | { kind: "data"; name: string; advice: string };

/** `head`: the first bytes (512 are enough). Undefined when nothing known begins like this. */
export function sniff(head: Buffer): Sniffed | undefined {
  const image = imageKind(head);
  if (image) return { kind: "image", format: image };
  if (at(head, 0, "%PDF-")) return { kind: "pdf" };
  if (at(head, 257, "ustar")) return { kind: "data", name: "a tar archive", advice: "List it with `tar -tf`." };
  for (const [magic, name, advice] of MAGIC) if (at(head, 0, magic)) return { kind: "data", name, advice };
  return undefined;
}

function imageKind(head: Buffer): ImageKind | undefined {
  if (at(head, 0, "\x89PNG\r\n\x1a\n")) return "png";
  if (at(head, 0, "\xff\xd8\xff")) return "jpeg";
  if (at(head, 0, "GIF87a") || at(head, 0, "GIF89a")) return "gif";
  if (at(head, 0, "RIFF") && at(head, 8, "WEBP")) return "webp";
  if (at(head, 0, "II*\0") || at(head, 0, "MM\0*")) return "tiff";
  // The two letters alone could begin a text: the four reserved bytes are zero and the header size is a known one.
  if (at(head, 0, "BM") && at(head, 6, "\0\0\0\0") && head.length > 17 && head.readUInt32LE(14) <= 124) return "bmp";
  if (!at(head, 4, "ftyp")) return undefined;
  const brand = head.toString("latin1", 8, 12);
  if (brand === "avif" || brand === "avis") return "avif";
  return ["heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"].includes(brand) ? "heic" : undefined;
}

function at(head: Buffer, offset: number, magic: string): boolean {
  return head.toString("latin1", offset, offset + magic.length) === magic;
}

const MEDIA = "`ffprobe` shows what it holds, if installed.";
const MAGIC: readonly (readonly [magic: string, name: string, advice: string])[] = [
  [
    "PK\x03\x04",
    "a zip archive (also docx, xlsx, jar, ...)",
    "List it with `unzip -l`, print a member with `unzip -p`.",
  ],
  ["PK\x05\x06", "an empty zip archive", "There is nothing in it."],
  ["\x1f\x8b", "gzip data", "Print it with `zcat file | head`, or list a .tar.gz with `tar -tzf`."],
  ["BZh", "bzip2 data", "Print it with `bzcat file | head`."],
  ["\xfd7zXZ", "xz data", "Print it with `xzcat file | head`."],
  ["\x28\xb5\x2f\xfd", "Zstandard data", "Print it with `zstdcat file | head`."],
  ["7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "List it with `7z l`."],
  ["Rar!", "a RAR archive", "List it with `unrar l`."],
  ["\x7fELF", "an ELF program or library", "`file`, `nm`, `readelf` or `strings` show what it holds."],
  ["MZ", "a Windows program or library", "`file` or `strings` show what it holds."],
  ["\xcf\xfa\xed\xfe", "a Mach-O program or library", "`file`, `otool` or `strings` show what it holds."],
  ["\xca\xfe\xba\xbe", "a Java class or universal Mach-O file", "`javap -c` or `file` show what it holds."],
  ["\0asm", "a WebAssembly module", "`wasm-objdump` or `wasm2wat` show what it holds."],
  ["SQLite format 3\0", "an SQLite database", "Query it: `sqlite3 file .schema`."],
  ["\xd0\xcf\x11\xe0", "an old Office document (doc, xls, ppt)", "Convert it: `libreoffice --headless --convert-to`."],
  ["ID3", "an MP3 recording", MEDIA],
  ["OggS", "an Ogg recording", MEDIA],
  ["fLaC", "a FLAC recording", MEDIA],
  ["RIFF", "a RIFF (WAV or AVI) recording", MEDIA],
  ["\x1aE\xdf\xa3", "a Matroska or WebM video", MEDIA],
  ["wOFF", "a web font", "It has no text."],
  ["wOF2", "a web font", "It has no text."],
  ["\0\x01\0\0\0", "a TrueType font", "`fc-scan` shows what it holds."],
  ["OTTO", "an OpenType font", "`fc-scan` shows what it holds."],
  ["\xff\xfe\0\0", "UTF-32 text", "Convert it: `iconv -f UTF-32 -t UTF-8`."],
];

// Pictures for the model: whole, small enough, in a format the API takes.
import type { ImageBlock, ImageMediaType } from "../core/types.ts";
import type { ImageKind } from "./sniff.ts";

export type Picture = {
  block: ImageBlock;
  format: ImageKind;
  original: { width: number; height: number; bytes: number };
  sent: { width: number; height: number; bytes: number };
  /** The bytes sent are the file's own. */
  untouched: boolean;
};

/** The API scales anything longer down to this itself; sending more only costs time. */
export const LONG_EDGE = 1568;
/** Base64 characters; the API refuses above 5 MB. */
export const BASE64_LIMIT = 3_750_000;
// 4 bytes of memory each while decoding.
const MAX_PIXELS = 100_000_000;

/** Throws with text for the model when the picture is damaged, too large or of a kind this machine cannot read. */
export async function loadPicture(bytes: Buffer, format: ImageKind): Promise<Picture> {
  try {
    const head = await open(bytes).metadata();
    const original = { width: head.width, height: head.height, bytes: bytes.length };
    const media = MEDIA[format];
    const small = Math.max(original.width, original.height) <= LONG_EDGE && base64Length(bytes.length) <= BASE64_LIMIT;
    if (media && small) {
      // The header alone proves nothing: a cut file must fail here, not as an HTTP 400 of every later request.
      await open(bytes).resize(8, 8).png().bytes();
      return { block: block(media, bytes), format, original, sent: original, untouched: true };
    }
    return { ...(await shrink(bytes, format)), format, original, untouched: false };
  } catch (error) {
    throw new Error(problem(error, format), { cause: error });
  }
}

type Encoder = { media: ImageMediaType; edge: number; encode(image: Bun.Image): Bun.Image };

async function shrink(bytes: Buffer, format: ImageKind): Promise<Pick<Picture, "block" | "sent">> {
  for (const { media, edge, encode } of encoders(format)) {
    const image = encode(open(bytes).resize(edge, edge, { fit: "inside", withoutEnlargement: true }));
    const data = await image.bytes();
    if (base64Length(data.length) > BASE64_LIMIT) continue;
    return {
      block: block(media, Buffer.from(data)),
      sent: { width: image.width, height: image.height, bytes: data.length },
    };
  }
  throw new Error("it does not get small enough");
}

/** From the truest to the smallest. WebP when it must be lossy: unlike JPEG it keeps transparency. */
function encoders(format: ImageKind): Encoder[] {
  const webp = (edge: number, quality: number): Encoder => ({
    media: "image/webp",
    edge,
    encode: (image) => image.webp({ quality }),
  });
  const first: Encoder =
    format === "jpeg" || format === "heic" || format === "avif"
      ? { media: "image/jpeg", edge: LONG_EDGE, encode: (image) => image.jpeg({ quality: 85 }) }
      : format === "webp"
        ? webp(LONG_EDGE, 90)
        : { media: "image/png", edge: LONG_EDGE, encode: (image) => image.png() };
  return [first, webp(LONG_EDGE, 80), webp(1024, 70), webp(512, 60)];
}

const MEDIA: Partial<Record<ImageKind, ImageMediaType>> = {
  png: "image/png",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
};

function open(bytes: Buffer): Bun.Image {
  return new Bun.Image(bytes, { maxPixels: MAX_PIXELS });
}

function block(media_type: ImageMediaType, bytes: Buffer): ImageBlock {
  return { type: "image", source: { type: "base64", media_type, data: bytes.toString("base64") } };
}

function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

function problem(error: unknown, format: ImageKind): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ERR_IMAGE_FORMAT_UNSUPPORTED") {
    return `this machine cannot decode ${format.toUpperCase()}. Convert it first, e.g. with Bash: \`magick in.${format} out.png\` (or \`ffmpeg -i\`), then read the result.`;
  }
  if (code === "ERR_IMAGE_DECODE_FAILED")
    return `the ${format.toUpperCase()} data is damaged or cut short. Get or make the file again.`;
  const text = error instanceof Error ? error.message : String(error);
  return `${text}. Make it smaller first, e.g. with Bash: \`magick in.${format} -resize 1568x1568 out.png\`.`;
}

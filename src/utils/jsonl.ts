// Lines and JSON lines of a byte stream, without node's streams.

/** Lines without their ends; the last one also when it has none. UTF-8 split anywhere is fine. */
export async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  const parts: string[] = [];
  for await (const chunk of stream) {
    const text = decoder.decode(chunk, { stream: true });
    let from = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", from)) {
      parts.push(text.slice(from, end));
      yield parts.splice(0).join("").replace(/\r$/, "");
      from = end + 1;
    }
    // Parts are joined once per line: a line of many megabytes must not be copied for every chunk.
    if (from < text.length) parts.push(text.slice(from));
  }
  parts.push(decoder.decode());
  const last = parts.join("");
  if (last !== "") yield last;
}

export type Fields = Record<string, unknown>;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value's fields, or none when it is no object. */
export function asFields(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** The object a line holds, or undefined when it holds none. */
export function parseLine(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined; // torn or foreign: the caller says so
  }
}

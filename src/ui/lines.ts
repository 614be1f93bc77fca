// Standard input as lines, without node's streams.

/** Lines of a byte stream without their ends; the last one also when it has none. UTF-8 split anywhere is fine. */
export async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  const parts: string[] = [];
  for await (const chunk of stream) {
    let rest = decoder.decode(chunk, { stream: true });
    for (let end = rest.indexOf("\n"); end !== -1; end = rest.indexOf("\n")) {
      parts.push(rest.slice(0, end));
      yield parts.splice(0).join("").replace(/\r$/, "");
      rest = rest.slice(end + 1);
    }
    // Parts are joined once per line: a line of many megabytes must not be copied for every chunk.
    if (rest !== "") parts.push(rest);
  }
  parts.push(decoder.decode());
  const last = parts.join("");
  if (last !== "") yield last;
}

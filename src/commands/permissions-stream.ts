// `permissions explain --stdin`: one question per line, one answer per line, in order, each as soon as it is asked.
import { UsageError } from "../core/errors.ts";
import type { Judge } from "../core/verdict.ts";
import { isFields, type Fields } from "../utils/jsonl.ts";
import { queryOf } from "./permissions-query.ts";

type StreamWorld = { judge: Judge; data(value: unknown): void; mode: string | undefined; signal: AbortSignal };

/** A line that cannot be answered is answered `{id, line, error}`; the others go on. Returns the exit code. */
export async function answerLines(
  lines: AsyncIterable<string>,
  { judge, data, mode, signal }: StreamWorld,
): Promise<number> {
  const seen = { line: 0, wrong: 0 };
  for await (const text of lines) {
    if (signal.aborted) break;
    seen.line++;
    const line = text.replace(/^\uFEFF/, "");
    if (line.trim() === "") continue;
    const asked: { id: unknown } = { id: null };
    try {
      const fields = fieldsOf(line);
      asked.id = fields["id"] ?? null;
      const query = queryOf(fields);
      const verdict = await judge(mode === undefined || query.mode !== undefined ? query : { ...query, mode });
      data({ id: asked.id, ...verdict });
    } catch (error) {
      seen.wrong++;
      data({ id: asked.id, line: seen.line, error: error instanceof Error ? error.message : String(error) });
    }
  }
  return seen.wrong > 0 ? 1 : 0;
}

function fieldsOf(line: string): Fields {
  const value = parsed(line);
  if (isFields(value)) return value;
  throw new UsageError("the line must be a JSON object");
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new UsageError(`the line is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

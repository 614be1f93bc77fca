// Helpers every tool is made with: a zod schema becomes the spec, the parser and its error messages.
import { z } from "zod";
import type { Tool, ToolContext, ToolOutput, Access } from "../core/types.ts";
import { parseLeniently } from "./lenient.ts";

export type ToolDefinition<S extends z.ZodType> = {
  name: string;
  description: string;
  schema: S;
  access(input: z.output<S>, cwd: string): Access;
  title(input: z.output<S>): string;
  run(input: z.output<S>, ctx: ToolContext): Promise<ToolOutput>;
};

/** Makes a Tool; `parse` throws one line per wrong field that names the field, what was expected and what came. */
export function defineTool<S extends z.ZodType>(definition: ToolDefinition<S>): Tool<z.output<S>> {
  const { name, description, schema, access, title, run } = definition;
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io: "input", override: withoutHugeBounds });
  return {
    spec: { name, description: description.trim(), schema: json },
    parse: parser(name, schema),
    access,
    title,
    run,
  };
}

/** zod bounds every integer by what a double can hold: bytes in each request that tell a model nothing. */
function withoutHugeBounds({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
}

function parser<S extends z.ZodType>(name: string, schema: S) {
  return (input: unknown): z.output<S> => {
    const parsed = parseLeniently(schema, input);
    if (parsed.success) return parsed.data;
    const lines = parsed.error.issues.map((issue) => `- ${issue.path.join(".") || "input"}: ${issue.message}`);
    throw new Error(
      `${name} was called with input that does not fit its schema:\n${lines.join("\n")}\nCorrect it and call again.`,
    );
  };
}

// StructuredOutput: the tool --json-schema is made of. The model's valid input is the run's structured output.
import { z } from "zod";
import { UsageError } from "../core/errors.ts";
import type { Tool } from "../core/types.ts";
import { defineTool } from "./tool.ts";

export type StructuredOutput = {
  tool: Tool;
  /** The value given since the last call of `take`; undefined when there was none. */
  take(): unknown;
};

/** Throws UsageError when `schema` is not a JSON schema of an object. */
export function structuredOutput(schema: object): StructuredOutput {
  const given: { value: unknown } = { value: undefined };
  const base = defineTool({
    name: "StructuredOutput",
    description:
      "Hands in your final answer in the shape its schema asks for. Call it exactly once, when the work is done; what you write as text is not read by the program that asked.",
    schema: toZod(schema),
    access: () => ({ kind: "none" }),
    title: () => "StructuredOutput",
    run: async (input) => {
      given.value = input;
      return { content: "Received. You are done: end your turn now without further text." };
    },
  });
  const take = () => {
    const { value } = given;
    given.value = undefined;
    return value;
  };
  const parse = (input: unknown) => {
    // zod overlooks a required name that is not among the properties.
    const absent = requiredOf(schema).filter((name) => !(typeof input === "object" && input !== null && name in input));
    if (absent.length > 0)
      throw new Error(`StructuredOutput lacks ${absent.join(", ")}. Call it again with all of it.`);
    return base.parse(input);
  };
  return { tool: { ...base, parse, spec: { ...base.spec, schema } }, take };
}

function requiredOf(schema: object): string[] {
  const required = "required" in schema ? schema.required : undefined;
  return Array.isArray(required) ? required.filter((name) => typeof name === "string") : [];
}

function toZod(schema: object): z.ZodType {
  try {
    if (!("type" in schema) || schema.type !== "object") throw new Error('its "type" must be "object"');
    // The JSON came from outside; fromJSONSchema checks it and throws.
    return z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
  } catch (error) {
    throw new UsageError(
      `--json-schema is not a usable schema: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

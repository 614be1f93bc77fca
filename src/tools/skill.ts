// Skill: loads the text of a skill into the conversation.
import { z } from "zod";
import type { Access, ToolContext, ToolOutput } from "../core/types.ts";
import description from "./skill.md" with { type: "text" };
import { defineTool } from "./tool.ts";

const schema = z.object({
  skill: z.string().trim().min(1).describe("Its name"),
  args: z.string().optional().describe("Arguments, when its text takes some"),
});
export type SkillCall = z.output<typeof schema>;

export type SkillTool = {
  /** One line each. */
  listing: string;
  access(name: string): Access;
  /** The block that is to stand in the conversation. Throws an Error whose text goes to the model. */
  load(call: SkillCall, ctx: ToolContext): Promise<ToolOutput>;
};

export function skillTool({ listing, access, load }: SkillTool) {
  return defineTool({
    name: "Skill",
    description: description.replace("{{skills}}", () => listing),
    schema,
    access: ({ skill }) => access(skill),
    title: ({ skill, args }) => `Skill ${skill}${args === undefined || args === "" ? "" : ` ${args}`}`,
    run: load,
  });
}

// One command about to be decided, with its analysis.
import type { ToolUse } from "../core/types.ts";
import type { Decision, Situation } from "./decision.ts";
import type { Analysis, Part } from "./shell/parts.ts";

/** `parts`: those of the analysis and all they run in turn. */
export type CommandCase = Situation & { call: ToolUse; command: string; analysis: Analysis; parts: readonly Part[] };

export type Core = Omit<Decision, "parts" | "touches" | "confine">;

// What is known about the prompt cache of one conversation: tokens that came from it, and what broke it.
import type { Usage } from "./types.ts";

/** `server`: the tools of an MCP server came or went; `prompt`: system text that is no memory file; `history`: unknown. */
export type CacheCause = "model" | "thinking" | "tools" | "server" | "memory" | "prompt" | "compaction" | "history";

export type CacheBreak = {
  /** What differs first: `model`, `tools`, `system block 2`, `thinking`, `message 7`. */
  segment: string;
  cause: CacheCause;
  /** Somebody asked for it. */
  announced: boolean;
  /** The same for the person, as one sentence. */
  text: string;
};

/** Since the program started; `usage` in tokens, with the requests of compactions. `missed`: breaks nobody announced. */
export type CacheReport = { usage: Usage; requests: number; breaks: number; missed: number; last?: CacheBreak };

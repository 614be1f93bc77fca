// One reply while it streams: what it holds so far, and the message it becomes, however it ended.
import { NO_USAGE } from "./state.ts";
import type { AssistantBlock, AssistantMessage, Event, ProviderEvent, StopReason, ToolUse, Usage } from "./types.ts";

type Taken = { emit: Event[]; use?: ToolUse; fault?: string };

export class Reply {
  #id = "";
  #model = "";
  #usage: Usage = NO_USAGE;
  #content: AssistantBlock[] = [];
  #partial: string[] = [];
  #stopReason: StopReason | undefined;

  /** Takes in one provider event; returns what the loop passes on and the call that became complete, if one did. */
  take(event: ProviderEvent, newId: () => string): Taken {
    switch (event.type) {
      case "start":
        this.#begin(event.id || newId(), event.model, event.usage);
        return { emit: [] };
      case "text.delta":
        this.#partial.push(event.text);
        return { emit: [event] };
      case "thinking.delta":
      case "raw":
      case "model":
      case "notice":
        return { emit: [event] };
      case "block":
        return this.#block(event.block, event.fault);
      case "end":
        this.#usage = event.usage;
        this.#stopReason = event.stopReason;
        return { emit: [] };
      case "retry":
        this.#begin("", "", NO_USAGE);
        return { emit: [event] };
      case "cut":
        this.stop("cut");
        return { emit: [{ type: "notice", level: "warning", text: `The reply was cut off: ${event.reason}` }] };
      default:
        return event satisfies never;
    }
  }

  /** It ended before its end: interrupted or broken off. */
  stop(reason: "aborted" | "cut"): void {
    this.#stopReason ??= reason;
  }

  /** Why it ended; undefined while it has not. */
  get stopReason(): StopReason | undefined {
    return this.#stopReason;
  }

  /**
   * The message for the record, or undefined when nothing came. Of an interrupted reply the text so far is kept; of
   * one that broke off only complete blocks are: its end will be asked for again.
   */
  message(): AssistantMessage | undefined {
    const content = [...this.#content];
    const partial = this.#partial.join("");
    if (this.#stopReason === "aborted" && partial.trim() !== "") content.push({ type: "text", text: partial });
    if (content.length === 0) return undefined;
    const stopReason = this.#stopReason ?? "end_turn";
    return { role: "assistant", id: this.#id, content, model: this.#model, stopReason, usage: this.#usage };
  }

  #begin(id: string, model: string, usage: Usage): void {
    this.#id = id;
    this.#model = model;
    this.#usage = usage;
    this.#content = [];
    this.#partial = [];
    this.#stopReason = undefined;
  }

  #block(block: AssistantBlock, fault: string | undefined): Taken {
    this.#content.push(block);
    this.#partial = [];
    const out: Event = { type: "block", messageId: this.#id, model: this.#model, block, usage: this.#usage };
    if (block.type !== "tool_use") return { emit: [out] };
    return fault === undefined ? { emit: [out], use: block } : { emit: [out], use: block, fault };
  }
}

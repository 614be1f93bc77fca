// A plan within a text for the model: what it says can neither end it early nor begin another.

/** `<plan>` and `</plan>` on lines of their own, the plan between them word for word but for such an end in it. */
export function planBlock(plan: string): string {
  return `<plan>\n${plan.replace(/<\/(?=plan\b)/gi, "<\\/")}\n</plan>`;
}

/** The plan of the first planBlock in a text. */
export function planIn(text: string): string | undefined {
  return /(?:^|\n)<plan>\n([\s\S]*?)\n<\/plan>/.exec(text)?.[1];
}

// A decision in words for a person. Texts of the call are not sanitised here.
import type { Confinement } from "../core/types.ts";
import type { NamedRule, PartVerdict, Query, Verdict } from "../core/verdict.ts";

const WIDEST_PART = 48;
const LABEL = 10;
const STEPS: Readonly<Record<string, string>> = {
  deny: "deny rule",
  ask: "ask rule",
  critical: "critical removal",
  plan: "plan mode",
  bypass: "bypassPermissions mode",
  protected: "protected path",
  allow: "allow rule",
  "read-only": "read-only analysis",
  sandbox: "sandbox",
};
const CONFINED: Readonly<Record<Confinement, string>> = {
  readonly: "nothing can be written, no network",
  workspace: "only the project and a private temporary folder can be written",
  masked: "outside it, but what deny rules forbid to read is hidden",
  open: "it would run outside",
};

/** Several lines, no newline at the end. */
export function explainText(query: Query, verdict: Verdict): string {
  const { decision, parts, touches, confine, walled, rule } = verdict;
  return [
    `${decision}  ${indented(callText(query), decision.length + 2)}`,
    ...partLines(parts),
    labelled("Step", stepText(verdict)),
    ...(rule ? [labelled("Rule", ruleText(rule))] : []),
    ...touches.map((line, i) => labelled(i === 0 ? "Touches" : "", shown(line))),
    ...(confine ? [labelled("Sandbox", `${walled ? "" : "none is in use; with one, "}${CONFINED[confine]}`)] : []),
    ...change(verdict),
  ].join("\n");
}

export function callText({ tool, input }: Pick<Query, "tool" | "input">): string {
  const { command } = input;
  return tool === "Bash" && typeof command === "string" ? command : `${tool} ${JSON.stringify(input)}`;
}

/** In one line, nothing pushed out of sight by blanks. */
export function shown(text: string): string {
  return text
    .trim()
    .replace(/\r?\n/g, "\\n")
    .replace(/[^\S\n]{4,}/g, (run) => `[${run.length} blanks]`);
}

function indented(text: string, columns: number): string {
  return text
    .trim()
    .split(/\r?\n/)
    .map(shown)
    .join(`\n${" ".repeat(columns)}`);
}

function labelled(label: string, text: string): string {
  return `${(label === "" ? "" : `${label}:`).padEnd(LABEL)}${text}`;
}

function partLines(parts: readonly PartVerdict[]): string[] {
  const texts = parts.map(({ text }) => shown(text));
  const width = Math.min(WIDEST_PART, Math.max(0, ...texts.map((text) => text.length)));
  return parts.map(
    ({ decision, reason }, i) => `  ${decision.padEnd(5)}  ${(texts[i] ?? "").padEnd(width)}  ${reason}`,
  );
}

function stepText({ step, mode, reason }: Verdict): string {
  const name = STEPS[step] ?? `${mode} mode`;
  return reason.startsWith(name) ? reason : `${name}: ${reason}`;
}

function ruleText({ text, source }: NamedRule): string {
  return `${text}  (${source})`;
}

function change({ decision, step, rule, fix }: Verdict): string[] {
  if (fix) return [`Would be ${decision === "allow" ? "stopped by the deny rule" : "allowed by"}: ${fix.join(", ")}`];
  if (decision === "allow") return [];
  if (rule) return [`Stands until this rule goes: ${ruleText(rule)}`];
  if (step === "plan") return ["Would be decided by rules and the person once plan mode is left."];
  if (step === "mode") return ["No rule narrow enough to be safe would allow it."];
  return ["No allow rule changes this."];
}

// The host of print mode: nobody can be asked, so what would be asked is denied, with the flag that allows it if there is one.
import type { Answer, Host, Question } from "../core/types.ts";

export const printHost: Host = { ask: async (question) => deny(question) };

function deny(question: Question): Answer {
  const { call, reason } = question;
  const message = `${call.name} was not run: ${reason}, and in print mode nobody can be asked. ${wayOut(question)}`;
  return { behavior: "deny", message };
}

function wayOut({ call, access, always, mustAsk }: Question): string {
  // A plan begun here could not be agreed on either: no flag helps.
  if (access.kind === "plan" && access.step === "enter") return "Go on without it.";
  const way = mustAsk
    ? "No allow rule covers that: the person can do it, or be asked in a run without --print."
    : flagFor(call.name, access, always?.rules);
  const next =
    access.kind === "plan"
      ? "End with the plan as your answer: the person reads it there."
      : "Go on without it, or say what is needed.";
  return `${way} ${next}`;
}

function flagFor(tool: string, access: Question["access"], rules: readonly string[] | undefined): string {
  // The narrowest rules that would do; a person pastes what they read here.
  const narrow = rules?.map((rule) => `'${rule.replaceAll("'", "'\\''")}'`).join(" ");
  switch (access.kind) {
    case "read":
      return `The person can allow it with --add-dir <folder> or --allowedTools ${narrow ?? tool}.`;
    case "write":
      return "The person can allow it with --allowedTools Edit or, inside the project, with --permission-mode acceptEdits.";
    case "shell":
      if (narrow !== undefined) return `The person can allow it with --allowedTools ${narrow}.`;
      return "The person can allow it with --allowedTools Bash, and a redirection to a file with Edit besides.";
    default:
      return `The person can allow it with --allowedTools ${tool}.`;
  }
}

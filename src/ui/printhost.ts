// The host of print mode: nobody can be asked, so what would be asked is denied, with the flag that allows it if there is one.
import type { Answer, Host, Question } from "../core/types.ts";

export const printHost: Host = { ask: async (question) => deny(question) };

function deny({ call, access, reason, always, mustAsk }: Question): Answer {
  const way = mustAsk
    ? "No allow rule covers that: the person can do it, or be asked in a run without --print."
    : flagFor(call.name, access, always?.rules);
  const message = `${call.name} was not run: ${reason}, and in print mode nobody can be asked. ${way}`;
  return { behavior: "deny", message: `${message} Go on without it, or say what is needed.` };
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

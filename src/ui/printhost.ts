// The host of print mode: nobody can be asked, so what would be asked is denied with the flag that allows it.
import type { Answer, Host, Question } from "../core/types.ts";

export const printHost: Host = { ask: async (question) => deny(question) };

function deny({ call, access, reason }: Question): Answer {
  const message = `${call.name} was not run: ${reason}, and in print mode nobody can be asked. ${flagFor(call.name, access)}`;
  return { behavior: "deny", message: `${message} Go on without it, or say what is needed.` };
}

function flagFor(tool: string, access: Question["access"]): string {
  switch (access.kind) {
    case "read":
      return `The person can allow it with --add-dir <folder> or --allowedTools ${tool}.`;
    case "write":
      return "The person can allow it with --permission-mode acceptEdits or --allowedTools Edit.";
    default:
      return `The person can allow it with --allowedTools ${tool}.`;
  }
}

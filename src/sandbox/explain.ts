// Whether a command may have failed because of the wall, judged by what it wrote and how it ended.
import type { Confined } from "../core/wall.ts";
import type { Network } from "./policy.ts";

export type Failure = {
  /** The text that ran. */
  command: string;
  code: number;
  /** The end of its output. */
  output: string;
  confine: Confined;
  network: Network;
  /** Where it could write, as a list for the model. */
  writable: readonly string[];
  /** May it be asked to run outside? */
  mayLeave: boolean;
};

/** bubblewrap's own words. */
const NOT_SET_UP = /^bwrap: /m;
const READ_ONLY = /read-only file system|\bEROFS\b/i;
const REFUSED = /permission denied|\bEACCES\b|operation not permitted|\bEPERM\b|device or resource busy|\bEBUSY\b/i;
const NO_NETWORK =
  /could not resolve (host|proxy)|couldn't resolve host|temporary failure in name resolution|name or service not known|network is unreachable|no route to host|getaddrinfo|\bE(AI_AGAIN|NETUNREACH|NOTFOUND|HOSTUNREACH)\b|unable to resolve|dns error|failed to lookup address|unable to access 'https?:/i;
const NO_SERVER = /connection refused|\bECONNREFUSED\b|failed to connect to|couldn't connect to server/i;
const FROM_PROXY = /\b403 Forbidden by the sandbox|CONNECT tunnel failed, response 403|response 403 from proxy/i;

/** `curl -s`, `wget -q` say it by their exit code alone. */
const QUIET: readonly { program: RegExp; codes: readonly number[] }[] = [
  { program: /\bcurl\b/, codes: [5, 6, 7] },
  { program: /\bwget\b/, codes: [4] },
];

/** One or two sentences for the model; undefined when nothing points to the wall. Never says more than "may". */
export function explainFailure(failure: Failure): string | undefined {
  if (failure.confine === "masked") {
    const isRefused = failure.code !== 0 && REFUSED.test(failure.output);
    return isRefused ? "This may be a deny rule: files it forbids to read cannot be opened by any command." : undefined;
  }
  const why = reasonOf(failure);
  if (why === undefined) return undefined;
  const next = failure.mayLeave
    ? "If the command needs that, call it again with dangerouslyDisableSandbox: true; the person is asked."
    : "The settings do not allow commands outside it, so find another way or tell the person.";
  return `This may be the sandbox: ${why} ${next}`;
}

function reasonOf({ command, code, output, confine, network, writable }: Failure): string | undefined {
  if (code === 0) return undefined;
  if (NOT_SET_UP.test(output)) return "it could not be set up around the command, which did not run.";
  if (READ_ONLY.test(output)) {
    if (confine === "readonly") return "the command was approved as one that only reads, so nothing was writable.";
    return `only ${list([...writable, "/tmp"])} ${writable.length === 0 ? "is" : "are"} writable there, without protected paths such as .git/config, .git/hooks and .claude.`;
  }
  if (FROM_PROXY.test(output)) return "its proxy lets commands reach only the allowed domains.";
  if (NO_NETWORK.test(output)) return networkWords(network);
  if (NO_SERVER.test(output)) {
    if (network.kind === "host") return undefined;
    return "each command has a loopback of its own, so servers of other commands or of the machine are not reachable; start server and client in one command.";
  }
  if (REFUSED.test(output))
    return "protected paths, secrets, other processes and administrator rights are out of reach in it.";
  return QUIET.some(({ program, codes }) => codes.includes(code) && program.test(command))
    ? networkWords(network)
    : undefined;
}

function networkWords(network: Network): string | undefined {
  switch (network.kind) {
    case "off":
      return "commands in it have no network.";
    case "host":
      return undefined;
    case "proxy":
      return "its network is a proxy (HTTP_PROXY, HTTPS_PROXY) that allows some domains only.";
    default:
      return network satisfies never;
  }
}

function list(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

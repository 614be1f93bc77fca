// ss, netstat, ip and ifconfig, where they show what the kernel knows and ask no other machine for a name.
import type { ProgramSpec } from "../options.ts";
import type { Arg, Program } from "../types.ts";
import { literal, READS_NOTHING, unknownEffect } from "../types.ts";
import { entries, has } from "./entries.ts";

const PORT = /^\(?\s*(sport|dport)\s*(=|eq|==)\s*:?\d+\s*\)?$/;
const STATE =
  /^(state|exclude|listening|established|connected|all|time-wait|close-wait|syn-sent|sport|dport|=|or|and|:\d+|\(|\))$/;

// -K closes connections, -D writes, -F reads a file, -r asks for names, -E never ends, -N and -b lead elsewhere.
const SS: ProgramSpec = {
  flags: "naltuxwp460eomisHOQV",
  long: `numeric all listening tcp udp unix raw processes ipv4 ipv6 extended options memory info summary no-header
    oneline no-queues`,
  operands: "text",
  refuse: ({ operands }) =>
    operands.every((arg) => PORT.test(literal(arg) ?? "") || STATE.test(literal(arg) ?? ""))
      ? undefined
      : "a filter may hold a name that is looked up",
};

// -c never ends; without -n names are looked up.
const NETSTAT: ProgramSpec = {
  flags: "ntulpaexis46rWvobmgd",
  long: "numeric tcp udp listening programs all extend route interfaces statistics wide verbose",
  operands: "text",
  refuse: (parsed) => {
    if (!has(parsed, "-n", "--numeric")) return "without -n it looks names up";
    return parsed.operands.every((arg) => /^(tcp|udp|inet6?)$/.test(literal(arg) ?? "")) ? undefined : "an operand";
  },
};

const IP_OPTION = /^-(4|6|br|brief|c|color(=\w+)?|j|json|p|pretty|s|stats|statistics|d|details|h|human|o|oneline)$/;
const IP_OBJECT = /^(a|addr|address|l|link|r|ro|route|n|neigh|neighbour|ru|rule|maddr|maddress)$/;

/** `ip [OPTIONS] OBJECT [show [dev] NAME]` */
const ip: Program = ({ name, args }) => {
  const words = args.map((arg) => literal(arg) ?? "?");
  const at = words.findIndex((word) => !IP_OPTION.test(word));
  const [object = "?", verb, ...rest] = at < 0 ? [] : words.slice(at);
  const shows = verb === undefined || /^(s|sh|show|ls|list)$/.test(verb);
  const named = rest.filter((word) => word !== "dev" && word !== "up");
  return IP_OBJECT.test(object) && shows && named.length <= 1 && named.every(isInterface)
    ? READS_NOTHING
    : unknownEffect(`${name}: only showing is known to only read`);
};

function isInterface(word: string): boolean {
  return /^[a-z][\w.@-]*$/i.test(word);
}

const ifconfig: Program = ({ name, args }) => {
  const [first, ...more]: (Arg | undefined)[] = [...args];
  const word = literal(first);
  const shows = word === undefined ? args.length === 0 : word === "-a" || isInterface(word);
  return shows && more.length === 0 ? READS_NOTHING : unknownEffect(`${name}: only showing is known to only read`);
};

export const NETWORK_PROGRAMS = entries(["ss", SS], ["netstat", NETSTAT], ["ip", ip], ["ifconfig", ifconfig]);

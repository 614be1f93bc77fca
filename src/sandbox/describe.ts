// The wall in words, for `status`.
import type { Layout } from "./layout.ts";
import type { Network, Roots } from "./policy.ts";

export type Facts =
  | { kind: "none"; why: string; required: boolean }
  | { kind: "wall"; name: string; path: string; layout: Layout; network: Network; roots: Roots; openSystem: boolean };

/** Lines without line ends; the first says which wall there is. Paths are not sanitised. */
export function describeWall(facts: Facts): string[] {
  if (facts.kind === "none") {
    const then = facts.required
      ? "Commands are refused (sandbox.failIfUnavailable)."
      : "Commands run with all your rights once they are approved.";
    return [`sandbox: none. ${facts.why}`, `  ${then}`];
  }
  const { name, path, layout, network, roots, openSystem } = facts;
  const refused = roots.refused.map((root) => `  not writable as a whole, though part of the project: ${root}`);
  const incomplete = layout.incomplete.map(
    (pattern) => `  not searched everywhere (too many folders): ${pattern}; name a narrower folder`,
  );
  return [
    `sandbox: ${name} (${path})`,
    openSystem
      ? "  writable: everything (sandbox.filesystem.disabled)"
      : `  writable: ${[...layout.writable, "a private /tmp"].join(", ")}; for reads that run unasked: nothing`,
    ...refused,
    `  masked: ${layout.masked.length} ${layout.masked.length === 1 ? "place" : "places"} with secrets or sockets`,
    ...incomplete,
    "  read-only in the project: .git/config, .git/hooks, .claude, .nanocode, .vscode and other files that make programs act",
    `  network: ${networkText(network)}`,
  ];
}

export function networkText(network: Network): string {
  switch (network.kind) {
    case "off":
      return "off";
    case "host":
      return "the machine's own (sandbox.network.allowedDomains has *)";
    case "proxy": {
      const domains = network.allowed.length > 0 ? network.allowed.join(", ") : "what your proxy allows";
      const denied = network.denied.length > 0 ? `, never ${network.denied.join(", ")}` : "";
      return `${domains}${denied}, through a proxy`;
    }
    default:
      return network satisfies never;
  }
}

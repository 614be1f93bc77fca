// Finds out whether there is a wall on this machine: by trying it, once.
import { isAbsolute, join } from "node:path";
import { existsSync } from "node:fs";
import { runQuick } from "../utils/process.ts";
import { bwrapArguments } from "./bwrap.ts";

export type Probe =
  { kind: "bwrap"; path: string; version: string } | { kind: "seatbelt"; path: string } | { kind: "none"; why: string };

export type ProbeOptions = {
  /** The person's PATH; relative entries would be programs of the project and are left out. */
  path: string | undefined;
  platform?: NodeJS.Platform;
  timeoutMs?: number;
};

const TIMEOUT_MS = 2_000;
const SEATBELT = "/usr/bin/sandbox-exec";

/** Never rejects. `why` is a sentence for a person. */
export async function probe({
  path,
  platform = process.platform,
  timeoutMs = TIMEOUT_MS,
}: ProbeOptions): Promise<Probe> {
  if (platform === "linux") return probeBwrap(path, timeoutMs);
  if (platform === "darwin") return probeSeatbelt(timeoutMs);
  return { kind: "none", why: "There is no sandbox for commands on this system." };
}

async function probeBwrap(PATH: string | undefined, timeoutMs: number): Promise<Probe> {
  const folders = (PATH ?? "").split(":").filter(isAbsolute);
  const path = [...folders, "/usr/bin", "/bin"].map((folder) => join(folder, "bwrap")).find((file) => existsSync(file));
  if (path === undefined) {
    return { kind: "none", why: "bwrap is not installed (package bubblewrap); with it commands are sandboxed." };
  }
  const inside = bwrapArguments({
    mounts: [{ kind: "empty", path: "/tmp" }],
    ownNetwork: true,
    isRoot: process.getuid?.() === 0,
    emptyFile: "/dev/null",
  });
  const [tried, version] = await Promise.all([
    run([path, ...inside, "--chdir", "/", "--", "/bin/sh", "-c", "exit 0"], timeoutMs),
    run([path, "--version"], timeoutMs),
  ]);
  if (tried.code === 0) return { kind: "bwrap", path, version: /[\d.]+\d/.exec(version.text)?.[0] ?? "" };
  return { kind: "none", why: `${path} does not work here: ${tried.text || `exit code ${tried.code}`}.` };
}

async function probeSeatbelt(timeoutMs: number): Promise<Probe> {
  if (!existsSync(SEATBELT)) return { kind: "none", why: `${SEATBELT} is not there.` };
  const tried = await run([SEATBELT, "-p", "(version 1)(allow default)", "/usr/bin/true"], timeoutMs);
  if (tried.code === 0) return { kind: "seatbelt", path: SEATBELT };
  return { kind: "none", why: `${SEATBELT} does not work here: ${tried.text || `exit code ${tried.code}`}.` };
}

async function run(argv: string[], timeoutMs: number): Promise<{ code: number; text: string }> {
  try {
    const { code, stdout, stderr, ended } = await runQuick(argv, {
      cwd: "/",
      env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
      timeoutMs,
      maxBytes: 64 * 1024,
    });
    if (ended) return { code: code || 1, text: `it did not end within ${timeoutMs / 1000} s` };
    return { code, text: (stdout + stderr).trim().split("\n")[0]?.replace(/\.$/, "") ?? "" };
  } catch (error) {
    return { code: 126, text: error instanceof Error ? error.message : String(error) };
  }
}

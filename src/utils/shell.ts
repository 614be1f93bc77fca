// Which shell runs commands.
import { existsSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";

export type Shell = { path: string; flavor: "bash" | "sh" };
type Environment = Readonly<Record<string, string | undefined>>;

/** bash of a PATH, else sh; on Windows the bash of Git. Undefined: there is none. */
export function findShell(env: Environment, platform: NodeJS.Platform = process.platform): Shell | undefined {
  if (platform === "win32") return findGitBash(env);
  const folders = (env["PATH"] ?? "").split(":").filter(isAbsolute);
  const PATH = [...folders, "/bin", "/usr/bin"].join(":");
  const bash = Bun.which("bash", { PATH });
  if (bash) return { path: bash, flavor: "bash" };
  const sh = Bun.which("sh", { PATH });
  return sh ? { path: sh, flavor: "sh" } : undefined;
}

function findGitBash(env: Environment): Shell | undefined {
  const git = Bun.which("git", { PATH: env["PATH"] ?? env["Path"] ?? "" });
  const roots = [
    // git.exe is in <root>\cmd, <root>\bin or <root>\mingw64\bin.
    ...(git ? [dirname(dirname(git)), dirname(dirname(dirname(git)))] : []),
    ...[env["ProgramFiles"], env["ProgramFiles(x86)"]].flatMap((folder) => (folder ? [join(folder, "Git")] : [])),
    ...(env["LOCALAPPDATA"] ? [join(env["LOCALAPPDATA"], "Programs", "Git")] : []),
  ];
  // Never bash.exe from PATH: in System32 that is the Linux subsystem, with other paths.
  const path = roots.map((root) => join(root, "bin", "bash.exe")).find((candidate) => existsSync(candidate));
  return path ? { path, flavor: "bash" } : undefined;
}

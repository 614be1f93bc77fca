// Lets rg pick, out of the files a search covers, those worth searching. Which files and how is decided by us.

export type RgQuery = {
  /** The program's path. */
  rg: string;
  /** In Rust's syntax. */
  pattern: string;
  root: string;
  files: readonly string[];
  signal: AbortSignal;
};

// Linux allows 2 MB of arguments and environment, macOS 1 MB, Windows 32 kB.
const maxArguments = process.platform === "win32" ? 24_000 : 200_000;

/**
 * The files that may match: all that do and perhaps more, in the order given. Throws the signal's reason.
 * Where rg fails (it is not there, refuses the pattern, cannot read a file) every file it was asked about comes back.
 */
export async function narrowWithRg(query: RgQuery): Promise<string[]> {
  const out: string[] = [];
  for (let from = 0; from < query.files.length;) {
    const to = batchEnd(query.files, from);
    const batch = query.files.slice(from, to);
    const matched = await askRg(query, batch);
    out.push(...(matched ? batch.filter((file) => matched.has(file)) : batch));
    from = to;
  }
  return out;
}

function batchEnd(files: readonly string[], from: number): number {
  let size = 0;
  let at = from;
  // A path takes at most three bytes per character, its "./" and its end.
  while (at < files.length && (at === from || size < maxArguments)) size += Buffer.byteLength(files[at++] ?? "") + 11;
  return at;
}

async function askRg(query: RgQuery, batch: readonly string[]): Promise<Set<string> | undefined> {
  query.signal.throwIfAborted();
  const flags = ["--no-config", "--no-messages", "--no-ignore", "--files-with-matches", "--null", "--color=never"];
  // --text: which files are binary is decided later, by one rule. --no-mmap: a file cut short meanwhile kills rg.
  const how = ["--text", "--no-mmap", "--case-sensitive", "-e", query.pattern, "--"];
  const args = [query.rg, ...flags, ...how, ...batch.map((file) => `./${file}`)];
  const child = start(args, query.root);
  if (!child) return undefined;
  const kill = () => child.kill("SIGKILL");
  query.signal.addEventListener("abort", kill, { once: true });
  try {
    const [text, code] = await Promise.all([new Response(child.stdout).text(), child.exited]);
    query.signal.throwIfAborted();
    if (code !== 0 && code !== 1) return undefined;
    return new Set(text.split("\0").flatMap((path) => (path === "" ? [] : [path.replace(/^\.[/\\]/, "")])));
  } finally {
    query.signal.removeEventListener("abort", kill);
  }
}

function start(args: string[], cwd: string) {
  try {
    const { PATH, SystemRoot } = process.env;
    // No RIPGREP_CONFIG_PATH, no secrets: rg needs nothing of the environment.
    return Bun.spawn(args, { cwd, env: { PATH, SystemRoot }, stdin: "ignore", stdout: "pipe", stderr: "ignore" });
  } catch {
    return undefined; // It was there a moment ago; we can do without.
  }
}

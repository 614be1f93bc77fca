// The entry: --version and --help in a few milliseconds, everything else behind one import.
import { writeSync } from "node:fs";
import { VERSION } from "./core/version.ts";

/** These make Bun print request headers, keys included, before any code of ours runs. */
const LEAKY = "BUN_CONFIG_VERBOSE_FETCH";
const SOFTWARE = 70;

function main(argv: string[]): void {
  const first = argv[0];
  if (argv.length === 1 && (first === "-v" || first === "--version")) {
    writeSync(1, `${VERSION} (nanocode)\n`);
    return;
  }
  if (process.env[LEAKY]) {
    writeSync(2, `nanocode does not start with ${LEAKY} set: it would print your key. Unset it.\n`);
    process.exitCode = 1;
    return;
  }
  import("./app.ts").then((app) => app.run(argv)).catch(fatal);
}

/** We failed before the app could take care of it. */
function fatal(error: unknown): void {
  writeSync(
    2,
    `nanocode could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exitCode = SOFTWARE;
}

main(Bun.argv.slice(2));

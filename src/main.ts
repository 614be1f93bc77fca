// The entry: --version and --help in a few milliseconds, everything else behind one import.
import { VERSION } from "./core/version.ts";

// console.log here, where nothing else is loaded: importing node:fs would be a fifth of what --version takes.

/** These make Bun print request headers, keys included, before any code of ours runs. */
const LEAKY = "BUN_CONFIG_VERBOSE_FETCH";
const SOFTWARE = 70;

function main(argv: string[]): void {
  const first = argv[0];
  if (argv.length === 1 && (first === "-v" || first === "--version")) {
    console.log(`${VERSION} (nanocode)`);
    return;
  }
  if (argv.length === 1 && (first === "-h" || first === "--help")) {
    import("./config/args.ts").then((args) => console.log(args.help())).catch(fatal);
    return;
  }
  if (process.env[LEAKY]) {
    console.error(`nanocode does not start with ${LEAKY} set: it would print your key. Unset it.`);
    process.exitCode = 1;
    return;
  }
  import("./app.ts").then((app) => app.run(argv)).catch(fatal);
}

/** We failed before the app could take care of it. */
function fatal(error: unknown): void {
  console.error(`nanocode could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  process.exitCode = SOFTWARE;
}

main(Bun.argv.slice(2));

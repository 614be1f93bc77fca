// The program's version, set by the build.
declare const NANOCODE_VERSION: string | undefined;

export const VERSION = typeof NANOCODE_VERSION === "string" ? NANOCODE_VERSION : "0.0.0-dev";

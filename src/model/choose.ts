// Which model answers: the one named, at the endpoint the environment describes, or a script.
import { readFileSync } from "node:fs";
import { UsageError } from "../core/errors.ts";
import type { Provider } from "../core/types.ts";
import { VERSION } from "../core/version.ts";
import { resolveModel, type Overrides } from "./catalog.ts";
import { connect } from "./connect.ts";
import type { Env } from "./endpoint.ts";
import { logged } from "./logged.ts";

export const DEFAULT_MODEL = "sonnet";
const SCRIPT = /^script:(.+)$/s;

export type Wanted = {
  /** An alias, an id or `script:FILE`; undefined: the default. */
  name: string | undefined;
  fallbacks: readonly string[];
  betas: readonly string[];
  env: Env;
  overrides: Overrides;
  /** For the placeholder `{{cwd}}` of scripts. */
  cwd: string;
  /** A relative FILE is resolved with it. */
  resolvePath(path: string): string;
  log: ((line: string) => void) | undefined;
};
export type Chosen = {
  provider: Provider;
  /** The full id. */
  model: string;
  /** The variable the key came from; `none` for a script. */
  apiKeySource: string;
};

/** Throws UsageError: no key, or a script that cannot be read or is malformed. */
export async function chooseProvider(wanted: Wanted): Promise<Chosen> {
  const chosen = (await scripted(wanted)) ?? connected(wanted);
  return wanted.log ? { ...chosen, provider: logged(chosen.provider, wanted.log) } : chosen;
}

/** Aliases and partial names become full ids; unknown names pass through. */
export function modelId(name: string, overrides: Overrides): string {
  return resolveModel(name === "default" ? DEFAULT_MODEL : name, overrides).id;
}

async function scripted({ name, cwd, resolvePath }: Wanted): Promise<Chosen | undefined> {
  const file = SCRIPT.exec(name ?? "")?.[1];
  if (file === undefined) return undefined;
  const { scriptProvider } = await import("./script.ts");
  const provider = scriptProvider(readScript(resolvePath(file), file), file, { vars: { cwd } });
  return { provider, model: "script", apiKeySource: "none" };
}

function readScript(path: string, name: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(
      `--model script:${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function connected({ name = DEFAULT_MODEL, fallbacks, betas, env, overrides }: Wanted): Chosen {
  const fallbackModels = fallbacks.map((model) => modelId(model, overrides));
  const connection = { env, overrides, fallbackModels, betas, userAgent: `nanocode/${VERSION}` };
  return { ...connect(connection), model: modelId(name, overrides) };
}

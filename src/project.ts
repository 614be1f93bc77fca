// The project a run starts in: what of its own files could act, and whether it may.
import { join } from "node:path";
import { askTrust, ignoredLine, trustCommand } from "./commands/trust.ts";
import type { Options } from "./config/flags.ts";
import type { Places } from "./config/paths.ts";
import { readProject, type Project } from "./config/project.ts";
import { surveyFiles } from "./permissions/trust-survey.ts";
import { Trust } from "./permissions/trust.ts";
import { actingOf } from "./skills/acting.ts";
import { realPath } from "./utils/paths.ts";

/** `warn` and `say` sanitise. */
export type TrustWorld = { cwd: string; places: Places; warn(text: string): void };
export type Asking = { say(text: string): void; prompt(): void; lines: AsyncGenerator<string>; signal: AbortSignal };

/** A project, and what of it may act. */
export type Judged = { project: Project; trust: Trust };

/** What was trusted before may act, with --trust all of it. Runs nothing and asks nobody. */
export function judged(
  { settings: flag, settingSources, trust: once }: Options,
  { cwd, places: where, warn }: TrustWorld,
): Judged {
  const project = readProject({ places: where, cwd, flag, sources: settingSources });
  const texts = project.folders.flatMap((folder) => surveyFiles(folder, project.isPersonal, actingOf));
  const items = [...project.items, ...texts];
  const trust = new Trust({ path: join(where.nanocode, "trust.json"), items, partial: settingSources !== undefined });
  if (trust.problem) warn(trust.problem);
  if (once) trust.once();
  return { project, trust };
}

/** With nobody to ask: says what is ignored. */
export function unasked(options: Options, world: TrustWorld): Judged {
  const found = judged(options, world);
  for (const folder of found.trust.open) world.warn(ignoredLine(folder));
  return found;
}

/** Before anything of the project acts, the person sees what would and decides. */
export async function asked(options: Options, world: TrustWorld, asking: Asking): Promise<Judged> {
  const { say, prompt, lines, signal } = asking;
  const found = judged(options, world);
  const { trust } = found;
  if (trust.open.length === 0) return found;
  const { promise: stopped, resolve } = Promise.withResolvers<undefined>();
  signal.addEventListener("abort", () => resolve(undefined));
  const next = async () => {
    prompt();
    return (await Promise.race([lines.next(), stopped]))?.value ?? undefined;
  };
  const answer = await askTrust(trust.open, { say, next });
  if (answer === "once") trust.once();
  if (answer !== "always") return found;
  try {
    trust.remember();
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    world.warn(`the folder is trusted for this run only: it cannot be remembered (${what}).`);
  }
  return found;
}

export function trustText(args: readonly string[], world: TrustWorld): string {
  const { project, trust } = judged({}, world);
  const folders = project.folders.map((folder) => realPath(folder));
  return trustCommand(args, {
    verdicts: trust.verdicts,
    folders,
    remember: () => trust.remember(),
    forget: () => trust.forget(folders),
  });
}

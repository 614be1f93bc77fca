// "Always": keeps rules in the project's local settings, and makes them count there without a question.
import { dirname } from "node:path";
import { allowRuleItem, type ActingSetting } from "../config/acting.ts";
import { saveRules } from "../config/save.ts";
import { realPath } from "../utils/paths.ts";

/** `file` is where the rules are now, absent when that failed; `note` is what the person should know. */
export type KeptRules = { file?: string; note?: string };

export type KeepWorld = {
  cwd: string;
  isPersonal(folder: string): boolean;
  /** permissions/trust.ts: false when the folder was not trusted. */
  add(folder: string, items: readonly ActingSetting[]): boolean;
};

/**
 * Saves allow rules for later sessions. Where the project is not trusted they are saved as well, but that makes nothing
 * else in it trusted: they count once all of it is. Throws nothing.
 */
export function keepRules(rules: readonly string[], { cwd, isPersonal, add }: KeepWorld): KeptRules {
  const saved = saveRules(rules, { cwd });
  if ("problem" in saved) return { note: `${saved.problem} The rule counts for this session only.` };
  const { file, folder } = saved;
  if (isPersonal(dirname(file))) return { file };
  try {
    const items = rules.map((rule) => allowRuleItem(saved, rule));
    if (add(realPath(folder), items)) return { file };
    return { file, note: `${folder} is not trusted: in later sessions the rule counts once it is (nanocode trust).` };
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    return { file, note: `In later sessions the rule has to be trusted first (nanocode trust): ${what}.` };
  }
}

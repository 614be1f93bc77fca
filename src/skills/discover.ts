// Which skills and commands there are: in the machine's, the person's and the project's folders. Only reads, within bounds.
import { lstatSync, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { find, reason, take } from "../files/bounded.ts";
import { inside, realPath } from "../utils/paths.ts";
import { commandsIn, readSkill, type SkillHead } from "./parse.ts";

export type Skill = Omit<SkillHead, "name"> & {
  /** What it is called by; unique. */
  name: string;
  /** `command`: one Markdown file below `commands/`, the older form. */
  kind: "skill" | "command";
  /** Of its text; absolute, as it was reached and where that led. */
  path: string;
  real: string;
  /** Where its other files are. */
  folder: string;
  /** Who wrote it: a project's runs nothing unless the project is trusted. */
  by: "machine" | "person" | "project";
  /** What it would run, as it stands in its text. */
  commands: readonly string[];
  /** Only its name is told to the model. */
  nameOnly?: true;
};
export type Skills = {
  readonly skills: readonly Skill[];
  /** `path: why`, for a person. */
  readonly problems: readonly string[];
};

export type SkillOptions = {
  /** Of the project: from where we are up to its root, nearest first. */
  folders: readonly string[];
  places: { claude: string; nanocode: string; managed: readonly string[] };
  /** --setting-sources; undefined: all. */
  sources?: readonly string[] | undefined;
  /** Setting `skillOverrides`: name to on, name-only, user-invocable-only or off. */
  overrides?: Readonly<Record<string, unknown>> | undefined;
  /** Whether a deny rule forbids to read a path. */
  hidden?(path: string): boolean;
  /** Names that mean something else when they are typed; lower case. */
  reserved?: readonly string[];
};

/** In bytes; a longer text is no instruction. */
export const MAX_SKILL = 256 * 1024;
const MAX_ENTRIES = 500;
const MAX_SKILLS = 300;
const MAX_DEPTH = 4;
/** Within a project nanocode's own folder comes first. */
const HOLDERS = [".nanocode", ".claude"] as const;

/** The first of a name counts: the machine's, then the person's, then the project's; of each skills before commands. Never throws. */
export function discoverSkills(options: SkillOptions): Skills {
  const discovery = new Discovery(options);
  for (const own of Map.groupBy(holdersOf(options), ({ by }) => by).values()) discovery.owner(own);
  return discovery;
}

/** `within`: where its links may lead; undefined: anywhere. */
type Holder = { path: string; by: Skill["by"]; within?: readonly string[] };

function holdersOf({ folders, places, sources }: SkillOptions): Holder[] {
  const wants = (source: string) => sources === undefined || sources.includes(source);
  const own = [places.nanocode, places.claude];
  const machine = places.managed.toReversed().map((dir): Holder => ({ path: join(dir, ".claude"), by: "machine" }));
  const person = wants("user") ? own.map((path): Holder => ({ path, by: "person" })) : [];
  const root = folders.at(-1);
  const within = [
    ...(root === undefined ? [] : [root]),
    ...own.flatMap((dir) => [join(dir, "skills"), join(dir, "commands")]),
  ];
  const project = folders
    .flatMap((folder) => HOLDERS.map((name): Holder => ({ path: join(folder, name), by: "project", within })))
    // Started in the home folder, the person's own folders are also the project's: they count once, as the person's.
    .filter(({ path }) => !own.some((dir) => realPath(dir) === realPath(path)));
  return [...machine, ...person, ...(wants("project") ? project : [])];
}

class Discovery implements Skills {
  readonly skills: Skill[] = [];
  readonly problems: string[] = [];
  #options: SkillOptions;
  #entries = 0;
  #left = MAX_SKILLS;
  /** Real paths of folders: links may lead in circles. */
  #visited = new Set<string>();

  constructor(options: SkillOptions) {
    this.#options = options;
  }

  /** Nobody's folders take room from somebody else's. */
  owner(holders: readonly Holder[]): void {
    this.#entries = 0;
    this.#left = MAX_SKILLS;
    for (const kind of ["skill", "command"] as const) {
      for (const holder of holders) this.#folder(join(holder.path, `${kind}s`), kind, holder);
    }
  }

  #folder(folder: string, kind: Skill["kind"], holder: Holder, depth = 0): void {
    for (const name of this.#names(folder, kind, holder)) {
      const path = join(folder, name);
      if (++this.#entries > MAX_ENTRIES || this.#left <= 0) return this.#full(folder);
      if (kind === "skill") {
        const text = isFolder(path) ? textIn(path) : undefined;
        if (text !== undefined) this.#add(text, { kind, name, holder });
      } else if (name.toLowerCase().endsWith(".md")) {
        this.#add(path, { kind, name: name.slice(0, -3), holder });
      } else if (depth < MAX_DEPTH && isFolder(path)) this.#folder(path, kind, holder, depth + 1);
    }
  }

  #names(folder: string, kind: Skill["kind"], holder: Holder): string[] {
    try {
      // Quicker than an error for what most folders lack.
      if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
      const real = realpathSync.native(folder);
      const outside = isOutside(real, holder);
      if (outside) return this.#problem(folder, outside);
      const key = `${kind} ${real}`;
      if (this.#visited.has(key)) return [];
      this.#visited.add(key);
      return readdirSync(folder).toSorted();
    } catch (error) {
      return this.#problem(folder, reason(error));
    }
  }

  #add(path: string, { kind, name: fileName, holder }: { kind: Skill["kind"]; name: string; holder: Holder }): void {
    const found = this.#text(path, holder);
    if (found === undefined) return;
    const { name: wanted, body, problem, ...head } = readSkill(found.text);
    if (problem) this.#problem(path, `${problem}: only you can load it`);
    const name = wanted ?? fileName;
    if (!/^[\p{L}\p{N}][\p{L}\p{M}\p{N}_.:-]{0,63}$/u.test(name))
      return void this.#problem(path, "its name cannot be typed");
    const override = this.#options.overrides?.[name];
    if (override === "off") return;
    const earlier = this.skills.find((skill) => skill.name.toLowerCase() === name.toLowerCase());
    if (earlier) {
      if (earlier.real !== found.real) this.#problem(path, `${earlier.path} has the same name and counts`);
      return;
    }
    const isReserved = this.#options.reserved?.includes(name.toLowerCase()) ?? false;
    if (isReserved) this.#problem(path, `/${name} is a built-in command: only the model can load it`);
    const only = override === "user-invocable-only" ? { forModel: false } : override === "name-only" ? NAME_ONLY : {};
    const where = { kind, path, real: found.real, folder: dirname(path), by: holder.by, commands: commandsIn(body) };
    this.#left--;
    this.skills.push({ ...head, name, ...where, ...only, ...(isReserved ? { forPerson: false } : {}) });
  }

  #text(path: string, holder: Holder): { text: string; real: string } | undefined {
    const found = find(path);
    if (found.kind === "missing") return undefined;
    if (found.kind === "refused") return void this.#problem(path, found.why);
    const { hidden } = this.#options;
    const forbidden = hidden?.(path) || hidden?.(found.real) ? "a deny rule forbids to read it" : undefined;
    const why = isOutside(found.real, holder) ?? forbidden;
    if (why !== undefined) return void this.#problem(path, why);
    const text = textOf(found.real);
    return "why" in text ? void this.#problem(path, text.why) : { ...text, real: found.real };
  }

  #full(folder: string): void {
    const why = `there are more than ${MAX_SKILLS} skills or ${MAX_ENTRIES} files; the rest is left out`;
    if (!this.problems.some((text) => text.endsWith(why))) this.#problem(folder, why);
  }

  #problem(path: string, why: string): [] {
    this.problems.push(`${path}: ${why}`);
    return [];
  }
}

const NAME_ONLY = { nameOnly: true } as const;

/** The whole text of a skill's file, as it is now. `real`: no link; one that has taken its place is not followed. */
export function textOf(real: string): { text: string } | { why: string } {
  const taken = take(real, MAX_SKILL);
  if ("why" in taken) return taken;
  return taken.cut ? { why: `it is larger than ${MAX_SKILL / 1024} KB` } : { text: taken.text };
}

function isOutside(real: string, { within }: Holder): string | undefined {
  if (within === undefined || within.some((dir) => inside(realPath(dir), real))) return undefined;
  return `it leads outside the project, to ${real}`;
}

/** `SKILL.md`, however it is written. */
function textIn(folder: string): string | undefined {
  const exact = resolve(folder, "SKILL.md");
  if (isThere(exact)) return exact;
  const name = namesIn(folder).find((one) => basename(one).toLowerCase() === "skill.md");
  return name === undefined ? undefined : join(folder, name);
}

function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true; // not for us to look at: whoever reads it says so
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // it may be entered, but not listed: nothing else can be found there
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch {
    return false; // a circle of links, or not for us to look into
  }
}

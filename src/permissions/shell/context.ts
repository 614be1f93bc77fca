// What the walk carries along from command to command.
import { Names } from "./names.ts";
import type { Files } from "./resolve.ts";
import type { Feed } from "./types.ts";
import type { Parameters, Value } from "./variables.ts";

/** Where the text runs. */
export type Place = {
  cwd: string;
  home: string;
  files: Files;
  values: ReadonlyMap<string, Value>;
  /** Of the functions of the text. */
  parameters: ReadonlyMap<string, Parameters>;
  /** Somewhere in the text a descriptor is closed. */
  closes: boolean;
  /** Whether a name is that of a program in the project, by way of PATH. */
  isOwn(program: string): boolean;
  /** Why a program would run there what somebody else put there: git another repository's, cargo another toolchain. */
  strange(program: string, cwd: string, changed: boolean): string | undefined;
};

/** More folders, or deeper ones, are not followed: each `cd a;` that may fail would add one. */
const MOST_FOLDERS = 16;
const DEEPEST_FOLDER = 64;

/** The folders it may be in, or undefined when they are too many to follow. */
export function followed(cwds: Iterable<string>): readonly string[] | undefined {
  const all = [...new Set(cwds)];
  return all.length > MOST_FOLDERS || all.some((cwd) => cwd.split(/[\\/]/).length > DEEPEST_FOLDER) ? undefined : all;
}

/** What changes from command to command. */
export type State = {
  /** Where it may be; undefined: anywhere. */
  cwds: readonly string[] | undefined;
  /** Where it is if the last command succeeded, and where `cd -` goes then. */
  onSuccess: { cwds: readonly string[]; previous: readonly string[] } | undefined;
  /** Where `cd -` goes; undefined: not known. */
  previous: readonly string[] | undefined;
  /** More folders are possible than are followed: what a command means by a name was not looked at. */
  beyond: boolean;
  /** Something may have been changed on the disk: what was there at the beginning may not be there any more. */
  changed: boolean;
  /** It went to another folder. */
  moved: boolean;
  /** Where it was when a loop over names of files began, by its variable. */
  placed: ReadonlyMap<string, State["cwds"]>;
  defined: Names;
  /** In the body of one. */
  inFunction: boolean;
  /** Defined for certain, and only reading whatever they are called with. */
  functions: Names;
};

/** What holds before anything ran. */
export function stateIn(cwd: string): State {
  return {
    cwds: [cwd],
    onSuccess: undefined,
    previous: undefined,
    beyond: false,
    changed: false,
    moved: false,
    placed: new Map(),
    defined: Names.NONE,
    functions: Names.NONE,
    inFunction: false,
  };
}

/** What holds where a command stands, whatever the command itself does. */
export type Context = {
  state: State;
  /** Why nothing here is "just reading", although each command by itself may be. */
  taint: string | undefined;
  /** The input may be one that cannot be read. */
  noInput: boolean;
  /** What comes in through a pipe; only worked out for those who need it. */
  feed: (() => Feed | undefined) | undefined;
  /** Of the function it is in. */
  parameters: Parameters;
  depth: number;
  /** The text positions refer to. */
  source: string;
};

/** What holds when a command that may have failed is followed by another, whatever it was. */
export function settled(state: State): State {
  return state.onSuccess ? { ...state, onSuccess: undefined } : state;
}

/** What holds whichever of them was reached. */
export function union(states: readonly State[]): State {
  const [first, ...rest] = states;
  if (!first) throw new Error("no state to go on from");
  if (rest.every((one) => one === first)) return settled(first);
  return rest.reduce((all, one) => {
    const cwds = all.cwds && one.cwds && followed([...all.cwds, ...one.cwds]);
    const defined = all.defined.and(one.defined);
    const functions = all.functions.and(one.functions);
    const changed = Boolean(all.changed || one.changed);
    const beyond = Boolean(all.beyond || one.beyond || (all.cwds && one.cwds && !cwds));
    const previous = all.previous && one.previous && followed([...all.previous, ...one.previous]);
    const moved = !cwds || all.moved || one.moved;
    const placed = all.placed === one.placed ? all.placed : new Map([...all.placed].filter(isIn(one.placed)));
    return {
      cwds,
      onSuccess: undefined,
      previous,
      beyond,
      changed,
      moved,
      placed,
      defined,
      functions,
      inFunction: all.inFunction,
    };
  }, settled(first));
}

function isIn(placed: State["placed"]): (entry: [string, State["cwds"]]) => boolean {
  return ([name, cwds]) => placed.get(name) === cwds;
}

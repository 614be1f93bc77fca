// What the walk carries along from command to command.
import type { Files } from "./resolve.ts";
import type { Feed } from "./types.ts";
import type { Value } from "./variables.ts";

/** Where the text runs. */
export type Place = {
  cwd: string;
  home: string;
  files: Files;
  values: ReadonlyMap<string, Value>;
  /** Why git there would not be the project's own repository; undefined when it is. */
  strangeRepository(cwd: string): string | undefined;
};

/** What changes from command to command. */
export type State = {
  /** Where it may be; undefined: anywhere. */
  cwds: readonly string[] | undefined;
  /** Where it is if the last command succeeded. */
  onSuccess?: readonly string[] | undefined;
  /** Something may have been changed on the disk: what was there at the beginning may not be there any more. */
  changed?: boolean;
  /** It went to another folder. */
  moved: boolean;
  defined: ReadonlySet<string>;
};

/** What holds where a command stands, whatever the command itself does. */
export type Context = {
  state: State;
  /** Why nothing here is "just reading", although each command by itself may be. */
  taint?: string;
  /** What comes in through a pipe; only worked out for those who need it. */
  feed?: () => Feed | undefined;
  depth: number;
  /** The text positions refer to. */
  source: string;
};

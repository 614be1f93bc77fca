// Empty folders in the project for the time of a command, so that something can be mounted there; they always go again.
import { mkdirSync, rmdirSync } from "node:fs";

/** Waits for the end of its input, which is the end of this program however it ends, then removes what is still empty. */
const LAST_HAND = 'while read -r line; do :; done; for folder; do rmdir -- "$folder"; done 2>/dev/null';

/** Several commands can need the same one. */
export class StandIns {
  #users = new Map<string, number>();
  #covered = new Set<string>();
  #hands: Bun.Subprocess<"pipe", "ignore", "ignore">[] = [];

  /** Makes those that are missing. Returns what the command must give back; the others could not be made. */
  take(paths: readonly string[]): string[] {
    const taken = paths.filter((path) => this.#make(path));
    const fresh = taken.filter((path) => !this.#covered.has(path));
    if (fresh.length > 0) this.#cover(fresh);
    return taken;
  }

  giveBack(paths: readonly string[]): void {
    for (const path of paths) {
      const left = (this.#users.get(path) ?? 0) - 1;
      if (left > 0) this.#users.set(path, left);
      else this.#drop(path);
    }
  }

  has(path: string): boolean {
    return this.#users.has(path);
  }

  /** Removes all; no command may be running any more. */
  close(): void {
    for (const path of [...this.#users.keys()]) this.#drop(path);
    for (const hand of this.#hands.splice(0)) hand.stdin.end();
    this.#covered.clear();
  }

  #make(path: string): boolean {
    const users = this.#users.get(path);
    if (users === undefined) {
      try {
        mkdirSync(path);
      } catch {
        return false; // somebody else made it just now, or nobody can make anything there
      }
    }
    this.#users.set(path, (users ?? 0) + 1);
    return true;
  }

  #drop(path: string): void {
    this.#users.delete(path);
    try {
      rmdirSync(path);
    } catch {
      // Somebody has put something into it from outside: then it is theirs.
    }
  }

  /** A program that is killed cannot clean up: a shell that outlives it by a moment does. */
  #cover(paths: readonly string[]): void {
    for (const path of paths) this.#covered.add(path);
    const hand = Bun.spawn(["/bin/sh", "-c", LAST_HAND, "sh", ...paths], {
      cwd: "/",
      env: { PATH: "/usr/bin:/bin" },
      stdin: "pipe",
      stdout: "ignore",
      stderr: "ignore",
      // A signal for our group is not meant for it.
      detached: true,
    });
    hand.unref();
    this.#hands.push(hand);
  }
}

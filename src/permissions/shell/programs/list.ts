// Which programs are known: one table, put together from the files beside it.
import { AWK } from "./awk.ts";
import type { Entry } from "./entry.ts";
import { FILE_PROGRAMS } from "./files.ts";
import { ARCHIVE_PROGRAMS } from "./files-archives.ts";
import { BYTE_PROGRAMS } from "./files-bytes.ts";
import { FIND } from "./find.ts";
import { GIT_PROGRAMS } from "./git.ts";
import { JQ } from "./jq.ts";
import { VIEWING } from "./others.ts";
import { SEARCH_PROGRAMS } from "./search.ts";
import { SED } from "./sed.ts";
import { SHELLS } from "./shells.ts";
import { SYSTEM_PROGRAMS } from "./system.ts";
import { TEST } from "./test.ts";
import { TEXT_PROGRAMS } from "./text.ts";
import { VERSION_PROGRAMS } from "./versions.ts";
import { WRAPPERS } from "./wrappers.ts";
import { WRITERS } from "./writers.ts";
import { XARGS } from "./xargs.ts";

const PROGRAMS: ReadonlyMap<string, Entry> = new Map(
  [
    // First: what other tables know of a program counts.
    VERSION_PROGRAMS,
    VIEWING,
    AWK,
    FILE_PROGRAMS,
    ARCHIVE_PROGRAMS,
    BYTE_PROGRAMS,
    FIND,
    GIT_PROGRAMS,
    JQ,
    SEARCH_PROGRAMS,
    SED,
    SHELLS,
    SYSTEM_PROGRAMS,
    TEST,
    TEXT_PROGRAMS,
    WRAPPERS,
    WRITERS,
    XARGS,
  ].flatMap((table) => [...table]),
);

export function lookup(name: string): Entry | undefined {
  return PROGRAMS.get(name);
}

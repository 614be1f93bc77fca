// A failed file operation in words that say what happened and what to do next.

/** An Error for the model; `doing` reads like "write" or "read". Errors without a code pass through unchanged. */
export function fsProblem(error: unknown, path: string, doing: "read" | "write"): Error {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") {
    return error instanceof Error ? error : new Error(String(error));
  }
  // An abort is not a file problem; its reason must arrive untouched.
  if (error.name === "AbortError") return error;
  const text = PROBLEMS[error.code] ?? (() => `${error.message}.`);
  const kept = doing === "write" ? " Nothing was changed." : "";
  return new Error(`Cannot ${doing} ${path}: ${text(path)}${kept}`, { cause: error });
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

const PROBLEMS: Record<string, (path: string) => string> = {
  ENOSPC: () => "the disk is full (ENOSPC). Free some space, then try again.",
  EDQUOT: () => "the disk quota is used up (EDQUOT). Free some space, then try again.",
  EFBIG: () => "the file would be larger than this system allows (EFBIG).",
  EROFS: () => "it lies on a read-only file system (EROFS). Choose another place.",
  EACCES: () =>
    "permission denied (EACCES) on the file or its folder. `ls -ld` shows who may; ask the person if needed.",
  EPERM: () => "the system does not permit it (EPERM): the file may be immutable or belong to someone else.",
  ENAMETOOLONG: () => "the name is too long (ENAMETOOLONG; usually 255 bytes per part). Use a shorter one.",
  ENOTDIR: () => "a part of the path that should be a folder is a file (ENOTDIR). Check the path.",
  ELOOP: () => "its symbolic links go round in a circle (ELOOP). Use the real path.",
  EISDIR: () => "it is a folder (EISDIR). Name a file inside it.",
  ENOENT: () => "the file or its folder is gone (ENOENT). Check the path.",
  EEXIST: () => "something of that name appeared meanwhile (EEXIST). Read it, then decide.",
  EBUSY: () => "it is in use, or a mount point (EBUSY), and cannot be replaced. Write it with Bash (`cat > file`).",
  ETXTBSY: () => "it is a program that is running (ETXTBSY). Stop it first.",
  EMFILE: () => "too many files are open (EMFILE). Try again.",
  ENFILE: () => "too many files are open on this machine (ENFILE). Try again.",
  EIO: () => "the device reported an error (EIO).",
  EAGAIN: () => "it has nothing to read now and would block (EAGAIN). Use Bash with `timeout` if you need it.",
  EINVAL: () => "the system refused the operation as invalid for it (EINVAL).",
  ESTALE: () => "the network file system lost the file (ESTALE). Try again.",
};

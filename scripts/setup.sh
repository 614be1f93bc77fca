# Sourced by start, test and build: puts the pinned Bun and the locked packages into node_modules, once.
# Needs $root. Leaves $bun (the pinned Bun) and $exe (".exe" on Windows, else empty) behind.
# Messages go to stderr: stdout belongs to the program that is started afterwards.

say() { printf 'nanocode: %s\n' "$*" >&2; }
die() {
  say "$@"
  exit 1
}

# Prints the one number that changes when another Bun or other packages are wanted, or the machine is another one.
setup_stamp() {
  { uname -sm; cat "$root/package.json" "$root/bun.lock"; } | cksum
}

# True when $1 is the Bun this project is pinned to, and runs here.
is_pinned() {
  [ -x "$1" ] && [ "$("$1" --version 2>/dev/null)" = "$version" ]
}

setup() {
  bun=$root/node_modules/bun/bin/bun.exe
  case $(uname -s) in MINGW* | MSYS* | CYGWIN*) exe=.exe ;; *) exe= ;; esac
  stamp=$(setup_stamp)
  stamp_file=$root/node_modules/.nanocode-setup
  stamped=
  [ -f "$stamp_file" ] && IFS= read -r stamped <"$stamp_file"
  if [ "$stamped" = "$stamp" ] && [ -x "$bun" ]; then
    return 0
  fi
  install_everything
}

install_everything() {
  # The one line in package.json that pins Bun exactly; `engines` has a range and does not match.
  version=$(sed -n 's/^ *"bun": *"\([0-9][0-9.]*\)",\{0,1\} *$/\1/p' "$root/package.json")
  [ -n "$version" ] || die "package.json does not pin an exact version of \"bun\" under devDependencies."
  say "setting up (once): Bun $version and the locked packages"
  mkdir -p "$root/node_modules" 2>/dev/null ||
    die "cannot create $root/node_modules. Make the folder writable, or free some disk space, and run this again."
  log=$root/node_modules/.nanocode-setup.log
  boot=$root/node_modules/.nanocode-bun
  find_installer
  # Bun leaves development packages out when NODE_ENV says production; the compiler is one of them.
  if ! (cd "$root" && NODE_ENV=development "$installer" install --frozen-lockfile) >"$log" 2>&1; then
    explain "installing the packages of bun.lock"
  fi
  is_pinned "$bun" || (cd "$root" && BUN_BE_BUN=1 "$installer" "$root/node_modules/bun/install.js") >>"$log" 2>&1
  is_pinned "$bun" ||
    explain "running the install script of the package \"bun\" (by hand: node node_modules/bun/install.js)"
  rm -rf "$boot" "$log"
  printf '%s\n' "$stamp" >"$stamp_file" ||
    die "cannot write $stamp_file. Free some disk space and run this again."
}

# Sets $installer to a Bun of the pinned version: only that one is sure to read our lockfile.
find_installer() {
  installer=$bun
  is_pinned "$installer" && return 0
  installer=$(command -v bun) || installer=
  [ -n "$installer" ] && is_pinned "$installer" && return 0
  installer=$boot/node_modules/bun/bin/bun.exe
  [ -n "$(command -v npm)$(command -v bun)" ] ||
    die "neither npm nor bun is on the PATH. Install one of them (Node.js brings npm) and run this again."
  rm -rf "$boot"
  mkdir -p "$boot" && printf '{"private":true}\n' >"$boot/package.json" ||
    die "cannot write to $boot. Make the folder writable, or free some disk space, and run this again."
  : >"$log"
  for manager in npm bun; do
    command -v "$manager" >/dev/null || continue
    (cd "$boot" && fetch_bun "$manager") >>"$log" 2>&1
    is_pinned "$installer" && return 0
  done
  explain "fetching Bun $version"
}

# Runs inside $boot. The install script is called by hand as well: npm and Bun both can be told to skip such scripts.
fetch_bun() {
  if [ "$1" = npm ]; then
    npm install --prefix . --no-save --no-package-lock --no-audit --no-fund --ignore-scripts=false "bun@$version" || return
    is_pinned "$installer" || node node_modules/bun/install.js
  else
    NODE_ENV=development bun add --exact "bun@$version" || return
    is_pinned "$installer" || bun node_modules/bun/install.js
  fi
}

# explain WHAT: the log's end, what is most likely missing, and out.
explain() {
  tail -n 15 "$log" >&2
  if grep -E -q 'ENOSPC|No space left|NoSpaceLeft|disk full' "$log"; then
    reason="the disk is full. About 300 MB are needed in $root and in the package manager's cache."
  elif grep -E -q 'EACCES|EROFS|EPERM|AccessDenied|Permission denied|Read-only file system' "$log"; then
    reason="a folder is not writable. Check the owner of $root and of the package manager's cache."
  elif grep -E -q 'lockfile (had changes|is frozen)|Failed to resolve lockfile' "$log"; then
    reason="package.json and bun.lock disagree. Run 'bun install' and commit bun.lock."
  elif grep -E -q 'ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ERR_SOCKET|ConnectionRefused|ConnectionClosed|FailedToOpenSocket|DNSResolve|Timeout|network' "$log"; then
    reason="the package registry cannot be reached. Check the network, HTTPS_PROXY and the registry set in ~/.npmrc."
  else
    reason="see the lines above; all of it is in $log."
  fi
  die "failed while $1: $reason"
}

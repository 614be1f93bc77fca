// Programs asked for their version: exactly these words, and only where nothing of the project runs.
import { expect, test } from "bun:test";
import { asksVersion, VERSION_PROGRAMS as TABLE } from "../src/permissions/shell/programs/versions.ts";
import { argsOf } from "./shell-words-kit.ts";
import { approved, asked } from "./shell-programs-kit.ts";

test("asking for a version is reading", () => {
  const lines = `
    node -v
    node --version
    npm -v
    npm --version
    bun -v
    bun --version
    deno --version
    python3 --version
    python --version
    python3 -V
    pip --version
    ruby -v
    perl -v
    php -v
    go version
    java -version
    javac -version
    gcc --version
    g++ --version
    clang --version
    make --version
    cmake --version
    docker --version
    gh --version
    curl --version
    openssl version
    psql --version
    sqlite3 --version
    ldd --version
    tsc --version
    uv --version
  `;
  expect(asked(TABLE, lines)).toEqual([]);
});

test("anything more is not", () => {
  const lines = `
    ldd ./a.out
    node -v x.js
    node --version -e 1
    node --require ./app.js --version
    node -p 1
    python3 -V x.py
    python3 -m pip --version
    python3 -c 1
    uv version
    as -v
    make -v all
    make --version all
    go version ./a.out
    docker version
    docker ps
    java -version -jar x.jar
    java -jar x.jar
    perl -v x
    ruby -v x.rb
  `;
  expect(approved(TABLE, lines)).toEqual([]);
});

test("a version may be asked of programs that other tables judge", () => {
  const asks = (name: string, words: string) => asksVersion({ name, args: argsOf(words) });
  expect([
    asks("jq", "--version"),
    asks("cp", "--version"),
    asks("cp", "--version a"),
    asks("sh", "--version"),
  ]).toEqual([true, true, false, false]);
});

test("a program that the project can choose is not asked", () => {
  const chosen = ["yarn", "pnpm", "mvn", "gradle", "pytest", "bundle", "terraform", "npx", "uvx"];
  expect(chosen.filter((name) => asksVersion({ name, args: argsOf("--version") }))).toEqual([]);
});

// The file types of Grep's `type`: rg's names for the common languages, as patterns for a file's name.
import { nearest } from "../core/nearest.ts";

const names: Record<string, string> = {
  asm: "*.asm *.s *.S",
  bazel: "*.bazel *.bzl BUILD WORKSPACE",
  c: "*.c *.h *.H",
  clojure: "*.clj *.cljc *.cljs *.cljx *.edn",
  cmake: "*.cmake CMakeLists.txt",
  cpp: "*.cpp *.cc *.cxx *.C *.c++ *.hpp *.hh *.hxx *.h *.H *.h++ *.inl *.ipp",
  cs: "*.cs",
  css: "*.css *.scss *.sass *.less",
  csv: "*.csv",
  cuda: "*.cu *.cuh",
  dart: "*.dart",
  docker: "*Dockerfile* *Containerfile*",
  elixir: "*.ex *.exs *.eex *.heex *.leex",
  elm: "*.elm",
  erlang: "*.erl *.hrl",
  fsharp: "*.fs *.fsi *.fsx",
  go: "*.go",
  gradle: "*.gradle *.gradle.kts",
  graphql: "*.graphql *.graphqls *.gql",
  groovy: "*.groovy *.gradle",
  haskell: "*.hs *.lhs *.cabal",
  html: "*.html *.htm *.xhtml",
  java: "*.java *.jsp *.jspx *.properties",
  js: "*.js *.jsx *.cjs *.mjs *.vue",
  json: "*.json *.jsonc *.json5 *.jsonl *.sarif composer.lock",
  jsx: "*.jsx",
  julia: "*.jl",
  jupyter: "*.ipynb",
  kotlin: "*.kt *.kts",
  less: "*.less",
  log: "*.log",
  lua: "*.lua",
  make: "Makefile makefile GNUmakefile *.mk *.mak *.am",
  markdown: "*.md *.mdx *.markdown *.mdown *.mkd",
  md: "*.md *.mdx *.markdown *.mdown *.mkd",
  nim: "*.nim *.nims *.nimble",
  nix: "*.nix",
  objc: "*.m *.h",
  ocaml: "*.ml *.mli *.mll *.mly",
  perl: "*.pl *.pm *.t *.plx",
  php: "*.php *.php3 *.php4 *.php5 *.phtml",
  powershell: "*.ps1 *.psm1 *.psd1",
  protobuf: "*.proto",
  py: "*.py *.pyi",
  python: "*.py *.pyi",
  r: "*.r *.R *.Rmd *.Rnw",
  rst: "*.rst",
  ruby: "*.rb *.rbw *.gemspec *.rake Gemfile Rakefile config.ru .irbrc",
  rust: "*.rs",
  sass: "*.sass *.scss",
  scala: "*.scala *.sbt",
  sh: "*.sh *.bash *.zsh *.ksh *.csh *.tcsh .bashrc .bash_profile .profile .zshrc .zshenv",
  solidity: "*.sol",
  sql: "*.sql *.psql",
  svelte: "*.svelte",
  svg: "*.svg",
  swift: "*.swift",
  tex: "*.tex *.ltx *.cls *.sty *.bib *.dtx *.ins",
  tf: "*.tf *.tfvars *.tf.json *.hcl",
  thrift: "*.thrift",
  toml: "*.toml Cargo.lock",
  ts: "*.ts *.tsx *.cts *.mts",
  tsx: "*.tsx",
  txt: "*.txt",
  typescript: "*.ts *.tsx *.cts *.mts",
  vim: "*.vim .vimrc vimrc",
  vue: "*.vue",
  xml: "*.xml *.xsd *.xsl *.xslt *.dtd *.rng *.sch",
  yaml: "*.yaml *.yml",
  zig: "*.zig",
};

/** Whether a file's name is of one of the types ("ts", or several: "js,ts"). Throws when one is not known. */
export function typeFilter(types: string): (name: string) => boolean {
  const patterns = types
    .split(/[\s,]+/)
    .filter(Boolean)
    .flatMap(patternsOf);
  const globs = patterns.map((pattern) => new Bun.Glob(pattern));
  return (name) => globs.some((glob) => glob.match(name));
}

function patternsOf(type: string): string[] {
  const found = Object.hasOwn(names, type) ? names[type] : undefined;
  if (found !== undefined) return found.split(" ");
  const near = nearest(type, Object.keys(names));
  throw new Error(
    `There is no type ${type}.${near === undefined ? "" : ` Did you mean ${near}?`} Known types: ${Object.keys(names).join(" ")}. For anything else use glob, such as glob: "*.${type}".`,
  );
}

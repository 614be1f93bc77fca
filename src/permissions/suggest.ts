// "Always": the narrowest rules that would have let a call through, when there are safe ones.
import { isAbsolute, relative } from "node:path";
import type { Access, PermissionMode, ToolUse } from "../core/types.ts";
import { inside } from "../utils/paths.ts";
import { decide } from "./decide.ts";
import { hostOf, parseRule, type Rule, type Rules } from "./rules.ts";
import { analyze } from "./shell/analyze.ts";
import { UNKNOWN, type Part } from "./shell/parts.ts";
import { bare } from "./shell/judge.ts";
import { surroundings, type World } from "./world.ts";

const MOST_RULES = 5;
/** Whatever follows them runs: a rule for such a command would be a rule for everything. */
const RUNNERS =
  /^(env|xargs|find|sudo|doas|su|eval|exec|source|\.|command|builtin|bash|sh|dash|zsh|ksh|fish|busybox|toybox|ssh|parallel|watch|nohup|time|timeout|nice|ionice|stdbuf|setsid|chroot|unshare|nsenter|script|strace|ltrace|nanocode|awk|gawk|mawk|sed|trap|flock|docker|podman|kubectl|vim|vi|emacs|ed|ex)$/;
const INTERPRETERS =
  /^(python|python3|python2|node|nodejs|deno|bun|perl|ruby|php|lua|Rscript|osascript|tsx|ts-node|java|pwsh)$/;
/** What an interpreter is told to run right there. */
const INLINE = /^-(c|e|E|p|r|-eval|-print|-command|i|-interactive|)$/;
/** The word after them says what is done: `git commit`, `npm test`. */
const WITH_SUBCOMMAND =
  /^(git|npm|pnpm|yarn|cargo|go|make|gh|pip|pip3|uv|poetry|dotnet|mvn|gradle|\.\/gradlew|npx|bunx|just|task|rake|bundle|composer|terraform|helm|brew|apt|apt-get|systemctl|nx|turbo|lerna|rustup|mix|cmake|ninja|bazel)$/;
const RUN_WORDS = /^(npm|pnpm|yarn|bun|uv|poetry|bundle|mix|nx|turbo) (run|run-script|exec|x|dlx)$/;
/** Known to check, build or format: with any arguments they do no more. */
const TOOLS =
  /^(tsc|eslint|prettier|biome|oxlint|jest|vitest|mocha|ava|tap|pytest|tox|nox|ruff|mypy|black|isort|flake8|pylint|pyright|rubocop|rspec|phpunit|phpstan|gofmt|golangci-lint|rustfmt|clang-format|shellcheck|shfmt|ctest|swiftlint|ktlint|checkstyle|stylelint|markdownlint|yamllint|hadolint|cloc|tokei)$/;

type Asked = { call: ToolUse; access: Access; rules: Rules; mode: PermissionMode; world: World };

/** Texts of rules which together would allow the call; undefined when no narrow ones would. */
export function suggestRules({ call, access, rules, mode, world }: Asked): string[] | undefined {
  const texts = [...new Set(candidates(call, access, { rules, mode, world }))];
  if (texts.length === 0 || texts.length > MOST_RULES) return undefined;
  const anchors = { base: world.root, cwd: world.root, home: world.home };
  const parsed = texts.map((text) => parseRule(text, "allow", "suggested", anchors));
  const added = parsed.filter((rule): rule is Rule => !("problem" in rule));
  if (added.length < parsed.length) return undefined;
  // Only what would really change the decision is worth offering.
  const after = decide(call, access, { ...rules, allow: [...rules.allow, ...added] }, mode, world);
  return after.behavior === "allow" ? texts : undefined;
}

type Here = { rules: Rules; mode: PermissionMode; world: World };

function candidates(call: ToolUse, access: Access, here: Here): string[] {
  switch (access.kind) {
    case "shell":
      return forCommand(call, access.command, here);
    case "read":
      return access.paths.map((path) => `Read(${pathText(path, here.world)}${call.name === "Read" ? "" : "/**"})`);
    case "write":
      return access.paths.map((path) => `Edit(${pathText(path, here.world)})`);
    case "net": {
      const host = hostOf(access.url);
      return host === undefined ? [] : [`${call.name}(domain:${host})`];
    }
    case "plan":
      // Each plan is looked at; and one begun where nobody can be asked would never end.
      return [];
    case "none":
    case "agent":
    case "unknown":
      return [call.name];
    default:
      return access satisfies never;
  }
}

/** `/x` from the project's root, `~/x`, or `//x`; characters that patterns know are escaped. */
function pathText(path: string, { root, home }: World): string {
  const escaped = (text: string) => text.replace(/[*?[\]\\]/g, "\\$&");
  if (inside(root, path)) return `/${escaped(relative(root, path))}`;
  if (inside(home, path)) return `~/${escaped(relative(home, path))}`;
  return isAbsolute(path) ? `/${escaped(path)}` : escaped(path);
}

function forCommand(call: ToolUse, command: string, { rules, mode, world }: Here): string[] {
  const analysis = analyze(command, surroundings(world));
  if (analysis.problem !== undefined) return [];
  return analysis.parts.flatMap((part) => {
    const alone: ToolUse = { ...call, input: { command: part.source } };
    const decided = decide(alone, { kind: "shell", command: part.source }, rules, mode, world);
    if (decided.behavior === "allow") return [];
    if (part.effect === "read" && part.writes.length === 0) return readRules(part, world);
    const text = forPart(part);
    return text === undefined ? [] : [`Bash(${text})`];
  });
}

/** It only reads, but elsewhere: the files are what is allowed, not the program. */
function readRules(part: Part, world: World): string[] {
  const places = part.reads.flatMap((use) => use.places ?? []);
  const outside = places.filter((place) => !world.roots.some((root) => inside(root, place.real)));
  return outside.map((place) => `Read(${pathText(place.given, world)})`);
}

function forPart({ text, program, writes }: Part): string | undefined {
  // A redirection is not covered by any rule about the command.
  if (program === undefined || text === "" || writes.some((change) => change.redirect)) return undefined;
  const words = text.split(" ");
  const name = bare(program);
  if (RUNNERS.test(name) || /\s/.test(program)) return undefined;
  const exact = /[*()]|:$/.test(text) || text.includes(UNKNOWN) || text.includes("\n") ? undefined : text;
  if (INTERPRETERS.test(name))
    return words.slice(1).some((word) => INLINE.test(word)) || words.length === 1 ? undefined : exact;
  if (TOOLS.test(name)) return `${program}:*`;
  if (!WITH_SUBCOMMAND.test(name)) return exact;
  const sub = words[1] ?? "";
  const length = RUN_WORDS.test(`${name} ${sub}`) ? 3 : 2;
  const known = words.slice(0, length);
  const plain = known.length === length && known.every((word) => /^[\w.:/@+-]+$/.test(word) && !word.startsWith("-"));
  return plain ? `${known.join(" ")}:*` : exact;
}

// Quotes that are none for bash: in an operand between double quotes, in a here-document, behind a dollar in either.
import { afterAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Project, type How } from "./permission-kit.ts";

const project = new Project();
afterAll(() => project.remove());

const COMMANDS = (inner: string) => [
  `echo "\${PWD:+'${inner}'}"`,
  `echo "\${HOME-'${inner}'}"`,
  `echo "\${x:-a'${inner}'b}"`,
  `[[ -e "\${PWD:+'${inner}'}" ]]`,
  `x="\${PWD:+'${inner}'}"; ls`,
  `cat < "\${PWD:+'${inner}'}"`,
  `cat <<E\n\${PWD:+'${inner}'}\nE`,
  `cat <<E\n\${PWD:+\${PWD:+'${inner}'}}\nE`,
  `cat <<E\n\${PWD:+$'${inner}'}\nE`,
  `echo "\${PWD:+$'${inner}'}"`,
  `echo $(( \${PWD:+'${inner}'} ))`,
  `(( \${PWD:+'${inner}'} ))`,
  `for x in "\${PWD:+'${inner}'}"; do :; done`,
  `case "\${PWD:+'${inner}'}" in a) ;; esac`,
];

describe.each([
  ["a substitution", "$(rm -rf ~)"],
  ["backquotes", "`rm -rf ~`"],
])("%s within is a command", (_, inner) => {
  test.each(COMMANDS(inner))("%s", (command) => {
    const asked = (how: How) => project.bash(command, how).behavior;
    // In any mode, and whatever is allowed.
    const hows: How[] = [{}, { mode: "plan" }, { mode: "bypassPermissions" }, { mode: "acceptEdits", allow: ["Bash"] }];
    expect(hows.map(asked)).not.toContain("allow");
    expect(project.bash(command, { deny: ["Bash(rm:*)"] }).behavior).not.toBe("allow");
  });
});

describe("what is decoded or invisible in them", () => {
  test.each([
    `echo "\${PWD:+$'\\x24(touch x)'}"`,
    `echo "\${PWD:+$'\\x60touch x\\x60'}"`,
    `cat <<< "\${-//$'\\x60touch x\\x60'}"`,
    `case "\${#%$'\\044(touch x)'}" in a) ls;; esac`,
    `test "\${#%$'\\044(touch x)'}" = a`,
    `cat <<E\n\${HOME%\${-%%$'$(( $(touch x) ))'}}\nE`,
    `cat <<-E\n\t\${PWD:+"$\\(touch x)"}\n\tE`,
    `echo "\${HOME-'$AWS_SECRET_KEY'}"`,
    `echo "\${PWD:+'(x)'}"`,
    `echo "\${HOME+'a\u200Bb'}"`,
  ])("%s", (command) => expect(project.bash(command).behavior).toBe("ask"));
});

test("quotes that are some for bash make nothing asked", () => {
  project.file("a b.txt");
  const fine = [
    "cat 'a b.txt'",
    'cat "a b.txt"',
    "echo '$(rm -rf ~)'",
    "grep -n 'x`y`' 'a b.txt'",
    `echo "it's \${PWD}"`,
    `cat <<'E'\n\${x:-'$(rm)'}\nE`,
    `cat <<E\nit's $PWD, isn't it\nE`,
  ];
  expect(fine.map((command) => [command, project.bash(command).behavior])).toEqual(
    fine.map((command) => [command, "allow"]),
  );
});

test("half a character in a name is what the program gets for it", () => {
  const deny = ["Read(./\uFFFDx)"];
  expect(project.bash("cat '\ud800x'", { deny }).behavior).toBe("deny");
});

test("a working directory that is a file is no reason to fail", () => {
  const file = join(project.root, "file");
  writeFileSync(file, "x");
  const decided = project.bash("git show", { cwd: file, deny: ["Read(./.env)"] });
  expect(["allow", "ask", "deny"]).toContain(decided.behavior);
});

// Skills: which are found and who they belong to, what their text becomes, and how the model is told of them.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { skillListing } from "../src/commands/skills.ts";
import { requestOf } from "../src/context/facts.ts";
import { skillBlock, skillsInUse } from "../src/context/skills.ts";
import type { Message } from "../src/core/types.ts";
import { discoverSkills, type Skill, type SkillOptions } from "../src/skills/discover.ts";
import { listing, listingBudget } from "../src/skills/listing.ts";
import { commandsIn, piecesOf, readSkill } from "../src/skills/parse.ts";
import { renderSkill, type Rendering } from "../src/skills/render.ts";
import { memoryBox, type Box } from "./memory-kit.ts";

const base: Skill = {
  name: "x",
  kind: "skill",
  path: "/p",
  real: "/p",
  folder: "/",
  by: "person",
  commands: [],
  allowedTools: [],
  argumentHint: "",
  argumentNames: [],
  forModel: true,
  forPerson: true,
  description: "What it does.",
};

describe("the header", () => {
  test("says who may call it, with what, and what it allows", () => {
    const text = readSkill(`---
name: fix-issue
description: >
  Fixes
  an issue.
when_to_use: When a number is named.
argument-hint: [issue] [priority]
arguments: issue priority
allowed-tools: Read, Bash(git add:*) Bash(gh issue view *), Bash, Bash(*), *, ExitPlanMode
disable-model-invocation: true
---
Fix $issue.
`);
    expect(text).toEqual({
      name: "fix-issue",
      description: "Fixes an issue. When a number is named.",
      argumentHint: "[issue] [priority]",
      argumentNames: ["issue", "priority"],
      allowedTools: ["Read", "Bash(git add:*)", "Bash(gh issue view *)"],
      forModel: false,
      forPerson: true,
      body: "Fix $issue.\n",
    });
  });

  test.each([
    ["no header at all", "# Title\n\nThe first\nparagraph.\n\nMore.", "The first paragraph."],
    ["no description", "---\nuser-invocable: false\n---\nDo it.", "Do it."],
    ["control characters", '---\ndescription: "a\\u001b[31mb\\nc"\n---\n', "a [31mb c"],
    ["nothing", "", ""],
  ])("without a description the first paragraph says what it is: %s", (_, source, description) => {
    expect(readSkill(source).description).toBe(description);
  });

  test("odd values are no texts; one with a colon is", () => {
    expect(readSkill("---\nargument-hint: [{toString: 1}, a]\narguments: [1, {a: 2}, b]\n---\n")).toMatchObject({
      argumentHint: "[a]",
      argumentNames: ["b"],
    });
    expect(readSkill("---\ndescription: Use it: never\ndisable-model-invocation: yes\n---\nx")).toMatchObject({
      description: "Use it: never",
      forModel: false,
    });
    // What cannot be read may have said that only the person loads it.
    expect(readSkill('---\nname: "open\n---\nx')).toMatchObject({ forModel: false, forPerson: true });
    const aliases = [
      "x: &a [y, y, y, y, y, y, y, y]",
      ...["b", "c", "d", "e", "f", "g", "h"].map((to, n) => {
        const from = "abcdefg"[n];
        return `${to}: &${to} [${Array.from({ length: 8 }, () => `*${from}`).join(", ")}]`;
      }),
      "argument-hint: *h",
    ];
    const began = performance.now();
    readSkill(`---\n${aliases.join("\n")}\n---\n`);
    expect(performance.now() - began).toBeLessThan(500);
  });

  test("a long description is cut, and one that is no YAML costs the header only", () => {
    expect(readSkill(`---\ndescription: ${"x".repeat(2000)}\n---\n`).description).toHaveLength(1537);
    const broken = readSkill('---\ndescription: "open\nname: x\n---\nThe text.');
    expect(broken).toMatchObject({
      name: undefined,
      description: "The text.",
      body: "The text.",
      problem: expect.any(String),
    });
  });
});

describe("commands in the text", () => {
  test.each<[string, string[]]>([
    ["Status: !`git status`\n!`ls -la` and `!no` and a!`b`", ["git status", "ls -la"]],
    ["```!\ngit log\ngit diff\n```\n", ["git log\ngit diff"]],
    ["```\nnot !important`s`\n```", []],
    ["!``", []],
    ["!`open", []],
    ["```! git log\n```", ["git log"]],
    ["a\n  ```!\n  x\n  ```\nb !`c`", ["x", "c"]],
    ["```!\nx\n\n```!\ny\n```", ["x\n\n```!\ny"]],
    ["```!\nnever closed !`a`", ["a"]],
    ["- !`a`\n\t!`b`", ["a", "b"]],
  ])("%j", (body, commands) => {
    expect(commandsIn(body)).toEqual(commands);
    const texts = piecesOf(body).flatMap((piece) => (piece.kind === "text" ? [piece.text] : []));
    expect(texts.filter((text) => !body.includes(text))).toEqual([]);
  });
});

test("texts that are made to be slow are not", () => {
  for (const text of [
    "```!\n".repeat(50_000),
    " !`".repeat(80_000),
    "```!\n".repeat(20_000) + "```\n".repeat(20_000),
  ]) {
    const began = performance.now();
    commandsIn(text);
    expect(performance.now() - began).toBeLessThan(500);
  }
});

describe("the text", () => {
  const render = (body: string, args = "", more: Partial<Rendering> = {}) =>
    renderSkill({
      body,
      args,
      argumentNames: [],
      values: { SESSION_ID: "s-1", SKILL_DIR: "/skills/x", PROJECT_DIR: "/project", EFFORT: undefined },
      run: async (command) => `<${command}>\n`,
      ...more,
    });

  test.each([
    ["Fix $ARGUMENTS now.", "a b", "Fix a b now."],
    ["$0, $1, $2", "'a b' c", "a b, c, $2"],
    ["$ARGUMENTS[1] $ARGUMENTS[7]", "a b", "b $ARGUMENTS[7]"],
    ["No place.", "a b", "No place.\n\nARGUMENTS: a b"],
    ["No place.", "  ", "No place."],
    ["Costs \\$5, not $0. \\n", "x", "Costs $5, not x. \\n"],
    [
      "${CLAUDE_SKILL_DIR}/run.sh ${NANOCODE_SESSION_ID} ${CLAUDE_EFFORT} ${HOME}",
      "",
      "/skills/x/run.sh s-1 ${CLAUDE_EFFORT} ${HOME}",
    ],
    ["$10 and $ARGUMENTSX", "a", "$10 and $ARGUMENTSX\n\nARGUMENTS: a"],
    ["$ARGUMENTS", "$0 $ARGUMENTS", "$0 $ARGUMENTS"],
    ["$0|$1", '"say \\"hi\\"" back\\ slash', 'say "hi"|back slash'],
    ["$0", "l'été", "l'été"],
  ])("%j with %j", async (body, args, text) => {
    expect(await render(body, args)).toBe(text);
  });

  test("declared arguments have names; one that was not given is empty", async () => {
    const argumentNames = ["issue", "branch"];
    expect(await render("Fix $issue on $branch, not $issues.", "12", { argumentNames })).toBe(
      "Fix 12 on , not $issues.",
    );
  });

  test("what is put in for an argument does not become a command, but is part of one", async () => {
    expect(await render("It is: $0", "'!`rm x`'")).toBe("It is: !`rm x`");
    expect(await render("It is: !`show $0; awk '{ print $3 }'`!", "12 13")).toBe(
      "It is: <show 12; awk '{ print $3 }'>!",
    );
  });

  test("a command that fails leaves no text", async () => {
    const run = async () => Promise.reject(new Error("no such thing"));
    expect(render("a !`b`", "", { run })).rejects.toThrow("no such thing");
  });
});

describe("found on the disk", () => {
  let box: Box;
  beforeEach(() => {
    box = memoryBox();
  });
  afterEach(() => box.remove());

  const found = (more: Partial<SkillOptions> = {}) => {
    const folders = [box.at("outer/project/app"), box.at("outer/project")];
    const home = box.at("home");
    const places = { nanocode: `${home}/.nanocode`, claude: `${home}/.claude`, managed: [box.at("etc")] };
    const { skills, problems } = discoverSkills({ folders, places, ...more });
    return {
      names: skills.map(({ by, kind, name, path }) => `${by} ${kind} ${name} ${path.slice(box.top.length + 1)}`),
      problems: box.plain(problems),
      skills,
    };
  };

  test("the machine's, the person's, the project's nearest first, skills before commands; the first of a name counts", () => {
    const skill = (text: string) => `---\ndescription: ${text}\n---\nbody`;
    box.tree({
      "etc/.claude/skills/deploy/SKILL.md": skill("machine"),
      "home/.claude/skills/deploy/SKILL.md": skill("person"),
      "home/.nanocode/skills/notes/SKILL.md": skill("own"),
      "home/.claude/skills/notes/SKILL.md": skill("other"),
      "outer/project/.claude/skills/review/SKILL.md": skill("root"),
      "outer/project/app/.nanocode/skills/review/SKILL.md": skill("near"),
      "outer/project/.claude/commands/review.md": "older form",
      "outer/project/.claude/commands/git/sync.md": "Sync it.",
      "outer/project/.claude/commands/git/README.txt": "no command",
      "outer/project/.claude/skills/empty/notes.md": "no skill",
      "outer/project/.claude/skills/lower/skill.md": "lower",
    });
    const { names, problems, skills } = found();
    expect(names).toEqual([
      "machine skill deploy etc/.claude/skills/deploy/SKILL.md",
      "person skill notes home/.nanocode/skills/notes/SKILL.md",
      "project skill review outer/project/app/.nanocode/skills/review/SKILL.md",
      "project skill lower outer/project/.claude/skills/lower/skill.md",
      "project command sync outer/project/.claude/commands/git/sync.md",
    ]);
    expect(problems).toEqual([
      "home/.claude/skills/deploy/SKILL.md: etc/.claude/skills/deploy/SKILL.md has the same name and counts",
      "home/.claude/skills/notes/SKILL.md: home/.nanocode/skills/notes/SKILL.md has the same name and counts",
      "outer/project/.claude/skills/review/SKILL.md: outer/project/app/.nanocode/skills/review/SKILL.md has the same name and counts",
      "outer/project/.claude/commands/review.md: outer/project/app/.nanocode/skills/review/SKILL.md has the same name and counts",
    ]);
    expect(skills[4]).toMatchObject({ description: "Sync it.", folder: box.at("outer/project/.claude/commands/git") });
    expect(found({ sources: [] }).names).toEqual([names[0] ?? ""]);
    expect(found({ sources: ["user"] }).names).toEqual(names.slice(0, 2));
  });

  test("the home folder as the project: its skills are the person's", () => {
    box.put("home/.claude/skills/a/SKILL.md", "text");
    expect(found({ folders: [box.at("home")] })).toMatchObject({
      names: ["person skill a home/.claude/skills/a/SKILL.md"],
      problems: [],
    });
  });

  test("settings switch them off, or tell less of them", () => {
    for (const name of ["a", "b", "c", "d"]) box.put(`outer/project/.claude/skills/${name}/SKILL.md`, "text");
    const { skills } = found({ overrides: { a: "off", b: "name-only", c: "user-invocable-only", d: "on" } });
    expect(skills.map(({ name, nameOnly, forModel }) => ({ name, nameOnly, forModel }))).toEqual([
      { name: "b", nameOnly: true, forModel: true },
      { name: "c", nameOnly: undefined, forModel: false },
      { name: "d", nameOnly: undefined, forModel: true },
    ]);
  });

  test("what leads outside, is hidden, too large, binary, circular or not for typing is named and left out", () => {
    box.put("secret/SKILL.md", "outside");
    box.link(box.at("secret"), "outer/project/.claude/skills/linked");
    box.put("home/.claude/skills/mine/SKILL.md", "mine");
    box.link(box.at("home/.claude/skills/mine"), "outer/project/.claude/skills/shared");
    box.put("outer/project/.claude/skills/hidden/SKILL.md", "hidden");
    box.put("outer/project/.claude/skills/large/SKILL.md", "x".repeat(300 * 1024));
    box.put("outer/project/.claude/skills/binary/SKILL.md", new Uint8Array([0, 1, 2, 3]));
    box.put("outer/project/.claude/commands/a b.md", "blank");
    box.link(box.at("outer/project/.claude/commands"), "outer/project/.claude/commands/again");
    box.link(box.at("nowhere"), "outer/project/.claude/commands/dangling.md");
    const { names, problems } = found({ hidden: (path) => path.includes("hidden"), sources: ["project"] });
    expect(names).toEqual(["project skill shared outer/project/.claude/skills/shared/SKILL.md"]);
    expect(problems).toEqual([
      "outer/project/.claude/skills/binary/SKILL.md: it is a binary file",
      "outer/project/.claude/skills/hidden/SKILL.md: a deny rule forbids to read it",
      "outer/project/.claude/skills/large/SKILL.md: it is larger than 256 KB",
      "outer/project/.claude/skills/linked/SKILL.md: it leads outside the project, to secret/SKILL.md",
      "outer/project/.claude/commands/a b.md: its name cannot be typed",
      "outer/project/.claude/commands/dangling.md: it is a link that leads nowhere",
    ]);
  });

  test("nobody's take the place of somebody else's, nor their names", () => {
    for (let n = 0; n < 510; n++) box.put(`outer/project/.claude/skills/s${n}/notes.txt`, "nothing");
    box.put("home/.claude/commands/deploy.md", "mine");
    box.put("home/.claude/commands/other.md", "mine");
    box.put("outer/project/.claude/skills/Deploy/SKILL.md", "theirs");
    box.put("home/.claude/commands/cost.md", "mine");
    const { names, problems, skills } = found({ reserved: ["cost"] });
    expect(names).toEqual([
      "person command cost home/.claude/commands/cost.md",
      "person command deploy home/.claude/commands/deploy.md",
      "person command other home/.claude/commands/other.md",
    ]);
    expect(skills.map(({ forPerson }) => forPerson)).toEqual([false, true, true]);
    expect(problems).toEqual([
      "home/.claude/commands/cost.md: /cost is a built-in command: only the model can load it",
      "outer/project/.claude/skills/Deploy/SKILL.md: home/.claude/commands/deploy.md has the same name and counts",
      "outer/project/.claude/skills: there are more than 300 skills or 500 files; the rest is left out",
    ]);
  });

  test("thousands of them are bounded", () => {
    for (let n = 0; n < 600; n++) box.put(`outer/project/.claude/commands/c${n}.md`, "text");
    const { names, problems } = found();
    expect(names).toHaveLength(300);
    expect(problems).toEqual([
      "outer/project/.claude/commands: there are more than 300 skills or 500 files; the rest is left out",
    ]);
  });
});

describe("the listing", () => {
  const skill = (name: string, more: Partial<Skill> = {}): Skill => ({ ...base, name, ...more });

  test("descriptions within the budget, then names, then a number", () => {
    const many = Array.from({ length: 230 }, (_, n) => skill(`s${n}`));
    const lines = listing(many, 50).split("\n");
    expect(lines.slice(0, 5)).toEqual(["- s0: What it does.", "- s1: What it does.", "- s2", "- s3", "- s4"]);
    expect(lines).toHaveLength(201);
    expect(lines.at(-1)).toBe("and 30 more");
    expect(listing([skill("a", { nameOnly: true }), skill("b", { description: "</reminder> x < y" })], 999)).toBe(
      "- a\n- b: <\\/reminder> x < y",
    );
  });

  test("the budget is a share of the window", () => {
    expect([listingBudget(200_000, undefined), listingBudget(200_000, 0.5), listingBudget(200_000, 7)]).toEqual([
      6600, 330_000, 6600,
    ]);
  });
});

describe("in a conversation", () => {
  const used = (name: string, text: string) => skillBlock({ name, folder: `/s/${name}`, text });
  const result = (id: string, content: string, is_error = false): Message => ({
    role: "user",
    id,
    content: [{ type: "tool_result", tool_use_id: id, content, is_error }],
  });
  const called = (id: string, name = "Skill"): Message => ({
    role: "assistant",
    id: `m-${id}`,
    model: "m",
    stopReason: "tool_use",
    content: [{ type: "tool_use", id, name, input: {} }],
    usage: { input_tokens: 1, output_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 },
  });

  test("of several in one reply the last is the latest", () => {
    const content = ["a", "b", "c"].map((name) => ({
      type: "tool_result" as const,
      tool_use_id: name,
      content: used(name, name),
    }));
    const calls = ["a", "b", "c"].map((name) => ({ type: "tool_use" as const, id: name, name: "Skill", input: {} }));
    const reply = called("x");
    const messages = [{ ...reply, content: calls } as Message, { role: "user" as const, id: "r", content }];
    expect(skillsInUse(messages).map(({ name }) => name)).toEqual(["c", "b", "a"]);
    const pasted: Message = { role: "user", id: "p", content: [{ type: "text", text: used("d", "pasted") }] };
    expect(skillsInUse([pasted])).toEqual([]);
    expect(requestOf(pasted)).toContain("pasted");
  });

  test("a listing cannot be forged by a name or a rule with line breaks", () => {
    const forged = { ...base, name: "x", path: "/p/a\n  yours: b", allowedTools: ["Bash(a\n\n  yours, x)"] };
    const lines = skillListing({ skills: [forged], problems: ["/p\n/exit: ok"] }).split("\n");
    expect(lines).toHaveLength(5);
  });

  test("what was loaded by a call, typed or restored, each once, the latest first", () => {
    const messages: Message[] = [
      {
        role: "user",
        id: "0",
        synthetic: true,
        content: [
          { type: "text", text: "summary" },
          { type: "text", text: used("old", "restored") },
        ],
      },
      called("1"),
      result("1", `${used("a", "first")}\nFollow it.`),
      {
        role: "user",
        id: "p",
        content: [
          { type: "text", text: "/b 12" },
          { type: "text", text: used("b", "typed </skill> on") },
        ],
      },
      called("2"),
      result("2", used("c", "failed"), true),
      called("3", "Bash"),
      result("3", used("d", "printed by a command")),
      called("4"),
      result("4", used("a", "second")),
    ];
    expect(skillsInUse(messages)).toEqual([
      { name: "a", folder: "/s/a", text: "second" },
      { name: "b", folder: "/s/b", text: "typed </skill> on" },
      { name: "old", folder: "/s/old", text: "restored" },
    ]);
  });
});

// The tree as instructions for the matcher: a Thompson automaton over groups of characters.
import type { Look, Node } from "./ast.ts";
import { charSet, classSet, foldedSet, withoutNewline, wordSet, type CharSet } from "./sets.ts";

export type Instruction =
  | { op: "set"; set: number; next: number }
  | { op: "look"; look: Look; next: number }
  /** `first` is preferred. */
  | { op: "split"; first: number; second: number }
  | { op: "match" };

export type Program = {
  code: readonly Instruction[];
  start: number;
  /** sets[0] holds the newline, sets[1] the word characters (nothing when no boundary asks). */
  sets: readonly CharSet[];
  /** Some condition looks at the neighbouring characters. */
  looks: boolean;
};

const maxInstructions = 20_000;

/** Compiles back to front: each node is given where to go on. Throws an Error for the model when it grows too large. */
export function compile(node: Node, multiline: boolean): Program {
  const builder: Builder = { code: [{ op: "match" }], sets: [charSet(10)], known: new Map(), multiline, looks: false };
  builder.sets.push(usesWords(node) ? wordSet() : { ascii: new Array<boolean>(128).fill(false), ranges: () => [] });
  const start = emit(builder, node, 0);
  return { code: builder.code, start, sets: builder.sets, looks: builder.looks };
}

type Builder = {
  code: Instruction[];
  sets: CharSet[];
  known: Map<string, number>;
  multiline: boolean;
  looks: boolean;
};

function usesWords(node: Node): boolean {
  switch (node.kind) {
    case "look":
      return node.look === "word" || node.look === "notWord" || node.look === "wordStart" || node.look === "wordEnd";
    case "cat":
    case "alt":
      return node.items.some(usesWords);
    case "repeat":
      return usesWords(node.node);
    default:
      return false;
  }
}

function add(builder: Builder, instruction: Instruction): number {
  if (builder.code.length >= maxInstructions) {
    throw new Error("The pattern is too large once its counts are written out. Use smaller counts, or * and +.");
  }
  return builder.code.push(instruction) - 1;
}

function emit(builder: Builder, node: Node, next: number): number {
  switch (node.kind) {
    case "empty":
      return next;
    case "char":
    case "set":
      return add(builder, { op: "set", set: setOf(builder, node), next });
    case "look":
      builder.looks = true;
      return add(builder, { op: "look", look: node.look, next });
    case "cat":
      return node.items.reduceRight((after, item) => emit(builder, item, after), next);
    case "alt": {
      const branches = node.items.map((item) => emit(builder, item, next));
      return branches.reduceRight((second, first) => add(builder, { op: "split", first, second }));
    }
    case "repeat":
      return emitRepeat(builder, node, next);
    default:
      return node satisfies never;
  }
}

function emitRepeat(builder: Builder, node: Extract<Node, { kind: "repeat" }>, next: number): number {
  const split = (into: number, past: number): Instruction =>
    node.lazy ? { op: "split", first: past, second: into } : { op: "split", first: into, second: past };
  let at = next;
  if (node.max === Infinity) {
    const loop = add(builder, { op: "match" });
    const body = emit(builder, node.node, loop);
    builder.code[loop] = split(body, next);
    at = loop;
  } else {
    for (let i = node.min; i < node.max; i++) at = add(builder, split(emit(builder, node.node, at), next));
  }
  for (let i = 0; i < node.min; i++) at = emit(builder, node.node, at);
  return at;
}

function setOf(builder: Builder, node: Extract<Node, { kind: "char" | "set" }>): number {
  const name = node.kind === "char" ? `${node.code} ${node.fold}` : `${node.source} ${node.fold}`;
  const known = builder.known.get(name);
  if (known !== undefined) return known;
  const plain =
    node.kind === "set" ? classSet(node.source, node.fold) : node.fold ? foldedSet(node.code) : charSet(node.code);
  // Lines are searched one by one: nothing may run over their end.
  const index = builder.sets.push(builder.multiline ? plain : withoutNewline(plain)) - 1;
  builder.known.set(name, index);
  return index;
}

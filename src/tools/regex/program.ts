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

/**
 * `x+` is one `x` with a way back, `x*` of an `x` that may be empty is `(x+)?`, anything else is copies: which match is
 * preferred when `x` may be empty hangs on it, and so it is in Rust.
 */
function emitRepeat(builder: Builder, node: Extract<Node, { kind: "repeat" }>, next: number): number {
  const split = (into: number, past: number): Instruction =>
    node.lazy ? { op: "split", first: past, second: into } : { op: "split", first: into, second: past };
  let at = next;
  let copies = node.min;
  if (node.max === Infinity) {
    const back = add(builder, { op: "match" });
    const body = emit(builder, node.node, back);
    builder.code[back] = split(body, next);
    if (node.min > 0) copies--;
    at = node.min > 0 ? body : mayBeEmpty(node.node) ? add(builder, split(body, next)) : back;
  } else {
    for (let i = node.min; i < node.max; i++) at = add(builder, split(emit(builder, node.node, at), next));
  }
  for (let i = 0; i < copies; i++) {
    const before = at;
    at = emit(builder, node.node, at);
    // Copies of nothing would cost time without ever reaching the limit.
    if (at === before) break;
  }
  return at;
}

function mayBeEmpty(node: Node): boolean {
  switch (node.kind) {
    case "empty":
    case "look":
      return true;
    case "char":
    case "set":
      return false;
    case "cat":
      return node.items.every(mayBeEmpty);
    case "alt":
      return node.items.some(mayBeEmpty);
    case "repeat":
      return node.min === 0 || mayBeEmpty(node.node);
    default:
      return node satisfies never;
  }
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

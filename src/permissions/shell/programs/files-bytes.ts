// Programs that show the bytes of a file, or what is in object files and libraries.
import { parseOptions, program, type OptionTable, type ProgramSpec } from "../options.ts";
import type { Arg, Program } from "../types.ts";
import { literal, onlyReads, textArg, unknownEffect } from "../types.ts";
import { careful, entries, unless, withHelp } from "./entries.ts";

const OD: ProgramSpec = {
  loose: true,
  values: "AtNj",
  long: "address-radix= format= read-bytes= skip-bytes= width=? endian= strings=?",
  operands: "content",
};

// -f reads a format from a file.
const HEXDUMP: ProgramSpec = {
  flags: "bcCdovxX",
  values: "nse",
  attached: "L",
  long: "canonical length= skip= format= no-squeezing color=?",
  operands: "content",
};

/** A second operand is written, also one with a dash: options end at the first. */
const XXD: ProgramSpec = {
  strict: true,
  words:
    "a b c= cols= C d e E g= group= h i include l= len= n= name= o= offset= p ps plain postscript r R= s= seek= u uppercase v version",
  operands: "content",
  most: 1,
};

const xxd: Program = (call) => program(XXD)({ ...call, args: call.args.flatMap(apart) });

/** `-c16`: xxd knows no clusters, but values may be attached. */
function apart(arg: Arg): Arg[] {
  const [, option, value] = /^(-[clgs])([-+]?(?:0x[\da-fA-F]+|\d+))$/.exec(literal(arg) ?? "") ?? [];
  return option === undefined || value === undefined ? [arg] : [textArg(option), textArg(value)];
}

// Debug information can be fetched from a server when it is asked for by line or source: -l, -S, -W, -g, -x, -t.
const OBJDUMP: ProgramSpec = {
  flags: "adDhfpTrRsCwz",
  values: "jMmbE",
  long: `disassemble disassemble-all section-headers headers file-headers private-headers archive-headers dynamic-syms
    reloc dynamic-reloc full-contents demangle=? section= disassembler-options= no-show-raw-insn show-raw-insn
    disassemble=? start-address= stop-address= wide no-addresses macho x86-asm-syntax=`,
  operands: "content",
};

const READELF: ProgramSpec = {
  flags: "aAdDeghlnrsStuVICTW",
  values: "pxR",
  long: `all file-header program-headers segments section-headers sections section-groups section-details headers syms
    symbols dyn-syms notes relocs dynamic version-info arch-specific archive-index use-dynamic hex-dump= string-dump=
    wide histogram demangle=?`,
  operands: "content",
};

// --plugin runs code, -l asks for lines.
const NM: ProgramSpec = {
  flags: "aABCDgjmnopPrsSuvx",
  values: "ftU",
  long: `debug-syms print-file-name demangle=? dynamic extern-only format= numeric-sort no-sort print-armap print-size
    portability radix= reverse-sort size-sort special-syms undefined-only defined-only no-demangle quiet with-symbol-versions`,
  operands: "content",
};

const SIZE: ProgramSpec = {
  flags: "ABGtdoxml",
  long: "format= radix= totals common",
  operands: "content",
};

const STRINGS: ProgramSpec = {
  flags: "adfow",
  values: "ntesU",
  number: true,
  long: "all data print-file-name bytes= radix= encoding= include-all-whitespace output-separator= unicode=",
  operands: "content",
};

/** binutils puts the words of FILE in place of `@FILE`, wherever it stands. */
function responseFile(args: readonly Arg[]): string | undefined {
  const isOne = (arg: Arg) => {
    if (arg.kind === "text") return arg.text.startsWith("@");
    if (arg.kind === "oneof") return arg.texts.some((text) => text.startsWith("@"));
    return arg.start === "" || arg.start.startsWith("@");
  };
  return args.some(isOne) ? "a word that begins with @ is a file of arguments" : undefined;
}

const TOUCHES_NOTHING: OptionTable = {};

/** `ar t LIBRARY [MEMBER...]`: the first word holds the letters. A thin library names files anywhere, which p prints. */
const ar: Program = ({ name, args }) => {
  const parsed = parseOptions(args.slice(1), TOUCHES_NOTHING);
  if (!/^-?tv?$/.test(literal(args[0]) ?? "") || "problem" in parsed) {
    return unknownEffect(`${name}: only t is known to only read`);
  }
  const [library] = parsed.operands;
  if (!library) return unknownEffect(`${name}: no library`);
  return onlyReads(parsed.operands.map((arg) => ({ arg, what: "content" })));
};

const safely = (spec: ProgramSpec): Program => unless(responseFile, careful(withHelp(spec)));

/** od, xxd, hexdump, strings; nm, objdump, readelf, size, ar. */
export const BYTE_PROGRAMS = entries(
  ["od", OD, "files"],
  ["hexdump hd", HEXDUMP, "files"],
  ["xxd", xxd],
  ["strings", safely(STRINGS), "files"],
  // A word of a name could be @FILE.
  ["nm", safely(NM), "files"],
  ["objdump", safely(OBJDUMP)],
  ["readelf", safely(READELF)],
  ["size", safely(SIZE), "files"],
  ["ar", unless(responseFile, ar)],
  ["otool", { flags: "aDfhlLtTvV", operands: "content" }],
);

/** Classic BPF: programs that the kernel runs over each packet to tell whether we want to see it. */
import { kernelErrors } from '../errors.ts';

/** Where to look: an absolute position in the frame, or one that begins `at` bytes behind the IPv4 header. */
type Position = number | { readonly afterIpv4Header: number };

/** A condition that a frame has to meet. */
export type Condition =
  | {
      readonly kind: 'equals';
      readonly at: Position;
      readonly width: 1 | 2 | 4;
      readonly value: number;
      readonly mask?: number;
    }
  | { readonly kind: 'all'; readonly of: readonly Condition[] }
  | { readonly kind: 'any'; readonly of: readonly Condition[] };

export const equals = (at: Position, width: 1 | 2 | 4, value: number, mask?: number): Condition =>
  mask === undefined ? { kind: 'equals', at, width, value } : { kind: 'equals', at, width, value, mask };

export const all = (...of: readonly Condition[]): Condition => ({ kind: 'all', of });
export const any = (...of: readonly Condition[]): Condition => ({ kind: 'any', of });

/** Meets every frame; meets none. */
export const everything = all();
export const nothing = any();

interface Instruction {
  readonly code: number;
  readonly k: number;
  /** Labels; jumps only. */
  readonly whenTrue?: string;
  readonly whenFalse?: string;
}

type Line = Instruction | { readonly label: string };

const load = { 1: 0x30, 2: 0x28, 4: 0x20 } as const;
const loadIndexed = { 1: 0x50, 2: 0x48, 4: 0x40 } as const;
/** X = 4 × (byte & 15): the length of the IPv4 header that begins there. */
const LOAD_HEADER_LENGTH = 0xb1;
const AND = 0x54;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;

const ETHERNET_HEADER = 14;
/** The kernel's own limit for one program. */
const MOST_INSTRUCTIONS = 4096;
/** A jump reaches no further. */
const FURTHEST_JUMP = 255;

/**
 * The program that lets a frame pass, whole, if it meets the condition: 8 bytes an instruction, in the byte order of
 * this machine. A frame that is too short for a load is dropped by the kernel itself.
 */
export function compileFilter(condition: Condition): Uint8Array {
  const lines: Line[] = [];
  let labels = 0;
  const label = (): string => `${labels++}`;
  emit(condition, 'pass', 'drop', lines, label);
  lines.push({ label: 'pass' }, { code: RETURN, k: 0xffff_ffff }, { label: 'drop' }, { code: RETURN, k: 0 });
  return assemble(lines);
}

function emit(
  condition: Condition,
  whenTrue: string,
  whenFalse: string,
  lines: Line[],
  label: () => string,
): void {
  if (condition.kind === 'equals') {
    emitComparison(condition, whenTrue, whenFalse, lines);
    return;
  }
  const conjunction = condition.kind === 'all';
  const [last, ...before] = condition.of.toReversed();
  if (last === undefined) {
    // None of none fails, and any of none holds not: a comparison that always leads to the one place.
    const target = conjunction ? whenTrue : whenFalse;
    lines.push({ code: JUMP_IF_EQUAL, k: 0, whenTrue: target, whenFalse: target });
    return;
  }
  for (const part of before.toReversed()) {
    const next = label();
    emit(part, conjunction ? next : whenTrue, conjunction ? whenFalse : next, lines, label);
    lines.push({ label: next });
  }
  emit(last, whenTrue, whenFalse, lines, label);
}

function emitComparison(
  { at, width, value, mask }: Extract<Condition, { kind: 'equals' }>,
  whenTrue: string,
  whenFalse: string,
  lines: Line[],
): void {
  if (typeof at === 'number') lines.push({ code: load[width], k: at });
  else {
    lines.push({ code: LOAD_HEADER_LENGTH, k: ETHERNET_HEADER });
    lines.push({ code: loadIndexed[width], k: ETHERNET_HEADER + at.afterIpv4Header });
  }
  if (mask !== undefined) lines.push({ code: AND, k: mask });
  lines.push({ code: JUMP_IF_EQUAL, k: value, whenTrue, whenFalse });
}

function assemble(lines: readonly Line[]): Uint8Array {
  const positions = new Map<string, number>();
  const instructions: Instruction[] = [];
  for (const line of lines) {
    if ('label' in line) positions.set(line.label, instructions.length);
    else instructions.push(line);
  }
  if (instructions.length > MOST_INSTRUCTIONS) throw tooLarge(`${instructions.length} BPF instructions`);
  const program = Buffer.alloc(instructions.length * 8);
  const distance = (label: string | undefined, from: number): number => {
    if (label === undefined) return 0;
    const jump = (positions.get(label) ?? 0) - from - 1;
    if (jump > FURTHEST_JUMP) throw tooLarge(`a BPF jump over ${jump} instructions`);
    return jump;
  };
  for (const [index, { code, k, whenTrue, whenFalse }] of instructions.entries()) {
    const at = index * 8;
    program.writeUInt16LE(code, at);
    program.writeUInt8(distance(whenTrue, index), at + 2);
    program.writeUInt8(distance(whenFalse, index), at + 3);
    program.writeUInt32LE(k >>> 0, at + 4);
  }
  return program;
}

const tooLarge = (what: string): Error =>
  kernelErrors.error('KERNEL_BAD_VALUE', `a packet filter does not fit into the kernel: ${what}`);
